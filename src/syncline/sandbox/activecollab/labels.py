"""Labels of tasks and projects: found by name, made when unknown (facts: activecollab-api.md 3.4, 3.11)."""

from __future__ import annotations

import msgspec

from syncline.sandbox.activecollab import written
from syncline.sandbox.activecollab.calls import Call, Routes, single
from syncline.sandbox.activecollab.refusals import invalid, missing
from syncline.sandbox.activecollab.shapes import Label
from syncline.sandbox.activecollab.state import Account
from syncline.sandbox.wire import Response


def named(account: Account, class_: str, name: str) -> Label:
    """The label of this name; a new one when there is none."""
    label = account.labels_by_name.get((class_, name))
    return label or _create(account, class_, name, "")


def _create(account: Account, class_: str, name: str, color: str) -> Label:
    label_id = account.next_id("Label")
    label = Label(
        id=label_id,
        class_=class_,
        url_path=f"/labels/{label_id}",
        name=name,
        color=color or "#F2F4F6",
        position=len(account.labels) + 1,
    )
    account.labels[label_id] = label
    account.labels_by_name[class_, name] = label
    return label


def rename(account: Account, label: Label, name: object) -> None:
    """Another name. Raises `RefusedError` when it will not do."""
    account.labels_by_name.pop((label.class_, label.name), None)
    label.name = written.name(name, account.quirks)
    account.labels_by_name[label.class_, label.name] = label


def delete(account: Account, label: Label) -> None:
    """Gone for good, and off all tasks. Labels know no trash."""
    del account.labels[label.id]
    account.labels_by_name.pop((label.class_, label.name), None)
    for task in account.tasks.values():
        if label in task.labels:
            task.labels = [each for each in task.labels if each is not label]


def _listed(call: Call) -> Response:
    return Response.json(list(call.account.labels.values()))


def _task_labels(call: Call) -> Response:
    return Response.json([label for label in call.account.labels.values() if label.class_ == "TaskLabel"])


def _project_labels(call: Call) -> Response:
    return Response.json([label for label in call.account.labels.values() if label.class_ == "ProjectLabel"])


def _label(call: Call) -> Label:
    label = call.account.labels.get(call.ids[0])
    if label is None:
        raise missing()
    return label


def _get(call: Call) -> Response:
    return single(_label(call))


def _post(call: Call) -> Response:
    call.demand_owner()
    fields, quirks = call.fields(), call.account.quirks
    class_ = fields.get("type", "TaskLabel")
    if class_ not in ("TaskLabel", "ProjectLabel"):
        raise invalid(quirks, {"type": "Label type is required."})
    name = written.name(fields.get("name"), quirks)
    return single(
        _create(call.account, str(class_), name, written.plain(fields.get("color"), "color", quirks))
    )


def _put(call: Call) -> Response:
    call.demand_owner()
    label, fields, quirks = _label(call), call.fields(), call.account.quirks
    if "name" in fields:
        rename(call.account, label, fields["name"])
    if "color" in fields:
        label.color = written.plain(fields["color"], "color", quirks)
    return single(label)


def _delete(call: Call) -> Response:
    call.demand_owner()
    label = _label(call)
    delete(call.account, label)
    return single(label)


def _reorder(call: Call) -> Response:
    call.demand_owner()
    for position, label_id in enumerate(msgspec.json.decode(call.request.body, type=list[int]), start=1):
        if label_id in call.account.labels:
            call.account.labels[label_id].position = position
    return _listed(call)


ROUTES: Routes = {
    ("GET", "labels"): _listed,
    ("GET", "labels/task-labels"): _task_labels,
    ("GET", "labels/project-labels"): _project_labels,
    ("GET", "projects/labels"): _project_labels,
    ("GET", "labels/#"): _get,
    ("POST", "labels"): _post,
    ("PUT", "labels/reorder"): _reorder,
    ("PUT", "labels/#"): _put,
    ("DELETE", "labels/#"): _delete,
}
