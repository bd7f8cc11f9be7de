"""Authlib, a client library that nobody here wrote, signs a person in to a department's system through the running city,
and does with the tokens what such a system does. Arguments: the issuer, the person's name and password, the tokens of the system and the
security administrator."""

import http.server
import os
import queue
import sys
import threading
import urllib.parse

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # The city of a test speaks HTTP on this machine.

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

issuer, username, password, admin, security = sys.argv[1:6]
CSRF = {"x-jingling-csrf": "1"}

provider = requests.get(f"{issuer}/.well-known/openid-configuration").json()
assert provider["issuer"] == issuer, provider
keys = KeySet.import_key_set(requests.get(provider["jwks_uri"]).json())

# The system's own door where it is told that a session ended.
told = queue.Queue()


class BackChannel(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        told.put(urllib.parse.parse_qs(body)["logout_token"][0])
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), BackChannel)
threading.Thread(target=listener.serve_forever, daemon=True).start()
back_channel = f"http://127.0.0.1:{listener.server_address[1]}/ended"


def registered(**draft):
    made = requests.post(
        f"{issuer}/api/v1/oidc/clients", json=draft, headers={"authorization": f"Bearer {admin}"}
    )
    assert made.status_code == 201, made.text
    made = made.json()
    return made["client"]["client_id"], made["client_secret"]


