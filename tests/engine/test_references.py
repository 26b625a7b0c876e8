"""What points to a record points to its counterpart on the other side: translated by the links of another sync."""

from __future__ import annotations

import pytest

from syncline.core.decisions import DeletePolicy, Fields, Rule
from syncline.core.mapping import ConflictPolicy, Direction
from syncline.core.plan import Held
from syncline.core.records import RecordKey, Side, SyncId
from syncline.engine.certify import certify
from syncline.engine.explain import explain
from syncline.engine.parents import awaited, has_arrived
from syncline.engine.runs import Options
from syncline.engine.unlinked import waiting
from syncline.errors import RejectedError
from tests.engine.family import ABOVE, MAIN, Family

TASKS = SyncId("tasks")
CHANGES = Options(is_full=False)
EITHER_WAY = pytest.mark.parametrize("is_turned", [False, True], ids=["straight", "turned"])


def held_for(plan: object) -> list[Held]:
    return [each for each in plan.held if each.rule is Rule.AWAITS_PARENT]  # type: ignore[attr-defined] - a plan


async def with_one_task(**policies: object) -> Family:
    """A project with a task, on both sides, and another of both."""
    family = Family(**policies)  # type: ignore[arg-type] - its own fields
    project = family.make(Side.LEFT, "projects", "Site")
    family.make(Side.LEFT, "tasks", "Paint", project=project)
    # An empty listing would prove nothing.
    family.make(Side.LEFT, "tasks", "Stays", project=family.make(Side.LEFT, "projects", "Yard"))
    await family.settled()
    assert family.points(Side.RIGHT, "Paint") == "Site"
    return family


@EITHER_WAY
async def test_a_reference_goes_over_as_one_to_the_counterpart_and_comes_back(is_turned: bool) -> None:
    family = Family(is_turned=is_turned)
    family.make(Side.LEFT, "tasks", "Paint", project=family.make(Side.LEFT, "projects", "Site"))
    case = family.make(Side.RIGHT, "projects", "Hall")
    family.make(Side.RIGHT, "tasks", "Sweep", case=case)

    await family.settled()

    assert (family.points(Side.LEFT, "Sweep"), family.points(Side.RIGHT, "Paint")) == ("Hall", "Site")
    paint = family.named(Side.RIGHT, "tasks", "Paint")
    family.edit(Side.RIGHT, "tasks", paint, case=case)
    await family.settled()
    assert family.points(Side.LEFT, "Paint") == "Hall"
    family.edit(Side.LEFT, "tasks", family.named(Side.LEFT, "tasks", "Paint"), project=None)
    await family.settled()
    assert family.points(Side.RIGHT, "Paint") is None


@EITHER_WAY
async def test_a_child_waits_for_its_parent_by_name_and_goes_in_the_next_run(is_turned: bool) -> None:
    family = Family(is_turned=is_turned)
    family.make(Side.LEFT, "tasks", "Paint", project=family.make(Side.LEFT, "projects", "Site"))

    report = await family.run("tasks")

    (held,) = held_for(report.plan)
    assert held.title == "Paint"
    assert "'projects'" in held.reason
    assert report.writes == 0
    assert len(awaited(family.store, TASKS)) == 1
    assert not has_arrived(family.store, TASKS)

    await family.run("projects")
    assert has_arrived(family.store, TASKS)
    report = await family.run("tasks", CHANGES)

    assert report.writes == 1
    assert family.points(Side.RIGHT, "Paint") == "Site"
    assert awaited(family.store, TASKS) == ()
    assert (await family.run("tasks")).is_quiet


async def test_a_parent_that_was_seen_is_named_by_its_title() -> None:
    family = Family()
    project = family.make(Side.LEFT, "projects", "Site")
    family.make(Side.LEFT, "tasks", "Paint", project=project)
    family.accounts[Side.RIGHT, "projects"].faults = _refusing
    await family.run("projects")

    (held,) = held_for((await family.run("tasks")).plan)

    assert (
        held.reason
        == f"waits for 'Site' (project {project}) on the left side: in the sync 'projects' it has no counterpart yet"
    )


