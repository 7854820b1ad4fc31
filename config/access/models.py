from django.contrib.auth.models import Group
from django.db import models


class ShippedGroup(models.Model):
    """What a group that the product comes with was given so far, so that it gets it only once.

    group: None once staff have deleted it. given: permissions such as `orders.view_order`.
    """

    key = models.CharField(max_length=150, unique=True)
    group = models.OneToOneField(Group, models.SET_NULL, null=True)
    given = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.key
