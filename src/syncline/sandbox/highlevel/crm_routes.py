"""Which operation of the CRM answers which path: a part of the table in `routes` (facts: highlevel-api.md 1.9, 2.3)."""

from __future__ import annotations

from syncline.sandbox.highlevel import (
    contact_notes,
    contact_search,
    contact_tasks,
    contacts,
    location_fields,
    opportunities,
)
from syncline.sandbox.highlevel.calls import Route, Versions

_READ, _WRITE = "contacts.readonly", "contacts.write"
_DEALS_READ, _DEALS_WRITE = "opportunities.readonly", "opportunities.write"
_FIELDS = "/locations/{locationId}/customFields"
_FIELDS_READ, _FIELDS_WRITE = "locations/customFields.readonly", "locations/customFields.write"
_CONTACT = "/contacts/{contactId}"
_TASKS = _CONTACT + "/tasks"
_NOTES = _CONTACT + "/notes"

CRM_ROUTES = (
    Route("GET", "/contacts/", _READ, contact_search.list_contacts, versions=Versions.BEFORE_V3),
    Route("POST", "/contacts/", _WRITE, contacts.post_contact),
    Route("POST", "/contacts/search", _READ, contact_search.search_contacts),
    Route("GET", "/contacts/search/duplicate", _READ, contact_search.find_duplicate),
    Route("GET", _CONTACT, _READ, contacts.get_contact),
    Route("PUT", _CONTACT, _WRITE, contacts.put_contact),
    Route("DELETE", _CONTACT, _WRITE, contacts.delete_contact),
    Route("POST", _CONTACT + "/tags", _WRITE, contacts.post_tags),
    Route("DELETE", _CONTACT + "/tags", _WRITE, contacts.delete_tags),
    Route("GET", _TASKS, _READ, contact_tasks.list_tasks),
    Route("POST", _TASKS, _WRITE, contact_tasks.post_task),
    Route("GET", _TASKS + "/{taskId}", _READ, contact_tasks.get_task),
    Route("PUT", _TASKS + "/{taskId}", _WRITE, contact_tasks.put_task),
    Route("PUT", _TASKS + "/{taskId}/completed", _WRITE, contact_tasks.put_completed),
    Route("DELETE", _TASKS + "/{taskId}", _WRITE, contact_tasks.delete_task),
    Route("GET", _NOTES, _READ, contact_notes.list_notes),
    Route("POST", _NOTES, _WRITE, contact_notes.post_note),
    Route("GET", _NOTES + "/{id}", _READ, contact_notes.get_note),
    Route("PUT", _NOTES + "/{id}", _WRITE, contact_notes.put_note),
    Route("DELETE", _NOTES + "/{id}", _WRITE, contact_notes.delete_note),
    Route(
        "POST", "/locations/{locationId}/tasks/search", "locations/tasks.readonly", contact_tasks.search_tasks
    ),
    Route("GET", "/locations/{locationId}/tags", "locations/tags.readonly", location_fields.list_tags),
    Route("GET", _FIELDS, _FIELDS_READ, location_fields.list_fields),
    Route("POST", _FIELDS, _FIELDS_WRITE, location_fields.post_field),
    Route("GET", _FIELDS + "/{id}", _FIELDS_READ, location_fields.get_field),
    Route("DELETE", _FIELDS + "/{id}", _FIELDS_WRITE, location_fields.delete_field),
    Route("GET", "/opportunities/pipelines", _DEALS_READ, opportunities.list_pipelines),
    Route("GET", "/opportunities/search", _DEALS_READ, opportunities.search_opportunities),
    Route("POST", "/opportunities/", _DEALS_WRITE, opportunities.post_opportunity),
    Route("GET", "/opportunities/{id}", _DEALS_READ, opportunities.get_opportunity),
    Route("PUT", "/opportunities/{id}", _DEALS_WRITE, opportunities.put_opportunity),
    Route("PUT", "/opportunities/{id}/status", _DEALS_WRITE, opportunities.put_status),
    Route("DELETE", "/opportunities/{id}", _DEALS_WRITE, opportunities.delete_opportunity),
)