def _refusing(when: object, write: object) -> None:
    raise RejectedError("no", field="name")


async def test_only_the_line_waits_where_the_records_are_linked() -> None:
    family = await with_one_task()
    task = family.named(Side.LEFT, "tasks", "Paint")
    family.edit(Side.LEFT, "tasks", task, project=family.make(Side.LEFT, "projects", "Hall"))
    family.rename(Side.LEFT, "tasks", task, "Paint it")

    report = await family.run("tasks")

    assert [each.field for each in held_for(report.plan)] == ["project ↔ case"]
    assert family.points(Side.RIGHT, "Paint it") == "Site"
    await family.run("projects")
    await family.run("tasks", CHANGES)
    assert family.points(Side.RIGHT, "Paint it") == "Hall"


async def test_what_waits_survives_a_restart(tmp_path: object) -> None:
    family = Family(url=f"sqlite:///{tmp_path}/syncline.db")
    family.make(Side.LEFT, "tasks", "Paint", project=family.make(Side.LEFT, "projects", "Site"))
    await family.run("tasks")
    family.restart()
    await family.run("projects")
    family.restart()

    assert has_arrived(family.store, TASKS)
    await family.run("tasks", CHANGES)

    assert family.points(Side.RIGHT, "Paint") == "Site"
    family.store.close()


async def test_a_sync_may_go_through_itself() -> None:
    family = Family()
    upper = family.make(Side.LEFT, "tasks", "House")
    family.make(Side.LEFT, "tasks", "Roof", above=upper)

    report = await family.run("tasks")

    assert [each.title for each in held_for(report.plan)] == ["Roof"]
    assert has_arrived(family.store, TASKS)
    await family.settled()
    assert family.points(Side.RIGHT, "Roof", ABOVE) == "House"


async def test_two_that_point_to_each_other_are_made_once_one_of_them_exists() -> None:
    family = Family()
    one = family.make(Side.LEFT, "tasks", "One")
    other = family.make(Side.LEFT, "tasks", "Other", above=one)
    await family.settled()
    family.edit(Side.LEFT, "tasks", one, above=other)

    await family.settled()

    assert (family.points(Side.RIGHT, "One", ABOVE), family.points(Side.RIGHT, "Other", ABOVE)) == (
        "Other",
        "One",
    )


@EITHER_WAY
@pytest.mark.parametrize("first", ["projects", "tasks"])
async def test_new_records_of_two_syncs_that_point_to_each_other_do_not_wait_for_ever(
    is_turned: bool, first: str
) -> None:
    family = Family(is_turned=is_turned)
    project = family.make(Side.LEFT, "projects", "Site")
    task = family.make(Side.LEFT, "tasks", "Paint", project=project)
    family.edit(Side.LEFT, "projects", project, main=task)
    family.edit(Side.LEFT, "tasks", task, above=task)
    await family.run(first)

    await family.settled()

    assert family.points(Side.RIGHT, "Paint") == "Site"
    assert family.points(Side.RIGHT, "Paint", ABOVE) == "Paint"
    assert family.points(Side.RIGHT, "Site", MAIN) == "Paint"
    assert len(family.living(Side.RIGHT, "tasks")) == len(family.living(Side.RIGHT, "projects")) == 1


async def test_records_that_meet_are_linked_and_their_references_agree_once_their_parents_are() -> None:
    family = Family(conflicts=ConflictPolicy.ASK)
    family.make(Side.LEFT, "tasks", "Paint", project=family.make(Side.LEFT, "projects", "Site"))
    family.make(Side.RIGHT, "tasks", "Paint", case=family.make(Side.RIGHT, "projects", "Site"))

    report = await family.run("tasks")

    assert [each.field for each in held_for(report.plan)] == ["project ↔ case"]
    assert not family.store.questions(TASKS)
    await family.settled()
    assert not family.store.questions(TASKS)
    assert len(family.living(Side.LEFT, "tasks")) == len(family.living(Side.RIGHT, "tasks")) == 1


