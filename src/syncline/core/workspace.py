"""What the workspace holds: items of seven kinds with their fields, attachments, and what each field takes.

`FORMS` is the one table of it: the API's schemas, the connector's object types and all checks are read from it. Used by
`service.workspace`, `connectors.workspace`, `store.workspace` and `web`; checks are in `workspace_checks`, the contract's
statuses in `contracts`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import Enum

import msgspec

from syncline.core.contracts import ContractStatus
from syncline.core.records import Option
from syncline.core.values import FieldType

Plain = str | int | bool | list[str] | dict[str, str]
"""A field's value as it is stored and as the API says it: text (also for decimals, days, moments, e-mails, ids), a whole
number, yes or no, a list of labels, or an amount: {"amount": "12.50", "currency": "EUR"}."""


class ItemType(Enum):
    """The kinds of items."""

    PROJECT = "project"
    DOCUMENT = "document"
    CONTRACT = "contract"
    MILESTONE = "milestone"
    LEAD = "lead"
    TASK = "task"
    PERSON = "person"


class ItemRef(msgspec.Struct, frozen=True):
    """Which item: its kind and its id."""

    kind: ItemType
    id: str


class Stamp(msgspec.Struct, frozen=True):
    """When something was edited, and by whom (an e-mail, a sync's connection, or empty where nobody is known)."""

    at: dt.datetime
    by: str = ""


class Item(msgspec.Struct, frozen=True):
    """One item. Empty fields are not in `fields`. `last_modified` is later than that of every earlier change of any item;
    `change` is that change's number, and only grows too. `deleted_at`: since when it lies in the trash. `edits` says when each field
    was last changed; `external_key` marks what a sync made."""

    id: str
    kind: ItemType
    parent: ItemRef | None
    fields: Mapping[str, Plain]
    revision: int
    created_at: dt.datetime
    last_modified: dt.datetime
    deleted_at: dt.datetime | None = None
    change: int = 0
    by: str = ""
    edits: Mapping[str, Stamp] = {}
    external_key: str = ""

    @property
    def ref(self) -> ItemRef:
        """The item, for others to point to."""
        return ItemRef(self.kind, self.id)

    @property
    def title(self) -> str:
        """What people call it."""
        return str(self.fields.get(FORMS[self.kind].title_field, ""))


class Attachment(msgspec.Struct, frozen=True):
    """A file that hangs on an item. Its bytes are found by `sha256` (hexadecimal); equal bytes are stored once."""

    id: str
    owner: ItemRef
    name: str
    mime: str
    size: int
    sha256: str
    created_at: dt.datetime


class Edition(msgspec.Struct, frozen=True):
    """A document as it was: what it said in one of its versions, until the next one."""

    document: str
    version: int
    title: str
    body: str
    at: dt.datetime
    by: str = ""


class FirstTask(msgspec.Struct, frozen=True):
    """A task that a new project begins with; `due_in` days after today."""

    title: str
    assignee: str = ""
    description: str = ""
    due_in: int | None = None


class ProjectWish(msgspec.Struct, frozen=True):
    """How a lead's project should be. Without a name it is the lead's. `template` is the project whose documents are copied;
    `with_marked` copies every document that is marked as a template. `owner` gets the tasks that name nobody."""

    name: str = ""
    owner: str = ""
    due_on: dt.date | None = None
    template: str = ""
    with_marked: bool = False
    tasks: tuple[FirstTask, ...] = ()


class ItemField(msgspec.Struct, frozen=True):
    """One field of a kind. `options` are the only values where there are some; `default` is what an empty one becomes;
    `references` is the kind of item that its text is the id of; `most` bounds a whole number (from 0), or the length of a
    text."""

    name: str
    title: str
    type: FieldType
    is_required: bool = False
    is_read_only: bool = False
    options: tuple[Option, ...] = ()
    default: Plain | None = None
    references: ItemType | None = None
    is_whole: bool = False
    most: int | None = None
    note: str = ""


class ItemForm(msgspec.Struct, frozen=True):
    """A kind with its fields. `parents`: under what its items can be; `needs_parent`: that they must be."""

    kind: ItemType
    title: str
    title_field: str
    fields: tuple[ItemField, ...]
    parents: tuple[ItemType, ...] = ()
    needs_parent: bool = False

    def field(self, name: str) -> ItemField | None:
        """The field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)


LONGEST_TITLE = 250
LONGEST_TEXT = 1_000
LONGEST_HTML = 1_000_000


def _text(name: str, title: str, most: int = LONGEST_TEXT) -> ItemField:
    return ItemField(name, title, FieldType.TEXT, most=most)


def _title(name: str, title: str) -> ItemField:
    return ItemField(name, title, FieldType.TEXT, is_required=True, most=LONGEST_TITLE)


def _html(name: str, title: str) -> ItemField:
    return ItemField(name, title, FieldType.RICH_TEXT, most=LONGEST_HTML)


def _choice(name: str, title: str, default: str, **options: str) -> ItemField:
    choices = tuple(Option(key, label) for key, label in options.items())
    return ItemField(name, title, FieldType.ONE_OF, options=choices, default=default)


def _of(name: str, title: str, type_: FieldType, note: str = "") -> ItemField:
    return ItemField(name, title, type_, note=note)


def _to(name: str, title: str, kind: ItemType, note: str = "") -> ItemField:
    return ItemField(name, title, FieldType.REFERENCE, references=kind, note=note)


def _yes_no(name: str, title: str, note: str = "") -> ItemField:
    return ItemField(name, title, FieldType.YES_NO, default=False, note=note)


_OWNER = _of("owner", "Owner", FieldType.PERSON)
_START = _of("start_on", "Start", FieldType.DAY)
_DUE = _of("due_on", "Due", FieldType.DAY)
_LABELS = _of("labels", "Labels", FieldType.MANY_OF)

_PROJECT = ItemForm(
    ItemType.PROJECT, "Projects", "name",
    (
        _title("name", "Name"),
        _html("description", "Description"),
        _text("client", "Client"),
        _choice("status", "Status", "active", active="Active", on_hold="On hold", completed="Completed", cancelled="Cancelled"),
        _OWNER, _START, _DUE,
        _of("budget", "Budget", FieldType.MONEY),
        _LABELS,
        _to("lead", "Lead", ItemType.LEAD, "The lead that it came from."),
        _yes_no("is_template", "Is a template", "Its documents are copied into projects that are made from it."),
    ),
)  # fmt: skip
_DOCUMENT = ItemForm(
    ItemType.DOCUMENT, "Documents", "title",
    (
        _title("title", "Title"),
        _html("body", "Text"),
        _choice("status", "Status", "draft", draft="Draft", in_review="In review", approved="Approved", final="Final"),
        ItemField("progress", "Progress (%)", FieldType.NUMBER, is_whole=True, most=100),
        _OWNER, _DUE,
        _to("contract", "Contract", ItemType.CONTRACT),
        _LABELS,
        _yes_no("is_template", "Is a template", "It can be copied into every new project."),
        ItemField(
            "version", "Version", FieldType.NUMBER, is_read_only=True, is_whole=True, default=1,
            note="Counted by the workspace: one more whenever the title or the text changes.",
        ),
    ),
    (ItemType.PROJECT,), needs_parent=True,
)  # fmt: skip
_CONTRACT = ItemForm(
    ItemType.CONTRACT, "Contracts", "title",
    (
        _title("title", "Title"),
        _text("number", "Number", 100),
        _text("client", "Client"),
        _of("parties", "Parties", FieldType.MANY_OF),
        _of("value", "Value", FieldType.MONEY),
        ItemField(
            "status", "Status", FieldType.ONE_OF,
            options=tuple(Option(each.value, each.value.capitalize()) for each in ContractStatus),
            default=ContractStatus.DRAFT.value,
            note="Goes one way only: see the statuses of contracts.",
        ),
        _of("starts_on", "Begins", FieldType.DAY),
        _of("ends_on", "Ends", FieldType.DAY),
        _of("signed_on", "Signed", FieldType.DAY),
        _OWNER,
        _html("terms", "Terms"),
        _to("project", "Project", ItemType.PROJECT),
        _to("document", "Document", ItemType.DOCUMENT),
        _LABELS,
    ),
)  # fmt: skip
_MILESTONE = ItemForm(
    ItemType.MILESTONE, "Milestones", "title",
    (
        _title("title", "Title"),
        _html("description", "Description"),
        _START, _DUE,
        _yes_no("is_completed", "Is completed"),
        _of("completed_on", "Completed", FieldType.DAY),
        _of("value", "Value", FieldType.MONEY),
        _OWNER,
    ),
    (ItemType.PROJECT, ItemType.CONTRACT), needs_parent=True,
)  # fmt: skip
_LEAD = ItemForm(
    ItemType.LEAD, "Leads", "name",
    (
        _title("name", "Name"),
        _text("company", "Company"),
        _text("email", "E-mail", 254),
        _of("phone", "Phone", FieldType.PHONE),
        _text("source", "Source"),
        _choice("status", "Status", "new", new="New", contacted="Contacted", qualified="Qualified", won="Won", lost="Lost"),
        _of("value", "Value", FieldType.MONEY),
        _OWNER,
        _html("notes", "Notes"),
        _LABELS,
        ItemField(
            "project", "Project", FieldType.REFERENCE, is_read_only=True, references=ItemType.PROJECT,
            note="The project that it became: see to_project.",
        ),
    ),
)  # fmt: skip
_TASK = ItemForm(
    ItemType.TASK, "Tasks", "title",
    (
        _title("title", "Title"),
        _html("description", "Description"),
        _of("assignee", "Assignee", FieldType.PERSON),
        _START, _DUE,
        _yes_no("is_completed", "Is completed"),
        _choice("priority", "Priority", "normal", low="Low", normal="Normal", high="High", urgent="Urgent"),
        _of("estimate", "Estimate (hours)", FieldType.NUMBER),
        _to("milestone", "Milestone", ItemType.MILESTONE),
        _LABELS,
    ),
    (ItemType.PROJECT,), needs_parent=True,
)  # fmt: skip
_PERSON = ItemForm(
    ItemType.PERSON, "People", "name",
    (
        _title("name", "Name"),
        _text("email", "E-mail", 254),
        _of("phone", "Phone", FieldType.PHONE),
        _text("company", "Company"),
        _text("role", "Role"),
        _LABELS,
    ),
)  # fmt: skip

FORMS: Mapping[ItemType, ItemForm] = {
    form.kind: form for form in (_PROJECT, _DOCUMENT, _CONTRACT, _MILESTONE, _LEAD, _TASK, _PERSON)
}
"""What each kind of item holds."""
