"""Failed tries, answers already given, settings of the installation, and whether the database is well.

A part of `SqlStore`. Implements `ports.DoorStore`.
"""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from syncline.core.people import Answered, Setting, Tries
from syncline.errors import StoreError
from syncline.store.codec import micros, moment
from syncline.store.dialects import Dialect, fixed
from syncline.store.service_tables import answered, setting, throttle
from syncline.store.session import Rows
from syncline.store.tables import REVISION

_TRIES_COLUMNS = ("name", "tries", "since", "until")
_IS_NAME = throttle.c.name == sa.bindparam("name")
_TRIES = sa.select(throttle.c.tries, throttle.c.since, throttle.c.until).where(_IS_NAME)
_FORGET_TRIES = sa.delete(throttle).where(_IS_NAME)
_FORGET_OLD_TRIES = sa.delete(throttle).where(throttle.c.until < sa.bindparam("before"))

_ANSWER_COLUMNS = ("user", "key", "request", "status", "headers", "body", "at")
_ANSWER = sa.select(*(answered.c[name] for name in _ANSWER_COLUMNS)).where(
    answered.c.user == sa.bindparam("user"), answered.c.key == sa.bindparam("key")
)
_FORGET_ANSWERS = sa.delete(answered).where(answered.c.at < sa.bindparam("before"))

_IS_SETTING = setting.c.name == sa.bindparam("name")
_SETTING = sa.select(setting.c.value, setting.c.revision, setting.c.changed_at).where(_IS_SETTING)
_ADD_SETTING = (
    sa.insert(setting)
    .inline()
    .values({name: sa.bindparam(name) for name in ("name", "value", "changed_at")})
    .values(revision=fixed(1))
)
_CHANGE_SETTING = (
    sa.update(setting)
    .where(_IS_SETTING)
    .values(
        value=sa.bindparam("value"), changed_at=sa.bindparam("now"), revision=setting.c.revision + fixed(1)
    )
)
_REMOVE_SETTING = sa.delete(setting).where(_IS_SETTING)

_VERSION = sa.table("alembic_version", sa.column("version_num"))
_REVISION = sa.select(_VERSION.c.version_num)

_HEADERS = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def _save_tries(dialect: Dialect) -> sa.Insert:
    upsert = dialect.upsert(throttle, ["name"], _TRIES_COLUMNS)
    return upsert.values({name: sa.bindparam(name) for name in _TRIES_COLUMNS})


def _save_answer(dialect: Dialect) -> sa.Insert:
    upsert = dialect.upsert(answered, ["user", "key"], _ANSWER_COLUMNS)
    return upsert.values({name: sa.bindparam(name) for name in _ANSWER_COLUMNS})


class Doors(Rows):
    """Failed tries, answers already given, settings."""

    def tries(self, name: str) -> Tries | None:
        """Failed tries under a name."""
        row = self._row(_TRIES, name=name)
        return None if row is None else Tries(row[0], moment(row[1]), moment(row[2]))

    def save_tries(self, name: str, tries: Tries) -> None:
        """Keep failed tries under a name."""
        self._run(
            _save_tries, name=name, tries=tries.count, since=micros(tries.since), until=micros(tries.until)
        )

    def forget_tries(self, name: str) -> None:
        """Forget the failed tries under a name."""
        self._run(_FORGET_TRIES, name=name)

    def forget_old_tries(self, before: dt.datetime) -> int:
        """Forget all failed tries that refuse nobody since then; answers how many."""
        return self._run(_FORGET_OLD_TRIES, before=micros(before))

    def answered(self, user: int, key: str) -> Answered | None:
        """The answer that a user's request with this key got."""
        row = self._row(_ANSWER, user=user, key=key)
        if row is None:
            return None
        _, _, request, status, headers, body, at = row
        return Answered(user, key, request, status, _HEADERS.decode(headers), bytes(body), moment(at))

    def save_answer(self, answer: Answered) -> None:
        """Keep an answer (replaces an earlier one of the same user and key)."""
        self._run(
            _save_answer,
            user=answer.user,
            key=answer.key,
            request=answer.request,
            status=answer.status,
            headers=msgspec.json.encode(answer.headers).decode(),
            body=answer.body,
            at=micros(answer.at),
        )

    def forget_answers(self, before: dt.datetime) -> int:
        """Forget answers given before a time; answers how many."""
        return self._run(_FORGET_ANSWERS, before=micros(before))

    def setting(self, name: str) -> Setting | None:
        """A setting of the whole installation."""
        row = self._row(_SETTING, name=name)
        return None if row is None else Setting(msgspec.Raw(row[0].encode()), row[1], moment(row[2]))

    def save_setting(
        self, name: str, value: object, now: dt.datetime, revision: int | None = None
    ) -> Setting | None:
        """Keep a setting. With a `revision` only on top of that one (0: only when there is none): None when another is in
        force. The revision grows by one."""
        text = msgspec.json.encode(value, order="deterministic").decode()
        with self._together():
            row = self._row(_SETTING, name=name)
            if revision is not None and revision != (row[1] if row else 0):
                return None
            if row is None:
                self._run(_ADD_SETTING, name=name, value=text, changed_at=micros(now))
            else:
                self._run(_CHANGE_SETTING, name=name, value=text, now=micros(now))
            return self.setting(name)

    def remove_setting(self, name: str) -> bool:
        """Remove a setting; False when there is none."""
        return self._run(_REMOVE_SETTING, name=name) == 1

    def is_current(self) -> bool:
        """Whether the database answers and has the schema that this Syncline works with. Never raises."""
        try:
            row = self._row(_REVISION)
        except StoreError:
            return False
        return row is not None and row[0] == REVISION
