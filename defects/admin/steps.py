"""The steps of a review as buttons on a report's page."""

from dataclasses import dataclass

from defects.models import DefectReport, Status
from defects.models.review import UNDECIDED


@dataclass(frozen=True)
class Step:
    """A verb of the report. wants: what has to be said with it, "reason" or "duplicate"."""

    name: str
    label: str
    after: tuple[Status, ...]
    wants: str = ""
    is_next: bool = True


STEPS = [
    Step("acknowledge", "Acknowledge", (Status.REPORTED,)),
    Step("begin_review", "Start review", (Status.ACKNOWLEDGED,)),
    Step("decide", "Decide", (Status.IN_REVIEW,)),
    Step("close", "Close", (Status.DECIDED,)),
    Step("dismiss", "Unfounded", tuple(UNDECIDED), wants="reason", is_next=False),
    Step("mark_duplicate", "Duplicate", tuple(UNDECIDED), wants="duplicate", is_next=False),
    Step(
        "reopen",
        "Open again",
        (Status.DECIDED, Status.CLOSED, Status.UNFOUNDED, Status.DUPLICATE),
        wants="reason",
        is_next=False,
    ),
]

LEADS_TO = {
    "acknowledge": Status.ACKNOWLEDGED,
    "begin_review": Status.IN_REVIEW,
    "decide": Status.DECIDED,
    "close": Status.CLOSED,
    "dismiss": Status.UNFOUNDED,
    "mark_duplicate": Status.DUPLICATE,
    "reopen": Status.IN_REVIEW,
}


def steps_of(report: DefectReport) -> list[Step]:
    """What may be done with the report now."""
    return [step for step in STEPS if report.status in step.after]


def find(name: str) -> Step | None:
    return next((step for step in STEPS if step.name == name), None)
