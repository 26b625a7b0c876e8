"""People who edit in the vendors' web pages, and the memory of everything they did.

A field's value is kept in a plain form that is the same on both sides, read from the vendor's own state: what a person
sees, whatever the wire says.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from syncline.sandbox.activecollab import ActiveCollabVendor
from syncline.sandbox.highlevel import HighLevelVendor
from tests.simulation.network import token_of
from tests.simulation.script import Act, Delete, Make, Move, Purge, Restore, Type, to_plain
from tests.simulation.weather import FIELDS

Plain = Any
"""Text, words, ISO day, `Decimal`, frozen set of labels, yes/no, e-mail; None for blank."""
Held = dict[str, Plain]

_HUNDREDTH = Decimal("0.01")
PALETTE = ("red", "blue", "green", "amber")
PEOPLE = ("owner@example.test", "member@example.test", None)
OBJECT = "custom_objects.ticket"


def plain_text(text: object) -> str | None:
    """Text as a reader sees it."""
    return unicodedata.normalize("NFC", str(text or "")).strip() or None


def plain_words(text: object) -> str | None:
    """The words of a text."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", str(text or "")))) or None


def words_of_html(markup: object) -> str | None:
    """The words of HTML."""
    return plain_words(html.unescape(re.sub(r"<[a-zA-Z/][^>]*>", " ", str(markup or ""))))


def plain_number(number: object) -> Decimal | None:
    """A number to hundredths, which is as exactly as it is kept everywhere; zero hours are no estimate."""
    return Decimal(str(number)).quantize(_HUNDREDTH).normalize() if number else None


class Account(Protocol):
    """One vendor, seen through the eyes of a person."""

    name: str

    def live(self) -> list[str]:
        """The keys of what is there."""
        ...

    def record(self, key: str) -> Held | None:
        """One record; None when it is not there."""
        ...

    def records(self) -> dict[str, Held]:
        """What is there, by key."""
        ...

    def token(self, key: str) -> int:
        """The origin of a record, 0 when it is not there."""
        ...


class ActiveCollabAccount:
    """Tasks of ActiveCollab; the third project is outside the sync's filter."""

    name = "ac"

    def __init__(self, vendor: ActiveCollabVendor) -> None:
        self.vendor = vendor
        self.projects = [
            vendor.control("create_project", {"name": name, "members": [1, 2, 3]}).id  # type: ignore[attr-defined]
            for name in ("First", "Second", "Elsewhere")
        ]

    def token(self, key: str) -> int:
        """From the name, in the trash too."""
        task = self.vendor.account.tasks.get(int(key)) if key.isdigit() else None
        return token_of(task.name) if task else 0

    def live(self) -> list[str]:
        """Tasks outside the trash."""
        return [str(task.id) for task in self.vendor.account.tasks.values() if not task.is_trashed]

    def record(self, key: str) -> Held | None:
        """A task outside the trash."""
        task = self.vendor.account.tasks.get(int(key)) if key.isdigit() else None
        return None if task is None or task.is_trashed else self._held(task)

    def records(self) -> dict[str, Held]:
        """Tasks outside the trash."""
        return {str(t.id): self._held(t) for t in self.vendor.account.tasks.values() if not t.is_trashed}

    def trashed(self) -> list[str]:
        """Tasks in the trash."""
        return [str(task.id) for task in self.vendor.account.tasks.values() if task.is_trashed]

    def is_bare(self, key: str) -> bool:
        """Never: a task is open or completed."""
        del key
        return False

    def is_in_scope(self, key: str) -> bool:
        """Whether the sync's filter lets the task in."""
        return self.vendor.account.tasks[int(key)].project_id in self.projects[:2]

    def _held(self, task: Any) -> Held:
        users = self.vendor.account.users
        day = dt.datetime.fromtimestamp(task.due_on, dt.UTC).date().isoformat() if task.due_on else None
        return {
            "name": plain_text(task.name),
            "body": words_of_html(task.body),
            "due_on": day,
            "estimate": plain_number(task.estimate),
            "labels": frozenset(label.name for label in task.labels if label.name in PALETTE),
            "is_completed": bool(task.is_completed),
            "assignee": users[task.assignee_id].email if task.assignee_id else None,
        }

    def create(self, fields: Held, project: int = 0) -> str:
        """A new task."""
        sent = {"project": self.projects[project], **self._sent(fields)}
        key = str(self.vendor.control("create_task", sent).id)  # type: ignore[attr-defined]
        if fields.get("is_completed"):
            self.vendor.control("complete_task", {"task": int(key)})
        return key

    def edit(self, key: str, fields: Held) -> None:
        """Change some fields."""
        if sent := self._sent(fields):
            self.vendor.control("update_task", {"task": int(key), **sent})
        if "is_completed" in fields:
            self.vendor.control(
                "complete_task" if fields["is_completed"] else "open_task", {"task": int(key)}
            )

    def _sent(self, fields: Held) -> dict[str, object]:
        sent = {
            name: value
            for name, value in fields.items()
            if name not in ("assignee", "is_completed", "labels")
        }
        if "labels" in fields:
            sent["labels"] = sorted(fields["labels"])
        if "assignee" in fields:
            users = self.vendor.account.users.values()
            sent["assignee_id"] = next((user.id for user in users if user.email == fields["assignee"]), 0)
        if sent.get("estimate"):
            sent |= {"job_type_id": 1, "estimate": float(sent["estimate"])}
        return sent

    def delete(self, key: str) -> None:
        """Into the trash."""
        self.vendor.control("trash_task", {"task": int(key)})

    def act(self, action: str, key: str, **more: object) -> None:
        """Anything else."""
        self.vendor.control(action, {"task": int(key), **more})


