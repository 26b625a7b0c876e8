"""Measured figures into a table for people and a JSON file for programs.

Every benchmark answers figures; `__main__` shows and stores them. A figure always stands beside a baseline that was
measured within the same minute on the same machine: its goal is a share of that, never an absolute number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table


class Figure(msgspec.Struct, frozen=True):
    """One measured value. `baseline` and `goal` are in the same unit; `holds` says whether the goal is met, and is
    None for a figure that is only told."""

    name: str
    value: float
    unit: str
    baseline: float
    goal: float | None
    holds: bool | None


def at_most(name: str, value: float, unit: str, baseline: float, share: float) -> Figure:
    """A figure that should be no more than a share of the baseline."""
    goal = baseline * share
    return Figure(name, round(value, 3), unit, round(baseline, 3), round(goal, 3), value <= goal)


def at_least(name: str, value: float, unit: str, baseline: float, share: float) -> Figure:
    """A figure that should reach a share of the baseline."""
    goal = baseline * share
    return Figure(name, round(value, 3), unit, round(baseline, 3), round(goal, 3), value >= goal)


def beyond(name: str, value: float, unit: str, baseline: float, allowed: float) -> Figure:
    """A figure that should be no more than so much above the baseline."""
    goal = baseline + allowed
    return Figure(name, round(value, 3), unit, round(baseline, 3), round(goal, 3), value <= goal)


def told(name: str, value: float, unit: str, baseline: float) -> Figure:
    """A figure without a goal."""
    return Figure(name, round(value, 3), unit, round(baseline, 3), None, None)


def show(console: Console, figures: Sequence[Figure]) -> None:
    """Print the table. The ratio is that of the value to the baseline."""
    table = Table(title="Syncline benchmarks")
    table.add_column("figure")
    for heading in ("value", "baseline", "ratio", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    table.add_column("holds")
    for each in figures:
        ratio = f"{each.value / each.baseline:.3f}" if each.baseline else "–"
        goal = "–" if each.goal is None else f"{each.goal:,.2f}"
        holds = "–" if each.holds is None else "yes" if each.holds else "NO"
        value, baseline = f"{each.value:,.2f}", f"{each.baseline:,.2f}"
        table.add_row(each.name, value, baseline, ratio, goal, each.unit, holds)
    console.print(table)


def save(path: Path, figures: Sequence[Figure]) -> None:
    """Write the list as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(list(figures)), indent=2) + b"\n")
