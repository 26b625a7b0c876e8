"""HighLevel's official OpenAPI files as a judge of requests and responses, for fidelity tests.

Used for the stand-in's answers and for every request our connector sends:

    spec = official_spec()                      # skips the test where the files are missing
    spec.check_exchange(request, response)      # raises AssertionError with every problem

An exchange must name a documented operation; its query, headers and body and the answer's body must fit, *and hold
nothing else*. What the files get wrong is listed in `openapi_deviations` and `REFUSALS`; nothing else is let through. The API version is chosen by the `Version` header (`/oauth/token` may go without).
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from syncline.sandbox.wire import Request, Response
from tests.sandbox.openapi_deviations import DEVIATIONS, EXTRA_KEYS, TEXTS, Json

SPECS = Path(__file__).resolve().parents[2].parent / "shared" / "specs" / "highlevel"
VERSIONS = ("2021-07-28", "v3")
BASE = "https://specs.example.test/"


REFUSALS = frozenset({400, 401, 403, 404, 422, 429})
"""Any operation may refuse with these, in the shapes of facts 4, whether the files say so or not."""

_REFUSAL: Json = {
    "type": "object",
    "properties": {
        "statusCode": {"type": "number"},
        "message": {"anyOf": [{"type": "string"}, TEXTS]},
        "error": {"type": "string"},
    },
    "required": ["statusCode", "message"],
    "additionalProperties": False,
}

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or dt.datetime.fromisoformat(value).tzinfo is not None


@dataclass(frozen=True)
class Operation:
    """One documented operation."""

    version: str
    uri: str
    method: str
    template: str
    spec: Json

    @property
    def name(self) -> str:
        """`GET /objects/{key}`."""
        return f"{self.method} {self.template}"


class OfficialSpec:
    """All documented operations of both versions."""

    def __init__(self, operations: list[Operation], registry: Registry[Any]) -> None:
        self.operations = operations
        self._registry = registry

    @classmethod
    def load(cls, root: Path) -> OfficialSpec:
        """From the folder that has a folder per version."""
        operations: list[Operation] = []
        registry: Registry[Any] = Registry()
        for version in VERSIONS:
            for path in sorted((root / version).glob("*.json")):
                document = path.stem.removesuffix("-v3")
                names = frozenset({document, f"{document}-{'v3' if version == 'v3' else 'v2'}"})
                data = _mended(names, json.loads(path.read_text()))
                uri = f"{BASE}{version}/{path.name}"
                registry = registry.with_resource(uri, Resource(contents=data, specification=DRAFT202012))
                operations += _operations(version, uri, data)
        return cls(operations, registry)

    def operation(self, request: Request) -> Operation:
        """The operation a request is for. Raises `AssertionError` when there is none."""
        version = request.headers.get("version") or VERSIONS[0]
        found = [
            each
            for each in self.operations
            if each.version == version
            and each.method == request.method
            and _fits(each.template, request.path)
        ]
        assert found, f"no operation {request.method} {request.path} in version {version}"
        return min(found, key=lambda each: each.template.count("{"))

    def check_exchange(self, request: Request, response: Response) -> None:
        """Both halves; of a refused request only the refusal. Raises `AssertionError` with all problems."""
        self.check_response(request, response)
        if response.status < 400:
            self.check_request(request)

    def check_request(self, request: Request) -> None:
        """Headers, query and body. Raises `AssertionError` with all problems."""
        operation = self.operation(request)
        problems = [*_parameter_problems(operation, request), *self._body_problems(operation, request)]
        assert not problems, f"request {operation.name}: " + "; ".join(problems)

    def check_response(self, request: Request, response: Response) -> None:
        """Status and body. Raises `AssertionError` with all problems."""
        operation = self.operation(request)
        problems = list(self._answer_problems(operation, response))
        kind = {name.lower(): value for name, value in response.headers.items()}.get("content-type", "")
        problems += [] if kind.startswith("application/json") else [f"content type {kind!r}"]
        assert not problems, f"response {operation.name} {response.status}: " + "; ".join(problems)

    def _answer_problems(self, operation: Operation, response: Response) -> Iterator[str]:
        body = json.loads(response.body)
        if not isinstance(body.pop("traceId", ""), str):
            yield "traceId is not text"
        documented: Json = operation.spec["responses"].get(str(response.status), {}).get("content", {})
        if "application/json" in documented:
            yield from self._problems(
                operation, ("responses", str(response.status)), "application/json", body
            )
        elif response.status in REFUSALS:
            yield from _messages(Draft202012Validator(_REFUSAL).iter_errors(body))
        elif str(response.status) not in operation.spec["responses"]:
            yield f"status {response.status} is not documented"

    def _body_problems(self, operation: Operation, request: Request) -> Iterator[str]:
        described: Json = operation.spec.get("requestBody", {}).get("content", {})
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if not described:
            yield from [f"a body of {len(request.body)} bytes"] if request.body else []
        elif kind not in described:
            yield f"content type {kind!r} is none of {sorted(described)}"
        elif kind == "application/x-www-form-urlencoded":
            data = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
            yield from self._problems(operation, ("requestBody",), kind, data)
        elif kind == "multipart/form-data":
            yield from self._problems(operation, ("requestBody",), kind, _form(request))
        else:
            yield from self._problems(operation, ("requestBody",), kind, json.loads(request.body))

    def _problems(
        self, operation: Operation, place: tuple[str, ...], kind: str, data: object
    ) -> Iterator[str]:
        steps = ["paths", operation.template, operation.method.lower(), *place, "content", kind, "schema"]
        pointer = "/".join(quote(step.replace("~", "~0").replace("/", "~1")) for step in steps)
        schema = {"$ref": f"{operation.uri}#/{pointer}"}
        validator = Draft202012Validator(schema, registry=self._registry, format_checker=FORMATS)
        yield from _messages(validator.iter_errors(data))


def _form(request: Request) -> Json:
    """A multipart form; a file counts as a text, and what reads as true or false as that."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    texts = {
        str(part.get_param("name", header="content-disposition")): str(
            part.get_payload(decode=True), "latin-1"
        )
        for part in form.iter_parts()
    }
    return {name: {"true": True, "false": False}.get(text, text) for name, text in texts.items()}


