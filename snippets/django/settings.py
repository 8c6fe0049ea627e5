# To be added to your settings.
from datetime import timedelta

SIMPLE_JWT = {
    "ALGORITHM": "RS256",
    "JWK_URL": "https://login.example.com/.well-known/jwks.json",
    "ISSUER": "https://login.example.com",
    "AUDIENCE": "https://api.example.com",
    "USER_ID_CLAIM": "sub",
    "JTI_CLAIM": "jti",
    "LEEWAY": timedelta(seconds=30),
}

REST_FRAMEWORK = {
    # Nobody is looked up in a database: request.user.id is the `sub`. With rows of your own: JWTAuthentication.
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
