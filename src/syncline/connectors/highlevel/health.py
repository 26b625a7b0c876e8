"""A few cheap reads into the verdict of a connection test.

Called by `HighLevelConnector.check`. Nothing tells the scopes of a private token, so the reads that need them are tried;
an OAuth token names its own. Whether a private token may write records is only known once it does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from syncline.connectors.highlevel.attached import NOTE, TASK
from syncline.connectors.highlevel.client import OBJECTS, Client, Search
from syncline.connectors.highlevel.contacts import CONTACT
from syncline.connectors.highlevel.opportunities import OPPORTUNITY
from syncline.connectors.highlevel.paper_forms import DOCUMENT, TEMPLATE
from syncline.connectors.highlevel.papers import DOCUMENTS, TEMPLATES
from syncline.connectors.highlevel.schema import CUSTOM_PREFIX, WireObject
from syncline.errors import AuthError, ConnectorError
from syncline.ports import Health

T = TypeVar("T")

NEEDED = ("objects/schema.readonly", "objects/record.readonly", "objects/record.write")
"""Scopes without which records cannot be synced."""
USEFUL = ("locations/customFields.readonly", "locations.readonly", "users.readonly")
"""Scopes that name the account and its people, and that setting up an object needs."""
_READING = ("objects/schema.readonly", "objects/record.readonly")
_LISTED: Mapping[str, str] = MappingProxyType({DOCUMENT: DOCUMENTS.scope, TEMPLATE: TEMPLATES.scope})
_CUSTOM = "locations/customFields.readonly"
_CRM: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        CONTACT: (("contacts.readonly", _CUSTOM, "locations/tags.readonly"), "contacts.write"),
        OPPORTUNITY: (("opportunities.readonly", _CUSTOM), "opportunities.write"),
        TASK: (("contacts.readonly", "locations/tasks.readonly"), "contacts.write"),
        NOTE: (("contacts.readonly",), "contacts.write"),
    }
)
"""To read and, besides, to write. Custom fields and tags are asked for: without them, contacts look as if they had none."""
_NAMING = ("locations.readonly", "users.readonly")


def scopes_for(object_type: str, *, is_written: bool) -> tuple[str, ...]:
    """The fewest scopes with which records of a type can be synced; without a type, those that name the account and its
    people. Facts: highlevel-api.md 2.3, which spells those of documents in two ways: the app's scope picker decides."""
    if not object_type:
        return _NAMING
    if object_type in _LISTED:
        return (_LISTED[object_type],)
    if object_type in _CRM:
        reading, writing = _CRM[object_type]
        return (*reading, writing) if is_written else reading
    return (*_READING, "objects/record.write") if is_written else _READING


@dataclass(slots=True)
class _Findings:
    """What the probes found, in the order they were made."""

    missing: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])

    async def probe(self, call: Awaitable[T]) -> T | None:
        """The answer; None after noting why there is none."""
        try:
            return await call
        except AuthError as error:
            if error.missing_scopes:
                self.missing.extend(scope for scope in error.missing_scopes if scope not in self.missing)
            else:
                self.note(error)
        except ConnectorError as error:
            self.note(error)
        return None

    def note(self, error: ConnectorError) -> None:
        """Once each: a bad token fails every probe in the same words."""
        text = str(error.args[0])
        if text not in self.faults:
            self.faults.append(text)


async def check(client: Client) -> Health:
    """Test the connection."""
    findings = _Findings()
    location = await findings.probe(client.location_card())
    objects = await findings.probe(client.objects())
    if findings.faults and objects is None:
        return Health(account=client.location, user="", problems=tuple(findings.faults))
    users = await findings.probe(client.users()) or ()
    await _probe_objects(client, findings, objects or ())
    scopes = client.credentials.scopes
    if scopes is not None:
        findings.missing.extend(
            s for s in (*NEEDED, *USEFUL) if s not in scopes and s not in findings.missing
        )
    user_id = client.credentials.user_id
    emails = [user.email or user.name for user in users if user.id == user_id]
    lacking = [f"the scope {scope} is missing" for scope in NEEDED if scope in findings.missing]
    return Health(
        account=(location.name if location else "") or client.location,
        user=next(iter(emails), user_id) or "private integration",
        version=client.version(OBJECTS),
        scopes=scopes,
        missing_scopes=tuple(findings.missing),
        problems=(*findings.faults, *lacking),
        account_id=client.location,
        user_id=user_id,
    )


async def _probe_objects(client: Client, findings: _Findings, objects: Sequence[WireObject]) -> None:
    """Read one record and the fields of some custom object, where there is one."""
    key = next((wire.key for wire in objects if wire.key.startswith(CUSTOM_PREFIX)), None)
    if key is not None:
        await findings.probe(client.search(key, Search(1, "createdAt", "asc")))
        await findings.probe(client.fields(key))
