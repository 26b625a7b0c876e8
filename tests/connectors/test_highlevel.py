"""The HighLevel connector over real HTTP: object types, connection test, quota, setting up an object."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace

import pytest

from syncline.connectors.highlevel import Tokens
from syncline.connectors.highlevel.client import DEFAULT_VERSION
from syncline.connectors.highlevel.schema import DataType
from syncline.connectors.highlevel.setup import FieldWish, ensure_object
from syncline.core.records import (
    FieldId,
    ObjectTypeId,
    Present,
    RecordKey,
    Scope,
)
from syncline.core.values import (
    Person,
)
from syncline.errors import (
    AuthError,
    ConfigError,
    NotFoundError,
    ProblemKind,
    RejectedError,
    SetupError,
    TransientError,
)
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import Options
from tests.connectors.highlevel_world import (
    SCOPE,
    TICKET,
    WISH,
    create,
    listing,
    world,
)


class TestObjects:
    async def test_custom_objects_and_businesses_can_be_synced(self) -> None:
        async with world() as w:
            types = await w.connector.object_types()

        assert [each.id for each in types][:2] == ["business", TICKET]

    async def test_the_schema_names_options_and_people(self) -> None:
        async with world() as w:
            schema = await w.connector.schema(TICKET)

        tags, owner = schema.field(FieldId("tags")), schema.field(FieldId("owner"))
        assert tags is not None
        assert tags.options is not None
        assert [(option.key, option.label) for option in tags.options] == [
            ("low", "Low"),
            ("high", "High"),
            ("urgent", "Urgent"),
        ]
        assert owner is not None
        assert owner.options is not None
        assert "owner@example.test" in [option.email for option in owner.options]

    async def test_an_object_that_is_not_there_is_not_found(self) -> None:
        nowhere = Scope(ObjectTypeId("custom_objects.nowhere"))
        async with world() as w:
            with pytest.raises(NotFoundError):
                await w.connector.schema(nowhere.object_type)
            with pytest.raises(NotFoundError):
                await listing(w.connector, scope=nowhere)

    async def test_a_token_without_users_still_reads_records(self) -> None:
        async with world() as w:
            scopes = ["objects/schema.readonly", "objects/record.readonly", "objects/record.write"]
            w.act("set_scopes", token=w.vendor.account.private_tokens[w.location], scopes=scopes)
            connector = w.open()
            owner = w.vendor.account.user_ids_by_email["owner@example.test"]
            record = w.edit("create_record", properties={"title": "a"}, owner=[owner])

            schema = await connector.schema(TICKET)
            sighting = await connector.fetch(SCOPE, record["id"])

        field = schema.field(FieldId("owner"))
        assert field is not None
        assert field.options is None
        assert "users.readonly" in field.note
        assert isinstance(sighting, Present)
        assert sighting.record.fields[FieldId("owner")] == Person(id=owner)

    async def test_a_filter_is_refused_by_name(self) -> None:
        async with world() as w:
            with pytest.raises(ConfigError, match=r"where\.project") as caught:
                await w.connector.fetch(Scope(TICKET, {"project": ("1",)}), RecordKey("r"))
        assert [(each.kind, each.found) for each in caught.value.problems] == [
            (ProblemKind.UNKNOWN_SETTING, "project")
        ]


class TestAccess:
    async def test_a_good_connection_names_account_and_scopes(self) -> None:
        saved: list[Tokens] = []
        async with world() as w:
            private = await w.connector.check()
            oauth = await w.open(access=await w.grant(saved)).check()

        assert private.account == oauth.account == "Sandbox Location One"
        assert private.user == "private integration"
        assert private.problems == private.missing_scopes == ()
        assert private.scopes is None
        assert private.version == DEFAULT_VERSION
        assert oauth.user == "owner@example.test"
        assert oauth.problems == oauth.missing_scopes == ()
        assert oauth.scopes is not None
        assert "objects/record.write" in oauth.scopes

    async def test_missing_scopes_are_named(self) -> None:
        async with world() as w:
            token = w.vendor.account.private_tokens[w.location]
            w.act("set_scopes", token=token, scopes=["objects/schema.readonly"])

            health = await w.connector.check()

        assert health.account == w.location
        assert health.missing_scopes == (
            "locations.readonly",
            "users.readonly",
            "objects/record.readonly",
            "locations/customFields.readonly",
        )
        assert health.problems == ("the scope objects/record.readonly is missing",)

    async def test_an_app_without_a_scope_says_so(self) -> None:
        async with world() as w:
            access = await w.grant([], scopes=["objects/schema.readonly", "objects/record.readonly"])

            health = await w.open(access=access).check()

        assert health.problems == ("the scope objects/record.write is missing",)

    async def test_a_bad_token_is_one_problem(self) -> None:
        async with world() as w:
            w.act("revoke_token", token=w.vendor.account.private_tokens[w.location])

            health = await w.connector.check()
            with pytest.raises(AuthError):
                await w.connector.schema(TICKET)

        assert len(health.problems) == 1

    async def test_a_foreign_location_is_refused(self) -> None:
        async with world() as w:
            with pytest.raises(AuthError):
                await w.open(location=w.vendor.account.location_ids[1]).object_types()

    async def test_a_missing_scope_is_named_by_every_call(self) -> None:
        async with world() as w:
            await w.connector.schema(TICKET)
            token = w.vendor.account.private_tokens[w.location]
            w.act("set_scopes", token=token, scopes=["objects/schema.readonly"])

            with pytest.raises(AuthError) as listed:
                await listing(w.connector)
            with pytest.raises(AuthError) as written:
                await create(w)

        assert listed.value.missing_scopes == ("objects/record.readonly",)
        assert written.value.missing_scopes == ("objects/record.write",)

    async def test_a_route_that_is_not_open_is_permanent_even_as_a_500(self) -> None:
        async with world(options=Options(unknown_route_status=500)) as w:
            connector = w.open(url=f"{w.server.base_url}/elsewhere")
            before = connector.calls

            with pytest.raises(AuthError, match="IAM"):
                await connector.object_types()

            assert connector.calls - before == 1

    async def test_a_version_nobody_knows_is_refused(self) -> None:
        async with world() as w:
            with pytest.raises(RejectedError):
                await w.open(versions={"objects": "tomorrow"}).object_types()


class TestQuota:
    async def test_the_sandbox_never_has_to_refuse(self) -> None:
        async with world() as w:
            await asyncio.gather(*(create(w, f"{number}") for number in range(230)))
            await listing(w.connector)

            assert w.act("stats")["refused_429"] == 0

    async def test_a_smaller_quota_is_learnt_from_the_headers(self) -> None:
        async with world() as w:
            w.act("quota", burst=25, daily=10_000)
            await w.connector.object_types()

            await asyncio.gather(*(create(w, f"{number}") for number in range(60)))

            assert w.connector.quota.burst_limit == 25
            assert w.connector.quota.burst_seconds == 10
            assert w.connector.quota.daily_limit == 10_000
            assert w.connector.quota.daily_left is not None
            assert w.connector.quota.daily_left < 10_000
            assert w.act("stats")["refused_429"] == 0

    async def test_an_injected_429_is_sat_out(self) -> None:
        async with world() as w:
            await w.connector.schema(TICKET)
            w.faults.add(Fault(FaultKind.STATUS, path="/records", status=429, times=2))
            before = w.clock.now()

            await create(w)

            assert w.clock.now() - before >= dt.timedelta(seconds=10)

    async def test_an_empty_day_is_left_to_the_engine(self) -> None:
        async with world() as w:
            w.act("quota", daily=len(w.requests()) + 1)
            await w.connector.object_types()

            with pytest.raises(TransientError) as caught:
                await w.connector.object_types()

        assert caught.value.after is not None
        assert caught.value.after > dt.timedelta(hours=1)

    async def test_a_read_outlives_a_short_failure(self) -> None:
        async with world() as w:
            w.faults.add(Fault(FaultKind.STATUS, status=503, times=2))
            w.faults.add(Fault(FaultKind.CUT_BEFORE, times=1))

            assert await w.connector.object_types()


class TestSetup:
    async def test_a_second_time_creates_nothing(self) -> None:
        async with world() as w:
            made = await ensure_object(w.connector.client, WISH)

        assert made.created == 0
        assert made.object_type == TICKET
        assert made.fields["Syncline key"] == "syncline_key"

    async def test_missing_fields_are_added(self) -> None:
        async with world() as w:
            wish = replace(WISH, fields=(*WISH.fields, FieldWish("Rank", DataType.NUMERICAL)))

            made = await ensure_object(w.connector.client, wish)

        assert (made.created, made.fields["Rank"]) == (1, "rank")

    async def test_keys_are_read_back_not_derived(self) -> None:
        async with world(options=Options(field_keys_from_names=True), has_tickets=False) as w:
            wish = replace(WISH, fields=(FieldWish("Referência"), FieldWish("Größe", DataType.NUMERICAL)))

            made = await ensure_object(w.connector.client, wish)
            schema = await w.connector.schema(made.object_type)
            again = await ensure_object(w.connector.client, wish)

        assert made.fields["Referência"] == "referncia"
        assert all(schema.field(field) is not None for field in made.fields.values())
        assert (again.fields, again.created) == (made.fields, 0)

    async def test_a_field_of_another_type_is_told_before_anything_is_made(self) -> None:
        async with world() as w:
            wish = replace(
                WISH,
                fields=(
                    FieldWish("Hours"),
                    FieldWish("Tags", DataType.MULTIPLE_OPTIONS, ("Low", "Other")),
                    FieldWish("New"),
                ),
            )
            before = len(w.requests())

            with pytest.raises(SetupError) as caught:
                await ensure_object(w.connector.client, wish)

            assert {method for method, _ in w.requests(before)} == {"GET"}
        assert [problem.path for problem in caught.value.problems] == [
            "custom_objects.ticket.Hours",
            "custom_objects.ticket.Tags",
        ]
