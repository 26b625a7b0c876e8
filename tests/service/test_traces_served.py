"""Traces of a service as a person starts it: they reach an OTLP endpoint, hold no secret, and stay away unless wished."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from syncline.bootstrap import install
from syncline.config import load
from syncline.config.keys import NAME
from syncline.connectors.transport import Twinned
from syncline.core.timetable import DueKind
from syncline.ports import Due
from syncline.service.redaction import Redactor
from syncline.service.traces import configured_tracing
from tests.cli.office import Office, left_is_activecollab, open_office
from tests.clock import VirtualClock
from tests.service.collecting import Collector, collecting
from tests.service.office import TICKETS
from tests.service.still import open_still
from tests.service.test_serving import _until, served

HEADER = "planted-collector-header"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path) as office:
        office.write(
            {
                **left_is_activecollab(office.project),
                "schedule": {"poll": 5, "slowest": 5, "nightly": False},
            }
        )
        office.in_activecollab("create_task", project=office.project, name="planted-title")
        yield office


def _traced(office: Office, endpoint: str) -> None:
    raw = yaml.safe_load(office.config.read_text(encoding="utf-8"))
    section = {"endpoint": endpoint, "headers": {"authorization": f"Bearer {HEADER}"}}
    office.config.write_text(yaml.safe_dump({**raw, "traces": section}), encoding="utf-8")


async def _is_due(office: Office) -> None:
    """Let the first look be made at once."""
    installation = install(load(office.config, office.environ), office.folder)
    installation.store.save_due(Due(TICKETS, DueKind.POLL, installation.clock.now()))
    await installation.close()


async def test_looks_and_their_calls_arrive_at_the_collector_and_no_secret_does(
    office: Office, collector: Collector
) -> None:
    _traced(office, collector.endpoint)
    await _is_due(office)

    with served(office) as service:
        _until(lambda: office.tickets().get("planted-title"))
        assert service.stop(signal.SIGTERM) == 0

    spans = list(collector.spans())
    assert {"look", "vendor call GET", "vendor call POST"} <= collector.names()
    looks = {span.span_id for span in spans if span.name == "look"}
    calls = [span for span in spans if span.name.startswith("vendor call")]
    shown = {each.key for span in spans for each in span.attributes}
    secrets = {*office.environ.values(), HEADER, "planted-title", (office.folder / NAME).read_text().strip()}

    assert any(span.parent_span_id in looks for span in calls)
    assert {each["authorization"] for each in collector.headers} == {f"Bearer {HEADER}"}
    assert shown <= {
        "syncline.sync", "syncline.cause", "syncline.run", "syncline.writes", "syncline.brakes", "error.type",
        "http.request.method", "server.address", "url.path", "http.response.status_code",
    }  # fmt: skip
    assert not any(secret.encode() in body for secret in secrets for body in collector.bodies)
    assert not any("?" in each.value.string_value for span in spans for each in span.attributes)


async def test_nothing_is_traced_and_no_call_wrapped_unless_an_endpoint_is_named(tmp_path: Path) -> None:
    async with open_still(tmp_path, VirtualClock()) as installation:
        before = installation.transport

        assert not configured_tracing(installation).is_on
        assert installation.transport is before


async def test_installations_that_come_after_a_change_are_traced_too_and_secrets_masked(
    office: Office, collector: Collector
) -> None:
    environ = {**office.environ, "SYNCLINE_OTLP_ENDPOINT": collector.endpoint}
    installation = install(load(office.config, environ), office.folder, clock=VirtualClock(), seed=1)
    before = installation.connector("ac")
    traces = configured_tracing(installation)
    traces.mask = Redactor(["project-labels"]).mask
    try:
        later = installation.with_connection("other", installation.config.connections["ac"])
        assert installation.connector("ac") is not before
        async with traces.running():
            for each in (installation.connector("ac"), later.connector("ac"), later.connector("other")):
                await each.check()
            assert isinstance(installation.transport, Twinned)
            twin = installation.transport.twin()
            await twin.send("GET", f"{office.activecollab['base_url']}/project-labels", {}, None)
            await twin.close()
        await later.release()
    finally:
        await installation.close()

    paths = [
        each.value.string_value
        for span in collector.spans()
        for each in span.attributes
        if each.key == "url.path"
    ]
    assert len([path for path in paths if path.endswith("/info")]) == 3, paths
    assert "/[secret]" in paths
