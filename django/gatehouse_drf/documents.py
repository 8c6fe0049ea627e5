"""Documents of the issuer, fetched within bounds: no redirects, so large, so long."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable
from email.message import Message
from http.client import HTTPException
from typing import Any, Optional


class NoDocument(Exception):
    """It could not be fetched, or is not what it should be."""


class Document:
    def __init__(self, body: bytes, headers: Message) -> None:
        self.body = body
        self.headers = headers


# (url, accept, max_bytes) -> the document. @raises NoDocument
Fetch = Callable[[str, str, int], Document]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def fetcher(timeout: float) -> Fetch:
    """@param timeout seconds for one document, however slowly it comes"""

    def fetch(url: str, accept: str, max_bytes: int) -> Document:
        deadline = time.monotonic() + timeout
        request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "gatehouse-drf"})
        try:
            with _opener.open(request, timeout=timeout) as response:
                if response.status != 200:
                    raise NoDocument(f"{url}: {response.status}")
                body = bytearray()
                while piece := response.read1(65_536):
                    body += piece
                    if len(body) > max_bytes:
                        raise NoDocument(f"{url}: more than {max_bytes} bytes")
                    if time.monotonic() > deadline:
                        raise NoDocument(f"{url}: took more than {timeout} s")
                return Document(bytes(body), response.headers)
        except (OSError, HTTPException, ValueError) as cause:
            raise NoDocument(f"{url}: {cause}") from cause

    return fetch


def lifetime_of(headers: Message, least: float, most: float, otherwise: float) -> float:
    """How many seconds a document may be kept. @see RFC 9111 §4.2"""
    control = ", ".join(headers.get_all("Cache-Control") or [])
    if re.search(r"\bno-(?:store|cache)\b", control, re.I):
        return least
    max_age = re.search(r'\bmax-age="?(\d{1,10})', control, re.I)
    if max_age is None:
        return otherwise
    age: Optional[str] = headers.get("Age")
    passed = int(age) if age is not None and re.fullmatch(r"[0-9]{1,10}", age) else 0
    return min(most, max(least, int(max_age[1]) - passed))
