"""People who edit in the vendors' web pages, and the memory of everything they did.

A field's value is kept in a plain form that is the same on both sides, read from the vendor's own state: what a person
sees, whatever the wire says.
"""

from __future__ import annotations

import datetime as dt
import html
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from syncline.sandbox.activecollab import ActiveCollabVendor
from syncline.sandbox.highlevel import HighLevelVendor
from tests.simulation.network import token_of

Plain = Any
"""Text, words, ISO day, `Decimal`, frozen set of labels, yes/no, e-mail; None for blank."""
Held = dict[str, Plain]

PALETTE = ("red", "blue", "green", "amber")
PEOPLE = ("owner@example.test", "member@example.test", None)
FIELDS = {"name": "title", "body": "notes", "due_on": "due", "estimate": "hours", "labels": "tags",
          "is_completed": "status", "assignee": "owner"}  # fmt: skip
"""Our name for each field (ActiveCollab's), with HighLevel's."""
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
    """A number; zero hours are no estimate."""
    return Decimal(str(number)).normalize() if number else None


class Account(Protocol):
    """One vendor, seen through the eyes of a person."""

    name: str

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

    def records(self) -> dict[str, Held]:
        """Tasks outside the trash."""
        return {str(t.id): self._held(t) for t in self.vendor.account.tasks.values() if not t.is_trashed}

    def trashed(self) -> list[str]:
        """Tasks in the trash."""
        return [str(task.id) for task in self.vendor.account.tasks.values() if task.is_trashed]

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

    def create(self, fields: Held, chance: random.Random) -> str:
        """A new task."""
        sent = {"project": chance.choice(self.projects[:2]), **self._sent(fields)}
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

    def create(self, fields: Held, chance: random.Random) -> str:
        """A new record."""
        del chance
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
    run: int
    """How many runs had begun."""


_WORDS = (
    "Zoë’s café",
    "R&D <beta>",
    "naïve",
    "“quoted” & co",
    "日本語",
    "5 > 3",
    "e\u0301tat",
    "🚀 go",
    "plain",
    'a "b"',
)


