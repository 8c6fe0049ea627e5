"""What a token allows: the scope that its issuer wrote into it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Union

from rest_framework.permissions import BasePermission, OperationHolderMixin
from rest_framework.request import Request
from rest_framework.views import APIView

from .challenges import challenge
from .exceptions import InsufficientScope
from .tokens import AccessToken


class HasScope(OperationHolderMixin, BasePermission):
    """
    In `permission_classes`: `HasScope("read")` asks for that scope, several for all of them; `HasScope` alone, for the
    view's `required_scopes`, a list or a dict by method. Combined (`HasScope("a") | IsAdminUser`), its refusal is a
    403 as any; alone, it also says which scope is needed (RFC 6750 §3.1).

    Who came with something else than a token, such as a session, has no scope.
    """

    message = "The access token does not have the scope that is needed."
    code = "insufficient_scope"

    def __init__(self, *scopes: str) -> None:
        self.scopes = tuple(word for scope in scopes for word in scope.split())

    def __call__(self) -> HasScope:
        # REST framework calls what is in `permission_classes`.
        return self

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, HasScope) and other.scopes == self.scopes

    def __hash__(self) -> int:
        return hash((type(self), self.scopes))

    def has_permission(self, request: Request, view: APIView) -> bool:
        token: Any = request.auth
        if not isinstance(token, AccessToken):
            return False
        needed = self.scopes or _scopes_of(view, request)
        if token.scopes.issuperset(needed):
            return True
        if self not in view.get_permissions():
            return False
        raise InsufficientScope(self.message, challenge(error=self.code, scope=" ".join(needed)))


def _scopes_of(view: APIView, request: Request) -> tuple[str, ...]:
    """@raises TypeError: the view says nothing. It is not open to everybody by mistake."""
    method = str(request.method)
    # What describes the view, and what is about to be a 405.
    if method == "OPTIONS" or method.lower() not in view.http_method_names or not hasattr(view, method.lower()):
        return ()
    wanted: Union[None, str, Iterable[str]] = getattr(view, "required_scopes", None)
    if isinstance(wanted, dict):
        # Django answers HEAD by GET; a method that is not named is not open either.
        wanted = wanted.get("GET" if method == "HEAD" and "HEAD" not in wanted else method)
    if wanted is None:
        raise TypeError(f"{type(view).__name__} has HasScope, but no required_scopes for {request.method}")
    return tuple(wanted.split()) if isinstance(wanted, str) else tuple(wanted)