class HighLevelAccount:
    """Records of HighLevel's custom object."""

    name = "hl"

    def __init__(self, vendor: HighLevelVendor) -> None:
        self.vendor = vendor
        self._users = {id_: email for email, id_ in vendor.account.user_ids_by_email.items()}

    def _rows(self) -> Mapping[str, Any]:
        world = self.vendor._world
        return world.object_of(self.vendor.account.location_ids[0], OBJECT).table.rows

    def token(self, key: str) -> int:
        """From the title."""
        row = self._rows().get(key)
        return token_of(row.properties.get("title")) if row else 0

    def live(self) -> list[str]:
        """All of them."""
        return list(self._rows())

    def record(self, key: str) -> Held | None:
        """One of them."""
        row = self._rows().get(key)
        return None if row is None else self._held(row)

    def is_bare(self, key: str) -> bool:
        """Whether nobody has said yet if it is done."""
        return self._rows()[key].properties.get("status") is None

    def records(self) -> dict[str, Held]:
        """All of them."""
        return {key: self._held(row) for key, row in self._rows().items()}

    def _held(self, row: Any) -> Held:
        found = row.properties
        return {
            "name": plain_text(found.get("title")),
            "body": plain_words(found.get("notes")),
            "due_on": found.get("due"),
            "estimate": plain_number(found.get("hours")),
            "labels": frozenset(found.get("tags") or ()) & frozenset(PALETTE),
            "is_completed": found.get("status") == "done",
            "assignee": self._users[row.owner[0]] if row.owner else None,
        }

    def create(self, fields: Held, project: int = 0) -> str:
        """A new record; there are no projects here."""
        del project
        made = self.vendor.control("create_record", {"object": OBJECT, **self._sent(fields)})
        return str(made["id"])  # type: ignore[index]

    def edit(self, key: str, fields: Held) -> None:
        """Change some fields."""
        self.vendor.control("update_record", {"object": OBJECT, "id": key, **self._sent(fields)})

    def _sent(self, fields: Held) -> dict[str, object]:
        sent: dict[str, object] = {
            FIELDS[name]: value for name, value in fields.items() if name != "assignee"
        }
        if "labels" in fields:
            sent["tags"] = sorted(fields["labels"])
        if "is_completed" in fields:
            sent["status"] = "done" if fields["is_completed"] else "open"
        if fields.get("estimate"):
            sent["hours"] = float(fields["estimate"])
        out: dict[str, object] = {"properties": sent}
        if "assignee" in fields:
            users = {email: id_ for id_, email in self._users.items()}
            out["owner"] = [users[fields["assignee"]]] if fields["assignee"] else []
        return out

    def delete(self, key: str) -> None:
        """For good: there is no trash."""
        self.vendor.control("delete_record", {"object": OBJECT, "id": key})


@dataclass(frozen=True)
class Deed:
    """One thing a person did: field values before and after (None for the whole: made, or deleted)."""

    number: int
    side: str
    key: str
    token: int
    what: str
    old: Held
    new: Held
    at: dt.datetime
    """By the vendors' clocks."""
    run: int
    """How many runs had begun."""
    looked: int = 0
    """How many of them had come to their end, and had not been stopped by a brake."""


