"""Objects, fields, options and folders of the HighLevel stand-in, with the vendor's own keys and limits."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.sandbox.highlevel import Options
from tests.sandbox.highlevel_desk import TICKET, Desk, Reply


def _object(desk: Desk, key: str, **changes: object) -> Reply:
    primary = {"key": f"{key}.name", "name": "Name", "dataType": "TEXT"}
    body = {
        "locationId": desk.location,
        "labels": {"singular": "One", "plural": "Many"},
        "key": key,
        "primaryDisplayPropertyDetails": primary,
    }
    return desk.call("POST", "/objects/", body | changes)


def _folder(desk: Desk) -> str:
    path = f"/custom-fields/object-key/{TICKET}"
    return desk.call("GET", path, query={"locationId": desk.location}).data["folders"][0]["id"]


def _field(desk: Desk, key: str, **changes: object) -> Reply:
    body = {
        "locationId": desk.location,
        "showInForms": True,
        "dataType": "TEXT",
        "name": "A name",
        "fieldKey": key,
        "objectKey": TICKET,
        "parentId": _folder(desk),
    }
    return desk.call("POST", "/custom-fields/", body | changes)


def _made(reply: Reply) -> dict[str, Any]:
    assert reply.status in {200, 201}, reply
    return reply.data["field"]


def _choice(desk: Desk, *labels: str, **changes: object) -> dict[str, Any]:
    options = [{"key": label.upper(), "label": label} for label in labels]
    return _made(_field(desk, "choice", dataType="SINGLE_OPTIONS", options=options, **changes))


def _edit_options(desk: Desk, field: dict[str, Any], *options: dict[str, str]) -> Reply:
    body = {"locationId": desk.location, "showInForms": True, "options": list(options)}
    return desk.call("PUT", f"/custom-fields/{field['id']}", body)


def test_standard_and_custom_objects_are_listed() -> None:
    desk = Desk()
    found = desk.call("GET", "/objects/", query={"locationId": desk.location}).data["objects"]

    assert [(each["key"], each["standard"]) for each in found] == [
        ("contact", True),
        ("opportunity", True),
        ("business", True),
        (TICKET, False),
    ]
    assert found[-1]["type"] == "USER_DEFINED"
    assert found[-1]["primaryDisplayProperty"] == f"{TICKET}.title"


@pytest.mark.parametrize(
    ("wished", "key"),
    [
        ("custom_objects.pet", "custom_objects.pet"),
        ("pet", "custom_objects.pet"),
        ("custom_objects.Big Pet", "custom_objects.big_pet"),
        ("custom_objects.Referência", "custom_objects.referncia"),
    ],
)
def test_the_vendor_makes_the_key(wished: str, key: str) -> None:
    desk = Desk()
    made = _object(
        desk, wished, primaryDisplayPropertyDetails={"key": "x.Náme", "name": "N", "dataType": "TEXT"}
    )

    assert made.data["object"]["key"] == key
    assert made.data["object"]["primaryDisplayProperty"] == f"{key}.nme"


def test_an_object_is_refused_when_taken_or_one_too_many_or_wrong() -> None:
    desk = Desk()
    assert _object(desk, TICKET).status == 400
    assert _object(desk, "日本").status == 400
    wrong = {"key": "x.name", "name": "N", "dataType": "DATE"}
    assert _object(desk, "date", primaryDisplayPropertyDetails=wrong).status == 422
    assert _object(desk, "pet", labels={"singular": "One"}).status == 422
    assert _object(desk, "pet", colour="red").refusal == (422, ["property colour should not exist"])

    for number in range(9):
        assert _object(desk, f"pet{number}").status == 201
    status, message = _object(desk, "pet9").refusal
    assert (status, "10" in message) == (400, True)


def test_fields_come_with_the_object_when_asked_for() -> None:
    desk = Desk()
    at = {"locationId": desk.location}
    short = desk.call("GET", f"/objects/{TICKET}", query=at).data
    full = desk.call("GET", f"/objects/{TICKET}", query=at | {"fetchProperties": "true"}).data

    assert "fields" not in short
    assert (short["cache"], full["cache"]) == (False, False)
    by_key = {each["fieldKey"]: each for each in full["fields"]}
    assert by_key[f"{TICKET}.title"]["dataType"] == "TEXT"
    assert by_key[f"{TICKET}.status"]["options"][1] == {"key": "in_progress", "label": "In Progress"}
    assert by_key[f"{TICKET}.budget"]["dataType"] == "MONETORY"
    assert desk.call("GET", f"/objects/{TICKET}").refusal == (422, ["locationId should not be empty"])
    assert desk.call("GET", "/objects/nothing", query=at).status == 400


def test_a_schema_may_come_from_a_cache_that_is_old() -> None:
    desk = Desk(Options(schema_cache_seconds=60))
    query = {"locationId": desk.location, "fetchProperties": "true"}
    before = desk.call("GET", f"/objects/{TICKET}", query=query).data
    _field(desk, "fresh")
    stale = desk.call("GET", f"/objects/{TICKET}", query=query).data
    assert (before["cache"], stale["cache"]) == (False, True)
    assert stale["fields"] == before["fields"]

    desk.clock.advance(60)
    fresh = desk.call("GET", f"/objects/{TICKET}", query=query).data
    assert (fresh["cache"], len(fresh["fields"])) == (False, len(before["fields"]) + 1)


def test_labels_description_and_searchable_properties_change() -> None:
    desk = Desk()
    desk.clock.advance(1)
    body = {
        "locationId": desk.location,
        "searchableProperties": [f"{TICKET}.code"],
        "labels": {"plural": "Issues"},
        "description": "New",
    }
    changed = desk.call("PUT", f"/objects/{TICKET}", body).data["object"]

    assert changed["labels"] == {"singular": "Ticket", "plural": "Issues"}
    assert changed["description"] == "New"
    assert changed["dateUpdated"] > changed["dateAdded"]
    assert desk.call("PUT", f"/objects/{TICKET}", body | {"searchableProperties": ["code"]}).status == 400
    assert desk.call("PUT", f"/objects/{TICKET}", {"locationId": desk.location}).status == 422


@pytest.mark.parametrize(
    ("wished", "key"), [(f"{TICKET}.Größe", "gre"), (f"{TICKET}.Due On", "due_on"), ("plain", "plain")]
)
def test_a_fields_key_is_the_vendors_reading(wished: str, key: str) -> None:
    desk = Desk()
    field = _made(_field(desk, wished))

    assert field["fieldKey"] == f"{TICKET}.{key}"
    assert desk.create(**{key: "x"})["properties"] == {key: "x"}


def test_field_keys_may_come_from_names_instead() -> None:
    desk = Desk(Options(field_keys_from_names=True))

    assert _made(_field(desk, f"{TICKET}.given", name="Referência"))["fieldKey"] == f"{TICKET}.referncia"


def test_a_field_that_cannot_be_is_refused() -> None:
    desk = Desk()

    assert _field(desk, "title").status == 400
    assert _field(desk, "日本").status == 400
    assert _field(desk, "x", parentId="nowhere").status == 400
    assert _field(desk, "x", objectKey="contact").status == 400
    assert _field(desk, "x", objectKey="custom_object.ticket").status == 400
    assert _field(desk, "x", dataType="MONEY").status == 422
    assert _field(desk, "x", dataType="RADIO").status == 422
    assert _field(desk, "x", options=[{"key": "a", "label": "A"}]).status == 422
    assert _field(desk, "x", acceptedFormats=".exe").status == 422
    assert _field(desk, "x", showInForms="yes").status == 422
    assert _field(desk, "x", isUnique=True).status == 422
    assert _made(_field(desk, "mail", dataType="EMAIL"))["dataType"] == "TEXT"


def test_option_keys_are_made_from_labels() -> None:
    field = _choice(Desk(), "In Progress", "Größe XL!", "日本")

    assert [each["key"] for each in field["options"]] == ["in_progress", "gre_xl", "option_3"]


def test_option_keys_may_be_kept_as_given() -> None:
    desk = Desk(Options(keep_option_keys=True))

    assert [each["key"] for each in _choice(desk, "In Progress")["options"]] == ["in_progress"]
    options = [{"key": "K1", "label": "First"}]
    kept = _made(_field(desk, "kept", dataType="RADIO", options=options))
    assert kept["options"] == [{"key": "k1", "label": "First"}]


def test_an_update_of_options_replaces_them_but_must_hold_all_that_exist() -> None:
    desk = Desk()
    field = _choice(desk, "Red", "Blue")

    missing = _edit_options(desk, field, {"label": "Red"}, {"label": "Green"})
    assert missing.refusal == (400, "Existing options cannot be removed: Blue")
    changed = _made(_edit_options(desk, field, {"label": "Green"}, {"label": "Blue"}, {"label": "Red"}))
    assert [each["key"] for each in changed["options"]] == ["green", "blue", "red"]
    renamed = [{"key": "red", "label": "Crimson"}, {"label": "Blue"}, {"label": "Green"}]
    assert _made(_edit_options(desk, field, *renamed))["options"][0] == {"key": "red", "label": "Crimson"}
    twice = [{"label": each} for each in ("Crimson", "Blue", "Green", "green")]
    assert _edit_options(desk, field, *twice).status == 400


def test_a_renamed_option_keeps_its_key() -> None:
    desk = Desk()
    record = desk.create(status="open")
    field = desk.control("rename_option", object=TICKET, field="status", option="open", label="To do")

    assert field["options"][0] == {"key": "open", "label": "To do"}
    assert desk.read(record["id"]).data["record"]["properties"] == {"status": "open"}


def test_a_field_is_changed_and_its_type_is_not() -> None:
    desk = Desk()
    field = _made(_field(desk, "note"))
    body = {"locationId": desk.location, "showInForms": False, "name": "Other", "description": "D"}
    path = f"/custom-fields/{field['id']}"

    changed = _made(desk.call("PUT", path, body))
    assert (changed["name"], changed["showInForms"], changed["description"]) == ("Other", False, "D")
    assert changed["fieldKey"] == field["fieldKey"]
    assert desk.call("PUT", path, body | {"dataType": "DATE"}).status == 422
    assert _made(desk.call("GET", path)) == changed
    assert desk.call("GET", "/custom-fields/nothing").status == 404


def test_a_deleted_field_takes_its_values_along() -> None:
    desk = Desk()
    field = _made(_field(desk, "note"))
    record = desk.create(title="x", note="y")
    gone = desk.call("DELETE", f"/custom-fields/{field['id']}").data

    assert (gone["succeded"], gone["id"], gone["key"]) == (True, field["id"], f"{TICKET}.note")
    assert desk.read(record["id"]).data["record"]["properties"] == {"title": "x"}
    assert desk.try_create(note="y").refusal == (400, "Invalid Key Passed")
    title = next(each for each in _fields(desk) if each["fieldKey"] == f"{TICKET}.title")
    assert desk.call("DELETE", f"/custom-fields/{title['id']}").status == 400


def _fields(desk: Desk) -> list[dict[str, Any]]:
    path = f"/custom-fields/object-key/{TICKET}"
    return desk.call("GET", path, query={"locationId": desk.location}).data["fields"]


def test_folders_group_fields_and_go_when_they_are_empty() -> None:
    desk = Desk()
    at = {"locationId": desk.location}
    body = at | {"objectKey": TICKET, "name": "More"}
    folder = desk.call("POST", "/custom-fields/folder", body).data
    assert {"id", "objectKey", "locationId", "name"} < set(folder)
    assert desk.call("POST", "/custom-fields/folder", body).status == 400
    path = f"/custom-fields/folder/{folder['id']}"

    field = _made(_field(desk, "inside", parentId=folder["id"]))
    assert field["parentId"] == folder["id"]
    assert desk.call("DELETE", path, query=at).status == 400
    desk.call("DELETE", f"/custom-fields/{field['id']}")
    assert desk.call("PUT", path, at | {"name": "Others"}).data["name"] == "Others"
    assert desk.call("DELETE", path).status == 422
    assert desk.call("DELETE", path, query=at).data["succeded"] is True
    assert desk.call("DELETE", path, query=at).status == 404


def test_at_most_ten_fields_are_unique_and_only_of_four_types() -> None:
    desk = Desk()
    desk.control("quota", burst=1000)
    for number in range(10):
        _field(desk, f"u{number}")
        desk.control("make_unique", object=TICKET, field=f"u{number}")
    desk.control("make_unique", object=TICKET, field="u0")

    with pytest.raises(ValueError, match="no more than 10"):
        desk.control("make_unique", object=TICKET, field="code")
    with pytest.raises(ValueError, match="Only single-line"):
        desk.control("make_unique", object=TICKET, field="due")


def test_a_field_with_equal_values_cannot_become_unique() -> None:
    desk = Desk()
    desk.create(code="1")
    desk.create(code="1")

    with pytest.raises(ValueError, match="Two records share"):
        desk.control("make_unique", object=TICKET, field="code")
