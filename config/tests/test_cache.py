"""Redis is shared by all workers, and may be away: nobody has to wait for it, and nobody is refused."""

import socket
import time

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from rest_framework.test import APIClient

from config import settings as production
from defects.dashboard import Period, figures
from defects.models import DefectCategory
from whatsapp_bot import doctor
from whatsapp_bot.doctor import State

pytestmark = pytest.mark.django_db
CATEGORIES = "/api/v1/categories/"


class Redis:
    """In the place of its client: what is kept, and whether it is away."""

    kept: dict
    is_away: bool
    asked: int

    def __init__(self, *_, **__) -> None:
        pass

    def _ask(self) -> dict:
        Redis.asked += 1
        if Redis.is_away:
            raise ConnectionError("secret")
        return Redis.kept

    def get(self, key, default):
        return self._ask().get(key, default)

    def add(self, key, value, timeout):
        is_new = key not in self._ask()
        Redis.kept.setdefault(key, value)
        return is_new

    def set(self, key, value, timeout):
        self._ask()[key] = value

    def incr(self, key, delta):
        self._ask()[key] += delta
        return Redis.kept[key]


@pytest.fixture
def redis(settings, monkeypatch):
    monkeypatch.setattr("django.core.cache.backends.redis.RedisCacheClient", Redis)
    Redis.kept, Redis.is_away, Redis.asked = {}, False, 0
    settings.CACHE_URL = "redis://127.0.0.1:6379/0"
    settings.CACHES = {
        "default": {"BACKEND": "config.cache.SharedCache", "LOCATION": [settings.CACHE_URL]}
    }
    return Redis


@pytest.fixture
def erp(api, monkeypatch):
    """Another system, which asks all it does within a minute."""
    monkeypatch.setattr("config.api.authentication.MinuteThrottle.timer", lambda _: 1e9)
    return api(is_superuser=True)


def another_worker() -> None:
    """From here on it is one that has nothing in its own memory."""
    del caches["default"]


def answers(client: APIClient, count: int = 3) -> list[int]:
    return [client.get(CATEGORIES).status_code for _ in range(count)]


def away(log: list[dict]) -> list[dict]:
    return [line for line in log if line["event"] == "the cache is away"]


def test_workers_count_together(redis, erp, settings):
    settings.API_PER_MINUTE = settings.API_WRONG_TOKENS_PER_MINUTE = 2
    stranger = APIClient(HTTP_AUTHORIZATION="Bearer wrong")
    assert (answers(erp, 1), answers(stranger, 1)) == ([200], [401])
    another_worker()
    assert (answers(erp, 2), answers(stranger, 2)) == ([200, 429], [401, 429])


def test_workers_show_the_same_figures(redis, monkeypatch):
    week = Period.of_days(7)
    first = figures(week)
    another_worker()
    assert figures(week).at == first.at
    monkeypatch.setattr("defects.dashboard.VERSION", 1)
    assert figures(week).at != first.at, "of another version of the program"


def test_while_it_is_away_all_is_answered_and_nobody_refused(redis, erp, admin_client, settings):
    settings.API_PER_MINUTE = settings.API_WRONG_TOKENS_PER_MINUTE = 1
    redis.is_away = True
    assert answers(erp) == [200, 200, 200]
    assert answers(APIClient(HTTP_AUTHORIZATION="Bearer wrong")) == [401, 401, 401]
    assert admin_client.get("/admin/").status_code == 200
    assert admin_client.get("/health/").status_code == 200
    (found,) = doctor.shared_cache()
    assert (found.state, "not limited" in found.says) == (State.WRONG, True)


def test_it_is_asked_again_after_a_while_and_the_log_says_so_once(redis, erp, settings, log):
    settings.API_PER_MINUTE = 1
    redis.is_away = True
    assert answers(erp) == [200, 200, 200]
    (line,) = away(log)
    assert (line["error"], redis.asked) == ("ConnectionError", 1)

    redis.is_away = False
    assert answers(erp) == [200, 200, 200]
    caches["default"].away_until = time.monotonic()
    assert answers(erp) == [200, 429, 429]
    assert len(away(log)) == 1


def test_a_change_is_made_while_it_is_away(redis, erp):
    redis.is_away = True
    assert erp.post(CATEGORIES, {"name": "Scratch"}).status_code == 201
    assert DefectCategory.objects.filter(name="Scratch").exists()


def test_the_doctor_says_that_it_is_away_and_the_log_does_not_say_so_as_well(redis, log):
    redis.is_away = True
    assert [one.state for one in doctor.shared_cache()] == [State.WRONG]
    assert log == []


def test_the_doctor_finds_nothing_wrong(redis, settings):
    assert [one.state for one in doctor.shared_cache()] == [State.OK]
    settings.CACHE_URL = ""
    assert [one.state for one in doctor.shared_cache()] == [State.OK]


# In the memory of a worker ------------------------------------------------------------------------


def test_strangers_do_not_push_out_the_counts_of_others(erp, settings):
    settings.API_PER_MINUTE = settings.API_WRONG_TOKENS_PER_MINUTE = 1
    assert answers(erp, 1) == [200]
    for one in range(1_000):
        address = f"198.51.{one // 250}.{one % 250}"
        stranger = APIClient(HTTP_AUTHORIZATION="Bearer x", HTTP_X_FORWARDED_FOR=address)
        assert stranger.get(CATEGORIES).status_code == 401
    assert answers(erp, 1) == [429]


def test_a_count_that_is_pushed_out_while_it_is_asked_for_begins_anew(erp, settings, monkeypatch):
    settings.API_PER_MINUTE = 1
    monkeypatch.setattr(LocMemCache, "add", lambda *_: False)
    assert answers(erp) == [200, 429, 429]


# With the client itself --------------------------------------------------------------------------


@pytest.mark.parametrize("listens", [False, True])
def test_the_client_gives_up_within_a_second(erp, settings, log, listens):
    """Where nothing listens, and where something does that never answers."""
    pytest.importorskip("redis")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        settings.CACHES = {"default": production._cache(url)}
        if not listens:
            server.close()
        settings.API_PER_MINUTE = 1
        began = time.monotonic()
        assert answers(erp) == [200, 200, 200]
        assert time.monotonic() - began < 2
    assert len(away(log)) == 1
