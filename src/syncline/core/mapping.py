"""Field mappings, and the lenses made from them that carry one side's value over to the other.

A mapping is what a person configures: this field and that one belong together, in this direction, by these value pairs
or this transform. A lens is the mapping checked against both object types: `to_right` and `to_left`, each answering a
value or `Untranslatable` with the reason. `config` makes mappings, `merge` and `match` use lenses.

Round trip law: unless the mapping is declared lossy or goes one way only, `to_right(to_left(to_right(v)))` is the same
as `to_right(v)` wherever these are defined, and so from the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

import msgspec

from syncline.core.convert import Untranslatable, convert, is_lossless
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, Option, Side
from syncline.core.transforms import TRANSFORMS
from syncline.core.values import BLANK, FieldType, ManyOf, Number, OneOf, Person, Text, Value, YesNo, is_blank
from syncline.errors import MappingError, Problem


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


Scalar = str | bool | int | float | None


class FieldMapping(msgspec.Struct, frozen=True):
    """One line between a left and a right field.

    `values` pairs option keys or labels (None: blank); several left values may share a right one and the other way
    round: the first pair of a value is the one it translates to. `people` pairs e-mails that differ between the sides.
    `is_lossy` accepts a mapping that does not survive the round trip.
    """

    left: FieldId
    right: FieldId
    direction: Direction = Direction.BOTH
    conflict: ConflictPolicy | None = None
    values: tuple[tuple[Scalar, Scalar], ...] = ()
    transform: str | None = None
    people: tuple[tuple[str, str], ...] = ()
    is_lossy: bool = False

    def of(self, side: Side) -> FieldId:
        """The field of one side."""
        return self.left if side is Side.LEFT else self.right


Translation = Callable[[Value], "Value | Untranslatable"]


class Lens(msgspec.Struct, frozen=True):
    """A mapping that fits its two object types."""

    mapping: FieldMapping
    left: FieldSchema
    right: FieldSchema
    policy: ConflictPolicy
    to_right: Translation
    to_left: Translation

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
        """Whether both fields hold sets that can be merged element by element."""
        return self.left.type is FieldType.MANY_OF and self.right.type is FieldType.MANY_OF


def lenses(
    mappings: Sequence[FieldMapping], left: ObjectSchema, right: ObjectSchema, conflicts: ConflictPolicy
) -> tuple[Lens, ...]:
    """Check every mapping against both object types.

    Raises `MappingError` with all faults at once: unknown field, read-only target, types that do not translate, a
    value pair that names no option, a two-way mapping that loses something and is not declared lossy, a target field
    written by two mappings.
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
            to_right = _translation(mapping, left_field, right_field, Side.RIGHT)
            to_left = _translation(mapping, right_field, left_field, Side.LEFT)
            out.append(Lens(mapping, left_field, right_field, policy, to_right, to_left))
    problems += _written_twice(mappings)
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
    return ConflictPolicy.MERGE if both_many else conflicts


def _known(field_id: FieldId, schema: ObjectSchema, path: str, problems: list[Problem]) -> FieldSchema | None:
    field = schema.field(field_id)
    if field is None:
        known = ", ".join(sorted(other.id for other in schema.fields))
        problems.append(Problem(path, f"{schema.id} has no field '{field_id}'.", f"It has: {known}."))
    return field


def _faults(mapping: FieldMapping, left: FieldSchema, right: FieldSchema, path: str) -> list[Problem]:
    out: list[Problem] = []
    for side, source, target in ((Side.RIGHT, left, right), (Side.LEFT, right, left)):
        if not mapping.direction.flows_to(side):
            continue
        if target.is_read_only:
            way = Direction.TO_LEFT if side is Side.RIGHT else Direction.TO_RIGHT
            out.append(
                Problem(
                    f"{path}.{side.value}",
                    f"'{target.id}' is read-only.",
                    f"Set direction: {way.value}, or map another field.",
                )
            )
        out += _type_faults(mapping, source, target, path, side)
    if mapping.conflict is ConflictPolicy.MERGE and not (left.type is right.type is FieldType.MANY_OF):
        out.append(
            Problem(f"{path}.conflict", "only many-of fields merge.", "Choose newest, left, right or ask.")
        )
    return out or _loss(mapping, left, right, path) + _pair_faults(mapping, left, right, path)


