"""Every error Syncline raises, grouped by what the engine does next.

Raised by any layer, caught in `engine` (which acts on the group) and in `cli` (which turns it into one sentence and
an exit code). A conflict, a pulled brake and "nothing to do" are not errors: they are values in `core`.

    SynclineError                    never raised itself
    ├── SetupError                   a person must change something; nothing was written; exit 2
    │   ├── ConfigError              faults in the configuration, all of them at once
    │   ├── MappingError             a field mapping does not fit the two object types
    │   └── UsageError               a command names something that is not there, or says it wrongly
    ├── ConnectorError               something about one connection
    │   ├── TransientError           surely not applied; try again later
    │   ├── UnknownOutcomeError      sent, no clear answer: look before writing again
    │   ├── AuthError                pause this connection until a person mends it; exit 3
    │   ├── RejectedError            this record, this way, never: park it, go on
    │   ├── NotFoundError            the record is not there; becomes a Gone sighting
    │   └── StaleError               the record moved since it was read: decide again
    ├── RequestError                 the service does not do what was asked; nothing was changed
    │   └── AccessError              whoever asks is not known, or may not; exit 3
    └── StoreError
        ├── BusyError                another run holds this sync; exit 75
        └── SchemaError              the database is of another version; exit 2
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


class Detail(Enum):
    """What kind of an error of one connection it is, where that is known: the error's own code, a dot, and a word.

    Stable, like the codes; `core.catalogue` says what each means and what to do.
    """

    REQUIRED_FIELD = "rejected.required_field"
    DUPLICATE = "rejected.duplicate"
    VALIDATION = "rejected.validation"
    UNKNOWN_FIELD = "rejected.unknown_field"
    READ_ONLY = "rejected.read_only"
    UNKNOWN_PERSON = "rejected.unknown_person"
    FORBIDDEN = "rejected.forbidden"
    UNSUPPORTED = "rejected.unsupported"
    NO_PARENT = "rejected.no_parent"
    NOT_KEPT = "rejected.not_kept"
    UNKNOWN_ROUTE = "rejected.unknown_route"
    TOKEN_REFUSED = "auth.token_refused"  # noqa: S105 - a code, no secret
    TOKEN_EXPIRED = "auth.token_expired"  # noqa: S105 - a code, no secret
    MISSING_SCOPE = "auth.missing_scope"
    WRONG_KIND = "auth.wrong_kind"
    NO_ACCESS = "auth.no_access"
    RECONNECT = "auth.reconnect"
    RATE_LIMITED = "transient.rate_limited"
    DAILY_QUOTA = "transient.daily_quota"
    UNREACHABLE = "transient.unreachable"
    VENDOR_FAILED = "transient.vendor_failed"
    MOVED_WHILE_READ = "transient.moved_while_read"
    TIMEOUT = "unknown_outcome.timeout"
    CUT = "unknown_outcome.cut"
    FAILED_WHILE_WRITING = "unknown_outcome.vendor_failed"
    UNREADABLE = "unknown_outcome.unreadable"
    INTERRUPTED = "unknown_outcome.interrupted"
    EDITED_MEANWHILE = "stale.edited"
    BACK_AGAIN = "stale.back_again"
    NOT_IN_TRASH = "stale.not_in_trash"
    GONE_MEANWHILE = "not_found.gone_meanwhile"
    WRONG_ADDRESS = "connector.wrong_address"
    UNEXPECTED_ANSWER = "connector.unexpected_answer"


class ProblemKind(Enum):
    """What is wrong with something that a person wrote. Stable, like the codes."""

    MISSING = "config.missing"
    UNKNOWN_SETTING = "config.unknown_setting"
    UNKNOWN_VALUE = "config.unknown_value"
    UNKNOWN_VENDOR = "config.unknown_vendor"
    BAD_VALUE = "config.bad_value"
    VARIABLE = "config.variable"
    CREDENTIALS = "config.credentials"
    ADDRESS = "config.address"
    UNKNOWN_NAME = "config.unknown_name"
    UNKNOWN_FIELD = "mapping.unknown_field"
    READ_ONLY = "mapping.read_only"
    TYPES = "mapping.types"
    UNKNOWN_TRANSFORM = "mapping.unknown_transform"
    NO_INVERSE = "mapping.no_inverse"
    LOSES = "mapping.loses"
    PAIR = "mapping.pair"
    NO_WAY_BACK = "mapping.no_way_back"
    SETS_ONLY = "mapping.sets_only"
    WRITTEN_TWICE = "mapping.written_twice"
    MAPPED_TWICE = "mapping.mapped_twice"
    EXPRESSION = "mapping.expression"
    ONE_EXPRESSION = "mapping.one_expression"
    NO_SYNC = "usage.unknown_sync"
    NO_CONNECTION = "usage.unknown_connection"
    NO_RECORD = "usage.unknown_record"
    NO_COMMAND = "usage.unknown_command"
    NO_OPTION = "usage.unknown_option"
    WRONG_VALUE = "usage.bad_value"
    NOT_SAID = "usage.missing"
    NOT_UNDERSTOOD = "usage.not_understood"


class Refusal(Enum):
    """Why the service refuses a request. Stable, like the codes; `core.catalogue` says what each means."""

    NOT_LOGGED_IN = "access.not_logged_in"
    WRONG_LOGIN = "access.wrong_login"
    TOO_MANY_TRIES = "access.too_many_tries"
    MISSING_RIGHT = "access.missing_right"
    SESSION_ONLY = "access.session_only"
    FOREIGN_ORIGIN = "access.foreign_origin"
    NO_CSRF_TOKEN = "access.csrf"  # noqa: S105 - a code, no secret
    WRONG_SETUP_CODE = "access.wrong_setup_code"
    SET_UP_ALREADY = "access.set_up_already"
    LAST_ADMIN = "request.last_admin"
    EMAIL_TAKEN = "request.email_taken"
    WEAK_PASSWORD = "request.weak_password"  # noqa: S105 - a code, no secret
    INVALID = "request.invalid"
    NOT_THERE = "request.not_there"
    METHOD = "request.method"
    HOST = "request.host"
    TOO_LARGE = "request.too_large"
    NO_REVISION = "request.no_revision"
    OLD_REVISION = "request.old_revision"
    KEY_REUSED = "request.key_reused"
    KEY_IN_FLIGHT = "request.key_in_flight"
    CURSOR = "request.cursor"
    NAME_TAKEN = "request.name_taken"
    IN_FILE = "request.in_file"
    IN_USE = "request.in_use"
    OTHER_ACCOUNT = "request.other_account"
    NOT_WORKING = "request.not_working"
    TRANSITION = "request.transition"
    AUTHORISATION = "request.authorisation"
    BUG = "request.bug"


class SynclineError(Exception):
    """The root: catch it to catch all of Syncline's own errors.

    `code` is stable and documented; `str(error)` is one sentence for a person and never holds a secret.
    """

    code = "error"
    exit_code = 70

    @property
    def full_code(self) -> str:
        """The code with its detail where one is known: what the catalogue is asked for."""
        return self.code


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in what a person wrote: where (`syncs.tickets.fields[2].left`), what is wrong, what to do, and what was
    found there, where that is no secret."""

    path: str
    message: str
    remedy: str = ""
    kind: ProblemKind | None = None
    found: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" + (f" {self.remedy}" if self.remedy else "")


