"""The settings dict `GATEHOUSE`: what it may say, and what is taken where it says nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

# All of them have a public half to verify with. RFC 8725 §3.2: `none` and the HMAC family are none of them.
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
USERS = ("provision", "lookup", "stateless")
SCHEMES = ("Bearer", "JWT")
# RFC 7518 §3.2: as long as the hash, at least.
LEAST_SECRET_BYTES = 32


@dataclass(frozen=True)
class LegacySettings:
    """The site's own tokens of djangorestframework-simplejwt, which are taken until a day."""

    SIGNING_KEY: str
    UNTIL: datetime
    USER_ID_CLAIM: str = "user_id"
    # The field of the user model that the claim names.
    USER_ID_FIELD: str = "pk"
    ISSUER: Optional[str] = None
    AUDIENCE: Optional[str] = None
    # What such a token may do, for it does not say so.
    SCOPE: str = ""


@dataclass(frozen=True)
class Settings:
    """All times are in seconds."""

    # Exactly the `iss` and the `aud` of the tokens, byte for byte.
    ISSUER: str
    AUDIENCE: str
    ALGORITHMS: tuple[str, ...] = ("RS256", "PS256", "ES256", "EdDSA")
    LEEWAY: float = 5
    # Where the keys are. None: where the issuer's metadata says.
    JWKS_URI: Optional[str] = None
    # How long keys serve on past their time while none can be fetched. Then: 503.
    STALE_KEYS: float = 86_400
    # Between two looks for an unknown key, and after a fetch that failed.
    COOL_DOWN: float = 5
    # For one fetch.
    TIMEOUT: float = 3
    # Whether the status lists that tokens name are read.
    STATUS_LISTS: bool = True
    # How long tokens are taken by what is known while a list cannot be fetched. 0: not at all. Then: 503.
    STATUS_OUTAGE: float = 3_600
    # The words that may come before the token.
    SCHEMES: tuple[str, ...] = ("Bearer",)
    REALM: str = "api"
    # The URL of this API's metadata (RFC 9728), for challenges.
    RESOURCE_METADATA: Optional[str] = None
    # `provision`: a local user for each (issuer, sub). `lookup`: one that is there. `stateless`: no database.
    USERS: str = "provision"
    # For `lookup`: the claim, and the field of the user model that it names.
    USER_CLAIM: str = "sub"
    USER_FIELD: str = "username"
    # For `provision`: the claim that names a user who is there already, and the field that it names it by.
    LINK_CLAIM: Optional[str] = None
    LINK_FIELD: str = "pk"
    # For `provision`: (claims) -> a user who is there already, or None.
    FIND_USER: Optional[Callable[..., Any]] = None
    # For `provision`: (claims) -> fields of a new user.
    NEW_USER: Optional[Callable[..., Any]] = None
    # For `provision`: (user, roles, claims), when a token says other roles than the last one.
    ON_ROLES: Optional[Callable[..., Any]] = None
    ROLES_CLAIM: str = "roles"
    LEGACY: Optional[LegacySettings] = field(default=None, repr=False)


@dataclass(frozen=True)
class Problem:
    id: str
    message: str
    hint: Optional[str] = None
    is_warning: bool = False


def load_settings() -> Settings:
    """@raises ImproperlyConfigured with the first of what `manage.py check` lists"""
    raw = getattr(django_settings, "GATEHOUSE", None)
    for problem in problems_of(raw):
        if not problem.is_warning:
            raise ImproperlyConfigured(f"{problem.message} {problem.hint or ''}".strip())
    assert isinstance(raw, Mapping)
    values = dict(raw)
    for name in ("ALGORITHMS", "SCHEMES"):
        if name in values:
            values[name] = tuple(values[name])
    for name in ("FIND_USER", "NEW_USER", "ON_ROLES"):
        if isinstance(values.get(name), str):
            values[name] = import_string(values[name])
    if values.get("LEGACY") is not None:
        values["LEGACY"] = LegacySettings(**values["LEGACY"])
    return Settings(**values)


def problems_of(raw: Any) -> list[Problem]:
    if not isinstance(raw, Mapping):
        hint = 'GATEHOUSE = {"ISSUER": "https://login.example.com", "AUDIENCE": "https://api.example.com"}'
        return [Problem("E001", "The setting GATEHOUSE is missing, or is no dict.", hint)]
    return [
        *_unknown_names(raw, "GATEHOUSE", [f.name for f in fields(Settings)]),
        *_about_the_issuer(raw),
        *_about_tokens(raw),
        *_about_numbers(raw),
        *_about_users(raw),
        *_about_legacy(raw.get("LEGACY")),
    ]


