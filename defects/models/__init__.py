from defects.models.audit import Change, Door
from defects.models.export import Export
from defects.models.forms import FormVersion, Question, ReportForm, problems_in, report_forms
from defects.models.parts import CorrectiveAction, Disposition, Note
from defects.models.report import Attachment, DefectReport
from defects.models.review import DefectCategory, Severity, Status
from whatsapp_bot.refusals import NotAllowed

__all__ = [
    "Attachment",
    "Change",
    "CorrectiveAction",
    "DefectCategory",
    "DefectReport",
    "Disposition",
    "Door",
    "Export",
    "FormVersion",
    "NotAllowed",
    "Note",
    "Question",
    "ReportForm",
    "Severity",
    "Status",
    "problems_in",
    "report_forms",
]