def _type_faults(
    mapping: FieldMapping, source: FieldSchema, target: FieldSchema, path: str, side: Side
) -> list[Problem]:
    if mapping.values:
        return []
    if mapping.transform is None:
        if convert(source.type, target.type) is None:
            text = f"{source.type.value} '{source.id}' does not become {target.type.value} '{target.id}'."
            return [Problem(path, text, "Name a transform, pair the values, or map another field.")]
        return []
    transform = TRANSFORMS.get(mapping.transform)
    if transform is None:
        known = ", ".join(sorted(TRANSFORMS))
        return [
            Problem(
                f"{path}.transform", f"there is no transform '{mapping.transform}'.", f"There are: {known}."
            )
        ]
    if side is Side.LEFT and transform.inverse is None:
        text = f"'{transform.name}' has no inverse."
        return [Problem(f"{path}.transform", text, "Set direction: to_right.")]
    expected = transform if side is Side.RIGHT else TRANSFORMS[transform.inverse or ""]
    if (source.type, target.type) != (expected.source, expected.target):
        text = f"'{expected.name}' makes {expected.target.value} of {expected.source.value}, "
        text += f"here it would have to make {target.type.value} of {source.type.value}."
        return [Problem(f"{path}.transform", text, "Choose another transform or field.")]
    return []


def _loss(mapping: FieldMapping, left: FieldSchema, right: FieldSchema, path: str) -> list[Problem]:
    if mapping.direction is not Direction.BOTH or mapping.is_lossy or mapping.values:
        return []
    transform = TRANSFORMS.get(mapping.transform or "")
    lossless = transform.is_lossless if transform else is_lossless(left.type, right.type)
    if lossless:
        return []
    text = f"a two-way mapping of {left.type.value} and {right.type.value} loses something on the way back."
    return [Problem(path, text, "Set a direction, or accept it with lossy: true.")]


def _pair_faults(mapping: FieldMapping, left: FieldSchema, right: FieldSchema, path: str) -> list[Problem]:
    out: list[Problem] = []
    for index, pair in enumerate(mapping.values):
        for scalar, field in zip(pair, (left, right), strict=True):
            if isinstance(_read(scalar, field), Untranslatable):
                known = ", ".join(option.key for option in field.options or ()) or field.type.value
                text = f"'{scalar}' is no value of '{field.id}'."
                out.append(Problem(f"{path}.values[{index}]", text, f"It takes: {known}."))
    return out


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
                    Problem(f"fields[{index}].{side.value}", text, "Keep one of them, or set directions.")
                )
    return out


# --- translating one value ------------------------------------------------------------------------------------------


def _translation(mapping: FieldMapping, source: FieldSchema, target: FieldSchema, side: Side) -> Translation:
    """How a value of `source` becomes one of `target`, the field of `side`."""
    if mapping.values:
        return _by_pairs(mapping, source, target, side)
    if mapping.transform is not None:
        transform = TRANSFORMS[mapping.transform]
        if side is Side.LEFT:
            if transform.inverse is None:
                return lambda _: Untranslatable(f"'{transform.name}' has no inverse")
            transform = TRANSFORMS[transform.inverse]
        apply = transform.apply
        return lambda value: BLANK if is_blank(value) else apply(value)
    converted = convert(source.type, target.type)
    if converted is None:
        return lambda _: Untranslatable(f"{source.type.value} does not become {target.type.value}")
    if source.type is FieldType.ONE_OF and target.type is FieldType.TEXT:
        converted = _label_of(source)
    fitted = _fit(mapping, source, target, side)
    return lambda value: BLANK if is_blank(value) else _then(converted(value), fitted)


def _label_of(source: FieldSchema) -> Translation:
    """People read labels, not keys."""
    labels = {option.key: option.label for option in source.options or ()}

    def label(value: Value) -> Value | Untranslatable:
        return Text(labels.get(value.key, value.key)) if isinstance(value, OneOf) else value

    return label


def _then(value: Value | Untranslatable, fitted: Translation) -> Value | Untranslatable:
    return value if isinstance(value, Untranslatable) else fitted(value)


def _by_pairs(mapping: FieldMapping, source: FieldSchema, target: FieldSchema, side: Side) -> Translation:
    table: dict[Scalar, Value] = {}
    for left, right in mapping.values:
        here, there = (left, right) if side is Side.RIGHT else (right, left)
        key, value = _read(here, source), _read(there, target)
        if not isinstance(key, Untranslatable) and not isinstance(value, Untranslatable):
            table.setdefault(_scalar(key), value)

    def translate(value: Value) -> Value | Untranslatable:
        if isinstance(value, ManyOf) and value.keys:
            return _many(value, translate)
        scalar = _scalar(value)
        if scalar in table:
            return table[scalar]
        return BLANK if scalar is None else Untranslatable(f"'{scalar}' has no pair in the mapping")

    return translate


