"""`/api/v1/syncs/{sync}/brakes`: how each brake of a sync stands, letting go of one, and taking that back.

The router is made by `brakes_router` over the runtime of the process.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import Field, StrictBool

from syncline.bootstrap import Installation
from syncline.core.brakes import BrakeName
from syncline.core.people import Scope
from syncline.engine.brakes import BrakeReport, BrakeState, arm, release, report
from syncline.service.runtime import Runtime
from syncline.service.starting import checked
from syncline.web.forms import Sent, Told
from syncline.web.security import Guarded, requires
from syncline.web.shapes import SyncName

_READ = requires(Scope.RUNS_READ)
_WRITE = requires(Scope.RUNS_WRITE)


class PulledOut(Told):
    """What the last run saw of a brake. `is_released`: it would have stopped the run, had nobody let go of it."""

    run: str
    sentence: str
    remedy: str
    is_released: bool


class BrakeStateOut(Told):
    """A brake of a sync: what it is, how it stands, since when and by what (a command, or the configuration), and what the
    last run saw of it. `is_pulled`: it stopped that run. Only where `may_be_off` it can be released for good."""

    name: BrakeName
    title: str
    pulls: str
    protects: str
    may_be_off: bool
    state: BrakeState
    by: str
    since: dt.datetime | None
    is_pulled: bool
    last: PulledOut | None


class BrakesOut(Told):
    """Every brake of a sync, in the order in which a run looks at them."""

    items: list[BrakeStateOut]


class ReleaseIn(Sent):
    """For how long to let go: for the next run that it would have stopped, or for good."""

    for_good: StrictBool = Field(default=False, description="Until it is armed again.")


def brakes_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(prefix="/api/v1/syncs/{sync}/brakes", tags=["brakes"], route_class=Guarded)

    @router.get("", dependencies=[_READ])
    async def list_brakes(sync: SyncName) -> BrakesOut:
        """Every brake: armed, released once or off, and what the last run saw of it."""
        return BrakesOut(items=[_out(each) for each in _reports(runtime.current(), sync)])

    @router.get("/{brake}", dependencies=[_READ])
    async def get_brake(sync: SyncName, brake: BrakeName) -> BrakeStateOut:
        """One brake."""
        return _one(runtime.current(), sync, brake)

    @router.post("/{brake}/release", dependencies=[_WRITE])
    async def release_brake(sync: SyncName, brake: BrakeName, body: ReleaseIn | None = None) -> BrakeStateOut:
        """Let go of a brake beforehand: once, or for good. What it would have said is still told in the run's report."""
        installation, told = runtime.current(), body or ReleaseIn()
        release(installation.world(), checked(installation, sync), brake, for_good=told.for_good)
        return _one(installation, sync, brake)

    @router.post("/{brake}/arm", dependencies=[_WRITE])
    async def arm_brake(sync: SyncName, brake: BrakeName) -> BrakeStateOut:
        """Take a release back. One that the configuration switches off stays off: change it there."""
        installation = runtime.current()
        chosen = checked(installation, sync)
        arm(installation.world(), chosen, brake, installation.config.syncs[sync].limits())
        return _one(installation, sync, brake)

    return router


def _reports(installation: Installation, sync: str) -> Sequence[BrakeReport]:
    chosen = checked(installation, sync)
    return report(installation.store, chosen, installation.config.syncs[sync].limits())


def _one(installation: Installation, sync: str, brake: BrakeName) -> BrakeStateOut:
    return next(_out(each) for each in _reports(installation, sync) if each.name is brake)


def _out(found: BrakeReport) -> BrakeStateOut:
    last = PulledOut.model_validate(found.last) if found.last is not None else None
    told = {name: getattr(found, name) for name in BrakeReport.__struct_fields__ if name != "last"}
    return BrakeStateOut(**told, is_pulled=last is not None and not last.is_released, last=last)
