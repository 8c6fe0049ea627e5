"""From a string to an `AccessToken`. One verifier for each process, with its keys and lists."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Optional

import jwt
from django.core.signals import setting_changed

from .conf import LegacySettings, Settings, load_settings
from .documents import Fetch, fetcher
from .exceptions import InvalidToken
from .issuer_keys import IssuerKeys
from .signed_jwt import BROKEN, header_of, verify_jwt
from .status_lists import StatusLists
from .tokens import MAX_TOKEN_BYTES, AccessToken, read_claims, read_legacy_claims

LEGACY_ALG = "HS256"


class Verifier:
    def __init__(self, settings: Settings, fetch: Optional[Fetch] = None, now: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._now = now
        fetch = fetch or fetcher(settings.TIMEOUT)
        self._keys = IssuerKeys(settings, fetch, now)
        self._lists = StatusLists(settings, fetch, self._keys.find, now)

    def verify(self, token: str) -> AccessToken:
        """
        @raises InvalidToken: refused (401)
        @raises Unavailable: it cannot be said (503)
        """
        settings, legacy = self.settings, self.settings.LEGACY
        # RFC 8725 §3.1: the alg says which rules hold; each has its own key and takes no other. HS256 is never among
        # `ALGORITHMS`, so the secret never meets our tokens, nor a public key theirs.
        if legacy is not None and header_of(token, MAX_TOKEN_BYTES).get("alg") == LEGACY_ALG:
            return self._verify_legacy(token, legacy)
        claims = verify_jwt(token, "at+jwt", settings.ALGORITHMS, MAX_TOKEN_BYTES, self._keys.find)
        verified = read_claims(claims, settings, self._now())
        if settings.STATUS_LISTS:
            self._lists.check(claims)
        return verified

    def _verify_legacy(self, token: str, legacy: LegacySettings) -> AccessToken:
        if datetime.fromtimestamp(self._now(), timezone.utc) >= legacy.UNTIL:
            raise InvalidToken("the site's own tokens are over")
        try:
            claims = json.loads(jwt.PyJWS().decode(token, legacy.SIGNING_KEY, algorithms=[LEGACY_ALG]))
        except BROKEN as cause:
            raise InvalidToken("the signature does not fit") from cause
        if not isinstance(claims, dict):
            raise InvalidToken("the claims are no object")
        return read_legacy_claims(claims, legacy, self.settings.LEEWAY, self._now())


_verifier: Optional[Verifier] = None
_lock = threading.Lock()


def get_verifier() -> Verifier:
    """@raises ImproperlyConfigured"""
    global _verifier
    verifier = _verifier
    if verifier is not None:
        return verifier
    with _lock:
        if _verifier is None:
            _verifier = Verifier(load_settings())
        return _verifier


def _forget(**changed: Any) -> None:
    global _verifier, _lock
    if changed.get("setting", "GATEHOUSE") == "GATEHOUSE":
        _verifier, _lock = None, threading.Lock()


# A worker that was forked in the middle of a fetch would wait for its parent's lock for ever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
setting_changed.connect(_forget)