async def test_a_plan_says_what_waits_and_changes_nothing() -> None:
    family = Family()
    family.make(Side.LEFT, "tasks", "Paint", project=family.make(Side.LEFT, "projects", "Site"))

    plan = await family.plan("tasks")

    assert [each.title for each in held_for(plan)] == ["Paint"]
    assert plan.steps == ()
    assert awaited(family.store, TASKS) == ()


async def test_explain_names_what_is_waited_for() -> None:
    family = Family()
    project = family.make(Side.LEFT, "projects", "Site")
    task = family.make(Side.LEFT, "tasks", "Paint", project=project)
    await family.run("tasks")

    (told,) = explain(family.world(), family.sync("tasks"), task)

    assert any(
        f"waits for project {project} on the left" in each and "'projects'" in each for each in told.sentences
    )
    assert not any("writes" in each for each in told.sentences)
    assert isinstance(told.next, Fields)
    (listed,) = waiting(family.world(), family.sync("tasks"))
    assert listed.rule is Rule.AWAITS_PARENT


async def test_a_certificate_knows_that_it_waits() -> None:
    family = await with_one_task()
    task = family.named(Side.LEFT, "tasks", "Paint")
    hall = family.make(Side.LEFT, "projects", "Hall")
    family.edit(Side.LEFT, "tasks", task, project=hall)
    family.make(Side.LEFT, "tasks", "Sweep", project=hall)
    await family.run("tasks")
    await family.run("tasks")

    made = (await certify(family.world(), family.sync("tasks"))).certificate

    assert not any(each.cause.value == "unexplained" for each in made.samples), made.samples


async def test_a_filled_reference_is_looked_up_in_few_statements() -> None:
    family = Family()
    for number in range(30):
        project = family.make(Side.LEFT, "projects", f"P{number}")
        family.make(Side.LEFT, "tasks", f"T{number}", project=project)
    await family.run("projects")
    counted: list[str] = []
    real = family.store.seen

    def counting(sync: SyncId, side: Side, keys: object) -> object:
        counted.append(sync)
        return real(sync, side, keys)  # type: ignore[arg-type] - passed on

    family.store.seen = counting  # type: ignore[method-assign,assignment] - counts only
    await family.run("tasks")

    assert counted.count("projects") <= 4
    assert family.points(Side.RIGHT, "T17") == "P17"


# --- deletions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["projects", "tasks"])
@pytest.mark.parametrize("side", Side, ids=["left", "right"])
async def test_what_went_together_with_its_parent_is_asked_about(side: Side, first: str) -> None:
    family = await with_one_task()
    family.delete(side, "projects", family.named(side, "projects", "Site"), cascades=True)

    for kind in (first, "tasks", "projects", "tasks"):
        await family.run(kind)

    assert "Paint" in family.living(side.other, "tasks").values()
    (question,) = family.store.questions(TASKS)
    assert question.held.rule is Rule.DELETED_ASK
    assert "gone as well" in question.held.reason


async def test_a_child_that_is_deleted_by_itself_follows_the_policy() -> None:
    family = await with_one_task()
    family.delete(Side.LEFT, "tasks", family.named(Side.LEFT, "tasks", "Paint"))

    await family.settled()

    assert list(family.living(Side.RIGHT, "tasks").values()) == ["Stays"]
    assert sorted(family.living(Side.RIGHT, "projects").values()) == ["Site", "Yard"]


@pytest.mark.parametrize("first", ["projects", "tasks"])
@pytest.mark.parametrize("side", Side, ids=["left", "right"])
async def test_a_blank_that_a_deleted_parent_left_is_no_edit(side: Side, first: str) -> None:
    family = await with_one_task(deletes=DeletePolicy.ASK)
    family.delete(side, "projects", family.named(side, "projects", "Site"), detaches=True)

    for kind in (first, "tasks", "projects", "tasks"):
        await family.run(kind)

    assert family.points(side.other, "Paint") == "Site"


