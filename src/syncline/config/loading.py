"""`syncline.yaml` and the environment into checked settings; every fault is reported at once, with its place.

The only module that reads the environment. `bootstrap` turns the result into connectors and syncs. The published JSON
Schema (`docs/syncline.schema.json`) is made from these models.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import Field, SecretStr, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from syncline.config.connections import ConnectionSettings
from syncline.config.strict import Model, UnfitError, written
from syncline.config.syncs import SyncSettings
from syncline.config.watching import AlertSettings, TraceSettings
from syncline.core.records import Side
from syncline.errors import ConfigError, Problem, ProblemKind


class Config(Model):
    """A whole installation."""

    database: str = Field(
        "sqlite:///syncline.db",
        description="SQLAlchemy URL: sqlite:///FILE (a relative one lies beside this file) or postgresql://USER@HOST/NAME. "
        "SYNCLINE_DATABASE_URL in the environment goes before it.",
        repr=False,
    )
    secret_key: SecretStr | None = Field(
        None, description="Encrypts stored secrets; write ${SYNCLINE_SECRET_KEY}."
    )
    allow_private: bool | None = Field(
        default=None,
        description="Whether connections may lie in private networks or on this machine. Unless said: those of this file may, "
        "those made over the API may not. SYNCLINE_ALLOW_PRIVATE=1 (or 0) in the environment goes before it.",
    )
    connections: dict[str, ConnectionSettings] = Field(default_factory=dict[str, ConnectionSettings])
    syncs: dict[str, SyncSettings] = Field(default_factory=dict)
    alerts: AlertSettings = Field(
        default=AlertSettings(), description="From when on something is worth an alert."
    )
    traces: TraceSettings = Field(default=TraceSettings(), description="Where spans go; nowhere unless said.")

    attachments: str = Field(
        "attachments",
        description="The directory of the workspace's attachments; a relative one lies beside this file.",
    )

    def attachments_folder(self, folder: Path) -> Path:
        """The directory of attachments, a relative one placed in the configuration's folder."""
        return (folder / self.attachments).resolve()

    def database_url(self, folder: Path) -> str:
        """The database's URL with a relative file placed in the configuration's folder."""
        return placed(self.database, folder)


def placed(url: str, folder: Path) -> str:
    """A database's URL with a relative file placed in a folder."""
    prefix = "sqlite:///"
    name = url.removeprefix(prefix)
    if url.startswith(prefix) and name and not name.startswith("/"):
        return f"{prefix}{(folder / name).resolve()}"
    return url


