"""The same examples on every run: `make test` is stable, and a failure is found again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from syncline.core.expression_parse import parse

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=30,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.register_profile("deep", parent=settings.get_profile("ci"), derandomize=False, max_examples=2000)
settings.register_profile(
    "mutation", parent=settings.get_profile("ci"), max_examples=15, phases=(Phase.explicit, Phase.generate)
)
IS_MUTATED = "MUTANT_UNDER_TEST" in os.environ
settings.load_profile("mutation" if IS_MUTATED else "ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under mutmut the quickest tests go first: the first one that fails ends a mutant's run. What the unchanged code
    has read before is forgotten."""
    if IS_MUTATED:
        parse.cache_clear()
    measured = Path("mutmut-stats.json")
    if IS_MUTATED and measured.exists():
        took = json.loads(measured.read_text())["duration_by_test"]
        items.sort(key=lambda item: took.get(item.nodeid, 0))


@pytest.fixture
def far_west(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own zone is ten hours behind UTC."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "HST+10")
        time.tzset()
        yield
    time.tzset()
