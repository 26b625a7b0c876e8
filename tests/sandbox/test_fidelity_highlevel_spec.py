"""Every answer of the HighLevel stand-in fits the vendor's own OpenAPI files, in both API versions."""

from __future__ import annotations

import dataclasses
import json

import pytest

from syncline.sandbox.wire import Request, Response
from tests.sandbox.highlevel_desk import RECORDS, TICKET, Desk
from tests.sandbox.openapi import OfficialSpec, official_spec
from tests.sandbox.openapi_deviations import DEVIATIONS

SERVED = frozenset({"/objects", "/custom-fields", "/oauth"})
SERVED_PATHS = frozenset(
    {"/users/", "/users/search", "/users/{userId}", "/locations/search", "/locations/{locationId}"}
)


@pytest.fixture(scope="module")
def spec() -> OfficialSpec:
    return official_spec()


def _schema_story(desk: Desk, version: str) -> None:
    at = {"locationId": desk.location}
    primary = {"key": "custom_objects.pet.name", "name": "Name", "dataType": "TEXT"}
    labels = {"singular": "Pet", "plural": "Pets"}
    new = at | {"labels": labels, "key": "custom_objects.pet", "primaryDisplayPropertyDetails": primary}
    assert desk.call("POST", "/objects/", new | {"description": "All pets"}, version=version).status == 201
    desk.call("GET", "/objects/", query=at, version=version)
    desk.call("GET", f"/objects/{TICKET}", query=at | {"fetchProperties": "true"}, version=version)
    desk.call("GET", "/objects/business", query=at, version=version)
    edit = at | {"searchableProperties": ["custom_objects.pet.name"], "labels": {"singular": "Animal"}}
    desk.call("PUT", "/objects/custom_objects.pet", edit | {"description": None}, version=version)


def _field_story(desk: Desk, version: str) -> None:
    at = {"locationId": desk.location}
    folder = desk.call(
        "POST", "/custom-fields/folder", at | {"objectKey": TICKET, "name": "More"}, version=version
    )
    folder_id = folder.data["id"]
    field = at | {
        "name": "Colour",
        "showInForms": True,
        "dataType": "MULTIPLE_OPTIONS",
        "fieldKey": f"{TICKET}.colour",
        "objectKey": TICKET,
        "parentId": folder_id,
        "options": [{"key": "red", "label": "Red"}],
        "description": "Which",
        "placeholder": "Pick",
        "allowCustomOption": False,
    }
    made = desk.call("POST", "/custom-fields/", field, version=version).data["field"]
    desk.call("GET", f"/custom-fields/object-key/{TICKET}", query=at, version=version)
    desk.call("GET", f"/custom-fields/{made['id']}", version=version)
    desk.call("GET", f"/custom-fields/{folder_id}", version=version)
    edit = at | {"showInForms": False, "name": "Color", "options": [{"label": "Red"}, {"label": "Blue"}]}
    desk.call("PUT", f"/custom-fields/{made['id']}", edit, version=version)
    desk.call("DELETE", f"/custom-fields/{made['id']}", version=version)
    desk.call("PUT", f"/custom-fields/folder/{folder_id}", at | {"name": "Others"}, version=version)
    desk.call("DELETE", f"/custom-fields/folder/{folder_id}", query=at, version=version)


def _record_story(desk: Desk, version: str) -> None:
    owner = desk.account.user_ids_by_email["owner@example.test"]
    properties = {
        "title": "Cannot sign in",
        "hours": 1.5,
        "budget": {"currency": "default", "value": 100},
        "status": "open",
        "tags": ["red"],
        "due": "2026-03-09",
        "files": [{"url": "https://files.example.test/1"}],
        "boxes.left": "x",
    }
    body = {"locationId": desk.location, "properties": properties, "owner": [owner], "followers": [owner]}
    record = desk.call("POST", RECORDS, body, version=version).data["record"]
    path = f"{RECORDS}/{record['id']}"
    desk.call("GET", path, version=version)
    edit = {
        "properties": {"title": None, "tags": {"add": ["blue"], "remove": []}},
        "owner": {"remove": [owner]},
    }
    desk.call("PUT", path, edit, query={"locationId": desk.location}, version=version)
    sort = [{"field": "properties.hours", "direction": "asc"}]
    filters = [{"group": "AND", "filters": [{"field": "properties.hours", "operator": "exists"}]}]
    whole = {"locationId": desk.location, "page": 1, "pageLimit": 10, "query": "", "searchAfter": []}
    desk.call("POST", f"{RECORDS}/search", whole | {"sort": sort, "filters": filters}, version=version)
    desk.call("POST", f"{RECORDS}/search", whole, version=version)
    desk.call("DELETE", path, version=version)
    desk.call("GET", path, version=version)


def _people_story(desk: Desk, version: str) -> None:
    company = {"companyId": desk.account.company_id}
    owner = desk.account.user_ids_by_email["owner@example.test"]
    if version != "v3":
        desk.call("GET", "/users/", query={"locationId": desk.location}, version=version)
    desk.call("GET", "/users/search", query=company | {"limit": "2"}, version=version)
    desk.call("GET", f"/users/{owner}", version=version)
    desk.call("GET", "/locations/search", query=company, version=version, token=desk.agency_token)
    desk.call("GET", f"/locations/{desk.location}", version=version)


