"""The files for running the service elsewhere: they parse, and say what the code says."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from syncline.cli.app import app

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy"


def _commands() -> set[str]:
    group: Any = get_command(app)
    return set(group.commands)


def _unit() -> configparser.ConfigParser:
    unit = configparser.ConfigParser(
        strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",)
    )
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(FOLDER / "syncline.service", encoding="utf-8")
    return unit


def _compose() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))


def test_the_unit_starts_a_command_that_there_is_and_stops_it_gently() -> None:
    service = _unit()["Service"]

    words = service["ExecStart"].split()
    assert words[3] in _commands()
    assert service["KillSignal"] == "SIGTERM"
    assert service["User"] != "root"
    assert {"NoNewPrivileges", "ProtectSystem", "PrivateTmp", "SystemCallFilter"} <= set(service)


def test_every_service_of_the_compose_file_runs_a_command_that_there_is() -> None:
    services = _compose()["services"]

    for name in ("service", "worker"):
        assert services[name]["command"][0] in _commands()
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["depends_on"]["database"]["condition"] == "service_healthy"


def test_no_password_is_written_into_the_compose_file() -> None:
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")

    values = re.findall(r"^\s+\w*(?:PASSWORD|KEY|TOKEN|URL)\w*: (.+)$", text, re.MULTILINE)
    assert values
    assert all("${" in value for value in values)


def test_whoever_listens_is_reached_from_this_machine_only_until_somebody_says_otherwise() -> None:
    assert _compose()["services"]["service"]["ports"] == ["127.0.0.1:8420:8420"]
    assert "--host 127.0.0.1" in _unit()["Service"]["ExecStart"]


def _instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (FOLDER / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2]) for line in lines]


def test_the_image_is_built_from_what_there_is_and_runs_as_nobody_special() -> None:
    found = _instructions()

    known = {
        "FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK",
        "ENTRYPOINT", "CMD",
    }  # fmt: skip
    assert {name for name, _ in found} <= known
    for name, rest in found:
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
    assert found[-1][0] == "CMD"
    users = [rest for name, rest in found if name == "USER"]
    assert users
    assert users[-1] not in ("root", "0")


@pytest.mark.parametrize("name", ["Dockerfile"])
def test_the_image_has_a_python_that_the_project_takes(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = tuple(int(part) for part in project["requires-python"].removeprefix(">=").split("."))

    versions = re.findall(
        r"^FROM python:(\d+)\.(\d+)", (FOLDER / name).read_text(encoding="utf-8"), re.MULTILINE
    )
    assert versions
    assert all((int(major), int(minor)) >= least for major, minor in versions)