def official_spec() -> OfficialSpec:
    """The files beside the repository; the test is skipped where they are missing."""
    if not SPECS.is_dir():
        pytest.skip(
            "the official HighLevel specifications (../shared/specs/highlevel) are not on this machine"
        )
    return OfficialSpec.load(SPECS)


def _operations(version: str, uri: str, data: Json) -> Iterator[Operation]:
    for template, methods in data.get("paths", {}).items():
        for method, spec in methods.items():
            yield Operation(version, uri, method.upper(), template, spec)


def _mended(names: frozenset[str], data: Json) -> Json:
    """The file with the deviations worked in, as plain JSON Schema, closed against unknown keys. `names` are the
    document's, with and without its version."""
    schemas: Json = data.get("components", {}).get("schemas", {})
    for deviation in DEVIATIONS:
        if deviation.document in names:
            _replace(schemas, deviation.pointer.split("/"), deviation.value)
    for name, schema in schemas.items():
        _close(schema)
        for place, owner, key, value, _reason in EXTRA_KEYS:
            if place in names and owner == name:
                schema["properties"][key] = value
    for methods in data.get("paths", {}).values():
        for operation in methods.values():
            for part in _inline_schemas(operation):
                _close(part)
    return data


def _replace(schemas: Json, steps: list[str], value: Any) -> None:
    *path, last = steps
    for step in path:
        schemas = schemas[step]
    assert last in schemas, f"a listed deviation is no longer in the files: {'/'.join(steps)}"
    schemas[last] = copy.deepcopy(value)


def _inline_schemas(operation: Json) -> Iterator[Json]:
    for holder in [operation.get("requestBody", {}), *operation.get("responses", {}).values()]:
        for content in holder.get("content", {}).values():
            if "schema" in content:
                yield content["schema"]


def _close(schema: Json) -> None:
    """OpenAPI 3.0 to JSON Schema, in place: `nullable`, references to the common file, and no unknown keys."""
    if "$ref" in schema:
        schema["$ref"] = schema["$ref"].replace("../common/", "")
        return
    if schema.pop("nullable", False) and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if schema.get("properties"):
        schema.setdefault("additionalProperties", False)
    children = [
        *schema.get("properties", {}).values(),
        schema.get("items"),
        schema.get("additionalProperties"),
    ]
    for word in ("allOf", "anyOf", "oneOf"):
        children += schema.get(word, [])
    for child in children:
        if isinstance(child, dict):
            _close(child)


def _messages(errors: Iterable[ValidationError]) -> Iterator[str]:
    for error in errors:
        yield f"{'/'.join(str(part) for part in error.absolute_path) or 'body'}: {error.message}"


def _fits(template: str, path: str) -> bool:
    pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path) is not None


def _parameter_problems(operation: Operation, request: Request) -> Iterator[str]:
    declared: list[Json] = operation.spec.get("parameters", [])
    known = {each["name"] for each in declared if each["in"] == "query"}
    yield from (f"query {name} is not documented" for name in request.query if name not in known)
    if operation.spec.get("security") and not request.headers.get("authorization", "").startswith("Bearer "):
        yield "no bearer token"
    for each in declared:
        place = request.query if each["in"] == "query" else request.headers
        name = each["name"] if each["in"] == "query" else each["name"].lower()
        if each["in"] == "path":
            continue
        if name in place:
            yield from _value_problems(each, place[name])
        elif each.get("required"):
            yield f"{each['in']} {each['name']} is missing"


def _value_problems(parameter: Json, value: str) -> Iterator[str]:
    schema: Json = parameter.get("schema", {})
    kind = schema.get("type")
    if kind == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        yield f"{parameter['name']}={value!r} is not a number"
    if kind == "boolean" and value not in {"true", "false"}:
        yield f"{parameter['name']}={value!r} is not true or false"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{parameter['name']}={value!r} is none of {schema['enum']}"
