"""How the workspace stood on a day, in numbers that can be added up: kept once a day, so that its history can be drawn.

Made by `service.snapshots`, kept by the store, told by `web.overview`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

Counts = Mapping[str, int]
Sums = Mapping[str, str]
"""Amounts by currency, as decimal texts."""


class Figures(msgspec.Struct, frozen=True):
    """Numbers of one client, or of several: projects by health, contracts and their values by status, documents with the sum of
    their percents, milestones by when they are due."""

    projects: Counts = {}
    contracts: Counts = {}
    values: Mapping[str, Sums] = {}
    documents: int = 0
    percents: int = 0
    milestones: Counts = {}

    @property
    def progress(self) -> float | None:
        """How far the documents are in the mean, in percent; None without any."""
        return round(self.percents / self.documents, 1) if self.documents else None


class Snapshot(msgspec.Struct, frozen=True):
    """A day (UTC), with the figures of each client; those of what names no client are under the empty text."""

    day: dt.date
    clients: Mapping[str, Figures]


def together(several: Iterable[Figures]) -> Figures:
    """The figures of several clients as those of one.

    Laws: the order does not matter; nothing together is `Figures()`; together of parts, together, is together of all.
    """
    found = Figures()
    for each in several:
        found = Figures(
            projects=_added(found.projects, each.projects),
            contracts=_added(found.contracts, each.contracts),
            values={
                status: _summed(found.values.get(status, {}), each.values.get(status, {}))
                for status in sorted({*found.values, *each.values})
            },
            documents=found.documents + each.documents,
            percents=found.percents + each.percents,
            milestones=_added(found.milestones, each.milestones),
        )
    return found


def _added(one: Counts, other: Counts) -> Counts:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


def _summed(one: Sums, other: Sums) -> Sums:
    return {
        currency: written(Decimal(one.get(currency, "0")) + Decimal(other.get(currency, "0")))
        for currency in sorted({*one, *other})
    }


def written(amount: Decimal) -> str:
    """An amount in the shortest way: 12.50 is 12.5."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
