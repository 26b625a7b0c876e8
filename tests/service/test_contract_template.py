"""The ready-made sync of the workspace's contracts: made on an empty location, and carrying values both ways."""

from __future__ import annotations

from pathlib import Path

from syncline.config import SyncSettings
from syncline.core.records import FieldId, Record
from syncline.core.values import Text
from syncline.core.workspace import ItemType
from syncline.engine.runs import run
from syncline.ports import Ending
from syncline.service import making
from syncline.service.making import Choice
from syncline.service.ready_made import template_of
from tests.service.test_workspace_sync import CONTRACTS, Pair, open_pair

_OBJECT = "custom_objects.ws_contract"


async def _carried(pair: Pair, settings: SyncSettings) -> int:
    """One run of the sync as the template's draft has it; how many writes it took."""
    pair.clock.advance(300)
    trial = pair.installation.trial({CONTRACTS: settings})
    report = await run(pair.installation.world(), await trial.sync(CONTRACTS), lambda: 0.5)
    assert not report.failures
    return report.writes


async def _records(pair: Pair, settings: SyncSettings) -> list[Record]:
    """What HighLevel holds, over its API."""
    right = (await pair.installation.trial({CONTRACTS: settings}).sync(CONTRACTS)).right
    parts = [part async for part in right.connector.pages(right.scope) if not isinstance(part, Ending)]
    return [part.record(index) for part in parts for index in range(len(part.keys))]


async def test_contracts_go_to_a_location_that_had_nothing_and_their_status_comes_back(
    tmp_path: Path,
) -> None:
    async with open_pair(tmp_path) as pair:
        made = await making.make(pair.installation, template_of("contracts"), Choice("desk", "hl"))
        settings = SyncSettings.model_validate(made.body)
        pair.control("make_unique", object=_OBJECT, field=f"{_OBJECT}.syncline_key")
        item = pair.space.create(
            ItemType.CONTRACT,
            {
                "title": "Größe ☃",
                "number": "2026-7",
                "client": "Acme",
                "value": {"amount": "1200.50"},
                "ends_on": "2026-12-31",
            },
        )

        writes = await _carried(pair, settings)
        (record,) = await _records(pair, settings)
        pair.clock.advance(60)
        wish = {"object": _OBJECT, "id": record.key, "properties": {"status": "sent"}}
        pair.control("update_record", **wish)
        pair.clock.advance(60)
        back = await _carried(pair, settings)
        quiet = await _carried(pair, settings)

        assert (writes, back, quiet) == (1, 1, 0)
        assert record.fields[FieldId("number")] == Text("2026-7")
        assert pair.space.get(ItemType.CONTRACT, item.id).fields["status"] == "sent"
