"""A site with gatehouse_drf, which a test describes as JSON, in the variable `SITE` or in a file beside this one."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

_file = Path(__file__).with_name("site.json")
SITE = json.loads(os.environ.get("SITE") or (_file.read_text() if _file.exists() else "{}"))

GATEHOUSE = {"ISSUER": "https://login.example.com", "AUDIENCE": "https://api.example.com", **SITE.get("gatehouse", {})}
if "LEGACY" in GATEHOUSE:
    GATEHOUSE["LEGACY"]["UNTIL"] = datetime.fromisoformat(GATEHOUSE["LEGACY"]["UNTIL"])

# The site before it moved, and an API that goes on with nothing but simplejwt.
SECRET_KEY = SITE.get("secret_key", "the secret of a site that moves, of some length")
SIMPLE_JWT = {
    "ALGORITHM": "RS256",
    "JWK_URL": f"{GATEHOUSE['ISSUER']}/.well-known/jwks.json",
    "ISSUER": GATEHOUSE["ISSUER"],
    "AUDIENCE": GATEHOUSE["AUDIENCE"],
    "USER_ID_CLAIM": "sub",
    "JTI_CLAIM": "jti",
    "LEEWAY": timedelta(seconds=30),
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["gatehouse_drf.authentication.GatehouseAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "gatehouse_drf"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": SITE.get("database", ":memory:"),
        "OPTIONS": {"timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "wsgi.application"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver", "api.example.com"]
USE_TZ = True
LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"gatehouse_drf": {"handlers": ["console"], "level": "INFO"}},
}
