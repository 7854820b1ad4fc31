from django.urls import path

from config.access import views

app_name = "second_factor"
urlpatterns = [
    path("", views.page, name="page"),
    path("is-it-you/", views.prove, name="prove"),
    path("set-up/", views.set_up, name="set_up"),
    path("recovery-codes/", views.recovery_codes, name="recovery_codes"),
]
