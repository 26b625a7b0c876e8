"""Which operation answers which path of associations, relations, documents, templates and media: part of `routes`.

Scopes: highlevel-api.md 2.3. The official files name none for documents; the spelling there is that of the scope page.
"""

from __future__ import annotations

from syncline.sandbox.highlevel import associations, medias, proposals, relations
from syncline.sandbox.highlevel.calls import Route

_RELATIONS = "/associations/relations"
_ONE = "/associations/{associationId}"
_READ, _WRITE = "associations.readonly", "associations.write"
_TIE_READ, _TIE_WRITE = "associations/relation.readonly", "associations/relation.write"
_DOCUMENTS, _SEND = "documents_contracts/list.readonly", "documents_contracts/sendlink.write"
_TEMPLATES, _SEND_TEMPLATE = (
    "documents_contracts_templates/list.readonly",
    "documents_contracts_templates/sendlink.write",
)

TIE_ROUTES = (
    Route("POST", "/medias/upload-file", "medias.write", medias.upload_file),
    Route("GET", "/medias/files", "medias.readonly", medias.list_files),
    Route("DELETE", "/medias/{id}", "medias.write", medias.delete_file),
    Route("GET", "/associations/", _READ, associations.list_associations),
    Route("POST", "/associations/", _WRITE, associations.post_association),
    Route("GET", "/associations/key/{key_name}", _READ, associations.get_by_key),
    Route("GET", "/associations/objectKey/{objectKey}", _READ, associations.list_of_object),
    Route("POST", _RELATIONS, _TIE_WRITE, relations.post_relation),
    Route("GET", _RELATIONS + "/{recordId}", _TIE_READ, relations.list_relations),
    Route("DELETE", _RELATIONS + "/{relationId}", _TIE_WRITE, relations.delete_relation),
    Route("GET", _ONE, _READ, associations.get_association),
    Route("PUT", _ONE, _WRITE, associations.put_association),
    Route("DELETE", _ONE, _WRITE, associations.delete_association),
    Route("GET", "/proposals/document", _DOCUMENTS, proposals.list_documents),
    Route("POST", "/proposals/document/send", _SEND, proposals.send_document),
    Route("GET", "/proposals/templates", _TEMPLATES, proposals.list_templates),
    Route("POST", "/proposals/templates/send", _SEND_TEMPLATE, proposals.send_template),
)
