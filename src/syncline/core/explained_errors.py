"""Every error and each of its details into plain sentences: texts of the catalogue.

Read by `catalogue` alone. Texts here are fixed: nothing that a vendor or a person said gets into them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from syncline.errors import (
    AccessError,
    AuthError,
    BusyError,
    ConfigError,
    ConnectorError,
    Detail,
    MappingError,
    NotFoundError,
    RejectedError,
    RequestError,
    SchemaError,
    SetupError,
    StaleError,
    StoreError,
    SynclineError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)


class Told(msgspec.Struct, frozen=True):
    """A title, what happened, what Syncline did about it, what a person does, and whether it is tried again."""

    title: str
    happened: str
    done: str
    remedy: str
    is_retried: bool = False


_NOTHING = "Nothing was written."
_PARKED = "The record is parked with the vendor's own words; all others go on."
_LATER = "Surely nothing was written; it is tried again, later each time, at most twelve times."
_LOOK = "The write is kept as open; the next run looks what became of it before it writes again."
_AGAIN = "The write was dropped; the next run decides again from what it finds."
_STOPPED = "Nothing more was sent to this connection; what was done before stays done."
_WAIT = "Nothing: it goes on by itself. If it lasts, see the vendor's status page."

ERRORS: Mapping[type[SynclineError], Told] = {
    SynclineError: Told(
        "An error",
        "Something that Syncline knows by no closer name.",
        _NOTHING,
        "Read the message; report it.",
    ),
    SetupError: Told(
        "Something must be changed first",
        "What was asked for cannot be done as things are.",
        _NOTHING,
        "Do what the message says.",
    ),
    ConfigError: Told(
        "The configuration has faults",
        "`syncline.yaml` could not be used; every fault is listed with its place.",
        _NOTHING,
        "Mend each listed place, then run the command again.",
    ),
    MappingError: Told(
        "The mapping does not fit",
        "A mapped field does not fit the two object types as the vendors describe them now.",
        _NOTHING,
        "Mend each listed line; `syncline fields CONNECTION OBJECT` shows what there is.",
    ),
    UsageError: Told(
        "The command asks for something that is not there",
        "A command names something that Syncline does not know, or says something in a form that cannot be used.",
        _NOTHING,
        "Say it as the message tells; `--help` after a command lists what it takes.",
    ),
    ConnectorError: Told(
        "A connection answered unexpectedly",
        "An answer was not of the promised form.",
        _PARKED,
        "Check the connection's address with `syncline check`; if it is right, report it.",
    ),
    TransientError: Told(
        "Try again later", "The vendor did not carry this out.", _LATER, _WAIT, is_retried=True
    ),
    UnknownOutcomeError: Told(
        "Unknown outcome",
        "A write was sent and no clear answer came: it may or may not have happened.",
        _LOOK,
        "Nothing: the next run finds out.",
        is_retried=True,
    ),
    AuthError: Told(
        "Credentials or rights",
        "The vendor refused the connection's credentials.",
        _STOPPED,
        "Give the connection a working token, then test it with `syncline check`.",
    ),
    RejectedError: Told(
        "Refused",
        "The vendor refuses this write, and would again.",
        _PARKED,
        "Change the record or the mapping as the message says; an edit tries again by itself.",
    ),
    NotFoundError: Told(
        "Not there",
        "A record, object type or route is not there, or not visible to the token's user.",
        _AGAIN,
        "Nothing for a record. For an object type: check its id and the user's rights.",
        is_retried=True,
    ),
    StaleError: Told(
        "Moved meanwhile",
        "The record changed between the look and the write.",
        _AGAIN,
        "Nothing: the next run takes the change into account.",
        is_retried=True,
    ),
    RequestError: Told(
        "The request is refused",
        "The service cannot do what was asked, or not in this way.",
        "Nothing was changed.",
        "Do what the message says.",
    ),
    AccessError: Told(
        "No access to the service",
        "Whoever asks is not known, or may not do this.",
        "Nothing was changed.",
        "Log in, or ask an admin for the right.",
    ),
    StoreError: Told(
        "The database refused",
        "Syncline's own database could not do what was asked.",
        "The transaction was taken back as a whole.",
        "Check free space and rights of the database file; report it if both are well.",
    ),
    BusyError: Told(
        "Busy",
        "Another run holds this sync, or another process writes to the database.",
        _NOTHING,
        "Wait for it to end; a run that died gives its hold back within minutes.",
        is_retried=True,
    ),
    SchemaError: Told(
        "Another version's database",
        "The database was made by another version of Syncline, or is not one of its own.",
        _NOTHING,
        "Use the version that made it, or name another file under `database`.",
    ),
}

DETAILS: Mapping[Detail, Told] = {
    Detail.REQUIRED_FIELD: Told(
        "A required field is empty",
        "The vendor wants a value in this field, and the record has none.",
        _PARKED,
        "Fill the field on the side that leads, or map another field to it.",
    ),
    Detail.DUPLICATE: Told(
        "Already there",
        "Another record holds the same value in a unique field.",
        "A create whose own key is taken is looked up, for it may be ours; anything else is parked.",
        "Change the value on one side, or link the two records.",
    ),
    Detail.VALIDATION: Told(
        "The value is not accepted",
        "The vendor does not take this value in this field: too long, out of range or of another form.",
        _PARKED,
        "Change the value on the side that leads, or map the field in another way.",
    ),
    Detail.UNKNOWN_FIELD: Told(
        "The field is not there",
        "The vendor has no such field that can be written.",
        _PARKED,
        "See `syncline fields CONNECTION OBJECT`, and mend the mapping.",
    ),
    Detail.READ_ONLY: Told(
        "Read-only",
        "The vendor lets nobody write this field.",
        _PARKED,
        "Let the field go one way (`direction`), or map another one.",
    ),
    Detail.UNKNOWN_PERSON: Told(
        "Nobody of that name there",
        "The person is no user of the other account.",
        _PARKED,
        "Invite the person there, or pair the two e-mails under `people`.",
    ),
    Detail.FORBIDDEN: Told(
        "Not allowed for this user",
        "The token's user may not change this record.",
        _PARKED,
        "Give the user the right (a member of the project), or use an Owner's token.",
    ),
    Detail.UNSUPPORTED: Told(
        "The vendor cannot do this",
        "Records of this kind cannot be archived, restored or written over the API.",
        _PARKED,
        "Do it by hand in the vendor's own app, or choose another policy for deletions.",
    ),
    Detail.NO_PARENT: Told(
        "A place for new records is missing",
        "A new record needs a project to lie in, and none is named or visible.",
        _PARKED,
        "Name one project under `where: {create_in: ...}`, visible to the token's user.",
    ),
    Detail.UNKNOWN_ROUTE: Told(
        "The address or version is not right",
        "The vendor does not know the route that was called.",
        _PARKED,
        "Check `url`: it is the address in the browser up to `/projects`.",
    ),
    Detail.TOKEN_REFUSED: Told(
        "The token was refused",
        "The token is wrong, was revoked, or belongs to another account.",
        _STOPPED,
        "Make a new token and put it into the environment variable that the configuration names.",
    ),
    Detail.TOKEN_EXPIRED: Told(
        "The token is no longer good",
        "The access token ran out and could not be renewed.",
        _STOPPED,
        "Make a new token, or connect the account again and give the new refresh token.",
    ),
    Detail.MISSING_SCOPE: Told(
        "A scope is missing",
        "The token was made without a scope that this needs; the message names it.",
        _STOPPED,
        "Add the scope to the integration and make a new token; `syncline check` lists all that are missing.",
    ),
    Detail.WRONG_KIND: Told(
        "A token of the wrong kind",
        "An agency token was given where a location's is needed, or the other way round.",
        _STOPPED,
        "Make the token in the location (sub-account) that is to be kept in step.",
    ),
    Detail.NO_ACCESS: Told(
        "No access",
        "The token works, but may not do this or see this location.",
        _STOPPED,
        "Check the location's id and the rights of the token's user.",
    ),
    Detail.RECONNECT: Told(
        "The connection must be made again",
        "The vendor gives no new tokens for the refresh token that we hold.",
        _STOPPED,
        "Install the app again in the location, and give the new refresh token.",
    ),
    Detail.RATE_LIMITED: Told(
        "Asked to slow down",
        "The vendor's short-term limit of calls was reached.",
        _LATER,
        "Nothing: it goes on by itself. Something else may be using the same quota.",
        is_retried=True,
    ),
    Detail.DAILY_QUOTA: Told(
        "The day's calls are used up",
        "The vendor allows no more calls today.",
        "It is tried again when the vendor's day begins anew.",
        "Nothing; or run less often, with --changes-only.",
        is_retried=True,
    ),
    Detail.UNREACHABLE: Told(
        "Out of reach",
        "No connection to the vendor could be made.",
        _LATER,
        "Check the address and this machine's network; then nothing.",
        is_retried=True,
    ),
    Detail.VENDOR_FAILED: Told(
        "The vendor has trouble",
        "The vendor answered with an error of its own.",
        _LATER,
        _WAIT,
        is_retried=True,
    ),
    Detail.MOVED_WHILE_READ: Told(
        "Moved while it was read",
        "Records moved so fast that no complete listing came together.",
        _LATER,
        "Nothing: the next run lists again.",
        is_retried=True,
    ),
    Detail.TIMEOUT: Told(
        "No answer in time",
        "A write was sent, and no answer came.",
        _LOOK,
        "Nothing: the next run finds out.",
        is_retried=True,
    ),
    Detail.CUT: Told(
        "The connection was cut",
        "A write was sent, and the connection broke before the answer.",
        _LOOK,
        "Nothing: the next run finds out.",
        is_retried=True,
    ),
    Detail.FAILED_WHILE_WRITING: Told(
        "The vendor failed while writing",
        "The vendor answered a write with an error of its own; it may have happened all the same.",
        _LOOK,
        "Nothing: the next run finds out.",
        is_retried=True,
    ),
    Detail.UNREADABLE: Told(
        "Written, but the answer cannot be read",
        "The vendor took the write and answered something of another form.",
        _LOOK,
        "Nothing at first; if it comes again, check the address and report it.",
        is_retried=True,
    ),
    Detail.INTERRUPTED: Told(
        "Interrupted",
        "The process was stopped, or a write of several calls broke off, between sending and hearing.",
        _LOOK,
        "Nothing: the next run finds out.",
        is_retried=True,
    ),
    Detail.NOT_KEPT: Told(
        "Value not kept",
        "The vendor took the write, and the record holds what it held before.",
        "Everything else of the record went through. The value is written again a few times, then the record is parked.",
        "Look at the field at the vendor: an automation, a formula or a right may guard it. Then `syncline retry` the "
        "record, or map the field one way.",
        is_retried=True,
    ),
    Detail.EDITED_MEANWHILE: Told(
        "Edited meanwhile",
        "Somebody edited the record between the look and the write.",
        _AGAIN,
        "Nothing: the next run takes the edit into account.",
        is_retried=True,
    ),
    Detail.BACK_AGAIN: Told(
        "The other record is back",
        "A record was to be deleted because its counterpart was gone, and the counterpart came back.",
        "Nothing was deleted; the next run decides again.",
        "Nothing.",
        is_retried=True,
    ),
    Detail.NOT_IN_TRASH: Told(
        "Not in the trash any more",
        "A record was to be restored, and it was purged or restored by somebody else.",
        _AGAIN,
        "Nothing: the next run decides again.",
        is_retried=True,
    ),
    Detail.GONE_MEANWHILE: Told(
        "Gone meanwhile",
        "The record was deleted between the look and the write.",
        _AGAIN,
        "Nothing: the next run treats it as a deletion.",
        is_retried=True,
    ),
    Detail.WRONG_ADDRESS: Told(
        "The address is not right",
        "The address answers with a web page, a redirect, or from another host.",
        _NOTHING,
        "Check `url` of the connection, then `syncline check`.",
    ),
    Detail.UNEXPECTED_ANSWER: Told(
        "An answer of another form",
        "The vendor answered, but not what its documentation promises.",
        _NOTHING,
        "Check `url` of the connection; if it is right, report it with the message.",
    ),
}
