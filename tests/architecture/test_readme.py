"""The README's commands are typed, and what they say is compared with what the README shows.

`…` stands for anything; lines may be left out, but their order holds.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import aiohttp
import pytest

from syncline.demo.play import Wishes, play
from syncline.engine.sync import unwatched
from syncline.sandbox.run import Plan, open_sandboxes
from tests.architecture.sources import ROOT

_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(kind: str) -> list[str]:
    return [found["text"] for found in _BLOCK.finditer(README) if found["kind"] == kind]


def _commands(console: str) -> list[tuple[str, list[str]]]:
    """Every typed command with the lines shown below it."""
    out: list[tuple[str, list[str]]] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            out.append((line.removeprefix("$ "), []))
        else:
            out[-1][1].append(line)
    return out


def _missing(shown: Iterable[str], said: str) -> list[str]:
    """The shown lines that were not said, or not in this order."""
    lines, missing = iter(said.splitlines()), []
    for want in shown:
        if want.strip() == "…":
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in want.strip().split("…")))
        if not any(pattern.fullmatch(line.strip()) for line in lines):
            missing.append(want)
            lines = iter(())
    return missing


async def _type(folder: Path, environ: dict[str, str], *words: str) -> str:
    """Run a command of ours in a folder; answers what it says on standard output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "syncline",
        *words,
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, complained.decode()
    return said.decode()


async def test_the_demo_says_what_the_first_screen_shows(tmp_path: Path) -> None:
    shown = dict(_commands(_blocks("console")[0]))["make demo"]

    said: list[str] = []

    assert await play(Wishes(keep=tmp_path, burst=100_000), said.append, unwatched)

    assert len([line for line in shown if line != "…"]) >= 6
    assert _missing(shown, "\n".join(said)) == []


async def test_the_quick_start_works_as_written(tmp_path: Path) -> None:
    acts = re.findall(r"^act '(?P<body>.+)'$", README, re.MULTILINE)
    typed = re.search(r"syncline sandbox --port 8101 --port 8102 --records (?P<records>\d+)", README)
    assert typed is not None
    async with (
        open_sandboxes(Plan(records=int(typed["records"]))) as (activecollab, highlevel),
        aiohttp.ClientSession() as browser,
    ):
        for body in acts:
            async with browser.post(f"{highlevel.card.control_url}act", data=body) as answer:
                assert answer.status == 200, f"{body}: {await answer.text()}"
        text = next(block for block in _blocks("yaml") if "syncs:" in block)
        text = text.replace("http://127.0.0.1:8101", activecollab.card.base_url)
        text = text.replace("http://127.0.0.1:8102", highlevel.card.base_url)
        (tmp_path / "syncline.yaml").write_text(text, encoding="utf-8")
        environ = {
            "AC_TOKEN": activecollab.card.token,
            "HL_TOKEN": highlevel.card.token,
            "HL_LOCATION": highlevel.card.location,
        }
        steps = [
            (command, shown)
            for console in _blocks("console")
            for command, shown in _commands(console)
            if command.startswith("syncline ")
        ]

        missing = {
            command: _missing(shown, await _type(tmp_path, environ, *command.split()[1:]))
            for command, shown in steps
        }

    assert len(steps) >= 5
    assert not any(missing.values()), missing


@pytest.mark.parametrize("name", ["AC_TOKEN", "HL_TOKEN", "HL_LOCATION"])
def test_the_quick_start_sets_every_variable_that_it_uses(name: str) -> None:
    assert f"export {name}=" in README
    assert f"${{{name}}}" in README
