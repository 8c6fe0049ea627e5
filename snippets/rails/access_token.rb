# app/controllers/concerns/access_token.rb, after: bundle add jwt
require "json"
require "jwt"
require "net/http"

module AccessToken
  ISSUER = "https://login.example.com"
  AUDIENCE = "https://api.example.com"
  JWKS_URI = URI("#{ISSUER}/.well-known/jwks.json")
  KEEP_SECONDS = 300
  COOL_DOWN_SECONDS = 5

  class Unavailable < StandardError; end
  class Invalid < StandardError; end

  # The claims of a good access token. Raises Invalid, or Unavailable when the keys cannot be had.
  def self.verify(token)
    claims, header = JWT.decode(token, nil, true,
                                algorithms: ["RS256"], jwks: method(:keys), leeway: 5,
                                iss: ISSUER, verify_iss: true, aud: AUDIENCE, verify_aud: true,
                                required_claims: %w[exp iat sub client_id])
    # RFC 9068: an access token, not an ID token. A resource with --token-typ JWT has "JWT" here.
    raise Invalid, "not an access token" unless header["typ"] == "at+jwt"
    # One that is bound to a key (DPoP, mutual TLS) is for a verifier that asks for proof of the key.
    raise Invalid, "bound to a key" if claims.key?("cnf")

    claims
  rescue JWT::DecodeError => e
    raise Invalid, e.message
  end

  # An unknown kid fetches the set again, but not more often than every few seconds.
  def self.keys(options)
    age = @keys ? now - @fetched_at : Float::INFINITY
    fetch if age > KEEP_SECONDS || (options[:kid_not_found] && age > COOL_DOWN_SECONDS)
    @keys
  end

  def self.fetch
    response = Net::HTTP.start(JWKS_URI.host, JWKS_URI.port,
                               use_ssl: JWKS_URI.scheme == "https", open_timeout: 3, read_timeout: 3) do |http|
      http.get(JWKS_URI.request_uri)
    end
    raise Unavailable, "HTTP #{response.code}" unless response.is_a?(Net::HTTPOK)

    @keys = JSON.parse(response.body, symbolize_names: true)
    @fetched_at = now
  rescue SystemCallError, Timeout::Error, IOError, SocketError, OpenSSL::SSL::SSLError, JSON::ParserError => e
    # What was fetched before still verifies.
    raise Unavailable, e.message unless @keys

    @fetched_at = now
  end

  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  # In a controller: include AccessToken; before_action { require_scope "orders:read" }
  def require_scope(scope)
    scheme, token = request.authorization.to_s.split(" ", 2)
    return refuse(401, "Bearer") unless scheme&.casecmp?("bearer") && token

    @claims = AccessToken.verify(token)
    return if @claims["scope"].to_s.split(" ").include?(scope)

    refuse(403, %(Bearer error="insufficient_scope", scope="#{scope}"))
  rescue Invalid
    refuse(401, 'Bearer error="invalid_token"')
  rescue Unavailable
    response.set_header("Retry-After", "5")
    head 503
  end

  def refuse(status, challenge)
    response.set_header("WWW-Authenticate", challenge)
    head status
  end
end
