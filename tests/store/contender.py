"""A process of its own that works on a database: `python -m tests.store.contender STORY URL`.

Prints what it did, one word a line; `crash` stories end with `os._exit`, as a killed process would.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from syncline.core.memory import IntentState
from syncline.errors import BusyError, StoreError
from syncline.store import SqlStore, open_store
from tests.store.samples import LEASE, LEFT, NOW, SYNC, entry, key, seen, step


def contend(store: SqlStore) -> None:
    """Wait for the start, then try to take the lease."""
    print("ready", flush=True)  # noqa: T201 - told to the test
    sys.stdin.readline()
    try:
        print(store.begin_run(SYNC, NOW, LEASE).id, flush=True)  # noqa: T201 - told to the test
    except BusyError:
        print("busy", flush=True)  # noqa: T201 - told to the test


def write_many(store: SqlStore) -> None:
    """Append to the history in many short transactions."""
    print("ready", flush=True)  # noqa: T201 - told to the test
    sys.stdin.readline()
    for number in range(100):
        with store.transaction():
            store.record(SYNC, [entry(f"{os.getpid()}", left=str(number))])
            store.remember(SYNC, f"{os.getpid()}", str(number))


def hold(store: SqlStore) -> None:
    """Begin a run and stand still."""
    print(store.begin_run(SYNC, NOW, LEASE).id, flush=True)  # noqa: T201 - told to the test
    sys.stdin.readline()


def settle_late(store: SqlStore) -> None:
    """Intend a write, stand still until told to go on, and try to settle it and to write on."""
    run = store.begin_run(SYNC, NOW, LEASE).id
    (intent,) = store.intend(SYNC, run, [step(1)], NOW)
    print(run, flush=True)  # noqa: T201 - told to the test
    sys.stdin.readline()
    told = [
        _outcome(lambda: store.settle(run, {intent: IntentState.DONE}, NOW)),
        _outcome(lambda: store.intend(SYNC, run, [step(2)], NOW)),
        _outcome(lambda: store.renew(run, NOW, LEASE)),
    ]
    print(" ".join(told), flush=True)  # noqa: T201 - told to the test


def stand_still(store: SqlStore) -> None:
    """Write within a transaction, and stand still in it until told to go on."""
    try:
        with store.transaction():
            store.remember(SYNC, "cursor", "late")
            print("inside", flush=True)  # noqa: T201 - told to the test
            sys.stdin.readline()
            store.remember(SYNC, "cursor", "later")
    except StoreError as error:
        print(f"lost: {error}", flush=True)  # noqa: T201 - told to the test
    store.remember(SYNC, "other", "again")


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except BusyError:
        return "refused"
    return "done"


def crash(store: SqlStore) -> None:
    """Commit some work, begin more of every kind, and die in the middle."""
    run = store.begin_run(SYNC, NOW, LEASE)
    store.see(SYNC, LEFT, [seen(1)])
    store.intend(SYNC, run.id, [step(1)], NOW)
    with store.transaction():
        store.see(SYNC, LEFT, [seen(number) for number in range(2, 3000)])
        store.tie(SYNC, key(1), key("r1"), NOW)
        store.record(SYNC, [entry()] * 1000)
        store.intend(SYNC, run.id, [step(2)], NOW)
        store.remember(SYNC, "cursor", "never")
        os._exit(9)


if __name__ == "__main__":
    stories = (contend, write_many, hold, settle_late, stand_still, crash)
    {story.__name__: story for story in stories}[sys.argv[1]](open_store(sys.argv[2]))
