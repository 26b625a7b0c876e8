"""The linters of `make check` take the files for deployment, and notice what is wrong with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.test_deploy import FOLDER, ROOT
from tests.deploy.unit import UNIT, faults, is_here

BIN = Path(sys.executable).parent
COMPOSE = ("check-jsonschema", "--builtin-schema", "vendor.compose-spec")


def _takes(file: Path, tool: str, *options: str) -> bool:
    done = subprocess.run([BIN / tool, *options, file], capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def test_every_linter_is_part_of_the_check() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8")

    for command in (
        f"{' '.join(COMPOSE)} deploy/compose.yaml",
        "hadolint deploy/Dockerfile",
        "tests.deploy.unit",
    ):
        assert command in lines


def test_the_compose_file_is_one_and_an_unknown_key_is_noticed(tmp_path: Path) -> None:
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    broken = tmp_path / "compose.yaml"
    broken.write_text(text.replace("cap_drop:", "cap_dropp:"), encoding="utf-8")

    assert _takes(FOLDER / "compose.yaml", *COMPOSE)
    assert not _takes(broken, *COMPOSE)


@pytest.mark.parametrize(
    ("old", "new"), [("FROM python:3.11-slim", "FROM python:latest"), ("WORKDIR /data", "WORKDIR data")]
)
def test_the_dockerfile_is_clean_and_a_bad_habit_is_noticed(tmp_path: Path, old: str, new: str) -> None:
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    broken = tmp_path / "Dockerfile"
    broken.write_text(text.replace(old, new), encoding="utf-8")

    assert old in text
    assert _takes(FOLDER / "Dockerfile", "hadolint")
    assert not _takes(broken, "hadolint")


@pytest.mark.skipif(not is_here(), reason="systemd-analyze is not on this machine")
def test_systemd_takes_the_unit_and_an_unknown_setting_is_noticed() -> None:
    text = UNIT.read_text(encoding="utf-8")

    assert faults(text) == []
    assert faults(text.replace("Restart=on-failure", "Restrat=on-failure"))
    assert faults(text.replace("TimeoutStopSec=60", "TimeoutStopSec=soon"))
