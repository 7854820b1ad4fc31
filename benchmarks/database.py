"""Sets Django up when it is imported; a database to measure on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")

import django

django.setup()

from django.db import connection
from django.test.utils import setup_test_environment


@contextmanager
def test_database() -> Iterator[None]:
    """Beside that of DATABASE_URL, as the tests have one, until the block ends."""
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
