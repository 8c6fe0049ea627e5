from __future__ import annotations

from django.conf import settings
from django.db import models


class Identity(models.Model):
    """Who an issuer's `sub` is here."""

    issuer = models.CharField(max_length=255)
    # OpenID Connect Core §2: at most 255 ASCII characters, and case-sensitive.
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="gatehouse_identities")
    # The roles of the newest token so far, and its `iat`.
    roles = models.JSONField(default=list)
    roles_as_of = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="gatehouse_drf_identity")]

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"
