from defects.admin import forms, history, reports

__all__ = ["forms", "history", "reports"]
