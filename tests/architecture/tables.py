"""Code into tables for the documents: layers, modules, rules, brakes, errors, transforms, the sandbox's settings."""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, get_args, get_type_hints

import msgspec

from syncline import errors
from syncline.core.brakes import BRAKES, BrakeName, Facts, Limits, SideFacts, brakes
from syncline.core.catalogue import ENTRIES, CatalogueEntry, EntryKind
from syncline.core.comparison import Cause
from syncline.core.decisions import Rule
from syncline.core.forecast import Forecast
from syncline.core.transforms import TRANSFORMS
from syncline.core.values import FieldType, Value
from syncline.sandbox.activecollab import Quirks, acts
from syncline.sandbox.faults import WEBHOOK_KINDS, FaultKind
from syncline.sandbox.highlevel import (
    crm_control,
    document_control,
    people_control,
    tie_control,
    token_control,
)
from syncline.sandbox.highlevel.options import Options
from tests.architecture.markdown import code, sentence, table
from tests.architecture.sources import ROOT
from tests.architecture.sources import modules as all_modules

# --- layers and modules -----------------------------------------------------------------------------------------------


def _importlinter() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


def layer_names() -> list[str]:
    """The layers from top to bottom; siblings stand in one text, as in the linter's contract."""
    return next(each["layers"] for each in _importlinter()["contracts"] if each["type"] == "layers")


def layers() -> str:
    """The layers as a picture: imports point down only."""
    names = layer_names()
    width = max(len(name) for name in names)
    return "\n".join(["```text", *(name.center(width).rstrip() for name in names), "```"])


def contracts() -> str:
    """What the import linter holds."""
    return "\n".join(f"- {each['name']}." for each in _importlinter()["contracts"])


def _package(name: str) -> str:
    first, _, rest = name.partition("/")
    return first if rest else first.removesuffix(".py")


def modules() -> str:
    """Every module with the first line of its docstring, package by package from the bottom layer up."""
    order = [part.strip() for names in reversed(layer_names()) for part in names.split("|")]
    order += sorted({_package(each.name) for each in all_modules()} - set(order))
    parts: list[str] = []
    for package in order:
        rows = [
            (code(each.name), each.docstring.splitlines()[0])
            for each in all_modules()
            if _package(each.name) == package and each.docstring
        ]
        if rows:
            parts.append(f"**{package}**\n\n{table(('module', 'what it does'), rows)}")
    return "\n\n".join(parts)


# --- rules, brakes, errors --------------------------------------------------------------------------------------------


def merge_rules() -> str:
    """Every rule with its sentence."""
    rows = [(code(rule.value), rule.sentence, "yes" if rule.is_question else "") for rule in Rule]
    return table(("rule", "what it says", "asks a person"), rows)


_NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
_QUIET = SideFacts(listed=100, known=100)


def _facts(**given: Any) -> Facts:
    return Facts(**{"left": _QUIET, "right": _QUIET, "links": 100, "now": _NOW, **given})


_PULLING: Mapping[BrakeName, Facts] = {
    BrakeName.INCOMPLETE_LISTING: _facts(right=SideFacts(60, 100, is_complete=False)),
    BrakeName.EMPTY_SIDE: _facts(right=SideFacts(0, 100)),
    BrakeName.COUNT_FORECAST: _facts(right=SideFacts(310, 100, expected=Forecast(100, 2, 6))),
    BrakeName.DELETES: _facts(right=SideFacts(80, 100, gone=20)),
    BrakeName.CHANGES: _facts(right=SideFacts(100, 100, changed=60)),
    BrakeName.ALL_CHANGED: _facts(right=SideFacts(100, 100, changed=100)),
    BrakeName.MAPPING_CHANGED: _facts(is_mapping_changed=True),
    BrakeName.FILTER_CHANGED: _facts(is_filter_changed=True),
    BrakeName.SCOPE_CHANGED: _facts(moved=("the right account was 8xPqNr and is 2kTmWb",)),
    BrakeName.TOKEN_SCOPES: _facts(lost=("the right lost the scopes objects/record.write",)),
    BrakeName.SCHEMA_DRIFT: _facts(drift=("'hours' on the right was number and is text",)),
    BrakeName.CLOCK_JUMP: _facts(last_run_at=_NOW + dt.timedelta(hours=1)),
}


def brake_table() -> str:
    """Every brake, pulled: what it says then, and what it tells a person to do."""
    rows: list[tuple[str, str, str]] = []
    for name in BrakeName:
        pulled = next(each for each in brakes(_PULLING[name], Limits()) if each.name is name)
        rows.append((code(name.value), pulled.sentence, pulled.remedy))
    return table(("brake", "what it says (an example)", "what it tells you to do"), rows)


def brake_kinds() -> str:
    """Every brake as declared: when it pulls, what it protects from, and how long a person may let go of it."""
    rows = [
        (
            f"**{kind.title}** {code(name.value)}",
            kind.pulls,
            kind.protects,
            "once, for good" if kind.may_be_off else "once",
        )
        for name, kind in BRAKES.items()
    ]
    return table(("brake", "pulls when", "protects from", "may be released"), rows)


