import io
import json

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import TestCase


def export(*args):
    out = io.StringIO()
    call_command("gatehouse_export_users", *args, stdout=out)
    return [json.loads(line) for line in out.getvalue().split("\n") if line]


class Export(TestCase):
    def test_an_account(self):
        alice = User.objects.create(
            username="alice",
            email="alice@example.com",
            first_name="Zoë",
            last_name="\u2028",
            password=make_password("x"),
        )
        alice.groups.add(Group.objects.create(name="editors"))
        [line] = export()
        self.assertEqual(
            line,
            {
                "username": "alice",
                "email": "alice@example.com",
                "name": "Zoë",
                "given_name": "Zoë",
                "family_name": "\u2028",
                "password_hash": alice.password,
                "disabled": False,
                "roles": ["editors"],
                "legacy_user_id": str(alice.pk),
                "created_at": alice.date_joined.isoformat(),
            },
        )
        self.assertEqual(export("--no-groups", "--email-verified-field=is_staff")[0]["email_verified"], False)

    def test_a_bare_one(self):
        User.objects.create(username="bob", is_active=False, password=make_password(None))
        [line] = export()
        self.assertEqual((line["email"], line["name"], line["disabled"], line["roles"]), (None, None, True, []))
        self.assertTrue(line["password_hash"].startswith("!"))

    def test_many_are_not_all_read_at_once(self):
        User.objects.bulk_create(User(username=f"user{index}", password="!") for index in range(2_500))
        with self.assertNumQueries(4):
            lines = export()
        self.assertEqual(len({line["username"] for line in lines}), 2_500)

    def test_what_is_not_there(self):
        for option in ["--blacklist", "--email-verified-field=nothing"]:
            with self.assertRaises(CommandError):
                export(option)
