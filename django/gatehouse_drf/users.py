"""Who is behind a token, in this site."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Optional

from .conf import Settings
from .exceptions import InvalidToken, Unavailable
from .tokens import AccessToken

MAX_SUBJECT = 255
MAX_ROLES = 100


class TokenUser:
    """A user who is nowhere stored: all that is known of it is its token."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, subject: str, claims: Mapping[str, Any]) -> None:
        self.pk = self.id = subject
        self.claims = claims

    def __str__(self) -> str:
        return self.pk

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenUser) and other.pk == self.pk

    def __hash__(self) -> int:
        return hash(self.pk)

    def get_username(self) -> str:
        return self.pk

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_perms(self, perm_list: Any, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


def find_user(token: AccessToken, settings: Settings) -> Any:
    """
    @return the user, who is active
    @raises InvalidToken: there is none
    """
    user = _find(token, settings)
    if user is None:
        raise InvalidToken("no such user")
    if not user.is_active:
        raise InvalidToken("the user is not active")
    return user


def _find(token: AccessToken, settings: Settings) -> Any:
    claims = token.claims
    legacy = settings.LEGACY if token.is_legacy else None
    if settings.USERS == "stateless" or token.is_client:
        return TokenUser(str(claims[legacy.USER_ID_CLAIM if legacy else "sub"]), claims)
    if legacy is not None:
        return _user_by(legacy.USER_ID_FIELD, claims[legacy.USER_ID_CLAIM])
    if settings.USERS == "lookup":
        value = claims.get(settings.USER_CLAIM)
        return _user_by(settings.USER_FIELD, value) if isinstance(value, (str, int)) and value != "" else None
    return _provisioned(token, settings)


def _user_by(field: str, value: Any) -> Any:
    from django.contrib.auth import get_user_model

    users = get_user_model()
    try:
        return users._default_manager.get(**{field: value})
    # Not of the field's type; the site has two of that name: nobody can tell who is meant.
    except (users.DoesNotExist, users.MultipleObjectsReturned, ValueError, TypeError, OverflowError):
        return None


def _provisioned(token: AccessToken, settings: Settings) -> Any:
    from .models import Identity

    claims = token.claims
    subject = claims["sub"]
    if len(subject) > MAX_SUBJECT:
        raise InvalidToken(f"the sub has more than {MAX_SUBJECT} characters")
    identity = _identity_of(settings.ISSUER, subject) or _made_identity(claims, settings)
    # Some databases compare without regard to case.
    if not isinstance(identity, Identity) or (identity.issuer, identity.subject) != (settings.ISSUER, subject):
        raise InvalidToken("the sub is another one's but for its case")
    _note_roles(identity, claims, settings)
    return identity.user


def _identity_of(issuer: str, subject: str) -> Any:
    from .models import Identity

    return Identity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()


def _made_identity(claims: Mapping[str, Any], settings: Settings) -> Any:
    """The first request of a person makes the user, and so may several at once: the constraint lets one win."""
    from django.db import IntegrityError, transaction

    from .models import Identity

    issuer, subject = settings.ISSUER, claims["sub"]
    existing = _linked_user(claims, settings)
    for username in _usernames_for(issuer, subject):
        try:
            with transaction.atomic():
                user = existing if existing is not None else _made_user(username, claims, settings)
                return Identity.objects.create(issuer=issuer, subject=subject, user=user)
        except IntegrityError:
            won = _identity_of(issuer, subject)
            if won is not None:
                return won
            # The name is another user's, who is not this person.
    raise Unavailable("the user could not be made")


def _linked_user(claims: Mapping[str, Any], settings: Settings) -> Any:
    """A user who was here before, such as one that moved in at the issuer."""
    name = settings.LINK_CLAIM
    value = None if name is None else claims.get(name)
    # Whoever can write any address into a profile would be anybody.
    is_vouched_for = name != "email" or claims.get("email_verified") is True
    if is_vouched_for and value not in (None, "") and isinstance(value, (str, int)):
        linked = _user_by(settings.LINK_FIELD, value)
        if linked is not None:
            return linked
    return None if settings.FIND_USER is None else settings.FIND_USER(claims)


def _usernames_for(issuer: str, subject: str) -> tuple[str, str]:
    return subject, "gatehouse-" + hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:40]


def _made_user(username: str, claims: Mapping[str, Any], settings: Settings) -> Any:
    from django.contrib.auth import get_user_model

    users: Any = get_user_model()
    field = users._meta.get_field(users.USERNAME_FIELD)
    given: Optional[Mapping[str, Any]] = settings.NEW_USER(claims) if settings.NEW_USER is not None else None
    user = users(**{users.USERNAME_FIELD: username[: field.max_length], **(given or {})})
    user.set_unusable_password()
    user.save(force_insert=True)
    return user


def _note_roles(identity: Any, claims: Mapping[str, Any], settings: Settings) -> None:
    """Tells the hook of roles that are new. An older token that comes later says nothing new."""
    if settings.ON_ROLES is None:
        return
    said = claims.get(settings.ROLES_CLAIM, [])
    roles = sorted({role for role in said if isinstance(role, str)})[:MAX_ROLES] if isinstance(said, list) else []
    as_of = int(claims["iat"])
    if roles == identity.roles or as_of < identity.roles_as_of:
        return
    from django.db import transaction

    from .models import Identity

    with transaction.atomic():
        # Of several requests at once, the first that gets here tells it.
        unchanged = Identity.objects.filter(pk=identity.pk, roles_as_of=identity.roles_as_of, roles=identity.roles)
        if unchanged.update(roles=roles, roles_as_of=as_of) == 1:
            settings.ON_ROLES(identity.user, roles, claims)
