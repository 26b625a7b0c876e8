"""Field mappings, and the lenses made from them that carry one side's value over to the other.

A mapping is what a person configures: this field and that one belong together, in this direction, by these value pairs
or this transform. A lens is the mapping checked against both object types: `to_right` and `to_left`, each answering a
value or `Untranslatable` with the reason. `config` makes mappings, `merge` and `match` use lenses.

Round trip law: unless the mapping is declared lossy or goes one way only, `to_right(to_left(to_right(v)))` is the same
as `to_right(v)` wherever these are defined, and so from the other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import msgspec

from syncline.core.convert import Untranslatable, convert, is_lossless
from syncline.core.formulas import transform_faults, translated_by
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, Side
from syncline.core.references import Parent, Parents, Through, crossing, crossing_faults, spot_of
from syncline.core.transforms import TRANSFORMS, Transform
from syncline.core.translation import Scalar, Translation, Way, read_scalar, translation
from syncline.core.values import FieldType, Person, Value, same
from syncline.errors import MappingError, Problem, ProblemKind


class Direction(Enum):
    """Where changes of a field may flow."""

    BOTH = "both"
    TO_RIGHT = "to_right"
    TO_LEFT = "to_left"

    def flows_to(self, side: Side) -> bool:
        """Whether this side may be written."""
        return self is Direction.BOTH or self is (
            Direction.TO_RIGHT if side is Side.RIGHT else Direction.TO_LEFT
        )


class ConflictPolicy(Enum):
    """Who wins when both sides changed a field differently."""

    NEWEST = "newest"
    LEFT = "left"
    RIGHT = "right"
    LEFT_UNLESS_BLANK = "left_unless_blank"
    RIGHT_UNLESS_BLANK = "right_unless_blank"
    MERGE = "merge"
    ASK = "ask"


class FieldMapping(msgspec.Struct, frozen=True):
    """One line between a left and a right field.

    `values` pairs option keys or labels (None: blank); several left values may share a right one and the other way
    round: the first pair of a value is the one it translates to. `people` pairs e-mails that differ between the sides.
    `is_lossy` accepts a mapping that does not survive the round trip. `to_right` and `to_left` are expressions that
    make the one side's value of the other's, which they call `value`. `through` names the sync whose links say which
    record is the counterpart of the one that is pointed to.
    """

    left: FieldId
    right: FieldId
    direction: Direction = Direction.BOTH
    conflict: ConflictPolicy | None = None
    values: tuple[tuple[Scalar, Scalar], ...] = ()
    transform: str | None = None
    people: tuple[tuple[str, str], ...] = ()
    is_lossy: bool = False
    to_right: str | None = None
    to_left: str | None = None
    through: Through | None = None

    @property
    def has_expressions(self) -> bool:
        """Whether values go over by expressions."""
        return self.to_right is not None or self.to_left is not None

    def expression(self, side: Side) -> str | None:
        """The expression that makes the value of a side, if there is one."""
        return self.to_left if side is Side.LEFT else self.to_right

    def of(self, side: Side) -> FieldId:
        """The field of one side."""
        return self.left if side is Side.LEFT else self.right


class Lens(msgspec.Struct, frozen=True):
    """A mapping that fits its two object types. `parents` is what is known of the records that a line points to which goes
    through another sync; see `looked_up`."""

    mapping: FieldMapping
    left: FieldSchema
    right: FieldSchema
    policy: ConflictPolicy
    to_right: Translation
    to_left: Translation
    parents: Parents = {}

    def to(self, side: Side, value: Value) -> Value | Untranslatable:
        """The other side's value as this side would hold it. Blank stays blank unless a pair says otherwise."""
        return self.to_right(value) if side is Side.RIGHT else self.to_left(value)

    def flows_to(self, side: Side) -> bool:
        """Whether the mapping may write this side."""
        return self.mapping.direction.flows_to(side)

    def of(self, side: Side) -> FieldSchema:
        """The field of one side."""
        return self.left if side is Side.LEFT else self.right

    @property
    def is_many(self) -> bool:
        """Whether both fields hold sets that can be merged element by element; an expression takes a set as a whole."""
        return (
            not self.mapping.has_expressions
            and self.left.type is FieldType.MANY_OF
            and self.right.type is FieldType.MANY_OF
        )

    def parent(self, side: Side, value: Value | None) -> Parent | None:
        """What is known of the record that a side's value points to; None where the line goes through no other sync, or the
        value points nowhere."""
        through = self.mapping.through
        spot = None if through is None else spot_of(through, side, value)
        return None if spot is None else self.parents.get(spot)


