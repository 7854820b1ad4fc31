from defects.admin import dashboard, exports, forms, history, reports

__all__ = ["dashboard", "exports", "forms", "history", "reports"]
