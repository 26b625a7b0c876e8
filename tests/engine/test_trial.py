"""A mapping tried out on the records there are: one page of each side, and nothing is written."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from syncline.core.mapping import FieldMapping
from syncline.core.records import FieldId
from syncline.core.values import BLANK, Text
from syncline.engine.sync import Sync
from syncline.engine.trial import check, faults, try_out
from syncline.errors import MappingError
from tests.engine.pair import MAPPINGS, Pair, task

STAGES = FieldMapping(FieldId("stage"), FieldId("state"), values=(("open", "active"), ("done", "closed")))


def _forgetting(sync: Sync, word: str) -> Sync:
    """The sync with a lens that forgets one word, and nothing else."""
    first = msgspec.structs.replace(
        sync.rules.lenses[0],
        to_right=lambda value: Text(value.text.replace(word, "")) if isinstance(value, Text) else BLANK,
    )
    return replace(sync, rules=msgspec.structs.replace(sync.rules, lenses=(first, *sync.rules.lenses[1:])))


async def test_the_usual_mapping_loses_nothing() -> None:
    pair = Pair()
    pair.left.create(task("Paint", hours=1, labels=["red"], stage=("open",)))

    tried = await try_out(pair.sync())

    assert (tried.losses, tried.uncarried, tried.sampled) == ((), (), 1)


async def test_a_real_value_shows_what_generated_ones_do_not() -> None:
    pair = Pair(mappings=MAPPINGS[:1])
    pair.left.create(task("Paint (secretly)"))
    sync = _forgetting(pair.sync(), " (secretly)")

    online, offline = await try_out(sync), await try_out(sync, is_offline=True)

    (fault,) = faults(sync.id, online)
    assert fault.path == "syncs.tickets.fields[name ↔ title]"
    assert (
        fault.message
        == "Paint (secretly) on the left becomes Paint on the other side, and comes back as Paint."
    )
    assert (offline.losses, offline.sampled) == ((), 0)
    with pytest.raises(MappingError, match="loses something"):
        check(sync.id, online)


async def test_a_value_without_a_counterpart_is_told_and_is_no_fault() -> None:
    pair = Pair(mappings=(MAPPINGS[0], STAGES))
    for name in ("A", "B", "C", "D", "E"):
        pair.left.create(task(name, stage=("odd",)))

    tried = await try_out(pair.sync())

    assert [each.line for each in tried.uncarried] == ["stage ↔ state"] * 3
    assert faults(pair.sync().id, tried) == ()
