"""One write of the engine into the calls that ActiveCollab takes for it.

Used by `activecollab.connector`. Completion has routes of its own, so a write may take two calls: when the second fails,
the outcome of the whole is unknown (facts: activecollab-api.md 3.1, 3.4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import assert_never

import msgspec

from syncline.connectors.activecollab.account import Account
from syncline.connectors.activecollab.attributes import Form, Place
from syncline.connectors.activecollab.client import Json
from syncline.connectors.activecollab.dialect import JOB_TYPE_MISSING
from syncline.connectors.activecollab.downloads import upload
from syncline.connectors.activecollab.homes import Home, Homes
from syncline.connectors.activecollab.listing import has_role
from syncline.connectors.activecollab.parts import ATTACHMENTS, ESTIMATE, IS_COMPLETED, JOB_TYPE
from syncline.connectors.activecollab.places import Found, Places, project_of
from syncline.connectors.activecollab.records import completion, demand_movable, demand_whole, to_payload
from syncline.connectors.activecollab.scopes import checked, project_filter
from syncline.connectors.activecollab.work_forms import PROJECT_FORM
from syncline.connectors.multipart import Outgoing
from syncline.core.records import (
    Ability,
    Archive,
    Create,
    Delete,
    FieldId,
    Receipt,
    RecordKey,
    Restore,
    Scope,
    Update,
    Write,
)
from syncline.core.values import BLANK, Person, Value, same
from syncline.errors import (
    ConnectorError,
    Detail,
    NotFoundError,
    RejectedError,
    StaleError,
    UnknownOutcomeError,
)

_ABILITIES: Mapping[type[Write], Ability] = {
    Create: Ability.CREATE,
    Update: Ability.UPDATE,
    Delete: Ability.DELETE,
    Archive: Ability.ARCHIVE,
    Restore: Ability.RESTORE,
}


class Writer:
    """Carries out writes on one object type."""

    def __init__(self, account: Account, form: Form, places: Places, homes: Homes, restore_path: str) -> None:
        self._account = account
        self._client = account.client
        self._form = form
        self._places = places
        self._homes = homes
        self._restore_path = restore_path

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """One write; the record as answered."""
        if (ability := _ABILITIES[type(write)]) not in self._form.abilities:
            text = f"{self._form.title}: {ability.value} is not offered"
            raise RejectedError(
                text, detail=Detail.READ_ONLY if not self._form.abilities else Detail.UNSUPPORTED
            )
        match write:
            case Create(fields):
                return await self._receipt(scope, await self._create(scope, fields))
            case Update(key, fields, was):
                return await self._receipt(scope, await self._update(scope, key, fields, was))
            case Delete(key):
                await self._delete(scope, key)
                return Receipt(key, None)
            case Archive(key):
                await self._archive(key)
                return Receipt(key, None)
            case Restore(key, fields):
                return await self._receipt(scope, await self._restore(scope, key, fields))
            case _:
                assert_never(write)

    async def attach(self, scope: Scope, key: RecordKey, file: Outgoing) -> None:
        """Upload a file, then attach it (facts: 3.8). Raises `RejectedError` where nothing can be attached."""
        if self._form.attribute(ATTACHMENTS.id) is None:
            raise RejectedError(f"{self._form.title}: nothing can be attached", detail=Detail.UNSUPPORTED)
        code = await upload(self._client, file)
        _live(await self._at_home(scope, key, "PUT", {"attach_uploaded_files": [code]}))

    async def _receipt(self, scope: Scope, json: Json) -> Receipt:
        """The record as answered: the routes of completion reach it also where it has left the filter's projects."""
        record = await self._account.record(self._form, json)
        if not is_wanted(scope, self._form, json):
            record = msgspec.structs.replace(record, in_scope=False)
        return Receipt(record.key, record)

    async def _create(self, scope: Scope, fields: Mapping[FieldId, Value]) -> Json:
        payload, done = {**self._form.defaults, **await self._payload(fields)}, completion(fields)
        demand_whole(self._form, payload)
        home = await self._homes.of_new(self._form, scope, payload)
        await self._fill(payload)
        made = await self._post(home, payload)
        key = RecordKey(str(made["id"]))
        if home.id:
            self._places.learn(home.id, [key])
        return await _second(self._complete(key, done=True)) if done else made

    async def _fill(self, payload: dict[str, object]) -> None:
        """Give an estimate and tracked time a job type, where none is told: neither can be without."""
        attribute = self._form.attribute(JOB_TYPE)
        needs = payload.get("estimate") or (attribute is not None and not attribute.can_clear)
        if needs and not payload.get("job_type_id"):
            payload["job_type_id"] = await self._job_type(ESTIMATE if payload.get("estimate") else JOB_TYPE)

    async def _post(self, home: Home, payload: dict[str, object]) -> Json:
        try:
            return await self._client.post(home.path, payload)
        except NotFoundError as error:
            text = f"{home.name} is not there, or not visible to the token's user"
            raise RejectedError(text, detail=Detail.NO_PARENT) from error

    async def _update(
        self,
        scope: Scope,
        key: RecordKey,
        fields: Mapping[FieldId, Value],
        was: Mapping[FieldId, Value] | None = None,
    ) -> Json:
        demand_movable(self._form, fields)
        payload, done = await self._payload(fields), completion(fields)
        if payload or done is None:
            answer = _live(await self._at_home(scope, key, "PUT", payload, was))
            return answer if done is None else _live(await _second(self._complete(key, done=done)))
        return _live(await self._complete(key, done=done))

    async def _restore(self, scope: Scope, key: RecordKey, fields: Mapping[FieldId, Value]) -> Json:
        if not self._restore_path:
            raise RejectedError(
                "restoring over the API is switched off for this connection", detail=Detail.UNSUPPORTED
            )
        path = self._restore_path.format(slug=self._form.slug, id=_checked(key))
        restored = await self._client.put(path, {})
        return await _second(self._update(scope, key, fields)) if fields else restored

    async def _delete(self, scope: Scope, key: RecordKey) -> None:
        """Into the trash: by its own route where there is one, else by the generic one (facts: 3.1, 3.5)."""
        if self._form.place is Place.TASK:
            await self._client.put(f"move-to-trash/{self._form.slug}/{_checked(key)}", {})
        else:
            await self._at_home(scope, key, "DELETE", {})

    async def _archive(self, key: RecordKey) -> None:
        """What can be completed is archived by completing it (facts: 3.1)."""
        if self._form.attribute(IS_COMPLETED):
            _live(await self._complete(key, done=True))
        else:
            _live(await self._client.put(f"move-to-archive/{self._form.slug}/{_checked(key)}", {}))

    async def _complete(self, key: RecordKey, *, done: bool) -> Json:
        verb = "complete" if done else "open"
        return await self._client.put(f"{verb}/{self._form.slug}/{_checked(key)}", {})

    async def _payload(self, fields: Mapping[FieldId, Value]) -> dict[str, object]:
        """The JSON to send; the users are asked for again when it names one we do not know."""
        people = await self._account.people()
        persons = [value for value in fields.values() if isinstance(value, Person)]
        if any(people.user_id(person) is None for person in persons):
            people = await self._account.ask_people()
        return to_payload(self._form, fields, people)

    async def _at_home(
        self,
        scope: Scope,
        key: RecordKey,
        method: str,
        payload: dict[str, object],
        was: Mapping[FieldId, Value] | None = None,
    ) -> Json:
        """Send to the record's own route; where it moved to another project, there, unless it was edited as well.

        No delta listing shows a record that left the filter's projects, so nobody has read what it holds now. Raises
        `StaleError` when that is not what it `was`.
        """
        wanted = project_filter(scope, self._form)
        if self._form.is_global:
            return await self._send(f"{self._form.collection}/{_checked(key)}", method, payload)
        known = self._places.home(_checked(key))
        if known is not None and (not wanted or project_of(known) in wanted):
            try:
                return await self._send(self._path(known, key), method, payload)
            except NotFoundError:
                pass
        place = await self._places.find(key, wanted)
        if not isinstance(place, Found):
            raise NotFoundError("not there, or not visible to the token's user")
        found = (await self._account.record(self._form, _live(place.json))).fields
        if was is not None and not all(same(was[name], found.get(name, BLANK)) for name in was):
            raise StaleError("moved to another project and edited meanwhile", detail=Detail.EDITED_MEANWHILE)
        return await self._send(self._path(place.home, key), method, payload)

    def _path(self, home: str, key: RecordKey) -> str:
        return f"projects/{home}/{self._form.collection}/{key}"

    async def _send(self, path: str, method: str, payload: dict[str, object]) -> Json:
        if method == "DELETE":
            return await self._client.delete(path)
        try:
            return await self._client.put(path, payload)
        except RejectedError as error:
            # Asking first would cost a call for every estimate; a refusal costs one only for the first of a task.
            if JOB_TYPE_MISSING not in str(error) or payload.get("job_type_id"):
                raise
        return await self._client.put(path, {**payload, "job_type_id": await self._job_type(ESTIMATE)})

    async def _job_type(self, needed_by: FieldId) -> int:
        job_type = await self._account.default_job_type()
        if job_type is None:
            raise RejectedError(
                "it needs a job type, and the account has no default one",
                field=needed_by,
                detail=Detail.REQUIRED_FIELD,
            )
        return job_type


