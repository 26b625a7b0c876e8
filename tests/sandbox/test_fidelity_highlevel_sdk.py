"""The vendor's own Python SDK, as published, works against the HighLevel stand-in over real HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from highlevel import HighLevel
from highlevel.error import GHLError

from syncline.sandbox.server import SandboxServer
from syncline.sandbox.wire import Request
from tests.sandbox.highlevel_desk import TICKET, Desk

VERSIONS = ["v3", "2021-07-28"]


def _sdk(url: str, version: str, **credentials: str) -> Any:
    class Local(HighLevel):
        BASE_URL = url
        API_VERSION = version

    return Local(log_level="error", **credentials)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def url(desk: Desk) -> AsyncIterator[str]:
    async with SandboxServer(desk.vendor, desk.clock) as server:
        yield server.base_url


@pytest.fixture(params=VERSIONS)
async def sdk(request: pytest.FixtureRequest, url: str, desk: Desk) -> AsyncIterator[Any]:
    client = _sdk(url, request.param, private_integration_token=desk.token)
    yield client
    await client.close()


async def test_objects_are_listed_made_read_and_changed(sdk: Any, desk: Desk) -> None:
    listed = await sdk.objects.get_object_by_location_id(desk.location)
    assert [each["key"] for each in listed["objects"]][-1] == TICKET

    primary = {"key": "custom_objects.pet.name", "name": "Name", "dataType": "TEXT"}
    body = {
        "labels": {"singular": "Pet", "plural": "Pets"},
        "key": "custom_objects.pet",
        "locationId": desk.location,
        "primaryDisplayPropertyDetails": primary,
    }
    made = await sdk.objects.create_custom_object_schema(body)
    assert made["object"]["key"] == "custom_objects.pet"
    edit = {"locationId": desk.location, "searchableProperties": [], "description": "All pets"}
    assert (await sdk.objects.update_custom_object("custom_objects.pet", edit))["object"][
        "description"
    ] == "All pets"
    schema = await sdk.objects.get_object_schema_by_key("custom_objects.pet", desk.location, "true")
    assert [each["fieldKey"] for each in schema["fields"]] == ["custom_objects.pet.name"]


async def test_records_are_made_read_changed_searched_and_deleted(sdk: Any, desk: Desk) -> None:
    body = {"locationId": desk.location, "properties": {"title": "Buddy", "hours": 2}}
    record = (await sdk.objects.create_object_record(TICKET, body))["record"]
    edit = {"properties": {"title": "Rex", "hours": None}}
    changed = (await sdk.objects.update_object_record(TICKET, record["id"], desk.location, edit))["record"]
    assert changed["properties"] == {"title": "Rex"}
    assert (await sdk.objects.get_record_by_id(TICKET, record["id"]))["record"] == changed

    search = {"locationId": desk.location, "page": 1, "pageLimit": 20, "query": "rex", "searchAfter": []}
    found = await sdk.objects.search_object_records(search, TICKET)
    assert [each["id"] for each in found["records"]] == [record["id"]]
    assert (await sdk.objects.delete_object_record(TICKET, record["id"]))["success"] is True
    with pytest.raises(GHLError) as refused:
        await sdk.objects.get_record_by_id(TICKET, record["id"])
    assert refused.value.status_code == 404


async def test_custom_fields_and_folders_are_kept(sdk: Any, desk: Desk) -> None:
    listed = await sdk.custom_fields.get_custom_fields_by_object_key(TICKET, desk.location)
    folder = await sdk.custom_fields.create_custom_field_folder(
        {"objectKey": TICKET, "name": "More", "locationId": desk.location}
    )
    field = {
        "locationId": desk.location,
        "showInForms": True,
        "dataType": "RADIO",
        "name": "Colour",
        "fieldKey": f"{TICKET}.colour",
        "objectKey": TICKET,
        "parentId": folder["id"],
        "options": [{"key": "red", "label": "Red"}],
    }
    made = (await sdk.custom_fields.create_custom_field(field))["field"]
    assert (await sdk.custom_fields.get_custom_field_by_id(made["id"]))["field"] == made
    edit = {"locationId": desk.location, "showInForms": False}
    assert (await sdk.custom_fields.update_custom_field(made["id"], edit))["field"]["showInForms"] is False
    assert (await sdk.custom_fields.delete_custom_field(made["id"]))["succeded"] is True
    renamed = {"name": "Others", "locationId": desk.location}
    assert (await sdk.custom_fields.update_custom_field_folder(folder["id"], renamed))["name"] == "Others"
    await sdk.custom_fields.delete_custom_field_folder(folder["id"], desk.location)
    after = await sdk.custom_fields.get_custom_fields_by_object_key(TICKET, desk.location)
    assert (after["fields"], after["folders"]) == (listed["fields"], listed["folders"])


async def test_users_and_locations_are_read(sdk: Any, desk: Desk) -> None:
    found = await sdk.users.search_users(desk.account.company_id, query="owner")
    owner = desk.account.user_ids_by_email["owner@example.test"]
    assert [each["id"] for each in found["users"]] == [owner]
    assert (await sdk.users.get_user(owner))["email"] == "owner@example.test"
    assert (await sdk.locations.get_location(desk.location))["location"]["id"] == desk.location
    assert len((await sdk.locations.search_locations())["locations"]) == 1


async def test_associations_and_relations_are_made_listed_and_cut(sdk: Any, desk: Desk) -> None:
    wish = {
        "locationId": desk.location,
        "key": "ticket_company",
        "firstObjectKey": TICKET,
        "firstObjectLabel": "Ticket",
        "secondObjectKey": "business",
        "secondObjectLabel": "Customer",
    }
    made = await sdk.associations.create_association(wish)
    assert (await sdk.associations.get_association_by_i_d(made["id"]))["key"] == "ticket_company"
    named = await sdk.associations.get_association_key_by_key_name("ticket_company", desk.location)
    assert named["id"] == made["id"]
    of_object = await sdk.associations.get_association_by_object_keys(TICKET, desk.location)
    assert [each["id"] for each in of_object["associations"]] == [made["id"]]
    found = (await sdk.associations.find_associations(desk.location, 0, 100))["associations"]
    assert made["id"] in [each["id"] for each in found]
    labels = {"firstObjectLabel": "Client", "secondObjectLabel": "Ticket"}
    assert (await sdk.associations.update_association(made["id"], labels))["firstObjectLabel"] == "Client"

    records = {
        TICKET: desk.create(title="x")["id"],
        "business": desk.control("create_record", object="business", properties={"name": "B"})["id"],
    }
    tie = {
        "locationId": desk.location,
        "associationId": made["id"],
        "firstRecordId": records[made["firstObjectKey"]],
        "secondRecordId": records[made["secondObjectKey"]],
    }
    relation = await sdk.associations.create_relation(tie)
    with pytest.raises(GHLError) as twice:
        await sdk.associations.create_relation(tie)
    assert "duplicate relation" in twice.value.message
    listed = await sdk.associations.get_relations_by_record_id(
        records[TICKET], desk.location, 0, 10, [made["id"]]
    )
    assert [each["id"] for each in listed["relations"]] == [relation["id"]]
    await sdk.associations.delete_relation(relation["id"], desk.location)
    assert (await sdk.associations.delete_association(made["id"]))["deleted"] is True


async def test_documents_and_templates_are_listed_and_sent(sdk: Any, desk: Desk) -> None:
    user = desk.account.user_ids_by_email["owner@example.test"]
    body = {"locationId": desk.location, "email": "ada@example.test"}
    contact = desk.call("POST", "/contacts/", body).data["contact"]["id"]
    draft = desk.control("create_document", name="Contract", contacts=[contact])
    template = desk.control("create_template", name="Offer")["id"]

    send = {"locationId": desk.location, "documentId": draft["documentId"], "sentBy": user, "medium": "link"}
    sent = await sdk.proposals.send_documents_contracts(send)
    assert (sent["success"], sent["links"][0]["recipientId"]) == (True, contact)
    use = {"locationId": desk.location, "templateId": template, "userId": user, "contactId": contact}
    assert (await sdk.proposals.send_documents_contracts_template(use))["success"] is True

    found = await sdk.proposals.list_documents_contracts(desk.location, status="sent", limit=10, skip=0)
    assert sorted(each["name"] for each in found["documents"]) == ["Contract", "Offer"]
    templates = await sdk.proposals.list_documents_contracts_templates(desk.location, name="off", limit="5")
    assert [each["id"] for each in templates["data"]] == [template]


async def test_media_files_are_listed_and_deleted(sdk: Any, desk: Desk) -> None:
    """Its upload sends JSON, which the vendor's own files do not allow; so a file is put there without it."""
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n'
    headers = {
        "Authorization": f"Bearer {desk.token}",
        "Version": "2021-07-28",
        "Content-Type": "multipart/form-data; boundary=b",
    }
    put = desk.vendor.handle(Request.of("POST", "/medias/upload-file", headers, body))
    assert put.status == 200

    where = ("location", desk.location)
    found = (await sdk.medias.fetch_media_content("createdAt", "desc", "file", *where))["files"]
    assert [each["name"] for each in found] == ["a.txt"]
    await sdk.medias.delete_media_content(found[0]["_id"], *where)
    after = await sdk.medias.fetch_media_content("createdAt", "desc", "file", *where)
    assert after["files"] == []


