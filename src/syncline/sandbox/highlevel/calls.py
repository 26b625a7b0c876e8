"""One admitted request on its way to an operation, and the operation's answer.

Made by `gate`, taken by the operations in `objects`, `fields`, `records`, `search`, `people` and `oauth`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from syncline.sandbox.highlevel.refusals import foreign_location, unauthorised
from syncline.sandbox.highlevel.state import World
from syncline.sandbox.highlevel.tokens import Token
from syncline.sandbox.wire import Request


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its token, its API version and the parts of its path."""

    request: Request
    token: Token | None
    version: str
    path: Mapping[str, str]

    @property
    def is_v3(self) -> bool:
        """Whether the version is v3, which changes the OAuth resources."""
        return self.version == "v3"

    @property
    def bearer(self) -> Token:
        """The token of an operation that needs one."""
        if self.token is None:
            raise unauthorised("Invalid JWT")
        return self.token

    def location(self, world: World, named: str | None = None) -> str:
        """The location this call is about: the one it names, else the token's own. Raises 403."""
        own = self.bearer.location_id
        wanted = named if named is not None else own
        if wanted is None or wanted not in world.locations or own not in (None, wanted):
            raise foreign_location()
        return wanted


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers: a JSON object and a status."""

    data: dict[str, object]
    status: int = 200


Operation = Callable[[World, Call], Answer]


class Access(Enum):
    """Which kind of token an operation takes."""

    OPEN = auto()
    LOCATION = auto()
    COMPANY = auto()
    ANY = auto()


class Versions(Enum):
    """In which API versions an operation exists."""

    ALL = auto()
    V3 = auto()
    BEFORE_V3 = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the public API. `scope` is empty where none is needed."""

    method: str
    template: str
    scope: str
    operation: Operation
    access: Access = Access.LOCATION
    versions: Versions = Versions.ALL
