"""What `manage.py check` says about the settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from .conf import problems_of


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        (Warning if problem.is_warning else Error)(problem.message, hint=problem.hint, id=f"gatehouse_drf.{problem.id}")
        for problem in problems_of(getattr(settings, "GATEHOUSE", None))
    ]
