"""One write of the engine into the calls that ActiveCollab takes for it.

Used by `activecollab.connector`. Completion has routes of its own, so a write may take two calls: when the second fails,
the outcome of the whole is unknown (facts: activecollab-api.md 3.1, 3.4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import assert_never

import msgspec

from syncline.connectors.activecollab.account import Account
from syncline.connectors.activecollab.attributes import ESTIMATE, PROJECT_FORM, Form
from syncline.connectors.activecollab.client import Json
from syncline.connectors.activecollab.dialect import JOB_TYPE_MISSING
from syncline.connectors.activecollab.places import Found, Places
from syncline.connectors.activecollab.records import completion, to_payload
from syncline.connectors.activecollab.scopes import home_of_new, project_filter
from syncline.core.records import (
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


class Writer:
    """Carries out writes on one object type."""

    def __init__(self, account: Account, form: Form, places: Places, restore_path: str) -> None:
        self._account = account
        self._client = account.client
        self._form = form
        self._places = places
        self._restore_path = restore_path

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """One write; the record as answered."""
        match write:
            case Create(fields):
                return await self._receipt(scope, await self._create(scope, fields))
            case Update(key, fields, was):
                return await self._receipt(scope, await self._update(scope, key, fields, was))
            case Delete(key):
                await self._at_home(scope, key, "DELETE", {})
                return Receipt(key, None)
            case Archive(key):
                _live(await self._complete(key, done=True))
                return Receipt(key, None)
            case Restore(key, fields):
                return await self._receipt(scope, await self._restore(scope, key, fields))
            case _:
                assert_never(write)

    async def _receipt(self, scope: Scope, json: Json) -> Receipt:
        """The record as answered: the routes of completion reach it also where it has left the filter's projects."""
        record, wanted = await self._account.record(self._form, json), project_filter(scope)
        project = record.key if self._form is PROJECT_FORM else json.get("project_id")
        if wanted and project is not None and str(project) not in wanted:
            record = msgspec.structs.replace(record, in_scope=False)
        return Receipt(record.key, record)

    async def _create(self, scope: Scope, fields: Mapping[FieldId, Value]) -> Json:
        payload, done = await self._payload(fields), completion(fields)
        if "name" not in payload:
            raise RejectedError("a value is required", field=FieldId("name"), detail=Detail.REQUIRED_FIELD)
        if payload.get("estimate") and not payload.get("job_type_id"):
            payload["job_type_id"] = await self._job_type()
        home = "" if self._form is PROJECT_FORM else home_of_new(scope)
        path = "projects" if self._form is PROJECT_FORM else f"projects/{home}/{self._form.collection}"
        try:
            made = await self._client.post(path, payload)
        except NotFoundError as error:
            raise RejectedError(
                f"project {home} is not there, or not visible to the token's user", detail=Detail.NO_PARENT
            ) from error
        key = RecordKey(str(made["id"]))
        self._places.learn(home, [key])
        return await _second(self._complete(key, done=True)) if done else made

    async def _update(
        self,
        scope: Scope,
        key: RecordKey,
        fields: Mapping[FieldId, Value],
        was: Mapping[FieldId, Value] | None = None,
    ) -> Json:
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
        wanted = project_filter(scope)
        known = _checked(key) if self._form is PROJECT_FORM else self._places.home(_checked(key))
        if known is not None and (self._form is PROJECT_FORM or not wanted or known in wanted):
            try:
                return await self._send(known, key, method, payload)
            except NotFoundError:
                if self._form is PROJECT_FORM:
                    raise
        place = await self._places.find(key, wanted)
        if not isinstance(place, Found):
            raise NotFoundError("not there, or not visible to the token's user")
        found = (await self._account.record(self._form, _live(place.json))).fields
        if was is not None and not all(same(was[name], found.get(name, BLANK)) for name in was):
            raise StaleError("moved to another project and edited meanwhile", detail=Detail.EDITED_MEANWHILE)
        return await self._send(place.project, key, method, payload)

    async def _send(self, home: str, key: RecordKey, method: str, payload: dict[str, object]) -> Json:
        path = (
            f"projects/{home}"
            if self._form is PROJECT_FORM
            else f"projects/{home}/{self._form.collection}/{key}"
        )
        if method == "DELETE":
            return await self._client.delete(path)
        try:
            return await self._client.put(path, payload)
        except RejectedError as error:
            # Asking first would cost a call for every estimate; a refusal costs one only for the first of a task.
            if JOB_TYPE_MISSING not in str(error) or payload.get("job_type_id"):
                raise
        return await self._client.put(path, {**payload, "job_type_id": await self._job_type()})

    async def _job_type(self) -> int:
        job_type = await self._account.default_job_type()
        if job_type is None:
            raise RejectedError(
                "an estimate needs a job type, and the account has no default one",
                field=ESTIMATE,
                detail=Detail.REQUIRED_FIELD,
            )
        return job_type


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
