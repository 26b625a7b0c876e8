"""Associations, relations, documents and templates of the HighLevel stand-in fit the vendor's own OpenAPI files."""

from __future__ import annotations

import pytest

from tests.sandbox.highlevel_desk import TICKET, Desk
from tests.sandbox.openapi import OfficialSpec, official_spec

SERVED = ("/associations", "/proposals")


@pytest.fixture(scope="module")
def spec() -> OfficialSpec:
    return official_spec()


def _tie_story(desk: Desk, version: str) -> None:
    at = {"locationId": desk.location}
    new = at | {
        "key": "Ticket_Company",
        "firstObjectKey": TICKET,
        "firstObjectLabel": "Ticket",
        "secondObjectKey": "business",
        "secondObjectLabel": "Customer",
    }
    made = desk.call("POST", "/associations/", new, version=version).data
    path = f"/associations/{made['id']}"
    desk.call("GET", path, version=version)
    desk.call("GET", "/associations/", query=at | {"skip": "0", "limit": "100"}, version=version)
    desk.call("GET", f"/associations/key/{made['key']}", query=at, version=version)
    desk.call("GET", f"/associations/objectKey/{TICKET}", query=at, version=version)
    labels = {"firstObjectLabel": "Client", "secondObjectLabel": "Ticket"}
    desk.call("PUT", path, labels, version=version)
    ticket = desk.create(title="x")["id"]
    company = desk.control("create_record", object="business", properties={"name": "Company"})["id"]
    tie = at | {"associationId": made["id"], "firstRecordId": company, "secondRecordId": ticket}
    relation = desk.call("POST", "/associations/relations", tie, version=version).data
    desk.call("POST", "/associations/relations", tie, version=version)
    query = at | {"skip": "0", "limit": "10", "associationIds": made["id"]}
    desk.call("GET", f"/associations/relations/{ticket}", query=query, version=version)
    desk.call("DELETE", f"/associations/relations/{relation['id']}", query=at, version=version)
    desk.call("DELETE", path, version=version)
    desk.call("GET", path, version=version)


def _document_story(desk: Desk, version: str) -> None:
    at = {"locationId": desk.location}
    user = desk.account.user_ids_by_email["owner@example.test"]
    body = at | {"firstName": "Ada", "lastName": "Example", "email": "ada@example.test"}
    contact = desk.call("POST", "/contacts/", body, version=version).data["contact"]["id"]
    document = desk.control("create_document", name="Contract", contacts=[contact], amount=100)
    send = at | {"documentId": document["documentId"], "sentBy": user, "medium": "link"}
    desk.call("POST", "/proposals/document/send", send | {"documentName": "Contract 7"}, version=version)
    desk.control("sign_document", id=document["_id"])
    template = desk.control("create_template", name="Offer", is_public=True)["id"]
    desk.control("create_template", name="Estimate", type="estimate")
    use = at | {"templateId": template, "userId": user, "contactId": contact, "sendDocument": True}
    desk.call("POST", "/proposals/templates/send", use, version=version)
    desk.call("POST", "/proposals/templates/send", use | {"contactId": "nobody"}, version=version)
    query = at | {"limit": "10", "skip": "0"}
    desk.call("GET", "/proposals/document", query=query | {"query": "contract"}, version=version)
    desk.call("GET", "/proposals/document", query=query | {"status": "completed"}, version=version)
    desk.call("GET", "/proposals/templates", query=query | {"type": "proposal,estimate"}, version=version)


@pytest.fixture(scope="module", params=["2021-07-28", "v3"])
def story(request: pytest.FixtureRequest) -> tuple[str, Desk]:
    desk = Desk()
    for tell in (_tie_story, _document_story):
        tell(desk, request.param)
    return request.param, desk


def test_every_exchange_fits_the_official_files(spec: OfficialSpec, story: tuple[str, Desk]) -> None:
    for request, response in story[1].exchanges:
        spec.check_exchange(request, response)


def test_every_served_operation_is_exercised_with_success(
    spec: OfficialSpec, story: tuple[str, Desk]
) -> None:
    version, desk = story
    done = {spec.operation(request).name for request, response in desk.exchanges if response.status < 300}

    served = {each.name for each in spec.operations if each.version == version and _is_served(each.template)}
    assert len(served) == 14
    assert served <= done


def _is_served(template: str) -> bool:
    return "/" + template.split("/")[1] in SERVED
