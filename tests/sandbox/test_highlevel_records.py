"""Records of the HighLevel stand-in: how values are written, read, cleared and refused."""

from __future__ import annotations

import pytest

from syncline.sandbox.highlevel import Options, PlainArray
from tests.sandbox.highlevel_desk import RECORDS, START, TICKET, Desk


def test_a_record_is_made_read_changed_and_deleted() -> None:
    desk = Desk()
    record = desk.create(title="One")
    assert desk.read(record["id"]).data["record"] == record

    desk.clock.advance(5)
    reply = desk.put(record["id"], {"properties": {"title": "Two"}})
    assert reply.data["record"]["properties"] == {"title": "Two"}
    assert reply.data["record"]["dateAdded"] == "2026-03-02T09:00:00.000Z"
    assert reply.data["record"]["dateUpdated"] == "2026-03-02T09:00:05.000Z"

    gone = desk.call("DELETE", f"{RECORDS}/{record['id']}")
    assert {"id": record["id"], "success": True}.items() <= gone.data.items()
    assert desk.read(record["id"]).status == 404
    assert desk.put(record["id"], {"properties": {}}).status == 404
    assert desk.call("DELETE", f"{RECORDS}/{record['id']}").status == 404


def test_ids_are_object_ids_that_tell_their_time_and_repeat_with_the_seed() -> None:
    first, again, other = Desk(seed=1), Desk(seed=1), Desk(seed=2)
    record_id = first.create(title="x")["id"]

    assert len(record_id) == 24
    assert int(record_id[:8], 16) == int(START.timestamp())
    assert again.create(title="x")["id"] == record_id
    assert again.account == first.account
    assert other.create(title="x")["id"] != record_id


def test_times_and_people_have_other_names_in_search() -> None:
    desk = Desk()
    record = desk.create(title="x")
    hit = desk.search().data["records"][0]

    assert set(record) == {"id", "owner", "followers", "properties", "dateAdded", "dateUpdated", "relations"}
    assert {"createdAt", "updatedAt", "createdBy", "lastUpdatedBy", "searchAfter", "objectKey"} < set(hit)
    assert not {"dateAdded", "dateUpdated"} & set(hit)
    assert hit["lastUpdatedBy"]["source"] == "PUBLIC_API"
    assert set(hit["createdBy"]) == {"channel", "createdAt", "source", "sourceId"}
    assert hit["searchAfter"] == [int(START.timestamp() * 1000), record["id"]]


@pytest.mark.parametrize(
    ("key", "sent", "read"),
    [
        ("title", "Täxt 日本", "Täxt 日本"),
        ("body", "a\r\nb", "a\r\nb"),
        ("hours", 1424, 1424),
        ("hours", 2.50, 2.5),
        ("hours", 3.0, 3),
        ("budget", {"currency": "default", "value": 46401.1}, {"currency": "default", "value": 46401.1}),
        ("phone", "+1 (415) 555-0100", "+14155550100"),
        ("due", "2024-07-11", "2024-07-11"),
        ("status", "in_progress", "in_progress"),
        ("kind", "bug", "bug"),
        ("tags", ["green", "red", "green"], ["green", "red"]),
        ("checks", ["two"], ["two"]),
        ("files", [{"url": "https://f.example.test/1"}], [{"url": "https://f.example.test/1"}]),
    ],
)
def test_values_are_read_as_the_vendor_stores_them(key: str, sent: object, read: object) -> None:
    desk = Desk()

    assert desk.read(desk.create(**{key: sent})["id"]).data["record"]["properties"] == {key: read}


def test_text_box_lists_are_written_dotted_and_read_nested() -> None:
    desk = Desk()
    record = desk.create(**{"boxes.left": "a", "boxes.right": "b"})

    assert record["properties"] == {"boxes": {"left": "a", "right": "b"}}
    assert desk.edit(record["id"], **{"boxes.left": None}) == {"boxes": {"right": "b"}}
    assert desk.edit(record["id"], **{"boxes.right": None}) == {}
    assert desk.try_create(boxes={"left": "a"}).status == 422
    assert desk.try_create(**{"boxes.middle": "a"}).refusal == (400, "Invalid Key Passed")


