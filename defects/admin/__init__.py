from defects.admin import exports, forms, reports

__all__ = ["exports", "forms", "reports"]
