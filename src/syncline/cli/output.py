"""Results into what a person reads, or one JSON document with `--json`.

Used by every command. Nothing else prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from syncline.core.convert import text_of_html
from syncline.core.values import (
    Blank,
    Day,
    Files,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Reference,
    RichText,
    Text,
    Value,
    YesNo,
)
from syncline.engine.sync import Progress as EngineProgress

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def say(text: str = "") -> None:
    """One line of text; square brackets are plain characters."""
    console.print(text, markup=False)


def say_json(data: object) -> None:
    """One JSON document on standard output."""
    console.out(
        msgspec.json.format(msgspec.json.encode(data, enc_hook=str), indent=2).decode(), highlight=False
    )


def complain(text: str) -> None:
    """One message on standard error."""
    errors.print(text, markup=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> None:
    """A table; cells are plain text."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(cell.replace("[", "\\[") for cell in row))
    console.print(made)


_SHORT = 60


def shown(value: Value | None) -> str:
    """A value as a person reads it, cut to one short line."""
    text = " ".join(_text(value).split())
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _text(value: Value | None) -> str:  # noqa: C901, PLR0911 - one line for each type is the table
    match value:
        case None:
            return "–"
        case Blank():
            return "(blank)"
        case Text(text):
            return text
        case RichText(html):
            return text_of_html(html)
        case Number(number):
            return format(number.normalize(), "f")
        case Money(amount, currency):
            return f"{amount} {currency}"
        case YesNo(yes):
            return "yes" if yes else "no"
        case Day(day):
            return day.isoformat()
        case Moment(at):
            return at.isoformat(sep=" ", timespec="minutes")
        case Phone(number):
            return number
        case OneOf(key):
            return key
        case ManyOf(keys):
            return ", ".join(sorted(keys))
        case Person(email, identifier, name):
            return name or email or identifier
        case Reference(object_type, key):
            return f"{object_type} {key}"
        case Files(files):
            return ", ".join(file.name or file.url for file in files)


class Bars:
    """Progress bars for the stages of a run; plain silence where nobody looks at a terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            console=errors, transient=True,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear away."""
        self._progress.stop()

    def watch(self, progress: EngineProgress) -> None:
        """Show how far a stage is."""
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._progress.add_task(progress.stage, total=None)
        self._progress.update(self._tasks[progress.stage], completed=progress.done, total=progress.total)
