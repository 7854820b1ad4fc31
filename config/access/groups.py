"""The groups that the product comes with, and what those in them may do.

They become rows after `migrate`. From then on they are the staff's: a later version only gives a
group what is new since then. What staff took away, renamed or deleted stays so, unless they ask for
the deleted ones with `restore_groups`.
"""

from fnmatch import fnmatchcase

from django.apps import apps as every_app
from django.apps.registry import Apps
from django.contrib.auth.models import Group
from django.db import DEFAULT_DB_ALIAS, transaction

from config.access.models import ShippedGroup

GROUPS = {
    "Reviewers": [
        "defects.view_defectreport",
        "defects.change_defectreport",
        "defects.review_defectreport",
        "defects.export_defectreport",
        "defects.view_change",
        "defects.view_attachment",
        "defects.view_defectcategory",
        "defects.view_disposition",
        "defects.add_disposition",
        "defects.change_disposition",
        "defects.view_correctiveaction",
        "defects.add_correctiveaction",
        "defects.change_correctiveaction",
        "defects.view_note",
        "defects.add_note",
        "whatsapp_bot.view_helprequest",
        "whatsapp_bot.change_helprequest",
        "whatsapp_bot.view_contact",
        "whatsapp_bot.write_to_contact",
        "whatsapp_bot.view_message",
        "whatsapp_bot.view_media",
        "whatsapp_bot.change_media",
        "orders.view_order",
        "orders.view_orderline",
        "orders.view_customer",
        "orders.view_customerlink",
        "orders.view_pinnedline",
        "orders.view_productionrun",
        "orders.view_line",
        "orders.view_shift",
        "access.add_token",
    ],
    "Editors": [
        "whatsapp_bot.*_wording",
        "whatsapp_bot.*_menu",
        "whatsapp_bot.*_menuitem",
        "whatsapp_bot.*_page",
        "whatsapp_bot.*_messagetemplate",
        "whatsapp_bot.use_simulator",
        "defects.*_reportform",
        "defects.*_question",
        "defects.*_formversion",
        "access.add_token",
    ],
    "Order clerks": [
        "orders.view_*",
        "orders.add_import",
        "orders.add_order",
        "orders.change_order",
        "orders.*_orderline",
        "orders.add_productionrun",
        "orders.change_productionrun",
        "orders.add_customer",
        "orders.change_customer",
        "orders.*_customerlink",
        # To link them to their customers.
        "whatsapp_bot.view_contact",
        "access.add_token",
    ],
    "Managers": [
        "defects.view_*",
        "defects.export_*",
        "orders.view_*",
        # Without the messages: the photos of reports, which they see, and of nothing else.
        "whatsapp_bot.view_media",
        "access.add_token",
    ],
    "Administrators": [
        "whatsapp_bot.*",
        "orders.*",
        "defects.*",
        "auth.*_user",
        "auth.*_group",
        "access.*_token",
    ],
}
"""Which permissions, as `app.codename`; `*` is for any letters. One need not exist yet."""


def create_groups(*, using: str, apps: Apps = every_app, **_: object) -> None:
    """Receiver of `post_migrate`: make the groups, and give each what is new.

    It comes last: then those of all other apps have made their permissions.
    """
    try:
        ShippedGroup = apps.get_model("access", "ShippedGroup")
        Group = apps.get_model("auth", "Group")
        Permission = apps.get_model("auth", "Permission")
    except LookupError:  # migrated back to nothing
        return
    permissions = {
        f"{one.content_type.app_label}.{one.codename}": one
        for one in Permission.objects.using(using).select_related("content_type")
    }
    known = {one.key: one for one in ShippedGroup.objects.using(using).select_related("group")}
    for key, patterns in GROUPS.items():
        shipped = known.get(key)
        if not shipped:
            group, _made = Group.objects.using(using).get_or_create(name=key)
            shipped = ShippedGroup(key=key, group=group)
        new = _matching(permissions, patterns) - set(shipped.given)
        if new and shipped.group:
            shipped.group.permissions.add(*(permissions[name] for name in new))
        if new or shipped.pk is None:
            shipped.given = sorted({*shipped.given, *new})
            shipped.save(using=using)


@transaction.atomic
def restore_groups() -> list[str]:
    """Make again, with all that they come with, those that were deleted. Returns their names.

    One whose name staff gave to another group in the meantime stays away.
    """
    gone = ShippedGroup.objects.filter(group=None, key__in=GROUPS)
    gone = gone.exclude(key__in=Group.objects.values("name"))
    names = list(gone.values_list("key", flat=True))
    ShippedGroup.objects.filter(key__in=names).delete()
    create_groups(using=DEFAULT_DB_ALIAS)
    return names


def _matching(names: dict[str, object], patterns: list[str]) -> set[str]:
    return {name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)}
