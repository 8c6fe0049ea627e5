// src/main/java/example/Api.java: Spring Boot 4, Spring Security 7
package example;

import java.util.Map;
import java.util.Objects;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.OAuth2Error;
import org.springframework.security.oauth2.core.OAuth2TokenValidatorResult;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
@RestController
public class Api {
  static final String ISSUER = "https://login.example.com";
  static final String AUDIENCE = "https://api.example.com";

  public static void main(String[] args) {
    SpringApplication.run(Api.class, args);
  }

  // Spring's own decoder (spring.security.oauth2.resourceserver.jwt.issuer-uri) refuses `typ: at+jwt`. It would do for a
  // resource with --token-typ JWT; this one is for RFC 9068. The keys are fetched when they are needed, and kept.
  @Bean
  JwtDecoder jwtDecoder() {
    NimbusJwtDecoder decoder = NimbusJwtDecoder.withJwkSetUri(ISSUER + "/.well-known/jwks.json")
        .jwsAlgorithm(SignatureAlgorithm.RS256)
        .build();
    decoder.setJwtValidator(JwtValidators.createAtJwtValidator()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .validators((all) -> {
          all.put("client_id", new JwtClaimValidator<>("client_id", Objects::nonNull));
          // One that is bound to a key (DPoP, mutual TLS) is for a verifier that asks for proof of the key.
          all.put("cnf", (jwt) -> jwt.hasClaim("cnf")
              ? OAuth2TokenValidatorResult.failure(new OAuth2Error("invalid_token", "bound to a key", null))
              : OAuth2TokenValidatorResult.success());
        })
        .build());
    return decoder;
  }

  @Bean
  SecurityFilterChain security(HttpSecurity http) throws Exception {
    return http
        .authorizeHttpRequests((requests) -> requests
            .requestMatchers("/orders").hasAuthority("SCOPE_orders:read")
            .anyRequest().denyAll())
        .oauth2ResourceServer((server) -> server.jwt((jwt) -> {}))
        .build();
  }

  @GetMapping("/orders")
  Map<String, String> orders(@AuthenticationPrincipal Jwt token) {
    return Map.of("sub", token.getSubject());
  }
}
