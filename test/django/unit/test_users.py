from dataclasses import replace
from datetime import timedelta

import hooks
from django.contrib.auth.models import Group, User
from django.test import TestCase
from django.utils import timezone
from gatehouse_drf.conf import LegacySettings
from gatehouse_drf.exceptions import InvalidToken
from gatehouse_drf.models import Identity
from gatehouse_drf.tokens import AccessToken
from gatehouse_drf.users import TokenUser, find_user

from .support import ISSUER, NOW, SETTINGS

LEGACY = LegacySettings(SIGNING_KEY="x" * 40, UNTIL=timezone.now() + timedelta(days=1))


def token(**claims):
    return AccessToken({"sub": "account_1", "client_id": "app", "iat": NOW, **claims}, frozenset())


class Provisioned(TestCase):
    def find(self, token, **changes):
        return find_user(token, replace(SETTINGS, **changes))

    def test_one_user_for_each_issuer_and_sub(self):
        user = self.find(token())
        self.assertEqual((user.username, user.has_usable_password()), ("account_1", False))
        with self.assertNumQueries(1):
            self.assertEqual(self.find(token()), user)
        self.assertNotEqual(self.find(token(), ISSUER="https://other.example"), user)
        self.assertNotEqual(self.find(token(sub="Account_1")), user)
        self.assertEqual(Identity.objects.filter(issuer=ISSUER, subject="account_1").count(), 1)

    def test_a_name_that_is_taken_is_another_person(self):
        stranger = User.objects.create(username="account_1")
        user = self.find(token())
        self.assertNotEqual(user, stranger)
        self.assertTrue(user.username.startswith("gatehouse-"))

    def test_long_names(self):
        self.assertEqual(len(self.find(token(sub="x" * 255)).username), 150)
        self.find(token(sub="x" * 254))
        with self.assertRaises(InvalidToken):
            self.find(token(sub="x" * 256))

    def test_inactive_users_are_refused(self):
        User.objects.filter(pk=self.find(token()).pk).update(is_active=False)
        with self.assertRaises(InvalidToken):
            self.find(token())

    def test_a_client_is_nobody(self):
        user = self.find(token(sub="app"))
        self.assertIsInstance(user, TokenUser)
        self.assertEqual(User.objects.count(), 0)

    def test_hooks_find_and_fill(self):
        known = User.objects.create(username="old", email="alice@example.com")
        hooked = {"FIND_USER": hooks.find_user, "NEW_USER": hooks.new_user}
        unverified = self.find(token(sub="b", email="alice@example.com", email_verified=False), **hooked)
        self.assertNotEqual(unverified, known)
        self.assertEqual(unverified.email, "alice@example.com")
        self.assertEqual(self.find(token(email="alice@example.com", email_verified=True), **hooked), known)

    def test_a_claim_links_to_a_user_who_was_here_before(self):
        known = User.objects.create(username="old", email="alice@example.com")
        linked = {"LINK_CLAIM": "legacy_user_id"}
        self.assertEqual(self.find(token(legacy_user_id=str(known.pk)), **linked), known)
        self.assertEqual(self.find(token(), **linked), known, "from then on by its sub")
        for index, value in enumerate([str(known.pk + 1_000), "x", "", None, [known.pk], {}]):
            self.assertNotEqual(self.find(token(sub=f"other{index}", legacy_user_id=value), **linked), known)
        by_email = {"LINK_CLAIM": "email", "LINK_FIELD": "email"}
        self.assertNotEqual(self.find(token(sub="c", email="alice@example.com"), **by_email), known)
        self.assertEqual(self.find(token(sub="d", email="alice@example.com", email_verified=True), **by_email), known)

    def test_roles(self):
        hooked = {"ON_ROLES": hooks.on_roles}
        user = self.find(token(roles=["staff", "editor", 7]), **hooked)
        self.assertTrue(user.is_staff)
        with self.assertNumQueries(1):
            self.find(token(roles=["editor", "staff"]), **hooked)
        self.find(token(roles=["admin"], iat=NOW - 1), **hooked)
        self.assertEqual(set(Group.objects.values_list("name", flat=True)), {"staff", "editor"}, "an older token")
        self.assertFalse(self.find(token(iat=NOW + 1), **hooked).is_staff)


class Others(TestCase):
    def test_lookup(self):
        alice = User.objects.create(username="account_1", email="alice@example.com")
        lookup = replace(SETTINGS, USERS="lookup")
        self.assertEqual(find_user(token(), lookup), alice)
        by_email = replace(lookup, USER_CLAIM="email", USER_FIELD="email")
        self.assertEqual(find_user(token(email="alice@example.com"), by_email), alice)
        for claims in [
            {},
            {"email": ""},
            {"email": "bob@example.com"},
            {"email": ["alice@example.com"]},
            {"email": None},
        ]:
            with self.assertRaises(InvalidToken, msg=claims):
                find_user(token(**claims), by_email)
        User.objects.create(username="bob", email="alice@example.com")
        with self.assertRaises(InvalidToken, msg="two of that name"):
            find_user(token(email="alice@example.com"), by_email)
        self.assertEqual(User.objects.count(), 2)

    def test_stateless(self):
        with self.assertNumQueries(0):
            user = find_user(token(), replace(SETTINGS, USERS="stateless"))
        self.assertEqual((user.pk, user.is_authenticated, user.has_perm("x")), ("account_1", True, False))

    def test_legacy(self):
        alice = User.objects.create(username="alice")
        settings = replace(SETTINGS, LEGACY=LEGACY)
        for user_id in [alice.pk, str(alice.pk)]:
            self.assertEqual(find_user(AccessToken({"user_id": user_id}, frozenset(), True), settings), alice)
        for user_id in [alice.pk + 1, "x", "1 or 1", 10**40]:
            with self.assertRaises(InvalidToken, msg=user_id):
                find_user(AccessToken({"user_id": user_id}, frozenset(), True), settings)
        User.objects.update(is_active=False)
        with self.assertRaises(InvalidToken):
            find_user(AccessToken({"user_id": alice.pk}, frozenset(), True), settings)