async def test_a_429_and_a_missing_scope_become_the_sdks_error(sdk: Any, desk: Desk) -> None:
    desk.control("set_scopes", token=desk.token, scopes=[])
    with pytest.raises(GHLError) as refused:
        await sdk.objects.get_object_by_location_id(desk.location)
    assert (refused.value.status_code, refused.value.message) == (
        401,
        "The token is not authorized for this scope.",
    )

    desk.control("quota", burst=1)
    with pytest.raises(GHLError) as throttled:
        await sdk.objects.get_object_by_location_id(desk.location)
    assert throttled.value.status_code == 429
    assert throttled.value.response["statusCode"] == 429


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
async def test_oauth_gives_refreshes_and_exchanges_tokens(url: str, desk: Desk) -> None:
    app = desk.account.app
    client = _sdk(url, "v3", client_id=app.client_id, client_secret=app.client_secret)
    body = {
        "clientId": app.client_id,
        "clientSecret": app.client_secret,
        "grantType": "authorization_code",
        "code": desk.control("authorize")["code"],
    }
    first = await client.oauth.get_access_token(body)
    refresh = (app.client_id, app.client_secret, "refresh_token", "Company")
    second = await client.oauth.refresh_token(first["refreshToken"], *refresh)
    assert second["userType"] == "Company"
    with pytest.raises(GHLError) as spent:
        await client.oauth.refresh_token(first["refreshToken"], *refresh)
    assert spent.value.message == "Invalid grant: refresh token is invalid"
    await client.close()

    agency = _sdk(
        url,
        "v3",
        client_id=app.client_id,
        client_secret=app.client_secret,
        agency_access_token=second["accessToken"],
    )
    exchange = {"companyId": desk.account.company_id, "locationId": desk.location}
    token = (await agency.oauth.get_location_access_token(exchange))["accessToken"]
    installed = await agency.oauth.get_installed_location(desk.account.company_id, app.app_id, page_size=1)
    assert installed["pagination"]["hasNextPage"] is True
    await agency.close()
    assert desk.call("GET", f"/locations/{desk.location}", token=token).status == 200


