#!/usr/bin/env python
import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        from whatsapp_bot.outage import DOES_NOT_ANSWER, IS_IT_THERE, why_away

        if why := why_away(error):
            sys.exit(f"{DOES_NOT_ANSWER.format(why=why)}\n{IS_IT_THERE}")
        raise
