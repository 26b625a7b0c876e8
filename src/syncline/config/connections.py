"""The settings of connections: how an account is reached, what may be used of it, and which webhooks are believed.

Read by `config.loading` from `syncline.yaml`, and by the service for connections that were made over the API.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from syncline.config.strict import Model, Share
from syncline.core.quota import RESERVE, Terms


class QuotaSettings(Model):
    """What a connection may use, where its vendor's answers tell nothing, and what is kept for live work."""

    daily: int | None = Field(default=None, gt=0, description="Calls a day (UTC).")
    burst: tuple[Annotated[int, Field(gt=0)], Annotated[float, Field(gt=0)]] | None = Field(
        default=None, description="Calls, and in how many seconds: [100, 10]."
    )
    reserve: Share = Field(
        default=RESERVE,
        description="The share of every limit that full runs leave to live edits and to people.",
    )

    def terms(self) -> Terms:
        """As the limiter takes it."""
        return Terms(self.daily, self.burst, self.reserve or 0.0)


class ActiveCollabWebhookSettings(Model):
    """What is believed of an ActiveCollab account's webhooks, beyond their secret."""

    instance: int | None = Field(
        None, gt=0, description="The account's number in its webhooks; those of another are refused."
    )


class HighLevelWebhookSettings(Model):
    """Which signatures of HighLevel's webhooks are believed."""

    keys: list[str] = Field(
        default_factory=list[str],
        description="Ed25519 public keys (PEM); empty: the one that HighLevel publishes.",
    )
    legacy: bool = Field(
        default=False, description="Also believe the old X-WH-Signature, which is not sent any more."
    )
    legacy_keys: list[str] = Field(
        default_factory=list[str], description="RSA public keys (PEM) for the old signature."
    )


class ActiveCollabSettings(Model):
    """An ActiveCollab account, in the cloud or self-hosted."""

    vendor: Literal["activecollab"]
    url: str = Field(
        description="The install's address, or https://app.activecollab.com/ACCOUNT for a cloud account."
    )
    token: SecretStr = Field(description="An API token, best of an Owner made for the sync. Write ${NAME}.")
    header: str = Field("X-Angie-AuthApiToken", description="The header that carries the token.")
    prefix: str = Field("", description="What stands before the token, such as Bearer.")
    job_type: str = Field("", description="Id of the job type for estimates; empty: the account's default.")
    quota: QuotaSettings = Field(default=QuotaSettings(), description="What the connection may use.")
    webhooks: ActiveCollabWebhookSettings = Field(
        default=ActiveCollabWebhookSettings(instance=None), description="Which webhooks are believed."
    )


class OAuthSettings(Model):
    """A HighLevel Marketplace app."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr = Field(
        description="The first one; later ones are kept in the database, encrypted."
    )
    version_id: str = Field("", description="The app's version; private apps need it to be authorised.")
    pkce: bool = Field(default=False, description="Send a PKCE challenge when the app is authorised.")
    authorize_url: str = Field(
        "", description="Where people authorise the app; empty: the Marketplace, under HighLevel's own brand."
    )


class HighLevelSettings(Model):
    """One HighLevel location (sub-account), also under a white-label brand."""

    vendor: Literal["highlevel"]
    url: str = "https://services.leadconnectorhq.com"
    location: str = Field(description="The location's id.")
    token: SecretStr | None = Field(None, description="A private integration token. Write ${NAME}.")
    oauth: OAuthSettings | None = None
    version: str = Field("2021-07-28", description="The Version header.")
    search_lag: float = Field(120, ge=0, description="Seconds that the search index may run behind writes.")
    external_key: str = Field(
        "syncline_key", description="Text field (best a unique one) in which created records carry our mark."
    )
    quota: QuotaSettings = Field(default=QuotaSettings(), description="What the connection may use.")
    webhooks: HighLevelWebhookSettings = Field(
        default=HighLevelWebhookSettings(), description="Which webhooks are believed."
    )


class WorkspaceSettings(Model):
    """The workspace of this installation: projects, documents, contracts, milestones, leads, tasks and people of our own, in our
    own database. There is nothing to configure."""

    vendor: Literal["workspace"]


ConnectionSettings = Annotated[
    ActiveCollabSettings | HighLevelSettings | WorkspaceSettings, Field(discriminator="vendor")
]
