"""The admin's sidebar: what staff do, and not what is stored where."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.text import format_lazy

from whatsapp_bot.models.help_request import untaken_requests
from whatsapp_bot.models.message import failed_lately
from whatsapp_bot.simulator.views import may_use


def _may(*any_of: str) -> Callable[[HttpRequest], bool]:
    return lambda request: any(map(request.user.has_perm, any_of))


def _item(title: str, icon: str, app: str, model: str, *makes: str) -> dict[str, Any]:
    """makes: permissions to make such; whoever has one sees their own."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _may(f"{app}.view_{model}", *makes),
    }


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """What is in the sidebar, with the numbers of what somebody should see to."""
    return [
        {**group, "items": [{**_linked(item), **_badge(request, item)} for item in group["items"]]}
        for group in NAVIGATION
    ]


def site_dropdown(request: HttpRequest) -> list[dict[str, Any]]:
    """What is in the menu at the product's name."""
    return [item for item in [SIMULATOR, API] if item["permission"](request)]


def account(request: HttpRequest) -> list[dict[str, Any]]:
    """What somebody who is signed in may do about it, beside signing out."""
    own = [{"title": "Change password", "link": reverse_lazy("admin:password_change")}]
    if settings.ADMIN_SECOND_FACTOR:
        own.append({"title": "Second factor", "link": reverse_lazy("second_factor:page")})
    return own


def _linked(item: dict[str, Any]) -> dict[str, Any]:
    """With its link as text: a lazy one would be worked out anew at each comparison."""
    return {**item, "link": str(item["link"])}


def _badge(request: HttpRequest, item: dict[str, Any]) -> dict[str, Any]:
    count_of, variant = BADGES.get(item["title"], (None, ""))
    count = count_of() if count_of and item["permission"](request) else 0
    return {"badge": str(count), "badge_variant": variant} if count else {}


def _shows_failed(request: HttpRequest) -> bool:
    return request.path == str(MESSAGES["link"]) and "failed" in request.GET


MESSAGES = _item("Messages", "chat", "whatsapp_bot", "message")
FAILED = {
    **_item("Failed messages", "sms_failed", "whatsapp_bot", "message"),
    "link": format_lazy("{}?failed=open", MESSAGES["link"]),
    "active": _shows_failed,
}
MESSAGES["active"] = lambda request: (
    request.path.startswith(str(MESSAGES["link"])) and not _shows_failed(request)
)

HELP = _item("Help requests", "contact_support", "whatsapp_bot", "helprequest")
HELP["active"] = lambda request, path=HELP["link"]: request.path.startswith(str(path))
HELP["link"] = format_lazy("{}?inbox=open", HELP["link"])

BADGES = {
    FAILED["title"]: (failed_lately, "danger"),
    HELP["title"]: (untaken_requests, "warning"),
}
"""How many there are, and how much that matters."""

SIMULATOR = {
    "title": "Simulator",
    "icon": "smartphone",
    "link": reverse_lazy("simulator:page"),
    "permission": may_use,
}

API = {
    "title": "API",
    "icon": "api",
    "link": reverse_lazy("docs"),
    "permission": _may("access.view_token", "access.add_token"),
}