def looked_up(lenses: Sequence[Lens], parents: Parents) -> tuple[Lens, ...]:
    """The lenses with what is known now of the records that their lines point to."""
    return tuple(_looked_up(lens, parents) for lens in lenses)


def _looked_up(lens: Lens, parents: Parents) -> Lens:
    through = lens.mapping.through
    if through is None:
        return lens
    return msgspec.structs.replace(
        lens,
        parents=parents,
        to_right=crossing(through, lens.right, Side.RIGHT, parents),
        to_left=crossing(through, lens.left, Side.LEFT, parents),
    )


def lenses(
    mappings: Sequence[FieldMapping], left: ObjectSchema, right: ObjectSchema, conflicts: ConflictPolicy
) -> tuple[Lens, ...]:
    """Check every mapping against both object types.

    Raises `MappingError` with all faults at once: unknown field, read-only target, types that do not translate, a
    value pair that names no option, a two-way mapping that loses something and is not declared lossy (pairs that do
    not come back included), a target field written by two mappings, the same two fields mapped twice.
    """
    problems: list[Problem] = []
    out: list[Lens] = []
    for index, mapping in enumerate(mappings):
        path = f"fields[{index}]"
        left_field = _known(mapping.left, left, f"{path}.left", problems)
        right_field = _known(mapping.right, right, f"{path}.right", problems)
        if left_field is None or right_field is None:
            continue
        found = _faults(mapping, left_field, right_field, path)
        problems += found
        if not found:
            policy = _policy(mapping, conflicts, left_field, right_field)
            to_right = _way(mapping, left_field, right_field, Side.RIGHT)
            to_left = _way(mapping, left_field, right_field, Side.LEFT)
            lens = Lens(mapping, left_field, right_field, policy, to_right, to_left)
            problems += _round_trip_faults(lens, path)
            out.append(lens)
    problems += _written_twice(mappings) + _mapped_twice(mappings)
    if problems:
        raise MappingError(f"The field mapping does not fit {left.title} and {right.title}:", tuple(problems))
    return tuple(out)


def _policy(
    mapping: FieldMapping, conflicts: ConflictPolicy, left: FieldSchema, right: FieldSchema
) -> ConflictPolicy:
    """Sets merge element by element unless the field says otherwise: it is the only rule that loses nothing."""
    if mapping.conflict is not None:
        return mapping.conflict
    both_many = left.type is FieldType.MANY_OF and right.type is FieldType.MANY_OF
    return ConflictPolicy.MERGE if both_many and not mapping.has_expressions else conflicts


def _known(field_id: FieldId, schema: ObjectSchema, path: str, problems: list[Problem]) -> FieldSchema | None:
    field = schema.field(field_id)
    if field is None:
        known = ", ".join(sorted(other.id for other in schema.fields))
        problems.append(
            Problem(
                path,
                f"{schema.id} has no field '{field_id}'.",
                f"It has: {known}.",
                ProblemKind.UNKNOWN_FIELD,
            )
        )
    return field


def _faults(mapping: FieldMapping, left: FieldSchema, right: FieldSchema, path: str) -> list[Problem]:
    out: list[Problem] = []
    if mapping.through is not None:
        is_told = bool(mapping.values or mapping.people or mapping.transform) or mapping.has_expressions
        out += crossing_faults(mapping.through, left, right, path, is_told_otherwise=is_told)
    for side, source, target in ((Side.RIGHT, left, right), (Side.LEFT, right, left)):
        if not mapping.direction.flows_to(side):
            unused = mapping.expression(side)
            out += transform_faults(unused, source, target, f"{path}.to_{side.value}") if unused else []
            continue
        if target.is_read_only:
            way = Direction.TO_LEFT if side is Side.RIGHT else Direction.TO_RIGHT
            out.append(
                Problem(
                    f"{path}.{side.value}",
                    f"'{target.id}' is read-only.",
                    f"Set direction: {way.value}, or map another field.",
                    ProblemKind.READ_ONLY,
                )
            )
        out += _type_faults(mapping, source, target, path, side)
    if mapping.conflict is ConflictPolicy.MERGE and (
        mapping.has_expressions or not (left.type is right.type is FieldType.MANY_OF)
    ):
        out.append(
            Problem(
                f"{path}.conflict",
                "only many-of fields merge.",
                "Choose newest, left, right or ask.",
                ProblemKind.SETS_ONLY,
            )
        )
    return out or _loss(mapping, left, right, path) + _pair_faults(mapping, left, right, path)


