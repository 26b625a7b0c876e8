"""Every fact about HighLevel that nobody has confirmed, as a setting with a default.

Read by the rest of the stand-in; set by whoever makes a vendor, or later through the control action `options`. The
numbers in the comments are sections of the facts (highlevel-api.md).
"""

from __future__ import annotations

from enum import Enum

import msgspec


class PlainArray(Enum):
    """What a plain array does to a multi-valued field in an update, where the vendor documents `add`/`remove` (1.3)."""

    REPLACE = "replace"
    REJECT = "reject"
    MERGE = "merge"


class SideOrder(Enum):
    """Which object of a new association stands first (1.6: it may be the one that was sent second)."""

    AS_SENT = "as_sent"
    SWAPPED = "swapped"
    SORTED = "sorted"


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings, grouped as the stand-in is."""

    # Records: sections 1.3, 6.2 and 7
    plain_array: PlainArray = PlainArray.REPLACE
    identical_put_bumps: bool = True
    identical_put_fires: bool = True
    invalid_option_status: int = 422
    unique_status: int = 400
    unique_message: str = "A record with the same value for {field} already exists"
    primary_required: bool = False
    foreign_record_status: int = 404
    bare_object_key: bool = True
    record_scopes: bool = True
    """Whether reading, changing and deleting one record needs the `objects/record` scopes the spec leaves out."""
    api_channel: str = "INTEGRATION"
    human_source: str = "WEB_USER"

    # Search: sections 1.3, 7.4 and 7.5
    max_page_limit: int = 100
    max_depth: int | None = None
    """How many records page-based paging reaches; no limit when None."""
    total_cap: int | None = None
    time_ranges: bool = True
    """Whether `range` on createdAt and updatedAt works."""
    time_sorts: bool = True
    """Whether `sort` on createdAt and updatedAt works."""

    # CRM: section 1.8
    missing_crm_status: int = 400
    """How a contact, opportunity, task or note that is not there is refused; the spec documents no 404."""
    names_in_contact_search: bool = True
    """Whether the contact search tells names as they were typed, or in lower case only."""
    lowercase_tags: bool = False
    whole_task_events: bool = True
    """Whether Task events name the contact and the body, as documented; live ones did not (3.3)."""

    # Associations and relations: section 1.6
    association_order: SideOrder = SideOrder.SORTED
    relation_lag_seconds: float = 0.0
    """How long a new relation stays out of the lists (6.5)."""
    tie_totals: bool = True
    """Whether their lists tell a total."""
    max_ties_limit: int = 100
    """More are not answered, whatever `limit` asks for."""
    missing_relation_status: int = 404
    max_relations: int = 1000
    """How many records one record may be tied to under one label."""

    # Documents and templates: section 1.7
    one_document_id: bool = False
    """Whether `_id` and `documentId` are the same."""
    document_dates_by_update: bool = False
    """Whether `dateFrom` and `dateTo` look at the last change rather than at the creation."""
    documents_by_update: bool = False
    """Whether the document changed last comes first, rather than the one made last."""
    max_documents_limit: int = 100
    """More are not answered, whatever `limit` asks for."""
    deleted_documents_listed: bool = True
    documents_sent_again: bool = True
    """Whether a document that was sent already is sent again on request, or refused."""
    declined_document_status: str = ""
    """What a declined document shows; empty: what it showed before, since the spec has no word for it."""

    # Media: section 1.8
    max_media_bytes: int = 25 * 1024 * 1024
    media_too_large_status: int = 413

    # Schema: sections 1.4 and 1.5
    schema_cache_seconds: float = 0.0
    field_keys_from_names: bool = False
    keep_option_keys: bool = False
    """Keep option keys that a request gives, lower-cased, rather than make them from the labels."""

    # Access: sections 1.2 and 2.4
    unknown_route_status: int = 401
    auth_class_status: int = 401
    bogus_version_message: str = "version header is invalid."
    invalid_private_message: str = "Invalid token: access token is invalid"
    v3_prefix: bool = False
    """Whether `/v3/...` paths exist, meaning `Version: v3`."""

    # Quota: section 4
    daily_reset_header: bool = True
    retry_after: bool = False
    """Whether a 429 says in `Retry-After` how many seconds to wait."""
    private_token_shares_quota: bool = False
    """Whether a private token draws on the Marketplace app's quota rather than on its own."""

    # Webhooks: section 3
    object_key_in_webhooks: bool = True
    legacy_signature: bool = False
    """Also sign with RSA in `X-WH-Signature`, as the vendor did until 2026-09."""
