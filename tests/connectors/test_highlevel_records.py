"""HighLevel's JSON and our values: both ways, in both read shapes, for every type of field."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncline.connectors.highlevel.listing import digest, split
from syncline.connectors.highlevel.records import to_record
from syncline.connectors.highlevel.schema import (
    FOLLOWERS,
    OWNER,
    People,
    Shape,
    WireField,
    WireLabels,
    WireObject,
    WireObjectAnswer,
    WireOption,
    WireUser,
    shape_of,
)
from syncline.connectors.highlevel.writing import (
    ListUpdate,
    WriteStyle,
    create_body,
    lists_without_past,
    update_body,
)
from syncline.core.records import Create, FieldId, RecordKey, Update
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
    File,
    Files,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    RichText,
    Text,
    Value,
    same,
)
from syncline.errors import ConnectorError, RejectedError

OBJECT = "custom_objects.ticket"
OPTIONS = [WireOption("low", "Low"), WireOption("high", "High"), WireOption("urgent", "Urgent")]
DATA_TYPES = {
    "title": "TEXT",
    "notes": "LARGE_TEXT",
    "hours": "NUMERICAL",
    "phone": "PHONE",
    "price": "MONETORY",
    "areas": "CHECKBOX",
    "tags": "MULTIPLE_OPTIONS",
    "kind": "SINGLE_OPTIONS",
    "level": "RADIO",
    "due": "DATE",
    "lines": "TEXTBOX_LIST",
    "files": "FILE_UPLOAD",
    "our_key": "TEXT",
}
USERS = (
    WireUser("u1", name="Owner One", email="owner@example.test"),
    WireUser("u2", first_name="Follower", last_name="Two", email="two@example.test"),
)
STYLE = WriteStyle()
AT = "2025-01-02T09:35:39.032Z"


def ticket(key: str = OBJECT, *extra: WireField) -> Shape:
    fields = [
        WireField(f"{key}.{name}", data_type, name=name.title(), options=OPTIONS)
        for name, data_type in DATA_TYPES.items()
    ]
    answer = WireObjectAnswer(
        WireObject(key, WireLabels("Ticket", "Tickets"), primary_display_property=f"{key}.title"),
        [*fields, *extra],
    )
    return shape_of(answer, People(USERS), FieldId("our_key"))


SHAPE = ticket()
LAW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Two cores are shared by all tests: how long an example takes says nothing."""


def stored(properties: dict[str, object]) -> dict[str, object]:
    """What HighLevel answers for what it was sent: textbox lists nested, nothing for empty fields."""
    answer: dict[str, object] = {}
    for key, value in properties.items():
        name, dot, part = key.partition(".")
        if dot:
            lines = answer.setdefault(name, {})
            assert isinstance(lines, dict)
            lines[part] = value
        elif value is not None:
            answer[key] = value
    return answer


def direct(properties: dict[str, object], **more: object) -> bytes:
    record = {"id": "r1", "owner": [], "followers": [], "dateAdded": AT, "dateUpdated": AT, "relations": []}
    return json.dumps({**record, "properties": properties, **more}).encode()


def found(properties: dict[str, object], **more: object) -> bytes:
    stamp = {"channel": "WEB_USER", "createdAt": AT, "source": "PUBLIC_API", "sourceId": "u1"}
    record = {
        "id": "r1",
        "owner": [],
        "followers": [],
        "properties": properties,
        "createdAt": AT,
        "updatedAt": AT,
        "locationId": "LOC",
        "objectId": "o1",
        "objectKey": OBJECT,
        "createdBy": stamp,
        "lastUpdatedBy": stamp,
        "searchAfter": [1738683828372, "r1"],
    }
    return json.dumps({**record, **more}, separators=(",", ":")).encode()


def values() -> st.SearchStrategy[dict[str, Value]]:
    text = st.builds(Text, st.text(max_size=30))
    amount = st.decimals(-(10**9), 10**9, places=2)
    keys = st.lists(st.sampled_from(["low", "high", "urgent"]), unique=True).map(tuple)
    options = st.sampled_from([option.key for option in OPTIONS])
    files = st.lists(st.from_regex(r"https://files\.example\.test/[a-z]{1,8}", fullmatch=True), unique=True)
    by_field: dict[str, st.SearchStrategy[Value]] = {
        "title": text,
        "notes": text,
        "hours": st.builds(
            Number,
            st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9),
        ),
        "phone": st.from_regex(r"\+1415555\d{4}", fullmatch=True).map(Phone),
        "price": st.builds(Money, amount),
        "areas": st.builds(ManyOf, keys),
        "tags": st.builds(ManyOf, keys),
        "kind": st.builds(OneOf, options),
        "level": st.builds(OneOf, options),
        "due": st.builds(Day, st.dates()),
        "lines.low": text,
        "lines.high": text,
        "files": files.map(lambda urls: Files(tuple(File(url=url) for url in urls))),
    }
    blank = st.just(BLANK)
    return st.fixed_dictionaries(
        {}, optional={name: st.one_of(blank, each) for name, each in by_field.items()}
    )


