"""Who gets in to the HighLevel stand-in: versions, tokens, scopes, locations and OAuth, in the vendor's words."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.sandbox.highlevel import Options
from tests.sandbox.highlevel_desk import RECORDS, TICKET, Desk, Reply

DAY = 86_400
NOT_IN_SCOPE = "The token is not authorized for this scope."
NO_ACCESS = "The token does not have access to this location."
BAD_REFRESH = "Invalid grant: refresh token is invalid"


def _objects(desk: Desk, **how: Any) -> Reply:
    return desk.call("GET", "/objects/", query={"locationId": how.pop("location", desk.location)}, **how)


def test_the_version_header_is_needed_and_checked() -> None:
    desk = Desk()

    assert _objects(desk, version=None).refusal == (401, "version header was not found.")
    assert _objects(desk, version="2020-01-01").status == 400
    for version in ("v3", "2023-02-21", "2021-07-28", "2021-04-15", "legacy"):
        assert _objects(desk, version=version).status == 200


def test_a_bad_token_is_told_in_the_vendors_words() -> None:
    desk = Desk()
    invalid = "Invalid token: access token is invalid"

    assert _objects(desk, token=None).refusal == (401, "Invalid JWT")
    assert _objects(desk, token="nonsense").refusal == (401, "Invalid JWT")
    assert _objects(desk, token="a.b.c").refusal == (401, invalid)
    assert _objects(desk, token="pit-unknown").refusal == (401, invalid)
    assert _objects(desk, token="pit-unknown").data["error"] == "Unauthorized"
    assert _objects(desk, token="pit-unknown").data["traceId"]


@pytest.mark.parametrize(
    ("scope", "method", "path", "body"),
    [
        ("objects/schema.readonly", "GET", f"/objects/{TICKET}?locationId=", None),
        ("objects/schema.write", "POST", "/objects/", {}),
        ("objects/schema.write", "PUT", f"/objects/{TICKET}", {}),
        ("objects/record.write", "POST", RECORDS, {}),
        ("objects/record.readonly", "POST", f"{RECORDS}/search", {}),
        ("objects/record.readonly", "GET", f"{RECORDS}/x", None),
        ("objects/record.write", "PUT", f"{RECORDS}/x", {}),
        ("objects/record.write", "DELETE", f"{RECORDS}/x", None),
        ("locations/customFields.readonly", "GET", f"/custom-fields/object-key/{TICKET}", None),
        ("locations/customFields.write", "POST", "/custom-fields/", {}),
        ("users.readonly", "GET", "/users/", None),
        ("locations.readonly", "GET", "/locations/search", None),
    ],
)
def test_a_missing_scope_is_a_401(scope: str, method: str, path: str, body: object) -> None:
    desk = Desk()
    everything = set(desk.account.app.scopes)

    desk.control("set_scopes", token=desk.token, scopes=sorted(everything - {scope}))
    assert desk.call(method, path, body).refusal == (401, NOT_IN_SCOPE)
    desk.control("set_scopes", token=desk.token, scopes=[scope])
    assert desk.call(method, path, body).data.get("message") != NOT_IN_SCOPE


def test_single_records_may_need_no_scope_as_the_spec_says() -> None:
    desk = Desk(Options(record_scopes=False))
    desk.control("set_scopes", token=desk.token, scopes=[])

    assert desk.read("0" * 24).status == 404
    assert desk.search().refusal == (401, NOT_IN_SCOPE)


def test_another_location_is_forbidden() -> None:
    desk = Desk()
    elsewhere = desk.other_location

    assert _objects(desk, location=elsewhere).refusal == (403, NO_ACCESS)
    assert _objects(desk, location="nowhere").refusal == (403, NO_ACCESS)
    assert desk.call("GET", f"/locations/{elsewhere}").status == 403
    assert desk.call("POST", RECORDS, {"locationId": elsewhere, "properties": {}}).status == 403
    assert desk.search(locationId=elsewhere).status == 403
    assert desk.call("GET", "/users/", query={"locationId": elsewhere}).status == 403
    assert _objects(desk, location=elsewhere, token=desk.account.private_tokens[elsewhere]).status == 200


def test_an_agencys_token_does_not_open_a_sub_accounts_routes() -> None:
    desk = Desk()
    company = _tokens(desk, desk.control("authorize")["code"])

    assert _objects(desk, token=desk.agency_token).refusal == (401, "Token's user type mismatch!")
    status, message = _objects(desk, token=company["access_token"]).refusal
    assert (status, message) == (401, "This authClass type is not allowed to access this scope.")
    assert desk.call("GET", f"/locations/{desk.location}", token=desk.agency_token).status == 200
    primary = {"key": "custom_objects.pet.name", "name": "Name", "dataType": "TEXT"}
    body = {"locationId": desk.location, "labels": {"singular": "P", "plural": "Ps"}, "key": "pet"}
    made = desk.call(
        "POST", "/objects/", body | {"primaryDisplayPropertyDetails": primary}, token=desk.agency_token
    )
    assert made.status == 201


def test_a_route_that_is_not_there_is_refused_by_the_gateway() -> None:
    desk = Desk()

    status, message = desk.call("GET", "/nothing/here").refusal
    assert status == 401
    assert message.startswith("This route is not yet supported by the IAM Service")
    desk.control("options", unknown_route_status=500)
    assert desk.call("PATCH", "/objects/").status == 500


def test_some_routes_exist_in_one_version_only() -> None:
    desk = Desk()
    at = {"locationId": desk.location}

    assert desk.call("GET", "/users/", query=at).status == 200
    assert desk.call("GET", "/users/", query=at, version="v3").status == 404
    for path in ("/oauth/location-token", "/oauth/locationToken"):
        is_v3 = path == "/oauth/location-token"
        form = {"companyId": desk.account.company_id, "locationId": desk.location}
        wrong = desk.call("POST", path, form=form, version="2021-07-28" if is_v3 else "v3")
        assert wrong.status == 404


def test_the_v3_prefix_is_an_option() -> None:
    desk = Desk(Options(v3_prefix=True))
    at = {"locationId": desk.location}

    assert desk.call("GET", "/v3/objects/", query=at, version=None).status == 200
    assert Desk().call("GET", "/v3/objects/", query=at).status == 401


def test_a_private_token_is_rotated_at_once_or_with_overlap_and_revoked() -> None:
    desk = Desk()
    second = desk.control("rotate_token", token=desk.token)["token"]
    assert second.startswith("pit-")
    assert _objects(desk, token=desk.token).status == 401
    assert _objects(desk, token=second).status == 200

    third = desk.control("rotate_token", token=second, overlap=True)["token"]
    desk.clock.advance(7 * DAY - 1)
    assert _objects(desk, token=second).status == 200
    desk.clock.advance(1)
    assert _objects(desk, token=second).status == 401
    assert _objects(desk, token=third).status == 200

    desk.control("revoke_token", token=third)
    assert _objects(desk, token=third).status == 401


def _client(desk: Desk) -> dict[str, str]:
    return {"client_id": desk.account.app.client_id, "client_secret": desk.account.app.client_secret}


def _token_reply(desk: Desk, **form: str) -> Reply:
    return desk.call("POST", "/oauth/token", form=_client(desk) | form, token=None, version=None)


def _tokens(desk: Desk, code: str) -> dict[str, Any]:
    reply = _token_reply(desk, grant_type="authorization_code", code=code)
    assert reply.status == 200, reply
    return reply.data


def _refresh(desk: Desk, refresh_token: str) -> Reply:
    return _token_reply(desk, grant_type="refresh_token", refresh_token=refresh_token)


def test_a_code_becomes_tokens_once() -> None:
    desk = Desk()
    code = desk.control("authorize", location=desk.location, scopes=["objects/schema.readonly"])["code"]
    tokens = _tokens(desk, code)

    assert tokens["expires_in"] == 86_399
    assert tokens["token_type"] == "Bearer"
    assert tokens["userType"] == "Location"
    assert tokens["locationId"] == desk.location
    assert tokens["companyId"] == desk.account.company_id
    assert tokens["scope"] == "objects/schema.readonly"
    assert _objects(desk, token=tokens["access_token"]).status == 200
    assert desk.call("GET", f"{RECORDS}/x", token=tokens["access_token"]).refusal == (401, NOT_IN_SCOPE)
    assert _token_reply(desk, grant_type="authorization_code", code=code).status == 400


def test_a_code_is_good_for_ten_minutes() -> None:
    desk = Desk()
    code = desk.control("authorize", state="s")
    desk.clock.advance(601)

    assert code["redirect"].endswith("&state=s")
    assert _token_reply(desk, grant_type="authorization_code", code=code["code"]).status == 400


def test_refresh_tokens_rotate_and_a_spent_one_is_worthless() -> None:
    desk = Desk()
    first = _tokens(desk, desk.control("authorize", location=desk.location)["code"])
    second = _refresh(desk, first["refresh_token"]).data

    assert _refresh(desk, first["refresh_token"]).refusal == (400, BAD_REFRESH)
    assert second["refresh_token"] != first["refresh_token"]
    assert _objects(desk, token=first["access_token"]).status == 200
    assert _objects(desk, token=second["access_token"]).status == 200
    desk.clock.advance(86_399)
    assert _objects(desk, token=second["access_token"]).refusal == (401, "The token is expired")
    assert _refresh(desk, second["refresh_token"]).status == 200


def test_a_refresh_token_dies_after_a_year_and_with_the_installation() -> None:
    desk = Desk()
    first = _tokens(desk, desk.control("authorize", location=desk.location)["code"])
    desk.clock.advance(366 * DAY)
    assert _refresh(desk, first["refresh_token"]).refusal == (400, BAD_REFRESH)

    second = _tokens(desk, desk.control("authorize", location=desk.location)["code"])
    desk.control("uninstall", location=desk.location)
    assert _refresh(desk, second["refresh_token"]).refusal == (400, BAD_REFRESH)


def test_an_inactive_location_refuses_but_keeps_the_refresh_token() -> None:
    desk = Desk()
    tokens = _tokens(desk, desk.control("authorize", location=desk.location)["code"])
    desk.control("set_location_active", location=desk.location, active=False)
    assert _refresh(desk, tokens["refresh_token"]).refusal == (400, "Location is not active")

    desk.control("set_location_active", location=desk.location, active=True)
    assert _refresh(desk, tokens["refresh_token"]).status == 200


def test_version_3_speaks_camel_case_and_takes_json() -> None:
    desk = Desk()
    app = desk.account.app
    code = desk.control("authorize", location=desk.location)["code"]
    body = {"clientId": app.client_id, "clientSecret": app.client_secret, "grantType": "authorization_code"}

    tokens = desk.call("POST", "/oauth/token", body | {"code": code}, token=None, version="v3").data
    assert {"accessToken", "refreshToken", "expiresIn", "tokenType"} < set(tokens)
    assert not {"access_token", "refresh_token"} & set(tokens)
    missing = {key: value for key, value in body.items() if key != "clientId"}
    reply = desk.call("POST", "/oauth/token", missing, token=None, version="v3")
    assert reply.refusal == (400, "Missing parameter: clientId")
    wrong = desk.call("POST", "/oauth/token", body | {"grantType": "password"}, token=None, version="v3")
    assert wrong.refusal == (400, "Invalid parameter: grantType")


def test_what_is_missing_or_wrong_in_a_token_request_is_named() -> None:
    desk = Desk()

    assert _token_reply(desk).refusal == (400, "Missing parameter: grant_type")
    assert _token_reply(desk, grant_type="password").refusal == (400, "Invalid parameter: grant_type")
    assert _token_reply(desk, grant_type="refresh_token").refusal == (400, "Missing parameter: refresh_token")
    assert _refresh(desk, "unknown").refusal == (400, BAD_REFRESH)
    wrong = _token_reply(desk, grant_type="refresh_token", refresh_token="x", client_secret="x")
    assert wrong.status == 401
    code = desk.control("authorize")["code"]
    moved = _token_reply(
        desk, grant_type="authorization_code", code=code, redirect_uri="https://x.example.test"
    )
    assert moved.refusal == (400, "Invalid parameter: redirect_uri")


def test_client_credentials_give_an_agencys_token_without_refresh() -> None:
    data = _token_reply(Desk(), grant_type="client_credentials").data

    assert data["userType"] == "Company"
    assert "refresh_token" not in data


@pytest.mark.parametrize("version", ["2021-07-28", "v3"])
def test_an_agencys_token_makes_a_locations_token(version: str) -> None:
    desk = Desk()
    company = _tokens(desk, desk.control("authorize")["code"])
    assert company["userType"] == "Company"
    assert "locationId" not in company
    path = "/oauth/location-token" if version == "v3" else "/oauth/locationToken"
    form = {"companyId": desk.account.company_id, "locationId": desk.location}

    made = desk.call("POST", path, form=form, token=company["access_token"], version=version).data
    token = made["accessToken" if version == "v3" else "access_token"]
    assert made["locationId"] == desk.location
    assert _objects(desk, token=token).status == 200
    assert _objects(desk, token=token, location=desk.other_location).status == 403


def test_only_an_apps_agency_token_makes_location_tokens() -> None:
    desk = Desk()
    form = {"companyId": desk.account.company_id, "locationId": desk.location}
    company = _tokens(desk, desk.control("authorize")["code"])["access_token"]

    for token in (desk.token, desk.agency_token):
        assert desk.call("POST", "/oauth/locationToken", form=form, token=token).status == 401
    wrong = form | {"locationId": "nowhere"}
    assert desk.call("POST", "/oauth/locationToken", form=wrong, token=company).status == 400
    assert desk.call("POST", "/oauth/locationToken", form={"x": "y"}, token=company).status == 422
    desk.control("uninstall", location=desk.location)
    assert desk.call("POST", "/oauth/locationToken", form=form, token=company).status == 400


def test_installed_locations_are_listed_with_pages() -> None:
    desk = Desk()
    company = _tokens(desk, desk.control("authorize")["code"])["access_token"]
    query = {"companyId": desk.account.company_id, "appId": desk.account.app.app_id}
    old = desk.call("GET", "/oauth/installedLocations", query=query, token=company).data
    assert [each["_id"] for each in old["locations"]] == [desk.location, desk.other_location]
    assert old["count"] == 2

    path = "/oauth/installed-locations"
    first = desk.call("GET", path, query=query | {"pageSize": "1"}, token=company, version="v3").data
    assert first["pagination"]["hasNextPage"] is True
    after = {"pageSize": "1", "pageToken": first["pagination"]["nextPageToken"]}
    second = desk.call("GET", path, query=query | after, token=company, version="v3").data
    assert [each["_id"] for each in first["items"] + second["items"]] == [desk.location, desk.other_location]
    assert second["pagination"]["hasNextPage"] is False
    wrong = desk.call("GET", path, query=query | {"pageSize": "101"}, token=company, version="v3")
    assert (wrong.status, set(wrong.data["error"])) == (400, {"code", "message", "resolution"})
    unknown = desk.call("GET", path, query=query | {"appId": "x"}, token=company, version="v3")
    assert unknown.status == 404


def test_users_and_locations_are_found() -> None:
    desk = Desk()
    company = {"companyId": desk.account.company_id}
    people = desk.call("GET", "/users/", query={"locationId": desk.location}).data["users"]
    assert [each["email"] for each in people] == [
        "owner@example.test",
        "editor@example.test",
        "member@example.test",
    ]

    found = desk.call("GET", "/users/search", query=company | {"query": "EDIT"}).data
    assert [each["name"] for each in found["users"]] == ["Editor Two"]
    page = desk.call("GET", "/users/search", query=company | {"limit": "1", "skip": "1"}).data
    assert (len(page["users"]), page["count"]) == (1, 3)
    assert desk.call("GET", "/users/search").status == 422
    assert desk.call("GET", "/users/search", query={"companyId": "x"}).status == 403
    assert desk.call("GET", f"/users/{people[0]['id']}").data["roles"]["role"] == "admin"
    assert desk.call("GET", "/users/nobody").status == 400

    own = desk.call("GET", "/locations/search").data["locations"]
    assert [each["id"] for each in own] == [desk.location]
    both = desk.call("GET", "/locations/search", query=company, token=desk.agency_token).data["locations"]
    assert len(both) == 2
    assert desk.call("GET", f"/locations/{desk.location}").data["location"]["name"] == "Sandbox Location One"
