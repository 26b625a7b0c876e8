"""Where a new record goes: the path that it is posted to, from the filter and from what it says it belongs to.

Used by `activecollab.writing` (facts: activecollab-api.md 3.2 to 3.11).
"""

from __future__ import annotations

from dataclasses import dataclass

from syncline.connectors.activecollab.attributes import Form, Place
from syncline.connectors.activecollab.parts import TASK_OF
from syncline.connectors.activecollab.places import Found, Places
from syncline.connectors.activecollab.project_forms import PARENTS
from syncline.connectors.activecollab.scopes import home_of_new, project_filter
from syncline.core.records import FieldId, RecordKey, Scope
from syncline.errors import Detail, RejectedError


@dataclass(frozen=True, slots=True)
class Home:
    """Where a new record is posted to. `id` is what the routes of the record then begin with, where they tell that;
    `name` is for people."""

    path: str
    id: str = ""
    name: str = "the account"


class Homes:
    """Finds the home of a new record. `tasks` knows where tasks are."""

    def __init__(self, tasks: Places) -> None:
        self._tasks = tasks

    async def of_new(self, form: Form, scope: Scope, payload: dict[str, object]) -> Home:
        """The home; what it was told by is taken out of `payload`. Raises `RejectedError` where nothing tells it."""
        match form.place:
            case Place.ACCOUNT:
                return Home(form.collection)
            case Place.COMMENTED:
                return _on_parent(form, payload)
            case Place.TASK:
                task = str(payload.pop("task_id"))
                home = f"{await self._project_of(task, scope, form)}/tasks/{task}"
                return Home(f"projects/{home}/{form.collection}", home, f"task {task}")
            case Place.PROJECT:
                project = await self._project(form, scope, payload)
                return Home(f"projects/{project}/{form.collection}", project, f"project {project}")

    async def _project(self, form: Form, scope: Scope, payload: dict[str, object]) -> str:
        """The project that is wished for, else that of the task it is on, else the filter's."""
        wish, task = payload.pop("project_id", None), payload.get("task_id")
        if not wish and task:
            wish = await self._project_of(str(task), scope, form)
        return home_of_new(scope, form, wish)

    async def _project_of(self, task: str, scope: Scope, form: Form) -> str:
        place = await self._tasks.find(RecordKey(task), project_filter(scope, form))
        if not isinstance(place, Found) or place.json.get("is_trashed"):
            text = f"task {task} is not there, or not visible to the token's user"
            raise RejectedError(text, field=TASK_OF, detail=Detail.NO_PARENT)
        return place.project


def _on_parent(form: Form, payload: dict[str, object]) -> Home:
    """A comment is on one thing."""
    told = {slug: payload.pop(f"{slug}_id", None) for slug in PARENTS}
    found = [(slug, key) for slug, key in told.items() if key]
    if len(found) != 1:
        text = f"a comment is on one {', '.join(PARENTS[:-1])} or {PARENTS[-1]}; {len(found) or 'none'} were given"
        raise RejectedError(text, field=FieldId(PARENTS[0]), detail=Detail.NO_PARENT)
    slug, key = found[0]
    return Home(f"{form.collection}/{slug}/{key}", name=f"{slug} {key}")