def test_updates_are_partial_null_clears_and_empty_fields_are_absent() -> None:
    desk = Desk()
    record = desk.create(title="x", hours=1, tags=["red"], body="", due=None)

    assert record["properties"] == {"title": "x", "hours": 1, "tags": ["red"]}
    assert desk.edit(record["id"], hours=None) == {"title": "x", "tags": ["red"]}
    assert desk.edit(record["id"], tags=None, title="") == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", 1),
        ("title", ["x"]),
        ("hours", "1"),
        ("hours", True),
        ("budget", 100),
        ("budget", {"currency": "USD", "value": 1}),
        ("budget", {"currency": "default", "value": "1"}),
        ("phone", "415 555 0100"),
        ("phone", 4155550100),
        ("due", "2024-07-11T00:00:00Z"),
        ("due", "2024-02-30"),
        ("status", ["open"]),
        ("status", "Open"),
        ("status", "closed"),
        ("tags", "red"),
        ("tags", {"add": ["red"]}),
        ("tags", ["pink"]),
        ("files", ["https://f.example.test/1"]),
    ],
)
def test_a_wrong_value_is_a_422_with_a_list(key: str, value: object) -> None:
    status, message = Desk().try_create(**{key: value}).refusal

    assert status == 422
    assert len(message) == 1
    assert message[0].startswith(key + " ")


def test_all_wrong_values_are_told_at_once() -> None:
    assert len(Desk().try_create(title=1, hours="x", due="y").data["message"]) == 3


def test_an_invalid_option_may_be_a_400_instead() -> None:
    desk = Desk(Options(invalid_option_status=400))

    status, message = desk.try_create(status="closed").refusal
    assert (status, type(message)) == (400, str)
    assert desk.try_create(hours="x").status == 422


@pytest.mark.parametrize("key", ["nothing", f"{TICKET}.title", "title.x", "Title"])
def test_an_unknown_key_is_refused(key: str) -> None:
    assert Desk().try_create(**{key: "x"}).refusal == (400, "Invalid Key Passed")


def test_unknown_keys_of_body_and_query_are_refused() -> None:
    desk = Desk()
    record = desk.create(title="x")
    body = {"locationId": desk.location, "properties": {}, "contactId": "c"}
    path = f"{RECORDS}/{record['id']}"
    at = {"locationId": desk.location}

    assert desk.call("POST", RECORDS, body).refusal == (422, ["property contactId should not exist"])
    assert desk.put(record["id"], {"properties": {}, "id": "x"}).status == 422
    assert desk.call("DELETE", path, query=at).refusal == (422, ["property locationId should not exist"])
    assert desk.call("PUT", path, {"properties": {}}).refusal == (422, ["locationId should not be empty"])
    assert desk.call("PUT", path, {"properties": {}}, query=at | {"x": "1"}).status == 422
    assert desk.call("POST", RECORDS, {"locationId": desk.location}).status == 422
    assert desk.call("POST", RECORDS, {"locationId": desk.location, "properties": "x"}).status == 422
    assert desk.read(record["id"]).status == 200


def test_multi_valued_fields_are_changed_by_add_and_remove() -> None:
    desk = Desk()
    record_id = desk.create(tags=["red"], files=[{"url": "a"}, {"url": "b"}])["id"]

    assert desk.edit(record_id, tags={"add": ["blue", "red"]})["tags"] == ["red", "blue"]
    assert desk.edit(record_id, tags={"add": ["green"], "remove": ["red", "blue"]})["tags"] == ["green"]
    files = {"add": [{"url": "c"}], "remove": [{"url": "a"}]}
    assert desk.edit(record_id, files=files)["files"] == [{"url": "b"}, {"url": "c"}]
    assert desk.edit(record_id, tags={"remove": ["green"]}) == {"files": [{"url": "b"}, {"url": "c"}]}
    assert desk.put(record_id, {"properties": {"tags": {"set": ["red"]}}}).status == 422
    assert desk.put(record_id, {"properties": {"tags": {"add": "red"}}}).status == 422


@pytest.mark.parametrize(
    ("option", "expected"), [(PlainArray.REPLACE, ["blue"]), (PlainArray.MERGE, ["red", "blue"])]
)
def test_a_plain_array_in_an_update_replaces_or_merges(option: PlainArray, expected: list[str]) -> None:
    desk = Desk(Options(plain_array=option))

    assert desk.edit(desk.create(tags=["red"])["id"], tags=["blue"])["tags"] == expected


def test_a_plain_array_in_an_update_may_be_refused() -> None:
    desk = Desk(Options(plain_array=PlainArray.REJECT))
    record_id = desk.create(tags=["red"])["id"]
    owner = desk.account.user_ids_by_email["owner@example.test"]

    assert desk.put(record_id, {"properties": {"tags": ["blue"]}}).status == 422
    assert desk.put(record_id, {"owner": [owner]}).status == 422
    assert desk.put(record_id, {"owner": {"add": [owner]}}).data["record"]["owner"] == [owner]


