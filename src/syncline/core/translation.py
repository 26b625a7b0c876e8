"""One value of a field into the value that the mapped field on the other side would hold.

Used by `mapping` to make lenses. Three ways: by configured pairs, by a named transform, or by the conversion between
the two types; the result is then fitted to the target field (its options, its people, its length). What has no
counterpart is `Untranslatable` with the reason; nothing is guessed and nothing is cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import msgspec

from syncline.core.convert import Untranslatable, convert
from syncline.core.records import FieldSchema, Option
from syncline.core.transforms import Transform
from syncline.core.values import (
    BLANK,
    FieldType,
    ManyOf,
    OneOf,
    Person,
    Text,
    Value,
    YesNo,
    canonical,
    canonical_text,
    is_blank,
)

Scalar = str | bool | int | float | None
Translation = Callable[[Value], "Value | Untranslatable"]


class Way(msgspec.Struct, frozen=True):
    """One direction of a mapping: from `source` to `target`, pairs and people turned that way round."""

    source: FieldSchema
    target: FieldSchema
    pairs: Sequence[tuple[Scalar, Scalar]] = ()
    people: Sequence[tuple[str, str]] = ()
    transform: Transform | None = None


def translation(way: Way) -> Translation:
    """How a value goes this way. Blank stays blank unless a pair says otherwise."""
    if way.pairs:
        return _by_pairs(way)
    apply = way.transform.apply if way.transform else convert(way.source.type, way.target.type)
    if apply is None:
        text = f"{way.source.type.value} does not become {way.target.type.value}"
        return lambda _: Untranslatable(text)
    if way.target.type is FieldType.TEXT and way.source.type in (FieldType.ONE_OF, FieldType.MANY_OF):
        apply = _labelling(way.source, apply)
    fitted = fit(way)

    def translate(value: Value) -> Value | Untranslatable:
        if is_blank(value):
            return BLANK
        made = apply(value)
        return made if isinstance(made, Untranslatable) else fitted(made)

    return translate


# --- configured pairs -----------------------------------------------------------------------------------------------


def _by_pairs(way: Way) -> Translation:
    """By the first pair of a value; options of a set each by themselves."""
    table: dict[Hashable, Value] = {}
    for here, there in way.pairs:
        key, value = read_scalar(here, way.source), read_scalar(there, way.target)
        if not isinstance(key, Untranslatable) and not isinstance(value, Untranslatable):
            table.setdefault(canonical(key), value)
    is_many = way.target.type is FieldType.MANY_OF

    def one(value: Value) -> Value | Untranslatable:
        key = canonical(value)
        if key in table:
            return table[key]
        return BLANK if key is None else Untranslatable(f"'{shown(value)}' has no pair in the mapping")

    def translate(value: Value) -> Value | Untranslatable:
        if isinstance(value, ManyOf) and not is_blank(value):
            return _each(value, one)
        made = one(value)
        return ManyOf((made.key,)) if is_many and isinstance(made, OneOf) else made

    return translate


def read_scalar(scalar: Scalar, field: FieldSchema) -> Value | Untranslatable:
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
    if field.options is None or any(option.key == text for option in field.options):
        return OneOf(text)
    found = _labels(field.options).get(_folded(text))
    if found is not None:
        return OneOf(found)
    return OneOf(text) if field.is_open else Untranslatable("no such option")


def shown(value: Value) -> str:
    """A value in a sentence."""
    match value:
        case Text(text):
            return text.strip()[:40]
        case _ if is_blank(value):
            return "blank"
        case _:
            return str(next(iter(msgspec.structs.astuple(value))))


# --- fitting a value to its field -----------------------------------------------------------------------------------


def fit(way: Way) -> Translation:
    """Make a value of the right type one that the target field accepts."""
    match way.target.type:
        case FieldType.ONE_OF:
            return _options(way.source, way.target)
        case FieldType.MANY_OF:
            one = _options(way.source, way.target)
            # Between two sets an element without counterpart belongs to its own side alone; anything else is one
            # value, and half of it would be another.
            every = _each if way.source.type is FieldType.MANY_OF else _all
            return lambda value: every(value, one) if isinstance(value, ManyOf) else value
        case FieldType.PERSON:
            return _people(way)
        case FieldType.TEXT:
            return lambda value: _length(value, way.target)
        case _:
            return lambda value: value


def _each(value: ManyOf, one: Translation) -> Value:
    """Every element that has a counterpart."""
    made = (one(OneOf(element)) for element in value.keys)
    keys = dict.fromkeys(element.key for element in made if isinstance(element, OneOf))
    return ManyOf(tuple(keys)) if keys else BLANK


def _all(value: ManyOf, one: Translation) -> Value | Untranslatable:
    """All elements, or none."""
    keys: dict[str, None] = {}
    for element in value.keys:
        made = one(OneOf(element))
        if isinstance(made, Untranslatable):
            return made
        if isinstance(made, OneOf):
            keys[made.key] = None
    return ManyOf(tuple(keys)) if keys else BLANK


def _options(source: FieldSchema, target: FieldSchema) -> Translation:
    """The target's option with the same label (people read labels; keys are each vendor's own), else the same key."""
    if target.options is None:
        return lambda value: value
    label_by_key = {option.key: option.label or option.key for option in source.options or ()}
    keys = {option.key for option in target.options}
    key_by_label = _labels(target.options)

    def option(value: Value) -> Value | Untranslatable:
        if not isinstance(value, OneOf):
            return value
        label = label_by_key.get(value.key, value.key)
        found = key_by_label.get(_folded(label))
        if found is not None:
            return OneOf(found)
        if value.key in keys:
            return value
        return OneOf(label) if target.is_open else Untranslatable(f"'{label}' is no option of '{target.id}'")

    return option


def _labels(options: Sequence[Option]) -> dict[str, str]:
    """Keys by label; the first of several options that share one."""
    out: dict[str, str] = {}
    for option in options:
        out.setdefault(_folded(option.label or option.key), option.key)
    return out


def _folded(label: str) -> str:
    return canonical_text(label).casefold()


def _labelling(source: FieldSchema, apply: Translation) -> Translation:
    """People read labels, not keys."""
    labels = {option.key: option.label or option.key for option in source.options or ()}

    def labelled(value: Value) -> Value | Untranslatable:
        match value:
            case OneOf(key):
                return apply(OneOf(labels.get(key, key)))
            case ManyOf(keys):
                return apply(ManyOf(tuple(labels.get(key, key) for key in keys)))
            case _:
                return apply(value)

    return labelled


def _people(way: Way) -> Translation:
    """The person with the same e-mail, or the one it is paired with."""
    pairs: dict[str, str] = {}
    for here, there in way.people:
        pairs.setdefault(here.strip().casefold(), there.strip())
    options: dict[str, Option] = {}
    for option in way.target.options or ():
        options.setdefault(option.email.strip().casefold(), option)

    def person(value: Value) -> Value | Untranslatable:
        if not isinstance(value, Person):
            return value
        known = value.email.strip()
        if not known:
            return Untranslatable(f"the e-mail of {value.name or 'person ' + value.id} is not known")
        email = pairs.get(known.casefold(), known)
        if way.target.options is None:
            return Person(email=email, name=value.name)
        found = options.get(email.casefold())
        if found is None:
            return Untranslatable(f"nobody on the other side has the e-mail {email}")
        return Person(email=found.email, id=found.key, name=found.label)

    return person


def _length(value: Value, target: FieldSchema) -> Value | Untranslatable:
    if isinstance(value, Text) and target.max_length is not None and len(value.text) > target.max_length:
        return Untranslatable(
            f"{len(value.text)} characters are too long for '{target.id}' ({target.max_length})"
        )
    return value
