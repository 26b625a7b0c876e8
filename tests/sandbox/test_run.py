"""Starting accounts and generated data."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import msgspec
import pytest

from syncline.sandbox.data import generated_history, tasks_of
from syncline.sandbox.run import Kind, Plan, SandboxCard, open_sandboxes, serve


async def test_every_kind_of_account_is_reached_as_its_card_says() -> None:
    async with open_sandboxes(Plan(kinds=tuple(Kind), records=12)) as opened, aiohttp.ClientSession() as http:
        own, cloud, highlevel = (each.card for each in opened)
        for card in (own, cloud):
            headers = {"X-Angie-AuthApiToken": card.token}
            async with http.get(f"{card.base_url}/api/v1/projects", headers=headers) as response:
                assert (response.status, bool(await response.json())) == (200, True)
        headers = {"Authorization": f"Bearer {highlevel.token}", "Version": "2021-07-28"}
        url = f"{highlevel.base_url}/objects/?locationId={highlevel.location}"
        async with http.get(url, headers=headers) as response:
            assert response.status == 200
        async with http.get(f"{highlevel.control_url}clock") as response:
            assert (await response.json())["is_running"] is True


async def test_cards_encode_to_one_json_line_without_empty_fields() -> None:
    async with open_sandboxes(Plan(kinds=(Kind.ACTIVECOLLAB,))) as opened:
        line = msgspec.json.encode(SandboxCard(tuple(each.card for each in opened)))

    card = json.loads(line)["accounts"][0]
    assert b"\n" not in line
    assert (card["vendor"], card["email"], "location" in card) == (
        "activecollab",
        "owner@example.test",
        False,
    )


async def test_serve_tells_the_cards_and_stops_when_cancelled() -> None:
    cards: asyncio.Queue[SandboxCard] = asyncio.Queue()
    serving = asyncio.create_task(serve(Plan(kinds=(Kind.ACTIVECOLLAB,)), cards.put_nowait))
    url = (await cards.get()).accounts[0].control_url + "clock"
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)

    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(url)


def test_a_generated_history_repeats_itself() -> None:
    assert generated_history(3, 40, 200) == generated_history(3, 40, 200)
    assert generated_history(3, 40, 200) != generated_history(4, 40, 200)


@pytest.mark.parametrize(("records", "events"), [(1, 1), (40, 200), (40, 40), (5, 500), (10, 3)])
def test_a_generated_history_makes_sense(records: int, events: int) -> None:
    history = generated_history(1, records, events)
    alive: set[object] = set()
    for event in history:
        assert (event["id"] in alive) is (event["op"] != "create")
        (alive.discard if event["op"] == "delete" else alive.add)(event["id"])

    times = [event["at"] for event in history]
    assert len(history) == max(records, events)
    assert len({event["id"] for event in history}) == records
    assert times == sorted(times, key=int)
    assert len(tasks_of(history)) == len(alive)


def test_a_generated_history_has_awkward_text() -> None:
    text = json.dumps(generated_history(1, 400, 1000), ensure_ascii=False)

    for awkward in ("é", "<", "&", "🚀", "yyyy-mm-dd", "日"):
        assert awkward in text
