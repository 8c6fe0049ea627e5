"""A web application in Flask that signs people in, as Authlib's documentation has it."""

import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for

app = Flask(__name__)
app.secret_key = os.urandom(32)

gatehouse = OAuth(app).register(
    "gatehouse",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)


@app.get("/login")
def login():
    return gatehouse.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    token = gatehouse.authorize_access_token()
    session["id_token"] = token["id_token"]
    session["user"] = {**token["userinfo"], **gatehouse.userinfo(token=token)}
    return redirect(url_for("me"))


@app.get("/me")
def me():
    return session.get("user") or ({}, 401)


@app.get("/logout")
def logout():
    id_token = session.pop("id_token", None)
    session.clear()
    back = url_for("me", _external=True)
    return redirect(gatehouse.create_logout_url(back, id_token)["url"])
