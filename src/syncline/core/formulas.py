"""Expressions of a configuration into translations and conditions, their faults into problems with a place.

Called by `mapping` (the lines of a sync) and `bootstrap` (the filters of its sides). The place of a fault is the
setting's path; its column stands at the beginning of the message.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncline.core.convert import Untranslatable
from syncline.core.expressions import (
    Condition,
    Fault,
    Faults,
    Formula,
    compile_condition,
    compile_transform,
)
from syncline.core.records import FieldSchema, ObjectSchema
from syncline.core.translation import Translation, Way, fit
from syncline.core.values import BLANK, FieldType, Value, is_blank
from syncline.errors import Problem, ProblemKind


def problems(faults: Sequence[Fault], path: str) -> list[Problem]:
    """Faults of the expression that stands at this place."""
    return [
        Problem(path, f"{fault.place}: {fault.message}", fault.remedy, ProblemKind.EXPRESSION)
        for fault in faults
    ]


def transform_faults(text: str, source: FieldSchema, target: FieldSchema, path: str) -> list[Problem]:
    """What is wrong with a transform."""
    found = compile_transform(text, source, target)
    return [] if isinstance(found, Formula) else problems(found, path)


def translated_by(text: str, way: Way) -> Translation:
    """How a value goes this way by an expression: blank stays blank, and what comes out is fitted to the target."""
    found = compile_transform(text, way.source, way.target)
    if not isinstance(found, Formula):
        reason = f"the expression has a fault at {found[0].place}: {found[0].message}"
        return lambda _: Untranslatable(reason)
    # An option that comes out is one of the target's already.
    has_options = way.target.type in (FieldType.ONE_OF, FieldType.MANY_OF)
    fitted: Translation = (lambda value: value) if has_options else fit(way)

    def translate(value: Value) -> Value | Untranslatable:
        if is_blank(value):
            return BLANK
        made = found.apply(value)
        return made if isinstance(made, Untranslatable) else fitted(made)

    return translate


def filter_of(text: str, schema: ObjectSchema) -> Condition | Faults:
    """The filter of a side. It knows no `now`: an unchanged record is not judged again."""
    return compile_condition(text, schema)
