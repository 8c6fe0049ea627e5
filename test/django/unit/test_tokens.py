import base64
import json
import unittest
from dataclasses import replace
from datetime import datetime, timezone

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from gatehouse_drf.conf import LegacySettings
from gatehouse_drf.exceptions import InvalidToken
from gatehouse_drf.tokens import MAX_TOKEN_BYTES
from gatehouse_drf.verifier import Verifier

from .support import AUDIENCE, ISSUER, NOW, SETTINGS, Issuer, private_key

SECRET = "the secret of a site that moves, of some length"


def encode(value):
    return (
        base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode())
        .rstrip(b"=")
        .decode()
    )


class Tokens(unittest.TestCase):
    def setUp(self):
        self.issuer = Issuer()
        self.verifier = Verifier(SETTINGS, self.issuer.fetch, lambda: self.issuer.now)

    def assert_refused(self, token, why=""):
        with self.assertRaises(InvalidToken, msg=why or token):
            self.verifier.verify(token)

    def test_good_ones(self):
        for changes in [
            {},
            {"aud": ["x", AUDIENCE]},
            {"scope": None},
            {"exp": NOW - 4},
            {"iat": NOW + 4},
            {"nbf": NOW},
        ]:
            self.verifier.verify(self.issuer.token(**changes))
        self.verifier.verify(self.issuer.sign(self.issuer.claims(), typ="application/AT+JWT"))
        self.assertEqual(self.verifier.verify(self.issuer.token(scope="a  b")).scopes, {"a", "b"})

    def test_claims(self):
        for name in ["iss", "sub", "aud", "client_id", "jti", "exp", "iat"]:
            for value in [None, "", 7.5, True, [], {}, "another", -1, 0]:
                if (name in ("sub", "client_id", "jti") and value == "another") or (
                    name == "iat" and value in (7.5, -1, 0)
                ):
                    continue
                self.assert_refused(self.issuer.token(**{name: value}), f"{name} {value!r}")
        for changes in [
            {"exp": NOW - 5},
            {"iat": NOW + 6},
            {"nbf": NOW + 6},
            {"nbf": "soon"},
            {"exp": float("nan")},
            {"exp": float("inf")},
            {"iss": f"{ISSUER}/"},
            {"iss": ISSUER.upper()},
            {"aud": [[AUDIENCE]]},
            {"aud": f"{AUDIENCE}/"},
            {"sub": "a\0b"},
            {"scope": ["read"]},
            {"token_type": "refresh"},
            {"token_type": 1},
            {"cnf": {"jkt": "x"}},
        ]:
            self.assert_refused(self.issuer.token(**changes), repr(changes))

    def test_headers(self):
        claims = self.issuer.claims()
        for typ in ["JWT", "jwt", "", None, 7, "id+jwt", "statuslist+jwt", "at+jwt ", "application/application/at+jwt"]:
            header = {"alg": "RS256", "kid": "one", "typ": typ}
            self.assert_refused(self._signed(header, claims), f"typ {typ!r}")
        for kid in [None, "", 7, [], {"a": 1}, "one\0"]:
            self.assert_refused(self._signed({"alg": "RS256", "kid": kid, "typ": "at+jwt"}, claims), f"kid {kid!r}")
        self.assert_refused(
            self._signed({"alg": "RS256", "kid": "one", "typ": "at+jwt", "crit": ["b64"], "b64": True}, claims)
        )
        for alg in ["none", "None", "HS256", "RS512", "PS256", "ES256", "", None, 7, [], ["RS256"], {"RS256": 1}]:
            self.assert_refused(self._signed({"alg": alg, "kid": "one", "typ": "at+jwt"}, claims), f"alg {alg!r}")

    def _signed(self, header, claims):
        signed = f"{encode(header)}.{encode(claims)}"
        algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
        return f"{signed}.{encode(algorithm.sign(signed.encode(), private_key('one')))}"

    def test_broken_ones(self):
        good = self.issuer.token()
        header, payload, signature = good.split(".")
        deep = encode(b"[" * 5_000)
        number = encode(b'{"alg":' + b"9" * 5_000 + b"}")
        for token in [
            "",
            ".",
            "..",
            "...",
            "a.b.c",
            f"{header}.{payload}",
            f"{header}.{payload}.",
            f"{header}..{signature}",
            f"{good}.x",
            f"{good}=",
            f"{header}.{payload}.!{signature}",
            f"{deep}.{payload}.{signature}",
            f"{number}.{payload}.{signature}",
            f"{header}.{encode({'sub': 'admin'})}.{signature}",
            "e30.e30.e30",
            f"{encode(b'null')}.{payload}.{signature}",
            f"{encode(bytes(range(128, 256)))}.{payload}.{signature}",
            self._signed({"alg": "RS256", "kid": "one", "typ": "at+jwt"}, [1]),
        ]:
            self.assert_refused(token)

    def test_its_size_is_bounded(self):
        self.assert_refused(self.issuer.token(padding="x" * MAX_TOKEN_BYTES))
        self.verifier.verify(self.issuer.token(padding="x" * (MAX_TOKEN_BYTES // 2)))


class Legacy(unittest.TestCase):
    def setUp(self):
        self.issuer = Issuer()
        until = datetime.fromtimestamp(NOW + 1_000, timezone.utc)
        legacy = LegacySettings(SIGNING_KEY=SECRET, UNTIL=until, SCOPE="read")
        self.verifier = Verifier(replace(SETTINGS, LEGACY=legacy), self.issuer.fetch, lambda: self.issuer.now)

    def token(self, key=SECRET, alg="HS256", header=None, **changes):
        claims = {
            "token_type": "access",
            "jti": "a",
            "user_id": "7",
            "iat": NOW,
            "exp": int(self.issuer.now) + 300,
            **changes,
        }
        return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, alg, header)

    def test_both_kinds_are_taken_within_the_window(self):
        legacy = self.verifier.verify(self.token())
        self.assertEqual((legacy.is_legacy, legacy.scopes, legacy.is_client), (True, {"read"}, False))
        self.assertFalse(self.verifier.verify(self.issuer.token()).is_legacy)
        self.assertEqual(self.issuer.jwks_fetches(), 1, "the site's own need no issuer")

    def test_it_ends(self):
        self.issuer.now += 999.9
        self.verifier.verify(self.token())
        self.issuer.now += 0.1
        with self.assertRaises(InvalidToken):
            self.verifier.verify(self.token())
        self.verifier.verify(self.issuer.token())

    def test_without_a_window_there_is_none(self):
        with self.assertRaises(InvalidToken):
            Verifier(SETTINGS, self.issuer.fetch, lambda: self.issuer.now).verify(self.token())

    def test_what_simplejwt_would_refuse(self):
        for changes in [
            {"token_type": "refresh"},
            {"token_type": None},
            {"exp": NOW - 10},
            {"exp": None},
            {"jti": None},
            {"user_id": None},
            {"user_id": ""},
            {"user_id": True},
            {"user_id": {}},
            {"key": "x" * 40},
            {"alg": "HS512", "key": SECRET * 2},
        ]:
            with self.assertRaises(InvalidToken, msg=changes):
                self.verifier.verify(self.token(**changes))

    def test_neither_key_verifies_the_other_kind(self):
        """RFC 8725 §2.1, §3.1"""
        public = private_key("one").public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        header = {"typ": "at+jwt", "kid": "one"}
        signing_input = (
            f"{encode({'alg': 'HS256', **header})}.{encode(self.issuer.claims(token_type='access', user_id='7'))}"
        )
        hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        for key in [pem, self.issuer.jwk("one")["n"].encode()]:
            with self.assertRaises(InvalidToken):
                self.verifier.verify(f"{signing_input}.{encode(hmac.sign(signing_input.encode(), key))}")
        ours = jwt.encode(self.issuer.claims(), SECRET, "HS256", header)
        with self.assertRaises(InvalidToken, msg="the secret makes none of ours"):
            self.verifier.verify(ours)
        theirs = jwt.encode(
            {"token_type": "access", "jti": "a", "user_id": "7", "exp": NOW + 9}, private_key("one"), "RS256", header
        )
        with self.assertRaises(InvalidToken, msg="and our key none of the site's"):
            self.verifier.verify(theirs)