def _type_faults(
    mapping: FieldMapping, source: FieldSchema, target: FieldSchema, path: str, side: Side
) -> list[Problem]:
    if mapping.through is not None:
        return []
    if mapping.has_expressions:
        return _expression_faults(mapping, source, target, path, side)
    if mapping.values:
        return _set_faults(source, target, path)
    if mapping.transform is None:
        if convert(source.type, target.type) is None:
            text = f"{source.type.value} '{source.id}' does not become {target.type.value} '{target.id}'."
            remedy = "Name a transform, pair the values, or map another field."
            if FieldType.REFERENCE in (source.type, target.type):
                remedy = "Name the sync that ties the records they point to: through: SYNC."
            return [Problem(path, text, remedy, ProblemKind.TYPES)]
        return []
    transform = TRANSFORMS.get(mapping.transform)
    if transform is None:
        known = ", ".join(sorted(TRANSFORMS))
        return [
            Problem(
                f"{path}.transform",
                f"there is no transform '{mapping.transform}'.",
                f"There are: {known}.",
                ProblemKind.UNKNOWN_TRANSFORM,
            )
        ]
    expected = _transform(mapping, side)
    if expected is None:
        text = f"'{transform.name}' has no inverse."
        return [
            Problem(f"{path}.transform", text, "Set direction: to_right or to_left.", ProblemKind.NO_INVERSE)
        ]
    if (source.type, target.type) != (expected.source, expected.target):
        text = f"'{expected.name}' makes {expected.target.value} of {expected.source.value}, "
        text += f"here it would have to make {target.type.value} of {source.type.value}."
        return [Problem(f"{path}.transform", text, "Choose another transform or field.", ProblemKind.TYPES)]
    return []


def _expression_faults(
    mapping: FieldMapping, source: FieldSchema, target: FieldSchema, path: str, side: Side
) -> list[Problem]:
    """An expression that is missing, that stands beside another way to translate, or that has faults itself."""
    here, there = f"to_{side.value}", f"to_{side.other.value}"
    text = mapping.expression(side)
    if text is None:
        ways = "both ways" if mapping.direction is Direction.BOTH else "this way"
        told = f"is missing: the field goes {ways}, and only {there} is given."
        remedy = f"Give {here} as well, or set direction: {there}."
        return [Problem(f"{path}.{here}", told, remedy, ProblemKind.ONE_EXPRESSION)]
    if mapping.values or mapping.transform is not None:
        told = "values and transforms do not go together with expressions."
        return [Problem(f"{path}.{here}", told, "Keep one of them.", ProblemKind.ONE_EXPRESSION)]
    return transform_faults(text, source, target, f"{path}.{here}")


def _set_faults(source: FieldSchema, target: FieldSchema, path: str) -> list[Problem]:
    """Pairs translate one option at a time, so a set fits no single value."""
    if source.type is not FieldType.MANY_OF or target.type is FieldType.MANY_OF:
        return []
    text = f"a set of options '{source.id}' does not become {target.type.value} '{target.id}' by pairs."
    return [Problem(f"{path}.values", text, "Set a direction, or map another field.", ProblemKind.TYPES)]


def _loss(mapping: FieldMapping, left: FieldSchema, right: FieldSchema, path: str) -> list[Problem]:
    is_told_by_values = bool(mapping.values) or mapping.has_expressions or mapping.through is not None
    if mapping.direction is not Direction.BOTH or mapping.is_lossy or is_told_by_values:
        return []
    transform = _named(mapping.transform)
    lossless = transform.is_lossless if transform else is_lossless(left.type, right.type)
    if lossless:
        return []
    text = f"a two-way mapping of {left.type.value} and {right.type.value} loses something on the way back."
    return [Problem(path, text, "Set a direction, or accept it with lossy: true.", ProblemKind.LOSES)]


def _pair_faults(mapping: FieldMapping, left: FieldSchema, right: FieldSchema, path: str) -> list[Problem]:
    out: list[Problem] = []
    for index, (here, there) in enumerate(mapping.values):
        for scalar, field in ((here, left), (there, right)):
            if isinstance(read_scalar(scalar, field), Untranslatable):
                known = ", ".join(option.key for option in field.options or ()) or field.type.value
                text = f"'{scalar}' is no value of '{field.id}'."
                out.append(Problem(f"{path}.values[{index}]", text, f"It takes: {known}.", ProblemKind.PAIR))
    return out