@dataclass
class Crowd:
    """Everybody who edits, on both sides; `locked` (side, origin) may not be touched now.

    Acts come from a script; one that is not possible (nothing there, or kept from people's hands now) does not happen.
    """

    ac: ActiveCollabAccount
    hl: HighLevelAccount
    trace: Callable[[str], None]
    now: Callable[[], dt.datetime]
    deeds: list[Deed] = field(default_factory=list)
    touches: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    """Edits that changed nothing (side, origin, deeds before it): a vendor may count them as changes all the same."""
    locked: set[tuple[str, int]] = field(default_factory=set)
    pending: Callable[[], set[tuple[str, int]]] = set
    """Copies that may have been made, and that only what they hold can tell: nobody touches them until they are found."""
    doubtful: Callable[[], set[int]] = set
    """Origins with a write whose outcome is not known."""
    run: int = 0
    looked: int = 0
    still: set[int] = field(default_factory=set)
    """Twins that have not met yet: their names stay the same until then."""

    def account(self, name: str) -> ActiveCollabAccount | HighLevelAccount:
        """By its short name."""
        return self.ac if name == "ac" else self.hl

    def keys(self, side: str, token: int) -> list[str]:
        """The records of an origin on one side."""
        account = self.account(side)
        return [key for key in account.live() if account.token(key) == token]

    def held(self, side: str, key: str) -> Held:
        """What a record that is there holds."""
        found = self.account(side).record(key)
        assert found is not None
        return found

    def may_touch(self, side: str, token: int) -> bool:
        """Whether people may touch an origin's record now."""
        return token in self.free(side, [token])

    def free(self, side: str, tokens: Iterable[int]) -> set[int]:
        """The origins whose records on a side people may touch now."""
        barred = self.locked | self.pending()
        return {token for token in tokens if (side, token) not in barred and token not in self.still}

    def do(self, act: Act) -> bool:
        """Somebody does this; False when it cannot be done (any more)."""
        match act:
            case Make():
                return self._make(act)
            case Type(side, token, fields, nth):
                return self._at(side, token, nth, lambda key: self._type(side, key, to_plain(fields)))
            case Delete(side, token, nth):
                return self._at(side, token, nth, lambda key: self._delete(side, key))
            case Move(token, project, nth):
                return self._at("ac", token, nth, lambda key: self._move(key, project))
            case Restore(token, nth) | Purge(token, nth):
                trashed = [key for key in self.ac.trashed() if self.ac.token(key) == token]
                if nth >= len(trashed) or ("ac", token) in self.locked:
                    return False
                self._empty(trashed[nth], is_restore=isinstance(act, Restore))
        return True

    def _at(self, side: str, token: int, nth: int, act: Callable[[str], None]) -> bool:
        keys = self.keys(side, token)
        if nth >= len(keys) or not self.may_touch(side, token):
            return False
        act(keys[nth])
        return True

    def _make(self, act: Make) -> bool:
        account = self.account(act.side)
        if act.is_twin and self.keys(act.side, act.token):
            return False
        key = account.create(to_plain(act.fields), act.project)
        self._note(act.side, key, act.token, "made", {}, self.held(act.side, key))
        if act.is_twin:
            self.still.add(act.token)
        return True

    def _type(self, side: str, key: str, fields: Held) -> None:
        account = self.account(side)
        token, before = account.token(key), self.held(side, key)
        account.edit(key, fields)
        after = self.held(side, key)
        changed = [name for name in FIELDS if before[name] != after[name]]
        if changed:
            self._note(
                side, key, token, "edited", {n: before[n] for n in changed}, {n: after[n] for n in changed}
            )
        else:
            self.touches.append((side, token, len(self.deeds)))

    def _delete(self, side: str, key: str) -> None:
        account = self.account(side)
        token, before = account.token(key), self.held(side, key)
        account.delete(key)
        self._note(side, key, token, "deleted", before, {})

    def _move(self, key: str, project: int) -> None:
        token = self.ac.token(key)
        self.ac.act("move_task", key, project=self.ac.projects[project])
        self._note("ac", key, token, "moved", {}, {})

    def _empty(self, key: str, *, is_restore: bool) -> None:
        token = self.ac.token(key)
        if is_restore:
            self.ac.act("restore_task", key)
            self._note("ac", key, token, "restored", {}, self.held("ac", key))
        else:
            self.ac.act("purge_task", key)
            self._note("ac", key, token, "purged", {}, {})

    def _note(self, side: str, key: str, token: int, what: str, old: Held, new: Held) -> None:
        number = len(self.deeds) + 1
        self.deeds.append(Deed(number, side, key, token, what, old, new, self.now(), self.run, self.looked))
        shown = {
            name: sorted(value) if isinstance(value, frozenset) else str(value) for name, value in new.items()
        }
        self.trace(f"person {side} ⟦{token}⟧ {key} {what} {shown}")

    def touching(self, token: int) -> Iterator[Deed]:
        """Everything done to an origin's records, on either side."""
        return (deed for deed in self.deeds if deed.token == token)
