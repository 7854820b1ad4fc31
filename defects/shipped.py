"""The report form that the product comes with: it asks one question."""

from django.apps import apps as every_app
from django.apps.registry import Apps

QUESTION = {
    "position": 10,
    "name": "description",
    "kind": "text",
    "text": "Please describe the defect:",
    "help_text": "",
    "required": True,
    "choices": "",
    "example": "Scratch, 5 cm",
    "only_when": "",
    "equals": "",
}


def create_report_form(*, using: str, apps: Apps = every_app, **_: object) -> None:
    """Receiver of `post_migrate`: make rows of the shipped form unless there is any form."""
    try:
        ReportForm = apps.get_model("defects", "ReportForm")
        FormVersion = apps.get_model("defects", "FormVersion")
        Question = apps.get_model("defects", "Question")
    except LookupError:  # migrated back to nothing
        return
    if ReportForm.objects.using(using).exists():
        return
    form = ReportForm.objects.using(using).create(key="defect", title="Defect")
    Question.objects.using(using).create(form=form, **QUESTION)
    form.live = FormVersion.objects.using(using).create(form=form, number=1, questions=[QUESTION])
    form.save(using=using)