def test_owner_and_followers_are_users_of_the_location_and_few() -> None:
    desk = Desk()
    one, two, three = desk.account.user_ids_by_email.values()
    base = {"locationId": desk.location, "properties": {}}
    record = desk.call("POST", RECORDS, base | {"owners": [one], "followers": [one, two]}).data["record"]
    assert (record["owner"], record["followers"]) == ([one], [one, two])

    assert desk.call("POST", RECORDS, base | {"owner": [one, two]}).status == 422
    assert desk.call("POST", RECORDS, base | {"owner": ["nobody"]}).status == 422
    assert desk.call("POST", RECORDS, base | {"followers": [one] * 11}).status == 201
    assert desk.put(record["id"], {"owner": {"add": [two]}}).status == 422
    swap = desk.put(
        record["id"], {"owner": {"add": [three], "remove": [one]}, "followers": {"remove": [one]}}
    )
    assert (swap.data["record"]["owner"], swap.data["record"]["followers"]) == ([three], [two])


def test_a_unique_value_is_taken_until_it_is_changed_or_deleted() -> None:
    desk = Desk()
    desk.control("make_unique", object=TICKET, field="code")
    one, two = desk.create(code="1"), desk.create(code="2")

    status, message = desk.try_create(code="1").refusal
    assert (status, message) == (400, "A record with the same value for code already exists")
    assert desk.put(two["id"], {"properties": {"code": "1"}}).status == 400
    assert desk.edit(one["id"], code="1") == {"code": "1"}
    assert desk.create(title="no code")["properties"] == {"title": "no code"}

    desk.edit(one["id"], code="3")
    desk.edit(two["id"], code="1")
    desk.call("DELETE", f"{RECORDS}/{two['id']}")
    assert desk.create(code="1")["properties"] == {"code": "1"}


def test_the_answer_to_a_taken_value_can_be_another() -> None:
    desk = Desk(Options(unique_status=422, unique_message="Duplicate {field}"))
    desk.control("make_unique", object=TICKET, field="code")
    desk.create(code="1")

    assert desk.try_create(code="1").refusal == (422, ["Duplicate code"])


@pytest.mark.parametrize("bumps", [True, False])
def test_an_identical_put_may_or_may_not_move_the_date(bumps: bool) -> None:
    desk = Desk(Options(identical_put_bumps=bumps))
    record = desk.create(title="x")
    desk.clock.advance(1)
    after = desk.put(record["id"], {"properties": {"title": "x"}}).data["record"]

    assert (after["dateUpdated"] != record["dateUpdated"]) is bumps


def test_files_are_limited_by_their_field() -> None:
    desk = Desk()
    desk.control("create_field", object=TICKET, name="Scan", type="FILE_UPLOAD", max_file_limit=1)

    assert desk.try_create(scan=[{"url": "a"}]).status == 201
    assert desk.try_create(scan=[{"url": "a"}, {"url": "b"}]).status == 422


def test_custom_options_are_taken_where_the_field_allows_them() -> None:
    desk = Desk()
    desk.control(
        "create_field",
        object=TICKET,
        name="Free",
        type="SINGLE_OPTIONS",
        options=["A"],
        allow_custom_option=True,
    )

    assert desk.create(free="anything")["properties"] == {"free": "anything"}


def test_records_are_served_for_custom_objects_and_business_only() -> None:
    desk = Desk()
    body = {"locationId": desk.location, "properties": {"name": "Company One"}}

    assert desk.call("POST", "/objects/business/records", body).status == 201
    assert desk.call("POST", "/objects/contact/records", body).status == 400
    assert desk.call("POST", "/objects/custom_objects.nothing/records", body).status == 400


def test_an_object_is_found_by_key_by_id_and_by_its_bare_key() -> None:
    desk = Desk()
    record_id = desk.create(title="x")["id"]
    object_id = desk.search().data["records"][0]["objectId"]

    for key in (TICKET, object_id, "ticket"):
        assert desk.call("GET", f"/objects/{key}/records/{record_id}").status == 200
    desk.control("options", bare_object_key=False)
    assert desk.call("GET", f"/objects/ticket/records/{record_id}").status == 400


def test_a_record_of_another_location_is_not_found_or_forbidden() -> None:
    desk = Desk()
    desk.control("create_object", location=desk.other_location, key="ticket", singular="T", plural="Ts")
    other = desk.control("create_record", location=desk.other_location, object=TICKET, properties={})

    assert desk.read(other["id"]).status == 404
    desk.control("options", foreign_record_status=403)
    assert desk.read(other["id"]).status == 403
    assert desk.read("0" * 24).status == 404


def test_the_primary_field_may_be_required() -> None:
    desk = Desk(Options(primary_required=True))

    assert desk.try_create(body="x").status == 422
    assert desk.try_create(title="x").status == 201


def test_a_body_that_is_no_json_object_is_a_400() -> None:
    desk = Desk()

    assert desk.call("POST", RECORDS, ["x"]).status == 400
    assert desk.call("POST", RECORDS, form={"a": "b"}).status == 400
