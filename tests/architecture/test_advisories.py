"""Known vulnerabilities fail the check with their name and remedy: real pip-audit, and a database of our own over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.advisories import ROOT, Advisory, ignored, main, verdict

HASH = "sha256:" + "0" * 64
LOCKED = f"pip-audit==2.10.1 \\\n    --hash={HASH}\nsquare==1.0 \\\n    --hash={HASH}\n"
BAD = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-0001"],
    "summary": "It is not round.",
    "affected": [
        {
            "package": {"name": "square", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


@dataclass
class Database:
    """A database of vulnerabilities: what it knows of each package, and of which it was asked."""

    url: str = ""
    known: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    asked: list[str] = field(default_factory=list[str])
    status: int = 200
    gate: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    database = Database()
    database.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["content-length"])))
            name = query["package"]["name"]
            database.asked.append(name)
            database.gate.wait(20)
            found = database.known.get(name)
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(database.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its parent calls it
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        database.url = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", database.url)
        yield database
        database.gate.set()
        server.shutdown()
        thread.join()


def _files(folder: Path, ignore: str = "") -> tuple[Path, Path]:
    lock, project = folder / "dev.lock", folder / "pyproject.toml"
    lock.write_text(LOCKED, encoding="utf-8")
    project.write_text(f"[tool.syncline.advisories]\nignore = [{ignore}]\n", encoding="utf-8")
    return lock, project


def test_a_lock_of_which_nothing_is_known_passes(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(*_files(tmp_path)) == 0
    assert capsys.readouterr().out == "advisories: none known\n"
    assert database.asked == ["pip-audit", "pip-audit", "square"]


def test_a_known_vulnerability_fails_the_check_with_its_name_and_remedy(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database.known["square"] = [BAD]

    assert main(*_files(tmp_path)) == 1
    told = capsys.readouterr().out
    assert "square 1.0: PYSEC-2026-1, CVE-2026-0001. What to do: lock square 1.1 or later" in told


def test_what_is_ignored_by_any_of_its_names_passes_and_says_why(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database.known["square"] = [BAD]

    assert main(*_files(tmp_path, '{id = "CVE-2026-0001", reason = "we draw no circles"}')) == 0
    assert "Because: we draw no circles" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["away", "broken", "slow"])
def test_a_database_out_of_reach_is_one_line_and_no_failure(
    database: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    if how == "away":
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", "http://127.0.0.1:9/")
    elif how == "broken":
        database.status = 503
    else:
        database.gate.clear()

    assert main(*_files(tmp_path), seconds=20.0 if how != "slow" else 0.5) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("advisories: skipped, the vulnerability database cannot be reached (")
    assert "127.0.0.1" not in line


def test_a_lock_that_cannot_be_read_is_no_database_out_of_reach(database: Database, tmp_path: Path) -> None:
    lock, project = _files(tmp_path)
    lock.write_text("pip-audit==2.10.1\n???\n", encoding="utf-8")

    with pytest.raises(RuntimeError, match="pip-audit failed"):
        main(lock, project)


def test_what_nothing_mends_names_both_ways_out() -> None:
    (line,) = verdict([Advisory("square", "1.0", ("PYSEC-2026-1",), ())], [], {})

    assert line[0]
    assert "do without square, or ignore it" in line[1]


def test_what_is_ignored_in_vain_and_what_nobody_knows_is_told_and_passes() -> None:
    lines = list(verdict([], ["square"], {"PYSEC-1": "because"}))

    assert [is_bad for is_bad, _ in lines] == [False, False]
    assert "PYSEC-1 is ignored and not found any more" in lines[0][1]
    assert "square" in lines[1][1]


@pytest.mark.parametrize(
    "entry", [{"id": "PYSEC-1"}, {"id": "PYSEC-1", "reason": " "}, {"reason": "because"}]
)
def test_nothing_is_ignored_without_a_reason(entry: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="needs an id and a reason"):
        ignored({"tool": {"syncline": {"advisories": {"ignore": [entry]}}}})


def test_the_check_looks_for_known_vulnerabilities() -> None:
    assert "python -m tests.architecture.advisories" in (ROOT / "Makefile").read_text(encoding="utf-8")
