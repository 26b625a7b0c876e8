"""The process stops after each single effect while a child waits for its parent and goes; the end is always the same."""

from __future__ import annotations

import pytest

from syncline.core.decisions import DeletePolicy
from syncline.core.records import Side, SyncId
from syncline.engine.parents import awaited
from tests.engine.crashing import Crash, Fuse
from tests.engine.family import ABOVE, Family

ORDER = ("tasks", "projects", "tasks")


async def newcomers() -> Family:
    """A project with two tasks, one above the other, and one case with a ticket; nothing is linked yet."""
    family = Family()
    project = family.make(Side.LEFT, "projects", "Site")
    upper = family.make(Side.LEFT, "tasks", "Paint", project=project)
    family.make(Side.LEFT, "tasks", "Prime", project=project, above=upper)
    family.make(Side.RIGHT, "tasks", "Sweep", case=family.make(Side.RIGHT, "projects", "Hall"))
    return family


async def widowed() -> Family:
    """What they pointed to was deleted for good on the right, and edited on the left: it is made anew."""
    family = await newcomers()
    family.deletes = DeletePolicy.ASK
    await family.settled()
    case = family.named(Side.RIGHT, "projects", "Site")
    family.delete(Side.RIGHT, "projects", case, detaches=True)
    family.accounts[Side.RIGHT, "projects"].purge(case)
    family.rename(Side.LEFT, "projects", family.named(Side.LEFT, "projects", "Site"), "Site two")
    return family


def end_of(family: Family) -> dict[str, object]:
    """Both sides by name, with what points to what."""
    out: dict[str, object] = {}
    for side in Side:
        for kind in ("projects", "tasks"):
            out[f"{side.value} {kind}"] = sorted(family.living(side, kind).values())
        names = sorted(family.living(side, "tasks").values())
        out[side.value] = [(n, family.points(side, n), family.points(side, n, ABOVE)) for n in names]
    out["waiting"] = awaited(family.store, SyncId("tasks"))
    out["open"] = [len(family.store.questions(SyncId(kind))) for kind in ("projects", "tasks")]
    return out


async def played(family: Family, fuse: Fuse) -> bool:
    """The runs of the story, behind a fuse; whether they came to their end."""
    try:
        for kind in ORDER:
            await family.run(kind, fuse=fuse)
    except Crash:
        return False
    return True


@pytest.mark.parametrize("story", [newcomers, widowed], ids=["newcomers", "widowed"])
@pytest.mark.parametrize("part", range(3))
async def test_stopping_after_any_effect_changes_nothing_in_the_end(part: int, story: object) -> None:
    family = await story()  # type: ignore[operator] - one of the two above
    await family.settled(12)
    wanted, at = end_of(family), 1 + part
    while True:
        family = await story()  # type: ignore[operator] - one of the two above
        if await played(family, Fuse(at)):
            break
        family.clock.advance(600)
        await family.settled(12)
        assert end_of(family) == wanted, f"stopped after effect {at}"
        at += 3
    assert at > 20
