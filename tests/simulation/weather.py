"""What differs between worlds: who is on the left, which policies hold, and how bad the network, the crashes and the clock are."""

from __future__ import annotations

import random
from collections.abc import Mapping

import msgspec

from syncline.core.decisions import DeletedEdit, DeletePolicy
from syncline.core.mapping import ConflictPolicy
from syncline.core.match import MatchMode

NAMES = ("ac", "hl")
FIELDS = {"name": "title", "body": "notes", "due_on": "due", "estimate": "hours", "labels": "tags",
          "is_completed": "status", "assignee": "owner"}  # fmt: skip
"""Our name for each field (ActiveCollab's), with HighLevel's."""


class Weather(msgspec.Struct, frozen=True):
    """What a seed chose."""

    left: str
    keys: str
    """`unique`, `plain` or `none`: what the external key field of HighLevel is."""
    mode: MatchMode
    deletes: DeletePolicy
    deleted_edit: DeletedEdit
    policies: Mapping[str, ConflictPolicy]
    one_way: Mapping[str, str]
    """Fields that go one way, with the vendor they go to."""
    lag: float
    trouble: float
    crashes: float
    restlessness: float
    """How likely somebody edits just before a request."""
    writers: int
    jumps: float = 0.0
    """How likely our clock jumps before a run."""
    hints: float = 0.0
    """How likely a run only looks at what webhooks spoke of."""
    rewinds: float = 0.0
    """How likely an old backup is put back before a run. The names of records are never edited in such a world: they
    are all that tells what belongs together once our memory of it is lost."""
    fresh: float = 0.0
    """For so many seconds a listing that does not lag is believed without another look. Nobody edits during runs then: what
    is typed in that time is lost, and documented to be."""
    rounds: bool = False
    """Whether ActiveCollab keeps hours in hundredths: a value comes back in another form than it was sent."""

    @classmethod
    def of(cls, chance: random.Random) -> Weather:
        """Roll the dice."""
        plain = (*[ConflictPolicy.NEWEST] * 3, ConflictPolicy.ASK, ConflictPolicy.LEFT, ConflictPolicy.RIGHT,
                 ConflictPolicy.LEFT_UNLESS_BLANK, ConflictPolicy.RIGHT_UNLESS_BLANK)  # fmt: skip
        policies = {name: chance.choice(plain) for name in FIELDS if name != "labels"}
        policies["labels"] = chance.choice(
            (ConflictPolicy.MERGE, ConflictPolicy.MERGE, ConflictPolicy.NEWEST)
        )
        one_way = {"body": "hl"} if chance.random() < 0.6 else {}
        if chance.random() < 0.3:
            one_way[chance.choice(("due_on", "estimate", "assignee"))] = chance.choice(NAMES)
        mode = chance.choice((MatchMode.MATCH_THEN_CREATE, MatchMode.CREATE_ONLY))
        is_by_name = mode is MatchMode.MATCH_THEN_CREATE
        restlessness = chance.choice((0.0, 0.05, 0.2))
        return cls(
            left=chance.choice(NAMES),
            keys=chance.choice(("unique", "plain", "none")),
            mode=mode,
            deletes=chance.choice((DeletePolicy.PROPAGATE, DeletePolicy.PROPAGATE, DeletePolicy.ASK, DeletePolicy.IGNORE)),
            deleted_edit=chance.choice((DeletedEdit.EDIT, DeletedEdit.EDIT, DeletedEdit.DELETE, DeletedEdit.ASK)),
            policies=policies,
            one_way=one_way,
            lag=chance.choice((0.0, 3.0, 30.0, 30.0)),
            trouble=chance.choice((0.0, 0.03, 0.1)),
            crashes=chance.choice((0.0, 0.3, 0.7)),
            restlessness=restlessness,
            writers=chance.choice((1, 3, 8)),
            jumps=chance.choice((0.0, 0.0, 0.3)),
            hints=chance.choice((0.0, 0.4, 0.8)),
            rewinds=chance.choice((0.0, 0.4)) if is_by_name else 0.0,
            fresh=chance.choice((0.0, 60.0)) if not restlessness else 0.0,
            rounds=chance.random() < 0.5,
        )  # fmt: skip
