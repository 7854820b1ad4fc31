"""Who asks: another system with a token, which does what the token's user may do."""

import re
from typing import Any

from django.conf import settings
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from config.access.guessing import client_address
from config.access.models import Token

MINUTE = 60

_SHAPE = re.compile(rf"{Token.PREFIX}[0-9a-f]{{64}}".encode())


class TokenAuthentication(KnoxAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            count_stranger(request)
            raise

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Token]:
        found = None
        if _SHAPE.fullmatch(token):
            found = Token.objects.with_digest(hash_token(token.decode()))
        if not found:
            raise AuthenticationFailed("This token is not known.")
        if why := found.why_refused():
            raise AuthenticationFailed(why)
        found.note_use()
        return found.user, found


def count_stranger(request: Request) -> None:
    """Raises Throttled when too many tokens that are wrong come from the same address."""
    throttle = StrangerThrottle()
    if not throttle.allow_request(request, None):
        raise Throttled(throttle.wait())


class MinuteThrottle(SimpleRateThrottle):
    """So many in each minute of the clock, counted in one step.

    REST framework reads what was, and writes it with one more: of two workers that do so at the
    same time, one is forgotten.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        key = self.get_cache_key(request, view)
        if key is None:
            return True
        minute, self.second = divmod(self.timer(), MINUTE)
        of_minute = f"{key}:{minute:.0f}"
        if self.cache.add(of_minute, 1, 2 * MINUTE):
            return True
        try:
            return self.cache.incr(of_minute) <= self.num_requests
        except ValueError:  # At that moment the counts of others have pushed it out.
            self.cache.set(of_minute, 1, 2 * MINUTE)
            return True

    def wait(self) -> float:
        return MINUTE - self.second


class StrangerThrottle(MinuteThrottle):
    scope = "stranger"

    def get_rate(self) -> str:
        return f"{settings.API_WRONG_TOKENS_PER_MINUTE}/min"

    def get_cache_key(self, request: Any, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": client_address(request)}


class TokenThrottle(MinuteThrottle):
    scope = "token"

    def get_rate(self) -> str:
        return f"{settings.API_PER_MINUTE}/min"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        if not isinstance(request.auth, Token):
            return None
        return self.cache_format % {"scope": self.scope, "ident": request.auth.pk}
