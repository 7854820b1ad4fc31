"""Settings for the test suite: production's, with a made-up Twilio account and no `.env`."""

import os

os.environ.update(
    ANDON_ENV_FILE=os.devnull,
    DEBUG="false",
    SECRET_KEY="only for tests, only for tests, only for tests",
    TWILIO_ACCOUNT_SID="AC" + "5" * 32,
    TWILIO_AUTH_TOKEN="test-token-8d1f0c7b5a9e4321",
    TWILIO_WHATSAPP_NUMBER="+15005550006",
    PUBLIC_URL="https://andon.example.com",
    ALLOWED_HOSTS="andon.example.com,testserver",
    TIME_ZONE="Africa/Johannesburg",
    CACHE_URL="",  # Each test empties it.
)
if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
else:
    os.environ.pop("DATABASE_URL", None)

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The test client speaks plain HTTP.
SECURE_SSL_REDIRECT = False
# What a test writes need not outlive the machine.
_options = DATABASES["default"]["OPTIONS"]  # noqa: F405
if "init_command" in _options:
    SQLITE_SYNCHRONOUS = "OFF"
    _options["init_command"] += "PRAGMA synchronous=OFF;"
else:
    _options["options"] += " -c synchronous_commit=off"
# Else each client of a test would first read through all static files.
WHITENOISE_AUTOREFRESH = True
