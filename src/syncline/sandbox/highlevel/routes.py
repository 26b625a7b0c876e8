"""Which operation answers which path, for whom: the table behind `gate`.

Scopes and kinds of token: highlevel-api.md 1.9, 2.3; operations on one record have no scope in the spec (see
`Options.record_scopes`).
"""

from __future__ import annotations

from syncline.sandbox.highlevel import fields, oauth, objects, people, records, search
from syncline.sandbox.highlevel.calls import Access, Route, Versions
from syncline.sandbox.highlevel.crm_routes import CRM_ROUTES
from syncline.sandbox.highlevel.tie_routes import TIE_ROUTES

_RECORDS = "/objects/{schemaKey}/records"
_SCHEMA_READ, _SCHEMA_WRITE = "objects/schema.readonly", "objects/schema.write"
_RECORD_READ, _RECORD_WRITE = "objects/record.readonly", "objects/record.write"
_FIELDS_READ, _FIELDS_WRITE = "locations/customFields.readonly", "locations/customFields.write"

ROUTES = (
    Route("GET", "/objects/", _SCHEMA_READ, objects.list_objects),
    Route("POST", "/objects/", _SCHEMA_WRITE, objects.post_object, Access.ANY),
    Route("GET", "/objects/{key}", _SCHEMA_READ, objects.get_object),
    Route("PUT", "/objects/{key}", _SCHEMA_WRITE, objects.put_object),
    Route("POST", _RECORDS, _RECORD_WRITE, records.create_record),
    Route("POST", _RECORDS + "/search", _RECORD_READ, search.search_records),
    Route("GET", _RECORDS + "/{id}", _RECORD_READ, records.get_record),
    Route("PUT", _RECORDS + "/{id}", _RECORD_WRITE, records.update_record),
    Route("DELETE", _RECORDS + "/{id}", _RECORD_WRITE, records.delete_record),
    Route("POST", "/custom-fields/", _FIELDS_WRITE, fields.post_field),
    Route("POST", "/custom-fields/folder", _FIELDS_WRITE, fields.post_folder),
    Route("PUT", "/custom-fields/folder/{id}", _FIELDS_WRITE, fields.put_folder),
    Route("DELETE", "/custom-fields/folder/{id}", _FIELDS_WRITE, fields.delete_folder),
    Route("GET", "/custom-fields/object-key/{objectKey}", _FIELDS_READ, fields.list_fields),
    Route("GET", "/custom-fields/{id}", _FIELDS_READ, fields.get_field),
    Route("PUT", "/custom-fields/{id}", _FIELDS_WRITE, fields.put_field),
    Route("DELETE", "/custom-fields/{id}", _FIELDS_WRITE, fields.delete_field),
    Route("GET", "/users/", "users.readonly", people.users_of_location, versions=Versions.BEFORE_V3),
    Route("GET", "/users/search", "users.readonly", people.search_users, Access.ANY),
    Route("GET", "/users/{userId}", "users.readonly", people.get_user, Access.ANY),
    Route("GET", "/locations/search", "locations.readonly", people.search_locations, Access.ANY),
    Route("GET", "/locations/{locationId}", "locations.readonly", people.get_location, Access.ANY),
    Route("POST", "/oauth/token", "", oauth.post_token, Access.OPEN),
    Route(
        "POST",
        "/oauth/locationToken",
        "oauth.write",
        oauth.post_location_token,
        Access.COMPANY,
        Versions.BEFORE_V3,
    ),
    Route(
        "POST", "/oauth/location-token", "oauth.write", oauth.post_location_token, Access.COMPANY, Versions.V3
    ),
    Route(
        "GET",
        "/oauth/installedLocations",
        "oauth.readonly",
        oauth.get_installed_locations,
        Access.COMPANY,
        Versions.BEFORE_V3,
    ),
    Route(
        "GET",
        "/oauth/installed-locations",
        "oauth.readonly",
        oauth.get_installed_locations_v3,
        Access.COMPANY,
        Versions.V3,
    ),
    *CRM_ROUTES,
    *TIE_ROUTES,
)