class SetupError(SynclineError):
    """A person must change something; nothing was written."""

    code = "setup"
    exit_code = 2

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([self.args[0], *(f"  - {problem}" for problem in self.problems)])


class ConfigError(SetupError):
    """The configuration has faults; `problems` lists all of them."""

    code = "config"


class MappingError(SetupError):
    """A field mapping does not fit the two object types; `problems` lists all faults."""

    code = "mapping"


class UsageError(SetupError):
    """A command names something that is not there, or says something in a form that cannot be used.

    Its one problem tells which part of the command (`--take`, `sync`, `record`), what was found there and what to do;
    the problem's kind is its code.
    """

    code = "usage"

    def __init__(self, field: str, message: str, remedy: str, kind: ProblemKind, found: str = "") -> None:
        super().__init__(message, (Problem(field, message, remedy, kind, found),))

    @property
    def full_code(self) -> str:
        """The kind of its problem."""
        kind = self.problems[0].kind
        return self.code if kind is None else kind.value

    def __str__(self) -> str:
        return f"{self.args[0]} {self.problems[0].remedy}".rstrip()


class ConnectorError(SynclineError):
    """Something about one connection. `connection` is its configured name, `detail` what kind of it, where known."""

    code = "connector"

    def __init__(
        self, message: str, *, connection: str = "", field: str | None = None, detail: Detail | None = None
    ) -> None:
        super().__init__(message)
        self.connection = connection
        self.field = field
        self.detail = detail

    @property
    def full_code(self) -> str:
        """The code with its detail where one is known."""
        return self.code if self.detail is None else self.detail.value

    def __str__(self) -> str:
        return f"{self.connection}: {self.args[0]}" if self.connection else str(self.args[0])