def is_wanted(scope: Scope, form: Form, json: Json) -> bool:
    """Whether an object is in the filter's projects and has one of its roles; where it does not tell, it is."""
    if not has_role(form, json, checked(scope, form).get("role", ())):
        return False
    wanted = project_filter(scope, form)
    project = json.get("id") if form is PROJECT_FORM else json.get("project_id")
    return not wanted or project is None or str(project) in wanted


def cost(write: Write) -> int:
    """The calls of one write, as long as nothing moved meanwhile."""
    match write:
        case Create(fields):
            return 2 if completion(fields) else 1
        case Update(_, fields):
            return _update_cost(fields)
        case Restore(_, fields):
            return 1 + (_update_cost(fields) if fields else 0)
        case Delete() | Archive():
            return 1
        case _:
            assert_never(write)


def _update_cost(fields: Mapping[FieldId, Value]) -> int:
    own_route = 0 if completion(fields) is None else 1
    return max(1, own_route + (len(fields) > own_route))


def _checked(key: RecordKey) -> RecordKey:
    """The key, when it is an id. Raises `NotFoundError`."""
    if not key.isdigit():
        raise NotFoundError("not an id of ActiveCollab")
    return key


def _live(json: Json) -> Json:
    """The object, when it is not in the trash. Raises `NotFoundError`: writing there reaches nobody."""
    if json.get("is_trashed"):
        raise NotFoundError("lies in the trash", detail=Detail.GONE_MEANWHILE)
    return json


async def _second(step: Awaitable[Json]) -> Json:
    """The second call of a write. Whatever goes wrong with it, the first has happened."""
    try:
        return await step
    except ConnectorError as error:
        message = f"only a part of the write happened: {error.args[0]}"
        raise UnknownOutcomeError(
            message, connection=error.connection, field=error.field, detail=Detail.INTERRUPTED
        ) from error
