"""Judges tokens by a library: reads settings and tokens as JSON from standard input, writes a verdict for each."""

import json
import secrets
import sys
import urllib.request


def pyjwt(settings):
    import jwt

    keys = jwt.PyJWKClient(settings["jwks_uri"])
    required = ["iss", "aud", "sub", "exp", "iat", "jti", "client_id"]

    def verify(token):
        try:
            key = keys.get_signing_key_from_jwt(token)
            jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=settings["issuer"],
                audience=settings["audience"],
                options={"require": required},
            )
        except jwt.PyJWTError:
            return False
        return True

    return verify


def simplejwt(settings):
    from django.conf import settings as django

    django.configure(
        # Django insists on one. Nothing is signed with it.
        SECRET_KEY=secrets.token_urlsafe(),
        USE_TZ=True,
        SIMPLE_JWT={
            "ALGORITHM": "RS256",
            "JWK_URL": settings["jwks_uri"],
            "ISSUER": settings["issuer"],
            "AUDIENCE": settings["audience"],
            "USER_ID_CLAIM": "sub",
            "JTI_CLAIM": "jti",
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    )
    import django as framework

    framework.setup()
    from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
    from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken

    authentication = JWTStatelessUserAuthentication()

    def verify(token):
        try:
            authentication.get_user(authentication.get_validated_token(token.encode()))
        except (AuthenticationFailed, InvalidToken):
            return False
        return True

    return verify


def authlib(settings):
    from authlib.oauth2.rfc6750.errors import InvalidTokenError
    from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

    with urllib.request.urlopen(settings["jwks_uri"], timeout=10) as response:
        jwks = json.load(response)

    class Validator(JWTBearerTokenValidator):
        def get_jwks(self):
            return jwks

    validator = Validator(settings["issuer"], settings["audience"])

    def verify(token):
        try:
            validator.validate_token(validator.authenticate_token(token), None, None)
        except InvalidTokenError:
            return False
        return True

    return verify


def judge(verify, token):
    try:
        return "taken" if verify(token) else "refused"
    except Exception as error:  # What is neither: a caller would see a 500.
        return f"failed: {type(error).__name__}: {error}"


settings = json.load(sys.stdin)
verify = {"pyjwt": pyjwt, "simplejwt": simplejwt, "authlib": authlib}[sys.argv[1]](settings)
json.dump([judge(verify, token) for token in settings["tokens"]], sys.stdout)
