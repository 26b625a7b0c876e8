"""The test button: rights that syncs need, the vendor's clock, calls left, webhooks, expiry."""

from __future__ import annotations

import msgspec
import pytest

from syncline.bootstrap import Installation
from syncline.config import SyncSettings
from syncline.core.records import Side
from syncline.errors import UsageError
from syncline.ports import Health
from syncline.service import connections
from syncline.service.hooks import open_hook
from syncline.service.tested import examine, needed_of, writes_to
from tests.cli.office import left_is_activecollab
from tests.service.connection_desk import ConnectionDesk, open_connection_desk

SYNC = SyncSettings.model_validate(left_is_activecollab(1))


def _with_sync(installation: Installation) -> None:
    installation.config = installation.config.model_copy(update={"syncs": {"tickets": SYNC}})


async def _highlevel(desk: ConnectionDesk) -> Installation:
    await connections.add(desk.runtime, 1, "hl", desk.for_highlevel())
    return desk.installation


async def test_rights_that_a_sync_needs_are_held_against_those_that_are_there() -> None:
    async with open_connection_desk() as desk:
        installation = await _highlevel(desk)
        _with_sync(installation)
        whole = await examine(installation, "hl")
        narrow = Health("account", "user", scopes=("objects/schema.readonly", "objects/record.readonly"))
        lacking = list(needed_of(installation, "hl", narrow))
        untold = list(needed_of(installation, "hl", Health("account", "user", missing_scopes=("x",))))

    assert whole.is_usable
    assert [(each.sync, each.is_written, each.missing) for each in whole.needed] == [("tickets", True, ())]
    assert [each.missing for each in lacking] == [("objects/record.write",)]
    assert [each.missing for each in untold] == [()]


async def test_a_clock_that_is_far_off_is_a_warning() -> None:
    async with open_connection_desk() as desk:
        installation = await _highlevel(desk)
        well = await examine(installation, "hl")
        desk.vendors_clock.advance(300)
        off = await examine(installation, "hl")

    assert not [each for each in well.warnings if "clock" in each]
    assert [each for each in off.warnings if "clock is 30" in each and "ahead of ours" in each]
    assert off.is_usable


async def test_calls_left_and_webhooks_are_told() -> None:
    async with open_connection_desk() as desk:
        installation = await _highlevel(desk)
        before = await examine(installation, "hl")
        open_hook(installation.store, "hl", lambda: "0123456789abcdef")
        after = await examine(installation, "hl")

    assert before.quota.daily_left
    assert (before.has_hook, after.has_hook, after.last_delivery) == (False, True, None)
    assert [each for each in after.warnings if "no webhook has come yet" in each]


async def test_what_a_test_tells_holds_no_secret() -> None:
    async with open_connection_desk() as desk:
        installation = await _highlevel(desk)
        told = msgspec.json.encode(await examine(installation, "hl"))

    assert desk.highlevel.account.private_tokens[desk.location].encode() not in told


async def test_a_name_that_is_not_there_says_so() -> None:
    async with open_connection_desk() as desk:
        with pytest.raises(UsageError):
            await connections.look_at(desk.runtime, "nobody")


def test_a_side_that_only_gives_is_not_written() -> None:
    raw = left_is_activecollab(1)
    one_way = {**raw, "create": "right"}
    one_way["fields"] = [{**line, "direction": "to_right"} for line in raw["fields"]]
    settings = SyncSettings.model_validate(one_way)

    assert not writes_to(settings, Side.LEFT)
    assert writes_to(settings, Side.RIGHT)
    assert writes_to(SYNC, Side.LEFT)
