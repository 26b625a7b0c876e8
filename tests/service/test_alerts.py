"""What happens to syncs becomes alerts, and alerts become mail: over a real installation and a real SMTP sink."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from syncline.bootstrap import Installation
from syncline.core.alerting import AlertKind, Move
from syncline.core.brakes import Brake, BrakeName
from syncline.core.memory import Parked
from syncline.core.objective import Objective
from syncline.core.outgoing import Subscription
from syncline.core.quota import Allowance
from syncline.core.records import RecordKey, Side
from syncline.core.timetable import DueKind
from syncline.engine.report import Chosen
from syncline.errors import AuthError, Detail, RequestError, TransientError
from syncline.ports import AlertFilter, Due, Mark
from syncline.service.alerts import Alerts
from syncline.service.dispatch import Cause, Happened
from syncline.service.watching import Watching
from tests.cli.office import left_is_activecollab, open_office
from tests.clock import START, VirtualClock
from tests.service.office import TICKETS, open_desk
from tests.service.still import SECRET_KEY, open_still

pytestmark = pytest.mark.filterwarnings(
    "ignore:'imghdr' is deprecated:DeprecationWarning", "ignore:Requiring AUTH while:UserWarning"
)
"""Apprise still imports the one; the sink on loopback has no TLS."""

PASSWORD = "pa55-of-the-mailbox"
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@dataclass
class Sink:
    """A mail server that keeps what it gets. `is_full`: it refuses everything."""

    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    passwords: list[bytes] = field(default_factory=list[bytes])
    is_full: bool = False
    port: int = 0

    @property
    def address(self) -> str:
        """The channel's address, with a password in it."""
        return (
            f"mailto://owner:{PASSWORD}@127.0.0.1:{self.port}?smtp=127.0.0.1&mode=insecure"
            "&from=syncline@example.test&to=owner@example.test"
        )

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """One mail."""
        del server, session
        if self.is_full:
            return "552 the box is full"
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return "250 OK"

    def authenticate(self, *told: object) -> AuthResult:
        """Anybody who gives a password."""
        login = told[-1]
        assert isinstance(login, LoginPassword)
        self.passwords.append(login.password)
        return AuthResult(success=True)


