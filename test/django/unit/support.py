"""An issuer without a socket, and a clock that a test sets."""

import base64
import json
import zlib
from email.message import Message
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from gatehouse_drf.conf import Settings
from gatehouse_drf.documents import Document, NoDocument

ISSUER = "https://login.example.com"
AUDIENCE = "https://api.example.com"
LIST = f"{ISSUER}/status-lists/0"
NOW = 1_800_000_000
SETTINGS = Settings(ISSUER=ISSUER, AUDIENCE=AUDIENCE)


@cache
def private_key(kid):
    return rsa.generate_private_key(65537, 2048)


class Issuer:
    def __init__(self):
        self.now = NOW
        self.kids = ["one"]
        self.is_down = False
        self.cache_control = "public, max-age=300"
        self.jwks_uri = f"{ISSUER}/jwks"
        self.lists = {}
        self.asked = []

    def fetch(self, url, accept, max_bytes):
        self.asked.append(url)
        if self.is_down:
            raise NoDocument(f"{url}: down")
        headers = Message()
        headers["Cache-Control"] = self.cache_control
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return Document(json.dumps({"issuer": ISSUER, "jwks_uri": self.jwks_uri}).encode(), headers)
        if url == f"{ISSUER}/jwks":
            return Document(json.dumps({"keys": [self.jwk(kid) for kid in self.kids]}).encode(), headers)
        if url in self.lists:
            return Document(self.lists[url].encode(), headers)
        raise NoDocument(f"{url}: 404")

    def jwk(self, kid):
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key(kid).public_key()))
        return {"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": public["n"], "e": public["e"]}

    def jwks_fetches(self):
        return self.asked.count(f"{ISSUER}/jwks")

    def claims(self, **changes):
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "account_1",
            "client_id": "app",
            "jti": "token_1",
            "iat": int(self.now),
            "exp": int(self.now) + 300,
            "scope": "read write",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims, kid="one", typ="at+jwt", **header):
        # As it is: `jwt.encode` would look at the claims.
        return jwt.PyJWS().encode(
            json.dumps(claims).encode(), private_key(kid), "RS256", {"typ": typ, "kid": kid, **header}
        )

    def token(self, kid="one", **changes):
        return self.sign(self.claims(**changes), kid)

    def with_status(self, idx, uri=LIST, **changes):
        return self.token(status={"status_list": {"idx": idx, "uri": uri}}, **changes)

    def publish(self, revoked=(), size=1_000, typ="statuslist+jwt", lst=None, **changes):
        values = bytearray(size // 8)
        for idx in revoked:
            values[idx // 8] |= 1 << idx % 8
        packed = base64.urlsafe_b64encode(zlib.compress(bytes(values))).rstrip(b"=").decode()
        claims = {
            "sub": LIST,
            "iat": int(self.now),
            "exp": int(self.now) + 3_600,
            "ttl": 60,
            "status_list": {"bits": 1, "lst": packed if lst is None else lst},
            **changes,
        }
        self.lists[LIST] = self.sign(claims, typ=typ)
