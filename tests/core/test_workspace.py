"""Laws of the workspace: what an item's fields take, and which status of a contract may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.contracts import NEXT, ContractStatus, may_follow, way
from syncline.core.values import FieldType
from syncline.core.workspace import FORMS, ItemField, ItemRef, ItemType, Plain
from syncline.core.workspace_checks import (
    Fault,
    checked_change,
    checked_new,
    checked_parent,
    fits,
    is_id,
    plain,
    pointing,
)

STATUSES = st.sampled_from(ContractStatus)
KINDS = st.sampled_from(ItemType)

_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=60)
_LABELS = st.lists(_TEXT, max_size=4)
_DAYS = st.dates().map(str)
_EMAILS = st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.test", fullmatch=True)
_NUMBERS = st.decimals(-(10**9), 10**9, allow_nan=False, places=3).map(str) | st.integers(0, 10**9)
_MONEY = st.fixed_dictionaries({"amount": _NUMBERS, "currency": st.sampled_from(["EUR", "USD", "default"])})


def _good(field: ItemField) -> st.SearchStrategy[Any]:
    """Values that the field takes."""
    if field.options:
        return st.sampled_from([option.key for option in field.options])
    if field.type is FieldType.NUMBER:
        return st.integers(0, field.most or 100) if field.is_whole else _NUMBERS
    by_type: Mapping[FieldType, st.SearchStrategy[Any]] = {
        FieldType.TEXT: _TEXT.filter(str.strip),
        FieldType.RICH_TEXT: _TEXT.map("<p>{}</p>".format),
        FieldType.MONEY: _MONEY,
        FieldType.YES_NO: st.booleans(),
        FieldType.DAY: _DAYS,
        FieldType.PHONE: st.from_regex(r"\+[0-9]{4,12}", fullmatch=True),
        FieldType.MANY_OF: _LABELS,
        FieldType.PERSON: _EMAILS,
        FieldType.REFERENCE: st.from_regex(r"[a-z]{1,9}-[0-9]{1,4}", fullmatch=True),
    }
    return by_type[field.type]


@st.composite
def _asked(draw: st.DrawFn, kind: ItemType, *, with_required: bool = True) -> dict[str, object]:
    """Fields that somebody may ask for, some of them emptied."""
    form = FORMS[kind]
    fields = [each for each in form.fields if not each.is_read_only and each.name != "status"]
    chosen = draw(st.lists(st.sampled_from(fields), unique_by=lambda field: field.name))
    asked: dict[str, object] = {
        each.name: draw(_good(each) if each.is_required else _good(each) | st.none()) for each in chosen
    }
    if with_required:
        title = form.field(form.title_field)
        assert title is not None
        asked[form.title_field] = draw(_good(title))
    return asked


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


class TestFields:
    """What an item's fields take."""

    @given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind), _asked(kind))))
    def test_what_is_right_is_taken_and_asking_again_changes_nothing(
        self, asked: tuple[ItemType, dict[str, object]]
    ) -> None:
        kind, wish = asked
        made = checked_new(kind, wish)

        assert made.problems == ()
        assert checked_change(kind, made.fields, wish).fields == made.fields
        assert checked_change(kind, made.fields, dict(made.fields)) == made
        assert {each.name for each in FORMS[kind].fields if each.default is not None} <= made.fields.keys()

    @given(
        KINDS.flatmap(lambda kind: st.tuples(st.just(kind), _asked(kind), _asked(kind, with_required=False)))
    )
    def test_only_what_is_given_changes(
        self, asked: tuple[ItemType, dict[str, object], dict[str, object]]
    ) -> None:
        kind, first, second = asked
        before = checked_new(kind, first).fields
        after = checked_change(kind, before, second)
        backwards = checked_change(kind, before, dict(reversed(second.items())))

        assert after == backwards
        changed = {name for name in {**before, **after.fields} if before.get(name) != after.fields.get(name)}
        assert changed <= second.keys() | {"version"}

    @given(KINDS.flatmap(lambda kind: st.tuples(st.sampled_from(FORMS[kind].fields), _ANYTHING)))
    def test_anything_is_taken_in_a_form_that_goes_in_again_or_is_a_fault(
        self, asked: tuple[ItemField, object]
    ) -> None:
        field, wild = asked
        found = plain(field, wild)

        if isinstance(found, Fault):
            assert found.message
            assert found.remedy
        else:
            assert plain(field, found) == found
            assert found not in ("", [])

    def test_what_is_missing_unknown_or_read_only_is_told_by_name(self) -> None:
        found = checked_new(ItemType.LEAD, {"colour": 1, "project": "p-1", "email": "x" * 300})

        assert [each.path for each in found.problems] == ["name", "colour", "email", "project"]
        assert all(each.remedy for each in found.problems)

    @pytest.mark.parametrize("given_", ["", "   ", None])
    def test_a_required_field_is_never_emptied(self, given_: object) -> None:
        before = checked_new(ItemType.TASK, {"title": "One"}).fields

        assert [each.path for each in checked_change(ItemType.TASK, before, {"title": given_}).problems] == [
            "title"
        ]

    def test_a_document_counts_its_versions(self) -> None:
        one = checked_new(ItemType.DOCUMENT, {"title": "One"}).fields
        same = checked_change(ItemType.DOCUMENT, one, {"progress": 5, "title": "One"}).fields
        two = checked_change(ItemType.DOCUMENT, same, {"title": "Two", "body": "<p>2</p>"}).fields

        assert [each["version"] for each in (one, same, two)] == [1, 1, 2]

    @pytest.mark.parametrize(
        ("kind", "parent", "is_right"),
        [
            (ItemType.TASK, ItemType.PROJECT, True),
            (ItemType.TASK, ItemType.CONTRACT, False),
            (ItemType.TASK, None, False),
            (ItemType.MILESTONE, ItemType.CONTRACT, True),
            (ItemType.PROJECT, None, True),
            (ItemType.PROJECT, ItemType.PROJECT, False),
        ],
    )
    def test_an_item_is_under_what_it_can_be_under(
        self, kind: ItemType, parent: ItemType | None, is_right: bool
    ) -> None:
        ref = ItemRef(parent, "x") if parent else None

        assert (checked_parent(kind, ref) == ()) is is_right

    def test_pointing_fields_are_named(self) -> None:
        fields: dict[str, Plain] = {"title": "Offer", "project": "p", "document": "d"}

        assert dict(pointing(ItemType.CONTRACT, fields)) == {
            "project": ItemRef(ItemType.PROJECT, "p"),
            "document": ItemRef(ItemType.DOCUMENT, "d"),
        }

    def test_a_filter_takes_texts_labels_and_empty_fields(self) -> None:
        fields: dict[str, Plain] = {"status": "new", "labels": ["a", "b"], "is_template": True, "progress": 5}

        for where in (
            {"status": "new"},
            {"labels": "b"},
            {"is_template": "true"},
            {"owner": ""},
            {"progress": "5"},
            {},
        ):
            assert fits(fields, where), where
        for where in ({"status": "old"}, {"labels": "c"}, {"owner": "a"}, {"status": "new", "labels": ""}):
            assert not fits(fields, where), where

    @pytest.mark.parametrize("id_", ["", "a b", "/etc", "-x", "x" * 65, "ä"])
    def test_what_cannot_be_an_id(self, id_: str) -> None:
        assert not is_id(id_)

    def test_every_form_is_whole(self) -> None:
        assert FORMS.keys() == set(ItemType)
        for form in FORMS.values():
            names = [each.name for each in form.fields]
            assert len(set(names)) == len(names)
            assert not {parent.value for parent in form.parents} & set(names), (
                "a parent is a field of the connector"
            )
            title = form.field(form.title_field)
            assert title is not None
            assert title.is_required


