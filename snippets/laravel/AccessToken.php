<?php

// app/Http/Middleware/AccessToken.php, after: composer require firebase/php-jwt guzzlehttp/guzzle symfony/cache
// Route::get('/orders', ...)->middleware(AccessToken::class . ':orders:read');

namespace App\Http\Middleware;

use Closure;
use Firebase\JWT\CachedKeySet;
use Firebase\JWT\JWT;
use GuzzleHttp\Client;
use GuzzleHttp\Psr7\HttpFactory;
use Illuminate\Http\Request;
use Psr\Http\Client\ClientExceptionInterface;
use Symfony\Component\Cache\Adapter\FilesystemAdapter;
use Symfony\Component\HttpFoundation\Response;
use Throwable;

class AccessToken
{
    private const ISSUER = 'https://login.example.com';
    private const AUDIENCE = 'https://api.example.com';

    /** 401 without a good token, 403 without the scope (RFC 6750 section 3), 503 when the keys cannot be had. */
    public function handle(Request $request, Closure $next, string ...$scope): Response
    {
        $token = $request->bearerToken();
        if ($token === null) {
            return response('', 401)->header('WWW-Authenticate', 'Bearer');
        }
        // Laravel splits a middleware's arguments at commas only, so a scope with a colon comes in one piece.
        $needed = implode(',', $scope);
        try {
            $claims = $this->verify($token);
        } catch (ClientExceptionInterface) {
            return response('', 503)->header('Retry-After', '5');
        } catch (Throwable) {
            return response('', 401)->header('WWW-Authenticate', 'Bearer error="invalid_token"');
        }
        if (!in_array($needed, explode(' ', $claims->scope ?? ''), true)) {
            return response('', 403)
                ->header('WWW-Authenticate', "Bearer error=\"insufficient_scope\", scope=\"$needed\"");
        }
        $request->attributes->set('claims', $claims);

        return $next($request);
    }

    private function verify(string $token): object
    {
        JWT::$leeway = 5;
        // The set is kept for five minutes; an unknown kid fetches it again, ten times a minute at most.
        $keys = new CachedKeySet(
            self::ISSUER . '/.well-known/jwks.json',
            new Client(['timeout' => 3]),
            new HttpFactory(),
            new FilesystemAdapter('jwks'),
            300,
            true,
            'RS256',
        );
        $headers = new \stdClass();
        $claims = JWT::decode($token, $keys, $headers);
        // RFC 9068: an access token, not an ID token. A resource with --token-typ JWT has 'JWT' here.
        $good = ($headers->typ ?? null) === 'at+jwt'
            && ($headers->alg ?? null) === 'RS256'
            && ($claims->iss ?? null) === self::ISSUER
            && in_array(self::AUDIENCE, (array) ($claims->aud ?? []), true)
            && isset($claims->exp, $claims->sub, $claims->client_id)
            // One that is bound to a key (DPoP, mutual TLS) is for a verifier that asks for proof of the key.
            && !isset($claims->cnf);

        return $good ? $claims : throw new \UnexpectedValueException('not a good access token');
    }
}