def is_safe(url: Any, issuer: str) -> bool:
    """Whether something may be fetched from there: by https, or by http where it and the issuer are on the loopback."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018  Raises when it is none.
        if not host or parts.username is not None or parts.password is not None:
            return False
        if parts.scheme == "https":
            return True
        return parts.scheme == "http" and _is_loopback(host) and _is_loopback(urlsplit(issuer).hostname or "")
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or host == "::1" or host.startswith("127.")


def _unknown_names(raw: Mapping[str, Any], where: str, known: list[str]) -> Iterator[Problem]:
    for name in raw:
        if name in known:
            continue
        close = difflib.get_close_matches(str(name), known, 1)
        hint = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(known)}."
        yield Problem("E002", f"{where} has an unknown member {name!r}.", hint)


def _about_the_issuer(raw: Mapping[str, Any]) -> Iterator[Problem]:
    issuer, audience, jwks_uri = raw.get("ISSUER"), raw.get("AUDIENCE"), raw.get("JWKS_URI")
    if not isinstance(issuer, str) or not is_safe(issuer, issuer) or "?" in issuer or "#" in issuer:
        hint = "It is what the issuer writes into `iss`, without a query. Only on the loopback may it be http."
        yield Problem("E003", "GATEHOUSE['ISSUER'] has to be an https URL.", hint)
    elif issuer.endswith("/"):
        hint = "Tokens are refused unless their `iss` ends so, too. Gatehouse's does not."
        yield Problem("W001", "GATEHOUSE['ISSUER'] ends in a slash.", hint, is_warning=True)
    if not isinstance(audience, str) or not audience:
        hint = "It is this API's own name, exactly as in `aud`: `gatehouse resources list` shows it."
        yield Problem("E004", "GATEHOUSE['AUDIENCE'] is missing.", hint)
    if jwks_uri is not None and not is_safe(jwks_uri, str(issuer)):
        yield Problem("E003", "GATEHOUSE['JWKS_URI'] has to be an https URL.")


def _about_tokens(raw: Mapping[str, Any]) -> Iterator[Problem]:
    for name, known in (("ALGORITHMS", ASYMMETRIC), ("SCHEMES", SCHEMES)):
        value = raw.get(name, known)
        if isinstance(value, (list, tuple)) and value and all(item in known for item in value):
            continue
        yield Problem("E005", f"GATEHOUSE['{name}'] has to be a list of some of {', '.join(known)}.")


def _about_numbers(raw: Mapping[str, Any]) -> Iterator[Problem]:
    bounds = {"LEEWAY": 300, "STALE_KEYS": 7 * 86_400, "COOL_DOWN": 300, "TIMEOUT": 30, "STATUS_OUTAGE": 7 * 86_400}
    for name, most in bounds.items():
        value = raw.get(name, 1)
        least = 0.1 if name == "TIMEOUT" else 0
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            yield Problem("E006", f"GATEHOUSE['{name}'] has to be a number of seconds between {least} and {most}.")


def _about_users(raw: Mapping[str, Any]) -> Iterator[Problem]:
    users = raw.get("USERS", "provision")
    if users not in USERS:
        yield Problem("E007", f"GATEHOUSE['USERS'] has to be one of {', '.join(USERS)}.")
    elif users == "provision" and not apps.is_installed("gatehouse_drf"):
        hint = 'Add "gatehouse_drf" to INSTALLED_APPS and run `manage.py migrate`, or set USERS to another way.'
        yield Problem("E008", "Users are provisioned, but there is no table for it.", hint)
    for name in ("FIND_USER", "NEW_USER", "ON_ROLES"):
        value = raw.get(name)
        if value is None or callable(value):
            continue
        if users != "provision":
            yield Problem("E009", f"GATEHOUSE['{name}'] is for USERS = 'provision' only.")
        try:
            usable = callable(import_string(value))
        except (ImportError, TypeError, AttributeError):
            usable = False
        if not usable:
            yield Problem("E009", f"GATEHOUSE['{name}'] has to be a function, or the dotted path of one.")


def _about_legacy(legacy: Any) -> Iterator[Problem]:
    if legacy is None:
        return
    if not isinstance(legacy, Mapping):
        yield Problem("E010", "GATEHOUSE['LEGACY'] has to be a dict.")
        return
    yield from _unknown_names(legacy, "GATEHOUSE['LEGACY']", [f.name for f in fields(LegacySettings)])
    key, until = legacy.get("SIGNING_KEY"), legacy.get("UNTIL")
    if not isinstance(key, str) or len(key.encode()) < LEAST_SECRET_BYTES or "-----BEGIN" in key:
        hint = "It is what simplejwt signs with: SECRET_KEY, unless SIMPLE_JWT['SIGNING_KEY'] says another."
        message = f"GATEHOUSE['LEGACY']['SIGNING_KEY'] has to be a secret of {LEAST_SECRET_BYTES} bytes at least."
        yield Problem("E010", message, hint)
    if not isinstance(until, datetime) or until.tzinfo is None:
        hint = "datetime(2027, 1, 31, tzinfo=timezone.utc): when the site's last access token has expired."
        yield Problem("E010", "GATEHOUSE['LEGACY']['UNTIL'] has to be a datetime with a time zone.", hint)
    elif until <= datetime.now(timezone.utc):
        hint = "Take LEGACY out, and change SECRET_KEY if it was the key."
        yield Problem("W002", "GATEHOUSE['LEGACY'] is over.", hint, is_warning=True)
