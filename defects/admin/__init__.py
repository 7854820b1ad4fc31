from defects.admin import dashboard, forms, history, reports

__all__ = ["dashboard", "forms", "history", "reports"]
