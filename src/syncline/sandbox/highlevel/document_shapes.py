"""Documents, templates and links as the JSON that the proposals API answers (facts: highlevel-api.md 1.7).

Used by `proposals` and `document_control`. A recipient's optional keys are absent until there is something to tell.
"""

from __future__ import annotations

from syncline.sandbox.highlevel.documents import Document, Link, Recipient, Template
from syncline.sandbox.highlevel.state import iso

SITE = "https://sendlink.example.test"


def document_shape(location_id: str, document: Document) -> dict[str, object]:
    """`DocumentDto`. Status and payment status are lists, of one word each."""
    return {
        "locationId": location_id,
        "documentId": document.document_id,
        "_id": document.id,
        "name": document.name,
        "type": document.type,
        "deleted": document.is_deleted,
        "isExpired": document.is_expired,
        "documentRevision": document.revision,
        "fillableFields": [_field_shape(each) for each in document.recipients],
        "grandTotal": {
            "amount": document.amount,
            "currency": document.currency,
            "discountPercentage": 0,
            "discounts": [],
        },
        "locale": "en-US",
        "status": [document.status],
        "paymentStatus": [document.payment],
        "recipients": [_recipient_shape(document, each) for each in document.recipients],
        "links": [link_shape(document, each) for each in document.links],
        "updatedAt": iso(document.updated_ms),
        "createdAt": iso(document.created_ms),
    }


def link_shape(document: Document, link: Link) -> dict[str, object]:
    """`ProposalEstimateLinksDto`."""
    return {
        "referenceId": link.reference_id,
        "documentId": document.document_id,
        "recipientId": link.recipient_id,
        "entityName": link.entity,
        "recipientCategory": "recipient",
        "documentRevision": link.revision,
        "createdBy": link.created_by,
        "deleted": document.is_deleted,
    }


def template_shape(location_id: str, template: Template) -> dict[str, object]:
    """`TemplateListResponseDTO`; the address of its form only where it is public."""
    shape: dict[str, object] = {
        "_id": template.id,
        "deleted": template.is_deleted,
        "version": template.version,
        "name": template.name,
        "locationId": location_id,
        "type": template.type,
        "updatedBy": template.updated_by,
        "isPublicDocument": template.is_public,
        "createdAt": iso(template.created_ms),
        "updatedAt": iso(template.updated_ms),
        "id": template.id,
    }
    if template.is_public:
        shape["documentCount"] = template.documents
        shape["docFormUrl"] = f"{SITE}/documents/doc-form/{template.id}?locale=en_US"
    return shape


def _recipient_shape(document: Document, recipient: Recipient) -> dict[str, object]:
    shape: dict[str, object] = {
        "id": recipient.id,
        "firstName": recipient.first_name,
        "lastName": recipient.last_name,
        "email": recipient.email,
        "contactName": recipient.name,
        "hasCompleted": recipient.has_completed,
        "role": "signer",
        "isPrimary": recipient.order == 1,
        "signingOrder": recipient.order,
    }
    if recipient.signed_ms is not None:
        shape |= {"signedDate": iso(recipient.signed_ms), "ip": "192.0.2.7"}
    if recipient.viewed_ms is not None:
        shape["lastViewedAt"] = iso(recipient.viewed_ms)
    link = next((each for each in document.links if each.recipient_id == recipient.id), None)
    if link is not None:
        shape["shareLink"] = f"{SITE}/documents/v1/{link.reference_id}?locale=en-US"
    return shape


def _field_shape(recipient: Recipient) -> dict[str, object]:
    """The signature that a recipient has to give."""
    return {
        "fieldId": f"signature_{recipient.order}",
        "isRequired": True,
        "hasCompleted": recipient.has_completed,
        "recipient": recipient.id,
        "entityType": recipient.entity,
        "id": f"{recipient.id}-{recipient.order}",
        "type": "Signature",
        "value": recipient.name if recipient.has_completed else "",
    }
