"""What all workers of the web server share in Redis: figures and counts that need not last."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache

log = structlog.get_logger("config")

PAUSE_SECONDS = 10
"""For which Redis is not asked after it was away: to wait each time would hold up messages."""


class SharedCache(RedisCache):
    """Django's own. While Redis is away nothing is found in it, and nothing is kept."""

    away_until = 0.0

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._unless_away(super().get, key, default, version, otherwise=default)

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return self._unless_away(super().add, key, value, timeout, version, otherwise=False)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self._unless_away(super().set, key, value, timeout, version, otherwise=None)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._unless_away(super().incr, key, delta, version, otherwise=0)

    def keeps(self, word: str) -> bool:
        """Does it keep what it is given? Who asks says so themselves: the log does not."""
        try:
            super().set(word, word, 10)
            return super().get(word) == word
        except Exception:
            return False

    def _unless_away(self, ask: Callable[..., Any], *about: Any, otherwise: Any) -> Any:
        if monotonic() < self.away_until:
            return otherwise
        try:
            return ask(*about)
        # Of the client, which need not be installed, or of what another version has kept there.
        except Exception as error:
            self.away_until = monotonic() + PAUSE_SECONDS
            log.error("the cache is away", exc_info=error)
            return otherwise
