"""What gunicorn runs: `gunicorn wsgi`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from jwt import PyJWKClient

application = get_wsgi_application()

from rest_framework_simplejwt.state import token_backend

# By PyJWT's defaults an unknown key is not looked up again for 30 seconds after a fetch, and a silent issuer holds the
# worker as long. A key rotated in an emergency is wanted sooner.
token_backend.jwks_client = PyJWKClient(settings.SIMPLE_JWT["JWK_URL"], cooldown_duration=1, timeout=3)
