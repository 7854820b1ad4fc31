from django.urls import path, re_path

from whatsapp_bot.simulator import views

app_name = "simulator"
urlpatterns = [
    path("", views.page, name="page"),
    path("people/", views.people, name="people"),
    path("people/new/", views.new_person, name="new_person"),
    path("open/", views.open_at, name="open"),
    path("history/", views.history, name="history"),
    path("say/", views.say, name="say"),
    path("script/", views.script, name="script"),
    re_path(r"^files/(?P<name>ME[0-9a-f]{32}\.(?:jpg|png|webp|pdf))$", views.file, name="file"),
]