async def test_the_reference_comes_back_with_its_parent() -> None:
    family = await with_one_task(deletes=DeletePolicy.ASK)
    case = family.named(Side.RIGHT, "projects", "Site")
    family.delete(Side.RIGHT, "projects", case, detaches=True)
    family.accounts[Side.RIGHT, "projects"].purge(case)
    await family.run("projects")
    await family.run("tasks")
    assert family.points(Side.RIGHT, "Paint") is None
    # An edit beats the deletion: the case is made anew.
    project = family.named(Side.LEFT, "projects", "Site")
    family.rename(Side.LEFT, "projects", project, "Site two")

    await family.run("projects")
    assert has_arrived(family.store, TASKS)
    await family.settled()

    assert family.points(Side.RIGHT, "Paint") == "Site two"
    assert family.points(Side.LEFT, "Paint") == "Site two"


async def test_what_still_points_to_a_parent_that_was_made_anew_points_to_the_new_one() -> None:
    family = await with_one_task()
    case = family.named(Side.RIGHT, "projects", "Site")
    family.delete(Side.RIGHT, "projects", case)
    family.accounts[Side.RIGHT, "projects"].purge(case)
    family.rename(Side.LEFT, "projects", family.named(Side.LEFT, "projects", "Site"), "Site two")
    await family.run("projects")
    assert family.points(Side.RIGHT, "Paint") == "(gone)"

    report = await family.run("tasks", CHANGES)

    assert [step.rule for step in report.plan.writes] == [Rule.PARENT_BACK]
    assert family.points(Side.RIGHT, "Paint") == "Site two"
    assert family.points(Side.RIGHT, "Stays") == "Yard"
    again = await family.run("tasks", CHANGES)
    assert again.is_quiet
    assert again.left.created == again.right.created == 0


async def test_once_the_parent_is_gone_for_good_each_side_keeps_its_own() -> None:
    family = await with_one_task()
    family.delete(Side.RIGHT, "projects", family.named(Side.RIGHT, "projects", "Site"), detaches=True)

    await family.settled()

    assert list(family.living(Side.LEFT, "projects").values()) == ["Yard"]
    assert family.points(Side.LEFT, "Paint") == "(gone)"
    assert family.points(Side.RIGHT, "Paint") is None
    family.edit(
        Side.RIGHT,
        "tasks",
        family.named(Side.RIGHT, "tasks", "Paint"),
        case=family.make(Side.RIGHT, "projects", "Hall"),
    )
    await family.settled()
    assert family.points(Side.LEFT, "Paint") == "Hall"


async def test_a_follower_is_not_emptied_because_the_leaders_parent_went() -> None:
    family = await with_one_task(direction=Direction.TO_RIGHT, deletes=DeletePolicy.IGNORE)
    family.delete(Side.LEFT, "projects", family.named(Side.LEFT, "projects", "Site"), detaches=True)

    await family.settled()

    assert family.points(Side.RIGHT, "Paint") == "Site"


async def test_nothing_is_made_again_for_a_parent_that_is_gone() -> None:
    family = await with_one_task(deletes=DeletePolicy.ASK)
    left, right = (family.named(side, "tasks", "Paint") for side in Side)
    family.delete(Side.RIGHT, "projects", family.named(Side.RIGHT, "projects", "Site"), cascades=True)
    family.accounts[Side.RIGHT, "tasks"].purge(right)
    family.rename(Side.LEFT, "tasks", left, "Paint it")

    await family.run("projects")
    report = await family.run("tasks")

    assert [each.rule for each in report.plan.held] == [Rule.AWAITS_PARENT]
    assert RecordKey(left) in family.living(Side.LEFT, "tasks")
