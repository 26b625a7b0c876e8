"""The settings of what watches: from when on something is an alert, how soon edits should arrive, where traces go.

Read by `config.loading` from `syncline.yaml`; the freshness of a sync also by the service for drafts made over the API.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from yarl import URL

from syncline.config.strict import Model, Share, Span, UnfitError, none_if_false, or_false
from syncline.core.findings import Limits
from syncline.core.objective import Objective

_LIMITS = Limits()
_OBJECTIVE = Objective()
_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
_SHORTEST = dt.timedelta(seconds=5)
"""Looking for what is wrong more often than that only costs."""
_LONGEST = 90 * _DAY


class AlertSettings(Model):
    """From when on something is worth an alert, and how often channels are told."""

    failures: int = Field(
        default=_LIMITS.failures, ge=1, description="So many looks at a sync that failed in a row."
    )
    expiring: Span = Field(
        default=_LIMITS.expiring, description="Credentials of a connection that end within this time."
    )
    quota: Share = Field(
        default=_LIMITS.quota,
        description="Less than this share of a day's calls left; `false`: only when edits will need more than are left.",
    )
    question: Span = Field(
        default=_LIMITS.question, description="A conflict or deletion that waits so long for a person."
    )
    parked: int = Field(
        default=_LIMITS.parked, ge=1, description="So many records of a sync that were parked within a day."
    )
    silent: Annotated[Span | None, BeforeValidator(none_if_false)] = Field(
        default=_LIMITS.silent,
        description="No webhook for so long, where that is unusual at this time of the week; `false`: never.",
        json_schema_extra=or_false,
    )
    every: Span = Field(
        default=dt.timedelta(minutes=1),
        description="How often is looked for what is wrong; what is found meanwhile is told in one message. At least 5s.",
    )
    again: Span = Field(
        default=_LIMITS.again, description="How long channels are left alone while an alert lasts."
    )
    rest: Span = Field(
        default=_LIMITS.rest, description="How long a channel rests that did not take a message."
    )
    kept: Span = Field(default=_LIMITS.kept, description="How long closed alerts are kept.")

    @field_validator("every")
    @classmethod
    def _not_too_often(cls, span: dt.timedelta) -> dt.timedelta:
        return _between(span, _SHORTEST, _HOUR, "5s and 1h")

    @field_validator("quota")
    @classmethod
    def _part_of_a_day(cls, share: float | None) -> float | None:
        if share is not None and not 0 <= share < 1:
            raise UnfitError(
                "leaves nothing to tell of.", "Write a share from 0% to below 100%, such as 10%."
            )
        return share

    def limits(self) -> Limits:
        """As those who look for what is wrong take it."""
        return Limits(
            self.failures,
            self.again,
            self.expiring,
            self.quota or 0.0,
            self.question,
            self.parked,
            self.silent,
            self.rest,
            self.kept,
        )


class FreshnessSettings(Model):
    """The share of a sync's edits that should have arrived within a time, counted over a span."""

    share: Share = Field(default=_OBJECTIVE.share, description="The share of all edits, below 100%.")
    within: Span = Field(
        default=_OBJECTIVE.within,
        description="How long an edit may take. Best one of the bounds that lags are counted in: 10s, 30s, 1m, 5m, 15m, 1h.",
    )
    over: Span = Field(default=_OBJECTIVE.over, description="The span that is judged: from 2h to 90d.")

    @field_validator("share")
    @classmethod
    def _forgives_some(cls, share: float | None) -> float | None:
        """An objective that forgives nothing could never be kept; one that forgives everything is none."""
        if share is None or not 0 < share < 1:
            raise UnfitError("is no share between 0% and 100%.", "Write one such as 99%.")
        return share

    @field_validator("over")
    @classmethod
    def _can_be_judged(cls, span: dt.timedelta) -> dt.timedelta:
        return _between(span, 2 * _HOUR, _LONGEST, "2h and 90d")

    def objective(self) -> Objective:
        """As it is judged by."""
        return Objective(self.share or _OBJECTIVE.share, self.within, self.over)


OptionalFreshness = Annotated[FreshnessSettings | None, BeforeValidator(none_if_false)]


class TraceSettings(Model):
    """Where spans go, by OTLP over HTTP. Nowhere unless an endpoint is named."""

    endpoint: str | None = Field(
        default=None,
        description="Such as http://collector.example.test:4318/v1/traces. SYNCLINE_OTLP_ENDPOINT in the environment goes "
        "before it.",
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict[str, SecretStr],
        description="Sent with every request there, such as an authorization. Write ${NAME}.",
    )

    @field_validator("endpoint")
    @classmethod
    def _can_be_called(cls, endpoint: str | None) -> str | None:
        """The address itself is no place for a secret: it is shown."""
        if endpoint is None:
            return None
        try:
            url = URL(endpoint)
        except ValueError:
            raise UnfitError("is no web address.", _ADDRESS) from None
        if url.scheme not in ("http", "https") or not url.host:
            raise UnfitError("is no web address.", _ADDRESS)
        if url.user or url.password:
            raise UnfitError("holds a name or a password.", "Put an authorization under traces.headers.")
        return endpoint


_ADDRESS = "Write one such as http://collector.example.test:4318/v1/traces."


def _between(span: dt.timedelta, least: dt.timedelta, most: dt.timedelta, told: str) -> dt.timedelta:
    if not least <= span <= most:
        raise UnfitError(f"does not lie between {told}.", f"Write a span between {told}.")
    return span
