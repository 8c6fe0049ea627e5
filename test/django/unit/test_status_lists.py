import base64
import unittest
import zlib
from dataclasses import replace

from gatehouse_drf.exceptions import InvalidToken, Unavailable
from gatehouse_drf.verifier import Verifier

from .support import ISSUER, LIST, NOW, SETTINGS, Issuer


def packed(values):
    return base64.urlsafe_b64encode(zlib.compress(values)).rstrip(b"=").decode()


class StatusLists(unittest.TestCase):
    def setUp(self):
        self.issuer = Issuer()
        self.verifier = self.verifier_with(SETTINGS)

    def verifier_with(self, settings):
        return Verifier(settings, self.issuer.fetch, lambda: self.issuer.now)

    def verify(self, idx=11, **changes):
        return self.verifier.verify(self.issuer.with_status(idx, **changes))

    def test_a_revoked_grant_is_refused_within_the_ttl(self):
        self.issuer.publish()
        self.verify()
        self.issuer.publish([11])
        self.issuer.now += 59
        self.verify()
        self.issuer.now += 1
        with self.assertRaises(InvalidToken):
            self.verify()
        self.verify(10)
        self.verify(12)
        self.assertEqual(self.issuer.asked.count(LIST), 2)

    def test_it_can_be_turned_off(self):
        self.issuer.publish([11])
        self.verifier_with(replace(SETTINGS, STATUS_LISTS=False)).verify(self.issuer.with_status(11))
        self.assertEqual(self.issuer.asked.count(LIST), 0)

    def test_what_the_list_does_not_reach_is_refused(self):
        self.issuer.publish()
        for idx in [1_000, 2**31]:
            with self.assertRaises(InvalidToken):
                self.verify(idx)

    def test_references(self):
        self.issuer.publish()
        for idx in [None, -1, 2**32, 1.0, "1", True, [], 10**400]:
            with self.assertRaises(InvalidToken, msg=idx):
                self.verify(idx)
        for uri in [
            "https://evil.example/status-lists/0",
            f"{ISSUER}.evil.example/0",
            f"{ISSUER}@evil.example/",
            ISSUER,
            7,
            None,
            "file:///etc/passwd",
        ]:
            with self.assertRaises(InvalidToken, msg=uri):
                self.verifier.verify(self.issuer.with_status(1, uri))
        for status in [None, 7, [], {}, {"status_list": None}, {"status_list": []}]:
            claims = {**self.issuer.claims(), "status": status}
            with self.assertRaises(InvalidToken, msg=status):
                self.verifier.verify(self.issuer.sign(claims))
        self.assertEqual([url for url in self.issuer.asked if not url.startswith(f"{ISSUER}/")], [])

    def test_lists_that_are_none(self):
        """§5.1, §8.3"""
        settings = replace(SETTINGS, STATUS_OUTAGE=0)
        bomb = packed(bytes(64 * 1024 * 1024))
        for changes in [
            {"typ": "JWT"},
            {"typ": "at+jwt"},
            {"sub": f"{ISSUER}/status-lists/1"},
            {"sub": None},
            {"exp": NOW - 5},
            {"exp": None},
            {"iat": "x"},
            {"ttl": "x"},
            {"status_list": None},
            {"status_list": {"bits": 3, "lst": packed(b"0")}},
            {"status_list": {"bits": True, "lst": packed(b"0")}},
            {"lst": "!"},
            {"lst": "AAAA"},
            {"lst": 7},
            {"lst": bomb},
            {"lst": packed(b"0" * 1_000)[:-8]},
        ]:
            self.issuer.publish(**changes)
            with self.assertRaises(Unavailable, msg=str(changes)[:80]):
                self.verifier_with(settings).verify(self.issuer.with_status(1))

    def test_several_bits(self):
        """§4.1: the least significant come first"""
        self.issuer.publish(status_list={"bits": 2, "lst": packed(bytes([0b00_01_10_00]))})
        for idx, taken in [(0, True), (1, False), (2, False), (3, True)]:
            if taken:
                self.verify(idx)
            else:
                with self.assertRaises(InvalidToken, msg=idx):
                    self.verify(idx)

    def test_an_outage_is_borne_for_an_hour_and_what_was_revoked_stays_so(self):
        self.issuer.publish([12])
        self.verify()
        del self.issuer.lists[LIST]
        self.issuer.now += 60 + 3_599
        self.verify()
        with self.assertRaises(InvalidToken):
            self.verify(12)
        self.issuer.now += 1
        with self.assertRaises(Unavailable):
            self.verify()
        self.issuer.publish()
        self.issuer.now += SETTINGS.COOL_DOWN
        self.verify()

    def test_an_outage_from_the_start_is_borne_as_long(self):
        self.verify()
        self.issuer.now += 3_599
        self.verify()
        self.issuer.now += 1
        with self.assertRaises(Unavailable):
            self.verify()

    def test_or_not_at_all(self):
        self.verifier = self.verifier_with(replace(SETTINGS, STATUS_OUTAGE=0))
        for _ in range(5):
            with self.assertRaises(Unavailable):
                self.verify()
        self.assertEqual(self.issuer.asked.count(LIST), 1)
