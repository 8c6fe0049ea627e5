"""`WWW-Authenticate`. @see RFC 6750 §3, RFC 9728 §5.1"""

from __future__ import annotations

from .verifier import get_verifier


def challenge(**members: str) -> str:
    """@param members of which none comes from a request: nothing is escaped"""
    settings = get_verifier().settings
    named = {"realm": settings.REALM, **members}
    if settings.RESOURCE_METADATA is not None:
        named["resource_metadata"] = settings.RESOURCE_METADATA
    return f"{settings.SCHEMES[0]} " + ", ".join(f'{name}="{value}"' for name, value in named.items())
