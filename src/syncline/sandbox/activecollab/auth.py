"""Tokens: how they are issued, told apart and revoked, on the cloud and self-hosted (facts: activecollab-api.md 1)."""

from __future__ import annotations

from syncline.sandbox.activecollab import written
from syncline.sandbox.activecollab.calls import Call, Routes, decoded
from syncline.sandbox.activecollab.refusals import Flavour, missing, unauthorised
from syncline.sandbox.activecollab.shapes import User
from syncline.sandbox.activecollab.state import Account, Subscription
from syncline.sandbox.wire import Request, Response

_UNKNOWN_USER, _BAD_PASSWORD = 2, 3


def issue(account: Account, user: User, client_vendor: str, client_name: str) -> str:
    """A token for this user and client. Asked again, the same or (by the quirks) a new one that replaces it."""
    for token, known in list(account.subscriptions.items()):
        if (known.user_id, known.client_vendor, known.client_name) == (user.id, client_vendor, client_name):
            if account.quirks.reissue_keeps_token:
                return token
            del account.subscriptions[token]
    token = f"{user.id}-{account.secret()}"
    subscription = Subscription(
        account.next_id("ApiSubscription"), user.id, client_vendor, client_name, token
    )
    account.subscriptions[token] = subscription
    return token


def authenticate(account: Account, request: Request) -> User:
    """The user behind a request. Raises `RefusedError` (401)."""
    token = request.headers.get("x-angie-authapitoken", "")
    if not token and account.quirks.bearer_is_accepted:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        token = key.strip() if scheme.lower() == "bearer" else ""
    subscription = account.subscriptions.get(token)
    user = account.users.get(subscription.user_id) if subscription else None
    if user is None or user.is_archived or user.is_trashed:
        raise unauthorised()
    return user


def issue_token(account: Account, request: Request) -> Response:
    """`POST /issue-token`: self-hosted only. Failures are HTTP 500 with a numeric type."""
    if account.flavour is Flavour.CLOUD:
        message = "DOMDocument::loadXML(): Argument #1 ($source) must not be empty"
        return Response.json({"type": "ValueError", "message": message, "code": 0}, 500)
    fields = decoded(request.body)
    user = _user_of(account, fields.get("username"))
    if user is None or user.is_archived or user.is_trashed:
        return _failure(_UNKNOWN_USER, "User not found or not active.")
    if not _password_fits(account, user, fields.get("password")):
        return _failure(_BAD_PASSWORD, "Invalid password.")
    return _issued(account, user, fields)


def issue_token_intent(account: Account, request: Request) -> Response:
    """`POST /issue-token-intent`: the cloud's second step. An intent works once."""
    fields = decoded(request.body)
    user_id = account.intents.pop(str(fields.get("intent")), None)
    if user_id is None:
        return Response.json({"type": "InvalidIntent", "message": "Intent is not valid."}, 500)
    return _issued(account, account.users[user_id], fields)


def external_login(account: Account, request: Request) -> Response:
    """`POST https://activecollab.com/api/v1/external/login`: the cloud's first step, with or without a second factor.

    The HTTP status of a failure is not recorded anywhere; 200 is assumed, because clients look at `is_ok`.
    """
    fields = decoded(request.body)
    if "intent_id" in fields:
        user_id = account.intents.pop(str(fields["intent_id"]), 0)
        user = account.users.get(user_id)
        if user is None or account.second_factors.get(user.id) != fields.get("code"):
            return _login_failed()
        return _logged_in(account, user, request)
    user = _user_of(account, fields.get("email"))
    if user is None or not _password_fits(account, user, fields.get("password")):
        return _login_failed()
    if user.id in account.second_factors:
        return Response.json({"intent_id": _intent(account, user)})
    return _logged_in(account, user, request)


def _logged_in(account: Account, user: User, request: Request) -> Response:
    host = request.headers.get("host", "app.activecollab.com")
    return Response.json(
        {
            "is_ok": 1,
            "accounts": [
                {
                    "class": "ActiveCollab\\Shepherd\\Model\\Account\\ActiveCollab\\FeatherAccount",
                    "name": account.id,
                    "display_name": f"#{account.id}",
                    "url": f"http://{host}/{account.id}",
                    "user_display_name": user.display_name,
                    "position": 1,
                    "status": "active",
                }
            ],
            "user": {
                "avatar_url": user.avatar_url,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "intent": _intent(account, user),
            },
        }
    )


def _login_failed() -> Response:
    return Response.json({"is_ok": False, "message": "Login failed"})


def _intent(account: Account, user: User) -> str:
    intent = account.secret(64)
    account.intents[intent] = user.id
    return intent


def _issued(account: Account, user: User, fields: written.Fields) -> Response:
    vendor = written.plain(fields.get("client_vendor"), "client_vendor", account.quirks)
    name = written.plain(fields.get("client_name"), "client_name", account.quirks)
    return Response.json({"is_ok": True, "token": issue(account, user, vendor, name)})


def _user_of(account: Account, email: object) -> User | None:
    wanted = str(email).strip().casefold()
    return next((user for user in account.users.values() if user.email.casefold() == wanted), None)


def _password_fits(account: Account, user: User, password: object) -> bool:
    return bool(password) and account.passwords.get(user.id) == password


def _failure(type_: int, message: str) -> Response:
    return Response.json({"type": type_, "message": message, "code": 0}, 500)


def _subscriptions(call: Call) -> Response:
    _demand_self(call)
    user_id = call.ids[0]
    return Response.json(
        [
            {
                "id": each.id,
                "class": "ApiSubscription",
                "client_vendor": each.client_vendor,
                "client_name": each.client_name,
            }
            for each in call.account.subscriptions.values()
            if each.user_id == user_id
        ]
    )


def _revoke(call: Call) -> Response:
    _demand_self(call)
    user_id, subscription_id = call.ids
    for token, each in list(call.account.subscriptions.items()):
        if each.id == subscription_id and each.user_id == user_id:
            del call.account.subscriptions[token]
            return Response.json({"id": each.id})
    raise missing()


def _logout(call: Call) -> Response:
    """Revokes the token of this very request."""
    headers = call.request.headers
    token = headers.get("x-angie-authapitoken") or headers.get("authorization", "").partition(" ")[2]
    call.account.subscriptions.pop(token, None)
    return Response.json({"is_ok": True})


def _demand_self(call: Call) -> None:
    if call.ids[0] != call.user.id and not call.user.is_owner:
        raise missing()


ROUTES: Routes = {
    ("GET", "users/#/api-subscriptions"): _subscriptions,
    ("DELETE", "users/#/api-subscriptions/#"): _revoke,
    ("POST", "logout"): _logout,
    ("PUT", "logout"): _logout,
}