def _oauth_story(desk: Desk, version: str) -> None:
    app, is_v3 = desk.account.app, version == "v3"
    names = (("client_id", "clientId"), ("client_secret", "clientSecret"), ("grant_type", "grantType"))
    one, two, three = (pair[is_v3] for pair in names)
    client = {one: app.client_id, two: app.client_secret}
    code = desk.control("authorize")["code"]
    form = client | {three: "authorization_code", "code": code}
    sent = version if is_v3 else None
    token = desk.call("POST", "/oauth/token", form=form, token=None, version=sent).data
    name = "refreshToken" if is_v3 else "refresh_token"
    refresh = client | {three: "refresh_token", name: token[name]}
    desk.call("POST", "/oauth/token", form=refresh, token=None, version=sent)
    desk.call("POST", "/oauth/token", form=refresh, token=None, version=sent)
    company = token["accessToken" if is_v3 else "access_token"]
    exchange = {"companyId": desk.account.company_id, "locationId": desk.location}
    path = "/oauth/location-token" if is_v3 else "/oauth/locationToken"
    desk.call("POST", path, form=exchange, token=company, version=version)
    path = "/oauth/installed-locations" if is_v3 else "/oauth/installedLocations"
    query = {"companyId": desk.account.company_id, "appId": app.app_id}
    desk.call("GET", path, query=query, token=company, version=version)


@pytest.fixture(scope="module", params=["2021-07-28", "v3"])
def story(request: pytest.FixtureRequest) -> tuple[str, Desk]:
    desk = Desk()
    for tell in (_schema_story, _field_story, _record_story, _people_story, _oauth_story):
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

    served = {
        each.name
        for each in spec.operations
        if each.version == version
        and (
            "/" + each.template.split("/")[1] in SERVED
            or (each.method == "GET" and each.template in SERVED_PATHS)
        )
    }
    assert done == served


def test_every_refusal_fits_the_official_files(spec: OfficialSpec) -> None:
    desk = Desk()
    record = desk.create(title="x", code="1")
    desk.control("make_unique", object=TICKET, field="code")
    desk.call("GET", f"{RECORDS}/{record['id']}", version=None)
    desk.call("GET", f"{RECORDS}/{record['id']}", token="pit-wrong")
    desk.call("GET", "/objects/", query={"locationId": desk.other_location})
    desk.call("GET", "/objects/", query={})
    desk.call("GET", f"{RECORDS}/{'0' * 24}")
    desk.call("DELETE", f"{RECORDS}/{record['id']}", query={"locationId": desk.location})
    desk.try_create(code="1")
    desk.try_create(nothing="1")
    desk.try_create(hours="1")
    desk.control("quota", burst=1)
    desk.search()
    assert {response.status for _, response in desk.exchanges} == {201, 400, 401, 403, 404, 422, 429}

    for request, response in desk.exchanges:
        spec.check_exchange(request, response)


def _altered(response: Response, **changes: object) -> Response:
    data = json.loads(response.body)
    data["record"] |= changes
    return dataclasses.replace(response, body=json.dumps(data).encode())


def test_the_judge_finds_what_does_not_fit(spec: OfficialSpec) -> None:
    desk = Desk()
    record = desk.create(title="x")
    desk.read(record["id"])
    request, response = desk.exchanges[-1]
    spec.check_exchange(request, response)

    with pytest.raises(AssertionError, match="unexpected"):
        spec.check_response(request, _altered(response, surprise=1))
    with pytest.raises(AssertionError, match="dateAdded"):
        spec.check_response(request, _altered(response, dateAdded="yesterday"))
    with pytest.raises(AssertionError, match="query locationId is not documented"):
        spec.check_request(dataclasses.replace(request, query={"locationId": "L"}))
    with pytest.raises(AssertionError, match="header Version is missing"):
        spec.check_request(
            dataclasses.replace(request, headers={"authorization": request.headers["authorization"]})
        )
    with pytest.raises(AssertionError, match="no operation"):
        spec.check_request(Request("PATCH", request.path))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"locationId": "L"}, "'properties' is a required property"),
        ({"locationId": "L", "properties": {}, "contactId": "C"}, "'contactId' was unexpected"),
        ({"locationId": 1, "properties": {}}, "locationId: 1 is not of type 'string'"),
    ],
)
def test_the_judge_refuses_bad_requests(spec: OfficialSpec, body: object, problem: str) -> None:
    headers = {"version": "v3", "authorization": "Bearer t", "content-type": "application/json"}
    request = Request("POST", RECORDS, {}, headers, json.dumps(body).encode())

    with pytest.raises(AssertionError, match=problem):
        spec.check_request(request)


def test_every_deviation_says_why() -> None:
    assert all(len(each.reason) > 20 for each in DEVIATIONS)
