"""Fresh sandbox accounts that note when a title was edited and when it stood elsewhere: the vendors of `latency` and `workers`.

Started by `bench.town` as `python -m bench.noted SITES`: one ActiveCollab and so many HighLevel accounts in a process of
their own. Prints one JSON line that says how to reach them, and serves until its standard input ends. The control action
`noted` answers what was noted and forgets it; all accounts note by one clock. Webhooks go out as soon as they are made,
many at a time: the stand-ins' own mailroom would wait for each answer before it sends the next one.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack, suppress

import aiohttp
import msgspec

from syncline.sandbox.run import AccountCard, Kind, Opened, Plan, SandboxCard, open_sandboxes
from syncline.sandbox.server import SandboxServer
from syncline.sandbox.wire import Delivery, Request, Response, Vendor

_WRITES = frozenset({"PUT", "POST"})


class Note(msgspec.Struct, frozen=True):
    """A title that stands since then (seconds of a clock that only goes forward); `by_hand`: a person wrote it."""

    title: str
    at: float
    by_hand: bool


class _Body(msgspec.Struct):
    """Where both vendors keep a title."""

    name: str | None = None
    properties: dict[str, object] | None = None

    @property
    def title(self) -> str | None:
        title = self.name if self.properties is None else self.properties.get("title")
        return title if isinstance(title, str) else None


_READ = msgspec.json.Decoder(_Body).decode


class Noting:
    """A vendor whose door is watched. A title is noted when the vendor has it, before anybody is answered."""

    def __init__(self, vendor: Vendor, session: aiohttp.ClientSession) -> None:
        self._vendor = vendor
        self._session = session
        self._notes: list[Note] = []
        self._sending: set[asyncio.Task[None]] = set()

    def handle(self, request: Request) -> Response:
        """The vendor's answer."""
        response = self._vendor.handle(request)
        if request.method in _WRITES and response.status < 300 and request.body:
            self._note(_READ(request.body).title, by_hand=False)
        return response

    def outbox(self) -> list[Delivery]:
        """Nothing is left to be sent: the webhooks are on their way."""
        for each in self._vendor.outbox():
            sending = asyncio.create_task(self._send(each))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
        return []

    def control(self, action: str, args: dict[str, object]) -> object:
        """What the vendor lets people do, and `noted`."""
        if action == "noted":
            taken, self._notes = self._notes, []
            return taken
        done = self._vendor.control(action, args)
        if action.startswith("update_"):
            self._note(msgspec.convert(args, _Body).title, by_hand=True)
        return done

    async def _send(self, webhook: Delivery) -> None:
        with suppress(aiohttp.ClientError):
            # Whoever does not answer hears nothing, and nobody tries again.
            url, headers = webhook.url, dict(webhook.headers)
            async with self._session.post(url, data=webhook.body, headers=headers) as answer:
                await answer.read()

    def _note(self, title: str | None, *, by_hand: bool) -> None:
        if title is not None:
            self._notes.append(Note(title, time.perf_counter(), by_hand))


async def serve(sites: int) -> None:
    """Open, say where, wait."""
    plan = Plan((Kind.ACTIVECOLLAB, *[Kind.HIGHLEVEL] * sites))
    async with open_sandboxes(plan) as opened, aiohttp.ClientSession() as session, AsyncExitStack() as stack:
        cards = [await _watched(stack, each, session) for each in opened]
        print(msgspec.json.encode(SandboxCard(tuple(cards))).decode(), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def _watched(stack: AsyncExitStack, opened: Opened, session: aiohttp.ClientSession) -> AccountCard:
    """The same account behind a second address, at which it is watched."""
    vendor = Noting(opened.server.vendor, session)
    server = SandboxServer(vendor, opened.server.clock, opened.server.faults)
    await stack.enter_async_context(server)
    base = opened.card.base_url.replace(opened.server.base_url, server.base_url)
    return msgspec.structs.replace(
        opened.card, base_url=base, server_url=server.base_url, control_url=server.control_url
    )


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
