"""Listings of HighLevel over real HTTP: whole or not, what changed since, and an index that lags."""

from __future__ import annotations

import pytest

from syncline.core.records import (
    FieldId,
    Update,
)
from syncline.core.values import (
    Text,
)
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import Options
from tests.connectors.highlevel_world import (
    SCOPE,
    create,
    listing,
    world,
)


class TestListing:
    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
    async def test_all_records_come_once(self, count: int) -> None:
        async with world() as w:
            ids = w.fill(count)

            digests, pages, ending = await listing(w.connector)

        assert list(digests) == ids
        assert sum(len(page.keys) for page in pages) == count
        assert ending.is_complete

    async def test_a_digest_changes_with_the_record_only(self) -> None:
        async with world() as w:
            ids = w.fill(3)
            before, _, first = await listing(w.connector)
            w.clock.advance(600)
            w.edit("update_record", id=ids[1], properties={"title": "Changed"})

            after, _, _ = await listing(w.connector)
            changed, _, _ = await listing(w.connector, first.cursor)

        assert [key for key in ids if before[key] != after[key]] == [ids[1]]
        assert all(after[key] == digest for key, digest in changed.items())

    async def test_a_capped_total_is_never_complete(self) -> None:
        async with world(options=Options(total_cap=100)) as w:
            w.fill(101)

            digests, _, ending = await listing(w.connector)

        assert len(digests) == 101
        assert not ending.is_complete
        assert "101" in ending.reason

    async def test_a_listing_with_holes_is_not_complete(self) -> None:
        async with world() as w:
            w.fill(5)
            w.faults.add(Fault(FaultKind.PARTIAL, path="/search$"))

            digests, _, ending = await listing(w.connector)

        assert len(digests) < 5
        assert not ending.is_complete

    async def test_a_record_that_changes_behind_the_walk_comes_with_the_next_delta(self) -> None:
        async with world() as w:
            ids = w.fill(150)
            cursor: str | None = None
            is_first = True
            async for item in w.connector.pages(SCOPE):
                if is_first:
                    w.clock.advance(600)
                    w.edit("update_record", id=ids[0], properties={"title": "early"})
                    w.clock.advance(600)
                    w.edit("update_record", id=ids[149], properties={"title": "late"})
                is_first = False
                cursor = getattr(item, "cursor", None)

            changed, _, _ = await listing(w.connector, cursor)

        assert {ids[0], ids[149]} <= changed.keys()

    @pytest.mark.parametrize("lag", [0, 60, 119])
    async def test_deltas_miss_nothing_however_the_index_lags(self, lag: float) -> None:
        async with world(lag=lag) as w:
            ids = w.fill(5)
            w.clock.advance(200)
            _, _, ending = await listing(w.connector)
            cursor = ending.cursor
            seen: set[str] = set()
            for number, key in enumerate(ids):
                w.edit("update_record", id=key, properties={"title": f"new {number}"})
                w.clock.advance(37)
                _, pages, ending = await listing(w.connector, cursor)
                seen |= {
                    page.record(index).key
                    for page in pages
                    for index in range(len(page.keys))
                    if page.record(index).title.startswith("new")
                }
                cursor = ending.cursor
            w.clock.advance(lag)
            _, pages, _ = await listing(w.connector, cursor)
            seen |= {page.record(i).key for page in pages for i in range(len(page.keys))}

        assert seen == set(ids)

    async def test_a_quiet_account_costs_one_call_and_lists_next_to_nothing(self) -> None:
        async with world() as w:
            w.edit("load", records=[{"properties": {"title": f"{n}"}} for n in range(250)])
            w.clock.advance(1)
            w.edit("create_record", properties={"title": "last"})
            _, _, first = await listing(w.connector)
            w.clock.advance(200)
            busy, _, second = await listing(w.connector, first.cursor)
            before = w.connector.calls

            quiet, _, third = await listing(w.connector, second.cursor)

            assert w.connector.calls - before == 1
        assert len(busy) == 251
        assert len(quiet) == 1
        assert not third.is_complete

    async def test_an_empty_object_has_a_cursor(self) -> None:
        async with world() as w:
            _, _, ending = await listing(w.connector)
            key = await create(w)

            changed, _, _ = await listing(w.connector, ending.cursor)

        assert ending.is_complete
        assert list(changed) == [key]

    async def test_a_stale_entry_tells_its_older_time(self) -> None:
        async with world(lag=60) as w:
            key = await create(w)
            w.clock.advance(120)
            receipt = await w.connector.write(SCOPE, Update(key, {FieldId("title"): Text("new")}))

            _, pages, _ = await listing(w.connector)

        listed = pages[0].record(0)
        assert listed.title == "Ticket"
        assert receipt.record is not None
        assert listed.updated_at is not None
        assert receipt.record.updated_at is not None
        assert listed.updated_at < receipt.record.updated_at
