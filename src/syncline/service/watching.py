"""What happened and what lies in our memory into findings: what was looked at, and what of it is wrong.

Called by `service.alerts` after every look at a sync, and every minute for what goes wrong without one. No call is made
to a vendor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from yarl import URL

from syncline.bootstrap import Installation
from syncline.core import findings
from syncline.core.alerting import About, Alert, AlertKind, Finding
from syncline.core.brakes import BrakeName
from syncline.core.findings import Limits
from syncline.core.objective import Objective
from syncline.core.records import Side, SyncId
from syncline.core.timetable import DueKind
from syncline.engine.report import Report
from syncline.errors import AuthError, SynclineError
from syncline.service.dispatch import Happened
from syncline.service.freshness import freshness
from syncline.service.silence import silence_of

_HOURS = dt.timedelta(hours=2)
_OF_SYNCS = frozenset(
    {
        AlertKind.SYNC_FAILING,
        AlertKind.BRAKE_PULLED,
        AlertKind.QUESTION_WAITING,
        AlertKind.PARKED_GROWING,
        AlertKind.FRESHNESS_MISSED,
    }
)
_OF_CONNECTIONS = frozenset(
    {
        AlertKind.CONNECTION_LOST,
        AlertKind.CONNECTION_EXPIRING,
        AlertKind.QUOTA_LOW,
        AlertKind.WEBHOOKS_SILENT,
    }
)
_BY_FULL_LISTINGS = frozenset(
    {BrakeName.INCOMPLETE_LISTING.value, BrakeName.EMPTY_SIDE.value, BrakeName.COUNT_FORECAST.value}
)
"""Brakes that only a full run judges: another run that goes well says nothing about them."""


def _no_objective(sync: str) -> Objective | None:
    del sync
    return None


@dataclass
class Look:
    """What was looked at, and what of it is wrong."""

    looked_at: list[About] = field(default_factory=list[About])
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, kind: AlertKind, subject: str, finding: Finding | None = None) -> None:
        """One thing that was looked at."""
        self.looked_at.append(About(kind, subject))
        if finding is not None:
            self.findings.append(finding)


@dataclass(frozen=True, slots=True)
class Watching:
    """Looks for what is wrong. `limits` answers from when on something is; `ends` when the credentials of connections end,
    where that is known; `objective` the freshness objective of a sync, where it has one."""

    installation: Callable[[], Installation]
    limits: Callable[[], Limits] = Limits
    ends: Callable[[], Mapping[str, dt.datetime]] = dict
    objective: Callable[[str], Objective | None] = _no_objective

    def after(self, happened: Happened) -> Look:
        """What one look at a sync says."""
        look = Look()
        if happened.error is not None:
            self._failed(look, happened.sync, happened.error)
        elif happened.report is not None:
            self._done(look, happened.sync, happened.report)
        return look

    def _failed(self, look: Look, sync: SyncId, error: SynclineError) -> None:
        if isinstance(error, AuthError) and error.connection:
            # The sync fails because of it: one alert says so.
            lost = findings.lost(error.connection, error.full_code)
            look.add(AlertKind.CONNECTION_LOST, error.connection, lost)
            return
        dues = self.installation().store.dues(sync)
        misses = sum(due.misses for due in dues if due.kind is DueKind.RETRY)
        finding = findings.failing(sync, misses, error.full_code, self.limits())
        if finding is not None:
            look.add(AlertKind.SYNC_FAILING, sync, finding)

    def _done(self, look: Look, sync: SyncId, report: Report) -> None:
        look.add(AlertKind.SYNC_FAILING, sync)
        settings = self.installation().config.syncs.get(sync)
        if settings is not None:
            for side in Side:
                look.add(AlertKind.CONNECTION_LOST, settings.side(side).connection)
        braked = findings.braked(sync, report.plan.brakes)
        if braked is not None or self._judged_brakes(sync, report):
            look.add(AlertKind.BRAKE_PULLED, sync, braked)

    def _judged_brakes(self, sync: SyncId, report: Report) -> bool:
        """Whether the run says that the brake of an open alert pulls no more."""
        about = About(AlertKind.BRAKE_PULLED, sync)
        codes = {alert.code for alert in self.installation().store.open_alerts() if alert.about == about}
        return report.is_full or (report.chosen is None and not codes & _BY_FULL_LISTINGS)

    def now(self) -> Look:
        """Everything that can be wrong without a look at a sync."""
        look, installation = Look(), self.installation()
        for name in installation.config.syncs:
            self._sync(look, installation, SyncId(name))
        for name in installation.config.connections:
            self._connection(look, installation, name)
        for name, ends_at in self.ends().items():
            finding = findings.expiring(name, ends_at, installation.clock.now(), self.limits())
            look.add(AlertKind.CONNECTION_EXPIRING, name, finding)
        for each in installation.store.subscriptions():
            host = URL(each.url).host or ""
            off = findings.undelivered(each.id, host, each.why_off) if each.why_off else None
            look.add(AlertKind.EVENTS_UNDELIVERED, each.id, off)
        look.looked_at += _orphans(installation, installation.store.open_alerts())
        return look

    def _sync(self, look: Look, installation: Installation, sync: SyncId) -> None:
        store, now, limits = installation.store, installation.clock.now(), self.limits()
        waiting = findings.waiting(sync, store.questions(sync), now, limits)
        look.add(AlertKind.QUESTION_WAITING, sync, waiting)
        look.add(AlertKind.PARKED_GROWING, sync, findings.parking(sync, store.parked(sync), now, limits))
        objective, late = self.objective(sync), None
        if objective is not None:
            late = findings.late(sync, freshness(store, sync, objective, now), objective)
        look.add(AlertKind.FRESHNESS_MISSED, sync, late)

    def _connection(self, look: Look, installation: Installation, name: str) -> None:
        store, now = installation.store, installation.clock.now()
        allowance = store.allowance(name)
        if allowance is not None:
            usage = store.usage(name, now - _HOURS)
            low = findings.quota_low(name, allowance, usage, now, self.limits())
            look.add(AlertKind.QUOTA_LOW, name, low)
        silent = findings.silent(name, silence_of(store, name, now), self.limits())
        look.add(AlertKind.WEBHOOKS_SILENT, name, silent)


def _orphans(installation: Installation, alerts: Iterable[Alert]) -> list[About]:
    """What open alerts are about and is not there any more: they are over."""
    there: Mapping[AlertKind, Iterable[str]] = {
        **dict.fromkeys(_OF_SYNCS, installation.config.syncs),
        **dict.fromkeys(_OF_CONNECTIONS, installation.config.connections),
        AlertKind.EVENTS_UNDELIVERED: [each.id for each in installation.store.subscriptions()],
    }
    return [alert.about for alert in alerts if alert.about.subject not in there[alert.about.kind]]