class _AnyPort(Controller):
    """On a port that the system chooses."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def sink() -> Generator[Sink]:
    sink = Sink()
    controller = _AnyPort(
        sink,
        hostname="127.0.0.1",
        port=0,
        authenticator=sink.authenticate,
        auth_require_tls=False,
        auth_required=True,
    )
    controller.start()
    sink.port = controller.port
    yield sink
    controller.stop()


@dataclass
class Post:
    """Alerts over an installation whose vendors nobody calls."""

    installation: Installation
    clock: VirtualClock
    alerts: Alerts

    def fail(self, misses: int, code: Detail = Detail.UNREACHABLE) -> list[Move]:
        """A look at the sync fails, so many times in a row."""
        store, now = self.installation.store, self.clock.now()
        store.save_due(Due(TICKETS, DueKind.RETRY, now, misses=misses))
        error = TransientError("no answer", connection="hl", detail=code)
        return [each.move for each in self.alerts.heard(Happened(TICKETS, Cause.RETRY, now, error=error))]

    def open(self) -> list[tuple[AlertKind, str]]:
        """What open alerts are about."""
        found = self.installation.store.open_alerts()
        return [(each.about.kind, each.about.subject) for each in found]


@pytest.fixture
async def post(tmp_path: Path) -> AsyncGenerator[Post]:
    clock = VirtualClock()
    async with open_still(tmp_path, clock) as installation:
        watching = Watching(
            lambda: installation,
            ends=lambda: {"hl": clock.now() + DAY} if clock.now() > START + 30 * DAY else {},
            objective=lambda _: Objective(),
        )
        yield Post(installation, clock, Alerts(watching, seconds=10))


async def test_an_alert_mail_arrives_with_a_sentence_the_remedy_and_no_secret(
    post: Post, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await post.alerts.save_channel("mail", frozenset(), is_on=True, address=sink.address)
    assert post.fail(2) == []
    assert post.fail(3) == [Move.OPENED]

    assert await post.alerts.deliver() == 1

    (mail,) = sink.mails
    text = mail.as_string()
    body = mail.get_body(("plain",))
    assert body is not None
    told = body.get_content()
    assert mail["subject"] == "Syncline: A sync keeps failing (tickets)"
    assert "The sync 'tickets' failed 3 times in a row; the last error was transient.unreachable." in told
    assert "What to do: " in told
    assert sink.passwords == [PASSWORD.encode()]
    for secret in (PASSWORD, SECRET_KEY, "pit-secret", "5-abcdef"):
        assert secret not in text
        assert secret not in caplog.text
    assert post.alerts.channel("mail").failure == ""
    assert post.alerts.schema("mail") == "mailto"


async def test_it_is_told_once_then_seldom_and_when_it_is_over(post: Post, sink: Sink) -> None:
    await post.alerts.save_channel("mail", frozenset(), is_on=True, address=sink.address)
    for misses in range(3, 8):
        post.fail(misses)
        await post.alerts.deliver()
        post.clock.advance(3600)
    assert len(sink.mails) == 1

    post.clock.advance(2 * 3600)
    post.fail(8)
    assert [await post.alerts.deliver(), await post.alerts.deliver()] == [1, 0]
    assert sink.mails[-1]["subject"] == "Syncline: Still: A sync keeps failing (tickets)"

    post.clock.advance(60)
    (alert,) = post.installation.store.open_alerts()
    assert alert.count == 6
    look = post.alerts._watching.after(Happened(TICKETS, Cause.POLL, post.clock.now()))
    look.add(AlertKind.SYNC_FAILING, TICKETS)
    assert [each.move for each in post.alerts.note(look)] == [Move.RECOVERED]
    assert [await post.alerts.deliver(), await post.alerts.deliver()] == [1, 0]
    assert sink.mails[-1]["subject"] == "Syncline: Recovered: A sync keeps failing (tickets)"


async def test_a_channel_that_fails_says_so_and_the_alert_is_told_later(post: Post, sink: Sink) -> None:
    await post.alerts.save_channel("mail", frozenset(), is_on=True, address=sink.address)
    sink.is_full = True
    post.fail(3)

    assert await post.alerts.deliver() == 0
    assert post.alerts.channel("mail").failure == "mailto: the message was not taken."
    sink.is_full = False
    assert await post.alerts.deliver() == 0, "it rests for a while"
    post.clock.advance(301)

    assert await post.alerts.deliver() == 1
    assert post.alerts.channel("mail").failure == ""


async def test_a_channel_is_told_only_of_the_kinds_it_wants(post: Post, sink: Sink) -> None:
    wanted = frozenset({AlertKind.CONNECTION_LOST})
    await post.alerts.save_channel("mail", wanted, is_on=True, address=sink.address)
    post.fail(3)
    assert await post.alerts.deliver() == 0

    error = AuthError("refused", connection="hl", detail=Detail.TOKEN_REFUSED)
    post.alerts.heard(Happened(TICKETS, Cause.POLL, post.clock.now(), error=error))

    assert await post.alerts.deliver() == 1
    assert sink.mails[0]["subject"] == "Syncline: A connection is lost (hl)"


async def test_a_lost_connection_is_one_alert_and_not_a_failing_sync_too(post: Post) -> None:
    error = AuthError("refused", connection="hl", detail=Detail.TOKEN_REFUSED)
    post.installation.store.save_due(Due(TICKETS, DueKind.RETRY, post.clock.now(), misses=9))
    for _ in range(3):
        post.alerts.heard(Happened(TICKETS, Cause.POLL, post.clock.now(), error=error))

    assert post.open() == [(AlertKind.CONNECTION_LOST, "hl")]
    assert post.installation.store.open_alerts()[0].count == 3


async def test_what_goes_wrong_by_itself_is_found_and_counted_once(post: Post) -> None:
    store, now = post.installation.store, post.clock.now()
    for number in range(10):
        key = RecordKey(str(number))
        store.park(TICKETS, Parked(Side.LEFT, key, "x", "rejected.validation", "no", None, 1, None, now))
    store.save_allowance("hl", Allowance(1000, 50, now, now + HOUR))
    store.add_marks([Mark(TICKETS, Side.LEFT, RecordKey(str(n)), "test", now - HOUR, now) for n in range(5)])
    off = Subscription(
        "sub_1", "https://receiver.example.test/x?key=hidden", now, is_on=False, why_off="410."
    )
    store.save_subscription(off)

    post.alerts.check()
    post.alerts.check()

    assert set(post.open()) == {
        (AlertKind.PARKED_GROWING, TICKETS),
        (AlertKind.QUOTA_LOW, "hl"),
        (AlertKind.FRESHNESS_MISSED, TICKETS),
        (AlertKind.EVENTS_UNDELIVERED, "sub_1"),
    }
    found = store.open_alerts()
    assert {each.count for each in found} == {1}
    assert all(each.remedy for each in found)
    assert not any("hidden" in each.text for each in found)

    post.clock.advance(31 * 86_400)
    store.drop_subscription("sub_1")
    store.remove_marks(store.marks(TICKETS, post.clock.now()))
    post.alerts.check()
    assert post.open() == [(AlertKind.CONNECTION_EXPIRING, "hl")]


async def test_an_alert_about_what_is_not_there_any_more_is_over(post: Post) -> None:
    post.fail(3)
    post.installation.config = post.installation.config.model_copy(update={"syncs": {}})

    assert [each.move for each in post.alerts.check()] == [Move.RECOVERED]


async def test_an_alert_closed_by_hand_is_told_to_nobody(post: Post, sink: Sink) -> None:
    await post.alerts.save_channel("mail", frozenset(), is_on=True, address=sink.address)
    post.fail(3)
    (alert,) = post.installation.store.open_alerts()

    assert post.alerts.close(alert.id).closed_at == post.clock.now()
    assert await post.alerts.deliver() == 0
    assert [each.id for each in post.installation.store.alerts(AlertFilter(is_open=False))] == [alert.id]
    with pytest.raises(RequestError):
        post.alerts.close(alert.id + 1)


@pytest.mark.parametrize("address", ["nonsense", "gopher9://x", "syslog://", f"mailto://{PASSWORD}"])
async def test_an_address_that_cannot_be_used_is_refused_without_showing_it(post: Post, address: str) -> None:
    with pytest.raises(RequestError) as raised:
        await post.alerts.save_channel("x", frozenset(), is_on=True, address=address)

    assert PASSWORD not in f"{raised.value} {raised.value.problems}"


async def test_the_guard_is_asked_for_every_host_that_an_address_names(post: Post, sink: Sink) -> None:
    asked: list[str] = []
    post.alerts._check = asked.append
    await post.alerts.save_channel("mail", frozenset(), is_on=True, address=sink.address)
    await post.alerts.save_channel("hook", frozenset(), is_on=True, address="json://10.0.0.1:8080/x")
    await post.alerts.save_channel(
        "chat", frozenset(), is_on=True, address="slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
    )

    assert asked == [f"https://127.0.0.1:{sink.port}/", "https://10.0.0.1:8080/"]


async def test_a_test_message_tells_whether_it_went_out(post: Post, sink: Sink) -> None:
    await post.alerts.save_channel("mail", frozenset(), is_on=True, address=sink.address)

    assert (await post.alerts.try_channel("mail")).failure == ""
    assert sink.mails[0]["subject"] == "Syncline: a test"
    post.alerts.drop_channel("mail")
    assert post.installation.store.secret("channel:mail") is None


async def test_a_brake_is_over_only_when_a_run_that_judges_it_goes_through(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.write(left_is_activecollab(office.project))
        async with open_desk(office) as desk:
            await desk.dispatcher.tick()
            desk.clock.advance(120)
            happened = await desk.look()
            assert happened is not None
            assert happened.report is not None
            alerts = Alerts(Watching(lambda: desk.installation))

            def heard(*brakes: BrakeName, is_full: bool, chosen: Chosen | None = None) -> list[Move]:
                assert happened is not None
                assert happened.report is not None
                pulled = tuple(Brake(each, "It pulls.", "Look.") for each in brakes)
                plan = msgspec.structs.replace(happened.report.plan, brakes=pulled)
                report = msgspec.structs.replace(happened.report, plan=plan, is_full=is_full, chosen=chosen)
                return [each.move for each in alerts.heard(msgspec.structs.replace(happened, report=report))]

            some = Chosen(1, 1)
            assert heard(BrakeName.CHANGES, is_full=False) == [Move.OPENED]
            assert heard(BrakeName.CHANGES, is_full=False) == [Move.REPEATED]
            assert heard(is_full=False, chosen=some) == []
            assert heard(is_full=False) == [Move.RECOVERED]
            assert heard(BrakeName.EMPTY_SIDE, is_full=True) == [Move.OPENED]
            assert heard(is_full=False) == heard(is_full=False, chosen=some) == []
            assert heard(is_full=True) == [Move.RECOVERED]
            assert heard(is_full=True) == []


async def test_a_look_that_goes_well_says_that_both_connections_are_back(tmp_path: Path) -> None:
    with open_office(tmp_path) as office:
        office.write(left_is_activecollab(office.project))
        async with open_desk(office) as desk:
            alerts = Alerts(Watching(lambda: desk.installation))
            error = AuthError("refused", connection="hl", detail=Detail.TOKEN_REFUSED)
            alerts.heard(Happened(TICKETS, Cause.POLL, desk.clock.now(), error=error))
            await desk.dispatcher.tick()
            desk.clock.advance(120)
            happened = await desk.look()
            assert happened is not None

            assert [each.move for each in alerts.heard(happened)] == [Move.RECOVERED]
