"""Associations and relations of the HighLevel stand-in: keys, sides, duplicates, caps, and what goes with what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncline.sandbox.highlevel import Options
from syncline.sandbox.highlevel.options import SideOrder
from tests.sandbox.highlevel_desk import TICKET, Desk, Reply


def associate(desk: Desk, key: str = "ticket_company", **changes: object) -> Reply:
    body = {
        "locationId": desk.location,
        "key": key,
        "firstObjectKey": TICKET,
        "firstObjectLabel": "Ticket",
        "secondObjectKey": "business",
        "secondObjectLabel": "Customer",
    }
    return desk.call("POST", "/associations/", body | changes)


def company(desk: Desk, name: str = "Company") -> str:
    return desk.control("create_record", object="business", properties={"name": name})["id"]


def relate(desk: Desk, association: str, first: str, second: str) -> Reply:
    body = {
        "locationId": desk.location,
        "associationId": association,
        "firstRecordId": first,
        "secondRecordId": second,
    }
    return desk.call("POST", "/associations/relations", body)


def ties(desk: Desk, record: str, **query: str) -> dict[str, Any]:
    whole = {"locationId": desk.location, "skip": "0", "limit": "100"} | query
    return desk.call("GET", f"/associations/relations/{record}", query=whole).data


def test_a_key_is_lower_cased_and_sides_may_be_swapped() -> None:
    orders = {order: Desk(Options(association_order=order)) for order in SideOrder}

    firsts = {order: associate(desk, "Ticket_Company").data for order, desk in orders.items()}

    assert {made["key"] for made in firsts.values()} == {"ticket_company"}
    assert firsts[SideOrder.AS_SENT]["firstObjectKey"] == TICKET
    assert firsts[SideOrder.SWAPPED]["firstObjectLabel"] == "Customer"
    assert firsts[SideOrder.SORTED]["firstObjectKey"] == "business"


def test_the_order_of_a_relation_must_be_that_of_its_association() -> None:
    desk = Desk()
    made, ticket, other = associate(desk).data["id"], desk.create(title="x")["id"], company(desk)

    assert relate(desk, made, ticket, other).status == 400
    assert relate(desk, made, other, ticket).status == 201
    assert relate(desk, made, other, "0" * 24).status == 400


def test_a_duplicate_relation_is_refused_in_the_vendors_words_also_while_it_is_not_shown_yet() -> None:
    desk = Desk(Options(relation_lag_seconds=30))
    made, ticket, other = associate(desk).data["id"], desk.create(title="x")["id"], company(desk)
    first = relate(desk, made, other, ticket).data

    refused = relate(desk, made, other, ticket)

    assert refused.status == 400
    assert "duplicate relation of object Ids for given association" in refused.data["message"]
    assert ties(desk, ticket)["relations"] == []
    desk.clock.advance(30)
    assert [each["id"] for each in ties(desk, ticket)["relations"]] == [first["id"]]
    assert [each["id"] for each in ties(desk, other, associationIds=made)["relations"]] == [first["id"]]
    assert ties(desk, other, associationIds="another")["relations"] == []


def test_ten_labels_for_two_objects_and_a_thousand_records_a_label_are_the_most() -> None:
    desk = Desk()
    made = [associate(desk, f"label_{number}") for number in range(11)]
    assert [each.status for each in made] == [201] * 10 + [400]
    assert associate(desk, "label_0").status == 400

    ticket = desk.create(title="x")["id"]
    companies = [company(desk, f"C{number}") for number in range(1001)]
    first, second = made[0].data["id"], made[1].data["id"]
    desk.control("relate", association=first, pairs=[[each, ticket] for each in companies[:1000]])
    assert "Maximum limit" in relate(desk, first, companies[-1], ticket).data["message"]
    assert relate(desk, second, companies[-1], ticket).status == 201
    page = ties(desk, ticket, skip="1000")
    assert (page["total"], len(page["relations"])) == (1001, 1)


def test_relations_go_with_their_association_and_with_their_records() -> None:
    desk = Desk()
    made, other = associate(desk).data["id"], company(desk)
    tickets = [desk.create(title=f"x{number}")["id"] for number in range(2)]
    for ticket in tickets:
        relate(desk, made, other, ticket)

    desk.control("delete_record", object=TICKET, id=tickets[0])
    assert [each["secondRecordId"] for each in ties(desk, other)["relations"]] == [tickets[1]]

    answer = desk.call("DELETE", f"/associations/{made}").data
    assert (answer["deleted"], answer["id"]) == (True, made)
    assert ties(desk, other)["relations"] == []


def test_a_relation_is_cut_once_by_the_api_or_by_a_person() -> None:
    desk = Desk()
    made, ticket = associate(desk).data["id"], desk.create(title="x")["id"]
    others = [company(desk), company(desk)]
    ids = desk.control("relate", association=made, pairs=[[each, ticket] for each in others])["ids"]
    at = {"locationId": desk.location}

    assert desk.call("DELETE", f"/associations/relations/{ids[0]}", query=at).status == 200
    assert desk.call("DELETE", f"/associations/relations/{ids[0]}", query=at).status == 404
    desk.control("unrelate", id=ids[1])
    with pytest.raises(ValueError, match="no relation"):
        desk.control("unrelate", id=ids[1])
    assert relate(desk, made, others[0], ticket).status == 201


def test_built_in_associations_are_listed_but_cannot_be_changed() -> None:
    desk = Desk()
    query = {"locationId": desk.location, "skip": "0", "limit": "100"}
    listed = desk.call("GET", "/associations/", query=query).data["associations"]

    (built_in,) = [each for each in listed if each["associationType"] == "SYSTEM_DEFINED"]
    assert desk.call("DELETE", f"/associations/{built_in['id']}").status == 400
    assert desk.call("GET", "/associations/", query=query | {"limit": "101"}).status == 422


def test_events_tell_of_ties_of_custom_objects_only() -> None:
    desk = Desk()
    desk.control("subscribe", url="https://hooks.example.test")
    made, ticket, other = associate(desk).data["id"], desk.create(title="x")["id"], company(desk)
    desk.vendor.outbox()
    relate(desk, made, other, ticket)
    query = {"locationId": desk.location, "skip": "0", "limit": "100"}
    listed = desk.call("GET", "/associations/", query=query).data["associations"]
    built_in = next(each["id"] for each in listed if each["associationType"] == "SYSTEM_DEFINED")
    body = {"locationId": desk.location, "email": "ada@example.test"}
    person = desk.call("POST", "/contacts/", body).data["contact"]["id"]
    relate(desk, built_in, person, other)
    desk.call("DELETE", f"/associations/{made}")

    told = [json.loads(each.body) for each in desk.vendor.outbox()]

    ties_told = [each for each in told if each["type"].startswith(("Relation", "Association"))]
    assert [each["type"] for each in ties_told] == ["RelationCreate", "RelationDelete", "AssociationDelete"]
    assert (ties_told[0]["firstRecordId"], ties_told[0]["secondRecordId"]) == (other, ticket)
    assert ties_told[2]["firstObjectToSecondObjectCardinality"] == "MANY_TO_MANY"
