"""The command line and the configuration models into their reference tables."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import typer

from syncline import config
from syncline.cli import app as cli
from tests.architecture.markdown import code, sentence, table

# --- the command line -------------------------------------------------------------------------------------------------


_EXIT_NOTE = re.compile(r"\s*Exit code \d[^.]*\.")


def every_command() -> Iterator[tuple[str, Any]]:
    """Every command with its full name, groups opened."""

    def walk(prefix: str, group: Any) -> Iterator[tuple[str, Any]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(f"{prefix}{name} ", command)
            else:
                yield f"{prefix}{name}", command

    yield from walk("syncline ", typer.main.get_command(cli.app))


def commands() -> str:
    """Each command with its help; the exit codes have a table of their own."""
    rows = [
        (code(_usage(name, each)), _EXIT_NOTE.sub("", sentence(each.help or "")))
        for name, each in every_command()
    ]
    return table(("command", "what it does"), rows)


def command_reference() -> str:
    """Each command with its arguments and options."""
    top = typer.main.get_command(cli.app)
    parts = [f"### Before the command\n\n{_parameters(top)}"]
    for name, each in every_command():
        text = f"### {name}\n\n```text\n{_usage(name, each)} [OPTIONS]\n```\n\n{sentence(each.help or '')}"
        rows = _parameters(each)
        parts.append(f"{text}\n\n{rows}" if rows else text)
    return "\n\n".join(parts)


def _usage(name: str, command: Any) -> str:
    words = [
        each.name.upper() if each.required else f"[{each.name.upper()}]{'…' if each.nargs == -1 else ''}"
        for each in command.params
        if not _is_option(each)
    ]
    return " ".join([name, *words])


def _is_option(parameter: Any) -> bool:
    return parameter.opts[0].startswith("-")


def _parameters(command: Any) -> str:
    rows: list[tuple[str, str, str, str]] = []
    for each in command.params:
        names = each.opts if _is_option(each) else [each.name.upper()]
        shown = ", ".join(code(name) for name in [*names, *each.secondary_opts])
        default = "" if each.default in (None, False) or each.required else code(_default(each.default))
        rows.append((shown, _kind(each), default, _help(each)))
    return table(("name", "value", "default", "meaning"), rows) if rows else ""


def _help(parameter: Any) -> str:
    variable = f" Also from the environment: `{parameter.envvar}`." if parameter.envvar else ""
    return f"{parameter.help or ''}{variable}"


def _default(value: object) -> str:
    if value is True:
        return "on"
    return str(value.value) if isinstance(value, Enum) else str(value)


_KINDS: Mapping[type, str] = {str: "text", int: "number", Path: "file", bool: "flag", dt.datetime: "day"}


def _kind(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    inner = get_args(annotation)[0] if get_args(annotation) else annotation
    many = ", may be repeated" if getattr(parameter, "multiple", False) else ""
    if isinstance(inner, type) and issubclass(inner, Enum):
        return " ".join(code(each.value) for each in inner) + many
    return _KINDS[inner] + many


_EXIT = re.compile(r"(?P<code>\d+) (?P<meaning>[^;.]+)[;.]")


def exit_codes() -> str:
    """The exit codes, as the command line's own docstring tells them."""
    told = " ".join((cli.__doc__ or "").split()).partition("Exit codes: ")[2]
    rows = [(found["code"], found["meaning"]) for found in _EXIT.finditer(told)]
    return table(("exit code", "meaning"), rows)


# --- the configuration ------------------------------------------------------------------------------------------------

Schema = Mapping[str, Any]

_SECTIONS = (
    ("The file", "", ""),
    ("ActiveCollab connection", "connections.NAME", "ActiveCollabSettings"),
    ("HighLevel connection", "connections.NAME", "HighLevelSettings"),
    ("HighLevel Marketplace app", "connections.NAME.oauth", "OAuthSettings"),
    ("Quota", "connections.NAME.quota", "QuotaSettings"),
    ("Sync", "syncs.NAME", "SyncSettings"),
    ("Side of a sync", "syncs.NAME.left, syncs.NAME.right", "SideSettings"),
    ("First meeting", "syncs.NAME.match", "MatchSettings"),
    ("Field", "syncs.NAME.fields[]", "FieldSettings"),
    ("Brakes", "syncs.NAME.brakes", "BrakeSettings"),
    ("Schedule", "syncs.NAME.schedule", "ScheduleSettings"),
    ("Freshness", "syncs.NAME.freshness", "FreshnessSettings"),
    ("Alerts", "alerts", "AlertSettings"),
    ("Traces", "traces", "TraceSettings"),
)

