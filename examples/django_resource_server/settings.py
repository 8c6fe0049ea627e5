"""A Django API that trusts an issuer and shares nothing with it but a URL."""

import os
import secrets
from datetime import timedelta

# Exactly the `iss` and the `aud` of the tokens, byte for byte.
ISSUER = os.environ["ISSUER"]
AUDIENCE = os.environ["AUDIENCE"]

SIMPLE_JWT = {
    "ALGORITHM": "RS256",
    "JWK_URL": f"{ISSUER}/.well-known/jwks.json",
    "ISSUER": ISSUER,
    "AUDIENCE": AUDIENCE,
    "USER_ID_CLAIM": "sub",
    "JTI_CLAIM": "jti",
    "LEEWAY": timedelta(seconds=30),
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

# simplejwt refers to Django's user model, though nobody is stored here: there is no database.
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"]
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "wsgi.application"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")
TIME_ZONE = "UTC"
# Django insists on one. Nothing is signed with it.
SECRET_KEY = secrets.token_urlsafe()
