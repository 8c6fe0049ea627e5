import unittest
from datetime import datetime, timedelta, timezone

from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from gatehouse_drf.conf import load_settings

from .support import AUDIENCE, ISSUER

SECRET = "the secret of a site that moves, of some length"
LATER = datetime.now(timezone.utc) + timedelta(days=1)


def found(gatehouse):
    with override_settings(GATEHOUSE=gatehouse):
        return [message.id.removeprefix("gatehouse_drf.") for message in run_checks() if "gatehouse_drf" in message.id]


class Checks(unittest.TestCase):
    def test_what_is_right(self):
        for more in [
            {},
            {"USERS": "stateless"},
            {"SCHEMES": ["Bearer", "JWT"]},
            {"LEGACY": {"SIGNING_KEY": SECRET, "UNTIL": LATER}},
            {"NEW_USER": "hooks.new_user", "ON_ROLES": "hooks.on_roles", "FIND_USER": len},
        ]:
            self.assertEqual(found({"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, **more}), [], more)
        self.assertEqual(found({"ISSUER": "http://localhost:3000", "AUDIENCE": AUDIENCE}), [])

    def test_what_is_wrong(self):
        for ids, more in [
            (["E002"], {"AUDIANCE": "x"}),
            (["E003"], {"ISSUER": "http://login.example.com"}),
            (["E003"], {"ISSUER": "https://login.example.com?a"}),
            (["E003"], {"ISSUER": "https://[login"}),
            (["E003"], {"ISSUER": 7}),
            (["W001"], {"ISSUER": f"{ISSUER}/"}),
            (["E003"], {"JWKS_URI": "http://login.example.com/jwks"}),
            (["E004"], {"AUDIENCE": ""}),
            (["E005"], {"ALGORITHMS": ["RS256", "HS256"]}),
            (["E005"], {"ALGORITHMS": "RS256"}),
            (["E005"], {"SCHEMES": ["Basic"]}),
            (["E006"], {"LEEWAY": "5"}),
            (["E006"], {"TIMEOUT": 0}),
            (["E006"], {"STATUS_OUTAGE": float("nan")}),
            (["E007"], {"USERS": "any"}),
            (["E009"], {"NEW_USER": "hooks.nowhere"}),
            (["E009"], {"USERS": "lookup", "NEW_USER": "hooks.new_user"}),
            (["E010"], {"LEGACY": "x"}),
            (["E010", "E010"], {"LEGACY": {}}),
            (["E010"], {"LEGACY": {"SIGNING_KEY": "short", "UNTIL": LATER}}),
            (["E010"], {"LEGACY": {"SIGNING_KEY": f"-----BEGIN PUBLIC KEY----- {SECRET}", "UNTIL": LATER}}),
            (["E010"], {"LEGACY": {"SIGNING_KEY": SECRET, "UNTIL": datetime(2030, 1, 1)}}),
            (["E002"], {"LEGACY": {"SIGNING_KEY": SECRET, "UNTIL": LATER, "USER_CLAIM": "x"}}),
            (["W002"], {"LEGACY": {"SIGNING_KEY": SECRET, "UNTIL": LATER - timedelta(days=2)}}),
        ]:
            self.assertEqual(found({"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, **more}), ids, more)
        self.assertEqual(found(None), ["E001"])

    def test_a_site_that_is_wrong_verifies_nothing(self):
        with override_settings(GATEHOUSE={"ISSUER": ISSUER}), self.assertRaisesRegex(ImproperlyConfigured, "AUDIENCE"):
            load_settings()

    def test_secrets_are_in_no_text(self):
        with override_settings(
            GATEHOUSE={"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "LEGACY": {"SIGNING_KEY": SECRET, "UNTIL": LATER}}
        ):
            self.assertNotIn(SECRET, repr(load_settings()))