class Person:
    """What a browser and the person before it do, without the pages."""

    def __init__(self):
        self.browser = requests.Session()
        signed_in = self.browser.post(
            f"{issuer}/api/v1/session", json={"username": username, "password": password}, headers=CSRF
        )
        assert signed_in.status_code == 200, signed_in.text

    def approves(self, address, expects_question=True):
        # From another site no cookie comes along.
        page = requests.get(address, allow_redirects=False)
        assert page.status_code == 303, page.text
        where, asked = page.headers["location"].split("?", 1)
        assert where == "/oidc/authorize", where
        question = self.browser.get(f"{issuer}/api/v1/oidc/authorization?{asked}").json()
        assert question["needs_consent"] == expects_question, question
        return self.answers(asked, True)

    def answers(self, asked, approve):
        answer = self.browser.post(
            f"{issuer}/api/v1/oidc/authorization", json={"query": asked, "approve": approve}, headers=CSRF
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["redirect_to"]


def refused(error, work):
    try:
        work()
    except OAuthError as found:
        assert found.error == error, found
    else:
        raise AssertionError(f"{error} was expected")


client_id, client_secret = registered(
    name="水利调度",
    redirect_uris=["https://water.example/callback?from=jingling"],
    post_logout_redirect_uris=["https://water.example/bye"],
    backchannel_logout_uri=back_channel,
    grants=["authorization_code", "refresh_token"],
    scopes=["openid", "profile", "organisation", "role", "offline_access"],
)
SCOPE = "openid profile organisation role offline_access"


def session(**more):
    return OAuth2Session(
        client_id,
        client_secret,
        scope=SCOPE,
        redirect_uri="https://water.example/callback?from=jingling",
        code_challenge_method="S256",
        **more,
    )


def signed_in(person, expects_question=True):
    system = session()
    verifier, nonce = generate_token(48), generate_token(20)
    address, state = system.create_authorization_url(
        provider["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    back = person.approves(address, expects_question)
    sent = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)
    assert sent["from"] == ["jingling"] and sent["state"] == [state] and sent["iss"] == [issuer], back
    system.state = state
    tokens = system.fetch_token(
        provider["token_endpoint"], authorization_response=back, code_verifier=verifier
    )
    return system, tokens, nonce, (back, verifier)


# A code with PKCE becomes tokens; the ID token is what OpenID Connect says of one.
person = Person()
system, tokens, nonce, (back, verifier) = signed_in(person)
found = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
claims = CodeIDToken(
    found.claims,
    found.header,
    options={"iss": {"value": issuer}, "aud": {"value": client_id}, "nonce": {"value": nonce}},
    params={"nonce": nonce, "client_id": client_id, "access_token": tokens["access_token"]},
)
claims.validate()
assert claims["preferred_username"] == username and claims["name"] == "王敏", claims
assert claims["role"] == "duty" and claims["organisation"] == "shuili", claims
info = system.get(provider["userinfo_endpoint"]).json()
assert info["sub"] == claims["sub"] and info["name"] == "王敏", info

# The person who said yes is not asked again, and finds what was given.
system2, tokens2, _, _ = signed_in(person, expects_question=False)
grants = person.browser.get(f"{issuer}/api/v1/oidc/grants").json()["items"]
assert [g["sign_ins"] for g in grants if g["client_id"] == client_id] == [2], grants

# Introspection and revocation.
worth = system2.introspect_token(provider["introspection_endpoint"], token=tokens2["access_token"]).json()
assert worth["active"] and worth["username"] == username and worth["client_id"] == client_id, worth
system2.revoke_token(provider["revocation_endpoint"], token=tokens2["access_token"])
worth = system2.introspect_token(provider["introspection_endpoint"], token=tokens2["access_token"]).json()
assert worth == {"active": False}, worth
assert requests.get(provider["userinfo_endpoint"], headers={"authorization": f"Bearer {tokens2['access_token']}"}).status_code == 401

# Refresh tokens rotate; one that comes again ends the sign-in.
first = tokens["refresh_token"]
second = system.refresh_token(provider["token_endpoint"], refresh_token=first)
assert second["refresh_token"] != first
third = system.refresh_token(provider["token_endpoint"], refresh_token=second["refresh_token"])
refused("invalid_grant", lambda: session().refresh_token(provider["token_endpoint"], refresh_token=first))
refused(
    "invalid_grant",
    lambda: session().refresh_token(provider["token_endpoint"], refresh_token=third["refresh_token"]),
)
worth = system.introspect_token(provider["introspection_endpoint"], token=third["access_token"]).json()
assert worth == {"active": False}, worth

# So does a code that comes again.
refused(
    "invalid_grant",
    lambda: session(state=urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["state"][0]).fetch_token(
        provider["token_endpoint"], authorization_response=back, code_verifier=verifier
    ),
)

# A system that acts for itself.
machine_id, machine_secret = registered(name="数据同步", grants=["client_credentials"], scopes=["role"])
machine = OAuth2Session(machine_id, machine_secret, scope="role")
own = machine.fetch_token(provider["token_endpoint"], grant_type="client_credentials")
assert own["scope"] == "role" and "refresh_token" not in own, own
access = jwt.decode(own["access_token"], keys, algorithms=["RS256"])
assert access.header["typ"] == "at+jwt" and access.claims["sub"] == machine_id, access.claims
wrong = OAuth2Session(machine_id, "jls_wrong", scope="role")
refused("invalid_client", lambda: wrong.fetch_token(provider["token_endpoint"], grant_type="client_credentials"))

# A screen without a browser.
screen_id, _ = registered(name="大屏", is_public=True, grants=["device_code"], scopes=["openid", "profile"])
begun = requests.post(
    provider["device_authorization_endpoint"], data={"client_id": screen_id, "scope": "openid profile"}
).json()
assert begun["verification_uri"] == f"{issuer}/oidc/device", begun
asked = person.browser.get(f"{issuer}/api/v1/oidc/device", params={"user_code": begun["user_code"].lower()}).json()
assert asked == {"client_name": "大屏", "scopes": ["openid", "profile"]}, asked
said = person.browser.post(
    f"{issuer}/api/v1/oidc/device", json={"user_code": begun["user_code"], "approve": True}, headers=CSRF
)
assert said.status_code == 204, said.text
screen = OAuth2Session(screen_id, token_endpoint_auth_method="none")
shown = screen.fetch_token(
    provider["token_endpoint"],
    grant_type="urn:ietf:params:oauth:grant-type:device_code",
    device_code=begun["device_code"],
)
assert jwt.decode(shown["id_token"], keys, algorithms=["RS256"]).claims["name"] == "王敏"

# The person signs out at the system, and so everywhere.
system, tokens, nonce, _ = signed_in(person, expects_question=False)
sid = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims["sid"]
page = requests.get(
    provider["end_session_endpoint"],
    params={
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": "https://water.example/bye",
        "state": "s 1",
    },
    allow_redirects=False,
)
where, asked = page.headers["location"].split("?", 1)
assert where == "/oidc/logout", page.headers
question = person.browser.get(f"{issuer}/api/v1/oidc/logout?{asked}").json()
assert question["is_this_session"] and question["client_name"] == "水利调度", question
gone = person.browser.post(f"{issuer}/api/v1/oidc/logout", json={"query": asked}, headers=CSRF).json()
assert gone == {"redirect_to": "https://water.example/bye?state=s+1"}, gone
assert person.browser.get(f"{issuer}/api/v1/session").status_code == 401
logout = jwt.decode(told.get(timeout=60), keys, algorithms=["RS256"])
assert logout.header["typ"] == "logout+jwt", logout.header
assert logout.claims["sid"] == sid and logout.claims["aud"] == client_id, logout.claims
assert "http://schemas.openid.net/event/backchannel-logout" in logout.claims["events"], logout.claims
assert "nonce" not in logout.claims, logout.claims

# Keys change; what was signed before is good still.
rotated = requests.post(f"{issuer}/api/v1/oidc/keys", headers={"authorization": f"Bearer {security}"}).json()
assert len(rotated["kids"]) == 2, rotated
now = requests.get(provider["jwks_uri"]).json()["keys"]
assert [key["kid"] for key in now] == rotated["kids"] and "d" not in now[0], now
keys = KeySet.import_key_set({"keys": now})
worth = machine.introspect_token(provider["introspection_endpoint"], token=own["access_token"]).json()
assert worth["active"] and worth["sub"] == machine_id, worth
own = OAuth2Session(machine_id, machine_secret, scope="role").fetch_token(
    provider["token_endpoint"], grant_type="client_credentials"
)
assert jwt.decode(own["access_token"], keys, algorithms=["RS256"]).header["kid"] == rotated["kids"][0]
print("content")
