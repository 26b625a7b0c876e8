"""The demo, small: the whole story on generated data, and both sides agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Call


def test_the_demo_plays_the_main_job_and_both_sides_agree(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    said = call("demo", "--no-serve", "--records", "30", "--keep", str(tmp_path / "kept"), "--json")

    assert said.code == 0
    assert said.json["agreed"] is True
    assert any("generated data" in line for line in said.json["story"])
    assert (tmp_path / "kept" / "syncline.yaml").is_file()
    assert (tmp_path / "kept" / "syncline.db").is_file()
    assert "pit-" not in (tmp_path / "kept" / "syncline.yaml").read_text(encoding="utf-8")
