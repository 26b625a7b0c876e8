"""`syncline.yaml` and the environment into checked settings; every fault is reported at once, with its place.

The only module that reads the environment. `bootstrap` turns the result into connectors and syncs. The published JSON
Schema (`docs/syncline.schema.json`) is made from these models.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import ErrorDetails

from syncline.core.brakes import BRAKES, BrakeName, Limits
from syncline.core.decisions import DeletedEdit, DeletePolicy
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Scalar
from syncline.core.match import MatchMode, MatchRule
from syncline.core.quota import RESERVE, Terms
from syncline.core.records import FieldId, ObjectTypeId, Scope, Side
from syncline.errors import ConfigError, Problem, ProblemKind


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_PERCENT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%\s*$")


def _share(value: object) -> object:
    if isinstance(value, str):
        found = _PERCENT.match(value)
        if found is None:
            raise ValueError(f"'{value}' is no share.")
        return float(found.group(1)) / 100
    return None if value is False else value


_SHARE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"},
        {"type": "number"},
        {"const": False},
        {"type": "null"},
    ]
}
Share = Annotated[float | None, BeforeValidator(_share), WithJsonSchema(_SHARE_SCHEMA)]


class QuotaSettings(_Model):
    """What a connection may use, where its vendor's answers tell nothing, and what is kept for live work."""

    daily: int | None = Field(default=None, gt=0, description="Calls a day (UTC).")
    burst: tuple[Annotated[int, Field(gt=0)], Annotated[float, Field(gt=0)]] | None = Field(
        default=None, description="Calls, and in how many seconds: [100, 10]."
    )
    reserve: Share = Field(
        default=RESERVE,
        description="The share of every limit that full runs leave to live edits and to people.",
    )

    def terms(self) -> Terms:
        """As the limiter takes it."""
        return Terms(self.daily, self.burst, self.reserve or 0.0)


class ActiveCollabSettings(_Model):
    """An ActiveCollab account, in the cloud or self-hosted."""

    vendor: Literal["activecollab"]
    url: str = Field(
        description="The install's address, or https://app.activecollab.com/ACCOUNT for a cloud account."
    )
    token: SecretStr = Field(description="An API token, best of an Owner made for the sync. Write ${NAME}.")
    header: str = Field("X-Angie-AuthApiToken", description="The header that carries the token.")
    prefix: str = Field("", description="What stands before the token, such as Bearer.")
    job_type: str = Field("", description="Id of the job type for estimates; empty: the account's default.")
    quota: QuotaSettings = Field(default=QuotaSettings(), description="What the connection may use.")


