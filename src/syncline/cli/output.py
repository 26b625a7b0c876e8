"""Results into what a person reads, or one JSON document with `--json`.

Used by every command. Nothing else prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from syncline.engine.sync import Progress as EngineProgress

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def say(text: str = "") -> None:
    """One line of text; square brackets are plain characters."""
    console.print(text, markup=False, soft_wrap=True)
    console.file.flush()


def say_json(data: object) -> None:
    """One JSON document on standard output."""
    console.out(
        msgspec.json.format(msgspec.json.encode(data, enc_hook=str), indent=2).decode(), highlight=False
    )


def say_text(text: str) -> None:
    """A whole text as it is, to be kept in a file."""
    console.out(text.rstrip("\n"), highlight=False)


def complain(text: str) -> None:
    """One message on standard error."""
    errors.print(text, markup=False, soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> None:
    """A table; cells are plain text. Where the window is too narrow to keep words whole, each row is told below the other."""
    rows = [tuple(row) for row in rows]
    widths = [
        max(_longest_word(cell) for cell in (name, *cells))
        for name, *cells in zip(columns, *rows, strict=True)
    ]
    if sum(widths) + 3 * len(widths) + 1 > console.width:
        _stacked(columns, rows, title)
        return
    made = Table(title=title, title_justify="left", header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        made.add_column(column, overflow="fold", min_width=width)
    for row in rows:
        made.add_row(*(cell.replace("[", "\\[") for cell in row))
    console.print(made)


def _longest_word(text: str) -> int:
    return max((cell_len(word) for word in text.split()), default=0)


def _stacked(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None) -> None:
    if title is not None:
        say(title)
    widest = max(cell_len(column) for column in columns)
    for row in rows:
        named = [(name, cell) for name, cell in zip(columns, row, strict=True) if cell]
        for number, (name, cell) in enumerate(named):
            say(f"{'  ' if number else '- '}{name}{' ' * (widest - cell_len(name))}  {cell}")


class Bars:
    """Progress bars for the stages of a run; plain silence where nobody looks at a terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            console=errors, transient=True, disable=not errors.is_terminal,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear away."""
        self._progress.stop()

    def say(self, text: str) -> None:
        """One line of text above the bars; the bars of what was said before are cleared."""
        for task in self._tasks.values():
            self._progress.remove_task(task)
        self._tasks.clear()
        say(text)

    def watch(self, progress: EngineProgress) -> None:
        """Show how far a stage is."""
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._progress.add_task(progress.stage, total=None)
        self._progress.update(self._tasks[progress.stage], completed=progress.done, total=progress.total)
