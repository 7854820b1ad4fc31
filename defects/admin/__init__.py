from defects.admin import forms, reports

__all__ = ["forms", "reports"]
