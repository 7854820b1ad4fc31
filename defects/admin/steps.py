"""The steps of a review as buttons on a report's page."""

from dataclasses import dataclass

from defects.models import DefectReport, Status
from defects.models.review import TRANSITIONS


@dataclass(frozen=True)
class Step:
    """A verb of the report. wants: what has to be said with it, "reason" or "duplicate"."""

    name: str
    label: str
    wants: str = ""
    is_next: bool = True

    @property
    def leads_to(self) -> Status:
        return TRANSITIONS[self.name].to

    def is_possible(self, report: DefectReport) -> bool:
        return report.status in TRANSITIONS[self.name].after


STEPS = [
    Step("acknowledge", "Acknowledge"),
    Step("begin_review", "Start review"),
    Step("decide", "Decide"),
    Step("close", "Close"),
    Step("dismiss", "Unfounded", wants="reason", is_next=False),
    Step("mark_duplicate", "Duplicate", wants="duplicate", is_next=False),
    Step("reopen", "Open again", wants="reason", is_next=False),
]


def steps_of(report: DefectReport) -> list[Step]:
    """What may be done with the report now."""
    return [step for step in STEPS if step.is_possible(report)]


def find(name: str) -> Step | None:
    return next((step for step in STEPS if step.name == name), None)
