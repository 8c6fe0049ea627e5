"""
A client without a framework: Authlib's OAuth2Session.

Prints the address of an authorization request, reads where the browser ended, and prints what came of it.
"""

import json
import os

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet, import_key

settings = json.loads(os.environ["SETTINGS"])
metadata = requests.get(f"{settings['issuer']}/.well-known/openid-configuration").json()
method = settings["method"]
private_key = settings.get("private_key")

session = OAuth2Session(
    settings["client_id"],
    import_key(private_key) if private_key else settings["client_secret"],
    token_endpoint=metadata["token_endpoint"],
    token_endpoint_auth_method=method,
    revocation_endpoint_auth_method=method,
    redirect_uri=settings["redirect_uri"],
    scope="openid profile offline_access",
    code_challenge_method="S256",
)
if private_key:
    session.register_client_auth_method(PrivateKeyJWT(alg="ES256", headers={"kid": private_key["kid"]}))


def claims_of(id_token, nonce=None):
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())
    decoded = jwt.decode(id_token, keys, algorithms=metadata["id_token_signing_alg_values_supported"])
    expected = {"iss": {"values": [metadata["issuer"]]}}
    params = {"client_id": settings["client_id"], "nonce": nonce}
    claims = CodeIDToken(decoded.claims, decoded.header, expected, params)
    claims.validate()
    return dict(claims)


def introspect(token):
    return session.introspect_token(metadata["introspection_endpoint"], token=token).json()


service = session.fetch_token(grant_type="client_credentials", scope="read")

nonce, code_verifier = generate_token(48), generate_token(48)
url, state = session.create_authorization_url(
    metadata["authorization_endpoint"], code_verifier=code_verifier, nonce=nonce
)
print(url, flush=True)
answer = input()
tokens = session.fetch_token(
    authorization_response=answer,
    state=state,
    code_verifier=code_verifier,
    grant_type="authorization_code",
)
user = session.get(metadata["userinfo_endpoint"]).json()
refreshed = session.refresh_token()
before = introspect(refreshed["access_token"])
session.revoke_token(metadata["revocation_endpoint"], token=refreshed["refresh_token"]).raise_for_status()
try:
    session.refresh_token(refresh_token=refreshed["refresh_token"])
    refusal = None
except OAuthError as error:
    refusal = error.error

print(
    json.dumps(
        {
            "service": service,
            "claims": claims_of(tokens["id_token"], nonce),
            "user": user,
            "refreshed_claims": claims_of(refreshed["id_token"]),
            "introspected": [before, introspect(refreshed["access_token"])],
            "refusal": refusal,
        }
    )
)
