"""The settings of syncs: sides, mapping, policies, brakes, and when they are looked at.

Read by `config.loading` from `syncline.yaml`, and by the service for drafts that were made over the API.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from syncline.config.strict import Model, Share, UnfitError, or_false
from syncline.config.watching import FreshnessSettings, OptionalFreshness
from syncline.core.brakes import BRAKES, BrakeName, Limits
from syncline.core.decisions import DeletedEdit, DeletePolicy
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Scalar
from syncline.core.match import MatchMode, MatchRule
from syncline.core.records import FieldId, ObjectTypeId, Scope, Side, SyncId
from syncline.core.references import Through
from syncline.core.timetable import Timetable, problem


def _listed(value: object) -> object:
    """One value may be written without brackets; numbers are names here."""
    values: list[object] = list(value) if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownArgumentType] - YAML
    return [str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in values]


_NAME = {"type": ["string", "integer"]}
Names = Annotated[
    list[str], BeforeValidator(_listed), WithJsonSchema({"anyOf": [_NAME, {"type": "array", "items": _NAME}]})
]


class SideSettings(Model):
    """One side of a sync."""

    connection: str = Field(description="The name of a connection above.")
    object: str = Field(
        description="An object type of that connection, such as task or custom_objects.ticket."
    )
    where: dict[str, Names] = Field(
        default_factory=dict,
        description="Which records take part, by filter name. ActiveCollab: project, create_in (ids); on (comments); "
        "role (companies, users). "
        "Workspace: what an item is under (project, contract), create_in, and every field.",
    )
    filter: str | None = Field(
        None, description="Which records take part: an expression (CEL) over the side's fields, yes or no."
    )


class FieldSettings(Model):
    """One mapped pair of fields."""

    left: str
    right: str
    direction: Direction = Direction.BOTH
    conflict: ConflictPolicy | None = Field(
        None, description="Who wins; the sync's `conflicts` unless given."
    )
    values: list[tuple[Scalar, Scalar]] = Field(
        default_factory=list[tuple[Scalar, Scalar]], description="Pairs of option keys or labels."
    )
    transform: str | None = None
    people: dict[str, str] = Field(
        default_factory=dict, description="Left e-mail to right e-mail, where they differ."
    )
    lossy: bool = Field(
        default=False, description="Accept that a value may not survive the way there and back."
    )
    to_right: str | None = Field(
        None, description="An expression (CEL) that makes the right value of the left one, `value`."
    )
    to_left: str | None = Field(
        None, description="An expression (CEL) that makes the left value of the right one, `value`."
    )
    through: str | None = Field(
        None,
        description="The sync that ties the records which this field points to; found by itself where only one does.",
    )


class MatchSettings(Model):
    """How records that meet for the first time are recognised."""

    on: list[tuple[str, str]] = Field(
        default_factory=list[tuple[str, str]], description="Key fields, left and right."
    )
    mode: MatchMode = MatchMode.MATCH_THEN_CREATE


class BrakeSettings(Model):
    """When a run stops before it writes anything."""

    changes: Share = 0.5
    deletes: Share = 0.1
    at_least: int = Field(
        default=5, ge=0, description="Fewer records than this never pull a percentage brake."
    )
    off: list[BrakeName] = Field(default_factory=list[BrakeName])
    forecast: Share = 1.0

    @field_validator("off")
    @classmethod
    def _may_be_off(cls, names: list[BrakeName]) -> list[BrakeName]:
        """Some brakes may only be released for one run."""
        fixed = [name.value for name in names if not BRAKES[name].may_be_off]
        if fixed:
            text = f"{', '.join(fixed)} can only be released once, with `syncline brakes release`."
            raise UnfitError(text, "Take it out of the list.")
        return names


class ScheduleSettings(Model):
    """When a sync is looked at by itself, while the service runs."""

    poll: Annotated[float, Field(ge=5)] | Literal[False] = Field(
        default=60.0,
        description="The shortest time between two looks for changes, in seconds; `false`: no polls.",
    )
    slowest: float = Field(
        default=900.0,
        ge=5,
        description="The longest time between two polls, in seconds, while nothing changes.",
    )
    nightly: str | Literal[False] = Field(
        default="30 2 * * *",
        description="When everything is compared, as a cron line; `false`: only when asked.",
    )
    timezone: str = Field(default="UTC", description="The time zone of the cron line, such as Europe/Berlin.")

    @model_validator(mode="after")
    def _can_be_kept(self) -> ScheduleSettings:
        """A cron line that never comes, or a time zone that is none, would be noticed at night only."""
        told = problem(self.nightly or "0 0 * * *", self.timezone)
        if told:
            remedy = "Write five fields such as 30 2 * * *, and a zone such as Europe/Berlin."
            raise UnfitError(f"{told}.", remedy)
        return self

    def table(self) -> Timetable:
        """As the service takes it."""
        return Timetable(
            dt.timedelta(seconds=self.poll) if self.poll else None,
            dt.timedelta(seconds=self.slowest) if self.poll else None,
            self.nightly or None,
            self.timezone,
        )


class SyncSettings(Model):
    """Two object types kept in step."""

    left: SideSettings
    right: SideSettings
    match: MatchSettings = MatchSettings()
    fields: list[FieldSettings] = Field(min_length=1)
    conflicts: ConflictPolicy = ConflictPolicy.ASK
    deletes: DeletePolicy = DeletePolicy.ASK
    deleted_edit: DeletedEdit = Field(
        DeletedEdit.EDIT, description="Deleted on one side, edited on the other."
    )
    create: Literal["both", "left", "right", "none"] = Field(
        "both", description="Where new records may be made."
    )
    brakes: BrakeSettings = BrakeSettings()
    schedule: ScheduleSettings = Field(
        default=ScheduleSettings(), description="When the service looks at the sync by itself."
    )
    freshness: OptionalFreshness = Field(
        default=FreshnessSettings(),
        description="How soon edits should have arrived; `false`: nobody is told.",
        json_schema_extra=or_false,
    )

    @model_validator(mode="after")
    def _are_two(self) -> SyncSettings:
        """A copy of a record that is on the same side as its original would be copied in its turn."""
        left, right = self.left, self.right
        names = left.where.keys() & right.where.keys()
        is_parted = any(set(left.where[name]).isdisjoint(right.where[name]) for name in names)
        is_filtered = left.filter is not None or right.filter is not None
        if (left.connection, left.object) == (right.connection, right.object) and not (
            is_parted or is_filtered
        ):
            raise UnfitError(
                "both sides are the same records.",
                "Name another connection or object on one side, or filters that have no record in common.",
            )
        return self

    def side(self, side: Side) -> SideSettings:
        """One side's settings."""
        return self.left if side is Side.LEFT else self.right

    def scope(self, side: Side) -> Scope:
        """Which records of a side take part."""
        settings = self.side(side)
        return Scope(ObjectTypeId(settings.object), {name: tuple(v) for name, v in settings.where.items()})

    def filters(self) -> dict[Side, str]:
        """The expressions that say which records take part, of the sides that have one."""
        return {side: text for side in Side if (text := self.side(side).filter) is not None}

    def needs(self) -> tuple[SyncId, ...]:
        """The syncs that lines say they go through."""
        return tuple(SyncId(field.through) for field in self.fields if field.through is not None)

    def mappings(self) -> tuple[FieldMapping, ...]:
        """The mapped fields. A line that goes through a sync names it only; `fitting` finds out what it ties."""
        return tuple(
            FieldMapping(
                FieldId(field.left),
                FieldId(field.right),
                field.direction,
                field.conflict,
                tuple(field.values),
                field.transform,
                tuple(field.people.items()),
                field.lossy,
                field.to_right,
                field.to_left,
                Through(SyncId(field.through)) if field.through is not None else None,
            )
            for field in self.fields
        )

    def match_rule(self) -> MatchRule:
        """How first meetings are decided."""
        return MatchRule(tuple((FieldId(a), FieldId(b)) for a, b in self.match.on), self.match.mode)

    def limits(self) -> Limits:
        """When brakes pull."""
        brakes = self.brakes
        return Limits(brakes.changes, brakes.deletes, brakes.at_least, frozenset(brakes.off), brakes.forecast)

    def may_create(self) -> frozenset[Side]:
        """The sides on which new records may be made."""
        sides = {"both": frozenset(Side), "left": frozenset({Side.LEFT}), "right": frozenset({Side.RIGHT})}
        return sides.get(self.create, frozenset())