MEANINGS: Mapping[str, str] = {
    "Config.connections": "The accounts, by a name of your choice.",
    "Config.syncs": "What is kept in step, by a name of your choice.",
    "ActiveCollabSettings.vendor": "Says that this is an ActiveCollab account.",
    "HighLevelSettings.vendor": "Says that this is a HighLevel location.",
    "HighLevelSettings.url": "The API's address; the default serves white-label brands too.",
    "HighLevelSettings.oauth": "A Marketplace app in place of a token.",
    "OAuthSettings.client_id": "The app's client id.",
    "OAuthSettings.client_secret": "The app's client secret.",
    "SyncSettings.left": "One side.",
    "SyncSettings.right": "The other side.",
    "SyncSettings.match": "How records that meet for the first time are recognised.",
    "SyncSettings.fields": "The mapped fields; at least one.",
    "SyncSettings.conflicts": "Who wins a field that both sides changed differently.",
    "SyncSettings.deletes": "What a deletion does to the unchanged record on the other side.",
    "SyncSettings.brakes": "When a run stops before it writes anything.",
    "FieldSettings.left": "A field of the left object type; see `syncline fields`.",
    "FieldSettings.right": "A field of the right object type.",
    "FieldSettings.direction": "Where changes of this field may flow.",
    "FieldSettings.transform": "A named transform; see transforms.md.",
    "MatchSettings.mode": "What becomes of records that no link ties yet.",
    "BrakeSettings.changes": "More changed records than this share stop the run; `off` switches it off.",
    "BrakeSettings.deletes": "More deleted records than this share stop the run; `off` switches it off.",
    "BrakeSettings.off": "Brakes that never pull in this sync; see brakes.md for those that can only be released once.",
    "BrakeSettings.forecast": "A count that is more than this share off its forecast stops the run (100%: more than "
    "twice or less than half); `off` switches it off.",
}
"""What keys mean whose model does not say so itself; a test keeps it free of entries that no key needs."""


def configuration() -> str:
    """Every model of the configuration as a table of its keys."""
    whole = config.json_schema()
    definitions: Schema = whole["$defs"]
    parts: list[str] = []
    for title, path, name in _SECTIONS:
        schema = definitions[name] if name else whole
        place = f"`{path}`. " if path else ""
        text = sentence(schema.get("description", ""))
        parts.append(f"### {title}\n\n{place}{text}\n\n{_keys(name or 'Config', schema, definitions)}")
    return "\n\n".join(parts)


def configuration_keys() -> Iterator[tuple[str, Schema]]:
    """Every key as `Model.key`, with its schema."""
    whole = config.json_schema()
    for _, _, name in _SECTIONS:
        schema = whole["$defs"][name] if name else whole
        for key, value in schema["properties"].items():
            yield f"{name or 'Config'}.{key}", value


def _keys(owner: str, schema: Schema, definitions: Schema) -> str:
    required = schema.get("required", ())
    rows = [
        (
            code(key),
            _type(value, definitions),
            "required" if key in required else _shown_default(f"{owner}.{key}", value),
            value.get("description") or MEANINGS.get(f"{owner}.{key}", ""),
        )
        for key, value in schema["properties"].items()
    ]
    return table(("key", "type", "default", "meaning"), rows)


_SHARES = {
    "AlertSettings.quota",
    "FreshnessSettings.share",
    "BrakeSettings.changes",
    "BrakeSettings.deletes",
    "BrakeSettings.forecast",
    "QuotaSettings.reserve",
}


def _shown_default(key: str, value: Schema) -> str:
    default = value.get("default")
    if key in _SHARES and isinstance(default, float):
        return code(f"{default * 100:g}%")
    if default is None or default in ("", []) or isinstance(default, dict):
        return ""
    return code(str(default).lower() if isinstance(default, bool) else default)


_PLAIN = {"string": "text", "number": "number", "integer": "whole number", "boolean": "yes/no", "null": ""}


def _type(value: Schema, definitions: Schema) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        target = definitions[name]
        return _choices(target["enum"]) if "enum" in target else _title(name)
    if "const" in value:
        return code(str(value["const"]).lower() if isinstance(value["const"], bool) else value["const"])
    if "enum" in value:
        return _choices(value["enum"])
    if "oneOf" in value or "anyOf" in value:
        options = [_type(each, definitions) for each in value.get("oneOf") or value["anyOf"]]
        return " or ".join(dict.fromkeys(option for option in options if option))
    if value.get("format") == "password":
        return "secret"
    match value.get("type"):
        case "array" if "prefixItems" in value:
            return "pair"
        case "array":
            return f"list of {_type(value['items'], definitions)}"
        case "object" if isinstance(value.get("additionalProperties"), dict):
            return f"names to {_type(value['additionalProperties'], definitions)}"
        case kind:
            return _PLAIN.get(str(kind), str(kind))


def _choices(values: list[str]) -> str:
    return " ".join(code(value) for value in values)


def _title(name: str) -> str:
    title = next((title for title, _, each in _SECTIONS if each == name), name)
    return title if title[:2] in ("Ac", "Hi") else title.lower()