def error_tree() -> str:
    """The tree as drawn in the docstring of `errors`."""
    drawn = [line for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
    return "\n".join(["```text", *(line.removeprefix("    ") for line in drawn), "```"])


def error_classes() -> list[type[errors.SynclineError]]:
    """Every error, parents first."""
    found = [each for each in vars(errors).values() if inspect.isclass(each)]
    return [each for each in found if issubclass(each, errors.SynclineError)]


def error_codes() -> str:
    """Code, exit code and meaning of each error that is raised."""
    rows = [
        (code(each.code), code(each.__name__), str(each.exit_code), sentence(inspect.getdoc(each) or ""))
        for each in error_classes()
    ]
    return table(("code", "class", "exit code", "meaning"), rows)


def error_catalogue() -> str:
    """Every code with what happened, what was done and what a person does, one table for each kind."""
    parts: list[str] = []
    for kind in EntryKind:
        rows = [
            (code(each.code), each.title, each.happened, each.done, each.remedy, _ending(each))
            for each in ENTRIES.values()
            if each.kind is kind
        ]
        heads = ("code", "what it is", "what happened", "what Syncline did", "what you do", "")
        parts.append(f"### {kind.value}\n\n{table(heads, rows)}")
    return "\n\n".join(parts)


def _ending(each: CatalogueEntry) -> str:
    marks = [] if each.exit_code is None else [f"exit {each.exit_code}"]
    return ", ".join([*marks, *(["tried again"] if each.is_retried else [])])


def causes() -> str:
    """Every cause of a difference with its sentence."""
    return table(("cause", "what it says"), [(code(each.value), each.sentence) for each in Cause])


# --- values and transforms --------------------------------------------------------------------------------------------


def field_types() -> str:
    """What a field may hold, and when two values are equal."""
    by_tag = {each.__struct_config__.tag: each for each in get_args(Value)}
    rows = [(code(each.value), sentence(inspect.getdoc(by_tag[each.value]) or "")) for each in FieldType]
    return table(("type", "what it holds, and when two are equal"), rows)


def transforms() -> str:
    """The transforms with what they claim of themselves."""
    rows = [
        (
            code(each.name),
            each.source.value,
            each.target.value,
            code(each.inverse) if each.inverse else "none: one way only",
            "yes" if each.is_lossless else "no",
            each.sentence,
        )
        for each in TRANSFORMS.values()
    ]
    return table(("transform", "from", "to", "inverse", "lossless", "what it makes"), rows)


# --- the sandbox ------------------------------------------------------------------------------------------------------


def fault_kinds() -> str:
    """Every fault, and whether it befalls requests or webhooks."""
    rows = [(code(each.value), "webhooks" if each in WEBHOOK_KINDS else "requests") for each in FaultKind]
    return table(("kind", "befalls"), rows)


def _action_table(actions: Mapping[str, Callable[..., object]]) -> str:
    rows = [
        (code(name), sentence(act.__doc__ or f"`{name.partition('_')[2]}`: its id."))
        for name, act in actions.items()
    ]
    return table(("action", "arguments"), rows)


def activecollab_actions() -> str:
    """What a person can do in ActiveCollab's web app."""
    return _action_table(vars(acts)["_ACTS"])


def highlevel_actions() -> str:
    """What a person can do in HighLevel's web app or the Marketplace."""
    controls = (people_control, token_control, crm_control, document_control, tie_control)
    names = {name for control in controls for name in control.ACTIONS}
    return ", ".join(code(name) for name in sorted(names)) + "."


def activecollab_quirks() -> str:
    """The settings for what is not confirmed of ActiveCollab."""
    hints = get_type_hints(Quirks)
    rows = [(code(name), code(_plain(getattr(Quirks(), name)))) for name in hints]
    return table(("setting", "default"), rows)


def highlevel_options() -> str:
    """The settings for what is not confirmed of HighLevel, grouped as in the source."""
    notes = _attribute_notes(Options)
    groups = _groups(Options)
    defaults = Options()
    rows = [
        (groups.get(name, ""), code(name), code(_plain(getattr(defaults, name))), notes.get(name, ""))
        for name in Options.__struct_fields__
    ]
    return table(("about", "setting", "default", "meaning"), rows)


def _plain(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return msgspec.json.encode(value).decode().strip('"')


def _attribute_notes(owner: type) -> dict[str, str]:
    """The strings that stand below the attributes of a class."""
    body = ast.parse(inspect.getsource(owner)).body[0]
    assert isinstance(body, ast.ClassDef)
    out: dict[str, str] = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            out[before.target.id] = " ".join(str(after.value.value).split())
    return out


def _groups(owner: type) -> dict[str, str]:
    """For each attribute the `# Group: sections` comment that it stands below."""
    out: dict[str, str] = {}
    group = ""
    for line in inspect.getsource(owner).splitlines():
        if heading := re.match(r"\s+# (?P<group>[^:]+):", line):
            group = heading["group"].lower()
        elif attribute := re.match(r"\s+(?P<name>\w+): ", line):
            out[attribute["name"]] = group
    return out


# --- the repository ---------------------------------------------------------------------------------------------------


def decision_files() -> Iterator[tuple[str, str]]:
    """Every decision: file name and title."""
    for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        yield path.name, path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def decisions() -> str:
    """The decisions as a list of links."""
    return "\n".join(f"- [{title}](decisions/{name})" for name, title in decision_files())


_TARGET = re.compile(r"^(?P<name>[a-z-]+):.*## (?P<help>.*)$", re.MULTILINE)


def make_targets() -> str:
    """The targets of the Makefile with their help."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return table(
        ("command", "what it does"),
        [(code(f"make {found['name']}"), found["help"]) for found in _TARGET.finditer(text)],
    )
