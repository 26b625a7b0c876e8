"""API tokens: made, recognised, revoked.

Called by `web.security` on every request with a bearer token, and by the token routes. A token is `syn_`, 256 random bits and a
checksum, so that secret scanners know one when they see it and junk is told without asking the database. The store knows its
hash and its last four characters.
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from dataclasses import dataclass, field

from syncline.core.audit import AuditKind
from syncline.core.people import ApiToken, Scope, User, rights_of, widened
from syncline.errors import AccessError, Problem, Refusal, RequestError
from syncline.service.people import People, digest

PREFIX = "syn_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES, _RANDOM_LENGTH, _CHECK_LENGTH = 32, 43, 6
_FORM = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{_RANDOM_LENGTH}}})([0-9A-Za-z]{{{_CHECK_LENGTH}}})")


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token. `text` is shown once."""

    token: ApiToken
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """The token that somebody wants: what it is called, what it may do, and until when."""

    name: str
    scopes: tuple[Scope, ...]
    expires_at: dt.datetime | None = None


def has_form(text: str) -> bool:
    """Whether it could be a token of ours: prefix, length and checksum fit."""
    found = _FORM.fullmatch(text)
    return found is not None and found[2] == _checksum(found[1])


def make(people: People, user: User, rights: frozenset[Scope], wish: Wish) -> MadeToken:
    """A new token of a user whose request carries these rights. It may do no more than they allow, also later on. Raises
    `AccessError` when it is to do more, `RequestError` for an end in the past or too far away."""
    more = sorted(each.value for each in widened(wish.scopes) - rights)
    if more:
        raise AccessError(
            f"You may not give away what you may not do: {', '.join(more)}.", Refusal.MISSING_RIGHT
        )
    now = people.now()
    expires_at = wish.expires_at or now + people.patience.token_longest
    if not now < expires_at <= now + people.patience.token_longest:
        days = people.patience.token_longest.days
        problem = Problem("expires_at", f"is not within the next {days} days.", "Choose an earlier end.")
        raise RequestError("The token cannot end then.", Refusal.INVALID, problems=(problem,))
    text = _text(people.random(_RANDOM_BYTES))
    token = ApiToken(0, user.id, wish.name, text[-4:], wish.scopes, now, expires_at)
    with people.store.transaction():
        kept = people.store.add_token(token, digest(text))
        scopes = sorted(each.value for each in wish.scopes)
        people.note(AuditKind.TOKEN_MADE, user.id, kept.id, scopes=scopes, until=expires_at.isoformat())
    return MadeToken(kept, text)


def recognise(people: People, text: str) -> tuple[User, ApiToken] | None:
    """Whose token this is; None when it is none, or not in force, or its user may not come in any more."""
    if not has_form(text):
        return None
    token = people.store.token_by_hash(digest(text))
    now = people.now()
    if token is None or not token.is_in_force(now):
        return None
    user = people.store.user(token.user)
    if user is None or not user.is_active:
        return None
    if token.used_at is None or now - token.used_at >= people.patience.noted:
        people.store.use_token(token.id, now)
    return user, token


def rights(user: User, token: ApiToken) -> frozenset[Scope]:
    """What a request with this token may do: never more than its user may do now."""
    return widened(token.scopes) & rights_of(user.role)


def revoke(people: People, by: int, token: ApiToken) -> None:
    """Take a token out of force for good. One that was revoked before stays so."""
    with people.store.transaction():
        if people.store.revoke_token(token.id, people.now()):
            people.note(AuditKind.TOKEN_REVOKED, by, token.id)


def _text(random: bytes) -> str:
    body = _base62(int.from_bytes(random, "big"), _RANDOM_LENGTH)
    return f"{PREFIX}{body}{_checksum(body)}"


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