def _round_trip_faults(lens: Lens, path: str) -> list[Problem]:
    """Pairs that do not come back: b ↔ y, where y goes to b, but b to x and x to a."""
    mapping = lens.mapping
    if mapping.direction is not Direction.BOTH or mapping.is_lossy:
        return []
    out: list[Problem] = []
    named: tuple[tuple[str, tuple[tuple[Scalar, Scalar], ...]], ...] = (
        ("values", mapping.values),
        ("people", mapping.people),
    )
    for name, pairs in named:
        for index, (here, there) in enumerate(pairs):
            for side, scalar in ((Side.RIGHT, here), (Side.LEFT, there)):
                if not _comes_back(lens, side, scalar):
                    text = f"'{scalar}' does not come back as itself: other pairs lead elsewhere."
                    out.append(
                        Problem(
                            f"{path}.{name}[{index}]",
                            text,
                            "Leave the pair out, or accept it with lossy: true.",
                            ProblemKind.NO_WAY_BACK,
                        )
                    )
    return out


def _comes_back(lens: Lens, side: Side, scalar: Scalar) -> bool:
    """Whether what a value becomes on `side` still becomes that after a round trip."""
    field = lens.of(side.other)
    value = Person(email=str(scalar)) if field.type is FieldType.PERSON else read_scalar(scalar, field)
    there = value if isinstance(value, Untranslatable) else lens.to(side, value)
    back = there if isinstance(there, Untranslatable) else lens.to(side.other, there)
    again = back if isinstance(back, Untranslatable) else lens.to(side, back)
    return (
        isinstance(there, Untranslatable)
        or isinstance(back, Untranslatable)
        or (not isinstance(again, Untranslatable) and same(there, again))
    )


def _written_twice(mappings: Sequence[FieldMapping]) -> list[Problem]:
    out: list[Problem] = []
    for side in Side:
        first: dict[FieldId, int] = {}
        for index, mapping in enumerate(mappings):
            if not mapping.direction.flows_to(side):
                continue
            earlier = first.setdefault(mapping.of(side), index)
            if earlier != index:
                text = f"'{mapping.of(side)}' is already written by fields[{earlier}]."
                out.append(
                    Problem(
                        f"fields[{index}].{side.value}",
                        text,
                        "Keep one of them, or set directions.",
                        ProblemKind.WRITTEN_TWICE,
                    )
                )
    return out


def _mapped_twice(mappings: Sequence[FieldMapping]) -> list[Problem]:
    """The same two fields on two lines: neither conflicts nor the history could tell them apart."""
    first: dict[tuple[FieldId, FieldId], int] = {}
    out: list[Problem] = []
    for index, mapping in enumerate(mappings):
        earlier = first.setdefault((mapping.left, mapping.right), index)
        if earlier != index:
            text = f"'{mapping.left}' and '{mapping.right}' are already mapped by fields[{earlier}]."
            out.append(Problem(f"fields[{index}]", text, "Keep one of them.", ProblemKind.MAPPED_TWICE))
    return out


def _way(mapping: FieldMapping, left: FieldSchema, right: FieldSchema, side: Side) -> Translation:
    """How a value goes to the field of `side`."""
    if mapping.through is not None:
        return crossing(mapping.through, left if side is Side.LEFT else right, side, {})
    if mapping.has_expressions:
        return _by_expression(mapping, left, right, side)
    transform = _transform(mapping, side)
    if mapping.transform is not None and transform is None:
        text = f"'{mapping.transform}' has no inverse"
        return lambda _: Untranslatable(text)
    if side is Side.RIGHT:
        return translation(Way(left, right, mapping.values, mapping.people, transform))
    pairs = tuple((there, here) for here, there in mapping.values)
    people = tuple((there, here) for here, there in mapping.people)
    return translation(Way(right, left, pairs, people, transform))


def _by_expression(mapping: FieldMapping, left: FieldSchema, right: FieldSchema, side: Side) -> Translation:
    text = mapping.expression(side)
    if text is None:
        return lambda _: Untranslatable("the field goes the other way only")
    if side is Side.RIGHT:
        return translated_by(text, Way(left, right, people=mapping.people))
    return translated_by(text, Way(right, left, people=tuple((b, a) for a, b in mapping.people)))


def _transform(mapping: FieldMapping, side: Side) -> Transform | None:
    """The transform that leads to `side`: the named one the way the field goes, its inverse the other way."""
    transform = _named(mapping.transform)
    forward = Side.LEFT if mapping.direction is Direction.TO_LEFT else Side.RIGHT
    if transform is None or side is forward:
        return transform
    return _named(transform.inverse)


def _named(name: str | None) -> Transform | None:
    return None if name is None else TRANSFORMS.get(name)
