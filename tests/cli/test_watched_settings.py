"""The settings of what watches: alerts, freshness and traces; spans of time, defaults, and faults with their place."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from syncline.config import Config, applied_syncs, as_yaml, canonical, json_schema, load
from syncline.config.strict import Span, written
from syncline.core.findings import Limits
from syncline.core.objective import Objective
from syncline.errors import ConfigError
from tests.cli.test_config import ENVIRON, GOOD
from tests.service.observing import by_configuration

_SPAN: TypeAdapter[dt.timedelta] = TypeAdapter(Span)


def _loaded(
    folder: Path, sync: dict[str, Any] | None = None, environ: dict[str, str] | None = None, **more: Any
) -> Config:
    raw = yaml.safe_load(GOOD)
    raw["syncs"]["tickets"] |= sync or {}
    path = folder / "syncline.yaml"
    path.write_text(yaml.safe_dump({**raw, **more}), encoding="utf-8")
    return load(path, {**ENVIRON, **(environ or {})})


def _faults(folder: Path, **more: Any) -> dict[str, str]:
    """What is wrong, by its place: what was found, and what to do."""
    with pytest.raises(ConfigError) as raised:
        _loaded(folder, **more)
    return {each.path: f"{each.message} {each.remedy}" for each in raised.value.problems}


def test_what_is_not_said_is_as_it_always_was(tmp_path: Path) -> None:
    config = _loaded(tmp_path)

    freshness = config.syncs["tickets"].freshness
    assert config.alerts.limits() == Limits()
    assert freshness is not None
    assert freshness.objective() == Objective()
    assert config.traces.endpoint is None


def test_spans_and_shares_are_written_as_people_write_them(tmp_path: Path) -> None:
    alerts = {"question": "36h", "again": "90m", "silent": "3d", "quota": "20%", "every": 30, "failures": 5}

    config = _loaded(tmp_path, {"freshness": {"share": "95%", "within": "5m", "over": "7d"}}, alerts=alerts)

    limits, freshness = config.alerts.limits(), config.syncs["tickets"].freshness
    assert (limits.question, limits.again) == (dt.timedelta(hours=36), dt.timedelta(minutes=90))
    assert (limits.silent, limits.quota, limits.failures) == (dt.timedelta(days=3), 0.2, 5)
    assert config.alerts.every == dt.timedelta(seconds=30)
    assert freshness is not None
    assert freshness.objective() == Objective(0.95, dt.timedelta(minutes=5), dt.timedelta(days=7))


def test_what_is_switched_off_raises_nothing(tmp_path: Path) -> None:
    config = _loaded(tmp_path, {"freshness": False}, alerts={"silent": False, "quota": False})

    assert config.syncs["tickets"].freshness is None
    assert (config.alerts.limits().silent, config.alerts.limits().quota) == (None, 0.0)
    assert by_configuration(config).objective("tickets") is None


def test_every_fault_names_its_field_what_was_found_and_what_to_write(tmp_path: Path) -> None:
    faults = _faults(
        tmp_path,
        sync={"freshness": {"share": "100%", "within": "soon", "over": "1h"}},
        alerts={"again": "often", "every": "1s", "silent": True, "quota": "200%", "parked": 0, "quietly": 1},
        traces={"endpoint": "collector:4318"},
    )

    assert faults == {
        "syncs.tickets.freshness.share": "is no share between 0% and 100%. Write one such as 99%.",
        "syncs.tickets.freshness.within": "'soon' is no span of time. Write one such as 90s, 15m, 6h or 2d.",
        "syncs.tickets.freshness.over": "does not lie between 2h and 90d. Write a span between 2h and 90d.",
        "alerts.again": "'often' is no span of time. Write one such as 90s, 15m, 6h or 2d.",
        "alerts.every": "does not lie between 5s and 1h. Write a span between 5s and 1h.",
        "alerts.silent": "'True' is no span of time. Write one such as 90s, 15m, 6h or 2d.",
        "alerts.quota": "leaves nothing to tell of. Write a share from 0% to below 100%, such as 10%.",
        "alerts.parked": "input should be greater than or equal to 1. ",
        "alerts.quietly": "is not a setting. Remove it, or check its spelling.",
        "traces.endpoint": "is no web address. Write one such as http://collector.example.test:4318/v1/traces.",
    }


def test_a_section_that_is_none_says_so(tmp_path: Path) -> None:
    assert _faults(tmp_path, alerts=5) == {"alerts": "is no section. Write its settings below it, indented."}


def test_a_schedule_that_never_comes_is_told_what_to_write(tmp_path: Path) -> None:
    (told,) = _faults(tmp_path, sync={"schedule": {"nightly": "never"}}).values()

    assert "30 2 * * *" in told


@pytest.mark.parametrize(
    "address", ["http://owner:planted-word@collector.example.test/", "http://", "ftp://x/y", "http://[", 5]
)
def test_an_endpoint_is_a_web_address_and_holds_no_password(tmp_path: Path, address: object) -> None:
    faults = _faults(tmp_path, traces={"endpoint": address})

    assert list(faults) == ["traces.endpoint"]
    assert "planted-word" not in str(faults)


def test_the_environments_endpoint_goes_before_the_files_and_leaves_its_headers(tmp_path: Path) -> None:
    section = {"endpoint": "http://one.example.test/v1/traces", "headers": {"authorization": "${AC_TOKEN}"}}
    environ = {"SYNCLINE_OTLP_ENDPOINT": "http://two.example.test/v1/traces"}

    config = _loaded(tmp_path, environ=environ, traces=section)

    assert config.traces.endpoint == environ["SYNCLINE_OTLP_ENDPOINT"]
    assert config.traces.headers["authorization"].get_secret_value() == ENVIRON["AC_TOKEN"]
    assert ENVIRON["AC_TOKEN"] not in repr(config)
    assert _loaded(tmp_path, environ=environ).traces.endpoint == environ["SYNCLINE_OTLP_ENDPOINT"]


def test_the_freshness_of_a_sync_is_kept_with_its_version(tmp_path: Path) -> None:
    syncs = _loaded(tmp_path, {"freshness": {"within": "90s", "over": "2d"}}).syncs

    body = json.loads(json.dumps(canonical(syncs)))

    assert body["tickets"]["freshness"] == {"share": 0.99, "within": "90s", "over": "2d"}
    assert applied_syncs(body, 1) == syncs
    assert yaml.safe_load(as_yaml(syncs))["syncs"]["tickets"]["freshness"] == {"within": "90s", "over": "2d"}
    del body["tickets"]["freshness"]
    assert applied_syncs(body, 1)["tickets"].freshness is not None, (
        "versions from before keep the usual objective"
    )


def test_the_published_schema_takes_and_shows_spans() -> None:
    schema = json_schema()
    check = Draft202012Validator(schema)
    raw = yaml.safe_load(GOOD.replace("{on:", '{"on":'))

    for alerts in ({"again": "6h", "silent": False}, {"again": 21600, "quota": "10%"}):
        assert check.is_valid({**raw, "alerts": alerts})
    for alerts in ({"again": "often"}, {"again": False}, {"againn": "6h"}):
        assert not check.is_valid({**raw, "alerts": alerts})
    assert schema["$defs"]["AlertSettings"]["properties"]["again"]["default"] == "6h"


@given(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=3650)))
def test_a_span_is_read_as_it_was_written(span: dt.timedelta) -> None:
    again = _SPAN.validate_python(written(span))

    assert abs(again - span) <= dt.timedelta(microseconds=1)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_what_is_no_span_is_refused_and_never_breaks(value: object) -> None:
    try:
        span = _SPAN.validate_python(value)
    except ValueError:
        return
    assert dt.timedelta() < span <= dt.timedelta(days=3650)
