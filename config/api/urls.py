"""The addresses of the API: what each app's `api.py` has, and an end for all others."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from config.api.views import Description, Nowhere
from defects import api as defects
from orders import api as orders
from whatsapp_bot import api as whatsapp

router = SimpleRouter()
router.register("defects", defects.ReportViewSet)
OF_A_REPORT = f"defects/(?P<report>{defects.NUMBER})"
router.register(f"{OF_A_REPORT}/dispositions", defects.DispositionViewSet)
router.register(f"{OF_A_REPORT}/actions", defects.ActionViewSet)
router.register(f"{OF_A_REPORT}/notes", defects.NoteViewSet)
router.register("orders", orders.OrderViewSet)
router.register("order-lines", orders.OrderLineViewSet)
router.register("customers", orders.CustomerViewSet)
router.register("runs", orders.RunViewSet)
router.register("lines", orders.LineViewSet)
router.register("categories", defects.CategoryViewSet)
router.register("contacts", whatsapp.ContactViewSet)
router.register("help-requests", whatsapp.HelpRequestViewSet)
router.register("files", whatsapp.FileViewSet)

urlpatterns = [
    path("schema/", Description.as_view(), name="schema"),
    path("v1/", include(router.urls)),
    # Without it, an address that lacks its last slash would be redirected, and lose its body.
    re_path("", Nowhere.as_view()),
]
