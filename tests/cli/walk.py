"""A document with typed commands and shown answers, carried out: real processes, a real shell, real HTTP.

Blocks `sh` are typed, blocks `json` are what the command above them answers: every shown key with its value, `…` for
anything, lists in their order with others between. `export NAME=…  # WHERE` is copied from where it says. What only reads
is asked again until it answers what is shown, as a person would.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 60.0
_BLOCK = re.compile(r"^```(?P<kind>sh|json)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_COPIED = re.compile(r"^export (?P<name>\w+)=…\s+# (?P<where>.+)$")
_FUNCTION = re.compile(r"^\w+\(\) \{.*\}$")
_OF_ANSWER = re.compile(r'^"(?P<key>\w+)" of the answer$')
_CUT_OFF = "curl: (28)"
"""A time limit that the command itself set."""


@dataclass
class Walk:
    """What was typed and said so far."""

    folder: Path
    ports: Mapping[str, str]
    environ: dict[str, str]
    said: dict[str, str] = field(default_factory=dict[str, str])
    functions: list[str] = field(default_factory=list[str])
    processes: list[subprocess.Popen[str]] = field(default_factory=list[subprocess.Popen[str]])
    script: str = ""
    answer: Any = None
    typed: int = 0
    compared: int = 0

    def type(self, text: str) -> None:
        """One block: servers are started and left running, everything else is carried out."""
        self.typed += 1
        if re.match(r"(\w+=\S+ )*syncline (sandbox|serve)\b", text):
            self._start(text.strip())
            return
        rest: list[str] = []
        for line in text.splitlines():
            copied = _COPIED.match(line)
            if copied is not None:
                self.environ[copied["name"]] = self._copied(copied["where"].strip())
            elif _FUNCTION.match(line):
                self.functions.append(line)
            else:
                rest.append(line)
        self.script = "\n".join(rest)
        if rest:
            self._shell()

    def compare(self, shown: Any) -> None:
        """What was answered has to be what is shown, at once or (where it only reads) soon."""
        self.compared += 1
        deadline = time.monotonic() + PATIENCE
        while (difference := differing(shown, self.answer)) is not None:
            may_ask_again = not re.search(r" -X | -d ", self.script) and time.monotonic() < deadline
            assert may_ask_again, f"{self.script}\n{difference}\n{self.answer}"
            time.sleep(0.02)
            self._shell()

    def close(self) -> None:
        """Stop what was started, the last one first."""
        for process in reversed(self.processes):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()

    def _shell(self) -> None:
        env = self.folder / "environment"
        whole = "\n".join((*self.functions, self.script, f'env -0 > "{env}"'))
        done = subprocess.run(
            ["bash", "-c", whole],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        complaint = [each for each in done.stderr.splitlines() if _CUT_OFF not in each]
        assert not complaint, f"{self.script}\n{done.stderr}\n{done.stdout}"
        pairs = env.read_text(encoding="utf-8").split("\0")
        told = dict(each.split("=", 1) for each in pairs if "=" in each)
        self.environ = {name: value for name, value in told.items() if name != "SHLVL"}
        for line in done.stdout.splitlines():
            with contextlib.suppress(ValueError):
                self.answer = json.loads(line)

    def _start(self, text: str) -> None:
        words = shlex.split(text)
        settings = dict(each.split("=", 1) for each in words if re.match(r"[A-Z_]+=", each))
        name = next(each for each in words if each in ("sandbox", "serve"))
        command = [sys.executable, "-m", "syncline", *words[words.index("syncline") + 1 :]]
        if name == "serve":
            command += ["--port", self.ports["8420"]]
        out = self.folder / f"{name}.txt"
        with out.open("w", encoding="utf-8") as told, (self.folder / f"{name}.log").open("w") as log:
            environ = {**self.environ, **settings}
            self.processes.append(
                subprocess.Popen(command, cwd=self.folder, env=environ, stdout=told, stderr=log, text=True)
            )
        wanted = "First run" if name == "serve" else "Serving on loopback"
        self.said[name] = _once(out, wanted)

    def _copied(self, where: str) -> str:
        of_answer = _OF_ANSWER.match(where)
        if of_answer is not None:
            found = next(_values(self.answer, of_answer["key"]), None)
            assert found is not None, f"{where}: {self.answer}"
            return str(found)
        teller, _, label = where.partition(": ")
        if teller == "syncline serve":
            told = re.search(rf"{label} (?P<value>\S+)", self.said["serve"])
        else:
            account = self.said["sandbox"].partition(teller)[2]
            told = re.search(rf"^  {label} +(?P<value>\S+)$", account, re.MULTILINE)
        assert told is not None, where
        return told["value"]


def differing(shown: Any, found: Any, place: str = "$") -> str | None:
    """Where an answer is not as shown; None where it is."""
    match shown:
        case dict():
            if not isinstance(found, dict):
                return f"{place}: {found!r} is no object"
            return next(
                (
                    told
                    for key, value in shown.items()
                    if (told := differing(value, found.get(key), f"{place}.{key}")) is not None
                ),
                None,
            )
        case list():
            if not isinstance(found, list) or (not shown and found):
                return f"{place}: {found!r} is not {shown!r}"
            rest = iter(found)
            missing = [each for each in shown if not any(differing(each, one) is None for one in rest)]
            return f"{place}: {missing!r} is not in {found!r}" if missing else None
        case str() if "…" in shown:
            pattern = ".*".join(map(re.escape, shown.split("…")))
            is_so = isinstance(found, str) and re.fullmatch(pattern, found) is not None
        case _:
            is_so = shown == found
    return None if is_so else f"{place}: {found!r} is not {shown!r}"


def blocks(document: Path, ports: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The kinds and texts of a document's blocks, with the ports of this walk."""
    for found in _BLOCK.finditer(document.read_text(encoding="utf-8")):
        text = found["text"]
        for written, ours in ports.items():
            text = text.replace(written, ours)
        yield found["kind"], text


@contextmanager
def walking(document: Path, folder: Path) -> Generator[Walk]:
    """Carry a document out; what it started goes on until the end of the block."""
    ports = {written: str(free_port()) for written in ("8101", "8102", "8420")}
    here = {name: value for name, value in os.environ.items() if not name.startswith("SYNCLINE_")}
    environ = {**here, "PATH": f"{Path(sys.executable).parent}:{here.get('PATH', '')}", "COLUMNS": "200"}
    walk = Walk(folder, ports, environ)
    try:
        for kind, text in blocks(document, ports):
            if kind == "sh":
                walk.type(text)
            else:
                walk.compare(json.loads(text))
        yield walk
    finally:
        walk.close()


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _values(found: Any, key: str) -> Iterator[Any]:
    """Every value of a key, wherever it is."""
    if isinstance(found, dict):
        if key in found:
            yield found[key]
        for each in found.values():
            yield from _values(each, key)
    elif isinstance(found, list):
        for each in found:
            yield from _values(each, key)


def _once(file: Path, wanted: str) -> str:
    """What a process has said, once it says this."""
    deadline = time.monotonic() + PATIENCE
    while wanted not in (said := file.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline, said
        time.sleep(0.05)
    return said
