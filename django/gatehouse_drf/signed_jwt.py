"""JWTs signed by the issuer: header, key, signature. What the claims have to say is for others."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any, Optional

import jwt

from .exceptions import InvalidToken

# (kid, alg) -> the key, or None. @raises Unavailable
FindKey = Callable[[str, str], Optional[jwt.PyJWK]]

# RFC 7515 §3.1, §2: three parts in base64url, without padding. Some decoders take more than that.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_jws = jwt.PyJWS()
# What PyJWT and the parsers below it raise on hostile input.
BROKEN = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


def header_of(token: str, max_bytes: int) -> dict[str, Any]:
    """The header, which nobody vouches for yet. @raises InvalidToken"""
    if len(token) > max_bytes:
        raise InvalidToken(f"longer than {max_bytes} bytes")
    if _COMPACT.fullmatch(token) is None:
        raise InvalidToken("no JWT")
    encoded = token.split(".", 1)[0]
    try:
        header = json.loads(base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, *BROKEN) as cause:
        raise InvalidToken("the header cannot be read") from cause
    if not isinstance(header, dict):
        raise InvalidToken("the header is no object")
    return header


def verify_jwt(token: str, typ: str, algorithms: tuple[str, ...], max_bytes: int, find_key: FindKey) -> dict[str, Any]:
    """
    @param typ the kind of token, without `application/` (RFC 8725 §3.11)
    @return the claims, whose signature is good
    @raises InvalidToken, Unavailable
    """
    header = header_of(token, max_bytes)
    is_typ, alg, kid = header.get("typ"), header.get("alg"), header.get("kid")
    # RFC 7515 §4.1.9: compared as a media type.
    if not isinstance(is_typ, str) or is_typ.lower() not in (typ, f"application/{typ}"):
        raise InvalidToken(f"the typ is not {typ}")
    if alg not in algorithms:
        raise InvalidToken("the alg is not allowed")
    if not isinstance(kid, str) or not kid:
        raise InvalidToken("the kid is missing")
    # RFC 7515 §4.1.11: extensions that are not understood. We understand none.
    if "crit" in header:
        raise InvalidToken("a critical extension is unknown")
    key = find_key(kid, alg)
    if key is None:
        raise InvalidToken("the key is unknown")
    try:
        # The algorithm of the key, not of the header: here they are the same.
        claims = json.loads(_jws.decode(token, key.key, algorithms=[alg]))
    except BROKEN as cause:
        raise InvalidToken("the signature does not fit") from cause
    if not isinstance(claims, dict):
        raise InvalidToken("the claims are no object")
    return claims
