"""The weather of a world into its sync: lines, directions, policies, and how far the sides run behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from syncline.connectors import highlevel
from syncline.connectors.highlevel.schema import DataType
from syncline.core.brakes import Limits
from syncline.core.decisions import Rules
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, lenses
from syncline.core.match import MatchRule
from syncline.core.records import Ability, FieldId, Side, SyncId
from syncline.engine.sync import Patience, SideSetup, Sync
from tests.simulation.people import PALETTE
from tests.simulation.weather import FIELDS, Weather

SYNC = SyncId("tickets")
_FIELD_WISHES = (
    highlevel.FieldWish("Notes", DataType.LARGE_TEXT),
    highlevel.FieldWish("Due", DataType.DATE),
    highlevel.FieldWish("Hours", DataType.NUMERICAL),
    highlevel.FieldWish("Tags", DataType.MULTIPLE_OPTIONS, PALETTE),
    highlevel.FieldWish("Status", DataType.SINGLE_OPTIONS, ("open", "done")),
    highlevel.FieldWish("Syncline key"),
)
WISH = highlevel.ObjectWish("ticket", "Ticket", "Tickets", highlevel.FieldWish("Title"), _FIELD_WISHES)
KEY = FieldId("syncline_key")
_TO = {Side.LEFT: Direction.TO_LEFT, Side.RIGHT: Direction.TO_RIGHT}


def side_of(weather: Weather, name: str) -> Side:
    """Which side a vendor is on."""
    return Side.LEFT if name == weather.left else Side.RIGHT


def title_of(name: str) -> FieldId:
    """A vendor's field that names its records."""
    return FieldId("name" if name == "ac" else "title")


def sync_of(weather: Weather, setups: Mapping[Side, SideSetup]) -> Sync:
    """The sync as configured."""
    left, right = setups[Side.LEFT], setups[Side.RIGHT]
    lines = [_line(weather, *line) for line in FIELDS.items()]
    made = lenses(lines, left.schema, right.schema, ConflictPolicy.NEWEST)
    other = "hl" if weather.left == "ac" else "ac"
    return Sync(
        SYNC, left, right,
        Rules(made, weather.deletes, weather.deleted_edit, _able(setups, Ability.ARCHIVE), _able(setups, Ability.RESTORE)),
        MatchRule(((title_of(weather.left), title_of(other)),), weather.mode),
        Limits(changes=None, deletes=None, at_least=10_000), frozenset(Side), "mapping", "filter",
        Patience(dt.timedelta(seconds=weather.fresh), lag={side_of(weather, "hl"): dt.timedelta(seconds=weather.lag)}, writers=weather.writers),
    )  # fmt: skip


def _line(weather: Weather, ac: str, hl: str) -> FieldMapping:
    ends = (ac, hl) if weather.left == "ac" else (hl, ac)
    target = weather.one_way.get(ac)
    direction = Direction.BOTH if target is None else _TO[side_of(weather, target)]
    pairs = (("yes", "done"), ("no", "open")) if ac == "is_completed" else ()
    values = pairs if weather.left == "ac" else tuple((b, a) for a, b in pairs)
    return FieldMapping(
        FieldId(ends[0]), FieldId(ends[1]), direction, weather.policies[ac], values=values, is_lossy=ac == "body"
    )  # fmt: skip


def _able(setups: Mapping[Side, SideSetup], ability: Ability) -> frozenset[Side]:
    return frozenset(side for side, setup in setups.items() if ability in setup.schema.abilities)