class TestContracts:
    """Which status may follow which."""

    @given(STATUSES, STATUSES)
    def test_a_way_is_made_of_allowed_steps_and_is_the_shortest(
        self, old: ContractStatus, new: ContractStatus
    ) -> None:
        found = way(old, new)

        if found is not None:
            steps = list(zip((old, *found), found, strict=False))
            assert all(may_follow(before, after) for before, after in steps)
            assert (old, *found)[-1] is new
        assert (found is not None and len(found) <= 1) == may_follow(old, new)

    @given(STATUSES)
    def test_whatever_is_reached_on_the_way_is_reached(self, old: ContractStatus) -> None:
        for new in ContractStatus:
            for between in way(old, new) or ():
                assert way(old, between) is not None
                assert way(between, new) is not None

    def test_every_status_is_reached_from_a_draft_and_none_goes_back(self) -> None:
        assert all(way(ContractStatus.DRAFT, status) is not None for status in ContractStatus)
        for old in ContractStatus:
            for new in ContractStatus:
                assert old is new or way(old, new) is None or way(new, old) is None

    def test_the_usual_way_can_be_gone_step_by_step(self) -> None:
        usual = ["draft", "sent", "viewed", "signed", "active", "completed"]
        for old, new in pairwise(usual):
            assert may_follow(ContractStatus(old), ContractStatus(new))
        for last in ("completed", "expired", "cancelled", "declined"):
            assert NEXT[ContractStatus(last)] == ()

    @given(STATUSES, STATUSES)
    def test_a_person_goes_one_step_and_a_sync_the_whole_way(
        self, old: ContractStatus, new: ContractStatus
    ) -> None:
        before: dict[str, Plain] = {"title": "Offer", "status": old.value}

        for may_leap, is_allowed in ((False, may_follow(old, new)), (True, way(old, new) is not None)):
            found = checked_change(ItemType.CONTRACT, before, {"status": new.value}, may_leap=may_leap)
            assert (found.problems == ()) is is_allowed
            if not is_allowed:
                assert all(each.value in found.problems[0].remedy for each in NEXT[old])
