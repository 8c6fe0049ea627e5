"""What a token must say, but for its signature. @see RFC 9068 §4, RFC 8725 §3"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .conf import LegacySettings, Settings
from .exceptions import InvalidToken

MAX_TOKEN_BYTES = 8 * 1024
STRINGS = ("sub", "jti", "client_id")
# What a claim `token_type` may say, where an issuer writes one.
TOKEN_TYPES = ("access", "bearer")


@dataclass(frozen=True)
class AccessToken:
    """`request.auth` of a request that came with a token."""

    claims: Mapping[str, Any]
    scopes: frozenset[str]
    # One of the site's own, from before it moved.
    is_legacy: bool = False

    @property
    def is_client(self) -> bool:
        """A client's token for itself: nobody is behind it (RFC 9068 §5: `sub` is then the client)."""
        return not self.is_legacy and self.claims["sub"] == self.claims["client_id"]


def read_claims(claims: Mapping[str, Any], settings: Settings, now: float) -> AccessToken:
    """
    @param claims with a good signature
    @param now epoch seconds
    @raises InvalidToken
    """
    check_issuer_and_audience(claims, settings.ISSUER, settings.AUDIENCE)
    for name in STRINGS:
        check_text(claims, name)
    check_times(claims, settings.LEEWAY, now)
    # RFC 9449 §7.1, RFC 8705 §3: a bound token is no bearer token, and proofs are not checked here.
    if "cnf" in claims:
        raise InvalidToken("bound to a key, whose proof is not checked here")
    token_type = claims.get("token_type", "access")
    if not isinstance(token_type, str) or token_type.lower() not in TOKEN_TYPES:
        raise InvalidToken("the token_type is another kind")
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise InvalidToken("the scope is no string")
    return AccessToken(claims, scopes_of(scope))


def read_legacy_claims(claims: Mapping[str, Any], legacy: LegacySettings, leeway: float, now: float) -> AccessToken:
    """The claims of simplejwt. @raises InvalidToken"""
    if claims.get("token_type") != "access":
        raise InvalidToken("the token_type is another kind")
    if legacy.ISSUER is not None and claims.get("iss") != legacy.ISSUER:
        raise InvalidToken("the iss is another issuer")
    if legacy.AUDIENCE is not None and not _names(claims.get("aud"), legacy.AUDIENCE):
        raise InvalidToken("the aud is another resource")
    check_text(claims, "jti")
    check_times(claims, leeway, now)
    user_id = claims.get(legacy.USER_ID_CLAIM)
    if isinstance(user_id, bool) or not isinstance(user_id, (str, int)) or user_id == "":
        raise InvalidToken(f"the {legacy.USER_ID_CLAIM} is missing")
    return AccessToken(claims, scopes_of(legacy.SCOPE), is_legacy=True)


def check_issuer_and_audience(claims: Mapping[str, Any], issuer: str, audience: str) -> None:
    # RFC 9068 §4: the issuer MUST match exactly, and the aud MUST contain the resource's own name.
    if claims.get("iss") != issuer:
        raise InvalidToken("the iss is another issuer")
    if not _names(claims.get("aud"), audience):
        raise InvalidToken("the aud is another resource")


def check_text(claims: Mapping[str, Any], name: str) -> None:
    value = claims.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise InvalidToken(f"the {name} is missing")


def check_times(claims: Mapping[str, Any], leeway: float, now: float) -> None:
    """@see RFC 7519 §4.1.4 to 4.1.6: give or take a small leeway"""
    if now >= instant_of(claims, "exp") + leeway:
        raise InvalidToken("expired")
    if now < instant_of(claims, "iat") - leeway:
        raise InvalidToken("issued in the future")
    if "nbf" in claims and now < instant_of(claims, "nbf") - leeway:
        raise InvalidToken("not yet valid")


def instant_of(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InvalidToken(f"the {name} is missing")
    return value


def scopes_of(scope: str) -> frozenset[str]:
    """RFC 6749 §3.3: case-sensitive words, with spaces between them."""
    return frozenset(word for word in scope.split(" ") if word)


def _names(aud: Any, audience: str) -> bool:
    return aud == audience or (isinstance(aud, list) and audience in aud)
