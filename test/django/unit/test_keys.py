import threading
import time
import unittest

from gatehouse_drf.exceptions import InvalidToken, Unavailable
from gatehouse_drf.verifier import Verifier

from .support import SETTINGS, Issuer


class Keys(unittest.TestCase):
    def setUp(self):
        self.issuer = Issuer()
        self.verifier = Verifier(SETTINGS, self.issuer.fetch, lambda: self.issuer.now)

    def verify(self, kid="one"):
        return self.verifier.verify(self.issuer.token(kid))

    def test_a_key_set_is_kept_as_long_as_it_says(self):
        for _ in range(3):
            self.verify()
        self.issuer.now += 239
        self.verify()
        self.assertEqual(self.issuer.jwks_fetches(), 1)
        self.issuer.now += 62
        self.verify()
        self.assertEqual(self.issuer.jwks_fetches(), 2)

    def test_within_bounds(self):
        for cache_control, kept in [("no-store", 29), ("max-age=0", 29), ("max-age=99999999", 2_800), ("", 239)]:
            issuer = Issuer()
            issuer.cache_control = cache_control
            verifier = Verifier(SETTINGS, issuer.fetch, lambda issuer=issuer: issuer.now)
            verifier.verify(issuer.token())
            # What is refreshed early is not counted, only what is kept.
            issuer.now += min(kept, 23)
            verifier.verify(issuer.token())
            self.assertEqual(issuer.jwks_fetches(), 1, cache_control)
            issuer.now += 3_600
            verifier.verify(issuer.token())
            self.assertEqual(issuer.jwks_fetches(), 2, cache_control)

    def test_an_unknown_kid_is_looked_for_once_in_a_while(self):
        self.verify()
        for _ in range(20):
            with self.assertRaises(InvalidToken):
                self.verify("two")
        self.assertEqual(self.issuer.jwks_fetches(), 2)
        self.issuer.kids = ["one", "two"]
        self.issuer.now += SETTINGS.COOL_DOWN
        self.verify("two")
        self.verify()
        self.assertEqual(self.issuer.jwks_fetches(), 3)

    def test_a_key_that_was_taken_out_is_gone_with_the_set(self):
        self.verify()
        self.issuer.kids = ["two"]
        self.verify("two")
        with self.assertRaises(InvalidToken):
            self.verify("one")

    def test_keys_serve_on_for_a_day_while_the_issuer_is_down(self):
        self.verify()
        self.issuer.is_down = True
        self.issuer.now += 86_000
        for _ in range(5):
            self.verify()
        self.assertEqual(self.issuer.asked.count(f"{SETTINGS.ISSUER}/.well-known/openid-configuration"), 2)
        with self.assertRaises(Unavailable, msg="the issuer may have made it meanwhile"):
            self.verify("two")
        self.issuer.now += 701
        with self.assertRaises(Unavailable):
            self.verify()
        self.issuer.is_down = False
        self.issuer.now += SETTINGS.COOL_DOWN
        self.verify()

    def test_no_keys_at_all_is_an_outage_and_asked_for_once_in_a_while(self):
        self.issuer.is_down = True
        for _ in range(5):
            with self.assertRaises(Unavailable):
                self.verify()
        self.assertEqual(len(self.issuer.asked), 1)

    def test_a_key_set_elsewhere_than_by_https_is_none(self):
        for uri in [
            "http://login.example.com/jwks",
            "file:///etc/passwd",
            "http://localhost/jwks",
            "https://u:p@a/",
            7,
        ]:
            self.issuer.jwks_uri = uri
            self.issuer.now += 10
            with self.assertRaises(Unavailable, msg=uri):
                self.verify()

    def test_one_fetch_is_in_flight(self):
        fetch = self.issuer.fetch

        def slowly(*asked):
            time.sleep(0.1)
            return fetch(*asked)

        verifier = Verifier(SETTINGS, slowly, lambda: self.issuer.now)
        token, verified = self.issuer.token(), []
        threads = [threading.Thread(target=lambda: verified.append(verifier.verify(token))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(verified), self.issuer.jwks_fetches()), (20, 1))