@dataclass
class Crowd:
    """Everybody who edits, on both sides; `locked` (side, origin) may not be touched now."""

    ac: ActiveCollabAccount
    hl: HighLevelAccount
    chance: random.Random
    trace: Callable[[str], None]
    may_delete: bool = True
    deeds: list[Deed] = field(default_factory=list)
    touches: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    """Edits that changed nothing (side, origin, deeds before it): a vendor may count them as changes all the same."""
    locked: set[tuple[str, int]] = field(default_factory=set)
    pending: Callable[[], set[tuple[str, int]]] = set
    """Copies that may have been made, and that only what they hold can tell: nobody touches them until they are found."""
    run: int = 0
    still: set[int] = field(default_factory=set)
    """Twins that have not met yet: their names stay the same until then."""
    last_token: int = 0

    def account(self, name: str) -> ActiveCollabAccount | HighLevelAccount:
        """By its short name."""
        return self.ac if name == "ac" else self.hl

    def act(self) -> None:
        """Somebody does something."""
        roll = self.chance.random()
        side = self.chance.choice(("ac", "hl"))
        if roll < 0.18:
            self.create(side)
        elif roll < 0.62:
            self.edit(side, self._pick(side))
        elif roll < 0.78:
            self._clash()
        elif roll < 0.90 and self.may_delete:
            self._delete(side)
        else:
            self._tidy()

    def create(self, side: str, token: int = 0) -> int:
        """A new record of a new origin (or of a known one, for twins)."""
        if not token:
            self.last_token += 1
            token = self.last_token
        names = [name for name in FIELDS if name == "name" or self.chance.random() < 0.5]
        fields = {name: self._value(side, name, token) for name in names}
        account = self.account(side)
        key = account.create(fields, self.chance)
        self._note(side, key, token, "made", {}, account.records()[key])
        return token

    def twin(self, token: int, name: str) -> None:
        """The same thing in HighLevel, typed in by somebody else."""
        fields = {each: self._value("hl", each, token) for each in ("due_on", "estimate", "labels")}
        key = self.hl.create({**fields, "name": name}, self.chance)
        self._note("hl", key, token, "made", {}, self.hl.records()[key])
        self.still.add(token)

    def edit(self, side: str, key: str | None, names: list[str] | None = None) -> None:
        """Change one field, rarely two."""
        if key is None:
            return
        account = self.account(side)
        names = names or self.chance.sample(list(FIELDS), 2 if self.chance.random() < 0.2 else 1)
        token = account.token(key)
        before = account.records()[key]
        account.edit(key, {name: self._value(side, name, token, before) for name in names})
        after = account.records()[key]
        changed = [name for name in FIELDS if before[name] != after[name]]
        if changed:
            self._note(
                side, key, token, "edited", {n: before[n] for n in changed}, {n: after[n] for n in changed}
            )
        else:
            self.touches.append((side, token, len(self.deeds)))

    def _clash(self) -> None:
        """The same field of the same thing, on both sides."""
        left = self._pick("ac")
        if left is None:
            return
        token = self.ac.token(left)
        right = next((key for key in self.hl.records() if self.hl.token(key) == token), None)
        if right is None or ("hl", token) in self.locked | self.pending() or token in self.still:
            return
        names = [self.chance.choice(list(FIELDS))]
        for side, key in self.chance.sample([("ac", left), ("hl", right)], 2):
            self.edit(side, key, names)

    def _delete(self, side: str) -> None:
        key = self._pick(side, is_for_good=True)
        if key is None:
            return
        account = self.account(side)
        token, before = account.token(key), account.records()[key]
        account.delete(key)
        self._note(side, key, token, "deleted", before, {})

    def _tidy(self) -> None:
        """Restore, purge, or move between projects."""
        trashed = [key for key in self.ac.trashed() if ("ac", self.ac.token(key)) not in self.locked]
        if trashed and self.chance.random() < 0.6:
            key = self.chance.choice(trashed)
            token = self.ac.token(key)
            if self.chance.random() < 0.75:
                self.ac.act("restore_task", key)
                self._note("ac", key, token, "restored", {}, self.ac.records()[key])
            else:
                self.ac.act("purge_task", key)
                self._note("ac", key, token, "purged", {}, {})
            return
        key = self._pick("ac", is_for_good=True)
        if key is not None:
            token = self.ac.token(key)
            self.ac.act("move_task", key, project=self.chance.choice(self.ac.projects))
            self._note("ac", key, token, "moved", {}, {})

    def _pick(self, side: str, *, is_for_good: bool = False) -> str | None:
        """A record that may be touched; origin 1 is never deleted, so that no side is emptied."""
        account = self.account(side)
        hidden = self.locked | self.pending()
        keys = [k for k in account.records() if (side, account.token(k)) not in hidden]
        keys = [k for k in keys if account.token(k) not in self.still]
        keys = [k for k in keys if not (is_for_good and account.token(k) == 1)]
        return self.chance.choice(keys) if keys else None

    def _value(self, side: str, name: str, token: int, before: Held | None = None) -> Plain:
        chance, unique = self.chance, len(self.deeds)
        if name == "name":
            return f"⟦{token}⟧ {chance.choice(_WORDS)} {unique}"
        if name == "is_completed":
            return not before["is_completed"] if before else chance.random() < 0.3
        if name == "labels":
            held = set(before["labels"]) if before else set[str]()
            return frozenset(held ^ set(chance.sample(PALETTE, chance.choice((1, 1, 2)))))
        if before and chance.random() < 0.2:
            return None if name != "body" or side == "hl" else ""
        if name == "body":
            text = f"{chance.choice(_WORDS)} {unique}\nsecond {chance.choice(_WORDS)}"
            return text if side == "hl" else f"<p>{html.escape(text, quote=False)}</p>"
        if name == "due_on":
            return (dt.date(2026, 1, 1) + dt.timedelta(days=unique % 700)).isoformat()
        if name == "estimate":
            return Decimal(unique + 1) / 4
        return (
            chance.choice(PEOPLE)
            if chance.random() < 0.9
            else f"{'client' if side == 'ac' else 'editor'}@example.test"
        )

    def _note(self, side: str, key: str, token: int, what: str, old: Held, new: Held) -> None:
        self.deeds.append(Deed(len(self.deeds) + 1, side, key, token, what, old, new, self.run))
        shown = {
            name: sorted(value) if isinstance(value, frozenset) else str(value) for name, value in new.items()
        }
        self.trace(f"person {side} ⟦{token}⟧ {key} {what} {shown}")

    def touching(self, token: int) -> Iterator[Deed]:
        """Everything done to an origin's records, on either side."""
        return (deed for deed in self.deeds if deed.token == token)
