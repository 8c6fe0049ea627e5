"""Accounts for `gatehouse users import`, or tokens for `gatehouse legacy-tokens block`, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Optional

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

CHUNK = 1_000


class Command(BaseCommand):
    help = "Writes the site's accounts as JSON lines, with their password hashes as they are. Keep the file private."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-groups", action="store_true", help="do not export groups as roles")
        parser.add_argument(
            "--email-verified-field",
            metavar="FIELD",
            help="a boolean field of the user model; without it, nothing is said",
        )

        parser.add_argument(
            "--blacklist", action="store_true", help="write simplejwt's blacklisted refresh tokens that live, instead"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lines = (
            _blacklisted() if options["blacklist"] else _accounts(options["email_verified_field"], options["no_groups"])
        )
        for line in lines:
            self.stdout.write(json.dumps(line, ensure_ascii=False))


def _accounts(verified: Optional[str], without_groups: bool) -> Iterator[dict[str, Any]]:
    users: Any = get_user_model()
    if verified is not None and not _has_field(users, verified):
        raise CommandError(f"The user model has no field {verified}.")
    with_groups = not without_groups and _has_field(users, "groups")
    rows = users._default_manager.order_by("pk")
    if with_groups:
        rows = rows.prefetch_related("groups")
    for user in rows.iterator(chunk_size=CHUNK):
        yield _line(user, verified, with_groups)


def _blacklisted() -> Iterator[dict[str, Any]]:
    if not apps.is_installed("rest_framework_simplejwt.token_blacklist"):
        raise CommandError("rest_framework_simplejwt.token_blacklist is not in INSTALLED_APPS: there is no blacklist.")
    tokens: Any = apps.get_app_config("token_blacklist").get_model("BlacklistedToken")
    live = tokens.objects.filter(token__expires_at__gt=timezone.now()).values_list("token__jti", "token__expires_at")
    for jti, expires_at in live.iterator(chunk_size=CHUNK):
        yield {"jti": jti, "expires_at": expires_at.isoformat()}


def _line(user: Any, verified: Optional[str], with_groups: bool) -> dict[str, Any]:
    line = {
        "username": user.get_username(),
        "email": _text(user, user.get_email_field_name()),
        "name": _name(user),
        "given_name": _text(user, "first_name"),
        "family_name": _text(user, "last_name"),
        "password_hash": user.password,
        "disabled": not user.is_active,
        "roles": [group.name for group in user.groups.all()] if with_groups else [],
        "legacy_user_id": str(user.pk),
    }
    if verified is not None:
        line["email_verified"] = bool(getattr(user, verified))
    joined = getattr(user, "date_joined", None)
    if joined is not None:
        line["created_at"] = joined.isoformat()
    return line


def _name(user: Any) -> Optional[str]:
    name = user.get_full_name() if hasattr(user, "get_full_name") else ""
    return name.strip() or None


def _text(user: Any, field: str) -> Optional[str]:
    value = getattr(user, field, None)
    return value if isinstance(value, str) and value else None


def _has_field(model: Any, name: str) -> bool:
    try:
        model._meta.get_field(name)
        return True
    except FieldDoesNotExist:
        return False