def load(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read and check a configuration file.

    Raises `ConfigError` listing every fault: the place, what was found, what to do.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        hint = "`syncline serve` makes one; docs/configuration.md says what it may hold. Or name another with --config."
        raise ConfigError(f"There is no {path}. {hint}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Name the file with --config.") from error
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{path} is not valid YAML{where}: {getattr(error, 'problem', error)}.") from error
    if raw is None:
        raise ConfigError(
            f"{path} is empty. Write `connections: {{}}` where nothing is to be configured there."
        )
    problems: list[Problem] = []
    environ = os.environ if environ is None else environ
    # What goes before the file's is not looked for in it.
    filled = _filled(_without_database(_named_on(raw), environ), environ, "", problems)
    if isinstance(filled, dict) and environ.get(_DATABASE):
        filled["database"] = environ[_DATABASE]
    if isinstance(filled, dict) and environ.get(_PRIVATE):
        filled["allow_private"] = environ[_PRIVATE]
    if isinstance(filled, dict) and environ.get(_TRACES):
        filled["traces"] = _with_endpoint(cast("dict[str, Any]", filled).get("traces"), environ[_TRACES])
    problems += _dangling(filled)
    try:
        config = Config.model_validate(filled)
    except ValidationError as error:
        # A place that lacks its environment variable has been told of already.
        told = {problem.path for problem in problems}
        found = [_problem(detail) for detail in error.errors()]
        problems += [problem for problem in found if problem.path not in told]
        config = None
    if problems or config is None:
        raise ConfigError(f"{path} has faults:", tuple(problems))
    return config


def canonical(syncs: Mapping[str, SyncSettings]) -> dict[str, Any]:
    """The syncs as plain JSON with every setting, defaults too: the form in which versions are kept and compared."""
    return {name: sync.model_dump(mode="json") for name, sync in syncs.items()}


def applied_syncs(body: Mapping[str, Any], version: int) -> dict[str, SyncSettings]:
    """The syncs of a kept version. Raises `ConfigError` when this Syncline does not know one of its settings."""
    try:
        return {name: SyncSettings.model_validate(sync) for name, sync in body.items()}
    except ValidationError as error:
        problems = tuple(_problem(detail) for detail in error.errors())
        raise ConfigError(f"Version {version} of the configuration has faults:", problems) from error


def as_yaml(syncs: Mapping[str, SyncSettings]) -> str:
    """The `syncs:` part of a configuration file, without what is as by default."""
    plain = {name: sync.model_dump(mode="json", exclude_defaults=True) for name, sync in syncs.items()}
    return yaml.safe_dump({"syncs": plain}, sort_keys=False, allow_unicode=True, width=100)


def _named_on(raw: Any) -> Any:
    """YAML 1.1 reads a bare `on:` as true; people mean the word."""
    if isinstance(raw, dict):
        return {("on" if key is True else key): _named_on(value) for key, value in raw.items()}  # pyright: ignore[reportUnknownVariableType] - YAML
    if isinstance(raw, list):
        return [_named_on(value) for value in raw]  # pyright: ignore[reportUnknownVariableType] - YAML
    return raw


_DATABASE = "SYNCLINE_DATABASE_URL"
_PRIVATE = "SYNCLINE_ALLOW_PRIVATE"
_TRACES = "SYNCLINE_OTLP_ENDPOINT"


def _without_database(raw: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(raw, dict) and environ.get(_DATABASE):
        named = cast("dict[object, object]", raw)
        return {key: value for key, value in named.items() if key != "database"}
    return cast("object", raw)


def _with_endpoint(traces: Any, endpoint: str) -> Any:
    """The file's section with the environment's endpoint. One that is no section stays, for the model to refuse."""
    return (
        {**cast("dict[str, Any]", traces or {}), "endpoint": endpoint}
        if isinstance(traces, dict | None)
        else traces
    )


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _filled(raw: Any, environ: Mapping[str, str], path: str, problems: list[Problem]) -> Any:
    """Put environment variables in place of `${NAME}`."""
    if isinstance(raw, dict):
        return {  # pyright: ignore[reportUnknownVariableType] - YAML
            key: _filled(value, environ, f"{path}.{key}".lstrip("."), problems)
            for key, value in raw.items()  # pyright: ignore[reportUnknownVariableType] - YAML
        }
    if isinstance(raw, list):
        return [_filled(value, environ, f"{path}[{index}]", problems) for index, value in enumerate(raw)]  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType] - YAML
    if not isinstance(raw, str):
        return raw

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in environ:
            problems.append(
                Problem(
                    path,
                    f"the environment variable {name} is not set.",
                    f"Set {name}, then try again.",
                    ProblemKind.VARIABLE,
                )
            )
        return environ.get(name, "")

    return _VARIABLE.sub(value, raw)


_VENDORS = ("activecollab", "highlevel", "workspace")
_KINDS = {
    "missing": ProblemKind.MISSING,
    "extra_forbidden": ProblemKind.UNKNOWN_SETTING,
    "enum": ProblemKind.UNKNOWN_VALUE,
    "literal_error": ProblemKind.UNKNOWN_VALUE,
    "union_tag_invalid": ProblemKind.UNKNOWN_VENDOR,
    "union_tag_not_found": ProblemKind.UNKNOWN_VENDOR,
}


def _problem(detail: ErrorDetails) -> Problem:
    path = ""
    for index, part in enumerate(detail["loc"]):
        if index in (0, 2) and part in _VENDORS:
            continue  # the union's tag (of `connections.NAME`, or by itself), not a place in the file
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    message, remedy = detail["msg"], ""
    kind = _KINDS.get(detail["type"], ProblemKind.BAD_VALUE)
    match detail["type"]:
        case "missing":
            message, remedy = "is missing.", "Add it."
        case "extra_forbidden":
            message, remedy = "is not a setting.", "Remove it, or check its spelling."
        case "enum" | "literal_error":
            expected = (detail.get("ctx") or {}).get("expected", "")
            message, remedy = f"'{detail['input']}' is not known.", f"Write one of: {expected}."
        case "union_tag_invalid" | "union_tag_not_found":
            message, remedy = "names no known vendor.", "Write vendor: activecollab or vendor: highlevel."
        case "value_error":
            error = (detail.get("ctx") or {}).get("error")
            message, remedy = str(error), error.remedy if isinstance(error, UnfitError) else ""
        case "tuple_type":
            message, remedy = "is no pair.", "Write pairs, each in brackets of its own: [[left, right]]."
        case "model_type" | "dict_type":
            message, remedy = "is no section.", "Write its settings below it, indented."
        case _:
            message = f"{message[0].lower()}{message[1:]}."
    return Problem(path.lstrip("."), message, remedy, kind)


def faults_of(error: ValidationError) -> list[Problem]:
    """What a model found, in our words."""
    return [_problem(detail) for detail in error.errors()]


def _dangling(raw: Any) -> Sequence[Problem]:
    """Names that point to nothing, and credentials that are missing or doubled: told together with all else."""
    connections, syncs = _section(raw, "connections"), _section(raw, "syncs")
    out: list[Problem] = []
    for name, connection in connections.items():
        if connection.get("vendor") == "highlevel" and ("token" in connection) == ("oauth" in connection):
            out.append(
                Problem(
                    f"connections.{name}",
                    "needs either token or oauth.",
                    "Give exactly one of them.",
                    ProblemKind.CREDENTIALS,
                )
            )
        url = connection.get("url")
        if isinstance(url, str) and not url.startswith(("http://", "https://")):
            text = f"'{url}' is not a web address."
            out.append(
                Problem(f"connections.{name}.url", text, "Begin it with https://.", ProblemKind.ADDRESS)
            )
    known = ", ".join(connections)
    out += _without_sync(syncs)
    for sync_name, sync in syncs.items():
        for side in Side:
            settings = sync.get(side.value)
            connection = (
                cast("dict[str, Any]", settings).get("connection") if isinstance(settings, dict) else None
            )
            if isinstance(connection, str) and connection not in connections:
                text = f"there is no connection '{connection}'."
                out.append(
                    Problem(
                        f"syncs.{sync_name}.{side.value}.connection",
                        text,
                        f"There are: {known}.",
                        ProblemKind.UNKNOWN_NAME,
                    )
                )
    return out


def _without_sync(syncs: Mapping[str, dict[str, Any]]) -> Sequence[Problem]:
    """Fields that go through a sync which is not there."""
    out: list[Problem] = []
    for name, sync in syncs.items():
        fields = sync.get("fields")
        for index, field in enumerate(cast("list[object]", fields) if isinstance(fields, list) else ()):
            through = cast("dict[str, Any]", field).get("through") if isinstance(field, dict) else None
            if isinstance(through, str) and through not in syncs:
                place, text = f"syncs.{name}.fields[{index}].through", f"there is no sync '{through}'."
                remedy = f"There are: {', '.join(syncs)}."
                out.append(Problem(place, text, remedy, ProblemKind.UNKNOWN_NAME))
    return out


def _section(raw: Any, name: str) -> dict[str, dict[str, Any]]:
    """The named entries of a part of the file, as far as they have the form of one."""
    found = cast("dict[str, Any]", raw).get(name) if isinstance(raw, dict) else None
    entries = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return {
        str(key): cast("dict[str, Any]", value) for key, value in entries.items() if isinstance(value, dict)
    }


class _Schema(GenerateJsonSchema):
    """Spans are shown as they are written."""

    def encode_default(self, dft: Any) -> Any:
        return written(dft) if isinstance(dft, dt.timedelta) else super().encode_default(dft)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `syncline.yaml`."""
    schema = Config.model_json_schema(schema_generator=_Schema)
    return {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "syncline.yaml"}
