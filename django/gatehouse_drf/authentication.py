"""The authentication class for `DEFAULT_AUTHENTICATION_CLASSES`. Put it first: the first one makes the challenge."""

from __future__ import annotations

import logging
from typing import Any, Optional

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from .challenges import challenge
from .exceptions import InvalidToken, MalformedRequest, TemporarilyUnavailable, Unavailable
from .tokens import AccessToken
from .users import find_user
from .verifier import get_verifier

logger = logging.getLogger("gatehouse_drf")

_ERROR = "gatehouse_error"


class GatehouseAuthentication(BaseAuthentication):
    """
    `Authorization: Bearer …` with an access token of the issuer. `request.user` is what `USERS` says, and
    `request.auth` an `AccessToken`.

    @see RFC 6750 §2.1; tokens in the query or in a form are not read
    """

    def authenticate(self, request: Request) -> Optional[tuple[Any, AccessToken]]:
        verifier = get_verifier()
        token = self._token_of(request, verifier.settings.SCHEMES)
        if token is None:
            return None
        try:
            access_token = verifier.verify(token)
            return find_user(access_token, verifier.settings), access_token
        except InvalidToken as refusal:
            logger.info("a token was refused: %s", refusal)
            # `authenticate_header` is asked on another instance, of the same request.
            setattr(request, _ERROR, "invalid_token")
            raise AuthenticationFailed("The access token is invalid, expired or revoked.", "invalid_token") from refusal
        except Unavailable as outage:
            logger.warning("a token could not be checked: %s", outage)
            raise TemporarilyUnavailable(outage.retry_after) from outage

    def authenticate_header(self, request: Request) -> str:
        error = getattr(request, _ERROR, None)
        if error is None:
            # RFC 6750 §3.1: who came without a token is told of no error.
            return challenge()
        return challenge(error=error, error_description="The access token is invalid, expired or revoked.")

    def _token_of(self, request: Request, schemes: tuple[str, ...]) -> Optional[str]:
        scheme, _, rest = get_authorization_header(request).partition(b" ")
        if scheme.lower() not in [known.lower().encode() for known in schemes]:
            return None
        token = rest.strip(b" ")
        # RFC 6750 §2.1, b64token.
        if not token or b" " in token or not token.isascii():
            description = "The Authorization header has to be the word, a space and the token."
            raise MalformedRequest(description, challenge(error="invalid_request", error_description=description))
        return token.decode("ascii")
