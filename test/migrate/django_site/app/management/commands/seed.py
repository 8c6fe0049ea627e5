"""People with passwords in all of Django's forms, each with a live refresh token; what they know goes to standard output."""

import json

from django.contrib.auth import hashers
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand
from django.db import transaction
from rest_framework_simplejwt.tokens import RefreshToken


class Pbkdf2(hashers.PBKDF2PasswordHasher):
    iterations = 1000


class Pbkdf2Sha1(hashers.PBKDF2SHA1PasswordHasher):
    iterations = 1000


class Argon2(hashers.Argon2PasswordHasher):
    time_cost = 1
    memory_cost = 1024


class BCryptSha256(hashers.BCryptSHA256PasswordHasher):
    rounds = 4


class Scrypt(hashers.ScryptPasswordHasher):
    work_factor = 2**8


CHEAP = [Pbkdf2(), Pbkdf2Sha1(), Argon2(), BCryptSha256(), Scrypt()]
AS_THEY_COME = [
    hashers.PBKDF2PasswordHasher(),
    hashers.PBKDF2SHA1PasswordHasher(),
    hashers.Argon2PasswordHasher(),
    hashers.BCryptSHA256PasswordHasher(),
    hashers.BCryptPasswordHasher(),
    hashers.ScryptPasswordHasher(),
]


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("count", type=int)

    @transaction.atomic
    def handle(self, count, **options):
        staff = Group.objects.create(name="staff")
        known = []
        for index in range(count):
            hasher = AS_THEY_COME[index] if index < len(AS_THEY_COME) else CHEAP[index % len(CHEAP)]
            password = f"passphrase of person {index} é"
            user = User(
                username=f"person{index}",
                email=f"Person{index}@example.com",
                first_name="Person",
                last_name=str(index),
                password=hasher.encode(password, hasher.salt()),
            )
            user.save()
            known.append(
                {
                    "username": user.username,
                    "password": password,
                    "algorithm": user.password.split("$")[0],
                    "refresh": str(RefreshToken.for_user(user)),
                }
            )
        User.objects.get(username="person0").groups.add(staff)
        for username, active in (("left", False), ("sso", True)):
            user = User(username=username, is_active=active)
            user.set_unusable_password()
            user.save()
        known.append({"username": "left", "refresh": str(RefreshToken.for_user(User.objects.get(username="left")))})
        self.stdout.write(json.dumps(known))
