"""The YAML in the documents: every example is valid, by the published schema and for the program."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from syncline.config import load
from tests.architecture.documents import ROOT, SCHEMA, documents

_BLOCK = re.compile(r"^```yaml\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_WHOLE = {
    "connections": {
        "ac": {"vendor": "activecollab", "url": "http://127.0.0.1:8101", "token": "${AC_TOKEN}"},
        "hl": {"vendor": "highlevel", "location": "LOC", "token": "${HL_TOKEN}"},
    }
}
_SYNC = {
    "left": {"connection": "ac", "object": "task"},
    "right": {"connection": "hl", "object": "custom_objects.ticket"},
    "fields": [{"left": "name", "right": "title"}],
}
_SECTIONS = {"alerts", "traces"}


def _examples() -> list[Any]:
    found: list[Any] = []
    for path in documents():
        for number, block in enumerate(_BLOCK.finditer(path.read_text(encoding="utf-8")), 1):
            found.append(pytest.param(block["text"], id=f"{path.relative_to(ROOT).as_posix()}-{number}"))
    return found


def _completed(text: str) -> str:
    """A whole file as it is; a part of one, or of a sync, within a whole file."""
    data = yaml.safe_load(text)
    if "connections" in data:
        return text
    if data.keys() <= _SECTIONS:
        return yaml.safe_dump({**_WHOLE, **data})
    return yaml.safe_dump({**_WHOLE, "syncs": {"tickets": {**_SYNC, **data}}})


def _schema() -> dict[str, Any]:
    return json.loads((ROOT / SCHEMA).read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", _examples())
def test_an_example_is_read_by_the_program(text: str, tmp_path: Path) -> None:
    path = tmp_path / "syncline.yaml"
    path.write_text(_completed(text), encoding="utf-8")
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8")), "secret")

    config = load(path, environ)

    assert config.connections


@pytest.mark.parametrize("text", _examples())
def test_an_example_is_valid_by_the_published_schema(text: str) -> None:
    faults = jsonschema.Draft202012Validator(_schema()).iter_errors(yaml.safe_load(_completed(text)))

    assert [f"{fault.json_path}: {fault.message}" for fault in faults] == []


def test_the_published_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(_schema())


def test_the_published_schema_refuses_what_the_program_refuses() -> None:
    wrong = {
        **_WHOLE,
        "syncs": {"tickets": {**_SYNC, "fields": [{"left": "a", "right": "b", "conflict": "x"}]}},
    }

    assert not jsonschema.Draft202012Validator(_schema()).is_valid(wrong)