NAVIGATION = [
    {
        "title": "Every day",
        "items": [
            _item("Defect reports", "report", "defects", "defectreport"),
            HELP,
            _item("Contacts", "person", "whatsapp_bot", "contact"),
            MESSAGES,
            FAILED,
        ],
    },
    {
        "title": "What the bot says",
        "items": [
            _item("Menus and greeting", "list", "whatsapp_bot", "menu"),
            _item("Texts", "edit_note", "whatsapp_bot", "wording"),
            _item("Text pages", "article", "whatsapp_bot", "page"),
            _item("Message templates", "verified", "whatsapp_bot", "messagetemplate"),
            _item("Report forms", "checklist", "defects", "reportform"),
            _item("Defect categories", "category", "defects", "defectcategory"),
            SIMULATOR,
        ],
    },
    {
        "title": "Orders and production",
        "items": [
            _item("Orders", "package_2", "orders", "order"),
            _item("Customers", "business", "orders", "customer"),
            _item("Links to customers", "link", "orders", "customerlink"),
            _item("Production runs", "calendar_month", "orders", "productionrun"),
            _item("Lines", "conveyor_belt", "orders", "line"),
            _item("Shifts", "schedule", "orders", "shift"),
            _item("Workers' lines", "push_pin", "orders", "pinnedline"),
        ],
    },
    {
        "title": "Behind the scenes",
        "collapsible": True,
        "items": [
            _item("Our number", "call", "whatsapp_bot", "channel"),
            _item("Conversations", "forum", "whatsapp_bot", "conversation"),
            _item("Files", "attach_file", "whatsapp_bot", "media"),
            _item("Changes of reports", "manage_history", "defects", "change"),
            _item("Form versions", "history", "defects", "formversion"),
            _item("Exports", "download", "defects", "export", "defects.export_defectreport"),
            _item("Imports", "upload", "orders", "import", "orders.add_import"),
            _item("Undone links", "link_off", "orders", "undonelink"),
            _item("Wrong order numbers", "search_off", "orders", "wronglookup"),
            _item("API tokens", "key", "access", "token", "access.add_token"),
            _item("Users", "badge", "auth", "user"),
            _item("Groups", "group", "auth", "group"),
        ],
    },
]


def _tab(model: str, title: str, query: str) -> dict[str, Any]:
    """One of the lists that somebody looks at every day."""
    there = reverse_lazy(f"admin:{model}_changelist")
    return {
        "title": title,
        "link": format_lazy("{}?{}", there, query),
        "active": lambda request: _narrowed_by(request) == dict(parse_qsl(query)),
    }


def _narrowed_by(request: HttpRequest) -> dict[str, str]:
    """What a list is narrowed to, on whatever page of it, in whatever order."""
    return {name: value for name, value in request.GET.items() if name not in PLACE_IN_A_LIST}


PLACE_IN_A_LIST = ("p", "o", "q", "all")


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    return [{**tab, "items": [_linked(item) for item in tab["items"]]} for tab in TABS]


TABS = [
    {
        "models": ["defects.defectreport"],
        "items": [
            _tab("defects_defectreport", "All", ""),
            _tab("defects_defectreport", "Open", "at_work=open"),
            _tab("defects_defectreport", "My open", "at_work=mine"),
            _tab("defects_defectreport", "Unacknowledged", "status__exact=reported"),
            _tab("defects_defectreport", "Critical", "at_work=open&severity__exact=critical"),
        ],
    },
    {
        "models": ["orders.order"],
        "items": [
            _tab("orders_order", "All", ""),
            _tab("orders_order", "Open", "standing=open"),
            _tab("orders_order", "Late", "standing=late"),
        ],
    },
    {
        "models": ["whatsapp_bot.helprequest"],
        "items": [
            _tab("whatsapp_bot_helprequest", "Open", "inbox=open"),
            _tab("whatsapp_bot_helprequest", "Mine", "inbox=mine"),
            _tab("whatsapp_bot_helprequest", "Taken", "inbox=taken"),
            _tab("whatsapp_bot_helprequest", "Answered", "inbox=answered"),
            _tab("whatsapp_bot_helprequest", "All", ""),
        ],
    },
    {
        "models": ["whatsapp_bot.contact"],
        "items": [
            _tab("whatsapp_bot_contact", "All", ""),
            _tab("whatsapp_bot_contact", "Customers", "role__exact=customer"),
            _tab("whatsapp_bot_contact", "Workers", "role__exact=worker"),
            _tab("whatsapp_bot_contact", "Unknown", "role__exact=unknown"),
            _tab("whatsapp_bot_contact", "Stopped", "reach=stopped"),
            _tab("whatsapp_bot_contact", "Blocked", "reach=blocked"),
        ],
    },
]
