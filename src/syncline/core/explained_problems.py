"""Every fault that the configuration can have into plain sentences: texts of the catalogue.

Read by `catalogue` alone. The fault's own message names the place and what was found there.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncline.core.explained_errors import Told
from syncline.errors import ProblemKind

_CONFIG = "The configuration was not used."
_USAGE = "Nothing: the command was not carried out."

PROBLEMS: Mapping[ProblemKind, Told] = {
    ProblemKind.MISSING: Told(
        "A setting is missing", "A setting that is needed is not there.", _CONFIG, "Add it."
    ),
    ProblemKind.UNKNOWN_SETTING: Told(
        "No such setting",
        "A setting is not one that Syncline knows.",
        _CONFIG,
        "Remove it, or check its spelling.",
    ),
    ProblemKind.UNKNOWN_VALUE: Told(
        "No such choice",
        "A setting holds a word that is not one of its choices.",
        _CONFIG,
        "Write one of those listed.",
    ),
    ProblemKind.UNKNOWN_VENDOR: Told(
        "No such vendor",
        "A connection names no vendor that Syncline knows.",
        _CONFIG,
        "Write one of the vendors that the message lists.",
    ),
    ProblemKind.BAD_VALUE: Told(
        "A value that cannot be used",
        "A setting holds a value of the wrong form.",
        _CONFIG,
        "Write it as the message says.",
    ),
    ProblemKind.VARIABLE: Told(
        "An environment variable is not set",
        "The configuration names `${NAME}`, and the environment has no NAME.",
        _CONFIG,
        "Set the variable, then try again.",
    ),
    ProblemKind.CREDENTIALS: Told(
        "Credentials are missing or doubled",
        "A connection has no credentials, or two kinds.",
        _CONFIG,
        "Give exactly one.",
    ),
    ProblemKind.ADDRESS: Told(
        "Not a web address", "An address cannot be used as one.", _CONFIG, "Write it as https://host/path."
    ),
    ProblemKind.UNKNOWN_NAME: Told(
        "A name that points to nothing",
        "A sync names a connection or object type that is not there.",
        _CONFIG,
        "Use one of those listed, or add it.",
    ),
    ProblemKind.UNKNOWN_FIELD: Told(
        "No such field", "A mapped field is not one of the object type.", _CONFIG, "Use one of those listed."
    ),
    ProblemKind.READ_ONLY: Told(
        "The target is read-only",
        "A mapping would write a field that nobody can write.",
        _CONFIG,
        "Set `direction`, or map another field.",
    ),
    ProblemKind.TYPES: Told(
        "The types do not fit",
        "A value of the one type cannot become one of the other.",
        _CONFIG,
        "Name a transform, pair the values, or map another field.",
    ),
    ProblemKind.UNKNOWN_TRANSFORM: Told(
        "No such transform",
        "A mapping names a transform that is not there.",
        _CONFIG,
        "Use one of those listed.",
    ),
    ProblemKind.NO_INVERSE: Told(
        "There is no way back",
        "A two-way mapping has a transform that nothing undoes.",
        _CONFIG,
        "Set `direction`: to_right or to_left.",
    ),
    ProblemKind.LOSES: Told(
        "Something is lost on the way back",
        "A two-way mapping does not bring every value back as it was.",
        _CONFIG,
        "Set `direction`, or accept it with `lossy: true`.",
    ),
    ProblemKind.PAIR: Told(
        "A pair names no value",
        "A value pair names something that the field cannot hold.",
        _CONFIG,
        "Use one of those listed.",
    ),
    ProblemKind.NO_WAY_BACK: Told(
        "A pair does not come back",
        "Other pairs lead a value elsewhere on its way back.",
        _CONFIG,
        "Leave the pair out, or accept it with `lossy: true`.",
    ),
    ProblemKind.SETS_ONLY: Told(
        "Only sets merge",
        "Merging was asked for a field that holds one value.",
        _CONFIG,
        "Choose newest, left, right or ask.",
    ),
    ProblemKind.WRITTEN_TWICE: Told(
        "Written by two lines",
        "Two lines write the same field.",
        _CONFIG,
        "Keep one of them, or set directions.",
    ),
    ProblemKind.MAPPED_TWICE: Told(
        "Mapped twice", "Two lines map the same two fields.", _CONFIG, "Keep one of them."
    ),
    ProblemKind.EXPRESSION: Told(
        "A faulty expression",
        "A transform or filter cannot be read, or does not fit the types of the fields.",
        _CONFIG,
        "Look at the column named, and try it with `syncline expression`.",
    ),
    ProblemKind.ONE_EXPRESSION: Told(
        "An expression too few or too many",
        "A line has an expression for one way only, or together with values or a transform.",
        _CONFIG,
        "Give both expressions, or set `direction`.",
    ),
    ProblemKind.NO_SYNC: Told(
        "No such sync",
        "A command names a sync that is neither configured nor known from an earlier run.",
        _USAGE,
        "Name one of those listed.",
    ),
    ProblemKind.NO_CONNECTION: Told(
        "No such connection",
        "A command names a connection that is not configured.",
        _USAGE,
        "Name one of those listed.",
    ),
    ProblemKind.NO_RECORD: Told(
        "No such record",
        "No sync that was asked knows a record of this id: no run has seen it, or it is outside the filter, or the id is "
        "another.",
        _USAGE,
        "Check the id; where records resemble it, the message lists them. A new record is fetched by `syncline run`, or "
        "by `syncline resync RECORD --sync SYNC`.",
    ),
    ProblemKind.NO_COMMAND: Told(
        "No such command", "There is no command of this name.", _USAGE, "`syncline --help` lists them."
    ),
    ProblemKind.NO_OPTION: Told(
        "No such option",
        "The command has no option of this name.",
        _USAGE,
        "`--help` after the command lists them.",
    ),
    ProblemKind.WRONG_VALUE: Told(
        "A value that the command does not take",
        "An option or argument holds a value that is none of its choices, or of another form.",
        _USAGE,
        "Write one of those listed, or in the form that the message names.",
    ),
    ProblemKind.NOT_SAID: Told(
        "Something is missing",
        "The command needs an argument or an option's value that was not given.",
        _USAGE,
        "Add it; `--help` after the command shows the order.",
    ),
    ProblemKind.NOT_UNDERSTOOD: Told(
        "The command cannot be read",
        "The words after `syncline` do not form a command.",
        _USAGE,
        "`--help` after the command shows its form.",
    ),
}