def sent(body: msgspec.Raw | None) -> dict[str, object]:
    assert body is not None
    return json.loads(bytes(body))


class TestRoundTrip:
    @LAW
    @given(values())
    def test_what_is_created_reads_back_the_same(self, fields: dict[FieldId, Value]) -> None:
        body = sent(create_body(SHAPE, Create(fields, "k-1"), location="LOC", style=STYLE))

        record = to_record(SHAPE, direct(stored(body["properties"])))

        assert body["locationId"] == "LOC"
        assert record.external_key == "k-1"
        for field, value in fields.items():
            assert same(record.fields[field], value)

    @LAW
    @given(values())
    def test_both_read_shapes_decode_to_the_same_record_but_for_who_changed_it(
        self, fields: dict[FieldId, Value]
    ) -> None:
        body = sent(create_body(SHAPE, Create(fields), location="LOC", style=STYLE))
        properties = stored(body["properties"])

        read, searched = to_record(SHAPE, direct(properties)), to_record(SHAPE, found(properties))
        assert (read.updated_by, searched.updated_by) == ("", "owner@example.test")
        assert read == msgspec.structs.replace(searched, updated_by="")

    @LAW
    @given(values(), values())
    def test_an_update_leads_from_the_old_values_to_the_new(
        self, old: dict[FieldId, Value], new: dict[FieldId, Value]
    ) -> None:
        was = {field: old.get(field, BLANK) for field in new}
        before = sent(create_body(SHAPE, Create(was), location="LOC", style=STYLE))["properties"]
        body = update_body(SHAPE, Update(RecordKey("r1"), new, was), style=STYLE)

        after = dict(before)
        for key, value in (sent(body)["properties"] if body else {}).items():
            if isinstance(value, dict) and value.keys() == {"add", "remove"}:
                kept = [each for each in after.get(key, []) if each not in value["remove"]]
                after[key] = kept + value["add"]
            else:
                after[key] = value
        record = to_record(SHAPE, direct(stored(after)))

        for field, value in new.items():
            assert same(record.fields[field], value)


class TestReading:
    @pytest.mark.parametrize(
        ("told", "by"),
        [
            ({"source": "WEB_USER", "sourceId": "u2"}, "two@example.test"),
            ({"source": "INTEGRATION", "sourceId": "app-1"}, "app-1"),
            ({"source": "WORKFLOW"}, ""),
            ({"sourceId": 7}, ""),
            (None, ""),
            ("u1", ""),
        ],
    )
    def test_a_search_tells_who_changed_a_record_last(self, told: object, by: str) -> None:
        assert to_record(SHAPE, found({}, lastUpdatedBy=told)).updated_by == by

    def test_numbers_keep_every_digit(self) -> None:
        record = to_record(
            SHAPE, b'{"id":"r1","properties":{"hours":46401.10,"price":{"currency":"default","value":0.1}}}'
        )

        assert record.fields[FieldId("hours")] == Number(Decimal("46401.10"))
        assert record.fields[FieldId("price")] == Money(Decimal("0.1"))

    def test_absent_null_and_empty_are_blank(self) -> None:
        record = to_record(SHAPE, direct({"title": "", "hours": None, "tags": [], "lines": {}}))

        assert all(record.fields[prop.id] == BLANK for prop in SHAPE.properties)

    def test_a_textbox_list_reads_nested_and_dotted(self) -> None:
        nested = to_record(SHAPE, direct({"lines": {"low": "a"}}))
        dotted = to_record(SHAPE, direct({"lines.low": "a"}))

        assert nested == dotted
        assert nested.fields[FieldId("lines.low")] == Text("a")
        assert nested.fields[FieldId("lines.high")] == BLANK

    def test_times_people_and_title_are_known(self) -> None:
        record = to_record(SHAPE, found({"title": "Door"}, owner=["u1"], followers=["u2", "gone"]))

        at = dt.datetime(2025, 1, 2, 9, 35, 39, 32_000, tzinfo=dt.UTC)
        assert (record.title, record.updated_at, record.created_at) == ("Door", at, at)
        assert record.fields[OWNER] == Person("owner@example.test", "u1", "Owner One")
        assert record.fields[FOLLOWERS] == ManyOf(("u2", "gone"))
        assert record.fields[FieldId("updated_at")] == Moment(at)

    def test_an_owner_who_left_is_known_by_id(self) -> None:
        assert to_record(SHAPE, direct({}, owner=["gone"])).fields[OWNER] == Person(id="gone")

    @pytest.mark.parametrize(
        "properties",
        [{"hours": "many"}, {"due": "soon"}, {"price": {"value": []}}, {"files": 3}, {"title": [1]}],
    )
    def test_a_value_of_another_form_names_its_field(self, properties: dict[str, object]) -> None:
        with pytest.raises(ConnectorError) as caught:
            to_record(SHAPE, direct(properties))

        assert caught.value.field == next(iter(properties))

    @pytest.mark.parametrize("raw", [b"", b"[]", b'{"properties":{}}', b'{"id":"r1","properties":"text"}'])
    def test_a_record_of_another_form_is_refused(self, raw: bytes) -> None:
        with pytest.raises(ConnectorError):
            to_record(SHAPE, raw)


