# pip install djangorestframework "djangorestframework-simplejwt[crypto]"
"""What a token allows: the scope that its issuer wrote into it. Comes after IsAuthenticated."""

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework_simplejwt.exceptions import InvalidToken


class InsufficientScope(PermissionDenied):
    """A 403 with the challenge of RFC 6750 section 3.1, which REST framework sends from `auth_header`."""

    def __init__(self, scope):
        super().__init__(f"The scope {scope} is needed.", code="insufficient_scope")
        self.auth_header = f'Bearer realm="api", error="insufficient_scope", scope="{scope}"'


class HasScope(BasePermission):
    """Asks for the view's `required_scope`, such as "orders:read"."""

    def has_permission(self, request, view):
        # One that is bound to a key (DPoP, mutual TLS) is for a verifier that asks for proof of the key.
        if request.auth.get("cnf") is not None:
            raise InvalidToken("The token is bound to a key.")
        if view.required_scope not in request.auth.get("scope", "").split(" "):
            raise InsufficientScope(view.required_scope)
        return True
