"""Play every row under every policy: `python -m tests.scenarios.bisync [--accept] [ROW …]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from difflib import unified_diff

import yaml

from tests.scenarios.bisync.office import Office, in_step
from tests.scenarios.bisync.played import look, play
from tests.scenarios.bisync.rows import POLICIES, Outcome, Row, accept, rows


def main(arguments: list[str]) -> int:
    """Say what differs from the golden files, or write it down; answer with 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios.bisync", description=__doc__)
    parser.add_argument("rows", nargs="*", help="names of rows; all of them unless told")
    parser.add_argument("--accept", action="store_true", help="write down what came of them")
    options = parser.parse_args(arguments)
    is_bad = False
    for row in rows():
        if options.rows and row.name not in options.rows:
            continue
        lines = asyncio.run(_seen(row, is_accepted=options.accept))
        sys.stdout.writelines(f"{line}\n" for line in lines)
        is_bad = is_bad or bool(lines)
    return 1 if is_bad else 0


async def _seen(row: Row, *, is_accepted: bool) -> list[str]:
    """What is not as it should be. A row is only written down when nothing in it must never be."""
    start = await in_step(row)
    outcomes, faults = await _played(row, start)
    faults += [f"{row.name}: {name} is no doubt any more" for name in row.doubts if name in outcomes]
    before = await look(row, start)
    if faults:
        return faults
    if is_accepted:
        accept(row, before, outcomes)
        return []
    moved = [line for name in outcomes for line in difference(row, name, outcomes[name])]
    if before != row.before:
        moved.append(f"{row.path.name}: the certificate before the run says {before}")
    return moved


async def _played(row: Row, start: Office) -> tuple[dict[str, Outcome], list[str]]:
    """What came of a row under each policy, also those that it says do not matter; and what must never be."""
    outcomes: dict[str, Outcome] = {}
    faults: list[str] = []
    for policy in POLICIES:
        try:
            outcomes[policy.name] = await play(row, policy, start)
        except AssertionError as error:
            if policy.name not in row.doubts:
                faults.append(f"{row.name}, {policy.name}: {error}")
    others = ((each.name, row.stand_in(each).name) for each in POLICIES)
    faults += [
        f"{row.name}: {name} does matter"
        for name, other in others
        if outcomes.get(name) != outcomes.get(other)
    ]
    return outcomes, faults


def difference(row: Row, policy: str, outcome: Outcome) -> list[str]:
    """How an outcome differs from the golden one, as lines of a diff."""
    golden, told = (_text(each) for each in (row.expected.get(policy, {}), outcome))
    return list(unified_diff(golden, told, f"{row.path.name}, {policy}", "what came of it", lineterm=""))


def _text(outcome: Outcome) -> list[str]:
    return yaml.safe_dump(dict(outcome), sort_keys=False, allow_unicode=True, width=1000).splitlines()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
