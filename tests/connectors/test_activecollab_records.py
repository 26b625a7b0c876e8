"""ActiveCollab's JSON in all its shapes into sheets, records, payloads and errors; no HTTP here."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.connectors.activecollab.attributes import Directory, User, escaped
from syncline.connectors.activecollab.client import api_url, decode, single, split
from syncline.connectors.activecollab.dialect import ActiveCollabDialect, Credentials
from syncline.connectors.activecollab.forms import FORMS
from syncline.connectors.activecollab.listing import Cursor, Mark
from syncline.connectors.activecollab.records import to_edits, to_payload, to_record
from syncline.connectors.activecollab.work_forms import TASK
from syncline.connectors.activecollab.writing import cost
from syncline.connectors.http import Answer
from syncline.core.records import Create, Edit, FieldId, RecordKey, Restore, Update, Write
from syncline.core.values import (
    BLANK,
    Day,
    ManyOf,
    Number,
    OneOf,
    Person,
    RichText,
    Text,
    Value,
    YesNo,
    canonical,
)
from syncline.errors import AuthError, ConnectorError, NotFoundError, RejectedError

PEOPLE = Directory((User("7", "member@example.test", "Member Two"),))


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def record(**json: object) -> dict[FieldId, Value]:
    return dict(to_record(TASK, {"id": 1, **json}, PEOPLE, "https://ac.example").fields)


# --- listings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b" \n[ ]",
        b'{"tasks":null,"completed_task_ids":null}',
        b'{"tasks":[],"trashed_task_ids":[],"project":null}',
        b"{}",
    ],
)
def test_an_empty_collection_has_many_shapes(body: bytes) -> None:
    assert list(split(answer(body)).keys) == []


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id":11,"name":"a"},{"id":12,"name":"b"}]',
        b'[{"class":"Task","id":11},{"labels":[{"id":5}],"id":12}]',
        b'[{"id":11,"name":"a"},{"name":"b","id":12}]',
        b'[\n  {\n    "id": 11\n  },\n  {\n    "id": 12\n  }\n]',
        b'[{"id":11},{"id":12}]',
        b'{"tasks":[{"id":11,"x":"id\\":99"},{"id":12}],"completed_task_ids":[13]}',
    ],
)
def test_ids_are_read_wherever_they_stand(body: bytes) -> None:
    assert list(split(answer(body)).keys) == ["11", "12"]


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=4), max_size=5))
def test_a_digest_is_of_the_bytes_of_each_object(objects: list[dict[str, object]]) -> None:
    objects = [{**each, "id": number} for number, each in enumerate(objects)]
    sheet, again = split(answer(objects)), split(answer(list(reversed(objects))))

    assert dict(zip(sheet.keys, sheet.digests, strict=True)) == dict(
        zip(again.keys, again.digests, strict=True)
    )
    assert [decode(raw) for raw in sheet.raws] == objects


@pytest.mark.parametrize("body", [b"", b"<html>", b'[{"name":"no id"}]', b'"text"', b"[1]", b'[{"id":"x"}]'])
def test_what_is_no_listing_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(ConnectorError, match="right URL"):
        split(answer(body))


def test_one_object_comes_in_a_wrapper_or_without() -> None:
    assert single(answer({"single": {"id": 1}, "comments": []})) == single(answer({"id": 1}))
    for nothing in ({}, {"single": None}, {"single": []}):
        with pytest.raises(ConnectorError):
            single(answer(nothing))


def test_a_cursor_survives_its_text() -> None:
    cursor = Cursor({"7": Mark("abc", 12.5, is_settled=True)})

    assert Cursor.parse(cursor.text()) == cursor
    assert [Cursor.parse(text) for text in (None, "", "{}", "[]", "\x00")] == [None] * 5


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("https://projects.example.com/", "https://projects.example.com/api/v1"),
        ("https://example.com/tools/ac", "https://example.com/tools/ac/api/v1"),
        ("https://app.activecollab.com/123456", "https://app.activecollab.com/123456/api/v1"),
        ("https://app.activecollab.com/123456/api/v1/", "https://app.activecollab.com/123456/api/v1"),
    ],
)
def test_the_api_is_below_the_address(address: str, url: str) -> None:
    assert api_url(address) == url


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("due", [1400025600, "2014-05-14", 1400025600.0])
def test_a_day_is_an_epoch_or_a_text(due: object) -> None:
    assert record(due_on=due)[FieldId("due_on")] == Day(dt.date(2014, 5, 14))


@pytest.mark.parametrize(
    ("attribute", "empty"),
    [
        ("assignee_id", 0),
        ("assignee_id", None),
        ("task_list_id", 0),
        ("due_on", None),
        ("due_on", ""),
        ("estimate", 0),
        ("estimate", 0.0),
        ("labels", []),
        ("labels", None),
        ("body", None),
        ("body", ""),
        ("completed_on", None),
    ],
)
def test_nothing_has_many_shapes(attribute: str, empty: object) -> None:
    assert list(record(**{attribute: empty}).values()) == [BLANK]


def test_an_attribute_that_did_not_come_is_unseen() -> None:
    assert record(name="Only a name") == {FieldId("name"): Text("Only a name")}


def test_a_person_without_a_known_email_is_its_id() -> None:
    assert record(assignee_id=7)[FieldId("assignee")] == Person("member@example.test", "7", "Member Two")
    assert record(assignee_id=8)[FieldId("assignee")] == Person(id="8")


def test_labels_are_names() -> None:
    labels = [{"id": 1, "name": "NEW"}, {"id": 2, "name": "BUG"}]

    assert record(labels=labels)[FieldId("labels")] == ManyOf(("NEW", "BUG"))
    assert record(labels=["NEW"])[FieldId("labels")] == ManyOf(("NEW",))


def test_a_payload_says_everything_the_vendors_way() -> None:
    fields: dict[str, Value] = {
        "name": Text("Name"),
        "body": RichText("<p>a & b</p>"),
        "assignee": Person(email="MEMBER@example.test"),
        "task_list": OneOf("12"),
        "labels": ManyOf(("NEW", "BUG", "NEW")),
        "due_on": Day(dt.date(2026, 5, 1)),
        "estimate": Number(Decimal("1.25")),
        "is_important": YesNo(yes=True),
        "is_completed": YesNo(yes=True),
    }

    assert to_payload(TASK, {FieldId(name): value for name, value in fields.items()}, PEOPLE) == {
        "name": "Name",
        "body": "<p>a &amp; b</p>",
        "assignee_id": 7,
        "task_list_id": 12,
        "labels": ["BUG", "NEW"],
        "due_on": "2026-05-01",
        "estimate": 1.25,
        "is_important": True,
    }


def test_a_payload_clears_with_null_zero_and_empty() -> None:
    names = ["body", "assignee", "task_list", "labels", "start_on", "due_on", "estimate", "is_important"]

    assert to_payload(TASK, {FieldId(name): BLANK for name in names}, PEOPLE) == {
        "body": "",
        "assignee_id": 0,
        "task_list_id": 0,
        "labels": [],
        "start_on": None,
        "due_on": None,
        "estimate": 0,
        "is_important": False,
    }


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_what_is_read_only_is_refused_by_name(form: object) -> None:
    for attribute in form.attributes:
        if attribute.is_read_only:
            with pytest.raises(RejectedError) as caught:
                to_payload(form, {attribute.id: BLANK}, PEOPLE)
            assert caught.value.field == attribute.id


@given(st.text(alphabet="<>&ab;/ !-1p\n"))
def test_escaping_changes_nothing_that_a_reader_sees_and_is_done_once(html: str) -> None:
    assert escaped(escaped(html)) == escaped(html)
    if "<" not in html:
        assert canonical(RichText(escaped(html))) == canonical(RichText(html))


def test_history_tells_the_latest_edit_in_any_order_and_shape() -> None:
    history: list[dict[str, object]] = [
        {
            "timestamp": 20,
            "created_by_email": "a@example.test",
            "modifications": {"assignee_id": [0, 7, "x"]},
        },
        {
            "timestamp": 10,
            "created_by_id": 3,
            "modifications": {"assignee_id": [7, 0], "due_on": [None, "2026-01-01"]},
        },
        {"timestamp": 30, "modifications": []},
        {"timestamp": None, "modifications": {"name": ["a", "b"]}},
    ]

    assert to_edits(history) == {
        FieldId("assignee"): Edit(dt.datetime.fromtimestamp(20, dt.UTC), "a@example.test"),
        FieldId("due_on"): Edit(dt.datetime.fromtimestamp(10, dt.UTC), "3"),
    }


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "error", "field"),
    [
        (
            500,
            {"type": "ValidationErrors", "field_errors": {"assignee_id": ["No such user."]}},
            RejectedError,
            "assignee",
        ),
        (400, {"message": "Bad", "field_errors": {"name": "Name is required"}}, RejectedError, "name"),
        (500, {"message": "Job type is required for tasks with estimates"}, RejectedError, "estimate"),
        (500, {"type": "RuntimeException", "message": "Failed to match 'x/y' path."}, RejectedError, None),
        (404, {"type": "RuntimeException", "message": "Failed to match 'x/y' path."}, RejectedError, None),
        (500, {"type": "InvalidParamError", "message": "Bad value"}, RejectedError, None),
        (401, b"", AuthError, None),
        (404, b"", NotFoundError, None),
        (403, {"message": "No"}, RejectedError, None),
        (400, {"message": "Bad", "field_errors": []}, RejectedError, None),
        (500, {"type": 3, "message": "Operation failed"}, None, None),
        (500, b"<html>", None, None),
        (503, b"", None, None),
        (429, b"", None, None),
    ],
)
def test_an_error_is_judged_by_its_body_first(
    status: int, body: object, error: type[ConnectorError] | None, field: str | None
) -> None:
    judged = ActiveCollabDialect(Credentials("1-secret")).classify(answer(body, status), is_write=True)

    assert (type(judged) if judged else None) is error
    assert judged is None or judged.field == field


async def test_the_token_shows_in_its_header_alone() -> None:
    credentials = Credentials("12-secret", "Authorization", "Bearer")

    assert await ActiveCollabDialect(credentials).headers() == {"authorization": "Bearer 12-secret"}
    assert credentials.user_id == "12"
    assert Credentials("opaque-key").user_id == ""
    assert "secret" not in repr(credentials)


NAME, DONE = {FieldId("name"): Text("x")}, {FieldId("is_completed"): YesNo(yes=True)}


@pytest.mark.parametrize(
    ("write", "calls"),
    [
        (Create(NAME), 1),
        (Create({**NAME, **DONE}), 2),
        (Create({**NAME, FieldId("is_completed"): YesNo(yes=False)}), 1),
        (Update(RecordKey("1"), NAME), 1),
        (Update(RecordKey("1"), DONE), 1),
        (Update(RecordKey("1"), {**NAME, **DONE}), 2),
        (Restore(RecordKey("1")), 1),
        (Restore(RecordKey("1"), NAME), 2),
    ],
)
def test_a_write_costs_a_call_for_each_route(write: Write, calls: int) -> None:
    assert cost(write) == calls