class OAuthSettings(_Model):
    """A HighLevel Marketplace app."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr = Field(
        description="The first one; later ones are kept in the database, encrypted."
    )


class HighLevelSettings(_Model):
    """One HighLevel location (sub-account), also under a white-label brand."""

    vendor: Literal["highlevel"]
    url: str = "https://services.leadconnectorhq.com"
    location: str = Field(description="The location's id.")
    token: SecretStr | None = Field(None, description="A private integration token. Write ${NAME}.")
    oauth: OAuthSettings | None = None
    version: str = Field("2021-07-28", description="The Version header.")
    search_lag: float = Field(120, ge=0, description="Seconds that the search index may run behind writes.")
    external_key: str = Field(
        "syncline_key", description="Text field (best a unique one) in which created records carry our mark."
    )
    quota: QuotaSettings = Field(default=QuotaSettings(), description="What the connection may use.")


ConnectionSettings = Annotated[ActiveCollabSettings | HighLevelSettings, Field(discriminator="vendor")]


def _listed(value: object) -> object:
    """One value may be written without brackets; numbers are names here."""
    values: list[object] = list(value) if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownArgumentType] - YAML
    return [str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in values]


_NAME = {"type": ["string", "integer"]}
Names = Annotated[
    list[str], BeforeValidator(_listed), WithJsonSchema({"anyOf": [_NAME, {"type": "array", "items": _NAME}]})
]


class SideSettings(_Model):
    """One side of a sync."""

    connection: str = Field(description="The name of a connection above.")
    object: str = Field(
        description="An object type of that connection, such as task or custom_objects.ticket."
    )
    where: dict[str, Names] = Field(
        default_factory=dict,
        description="Which records take part, by filter name. ActiveCollab: project, create_in (ids).",
    )
    filter: str | None = Field(
        None, description="Which records take part: an expression (CEL) over the side's fields, yes or no."
    )


class FieldSettings(_Model):
    """One mapped pair of fields."""

    left: str
    right: str
    direction: Direction = Direction.BOTH
    conflict: ConflictPolicy | None = Field(
        None, description="Who wins; the sync's `conflicts` unless given."
    )
    values: list[tuple[Scalar, Scalar]] = Field(
        default_factory=list[tuple[Scalar, Scalar]], description="Pairs of option keys or labels."
    )
    transform: str | None = None
    people: dict[str, str] = Field(
        default_factory=dict, description="Left e-mail to right e-mail, where they differ."
    )
    lossy: bool = Field(
        default=False, description="Accept that a value may not survive the way there and back."
    )
    to_right: str | None = Field(
        None, description="An expression (CEL) that makes the right value of the left one, `value`."
    )
    to_left: str | None = Field(
        None, description="An expression (CEL) that makes the left value of the right one, `value`."
    )


class MatchSettings(_Model):
    """How records that meet for the first time are recognised."""

    on: list[tuple[str, str]] = Field(
        default_factory=list[tuple[str, str]], description="Key fields, left and right."
    )
    mode: MatchMode = MatchMode.MATCH_THEN_CREATE


class BrakeSettings(_Model):
    """When a run stops before it writes anything."""

    changes: Share = 0.5
    deletes: Share = 0.1
    at_least: int = Field(
        default=5, ge=0, description="Fewer records than this never pull a percentage brake."
    )
    off: list[BrakeName] = Field(default_factory=list[BrakeName])
    forecast: Share = 1.0

    @field_validator("off")
    @classmethod
    def _may_be_off(cls, names: list[BrakeName]) -> list[BrakeName]:
        """Some brakes may only be released for one run."""
        fixed = [name.value for name in names if not BRAKES[name].may_be_off]
        if fixed:
            raise ValueError(f"{', '.join(fixed)} can only be released once, with `syncline brakes release`.")
        return names


class SyncSettings(_Model):
    """Two object types kept in step."""

    left: SideSettings
    right: SideSettings
    match: MatchSettings = MatchSettings()
    fields: list[FieldSettings] = Field(min_length=1)
    conflicts: ConflictPolicy = ConflictPolicy.ASK
    deletes: DeletePolicy = DeletePolicy.ASK
    deleted_edit: DeletedEdit = Field(
        DeletedEdit.EDIT, description="Deleted on one side, edited on the other."
    )
    create: Literal["both", "left", "right", "none"] = Field(
        "both", description="Where new records may be made."
    )
    brakes: BrakeSettings = BrakeSettings()

    def side(self, side: Side) -> SideSettings:
        """One side's settings."""
        return self.left if side is Side.LEFT else self.right

    def scope(self, side: Side) -> Scope:
        """Which records of a side take part."""
        settings = self.side(side)
        return Scope(ObjectTypeId(settings.object), {name: tuple(v) for name, v in settings.where.items()})

    def filters(self) -> dict[Side, str]:
        """The expressions that say which records take part, of the sides that have one."""
        return {side: text for side in Side if (text := self.side(side).filter) is not None}

    def mappings(self) -> tuple[FieldMapping, ...]:
        """The mapped fields."""
        return tuple(
            FieldMapping(
                FieldId(field.left),
                FieldId(field.right),
                field.direction,
                field.conflict,
                tuple(field.values),
                field.transform,
                tuple(field.people.items()),
                field.lossy,
                field.to_right,
                field.to_left,
            )
            for field in self.fields
        )

    def match_rule(self) -> MatchRule:
        """How first meetings are decided."""
        return MatchRule(tuple((FieldId(a), FieldId(b)) for a, b in self.match.on), self.match.mode)

    def limits(self) -> Limits:
        """When brakes pull."""
        brakes = self.brakes
        return Limits(brakes.changes, brakes.deletes, brakes.at_least, frozenset(brakes.off), brakes.forecast)

    def may_create(self) -> frozenset[Side]:
        """The sides on which new records may be made."""
        sides = {"both": frozenset(Side), "left": frozenset({Side.LEFT}), "right": frozenset({Side.RIGHT})}
        return sides.get(self.create, frozenset())


class Config(_Model):
    """A whole installation."""

    database: str = Field(
        "sqlite:///syncline.db", description="SQLAlchemy URL; a relative file lies beside this one."
    )
    secret_key: SecretStr | None = Field(
        None, description="Encrypts stored secrets; write ${SYNCLINE_SECRET_KEY}."
    )
    connections: dict[str, ConnectionSettings] = Field(min_length=1)
    syncs: dict[str, SyncSettings] = Field(default_factory=dict)

    def database_url(self, folder: Path) -> str:
        """The database's URL with a relative file placed in the configuration's folder."""
        prefix = "sqlite:///"
        name = self.database.removeprefix(prefix)
        if self.database.startswith(prefix) and name and not name.startswith("/"):
            return f"{prefix}{(folder / name).resolve()}"
        return self.database


def load(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read and check a configuration file.

    Raises `ConfigError` listing every fault: the place, what was found, what to do.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}. Name the file with --config.") from error
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{path} is not valid YAML{where}: {getattr(error, 'problem', error)}.") from error
    problems: list[Problem] = []
    filled = _filled(_named_on(raw), os.environ if environ is None else environ, "", problems)
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
    for part in detail["loc"]:
        if part in ("activecollab", "highlevel"):
            continue  # the union's tag, not a place in the file
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
            message, remedy = str(error), "Write a percentage such as 10%, or false to switch it off."
            if path.endswith(".off"):
                remedy = "Take it out of the list."
        case _:
            message = f"{message[0].lower()}{message[1:]}."
    return Problem(path.lstrip("."), message, remedy, kind)


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


def _section(raw: Any, name: str) -> dict[str, dict[str, Any]]:
    """The named entries of a part of the file, as far as they have the form of one."""
    found = cast("dict[str, Any]", raw).get(name) if isinstance(raw, dict) else None
    entries = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return {
        str(key): cast("dict[str, Any]", value) for key, value in entries.items() if isinstance(value, dict)
    }


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `syncline.yaml`."""
    schema = Config.model_json_schema()
    return {**schema, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "syncline.yaml"}
