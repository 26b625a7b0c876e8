"""Associations (kinds of ties between two objects, with a label a side) and relations (ties between two records).

Plain data, kept in `state.Location.ties`; the operations live in `associations` and `relations`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

SYSTEM, USER = "SYSTEM_DEFINED", "USER_DEFINED"


class Association(msgspec.Struct, frozen=True):
    """A kind of tie. Which object stands first is the vendor's choice."""

    id: str
    key: str
    first_key: str
    first_label: str
    second_key: str
    second_label: str
    type: str = USER

    @property
    def pair(self) -> frozenset[str]:
        """The two objects."""
        return frozenset({self.first_key, self.second_key})


class Relation(msgspec.Struct, frozen=True):
    """A tie between two records, in the order of its association."""

    id: str
    association_id: str
    first_id: str
    second_id: str
    added_ms: int

    @property
    def ends(self) -> tuple[str, str]:
        """Both records."""
        return self.first_id, self.second_id


@dataclass(slots=True)
class Ties:
    """The associations and relations of one location; relations also by record and by their ends."""

    associations: dict[str, Association] = field(default_factory=dict[str, Association])
    relations: dict[str, Relation] = field(default_factory=dict[str, Relation])
    _by_record: dict[str, dict[str, Relation]] = field(default_factory=dict[str, dict[str, Relation]])
    _by_ends: dict[tuple[str, str, str], str] = field(default_factory=dict[tuple[str, str, str], str])

    def of_record(self, record_id: str) -> list[Relation]:
        """The relations of a record, oldest first."""
        return list(self._by_record.get(record_id, {}).values())

    def holder(self, association_id: str, ends: tuple[str, str]) -> str | None:
        """The id of the relation that ties these two already."""
        return self._by_ends.get((association_id, *ends))

    def add(self, relation: Relation) -> None:
        """Keep a relation."""
        self.relations[relation.id] = relation
        self._by_ends[relation.association_id, *relation.ends] = relation.id
        for end in relation.ends:
            self._by_record.setdefault(end, {})[relation.id] = relation

    def drop(self, relation: Relation) -> None:
        """Forget a relation."""
        del self.relations[relation.id]
        del self._by_ends[relation.association_id, *relation.ends]
        for end in frozenset(relation.ends):
            del self._by_record[end][relation.id]
