from defects.admin import dashboard, forms, reports

__all__ = ["dashboard", "forms", "reports"]
