"""A sync's filter into the projects it means, and what else a kind of record can be chosen by.

Used by both halves of `activecollab.connector`. Filters: `project` (ids) and `create_in` (one id); of comments also `on`
(task, note, discussion); of companies and users `role` instead.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncline.connectors.activecollab.account_forms import CLIENT, COMPANY, LABEL, OWN, USER
from syncline.connectors.activecollab.attributes import Form
from syncline.connectors.activecollab.bill_forms import ESTIMATE, INVOICE
from syncline.connectors.activecollab.project_forms import COMMENT, PARENTS
from syncline.core.records import Scope
from syncline.errors import ConfigError, Detail, Problem, ProblemKind, RejectedError

_IN_PROJECTS: Mapping[str, tuple[str, ...]] = {"project": (), "create_in": ()}
"""Filters of what is in projects, with the values they take; none means the number of a project."""

_OWN_FILTERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    COMPANY.slug: {"role": (CLIENT, OWN)},
    USER.slug: {"role": ("owner", "member", "client")},
    LABEL.slug: {},
    INVOICE.slug: {},
    ESTIMATE.slug: {},
    COMMENT.slug: {"project": (), "on": PARENTS},
}


def filters_of(form: Form) -> Mapping[str, tuple[str, ...]]:
    """The filters of an object type, with the values they take; no values means the number of a project."""
    return _OWN_FILTERS.get(form.slug, _IN_PROJECTS)


def checked(scope: Scope, form: Form) -> Mapping[str, tuple[str, ...]]:
    """The filter, once it can be used. Raises `ConfigError` for a filter that is not known, or a value it does not take."""
    known = filters_of(form)
    problems = [
        Problem(
            f"where.{name}",
            "is no filter of ActiveCollab.",
            f"Use {' or '.join(known)}." if known else "Leave it out.",
            ProblemKind.UNKNOWN_SETTING,
            name,
        )
        for name in scope.where
        if name not in known
    ]
    problems += [
        _unfit(name, value, takes)
        for name, takes in known.items()
        for value in scope.where.get(name, ())
        if not (value in takes if takes else value.isdigit())
    ]
    if problems:
        raise ConfigError("The filter cannot be used.", tuple(problems))
    return scope.where


def _unfit(name: str, value: str, takes: tuple[str, ...]) -> Problem:
    fault = f"{value!r} is none of its values." if takes else f"{value!r} is not a project id."
    remedy = f"Use {' or '.join(takes)}." if takes else "It is the number in the project's address."
    return Problem(f"where.{name}", fault, remedy, ProblemKind.BAD_VALUE, value)


def project_filter(scope: Scope, form: Form) -> tuple[str, ...]:
    """The projects of the filter; none means all. Raises `ConfigError`."""
    return tuple(checked(scope, form).get("project", ()))


def home_of_new(scope: Scope, form: Form, wish: object = None) -> str:
    """The project that a new record goes into: the one it wishes for, else the one the filter names first.

    Raises `RejectedError` when nothing names one, or the wish is outside the filter.
    """
    wanted = project_filter(scope, form)
    if wish:
        if wanted and str(wish) not in wanted:
            raise RejectedError(f"project {wish} is outside the filter", detail=Detail.NO_PARENT)
        return str(wish)
    for each in (*scope.where.get("create_in", ()), *wanted):
        return each
    raise RejectedError(
        "a new record needs a project: name one in the filter `project` or `create_in`",
        detail=Detail.NO_PARENT,
    )
