"""No secret gets into the logs: planted everywhere, written in every way, and looked for."""

from __future__ import annotations

import io
import json
import logging
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest
import structlog

from syncline.service.logs import set_up, take_down
from syncline.service.redaction import MASK, Redactor, secrets_of
from tests.clock import VirtualClock
from tests.service.still import SECRET_KEY, open_still

PLANTED = {
    "channel:mail": 'mailto://owner:pa55/w"ord+x@mail.example.test?to=a@example.test',
    "subscription:sub_1": "whsec_c2lnbmluZy1rZXktb2YtYS1zdWJzY3JpcHRpb24=",
    "oauth:hl:1": '{"access": "at-9f8e7d6c5b4a", "refresh": "rt-1a2b3c4d5e6f", "expires_at": "2026-03-02T10:00:00Z"}',
}
PARTS = ("at-9f8e7d6c5b4a", "rt-1a2b3c4d5e6f", SECRET_KEY, "5-abcdef", "pit-secret", *PLANTED.values())


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def lines(out: io.StringIO) -> list[dict[str, object]]:
    """What was logged."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


async def test_planted_secrets_are_in_no_line_however_they_are_written(
    tmp_path: Path, out: io.StringIO
) -> None:
    async with open_still(tmp_path, VirtualClock()) as installation:
        for name, secret in PLANTED.items():
            installation.store.save_secret(name, secret)
        redactor = Redactor(secrets_of(installation))
    handler = set_up(redactor, stream=out, level=logging.DEBUG)
    try:
        ours, theirs = structlog.get_logger("ours"), logging.getLogger("theirs")
        for secret in PARTS:
            ours.info(
                f"event {secret}",
                text=secret,
                nested={"list": [secret, {"deep": secret}]},
                url=quote(secret, safe=""),
            )
            theirs.warning("message %s and %r", secret, {"x": secret})
            theirs.debug("https://a.test/?x=%s", quote(secret, safe=""))
            try:
                raise ValueError(secret)
            except ValueError:
                ours.exception("failed")
                theirs.exception("failed")
                ours.error("failed", told=traceback.format_exc())
    finally:
        take_down(handler)

    told = out.getvalue()
    assert len(lines(out)) == 6 * len(PARTS)
    for secret in PARTS:
        for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]):
            assert form not in told
    assert "pa55" not in told
    assert "ValueError" in told


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef123456",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "syn_0123456789abcdef",
        "GET /oauth?state=abcdef123456&code=ghijkl",
        "postgresql://syncline:hunter22@db.example.test/x",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc_def",
    ],
)
def test_what_looks_like_a_secret_is_masked_though_nobody_knows_it(text: str) -> None:
    masked = Redactor().mask(text)

    assert MASK in masked
    for part in ("abcdef123456", "MfKQ9r8", "0123456789abcdef", "ghijkl", "hunter22", "eyJzdWIi"):
        assert part not in masked


def test_values_of_secret_sounding_keys_are_masked_and_others_stay(out: io.StringIO) -> None:
    handler = set_up(Redactor(), stream=out)
    try:
        structlog.get_logger("x").info(
            "asked", password="short", api_key="k", token_id=4, sync="tickets", headers={"Cookie": "a=b"}
        )
    finally:
        take_down(handler)

    (line,) = lines(out)
    assert (line["password"], line["api_key"], line["headers"]) == (MASK, MASK, {"Cookie": MASK})
    assert (line["token_id"], line["sync"], line["event"], line["level"]) == (4, "tickets", "asked", "info")
    assert line["logger"] == "x"


def test_a_short_text_is_no_secret() -> None:
    assert Redactor(["a", "hl", ""]).mask("all hail hl") == "all hail hl"


def test_what_is_learnt_later_is_masked_from_then_on() -> None:
    redactor = Redactor()
    assert redactor.mask("a longer-secret") == "a longer-secret"
    redactor.learn(["longer-secret"])

    assert redactor.mask("a longer-secret") == f"a {MASK}"
