"""The API's document: valid, complete, and what the service really does."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.specs.openapi.checks import positive_data_acceptance

from syncline.service.people import People
from syncline.web.app import make_app
from syncline.web.services import WebServices, WebSettings
from tests.clock import VirtualClock
from tests.web.furniture import furnished
from tests.web.office import CHEAP, install, office_elsewhere

OWN_TOKEN = "1"
"""The number of the token that the generated requests come with."""
_LONGEST_ADDRESS = 32_768


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    """The application without a server."""
    clock = VirtualClock()
    installation = install(tmp_path, clock)
    people = People(installation.store, clock, CHEAP)
    yield make_app(furnished(WebServices(installation, people, WebSettings(hosts=("*",)))))
    installation.store.close()


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    """What it says of itself."""
    return app.openapi()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(json.loads(json.dumps(document))).validate()


def test_every_operation_has_a_name_a_tag_and_a_sentence(document: dict[str, Any]) -> None:
    operations = [operation for _, _, operation in _operations(document)]
    names = [operation["operationId"] for operation in operations]
    tags = {tag["name"] for tag in document["tags"]}

    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    assert all(set(operation["tags"]) <= tags and operation["tags"] for operation in operations)
    assert all(operation["description"].endswith(".") for operation in operations)


def test_every_schema_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    # Two models of one name are told apart by their modules, which clients would have to type.
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_every_error_is_a_declared_problem(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        errors = {status: told for status, told in operation["responses"].items() if status >= "400"}
        assert {"422", "500"} <= set(errors), (method, path)
        for status, told in errors.items():
            if (path, status) != ("/readyz", "503"):
                assert list(told["content"]) == ["application/problem+json"], (method, path, status)


def test_every_operation_that_asks_for_a_scope_says_how_to_log_in(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    for path, method, operation in _operations(document):
        is_open = operation["security"] == []
        assert is_open == ("x-scope" not in operation), (method, path)
        assert {name for way in operation["security"] for name in way} <= set(schemes)
        if not is_open:
            assert {"401", "403"} <= set(operation["responses"]), (method, path)


def test_operation_ids_are_those_that_were_released(document: dict[str, Any]) -> None:
    released = (Path(__file__).parent / "operations.txt").read_text(encoding="utf-8").split()
    names = {operation["operationId"] for _, _, operation in _operations(document)}

    assert set(released) <= names, "clients are generated from these names: they stay"
    assert names <= set(released), "add the new ones to operations.txt"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a running service, and an admin's token."""
    folder = tmp_path_factory.mktemp("service")
    with office_elsewhere(folder, furnished) as (base_url, token, _):
        yield base_url, token


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_sent_the_service_does_what_its_document_says(
    running: tuple[str, str], mode: schemathesis.GenerationMode
) -> None:
    base_url, token = running
    schema = schemathesis.openapi.from_url(f"{base_url}/api/v1/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        _try(operation, mode, token)
        tried += 1
    assert tried == len(list(_operations(schema.raw_schema)))


def _try(operation: schemathesis.APIOperation, mode: schemathesis.GenerationMode, token: str) -> None:
    """Some generated requests to one operation, and every check of Schemathesis on the answers."""
    is_right = mode is schemathesis.GenerationMode.POSITIVE
    carried = {"Authorization": f"Bearer {token}"}

    @settings(
        max_examples=4,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: schemathesis.Case) -> None:
        if not _would_lock_itself_out(case) and not _is_too_long(case):
            # Other ways to log in that were made up: the token outdoes them.
            case.cookies.pop("syncline_session", None)
            case.headers.pop("X-CSRF-Token", None)
            answer = case.call(headers=carried)
            case.validate_response(answer, excluded_checks=[positive_data_acceptance], headers=carried)
            is_refused = is_right and answer.status_code == 422 and _is_formal(answer.json())
            assert not is_refused, (operation.label, answer.json()["errors"])

    # An operation that takes nothing cannot be sent anything wrong.
    with contextlib.suppress(Unsatisfiable) if not is_right else contextlib.nullcontext():
        send()


def _is_formal(problem: dict[str, Any]) -> bool:
    """Whether a refusal is about the form alone, which the document gives; what a password or cursor is good for it cannot."""
    return any(fault["code"].startswith("usage.") for fault in problem["errors"])


def _is_too_long(case: schemathesis.Case) -> bool:
    """Whether the address alone is longer than the HTTP server reads: that is refused before the application hears of it."""
    return sum(len(quote(str(value))) for value in (case.query or {}).values()) > _LONGEST_ADDRESS


def _would_lock_itself_out(case: schemathesis.Case) -> bool:
    return case.method == "DELETE" and str(case.path_parameters.get("token")) == OWN_TOKEN
