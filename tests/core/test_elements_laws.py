"""Sets merge element by element: additions and removals of both sides survive, private elements are left alone."""

from __future__ import annotations

import itertools

import pytest

from syncline.core.elements import counterpart, is_undone, merge_elements, mirror_elements
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Side
from syncline.core.values import BLANK, FieldType, ManyOf, Value, same

PAIRS = (("p", "x"), ("q", "x"), ("r", "y"), ("r", "z"))
LEFT = ("p", "q", "r", "own")
RIGHT = ("x", "y", "z", "mine")
MEANING = {"p": "X", "q": "X", "r": "Y", "x": "X", "y": "Y", "z": "Y"}
"""What an element means, whatever it is called; private elements mean nothing to the other side."""


def set_lens(direction: Direction = Direction.BOTH, pairs: tuple[tuple[str, str], ...] = PAIRS) -> Lens:
    field = FieldSchema(FieldId("f"), "f", FieldType.MANY_OF)
    schema = ObjectSchema(ObjectTypeId("t"), "T", (field,))
    mapping = FieldMapping(field.id, field.id, direction, values=pairs, is_lossy=pairs is not PAIRS)
    return lenses([mapping], schema, schema, ConflictPolicy.ASK)[0]


def subsets(elements: tuple[str, ...]) -> list[ManyOf]:
    return [
        ManyOf(chosen)
        for size in range(len(elements) + 1)
        for chosen in itertools.combinations(elements, size)
    ]


def held(value: Value) -> set[str]:
    return set(value.keys) if isinstance(value, ManyOf) else set()


def meant(value: Value) -> set[str]:
    return {MEANING[element] for element in held(value) if element in MEANING}


def private(value: Value) -> set[str]:
    return {element for element in held(value) if element not in MEANING}


AGREED = [(a, b) for a in subsets(LEFT) for b in subsets(RIGHT) if meant(a) == meant(b)]
# The four bases for each worker that show most: nothing, one name, two names for one thing, everything.
BASES = [
    (ManyOf(()), ManyOf(())),
    (ManyOf(("p", "own")), ManyOf(("x",))),
    (ManyOf(("p", "q", "r")), ManyOf(("x", "y"))),
    (ManyOf(LEFT), ManyOf(RIGHT)),
]


def expected_meaning(base: tuple[ManyOf, ManyOf], now: tuple[ManyOf, ManyOf]) -> set[str]:
    """The oracle: a thing is there if somebody added a name of it, or it was there and nobody took it away."""
    out = set[str]()
    for thing in ("X", "Y"):
        is_added = any(
            MEANING.get(e) == thing for was, n in zip(base, now, strict=True) for e in held(n) - held(was)
        )
        is_dropped = any(
            thing in meant(was) and thing not in meant(n) for was, n in zip(base, now, strict=True)
        )
        if is_added or (thing in meant(base[0]) and not is_dropped):
            out.add(thing)
    return out


@pytest.mark.parametrize("base", BASES, ids=lambda pair: "+".join(pair[0].keys) or "nothing")
def test_additions_and_removals_of_both_sides_survive(base: tuple[ManyOf, ManyOf]) -> None:
    made = set_lens()
    for left, right in itertools.product(subsets(LEFT), subsets(RIGHT)):
        new_left, new_right = merge_elements(made, base, (left, right))

        assert meant(new_left) == meant(new_right) == expected_meaning(base, (left, right)), (left, right)
        assert private(new_left) == private(left)
        assert private(new_right) == private(right)


@pytest.mark.parametrize("base", BASES, ids=lambda pair: "+".join(pair[0].keys) or "nothing")
def test_merging_again_changes_nothing(base: tuple[ManyOf, ManyOf]) -> None:
    made = set_lens()
    for left, right in itertools.product(subsets(LEFT), subsets(RIGHT)):
        merged = merge_elements(made, base, (left, right))

        again = merge_elements(made, merged, merged)

        assert all(same(here, there) for here, there in zip(merged, again, strict=True))


def test_a_first_meeting_keeps_everything() -> None:
    made = set_lens()
    for left, right in itertools.product(subsets(LEFT), subsets(RIGHT)):
        new_left, new_right = merge_elements(made, (None, None), (left, right))

        assert held(new_left) >= held(left)
        assert held(new_right) >= held(right)
        assert meant(new_left) == meant(new_right) == meant(left) | meant(right)


def test_mirroring_follows_and_leaves_private_elements() -> None:
    made = set_lens()
    for source, target in itertools.product(subsets(LEFT), subsets(RIGHT)):
        followed = mirror_elements(made, Side.RIGHT, source, target)

        assert meant(followed) == meant(source)
        assert private(followed) == private(target)
        assert same(mirror_elements(made, Side.RIGHT, source, followed), followed)


def test_what_means_the_same_keeps_its_name() -> None:
    made = set_lens()
    for left, right in AGREED:
        assert same(mirror_elements(made, Side.RIGHT, left, right), right)
        assert same(mirror_elements(made, Side.LEFT, right, left), left)


def test_a_led_set_has_all_that_its_leader_has_and_may_have_more() -> None:
    made = set_lens(Direction.TO_RIGHT)
    base = (ManyOf(("p",)), ManyOf(("x",)))

    assert merge_elements(made, base, (ManyOf(("p",)), BLANK))[1] == ManyOf(("x",))
    assert merge_elements(made, base, (BLANK, ManyOf(("x", "z"))))[1] == ManyOf(("z",))
    assert merge_elements(made, base, (ManyOf(("p", "r")), ManyOf(("x", "mine"))))[1] == ManyOf(
        ("x", "mine", "y")
    )


def test_counterparts() -> None:
    made = set_lens()

    assert counterpart(made, Side.RIGHT, "q") == "x"
    assert counterpart(made, Side.LEFT, "x") == "p"
    assert counterpart(made, Side.RIGHT, "own") is None


def test_an_emptied_set_is_blank() -> None:
    made = set_lens()

    assert merge_elements(made, (ManyOf(("p",)), ManyOf(("x",))), (BLANK, ManyOf(("x",)))) == (BLANK, BLANK)
    assert mirror_elements(made, Side.RIGHT, BLANK, ManyOf(("x",))) == BLANK


def test_what_the_target_holds_under_another_name_is_not_added_again() -> None:
    base = (BLANK, ManyOf(("z",)))

    assert merge_elements(set_lens(), base, (ManyOf(("r",)), ManyOf(("z",))))[1] == ManyOf(("z",))


def test_an_element_that_a_side_still_has_is_not_brought_back() -> None:
    p, r, both = ManyOf(("p",)), ManyOf(("r",)), ManyOf(("p", "r"))

    assert not is_undone(both, both, both)
    assert not is_undone(both, p, p)
    assert not is_undone(both, p, None)
    assert not is_undone(p, p, both)
    assert is_undone(both, p, r)


def test_what_another_element_still_stands_for_is_not_removed() -> None:
    made = set_lens(pairs=(("p", "z"), ("p", "x"), ("q", "x")))
    base = (ManyOf(("p", "q")), ManyOf(("x",)))

    assert merge_elements(made, base, (ManyOf(("q",)), ManyOf(("x",))))[1] == ManyOf(("x",))
