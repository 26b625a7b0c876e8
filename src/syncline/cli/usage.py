"""A fault that the parser of the command line found into one of our own errors: which word, what was found, what fits.

Called by `app` alone, so that a mistyped option is told in the same form, and with the same exit code, as any other bad
input.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable
from enum import Enum
from typing import Any, get_args

import typer

from syncline.errors import ProblemKind, UsageError

_FORMS = {int: "a whole number", float: "a number", dt.datetime: "a day, such as 2026-03-02"}
_QUOTED = "'"


def usage_error(error: typer.TyperException) -> UsageError:
    """The same fault as one of our errors."""
    # The parser's own classes are private; what they carry is not.
    parameter: Any = getattr(error, "param", None)
    option = getattr(error, "option_name", None)
    text = error.format_message()
    if parameter is not None:
        return _of_parameter(error, parameter)
    if isinstance(option, str):
        return _of_option(error, option, text)
    if text.startswith("No such command"):
        return _of_command(error, text.split(_QUOTED)[1])
    return UsageError("command", _sentence(text), _help(error, "its form"), ProblemKind.NOT_UNDERSTOOD)


def _of_parameter(error: typer.TyperException, parameter: Any) -> UsageError:
    name = parameter.opts[0]
    field = name if name.startswith("-") else name.upper()
    found = _found(error)
    takes = _takes(parameter)
    if found is None:
        remedy = f"It takes {takes}." if takes else _help(error, "what it needs")
        return UsageError(field, f"{field} is missing.", remedy, ProblemKind.NOT_SAID)
    remedy = f"It takes {takes}." if takes else _help(error, "what it takes")
    return UsageError(field, f"{field}: '{found}' cannot be used.", remedy, ProblemKind.WRONG_VALUE, found)


def _found(error: typer.TyperException) -> str | None:
    """The word that was given; None where none was."""
    cause: Any = error.__cause__
    if cause is None or not hasattr(cause, "errors"):
        return None
    return str(cause.errors()[0].get("input"))


def _takes(parameter: Any) -> str:
    """What a parameter takes, in words; empty where its type says nothing."""
    annotation = parameter.type_descriptor.annotation
    parts = [part for part in get_args(annotation) or (annotation,) if isinstance(part, type)]
    for part in parts:
        if issubclass(part, Enum):
            words = ", ".join(str(each.value) for each in part)
            return f"{words}; then a text" if len(parts) > 1 else f"one of: {words}"
    least = getattr(parameter.type_descriptor.parameter_info, "min", None)
    more = "" if least is None else f", {least} or more"
    return next((f"{_FORMS[part]}{more}" for part in parts if part in _FORMS), "")


def _of_option(error: typer.TyperException, option: str, text: str) -> UsageError:
    if not text.startswith("No such option"):
        # An option without its value.
        return UsageError(option, _sentence(text), _help(error, "what it takes"), ProblemKind.NOT_SAID)
    known = [name for each in _parameters(error) for name in each.opts if name.startswith("-")]
    message = f"`{_path(error)}` has no option {option}."
    return UsageError(option, message, _near(error, option, known), ProblemKind.NO_OPTION, option)


def _of_command(error: typer.TyperException, name: str) -> UsageError:
    context: Any = getattr(error, "ctx", None)
    known = list(context.command.commands) if context is not None else []
    message = f"There is no command `{_path(error)} {name}`."
    return UsageError("command", message, _near(error, name, known), ProblemKind.NO_COMMAND, name)


def _near(error: typer.TyperException, word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=3)
    return f"Did you mean {' or '.join(near)}?" if near else _help(error, "what there is")


def _help(error: typer.TyperException, what: str) -> str:
    """Where to look. The parser does not always tell which command it was about."""
    has_command = getattr(error, "ctx", None) is not None
    return (
        f"`{_path(error)} --help` shows {what}."
        if has_command
        else f"`--help` after the command shows {what}."
    )


def _parameters(error: typer.TyperException) -> list[Any]:
    context: Any = getattr(error, "ctx", None)
    return list(context.command.params) if context is not None else []


def _path(error: typer.TyperException) -> str:
    """The command as far as it was understood: `syncline links list`."""
    context: Any = getattr(error, "ctx", None)
    words: list[str] = []
    while context is not None:
        words.insert(0, str(context.info_name or "syncline"))
        context = context.parent
    return " ".join(["syncline", *words[1:]])


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."