class TransientError(ConnectorError):
    """Surely not applied. `after` says how long the vendor asked to wait, where it did."""

    code = "transient"
    exit_code = 75

    def __init__(
        self,
        message: str,
        *,
        connection: str = "",
        after: timedelta | None = None,
        detail: Detail | None = None,
    ) -> None:
        super().__init__(message, connection=connection, detail=detail)
        self.after = after


class UnknownOutcomeError(ConnectorError):
    """A write was sent and no clear answer came: it may or may not have happened."""

    code = "unknown_outcome"
    exit_code = 75


class AuthError(ConnectorError):
    """The credentials do not work, or lack `missing_scopes`."""

    code = "auth"
    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        connection: str = "",
        missing_scopes: tuple[str, ...] = (),
        detail: Detail | None = None,
    ) -> None:
        super().__init__(message, connection=connection, detail=detail)
        self.missing_scopes = missing_scopes


class RejectedError(ConnectorError):
    """The vendor refuses this write for good. `field` names the field where it said so; `is_duplicate` is true
    when the refusal means that a record with the same unique value is already there."""

    code = "rejected"

    def __init__(
        self,
        message: str,
        *,
        connection: str = "",
        field: str | None = None,
        is_duplicate: bool = False,
        detail: Detail | None = None,
    ) -> None:
        super().__init__(
            message,
            connection=connection,
            field=field,
            detail=Detail.DUPLICATE if is_duplicate and detail is None else detail,
        )
        self.is_duplicate = is_duplicate


class NotFoundError(ConnectorError):
    """The record, object type or route is not there (or not visible to this user)."""

    code = "not_found"


class StaleError(ConnectorError):
    """The record moved between the read and the write."""

    code = "stale"


class RequestError(SynclineError):
    """The service does not do what was asked of it, or not in this way; nothing was changed.

    `after` says how long to wait before asking again, where that helps; `problems` lists the faults of what was sent.
    """

    code = "request"
    exit_code = 2

    def __init__(
        self,
        message: str,
        refusal: Refusal,
        *,
        problems: tuple[Problem, ...] = (),
        after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.problems = problems
        self.after = after

    @property
    def full_code(self) -> str:
        """The refusal's own code."""
        return self.refusal.value


class AccessError(RequestError):
    """Whoever asks is not known, or may not do this."""

    code = "access"
    exit_code = 3


class StoreError(SynclineError):
    """Something about our own database."""

    code = "store"


class BusyError(StoreError):
    """Another run holds this sync."""

    code = "busy"
    exit_code = 75


class SchemaError(StoreError):
    """The database was made by another version of Syncline, or is not a Syncline database."""

    code = "schema"
    exit_code = 2
