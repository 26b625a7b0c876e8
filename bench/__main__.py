"""Command line of the benchmarks: measure what is named (else all that take minutes at most), print a table, write
`build/bench.json`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from rich.console import Console

from bench import backfill, calls, first, idle, intake, latency, million, quiet, recheck, workers
from bench.figures import Figure, save, show

Benchmark = Callable[..., Iterator[Figure]]
BENCHMARKS: Mapping[str, Benchmark] = MappingProxyType(
    {
        "quiet": quiet.figures,
        "calls": calls.figures,
        "first": first.figures,
        "million": million.figures,
        "recheck": recheck.figures,
        "intake": intake.figures,
        "latency": latency.figures,
        "backfill": backfill.figures,
        "workers": workers.figures,
        "idle": idle.figures,
        "recheck-million": recheck.figures_of_a_million,
        "backfill-real": backfill.figures_at_real_pace,
    }
)
ON_DEMAND = frozenset({"recheck-million", "backfill-real"})
"""Measured only when named."""
OUTPUT = Path(__file__).parents[1] / "build" / "bench.json"


def main(arguments: list[str] | None = None) -> None:
    """Measure, show, save. Figures are compared by people and programs; the exit code says only that it went well."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything works")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the JSON goes")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - BENCHMARKS.keys():
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    console = Console()
    found: list[Figure] = []
    for name in given.names or [name for name in BENCHMARKS if name not in ON_DEMAND]:
        with console.status(f"measuring {name} …"):
            found += BENCHMARKS[name](is_quick=given.quick)
    show(console, found)
    save(given.output, found)


if __name__ == "__main__":
    main()
