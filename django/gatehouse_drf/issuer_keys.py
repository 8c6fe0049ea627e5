"""The issuer's public keys: kept as long as it allows, and longer while it is down. One fetch at a time."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Optional

import jwt

from .conf import Settings, is_safe
from .documents import Fetch, NoDocument, lifetime_of
from .exceptions import Unavailable

logger = logging.getLogger("gatehouse_drf")

MAX_BYTES = 256 * 1024
MAX_KEYS = 100
# How long a key set is kept: what `Cache-Control` says, within these; or the last.
LEAST_SECONDS, MOST_SECONDS, OTHERWISE_SECONDS = 30, 3_600, 300
# The part of its life after which one request fetches it anew while the others go on.
REFRESH_AT = 0.8
# RFC 8725 §3.1: a key is for one algorithm; where the set does not say which, its kind has to fit.
_KINDS = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}


class KeySet:
    def __init__(self, jwks: list[dict[str, Any]], refresh_at: float, fresh_until: float) -> None:
        self.refresh_at = refresh_at
        self.fresh_until = fresh_until
        self._jwks = jwks
        self._imported: dict[tuple[str, str], jwt.PyJWK] = {}

    def find(self, kid: str, alg: str) -> Optional[jwt.PyJWK]:
        known = self._imported.get((kid, alg))
        if known is not None:
            return known
        jwk = next((jwk for jwk in self._jwks if jwk["kid"] == kid and _fits(jwk, alg)), None)
        if jwk is None:
            return None
        # Only what is public, whatever else somebody has published.
        public = {name: jwk[name] for name in ("kty", "crv", "n", "e", "x", "y") if isinstance(jwk.get(name), str)}
        try:
            key = jwt.PyJWK(public, algorithm=alg)
        except (jwt.PyJWTError, ValueError, TypeError):
            # It cannot verify anything.
            return None
        self._imported[kid, alg] = key
        return key


class IssuerKeys:
    def __init__(self, settings: Settings, fetch: Fetch, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._fetch = fetch
        self._now = now
        self._kept: Optional[KeySet] = None
        self._failed = False
        self._quiet_until = float("-inf")
        self._attempts = 0
        self._fetching = threading.Lock()

    def find(self, kid: str, alg: str) -> Optional[jwt.PyJWK]:
        """
        @return the public key; None when the issuer has none of that name for that algorithm
        @raises Unavailable: it cannot be said whether it has
        """
        kept, now = self._kept, self._now()
        key = None if kept is None else kept.find(kid, alg)
        if kept is not None and key is not None and now < kept.fresh_until:
            if now >= kept.refresh_at:
                self._refetch(waits=False)
            return key
        # Nobody waits for an issuer that is known to be down, if there is something to verify with.
        self._refetch(waits=key is None or not self._failed or self._is_too_old(kept))
        return self._find_now(kid, alg)

    def _find_now(self, kid: str, alg: str) -> Optional[jwt.PyJWK]:
        kept = self._kept
        if kept is None or self._is_too_old(kept):
            raise Unavailable("no keys are at hand", self._quiet_until - self._now())
        key = kept.find(kid, alg)
        if key is not None:
            return key
        # The issuer may have made the key meanwhile.
        if self._failed:
            reason = "the key is unknown, and the key set cannot be fetched"
            raise Unavailable(reason, self._quiet_until - self._now())
        # A stranger invents names faster than anybody can fetch.
        if self._now() >= self._quiet_until:
            self._quiet_until = self._now() + self._settings.COOL_DOWN
        return None

    def _is_too_old(self, kept: Optional[KeySet]) -> bool:
        return kept is None or self._now() >= kept.fresh_until + self._settings.STALE_KEYS

    def _refetch(self, waits: bool) -> None:
        seen = self._attempts
        if self._now() < self._quiet_until:
            return
        # Who fetches has `TIMEOUT` for the metadata and for the keys.
        if not self._fetching.acquire(waits, 2 * self._settings.TIMEOUT + 1 if waits else -1):
            return
        try:
            # Somebody else has, while we waited.
            if self._attempts != seen:
                return
            self._kept = self._fetched()
            self._failed = False
        except NoDocument as problem:
            self._failed = True
            self._quiet_until = self._now() + self._settings.COOL_DOWN
            logger.warning("the issuer's keys could not be fetched: %s", problem)
        finally:
            self._attempts += 1 if self._attempts == seen else 0
            self._fetching.release()

    def _fetched(self) -> KeySet:
        issuer = self._settings.ISSUER
        uri = self._settings.JWKS_URI or self._jwks_uri()
        document = self._fetch(uri, "application/jwk-set+json, application/json", MAX_BYTES)
        lifetime = lifetime_of(document.headers, LEAST_SECONDS, MOST_SECONDS, OTHERWISE_SECONDS)
        keys = _json_object(document.body, uri).get("keys")
        # A set may hold keys of other kinds (RFC 7517 §5): those are for others.
        usable = [jwk for jwk in (keys if isinstance(keys, list) else [])[:MAX_KEYS] if _is_usable(jwk)]
        if not usable:
            raise NoDocument(f"{uri}: no key to verify with; of {issuer}")
        now = self._now()
        return KeySet(usable, now + lifetime * REFRESH_AT, now + lifetime)

    def _jwks_uri(self) -> str:
        """@see OpenID Connect Discovery §4.3: the issuer in its metadata MUST be the one that was asked"""
        issuer = self._settings.ISSUER
        url = issuer.rstrip("/") + "/.well-known/openid-configuration"
        metadata = _json_object(self._fetch(url, "application/json", MAX_BYTES).body, url)
        uri = metadata.get("jwks_uri")
        if metadata.get("issuer") != issuer:
            raise NoDocument(f"{url}: is the metadata of another issuer")
        if not isinstance(uri, str) or not is_safe(uri, issuer):
            raise NoDocument(f"{url}: the jwks_uri is no https URL")
        return uri


def _json_object(body: bytes, url: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as cause:
        raise NoDocument(f"{url}: no JSON") from cause
    if not isinstance(value, dict):
        raise NoDocument(f"{url}: no JSON object")
    return value


def _is_usable(jwk: Any) -> bool:
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str):
        return False
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _fits(jwk: dict[str, Any], alg: str) -> bool:
    own = jwk.get("alg", alg)
    if own != alg and not (alg == "EdDSA" and own == "Ed25519"):
        return False
    kind, curve = _KINDS.get(alg, ("RSA", None))
    return bool(jwk.get("kty") == kind and (curve is None or jwk.get("crv") == curve))