class TestWriting:
    def test_a_textbox_list_is_written_dotted(self) -> None:
        body = sent(
            create_body(SHAPE, Create({FieldId("lines.low"): Text("a")}), location="LOC", style=STYLE)
        )

        assert body["properties"] == {"lines.low": "a"}

    def test_blank_clears_with_null(self) -> None:
        fields = {FieldId("title"): BLANK, FieldId("hours"): BLANK, FieldId("lines.low"): Text("")}

        body = sent(update_body(SHAPE, Update(RecordKey("r1"), fields), style=STYLE))

        assert body == {"properties": {"title": None, "hours": None, "lines.low": None}}

    def test_many_valued_fields_are_added_and_removed(self) -> None:
        update = Update(
            RecordKey("r1"),
            {
                FieldId("tags"): ManyOf(("low", "urgent")),
                FieldId("files"): Files((File(url="u:2"),)),
                OWNER: Person("two@example.test"),
                FOLLOWERS: BLANK,
            },
            {
                FieldId("tags"): ManyOf(("low", "high")),
                FieldId("files"): Files((File(url="u:1"),)),
                OWNER: Person("owner@example.test", "u1"),
                FOLLOWERS: ManyOf(("u1",)),
            },
        )

        assert sent(update_body(SHAPE, update, style=STYLE)) == {
            "properties": {
                "tags": {"add": ["urgent"], "remove": ["high"]},
                "files": {"add": [{"url": "u:2"}], "remove": [{"url": "u:1"}]},
            },
            "owner": {"add": ["u2"], "remove": ["u1"]},
            "followers": {"add": [], "remove": ["u1"]},
        }

    def test_plain_lists_and_the_other_owner_key_are_settings(self) -> None:
        style = WriteStyle(ListUpdate.PLAIN, "owners")
        update = Update(RecordKey("r1"), {FieldId("tags"): ManyOf(("low",)), OWNER: Person(id="u1")})

        assert sent(update_body(SHAPE, update, style=style)) == {
            "properties": {"tags": ["low"]},
            "owners": ["u1"],
        }
        assert lists_without_past(SHAPE, update, style) == frozenset()
        assert lists_without_past(SHAPE, update, STYLE) == {"tags", "owner"}

    def test_an_update_that_changes_nothing_is_no_request(self) -> None:
        same_tags = {FieldId("tags"): ManyOf(("low", "high"))}
        was = {FieldId("tags"): ManyOf(("high", "low"))}

        assert update_body(SHAPE, Update(RecordKey("r1"), same_tags, was), style=STYLE) is None

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", Number(Decimal(1))),
            ("notes", RichText("<p>a</p>")),
            ("hours", Number(Decimal("NaN"))),
            ("hours", Number(Decimal("1e400"))),
            ("price", Money(Decimal(1), "EUR")),
            ("tags", OneOf("low")),
            ("files", Files((File(name="a.txt"),))),
            ("owner", Person("stranger@example.test")),
            ("owner", Text("u1")),
            ("created_at", Moment(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))),
            ("nowhere", Text("a")),
        ],
    )
    def test_a_value_without_a_form_names_its_field(self, field: str, value: Value) -> None:
        fields = {FieldId(field): value}

        with pytest.raises(RejectedError) as created:
            create_body(SHAPE, Create(fields), location="LOC", style=STYLE)
        with pytest.raises(RejectedError) as updated:
            update_body(SHAPE, Update(RecordKey("r1"), fields), style=STYLE)

        assert created.value.field == updated.value.field == field


