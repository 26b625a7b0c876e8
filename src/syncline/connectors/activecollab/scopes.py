"""A sync's filter into the projects it means.

Used by both halves of `activecollab.connector`. Filters: `project` (ids) and `create_in` (one id).
"""

from __future__ import annotations

from syncline.core.records import Scope
from syncline.errors import ConfigError, Detail, Problem, ProblemKind, RejectedError

FILTERS = ("project", "create_in")


def project_filter(scope: Scope) -> tuple[str, ...]:
    """The ids of the filter; none means all. Raises `ConfigError` for a filter that is not known or no id."""
    problems = [
        Problem(
            f"where.{name}",
            "is no filter of ActiveCollab.",
            f"Use {' or '.join(FILTERS)}.",
            ProblemKind.UNKNOWN_SETTING,
            name,
        )
        for name in scope.where
        if name not in FILTERS
    ]
    problems += [
        Problem(
            f"where.{name}",
            f"{value!r} is not a project id.",
            "It is the number in the project's address.",
            ProblemKind.BAD_VALUE,
            value,
        )
        for name in FILTERS
        for value in scope.where.get(name, ())
        if not value.isdigit()
    ]
    if problems:
        raise ConfigError("The filter cannot be used.", tuple(problems))
    return tuple(scope.where.get("project", ()))


def home_of_new(scope: Scope) -> str:
    """The project that new records go into. Raises `RejectedError` when the filter names none."""
    wanted = project_filter(scope)
    for each in (*scope.where.get("create_in", ()), *wanted):
        return each
    raise RejectedError(
        "a new record needs a project: name one in the filter `project` or `create_in`",
        detail=Detail.NO_PARENT,
    )
