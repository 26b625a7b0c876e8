"""Refusals by their words, token forms and answers, and the sentences that a person reads."""

from __future__ import annotations

import datetime as dt
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from syncline.connectors.highlevel.oauth import (
    Tokens,
    authorize_url,
    code_form,
    read_tokens,
    refresh_form,
)
from syncline.connectors.highlevel.refusals import (
    ExpiredTokenError,
    ScopeError,
    classify,
    is_about_object,
    message_of,
)
from syncline.errors import AuthError, ConnectorError, NotFoundError, RejectedError, TransientError

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


def body(message: object, **more: object) -> bytes:
    return json.dumps({"statusCode": 0, "message": message, "traceId": "t", **more}).encode()


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "message", "kind"),
        [
            (401, "version header was not found.", AuthError),
            (401, "Invalid token: access token is invalid", ExpiredTokenError),
            (401, "Invalid JWT", ExpiredTokenError),
            (401, "The token is expired", ExpiredTokenError),
            (401, "The token is not authorized for this scope.", ScopeError),
            (401, "Token's user type mismatch!", AuthError),
            (401, "", AuthError),
            (403, "The token does not have access to this location.", AuthError),
            (401, "This route is not yet supported by the IAM Service. Please update", AuthError),
            (500, "This route is not yet supported by the IAM Service. Please update", AuthError),
            (403, "This authClass type is not allowed to access this scope.", AuthError),
            (404, "Cannot GET /objects/x/records/1", AuthError),
            (404, "Record not found", NotFoundError),
            (400, "Invalid Key Passed", RejectedError),
            (422, ["property contactId should not exist"], RejectedError),
        ],
    )
    def test_the_message_decides(self, status: int, message: object, kind: type[ConnectorError]) -> None:
        error = classify(status, body(message))

        assert type(error) is kind

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 302])
    def test_what_passes_or_is_unclear_is_left_to_the_general_rules(self, status: int) -> None:
        assert classify(status, body("Oops")) is None
        assert classify(status, b"<html>") is None

    @pytest.mark.parametrize(
        ("message", "is_duplicate"),
        [
            ("A record with the same value for ac_uid already exists", True),
            ("ac_uid must be unique", True),
            ("Duplicate value for ac_uid", True),
            ("duplicate key error", True),
            ("unique constraint failed", True),
            (
                "resolution must be one of the following values: already exists, duplicate record, fixed",
                False,
            ),
            ("unique_name must be a string", False),
            ("duplicate_of must be a string", False),
        ],
    )
    @pytest.mark.parametrize("status", [400, 409, 422])
    def test_a_violated_unique_field_is_known_by_its_words(
        self, status: int, message: str, is_duplicate: bool
    ) -> None:
        error = classify(status, body(message))

        assert isinstance(error, RejectedError)
        assert error.is_duplicate is is_duplicate

    def test_messages_come_as_text_as_list_and_as_v3_object(self) -> None:
        assert message_of(body("one\n two")) == "one two"
        assert message_of(body(["one", "two"])) == "one; two"
        assert message_of(b'{"error":{"code":"x","message":"three"}}') == "three"
        assert message_of(b'{"error":"invalid_grant","error_description":"four"}') == "four"
        assert message_of(b"<html>") == ""
        assert len(message_of(body("x" * 5000))) == 300

    def test_a_missing_object_is_told_from_a_missing_record(self) -> None:
        assert is_about_object(RejectedError("Object with key custom_objects.x not found"))
        assert not is_about_object(NotFoundError("Record not found"))


class TestTokens:
    def test_the_person_is_sent_with_all_that_a_private_app_needs(self) -> None:
        url = authorize_url(
            "app-1", "https://here.example.test/back", ["a", "b"], state="s", version_id="app"
        )

        assert parse_qs(urlsplit(url).query) == {
            "response_type": ["code"],
            "client_id": ["app-1"],
            "redirect_uri": ["https://here.example.test/back"],
            "scope": ["a b"],
            "state": ["s"],
            "version_id": ["app"],
        }

    def test_the_forms_carry_their_grant(self) -> None:
        code = parse_qs(code_form("app-1", "secret", "c", "https://here.example.test/back").decode())
        refresh = parse_qs(refresh_form("app-1", "secret", "r").decode())

        assert (code["grant_type"], code["code"]) == (["authorization_code"], ["c"])
        assert (refresh["grant_type"], refresh["refresh_token"]) == (["refresh_token"], ["r"])
        assert refresh["user_type"] == ["Location"]

    @pytest.mark.parametrize(
        "answer",
        [
            {"access_token": "A", "refresh_token": "R", "expires_in": 60, "scope": "a b"},
            {"accessToken": "A", "refreshToken": "R", "expiresIn": 60, "scope": "a b"},
        ],
    )
    def test_both_spellings_are_read(self, answer: dict[str, object]) -> None:
        more = {"userType": "Location", "locationId": "LOC", "companyId": "COM", "userId": "u1"}

        tokens = read_tokens(200, json.dumps({**answer, **more}).encode(), NOW)

        expires_at = NOW + dt.timedelta(seconds=60)
        assert tokens == Tokens("A", "R", expires_at, ("a", "b"), "Location", "LOC", "COM", "u1")

    def test_no_secret_shows(self) -> None:
        assert "hidden" not in repr(Tokens("hidden-a", "hidden-r", NOW))

    @pytest.mark.parametrize(
        ("status", "message", "kind"),
        [
            (400, "Invalid grant: refresh token is invalid", AuthError),
            (401, "Invalid client", AuthError),
            (400, "Location is not active", TransientError),
            (503, "", TransientError),
            (429, "Too Many Requests", TransientError),
        ],
    )
    def test_a_refusal_says_who_must_act(self, status: int, message: str, kind: type[ConnectorError]) -> None:
        with pytest.raises(kind):
            read_tokens(status, body(message), NOW)

    @pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"access_token": 3}'])
    def test_an_answer_without_a_token_is_refused(self, answer: bytes) -> None:
        with pytest.raises(ConnectorError):
            read_tokens(200, answer, NOW)
