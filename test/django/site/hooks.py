"""What a site may do when somebody comes for the first time, or with other roles."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group


def find_user(claims):
    """An address that the issuer has verified is as good as the site's own."""
    if claims.get("email_verified") is not True:
        return None
    return get_user_model().objects.filter(email=claims["email"]).first()


def new_user(claims):
    return {"email": claims.get("email", "")}


def on_roles(user, roles, claims):
    user.groups.set([Group.objects.get_or_create(name=role)[0] for role in roles])
    user.is_staff = "staff" in roles
    user.save(update_fields=["is_staff"])