def test_the_sdk_accepts_our_webhooks_signature(desk: Desk) -> None:
    client = _sdk("http://127.0.0.1:9", "v3", private_integration_token=desk.token)
    desk.control("options", legacy_signature=True)
    desk.control("subscribe", url="https://hooks.example.test")
    desk.create(title="Ünïcode")
    delivery = desk.vendor.outbox()[0]
    text, key = delivery.body.decode(), desk.account.webhook_public_key

    signature = delivery.headers["X-GHL-Signature"]
    assert client.webhooks.verify_ed25519_signature(text, signature, key) is True
    assert client.webhooks.verify_ed25519_signature(text + " ", signature, key) is False
    legacy = delivery.headers["X-WH-Signature"]
    assert client.webhooks.verify_signature(text, legacy, desk.vendor.legacy_webhook_public_key) is True
    assert json.loads(text)["type"] == "RecordCreate"


async def test_contacts_are_made_found_tagged_and_deleted(sdk: Any, desk: Desk) -> None:
    whole = {"locationId": desk.location, "firstName": "Zoë", "email": "zoe@example.test", "tags": ["new"]}
    contact = (await sdk.contacts.create_contact(whole))["contact"]["id"]
    with pytest.raises(GHLError) as refused:
        await sdk.contacts.create_contact(whole)
    assert refused.value.response["meta"]["contactId"] == contact
    await sdk.contacts.update_contact(contact, {"lastName": "First"})
    await sdk.contacts.add_tags(contact, {"tags": ["vip"]})
    assert (await sdk.contacts.remove_tags(contact, {"tags": ["new"]}))["tags"] == ["vip"]
    found = await sdk.contacts.search_contacts_advanced({"locationId": desk.location, "pageLimit": 10})
    assert [each["id"] for each in found["contacts"]] == [contact]
    assert (await sdk.contacts.get_contact(contact))["contact"]["name"] == "Zoë First"

    task = {"title": "Call", "dueDate": "2026-04-01T09:00:00Z", "completed": False}
    made = (await sdk.contacts.create_task(contact, task))["task"]["id"]
    assert [each["id"] for each in (await sdk.contacts.get_all_tasks(contact))["tasks"]] == [made]
    note = (await sdk.contacts.create_note(contact, {"body": "text"}))["note"]["id"]
    assert (await sdk.contacts.get_note(contact, note))["note"]["body"] == "text"
    await sdk.contacts.delete_contact(contact)
    with pytest.raises(GHLError):
        await sdk.contacts.get_note(contact, note)


async def test_opportunities_are_made_moved_and_deleted(sdk: Any, desk: Desk) -> None:
    contact = desk.control("make_crm", kind="contact", values={"firstName": "Zoë"})["id"]
    pipelines = (await sdk.opportunities.get_pipelines(desk.location))["pipelines"]
    wish = {"pipelineId": pipelines[0]["id"], "locationId": desk.location, "name": "Door", "status": "open"}
    made = (await sdk.opportunities.create_opportunity(wish | {"contactId": contact}))["opportunity"]["id"]
    stage = {"pipelineId": pipelines[1]["id"], "pipelineStageId": pipelines[1]["stages"][1]["id"]}
    await sdk.opportunities.update_opportunity(made, stage)
    await sdk.opportunities.update_opportunity_status(made, {"status": "won"})
    read = (await sdk.opportunities.get_opportunity(made))["opportunity"]
    assert (read["pipelineStageId"], read["status"]) == (stage["pipelineStageId"], "won")
    await sdk.opportunities.delete_opportunity(made)
    with pytest.raises(GHLError):
        await sdk.opportunities.get_opportunity(made)
