"""Commands about what is configured: see what the file would change, put it in force, list, go back, write out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, given, only, wait
from syncline.cli.output import complain, say, say_json, say_text, table
from syncline.config import SyncSettings, applied_syncs, as_yaml, canonical
from syncline.core.memory import Version
from syncline.engine import versions as engine
from syncline.errors import MappingError, SetupError
from syncline.service.reviewing import Review, changes_to, reviews_of, touches
from syncline.story import shown

_NOTHING = (
    "syncline.yaml holds no syncs: this would end all that are in force, those made over the API too. "
    "Say --yes if that is meant; `syncline export` writes them."
)

Note = Annotated[str, typer.Option(help="Why; kept with the version.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@dataclass(frozen=True, slots=True)
class Applied:
    """The version in force, and whether this command made it."""

    version: Version | None
    is_new: bool = True


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Configuration")(diff)
    app.command(rich_help_panel="Configuration")(apply)
    app.command(rich_help_panel="Configuration")(versions)
    app.command(rich_help_panel="Configuration")(rollback)
    app.command(rich_help_panel="Configuration")(export)


def diff(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Only this sync.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Only compare; make no call and count nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what syncline.yaml would change in the version in force, and what that would do. Changes nothing."""

    async def work() -> tuple[int | None, dict[str, Review]]:
        async with given(context).open() as installation:
            if name is not None and name not in installation.draft:
                only(installation, name)
            found = changes_to(installation, installation.draft)
            wanted = [each for each in found if name in (None, each.sync)]
            number = installation.version.number if installation.version else None
            return number, await reviews_of(installation, installation.draft, wanted, is_offline=offline)

    number, reviews = wait(work())
    if as_json or given(context).as_json:
        say_json({"version": number, "syncs": reviews})
    elif not reviews:
        say(f"syncline.yaml is the same as version {number}." if number else "There is no sync.")
    else:
        _say_reviews(reviews)


def apply(context: typer.Context, note: Note = "", yes: Yes = False, as_json: AsJson = False) -> None:
    """Put the syncs of syncline.yaml in force as a new version, after showing and checking what they change."""
    is_json = as_json or given(context).as_json

    async def work() -> Applied:
        async with given(context).open() as installation:
            reviews = await _checked(installation, installation.draft, is_shown=not is_json)
            if not reviews:
                return Applied(installation.version, is_new=False)
            if not installation.draft and not yes:
                raise SetupError(_NOTHING)
            _ask(installation, reviews, yes=yes, is_json=is_json)
            body = canonical(installation.draft)
            return Applied(engine.apply(installation.store, installation.clock, body, note))

    _in_force(wait(work()), is_json=is_json)


def rollback(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The version to go back to.")],
    note: Note = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put an older version in force again, as a new one. syncline.yaml is left as it is."""
    is_json = as_json or given(context).as_json

    async def work() -> Applied:
        async with given(context).open() as installation:
            old = engine.version(installation.store, number)
            reviews = await _checked(installation, applied_syncs(old.body, number), is_shown=not is_json)
            if not reviews:
                return Applied(installation.version, is_new=False)
            _ask(installation, reviews, yes=yes, is_json=is_json)
            return Applied(engine.rollback(installation.store, installation.clock, number, note))

    done = wait(work())
    _in_force(done, is_json=is_json)
    if done.is_new:
        complain("To bring syncline.yaml in step, take over what `syncline export` prints.")


def versions(context: typer.Context, as_json: AsJson = False) -> None:
    """List every version that was ever in force, newest first."""

    async def work() -> Sequence[Version]:
        async with given(context).open() as installation:
            return engine.versions(installation.store)

    found = wait(work())
    if as_json or given(context).as_json:
        say_json([{"number": v.number, "at": v.at, "digest": v.digest, "note": v.note} for v in found])
    elif not found:
        say("Nothing is applied yet; the first run applies syncline.yaml.")
    else:
        rows = [(str(v.number), f"{v.at:%Y-%m-%d %H:%M:%S}", v.digest, v.note) for v in found]
        table(("version", "since (UTC)", "digest", "note"), rows)


def export(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(help="A version; the one in force unless named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the applied syncs as YAML, to bring syncline.yaml in step with them."""

    async def work() -> Version | None:
        async with given(context).open() as installation:
            return engine.version(installation.store, number) if number else installation.version

    found = wait(work())
    if found is None:
        raise SetupError("Nothing is applied yet. Run a sync, or `syncline apply`, first.")
    if as_json or given(context).as_json:
        say_json({"version": found.number, "syncs": found.body})
    else:
        say_text(as_yaml(applied_syncs(found.body, found.number)))


# --- what would change ----------------------------------------------------------------------------------------------


async def _checked(
    installation: Installation, syncs: Mapping[str, SyncSettings], *, is_shown: bool
) -> dict[str, Review]:
    """What would change, shown and without a fault. Raises `MappingError` with every fault."""
    reviews = await reviews_of(installation, syncs, changes_to(installation, syncs), is_offline=False)
    if is_shown:
        _say_changes(reviews)
    problems = tuple(fault for review in reviews.values() for fault in review.faults)
    if problems:
        raise MappingError("It cannot be put in force:", problems)
    return reviews


def _ask(installation: Installation, reviews: Mapping[str, Review], *, yes: bool, is_json: bool) -> None:
    """Let a person decide, where there is one; without one only what touches no linked record goes through."""
    if yes:
        return
    if sys.stdin.isatty() and not is_json:
        typer.confirm("Put this in force?", abort=True, err=True)
    elif any(touches(installation, name, review) for name, review in reviews.items()):
        raise SetupError("This changes how linked records are treated. Look at it, then say --yes.")


# --- telling --------------------------------------------------------------------------------------------------------


def _in_force(applied: Applied, *, is_json: bool) -> None:
    version = applied.version
    if is_json:
        told = {"version": version.number, "note": version.note} if version else {"version": None}
        say_json({**told, "is_new": applied.is_new})
    elif version is not None:
        say(
            f"Version {version.number} is in force."
            if applied.is_new
            else f"Nothing changes: version {version.number}, which is in force, says the same."
        )


def _say_reviews(reviews: Mapping[str, Review]) -> None:
    _say_changes(reviews)
    for review in reviews.values():
        for fault in review.faults:
            say(f"fault: {fault}")


def _say_changes(reviews: Mapping[str, Review]) -> None:
    for name, review in reviews.items():
        say(f"{name}:")
        for each in review.changes:
            count = f" ({each.records} would be written)" if each.records else ""
            say(f"  {each.change.sentence}{count}")
            if each.meaning:
                say(f"    {each.meaning}")
        for sentence in review.impact.sentences if review.impact else ():
            say(f"  → {sentence}")
        for without in review.uncarried:
            say(
                f"  note: {without.line}: {shown(without.value)} on the {without.side.value}: {without.reason}"
            )
