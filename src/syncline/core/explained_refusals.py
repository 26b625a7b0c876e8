"""Every reason for which the service refuses a request into plain sentences: texts of the catalogue.

Read by `catalogue` alone. Nothing in here tells whether somebody has an account.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncline.core.explained_errors import Told
from syncline.errors import Refusal

_NOTHING = "Nothing was changed."

REFUSALS: Mapping[Refusal, Told] = {
    Refusal.NOT_LOGGED_IN: Told(
        "Not logged in",
        "The request carries no session and no API token, or one that has ended.",
        _NOTHING,
        "Log in, or send a token that is in force as `Authorization: Bearer syn_…`.",
    ),
    Refusal.WRONG_LOGIN: Told(
        "E-mail or password is wrong",
        "The two do not belong together, or the account is not active.",
        _NOTHING,
        "Check both. An admin can set a new password.",
    ),
    Refusal.TOO_MANY_TRIES: Told(
        "Too many tries",
        "Too many attempts failed from this address, or for this account.",
        "The attempt was not looked at.",
        "Wait as long as `Retry-After` says, then try once.",
    ),
    Refusal.MISSING_RIGHT: Told(
        "A right is missing",
        "The role of the user, or the scopes of the token, do not allow this.",
        _NOTHING,
        "Ask an admin for the role, or make a token with the scope that the message names.",
    ),
    Refusal.SESSION_ONLY: Told(
        "Only for people who are logged in",
        "This cannot be done with an API token.",
        _NOTHING,
        "Log in with e-mail and password, and do it there.",
    ),
    Refusal.FOREIGN_ORIGIN: Told(
        "The request comes from another site",
        "The browser says that another site made it send this request.",
        _NOTHING,
        "Open Syncline itself. Where the address is right, set the service's public address to it.",
    ),
    Refusal.NO_CSRF_TOKEN: Told(
        "The CSRF token is missing or wrong",
        "A request that changes something came with a session's cookie, and without the session's token.",
        _NOTHING,
        "Send the `csrf_token` of `GET /api/v1/session` in the header `X-CSRF-Token`.",
    ),
    Refusal.WRONG_SETUP_CODE: Told(
        "The set-up code is wrong",
        "It is not the code that the service printed when it last started.",
        _NOTHING,
        "Copy the code from the service's output; start the service again for a new one.",
    ),
    Refusal.SET_UP_ALREADY: Told(
        "Set up already",
        "There is a user, so the first-run set-up is over.",
        _NOTHING,
        "Log in. An admin can add users.",
    ),
    Refusal.LAST_ADMIN: Told(
        "The last admin stays",
        "Nobody would be left who may add users and change connections.",
        _NOTHING,
        "Make somebody else an admin first.",
    ),
    Refusal.EMAIL_TAKEN: Told(
        "The e-mail is taken",
        "There is a user with this e-mail.",
        _NOTHING,
        "Choose another, or change that user.",
    ),
    Refusal.WEAK_PASSWORD: Told(
        "The password is too easy",
        "It is too short, too uniform, or holds the e-mail.",
        _NOTHING,
        "Choose at least 12 characters; a few unrelated words are best.",
    ),
    Refusal.INVALID: Told(
        "The request has faults",
        "Something in it is missing or has the wrong form.",
        _NOTHING,
        "Mend what `errors` lists; each fault has its place.",
    ),
    Refusal.NOT_THERE: Told(
        "Not there",
        "Nothing is at this address, or no longer.",
        _NOTHING,
        "Check the address against the API's document.",
    ),
    Refusal.METHOD: Told(
        "The method is not allowed here",
        "The address is right, and something else can be done with it.",
        _NOTHING,
        "Use one of the methods that `Allow` names.",
    ),
    Refusal.HOST: Told(
        "Not a name of this service",
        "The `Host` header names none of the hosts that the service trusts.",
        _NOTHING,
        "Use the service's own address, or add the host to its trusted hosts.",
    ),
    Refusal.TOO_LARGE: Told(
        "The request is too large",
        "Its body is longer than the service takes.",
        "It was not read to its end.",
        "Send less, in several requests where that is possible.",
    ),
    Refusal.NO_REVISION: Told(
        "`If-Match` is missing",
        "A change of the configuration has to say which revision it is made on.",
        _NOTHING,
        "Read it first, then send its `ETag` as `If-Match`.",
    ),
    Refusal.OLD_REVISION: Told(
        "Somebody changed it meanwhile",
        "The revision in `If-Match` is not the one in force.",
        _NOTHING,
        "Read it again, look at what changed, and send the change on top of it.",
    ),
    Refusal.KEY_REUSED: Told(
        "The idempotency key belongs to another request",
        "The same `Idempotency-Key` came with another address or another body.",
        _NOTHING,
        "Make a new key for each new request.",
    ),
    Refusal.KEY_IN_FLIGHT: Told(
        "The same request is being worked on",
        "A request with this `Idempotency-Key` has not been answered yet.",
        "The first one goes on.",
        "Ask again in a moment, with the same key.",
    ),
    Refusal.CURSOR: Told(
        "The cursor cannot be used",
        "It is not one that this list gave out.",
        _NOTHING,
        "Begin without a cursor, then follow `next_cursor`.",
    ),
    Refusal.NAME_TAKEN: Told(
        "There is one of this name",
        "Something of this kind has the name already.",
        _NOTHING,
        "Choose another name, or change the one that is there.",
    ),
    Refusal.IN_FILE: Told(
        "It is kept in `syncline.yaml`",
        "What the configuration file holds is not changed over the API.",
        _NOTHING,
        "Change it in the file, or take it out there and add it over the API.",
    ),
    Refusal.IN_USE: Told(
        "It is in use",
        "A sync, or the draft of one, needs it.",
        _NOTHING,
        "Remove the sync first, or let it use another connection.",
    ),
    Refusal.OTHER_ACCOUNT: Told(
        "The credentials are of another account or user",
        "They work, but they open something else than the ones they were to replace.",
        "The old credentials stay in force.",
        "Take credentials of the same account and user; for another account, add another connection.",
    ),
    Refusal.NOT_WORKING: Told(
        "The credentials do not work",
        "The new credentials were tested, and the vendor refuses them, they lack a right, or it cannot be asked.",
        "The old credentials stay in force.",
        "Do what the problems say, then try again.",
    ),
    Refusal.TRANSITION: Told(
        "Not from this status",
        "The status cannot become that one from what it is now: a contract goes its way step by step.",
        _NOTHING,
        "Choose one of those that the remedy of the answer names.",
    ),
    Refusal.AUTHORISATION: Told(
        "The authorisation cannot be finished",
        "It was not begun here, was finished before, took too long, or was begun by somebody else.",
        _NOTHING,
        "Begin it again, and finish it in the same browser.",
    ),
    Refusal.BUG: Told(
        "A bug",
        "Something happened that should not.",
        "What was done before it stays done; the service goes on.",
        "Report it with the id of the request: the log has more under it.",
    ),
}