class TestSchema:
    def test_every_type_has_its_field(self) -> None:
        types = {field.id: field.type for field in SHAPE.schema.fields}

        assert types == {
            "title": FieldType.TEXT,
            "notes": FieldType.TEXT,
            "hours": FieldType.NUMBER,
            "phone": FieldType.PHONE,
            "price": FieldType.MONEY,
            "areas": FieldType.MANY_OF,
            "tags": FieldType.MANY_OF,
            "kind": FieldType.ONE_OF,
            "level": FieldType.ONE_OF,
            "due": FieldType.DAY,
            "lines.low": FieldType.TEXT,
            "lines.high": FieldType.TEXT,
            "lines.urgent": FieldType.TEXT,
            "files": FieldType.FILES,
            "our_key": FieldType.TEXT,
            "owner": FieldType.PERSON,
            "followers": FieldType.MANY_OF,
            "created_at": FieldType.MOMENT,
            "updated_at": FieldType.MOMENT,
        }

    def test_people_are_options_with_their_e_mail(self) -> None:
        owner = SHAPE.schema.field(OWNER)

        assert owner is not None
        assert owner.options is not None
        assert [(o.key, o.label, o.email) for o in owner.options] == [
            ("u1", "Owner One", "owner@example.test"),
            ("u2", "Follower Two", "two@example.test"),
        ]

    def test_a_type_unknown_here_is_left_alone(self) -> None:
        shape = ticket(OBJECT, WireField(f"{OBJECT}.mood", "EMOJI"))

        field = shape.schema.field(FieldId("mood"))
        assert field is not None
        assert field.is_read_only
        assert "EMOJI" in field.note
        assert FieldId("mood") not in to_record(shape, direct({"mood": 3})).fields

    def test_a_property_hides_a_system_field_of_the_same_key(self) -> None:
        shape = ticket(OBJECT, WireField(f"{OBJECT}.owner", "TEXT"))

        record = to_record(shape, direct({"owner": "Owner One"}, owner=["u1"]))

        assert record.fields[OWNER] == Text("Owner One")

    def test_a_business_has_no_owner(self) -> None:
        assert ticket("business").schema.field(OWNER) is None

    def test_our_own_key_is_read_only_to_others(self) -> None:
        field = SHAPE.schema.field(FieldId("our_key"))

        assert field is not None
        assert field.is_read_only


class TestPages:
    def body(self, *records: bytes, total: int | None = None) -> bytes:
        count = len(records) if total is None else total
        return b'{"records":[' + b",".join(records) + b'],"total":%d,"traceId":"t"}' % count

    def test_keys_and_digests_come_without_decoding(self) -> None:
        one, two = found({"title": "a"}), found({"title": "b"}, id="r2")

        page = split(SHAPE, self.body(one, two))

        assert list(page.keys) == ["r1", "r2"]
        assert page.record(1).title == "b"
        assert page.digests[0] != page.digests[1]
        assert all(len(each) == 16 for each in page.digests)

    def test_the_place_in_the_listing_is_no_part_of_a_digest(self) -> None:
        assert digest(found({})) == digest(found({}, searchAfter=[1, "r1"]))
        assert digest(found({}, relations=[])) == digest(found({}, searchAfter=[1, "r1"], relations=[]))

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            ({"title": "a"}, {"title": "b"}),
            ({"title": ',"searchAfter":[1'}, {"title": ',"searchAfter":[2'}),
            ({"a": "", "searchAfter": ["a"]}, {"a": "", "searchAfter": ["b"]}),
        ],
    )
    def test_every_other_difference_is_in_the_digest(
        self, one: dict[str, object], two: dict[str, object]
    ) -> None:
        assert digest(found(one)) != digest(found(two))
        first = found(one).replace(b',"searchAfter":[1738683828372,"r1"]}', b"}")
        second = found(two).replace(b',"searchAfter":[1738683828372,"r1"]}', b"}")
        assert digest(first) != digest(second)

    @LAW
    @given(st.text(min_size=1))
    def test_any_id_is_read_as_json_reads_it(self, record_id: str) -> None:
        raw = json.dumps({"id": record_id, "properties": {}}, separators=(",", ":")).encode()
        late = json.dumps({"properties": {}, "id": record_id}).encode()

        assert list(split(SHAPE, self.body(raw, late)).keys) == [record_id] * 2

    def test_a_search_without_hits_may_leave_out_the_records(self) -> None:
        assert list(split(SHAPE, b'{"total":0}').keys) == []

    def test_a_time_that_cannot_be_read_is_told(self) -> None:
        page = split(SHAPE, self.body(found({}, updatedAt="soon")))

        with pytest.raises(ConnectorError):
            page.newest()

    @pytest.mark.parametrize(
        "body", [b"", b"{}", b'{"records":[{}],"total":1}', b'{"records":[1],"total":1}']
    )
    def test_a_listing_of_another_form_is_refused(self, body: bytes) -> None:
        with pytest.raises(ConnectorError):
            split(SHAPE, body)
