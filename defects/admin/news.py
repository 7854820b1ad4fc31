"""What a reporter will hear of a step, in words for staff beforehand."""

from defects.models import DefectReport
from defects.notices import NEWS
from whatsapp_bot.delivery import Route
from whatsapp_bot.wording import Notice


def news_ahead(report: DefectReport, ahead: list[str]) -> str:
    """What the reporter will hear when it takes on one of the statuses `ahead`."""
    choices: dict[str, list[str]] = {}
    for status, notice in NEWS.items():
        if status in ahead:
            named = choices.setdefault(_will_happen(report, notice), [])
            named.append(DefectReport.Status(status).label)
    return " ".join(f"When it becomes {_or(named)}, {what}" for what, named in choices.items())


def _will_happen(report: DefectReport, notice: Notice) -> str:
    route = report.reported_by.route(notice.key)
    if route.is_shut or not notice.is_on:
        return f"the reporter is not told: {in_the_way(notice, route)}."
    return f"the reporter is told. {route.label}"


def in_the_way(notice: Notice, route: Route) -> str:
    if not notice.is_on:
        return "this text is switched off"
    if route == Route.BLOCKED:
        return "we have blocked the person"
    return "the person has stopped our messages"


def _or(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
