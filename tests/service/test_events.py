"""Events reach whoever subscribed, signed and at least once: over real HTTP to a receiver on loopback."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook
from yarl import URL

from syncline.bootstrap import SystemClock
from syncline.connectors.transport import AiohttpTransport
from syncline.core.alerting import About, Alert, AlertKind, Move, Moved
from syncline.core.outgoing import WAITS, DispatchState, EventType, Sent, Subscription
from syncline.errors import RequestError, SetupError, TransientError
from syncline.ports import DispatchFilter
from syncline.service.dispatch import Cause, Happened
from syncline.service.events import Events, is_url
from syncline.service.telling import SAMPLES
from tests.cli.office import left_is_activecollab, open_office
from tests.clock import VirtualClock
from tests.service.office import TICKETS, open_desk
from tests.service.still import open_still

DAY = dt.timedelta(days=1)


@dataclass
class Receiver:
    """A web server that keeps what it gets, and answers as it is told."""

    url: str = ""
    status: int = 200
    got: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list[tuple[Mapping[str, str], bytes]])

    async def take(self, request: web.Request) -> web.Response:
        """One event."""
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers={"location": "/elsewhere"})

    def ids(self) -> list[str]:
        """What tells the events apart."""
        return [headers["webhook-id"] for headers, _ in self.got]

    def bodies(self) -> list[dict[str, Any]]:
        """What they say."""
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook/{key}", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook/hidden-key"
    yield receiver
    await runner.cleanup()


@dataclass
class Desk:
    """Events over an installation whose vendors nobody calls."""

    events: Events
    clock: VirtualClock

    def happen(self, sync: str = "hl") -> None:
        """Something happens: an alert opens."""
        about = About(AlertKind.QUOTA_LOW, sync)
        alert = Alert(about, "Few calls are left.", self.clock.now(), self.clock.now(), id=1)
        self.events.moved(Moved(Move.OPENED, alert))

    def states(self) -> list[DispatchState]:
        """What became of everything, newest first."""
        return [each.dispatch.state for each in self.events.store.dispatches(DispatchFilter())]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    clock = VirtualClock(SystemClock().now())
    transport = AiohttpTransport(timeout=dt.timedelta(seconds=5))
    async with open_still(tmp_path, clock) as installation:
        yield Desk(Events(lambda: installation, transport), clock)
    await transport.close()


async def test_the_signature_verifies_and_the_body_tells_what_happened(
    desk: Desk, receiver: Receiver
) -> None:
    subscription, secret = desk.events.subscribe(receiver.url)
    desk.happen()

    assert await desk.events.deliver() == 1

    headers, body = receiver.got[0]
    told = Webhook(secret).verify(body, dict(headers))
    assert told["type"] == "alert.opened"
    assert told["data"]["subject"] == "hl"
    assert dt.datetime.fromisoformat(told["timestamp"]) == desk.clock.now()
    assert secret.startswith("whsec_")
    assert secret not in repr(subscription)
    assert desk.states() == [DispatchState.SENT]
    assert await desk.events.deliver() == 0


async def test_only_wanted_events_go_and_nothing_to_who_is_off(desk: Desk, receiver: Receiver) -> None:
    desk.events.subscribe(receiver.url, frozenset({EventType.RUN_FINISHED}))
    off, _ = desk.events.subscribe(receiver.url)
    desk.happen()
    desk.events.change(msgspec.structs.replace(off, is_on=False))
    desk.happen()

    assert await desk.events.deliver() == 0
    assert desk.states() == [DispatchState.DROPPED]
    assert len(desk.events.store.events()) == 2


async def test_a_failing_receiver_is_tried_again_over_three_days_and_then_turned_off(
    desk: Desk, receiver: Receiver
) -> None:
    subscription, _ = desk.events.subscribe(receiver.url)
    receiver.status = 500
    desk.happen()
    begin = desk.clock.now()
    tries: list[dt.timedelta] = []
    while (due := desk.events.store.next_dispatch()) is not None:
        desk.clock.advance((due - desk.clock.now()).total_seconds())
        assert await desk.events.deliver() == 1
        tries.append(desk.clock.now() - begin)
        assert await desk.events.deliver() == 0

    gaps = [later - sooner for sooner, later in pairwise(tries)]
    for gap, wait in zip(gaps, WAITS, strict=False):
        assert 0.9 * wait <= gap <= 1.1 * wait
    assert tries[-1] > 0.9 * 3 * DAY
    assert len(set(receiver.ids())) == 1
    known = desk.events.known(subscription.id)
    assert not known.is_on
    assert known.why_off.startswith("nothing has arrived since")
    assert "hidden-key" not in known.why_off


async def test_a_receiver_that_comes_back_gets_it_and_is_well_again(desk: Desk, receiver: Receiver) -> None:
    subscription, _ = desk.events.subscribe(receiver.url)
    receiver.status = 503
    desk.happen()
    await desk.events.deliver()
    assert desk.events.known(subscription.id).failing_since == desk.clock.now()
    receiver.status = 202
    desk.clock.advance(6)

    assert await desk.events.deliver() == 1

    assert desk.states() == [DispatchState.SENT]
    assert desk.events.known(subscription.id).failing_since is None


async def test_410_turns_a_subscription_off_at_once(desk: Desk, receiver: Receiver) -> None:
    subscription, _ = desk.events.subscribe(receiver.url)
    receiver.status = 410
    desk.happen()
    desk.happen()

    await desk.events.deliver()

    assert desk.events.known(subscription.id).why_off == "the receiver wants no more events (410)."
    assert await desk.events.deliver() == 0
    assert desk.events.store.next_dispatch() is None
    with pytest.raises(RequestError):
        desk.events.replay(subscription.id, desk.clock.now())


async def test_a_redirect_is_not_followed(desk: Desk, receiver: Receiver) -> None:
    desk.events.subscribe(receiver.url)
    receiver.status = 302
    desk.happen()

    await desk.events.deliver()

    assert len(receiver.got) == 1
    assert desk.states() == [DispatchState.WAITING]


async def test_who_dies_between_sending_and_noting_sends_again_with_the_same_id(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.events.subscribe(receiver.url)
    desk.happen()
    with monkeypatch.context() as killed:
        killed.setattr(Events, "_note", _die)
        with pytest.raises(ZeroDivisionError):
            await desk.events.deliver()
    assert len(receiver.got) == 1
    assert await desk.events.deliver() == 0, "whoever sends it has two minutes"
    desk.clock.advance(121)

    assert await desk.events.deliver() == 1

    first, second = receiver.ids()
    assert first == second
    assert desk.states() == [DispatchState.SENT]


def _die(*_: object) -> None:
    raise ZeroDivisionError


async def test_replay_sends_what_happened_since_once_more(desk: Desk, receiver: Receiver) -> None:
    desk.happen("old")
    desk.clock.advance(60)
    since = desk.clock.now()
    desk.happen("new")
    subscription, _ = desk.events.subscribe(receiver.url)

    assert desk.events.replay(subscription.id, since) == 1
    await desk.events.deliver()
    assert [each["data"]["subject"] for each in receiver.bodies()] == ["new"]
    assert desk.events.replay(subscription.id, since) == 1
    await desk.events.deliver()
    assert len(set(receiver.ids())) == 1


async def test_the_guard_is_asked_before_every_try_and_when_somebody_subscribes(
    desk: Desk, receiver: Receiver
) -> None:
    desk.events.subscribe(receiver.url)
    desk.events._check = _forbid
    desk.happen()

    await desk.events.deliver()

    assert receiver.got == []
    (noted,) = desk.events.store.dispatches(DispatchFilter())
    assert (noted.dispatch.state, noted.dispatch.why) == (DispatchState.WAITING, "setup")
    with pytest.raises(SetupError):
        desk.events.subscribe(receiver.url)


def _forbid(_url: str) -> None:
    raise SetupError("not there")


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://a.test/", "https://user:pw@a.test/", "https://", "https://a:99999/"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert not is_url(url)


async def test_another_secret_signs_from_then_on(desk: Desk, receiver: Receiver) -> None:
    subscription, old = desk.events.subscribe(receiver.url)
    new = desk.events.new_secret(subscription.id)
    desk.happen()
    await desk.events.deliver()

    headers, body = receiver.got[0]
    assert new != old
    Webhook(new).verify(body, dict(headers))
    desk.events.unsubscribe(subscription.id)
    assert desk.events.store.secret(f"subscription:{subscription.id}") is None


async def test_a_run_tells_what_it_wrote_with_values_only_for_who_asked(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.write(left_is_activecollab(office.project))
        office.in_activecollab("create_task", project=office.project, name="Paint the fence")
        async with open_desk(office) as desk:
            events = Events(lambda: desk.installation, AiohttpTransport())
            plain = Subscription("plain", "https://a.test/", desk.clock.now())
            events.store.save_subscription(plain)
            await desk.dispatcher.tick()
            desk.clock.advance(120)
            happened = await desk.look()
            assert happened is not None
            events.heard(happened)

            told = {each.type: each for each in events.store.events()}
            assert set(told) == {EventType.RUN_FINISHED, EventType.RECORD_WRITTEN}
            assert told[EventType.RUN_FINISHED].data["right"]["created"] == 1
            written = told[EventType.RECORD_WRITTEN]
            assert written.data["side"] == "right"
            assert written.data["right_key"]
            assert b"Paint the fence" in written.payload(with_values=True)
            assert b"Paint the fence" not in written.payload(with_values=False)
            assert any("name" in each for each in written.data["fields"])


async def test_a_look_that_failed_and_an_alert_have_events_without_the_message(desk: Desk) -> None:
    error = TransientError("token abc123 was cut", connection="hl")
    desk.events.heard(Happened(TICKETS, Cause.POLL, desk.clock.now(), error=error))
    about = About(AlertKind.CONNECTION_LOST, "hl")
    alert = Alert(about, "Refused.", desk.clock.now(), desk.clock.now(), id=1)
    desk.events.moved(Moved(Move.OPENED, alert))
    desk.events.moved(Moved(Move.REPEATED, alert))
    desk.events.moved(Moved(Move.RECOVERED, alert))

    told = list(reversed(desk.events.store.events()))
    assert [each.type for each in told] == [
        EventType.RUN_FAILED,
        EventType.CONNECTION_LOST,
        EventType.ALERT_OPENED,
        EventType.ALERT_RECOVERED,
    ]
    assert not any("abc123" in str(each.data) for each in told)


def test_every_type_has_a_sample() -> None:
    assert set(SAMPLES) == set(EventType)


def test_only_an_answer_of_2xx_counts() -> None:
    assert [Sent(status).has_arrived for status in (200, 204, 299, 301, 404, None)] == [True] * 3 + [
        False
    ] * 3


@given(
    st.text(st.sampled_from("htps:/@[]%.?#&=a1-\\ é\x00"), max_size=30).map(lambda text: f"https://{text}")
)
def test_whatever_is_no_address_is_refused_without_an_accident(text: str) -> None:
    if is_url(text):
        assert str(URL(text).origin()).startswith("https://")
