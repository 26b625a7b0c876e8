"""Associations and relations as JSON, in answers and in webhooks (facts: highlevel-api.md 1.6, 3.2).

Used by `associations` and `relations`. The official files describe every answer as one association; lists and relations
come in the shapes that were observed.
"""

from __future__ import annotations

from syncline.sandbox.highlevel.ties import Association, Relation

_CARDINALITY = "MANY_TO_MANY"


def association_shape(location_id: str, item: Association) -> dict[str, object]:
    """One association."""
    return {
        "locationId": location_id,
        "id": item.id,
        "key": item.key,
        "firstObjectLabel": item.first_label,
        "firstObjectKey": item.first_key,
        "secondObjectLabel": item.second_label,
        "secondObjectKey": item.second_key,
        "associationType": item.type,
    }


def association_event(location_id: str, item: Association, *, is_new: bool) -> dict[str, object]:
    """The body of AssociationCreate, and of AssociationUpdate and AssociationDelete, which tell more."""
    if is_new:
        return association_shape(location_id, item)
    return association_shape(location_id, item) | {
        "firstObjectToSecondObjectCardinality": _CARDINALITY,
        "secondObjectToFirstObjectCardinality": _CARDINALITY,
    }


def relation_shape(location_id: str, item: Association, relation: Relation) -> dict[str, object]:
    """One relation; also the body of RelationCreate and RelationDelete."""
    return {
        "id": relation.id,
        "firstObjectKey": item.first_key,
        "firstRecordId": relation.first_id,
        "secondObjectKey": item.second_key,
        "secondRecordId": relation.second_id,
        "associationId": relation.association_id,
        "locationId": location_id,
    }
