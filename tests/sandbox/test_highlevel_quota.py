"""The HighLevel stand-in's quota: a strict sliding window and a day, told in the headers of every answer."""

from __future__ import annotations

import random

from syncline.sandbox.highlevel import Options
from tests.sandbox.highlevel_desk import Desk

HEADERS = {
    "X-RateLimit-Limit-Daily",
    "X-RateLimit-Daily-Remaining",
    "X-RateLimit-Interval-Milliseconds",
    "X-RateLimit-Max",
    "X-RateLimit-Remaining",
}


def test_the_headers_count_down_on_every_answer() -> None:
    desk = Desk()
    first, refused, nobody = desk.search(), desk.search(page=0), desk.call("GET", "/x", token=None)

    assert first.headers["X-RateLimit-Limit-Daily"] == "200000"
    assert first.headers["X-RateLimit-Daily-Remaining"] == "199999"
    assert first.headers["X-RateLimit-Interval-Milliseconds"] == "10000"
    assert first.headers["X-RateLimit-Max"] == "100"
    assert first.headers["X-RateLimit-Remaining"] == "99"
    assert first.headers["X-RateLimit-Daily-Reset"] == str(15 * 3_600_000)
    assert refused.headers["X-RateLimit-Remaining"] == "98"
    assert set(nobody.headers) >= HEADERS


def test_the_daily_reset_header_is_an_option() -> None:
    assert "X-RateLimit-Daily-Reset" not in Desk(Options(daily_reset_header=False)).search().headers


def test_the_hundred_and_first_call_in_ten_seconds_is_refused() -> None:
    desk = Desk()
    for _ in range(100):
        assert desk.search().status == 200

    refused = desk.search()
    assert refused.refusal == (429, "Too Many Requests")
    assert refused.data["statusCode"] == 429
    assert "Retry-After" not in refused.headers
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    desk.clock.advance(9.999)
    assert desk.search().status == 429
    desk.clock.advance(0.001)
    assert desk.search().status == 200
    assert desk.control("stats")["refused_429"] == 2


def test_a_429_may_say_when_to_come_back() -> None:
    desk = Desk(Options(retry_after=True))
    desk.control("quota", burst=1)
    assert "Retry-After" not in desk.search().headers
    desk.clock.advance(2.5)
    assert desk.search().headers["Retry-After"] == "8"
    desk.control("quota", burst=100, daily=1)
    assert desk.search().headers["Retry-After"] == str(15 * 3600 - 2)


def test_no_window_of_the_interval_ever_holds_more_than_the_limit() -> None:
    desk = Desk()
    desk.control("quota", burst=5, interval_ms=1000)
    chance = random.Random(5)
    answered: list[float] = []
    now = 0.0
    for _ in range(400):
        step = chance.choice([0, 0.05, 0.2, 0.9])
        now += step
        desk.clock.advance(step)
        if desk.search().status == 200:
            answered.append(now)
        else:
            assert sum(now - 1 < at <= now for at in answered) == 5

    assert all(sum(start <= at < start + 0.9999 for at in answered) <= 5 for start in answered)


def test_the_day_has_a_limit_of_its_own_and_starts_anew() -> None:
    desk = Desk()
    desk.control("quota", daily=3)
    assert [desk.search().status for _ in range(4)] == [200, 200, 200, 429]
    assert desk.search().headers["X-RateLimit-Daily-Remaining"] == "0"

    desk.clock.advance(15 * 3600)
    assert desk.search().headers["X-RateLimit-Daily-Remaining"] == "2"


def test_each_location_and_app_has_its_own_quota() -> None:
    desk = Desk()
    desk.control("quota", burst=1)
    other = desk.account.private_tokens[desk.other_location]

    assert desk.search().status == 200
    assert desk.search().status == 429
    assert desk.call("GET", "/locations/search", token=other).status == 200
    assert desk.call("GET", "/locations/search", token=desk.agency_token).status == 200
    assert desk.call("GET", "/locations/search", token=_app_token(desk)).status == 200


def test_a_private_token_may_share_the_apps_quota() -> None:
    desk = Desk(Options(private_token_shares_quota=True))
    desk.control("quota", burst=1)

    assert desk.search().status == 200
    assert desk.call("GET", "/locations/search", token=_app_token(desk)).status == 429


def _app_token(desk: Desk) -> str:
    app = desk.account.app
    form = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "grant_type": "authorization_code",
        "code": desk.control("authorize", location=desk.location)["code"],
    }
    return desk.call("POST", "/oauth/token", form=form, token=None).data["access_token"]