def _many(value: ManyOf, one: Translation) -> Value | Untranslatable:
    """Every element that has a counterpart; the others belong to their own side alone."""
    out: list[str] = []
    for element in value.keys:
        translated = one(OneOf(element))
        if isinstance(translated, OneOf) and translated.key not in out:
            out.append(translated.key)
    return ManyOf(tuple(out)) if out else BLANK


def _fit(mapping: FieldMapping, source: FieldSchema, target: FieldSchema, side: Side) -> Translation:
    """Make a value of the right type one that the target field accepts."""
    match target.type:
        case FieldType.ONE_OF:
            return lambda value: _option(value, source, target)
        case FieldType.MANY_OF:
            return lambda value: (
                _many(value, lambda element: _option(element, source, target))
                if isinstance(value, ManyOf)
                else value
            )
        case FieldType.PERSON:
            pairs = {
                (a if side is Side.RIGHT else b).casefold(): (b if side is Side.RIGHT else a)
                for a, b in mapping.people
            }
            return lambda value: _person(value, pairs, target)
        case FieldType.TEXT:
            return lambda value: _length(value, target)
        case _:
            return lambda value: value


def _option(value: Value, source: FieldSchema, target: FieldSchema) -> Value | Untranslatable:
    """The target's option with the same key, else with the same label (of the source's option, else of the text)."""
    if not isinstance(value, OneOf):
        return value
    if target.options is None:
        return value
    label = next((option.label for option in source.options or () if option.key == value.key), value.key)
    by_key = next((option for option in target.options if option.key == value.key), None)
    found = by_key or _labelled(target.options, label)
    if found is not None:
        return OneOf(found.key)
    if target.is_open:
        return OneOf(label)
    return Untranslatable(f"'{label}' is no option of '{target.id}'")


def _labelled(options: Sequence[Option], label: str) -> Option | None:
    folded = label.strip().casefold()
    return next((option for option in options if option.label.strip().casefold() == folded), None)


def _person(value: Value, pairs: dict[str, str], target: FieldSchema) -> Value | Untranslatable:
    if not isinstance(value, Person):
        return value
    if not value.email:
        return Untranslatable(f"the e-mail of {value.name or 'person ' + value.id} is not known")
    email = pairs.get(value.email.casefold(), value.email)
    if target.options is None:
        return Person(email=email, name=value.name)
    found = next((o for o in target.options if o.email.casefold() == email.casefold()), None)
    if found is None:
        return Untranslatable(f"nobody on the other side has the e-mail {email}")
    return Person(email=found.email, id=found.key, name=found.label)


def _length(value: Value, target: FieldSchema) -> Value | Untranslatable:
    if isinstance(value, Text) and target.max_length is not None and len(value.text) > target.max_length:
        return Untranslatable(
            f"{len(value.text)} characters are too long for '{target.id}' ({target.max_length})"
        )
    return value


# --- value pairs as they are written in a configuration ---------------------------------------------------------------


def _read(scalar: Scalar, field: FieldSchema) -> Value | Untranslatable:
    """A configured scalar as a value of the field; options may be named by key or by label."""
    if scalar is None or scalar == "":
        return BLANK
    match field.type:
        case FieldType.YES_NO:
            answers = {"true": True, "yes": True, "false": False, "no": False}
            answer = answers.get(str(scalar).lower())
            return Untranslatable("not yes or no") if answer is None else YesNo(answer)
        case FieldType.ONE_OF | FieldType.MANY_OF:
            return _read_option(str(scalar), field)
        case FieldType.TEXT:
            return Text(str(scalar))
        case FieldType.NUMBER:
            text_to_number = convert(FieldType.TEXT, FieldType.NUMBER)
            return text_to_number(Text(str(scalar))) if text_to_number else BLANK
        case _:
            return Untranslatable(f"{field.type.value} values cannot be paired")


def _read_option(text: str, field: FieldSchema) -> Value | Untranslatable:
    if field.options is None:
        return OneOf(text)
    if any(option.key == text for option in field.options):
        return OneOf(text)
    found = _labelled(field.options, text)
    if found is not None:
        return OneOf(found.key)
    return OneOf(text) if field.is_open else Untranslatable("no such option")


def _scalar(value: Value) -> Scalar:
    match value:
        case OneOf(key):
            return key
        case Text(text):
            return text.strip()
        case YesNo(yes):
            return yes
        case Number(number):
            return float(number)
        case _ if is_blank(value):
            return None
        case _:
            return str(value)
