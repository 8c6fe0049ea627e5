"""
Whether a grant was revoked, by the issuer's status lists. What happens while they cannot be fetched is decided here.

@see IETF OAuth Token Status List
"""

from __future__ import annotations

import base64
import logging
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Optional

from .conf import Settings
from .documents import Fetch, NoDocument
from .exceptions import InvalidToken, Unavailable
from .signed_jwt import BROKEN, FindKey, verify_jwt
from .tokens import instant_of

logger = logging.getLogger("gatehouse_drf")

MAX_LIST_BYTES = 1024 * 1024
# A list of 131,072 grants has 16 KiB.
MAX_INFLATED_BYTES = 1024 * 1024
MAX_LISTS = 100
LEAST_TTL, MOST_TTL, OTHERWISE_TTL = 1, 3_600, 60


class StatusList:
    def __init__(self, values: bytes, bits: int, iat: float, fresh_until: float) -> None:
        self._values = values
        self._bits = bits
        self.iat = iat
        self.fresh_until = fresh_until

    def status_at(self, idx: int) -> Optional[int]:
        """§4.1: least significant bit first. None: the list does not reach so far."""
        byte, offset = divmod(idx * self._bits, 8)
        if byte >= len(self._values):
            return None
        return (self._values[byte] >> offset) & ((1 << self._bits) - 1)


class _Kept:
    def __init__(self) -> None:
        self.list: Optional[StatusList] = None
        self.failing_since: Optional[float] = None
        self.quiet_until = float("-inf")
        self.attempts = 0
        self.fetching = threading.Lock()


class StatusLists:
    def __init__(
        self, settings: Settings, fetch: Fetch, find_key: FindKey, now: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self._find_key = find_key
        self._now = now
        self._lists: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, claims: Mapping[str, Any]) -> None:
        """@raises InvalidToken: revoked. Unavailable: by the policy for outages"""
        if "status" not in claims:
            return
        uri, idx = _reference_of(claims["status"], self._settings.ISSUER)
        kept = self._kept_for(uri)
        if kept.list is None or self._now() >= kept.list.fresh_until:
            # Nobody waits for an issuer that is known to be down, if tokens are taken by what is known.
            self._refetch(uri, kept, waits=not (kept.failing_since is not None and self._is_tolerated(kept)))
        status = None if kept.list is None else kept.list.status_at(idx)
        # What was revoked stays so, whatever the list's age.
        if status is not None and status != 0:
            raise InvalidToken("revoked, by the status list")
        if kept.list is None or self._now() >= kept.list.fresh_until:
            if not self._is_tolerated(kept):
                raise Unavailable("the status list cannot be fetched", kept.quiet_until - self._now())
        elif status is None:
            # §8.3: no statement can be made, and the token MUST be rejected.
            raise InvalidToken("the status list does not reach so far")

    def _kept_for(self, uri: str) -> _Kept:
        with self._lock:
            kept = self._lists.setdefault(uri, _Kept())
            self._lists.move_to_end(uri)
            if len(self._lists) > MAX_LISTS:
                self._lists.popitem(last=False)
            return kept

    def _is_tolerated(self, kept: _Kept) -> bool:
        """The policy for outages: so long after the list's time, or the first failure where there never was one."""
        if kept.failing_since is None:
            return False
        since = kept.failing_since if kept.list is None else kept.list.fresh_until
        return self._now() - since < self._settings.STATUS_OUTAGE

    def _refetch(self, uri: str, kept: _Kept, waits: bool) -> None:
        seen = kept.attempts
        if self._now() < kept.quiet_until:
            return
        if not kept.fetching.acquire(waits, 2 * self._settings.TIMEOUT + 1 if waits else -1):
            return
        try:
            # Somebody else has, while we waited.
            if kept.attempts != seen:
                return
            fetched = self._fetched(uri)
            # A cache on the way may have an older one than we have.
            if kept.list is None or fetched.iat >= kept.list.iat:
                kept.list = fetched
            kept.failing_since = None
        except (NoDocument, InvalidToken, Unavailable) as problem:
            kept.failing_since = self._now() if kept.failing_since is None else kept.failing_since
            kept.quiet_until = self._now() + self._settings.COOL_DOWN
            logger.warning("the status list %s could not be fetched: %s", uri, problem)
        finally:
            kept.attempts += 1 if kept.attempts == seen else 0
            kept.fetching.release()

    def _fetched(self, uri: str) -> StatusList:
        asked_at = self._now()
        document = self._fetch(uri, "application/statuslist+jwt", MAX_LIST_BYTES)
        token = document.body.decode("ascii", "replace").strip()
        claims = verify_jwt(token, "statuslist+jwt", self._settings.ALGORITHMS, MAX_LIST_BYTES, self._find_key)
        return read_status_list(claims, uri, asked_at, self._settings.LEEWAY)


def read_status_list(claims: Mapping[str, Any], uri: str, now: float, leeway: float = 0) -> StatusList:
    """
    §5.1, §8.3: what a list has to say.

    @param claims with a good signature
    @param uri where it was fetched
    @raises InvalidToken
    """
    if claims.get("sub") != uri:
        raise InvalidToken("the sub is another list")
    exp, iat = instant_of(claims, "exp"), instant_of(claims, "iat")
    if now >= exp + leeway:
        raise InvalidToken("expired")
    ttl = instant_of(claims, "ttl") if "ttl" in claims else OTHERWISE_TTL
    described = claims.get("status_list")
    bits, lst = (described.get("bits"), described.get("lst")) if isinstance(described, dict) else (None, None)
    if isinstance(bits, bool) or bits not in (1, 2, 4, 8) or not isinstance(lst, str):
        raise InvalidToken("no status_list")
    fresh_until = min(now + min(MOST_TTL, max(LEAST_TTL, ttl)), exp + leeway)
    return StatusList(_inflate(lst), bits, iat, fresh_until)


def _inflate(lst: str) -> bytes:
    try:
        inflater = zlib.decompressobj()
        compressed = base64.b64decode(lst + "=" * (-len(lst) % 4), altchars=b"-_", validate=True)
        values = inflater.decompress(compressed, MAX_INFLATED_BYTES)
    except (zlib.error, *BROKEN) as cause:
        raise InvalidToken("the lst cannot be inflated") from cause
    # It would go on, or ends too early.
    if inflater.unconsumed_tail or not inflater.eof:
        raise InvalidToken("the lst is too long, or cut off")
    return values


def _reference_of(status: Any, issuer: str) -> tuple[str, int]:
    """
    Where the token's status is. Lists come from the issuer itself, so that a token sends nobody elsewhere.

    @raises InvalidToken
    """
    # A status of another kind that is not understood says nothing to us.
    reference = status.get("status_list") if isinstance(status, dict) else None
    uri, idx = (reference.get("uri"), reference.get("idx")) if isinstance(reference, dict) else (None, None)
    if isinstance(idx, bool) or not isinstance(idx, int) or not 0 <= idx < 2**32:
        raise InvalidToken("the status has no idx")
    if not isinstance(uri, str) or not uri.startswith(issuer.rstrip("/") + "/"):
        raise InvalidToken("the status has no uri of the issuer's")
    return uri, idx
