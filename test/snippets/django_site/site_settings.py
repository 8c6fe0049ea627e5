"""A site around what `gatehouse snippet django` prints, which is beside it as settings.py."""

import secrets

from settings import REST_FRAMEWORK as PRINTED
from settings import SIMPLE_JWT

REST_FRAMEWORK = {**PRINTED, "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"]
ROOT_URLCONF = "site_urls"
ALLOWED_HOSTS = ["127.0.0.1"]
SECRET_KEY = secrets.token_urlsafe()
__all__ = ["SIMPLE_JWT"]
