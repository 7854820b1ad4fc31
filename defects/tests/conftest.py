import pytest

from defects.models import Question, ReportForm


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
