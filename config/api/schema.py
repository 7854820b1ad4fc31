"""What the API's description has beside the views: who may, what can go wrong, and the token."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_lib_doc_excludes
from rest_framework.permissions import SAFE_METHODS

from config.api.problems import CONTENT_TYPE
from orders.known import Known
from whatsapp_bot.api_base import Strict

PROBLEMS = {
    "400": "Something sent is wrong: `errors` says what and where.",
    "401": "There is no token, or it is not known, expired or revoked.",
    "403": "The token's user may not do this.",
    "404": "There is no such thing.",
    "409": "It cannot be done as things stand: `reasons` says why.",
    "411": "The body came without `Content-Length`.",
    "412": "It has changed since the version in `If-Match`.",
    "413": "This is more than fits into one request.",
    "415": "The body is not `application/json`.",
    "429": "Too many requests: `Retry-After` says how many seconds to wait.",
    "503": "Somebody else is changing this, or the database is not available at the moment: "
    "`Retry-After` says how many seconds to wait.",
    "default": "Anything else that went wrong.",
}
OF_READING = ["400", "401", "403", "404", "429", "503", "default"]
PROBLEM = {
    "type": "object",
    "description": "What went wrong, as RFC 9457 describes it.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "What kind of problem it is, for programs."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people."},
        "errors": {
            "type": "array",
            "description": "What is wrong in what was sent.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "Where in the body."},
                    "parameter": {"type": "string", "description": "Which one of the address."},
                    "detail": {"type": "string"},
                },
            },
        },
        "reasons": {
            "type": "array",
            "description": "Why a step of the review cannot be taken.",
            "items": {"type": "string"},
        },
    },
    "additionalProperties": True,
}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "config.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        about = "An API token, as it is made in the admin under “API tokens”."
        return {"type": "http", "scheme": "bearer", "description": about}


def not_for_readers() -> list[type]:
    """Classes whose docstrings are for programmers, and describe nothing to users of the API."""
    return [*get_lib_doc_excludes(), Known, Strict]


class Described(AutoSchema):
    """Says of each call which permissions it needs, and of each answer what is always in it."""

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "response":
            may_lack = getattr(serializer, "seen_with", ())
            schema["required"] = [name for name in schema["properties"] if name not in may_lack]
        return schema

    def get_description(self) -> str:
        said = super().get_description() or ""
        return f"{said}\n\nNeeds {self._needed()}.".strip()

    def _needed(self) -> str:
        needed = list(getattr(self.view, "needs", ()))
        if not needed:
            (permission,) = self.view.get_permissions()
            method = "GET" if self.method in SAFE_METHODS else self.method
            model = self.view.get_queryset().model
            needed = permission.get_required_permissions(method, model)
        return " and ".join(f"`{one}`" for one in needed)


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """spectacular's hook: every call can go wrong in the same ways, and says so in the same way."""
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    result["components"]["schemas"]["Problem"] = PROBLEM
    result["components"]["responses"] = {
        name: {"description": about, "content": content} for name, about in PROBLEMS.items()
    }
    for calls in result["paths"].values():
        for method, call in calls.items():
            for name in OF_READING if method == "get" else PROBLEMS:
                call["responses"].setdefault(name, {"$ref": f"#/components/responses/{name}"})
    return result
