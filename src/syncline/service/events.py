"""What happened into signed webhooks (Standard Webhooks) to whoever subscribed, tried again over three days.

`heard` is told by `service.dispatch`, `moved` by `service.alerts`; `deliver` is called every second by whoever serves.
An event is stored before anything is sent, and what became of a try after it: whoever dies in between sends again, with
the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import secrets
from collections.abc import Callable, Iterable, Sequence

import msgspec
import structlog
from standardwebhooks.webhooks import Webhook
from yarl import URL

from syncline.bootstrap import Installation
from syncline.connectors.transport import Transport
from syncline.core.alerting import Moved
from syncline.core.audit import AuditKind
from syncline.core.outgoing import (
    Dispatch,
    DispatchState,
    Event,
    EventType,
    Sent,
    Subscription,
    after_try,
    subscription_after,
)
from syncline.errors import ConnectorError, Problem, Refusal, RequestError, SynclineError
from syncline.ports import Clock, Outgoing, Store
from syncline.ports.events import SIGNING
from syncline.service.channels import Check, anything
from syncline.service.dispatch import Happened
from syncline.service.telling import News, of_alert, of_run

_CLAIM = dt.timedelta(minutes=2)
_KEPT = dt.timedelta(days=30)
_AT_ONCE = 100
_PARALLEL = 8
_KEY_BYTES = 32
_MOST_SUBSCRIPTIONS = 200
_PREFIX = "whsec_"
_log = structlog.get_logger(__name__)


class Events:
    """Keeps events, sends them, and looks after subscriptions. `transport` follows nothing and ends by itself; `check`
    raises for an address that must not be called."""

    def __init__(
        self,
        installation: Callable[[], Installation],
        transport: Transport,
        *,
        check: Check = anything,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._installation = installation
        self._transport = transport
        self._check = check
        self._random = random
        self._turn = asyncio.Lock()
        self._slots = asyncio.Semaphore(_PARALLEL)

    @property
    def store(self) -> Store:
        """Where events and subscriptions are kept."""
        return self._installation().store

    @property
    def _clock(self) -> Clock:
        return self._installation().clock

    # --- what happened

    def heard(self, happened: Happened) -> None:
        """Keep what one look at a sync has to tell."""
        wanting = self.store.subscriptions()
        with_records = any(each.wants(EventType.RECORD_WRITTEN) for each in wanting)
        self._keep(of_run(self.store, happened, with_records=with_records), wanting)

    def moved(self, moved: Moved) -> None:
        """Keep that an alert opened, or is over."""
        self._keep(of_alert(moved), self.store.subscriptions())

    def _keep(self, news: Iterable[News], wanting: Sequence[Subscription]) -> None:
        now, told = self._clock.now(), list(news)
        if not told:
            return
        with self.store.transaction():
            for type_, data in told:
                self.store.add_event(
                    Event(type_, now, data), [each.id for each in wanting if each.wants(type_)]
                )

    # --- sending

    async def deliver(self) -> int:
        """Send what is due now; answers how many tries were made."""
        async with self._turn:
            now = self._clock.now()
            due = self.store.due_dispatches(now, _AT_ONCE)
            if not due:
                return 0
            self.store.claim_dispatches([each.dispatch.id for each in due], now + _CLAIM)
            await asyncio.gather(*(self._carry(each) for each in due))
            return len(due)

    def prune(self) -> None:
        """Forget events that are old."""
        self.store.prune_events(self._clock.now() - _KEPT)

    async def _carry(self, outgoing: Outgoing) -> None:
        async with self._slots:
            subscription = self.store.subscription(outgoing.dispatch.subscription)
            if subscription is None or not subscription.is_on:
                self._drop(outgoing.dispatch)
                return
            self._note(outgoing.dispatch, await self._try(subscription, outgoing.event))

    async def _try(self, subscription: Subscription, event: Event) -> Sent:
        """One try. Whatever keeps it from arriving is told without the address, which may hold a key."""
        try:
            self._check(subscription.url)
            headers, body = self._signed(subscription, event)
            answer = await self._transport.send("POST", subscription.url, headers, body)
        except ConnectorError as error:
            return Sent(None, str(error.args[0]))
        except SynclineError as error:
            return Sent(None, error.full_code)
        return Sent(answer.status, f"it answered {answer.status}")

    def _signed(self, subscription: Subscription, event: Event) -> tuple[dict[str, str], bytes]:
        secret = self.store.secret(SIGNING.format(subscription.id))
        if not secret:
            raise ConnectorError("its signing secret is not known; make a new one")
        now, body = self._clock.now(), event.payload(with_values=subscription.with_values)
        headers = {
            "content-type": "application/json",
            "user-agent": "syncline",
            "webhook-id": event.mark,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(event.mark, now, body.decode()),
        }
        return headers, body

    def _note(self, dispatch: Dispatch, sent: Sent) -> None:
        """Keep what became of a try; both may have changed meanwhile, so they are read again."""
        now = self._clock.now()
        with self.store.transaction():
            self.store.note_dispatch(after_try(dispatch, sent, now, self._installation().jitter()))
            before = self.store.subscription(dispatch.subscription)
            after = None if before is None else subscription_after(before, sent, now)
            if after is None or after == before:
                return
            self.store.save_subscription(after)
            if after.why_off and not after.is_on:
                self.store.drop_dispatches(after.id, after.why_off)
                _log.warning("subscription turned off", subscription=after.id, why=after.why_off)

    def _drop(self, dispatch: Dispatch) -> None:
        over = msgspec.structs.replace(
            dispatch, state=DispatchState.DROPPED, due=None, why="The subscription is turned off."
        )
        self.store.note_dispatch(over)

    # --- subscriptions

    def subscribe(
        self, url: str, types: frozenset[EventType] = frozenset(), *, with_values: bool = False
    ) -> tuple[Subscription, str]:
        """Somebody wants events: the subscription, and the secret that signs them, which is told only now. Raises
        `RequestError` for an address that cannot be used, and what the guard raises."""
        self._check_url(url)
        if len(self.store.subscriptions(limit=_MOST_SUBSCRIPTIONS)) >= _MOST_SUBSCRIPTIONS:
            raise RequestError("There are too many subscriptions; remove some.", Refusal.INVALID)
        made = Subscription(f"sub_{self._random(9).hex()}", url, self._clock.now(), types, with_values)
        secret = self._secret()
        with self.store.transaction():
            self.store.save_subscription(made, secret)
            self._note_done(AuditKind.SUBSCRIBED, made.id, to=str(URL(url).origin()), with_values=with_values)
        return made, secret

    def known(self, subscription: str) -> Subscription:
        """A subscription. Raises `RequestError` when it is not there."""
        found = self.store.subscription(subscription)
        if found is None:
            raise RequestError("There is no such subscription.", Refusal.NOT_THERE)
        return found

    def change(self, changed: Subscription) -> Subscription:
        """Keep a subscription as it is to be. Turned on, it begins anew; turned off, what waits for it is dropped. Raises
        `RequestError` as `subscribe` does."""
        before = self.known(changed.id)
        if changed.url != before.url:
            self._check_url(changed.url)
        kept = msgspec.structs.replace(changed, revision=before.revision + 1)
        if kept.is_on:
            kept = msgspec.structs.replace(
                kept, why_off="", failing_since=None if not before.is_on else kept.failing_since
            )
        fields = [
            name
            for name in Subscription.__struct_fields__
            if name != "revision" and getattr(before, name) != getattr(kept, name)
        ]
        with self.store.transaction():
            self.store.save_subscription(kept)
            self._note_done(AuditKind.SUBSCRIPTION_CHANGED, kept.id, fields=fields, is_on=kept.is_on)
            if not kept.is_on:
                self.store.drop_dispatches(kept.id, "The subscription is turned off.")
        return kept

    def new_secret(self, subscription: str) -> str:
        """Another signing secret for a subscription; the old one signs nothing any more."""
        secret = self._secret()
        known = self.known(subscription)
        with self.store.transaction():
            self.store.save_subscription(msgspec.structs.replace(known, revision=known.revision + 1), secret)
            self._note_done(AuditKind.SUBSCRIPTION_CHANGED, known.id, fields=["secret"])
        return secret

    def unsubscribe(self, subscription: str) -> None:
        """Forget a subscription and what waits for it. Raises `RequestError` when it is not there."""
        with self.store.transaction():
            if not self.store.drop_subscription(subscription):
                raise RequestError("There is no such subscription.", Refusal.NOT_THERE)
            self._note_done(AuditKind.UNSUBSCRIBED, subscription)

    def replay(self, subscription: str, since: dt.datetime) -> int:
        """Send everything that happened since then once more (kept for 30 days); answers how many events. Raises
        `RequestError` for a subscription that is not there, or is turned off."""
        known = self.known(subscription)
        if not known.is_on:
            raise RequestError("The subscription is turned off: turn it on first.", Refusal.INVALID)
        return self.store.replay(
            known.id, sorted(known.types, key=lambda each: each.value), since, self._clock.now()
        )

    def _note_done(self, kind: AuditKind, subscription: str, **told: object) -> None:
        self.store.audit(kind, told, now=self._clock.now(), subject=subscription)

    def _secret(self) -> str:
        return _PREFIX + base64.b64encode(self._random(_KEY_BYTES)).decode()

    def _check_url(self, url: str) -> None:
        if not is_url(url):
            problem = Problem(
                "url", "is no web address.", "Write one that begins with https://, without a user."
            )
            raise RequestError("The address cannot be used.", Refusal.INVALID, problems=(problem,))
        self._check(url)


def is_url(text: str) -> bool:
    """Whether events can be sent there: http or https, a host, nobody's password."""
    try:
        url = URL(text)
        return (
            url.scheme in ("http", "https") and bool(url.host) and url.user is None and url.port is not None
        )
    except ValueError:
        return False
