"""Refusals. Each says in `WWW-Authenticate` what would do, and in the log why."""

from __future__ import annotations

import math
from typing import Optional

from rest_framework.exceptions import APIException, PermissionDenied


class InvalidToken(Exception):
    """Why a token is refused: for the log, not for whoever sent it."""


class Unavailable(Exception):
    """It cannot be said whether the token is good. That is nobody's fault who sent it: 503, not 401."""

    def __init__(self, reason: str, retry_after: float = 1) -> None:
        super().__init__(reason)
        self.retry_after = max(1, math.ceil(retry_after))


class MalformedRequest(APIException):
    """RFC 6750 §3.1: invalid_request is 400."""

    status_code = 400
    default_code = "invalid_request"

    def __init__(self, detail: str, auth_header: str) -> None:
        super().__init__(detail)
        self.auth_header = auth_header


class TemporarilyUnavailable(APIException):
    status_code = 503
    default_detail = "Tokens cannot be checked at the moment. Try again later."
    default_code = "temporarily_unavailable"

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        # REST framework makes `Retry-After` of it.
        self.wait: Optional[int] = retry_after


class InsufficientScope(PermissionDenied):
    """RFC 6750 §3.1: 403, with the scope that is needed."""

    default_code = "insufficient_scope"

    def __init__(self, detail: str, auth_header: str) -> None:
        super().__init__(detail)
        self.auth_header = auth_header
