"""Finds the handler of a path: numbers become `#`, the rest is looked up in one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from syncline.sandbox.activecollab import (
    attachments,
    auth,
    bills,
    comments,
    files,
    labels,
    people,
    projects,
    reports,
    states,
    subtasks,
    task_lists,
    tasks,
    texts,
    tracking,
)
from syncline.sandbox.activecollab.calls import Call, Handler
from syncline.sandbox.wire import Response

VERSION = "8.0.31"


def _info(call: Call) -> Response:
    is_cloud = call.account.flavour.value == "cloud"
    return Response.json({"application": "ActiveCollab", "version": VERSION, "is_cloud": is_cloud})


_HANDLERS: Mapping[tuple[str, str], Handler] = MappingProxyType(
    {
        ("GET", "info"): _info,
        **attachments.ROUTES,
        **auth.ROUTES,
        **bills.ROUTES,
        **comments.ROUTES,
        **files.ROUTES,
        **labels.ROUTES,
        **people.ROUTES,
        **projects.ROUTES,
        **reports.ROUTES,
        **states.ROUTES,
        **subtasks.ROUTES,
        **task_lists.ROUTES,
        **tasks.ROUTES,
        **texts.ROUTES,
        **tracking.ROUTES,
    }
)


def find(method: str, path: str) -> tuple[Handler | None, tuple[int, ...]]:
    """The handler for a path below the API's root (without slashes around it), and the numbers in it."""
    segments = path.split("/")
    ids = tuple(int(each) for each in segments if each.isdecimal())
    pattern = "/".join("#" if each.isdecimal() else each for each in segments)
    return _HANDLERS.get((method, pattern)), ids
