"""Commands about proof: compare both sides field by field, and show and check the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, Context, chosen, given, kept, wait
from syncline.cli.output import Bars, complain, say, say_json, table
from syncline.core.audit import AuditEntry, AuditFault, AuditKind
from syncline.core.certificate import Certificate, Difference, moved_branches
from syncline.core.comparison import Cause
from syncline.engine import certify as engine
from syncline.engine.certify import Certified
from syncline.errors import SetupError
from syncline.story import shown

UNEXPLAINED = 6
_SHOWN = 20


class Trail(msgspec.Struct, frozen=True):
    """Entries of the audit trail, and whether its chain holds (None: not checked)."""

    entries: tuple[AuditEntry, ...]
    is_intact: bool | None = None
    fault: AuditFault | None = None


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Proof")(certify)
    app.command(rich_help_panel="Proof")(audit)


def certify(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Syncs; all unless named.")] = None,
    values: Annotated[
        bool,
        typer.Option("--values", help="Also show what the two sides hold where they differ; never kept."),
    ] = False,
    show: Annotated[
        int | None, typer.Option(help="Show a kept certificate by its number; makes no call.")
    ] = None,
    against: Annotated[
        int | None, typer.Option(help="With --show: say whether it saw the same as this other one.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Compare both sides field by field and keep the outcome. Exit code 6 when a difference has no explanation."""
    if against is not None and show is None:
        raise SetupError("--against needs --show N: the certificate to compare.")
    is_json = as_json or given(context).as_json
    if show is not None:
        return _show(given(context), show, against, is_json=is_json)
    made = wait(_certified(given(context), names, with_values=values))
    if is_json:
        say_json(made)
    else:
        say_certificates(made)
    return code_of(made)


def code_of(made: Mapping[str, Certified]) -> int:
    """The exit code of these certificates."""
    return UNEXPLAINED if any(each.certificate.unexplained for each in made.values()) else 0


def say_certificates(made: Mapping[str, Certified]) -> None:
    """Certificates as short pages."""
    for each in made.values():
        for line in certificate_lines(each):
            say(line)


async def _certified(context: Context, names: list[str] | None, *, with_values: bool) -> dict[str, Certified]:
    async with context.open() as installation:
        with Bars() as bars:
            world = installation.world(bars.watch)
            number = installation.version.number if installation.version else 0
            made: dict[str, Certified] = {}
            for name in chosen(installation, names):
                sync = await installation.sync(name)
                made[name] = await engine.certify(world, sync, configuration=number, with_values=with_values)
            return made


def _show(context: Context, number: int, against: int | None, *, is_json: bool) -> int:
    async def work() -> tuple[Certified, Certified | None]:
        async with context.open() as installation:
            other = None if against is None else _kept(installation, against)
            return _kept(installation, number), other

    found, other = wait(work())
    moved = None if other is None else _moved(found, other)
    if is_json:
        say_json(found if moved is None else {"certificate": found, "moved_parts": moved})
    else:
        say_certificates({"": found})
        if moved is not None:
            same = (
                "saw the same"
                if not moved
                else f"differs in {moved} of {len(found.certificate.branches)} parts"
            )
            say(f"  against certificate {against}: {same}")
    return UNEXPLAINED if found.certificate.unexplained else 0


def _moved(found: Certified, other: Certified) -> int:
    if found.certificate.sync != other.certificate.sync:
        raise SetupError("The two certificates are of different syncs.")
    return moved_branches(other.certificate, found.certificate)


def _kept(installation: Installation, number: int) -> Certified:
    entry = installation.store.audit_entry(number)
    if entry is None:
        raise SetupError(f"There is no certificate {number}. See `syncline audit --kind certificate`.")
    return engine.certificate_of(entry)


def certificate_lines(made: Certified) -> Iterator[str]:
    """A certificate as a short page."""
    found = made.certificate
    yield f"{found.sync}: certificate {made.number}, {found.at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"  {_verdict(found)}"
    for side, records, listing in zip(
        ("left", "right"), (found.left, found.right), found.listings, strict=True
    ):
        yield f"  {side:7} {records.total} records: {records.compared} compared{_causes(records.causes)}"
        if not listing.is_complete:
            yield f"          the listing is not complete: {listing.reason}"
    yield f"  links   {found.links.total}: {found.links.compared} compared{_causes(found.links.causes)}"
    yield f"  fields  {found.fields.total}: {found.fields.equal} equal{_causes(found.fields.causes)}"
    for each in found.samples[:_SHOWN]:
        yield f"    {_difference(each)}"
    if len(found.samples) > _SHOWN:
        yield f"    … and {len(found.samples) - _SHOWN} more in --json"
    yield f"  digest  {found.digest}"
    yield f"  chained {made.hash}"


def _verdict(found: Certificate) -> str:
    if found.unexplained:
        return f"{found.unexplained} DIFFERENCES ARE UNEXPLAINED. Run the sync once and certify again."
    if found.differences == 0:
        return "0 unexplained; no field differs."
    differ = (
        "1 field differs, for a reason"
        if found.differences == 1
        else f"{found.differences} fields differ, each for a reason"
    )
    return f"0 unexplained; {differ}."


def _causes(causes: Mapping[Cause, int]) -> str:
    return "".join(f", {count} {why.value}" for why, count in causes.items())


def _difference(each: Difference) -> str:
    keys = f"{each.left_key or '–'} | {each.right_key or '–'}"
    held = f": left {shown(each.left)}, right {shown(each.right)}" if each.left or each.right else ""
    return f"{each.cause.value:14} {keys}  {each.line or 'record'}{held}"


# --- the audit trail ------------------------------------------------------------------------------------------------


def audit(
    context: typer.Context,
    verify: Annotated[bool, typer.Option("--verify", help="Check the whole chain.")] = False,
    kind: Annotated[AuditKind | None, typer.Option(help="Only entries of this kind.")] = None,
    sync: Annotated[str | None, typer.Option(help="Only entries of this sync.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many entries, the latest.")] = 50,
    as_json: AsJson = False,
) -> int:
    """Show what people and runs did to the installation. Exit code 6 when --verify finds the chain broken."""

    async def work() -> Trail:
        async with given(context).open() as installation:
            name = kept(installation, sync)
            entries = tuple(installation.store.audit_trail(kind=kind, sync=name, limit=limit))
            if not verify:
                return Trail(entries)
            fault = installation.store.verify_audit()
            return Trail(entries, fault is None, fault)

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
    else:
        _say_trail(found)
    return UNEXPLAINED if found.is_intact is False else 0


def _say_trail(found: Trail) -> None:
    if found.entries:
        table(("no.", "when (UTC)", "kind", "sync", "about", "hash"), [_row(each) for each in found.entries])
    else:
        say("Nothing is noted yet.")
    if found.fault is not None:
        complain(f"The chain is broken at entry {found.fault.id}: {found.fault.reason}.")
    elif found.is_intact:
        say("The chain holds.")


def _row(entry: AuditEntry) -> tuple[str, ...]:
    when = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    return str(entry.id), when, entry.kind, entry.sync, entry.subject, entry.hash[:16]
