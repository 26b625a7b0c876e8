"""A world for each ActiveCollab object type beyond tasks, task lists and projects: what a person does there, and samples.

Used by the tests of the ActiveCollab connector; the sandbox and the connection are those of `activecollab_world`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from syncline.core.records import FieldId, ObjectTypeId, RecordKey, Scope
from syncline.core.values import Day, Number, OneOf, Person, Reference, RichText, Text, Value, YesNo
from tests.connectors.activecollab_world import ActiveCollabWorld

OWNER, MEMBER = Person(email="owner@example.test"), Person(email="member@example.test")


def fields(**values: Value) -> dict[FieldId, Value]:
    return {FieldId(name): value for name, value in values.items()}


class CompanyWorld(ActiveCollabWorld):
    """Clients; the one that every account begins with is gone."""

    def _furnish(self) -> None:
        self.act("trash_company", company=2)
        self.scope = Scope(ObjectTypeId("company"), {"role": ("client",)})

    def sample(self, number: int) -> dict[FieldId, Value]:
        return fields(
            name=Text(f"Läden & Söhne {number}"),
            address=Text(f"Street {number}"),
            city=Text(f"Zürich {number}"),
            country=Text(f"Country {number}"),
            phone=Text(f"+41 44 555 00 0{number}"),
            homepage_url=Text(f"https://client{number}.example.test"),
            tax_id=Text(f"CHE-{number}"),
        )


class NoteWorld(ActiveCollabWorld):
    """Notes of the first project."""

    def sample(self, number: int) -> dict[FieldId, Value]:
        return fields(
            name=Text(f"Übergabe {number}"),
            body=RichText("<p>One <b>bold</b> &amp; more</p>" if number == 1 else "<ul><li>two</li></ul>"),
            is_hidden_from_clients=YesNo(yes=number == 1),
        )


class DiscussionWorld(NoteWorld):
    """Discussions of the first project."""


class TimeRecordWorld(ActiveCollabWorld):
    """Hours on the first project. Its listing is made anew each time: two calls at most for the one project."""

    def _furnish(self) -> None:
        super()._furnish()
        self.title = FieldId("summary")

    def sample(self, number: int) -> dict[FieldId, Value]:
        return fields(
            summary=Text(f"Digging {number}"),
            value=Number(Decimal("1.5") * number),
            record_date=Day(dt.date(2026, 3, number)),
            user=OWNER if number == 1 else MEMBER,
            job_type=OneOf(str(number)),
            is_billable=YesNo(yes=number == 1),
        )

    def least(self) -> dict[FieldId, Value]:
        whole = self.sample(1)
        return {name: whole[name] for name in whole if name != "is_billable"}

    def refused(self) -> tuple[FieldId, Value]:
        return FieldId("value"), Number(Decimal(-1))

    async def create(self, title: str) -> RecordKey:
        spent = {"value": 1, "record_date": "2026-03-02", "job_type_id": 1}
        made = self.act(f"create_{self.kind}", project=int(self.first), summary=title, **spent)
        return RecordKey(str(made.id))

    async def rename(self, key: RecordKey, title: str) -> None:
        self.act(f"update_{self.kind}", **self._named(key), summary=title)


class ExpenseWorld(TimeRecordWorld):
    """Money on the first project, which is only read."""

    def sample(self, number: int) -> dict[FieldId, Value]:
        return {}


class SubtaskWorld(ActiveCollabWorld):
    """Subtasks of one task of the first project. Nothing tells a quiet project from a listing of its tasks."""

    def _furnish(self) -> None:
        super()._furnish()
        self.task = str(self.act("create_task", project=int(self.first), name="Parent").id)
        self.fixed = frozenset({FieldId("task")})
        self.other = str(self.act("create_task", project=int(self.first), name="Without").id)

    def sample(self, number: int) -> dict[FieldId, Value]:
        return fields(
            name=Text(f"Step {number}"),
            assignee=OWNER if number == 1 else MEMBER,
            due_on=Day(dt.date(2026, 4, number)),
            is_completed=YesNo(yes=number == 1),
            task=Reference("task", self.task),
        )

    def least(self) -> dict[FieldId, Value]:
        whole = self.sample(1)
        return {name: whole[name] for name in (self.title, *self.fixed)}

    async def create(self, title: str) -> RecordKey:
        return RecordKey(str(self.act("create_subtask", task=int(self.task), body=title).id))

    async def rename(self, key: RecordKey, title: str) -> None:
        self.act("update_subtask", subtask=int(key), body=title)


class CommentWorld(ActiveCollabWorld):
    """Comments on a note of the first project, beside a task and a discussion without any."""

    def _furnish(self) -> None:
        super()._furnish()
        self.title = FieldId("body")
        self.fixed = frozenset({FieldId("note")})
        self.task, self.note, self.discussion = (
            str(self.act(f"create_{kind}", project=int(self.first), name=f"A {kind}").id)
            for kind in ("task", "note", "discussion")
        )

    def sample(self, number: int) -> dict[FieldId, Value]:
        return fields(body=RichText(f"<p>Said <b>{number}</b></p>"), note=Reference("note", self.note))

    def least(self) -> dict[FieldId, Value]:
        return self.sample(1)

    def refused(self) -> tuple[FieldId, Value]:
        return FieldId("body"), RichText("   ")

    async def create(self, title: str) -> RecordKey:
        return RecordKey(str(self.act("add_comment", note=int(self.note), body=f"<p>{title}</p>").id))

    async def rename(self, key: RecordKey, title: str) -> None:
        self.act("update_comment", comment=int(key), body=f"<p>{title}</p>")


class FileWorld(ActiveCollabWorld):
    """Files of the first project, which are only read."""

    def sample(self, number: int) -> dict[FieldId, Value]:
        return {}


class UserWorld(FileWorld):
    """Users who are clients, which are only read; the one that every account begins with is gone."""

    def _furnish(self) -> None:
        self.act("trash_user", person=3)
        self.scope = Scope(ObjectTypeId("user"), {"role": ("client",)})
        self._made = 0

    async def create(self, title: str) -> RecordKey:
        self._made += 1
        email = f"client{self._made}@example.test"
        return RecordKey(str(self.act("create_user", type="Client", email=email, first_name=title).id))

    async def rename(self, key: RecordKey, title: str) -> None:
        self.act("update_user", person=int(key), first_name=title)

    async def delete(self, key: RecordKey) -> None:
        self.act("trash_user", person=int(key))


class LabelWorld(FileWorld):
    """Labels of tasks, which are only read. They know no trash."""

    def _furnish(self) -> None:
        self.scope = Scope(ObjectTypeId("label"))

    async def delete(self, key: RecordKey) -> None:
        self.act("delete_label", label=int(key))


WRITTEN: dict[str, type[ActiveCollabWorld]] = {
    "company": CompanyWorld,
    "note": NoteWorld,
    "time_record": TimeRecordWorld,
    "subtask": SubtaskWorld,
    "comment": CommentWorld,
    "discussion": DiscussionWorld,
}
READ: dict[str, type[ActiveCollabWorld]] = {
    "expense": ExpenseWorld,
    "file": FileWorld,
    "user": UserWorld,
    "label": LabelWorld,
}
