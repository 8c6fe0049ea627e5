# pip install fastapi uvicorn "pyjwt[crypto]"; uvicorn api:app
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request

ISSUER = "https://login.example.com"
AUDIENCE = "https://api.example.com"

# Kept for five minutes; an unknown kid fetches the set again. `cooldown_duration` limits how often, and `timeout` how long a
# silent issuer holds a request.
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", cooldown_duration=5, timeout=3)


def verified(request: Request) -> dict:
    """The claims of a good access token. 401 without one (RFC 6750 section 3), 503 when the keys cannot be had."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    try:
        key = keys.get_signing_key_from_jwt(token)
        # RFC 9068: an access token, not an ID token. A resource with --token-typ JWT has "JWT" here.
        if jwt.get_unverified_header(token).get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("not an access token")
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway=5,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
        )
        # One that is bound to a key (DPoP, mutual TLS) is for a verifier that asks for proof of the key.
        if "cnf" in claims:
            raise jwt.InvalidTokenError("bound to a key")
        return claims
    except jwt.PyJWKClientConnectionError as error:
        raise HTTPException(503, headers={"Retry-After": "5"}) from error
    except (jwt.PyJWTError, ValueError) as error:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}) from error


def scope(needed: str):
    """A dependency that asks for a scope: 403 without it."""

    # Not async: FastAPI then runs it beside the event loop, which fetching the keys would hold up.
    def check(claims: Annotated[dict, Depends(verified)]) -> dict:
        if needed not in claims.get("scope", "").split(" "):
            challenge = f'Bearer error="insufficient_scope", scope="{needed}"'
            raise HTTPException(403, headers={"WWW-Authenticate": challenge})
        return claims

    return check


app = FastAPI()


@app.get("/orders")
def orders(claims: Annotated[dict, Depends(scope("orders:read"))]):
    return {"sub": claims["sub"]}
