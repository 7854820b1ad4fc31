import pytest

from defects.models import DefectReport, Question, ReportForm
from defects.tests.people import a_report


@pytest.fixture
def report(new_phone) -> DefectReport:
    """One that was just reported."""
    return a_report(new_phone)


@pytest.fixture
def defect_form(db) -> ReportForm:
    """The shipped form."""
    return ReportForm.objects.get(key="defect")


@pytest.fixture
def two_questions(defect_form) -> ReportForm:
    """The shipped form with a second question, for a number."""
    Question.objects.create(
        form=defect_form,
        position=20,
        name="parts",
        kind=Question.Kind.NUMBER,
        text="How many parts?",
    )
    defect_form.publish()
    return defect_form
