"""Settings of one installation, read from the environment (and from `.env`, if there is one).

`.env.example` describes every variable. A wrong or missing one stops the start with one line
that names it.
"""

import os
import re
import sys
import warnings
from datetime import timedelta
from difflib import get_close_matches
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from config.formats.en import formats
from config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent


class _Env(environ.Env):
    """Remembers what it was asked for: these are the settings that there are."""

    asked: ClassVar[set[str]] = set()

    def get_value(self, var: str, *args, **options):
        self.asked.add(var)
        return super().get_value(var, *args, **options)


env = _Env()
_wrong: list[str] = []
_in_file: set[str] = set()


def _read_file(file: Path, *, is_needed: bool) -> None:
    """Take from `file` what the environment does not say itself."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        if is_needed:
            _wrong.append(f"ANDON_ENV_FILE: {file} is not there")
        return
    except OSError as error:
        _wrong.append(f"{file} cannot be read: {error.strerror}")
        return
    except UnicodeDecodeError:
        _wrong.append(f"{file} is not UTF-8")
        return
    said = {number: line for number, line in enumerate(lines, 1) if re.match(r"\s*[^\s#]", line)}
    # What is no setting would be printed as it is, with the secrets in it.
    odd = [
        number for number, line in said.items() if not re.match(r"(export )?[A-Za-z_0-9]+=", line)
    ]
    _wrong.extend(f"line {number} of {file} must be NAME=value" for number in odd)
    lines = [line for number, line in said.items() if number not in odd]
    _in_file.update(re.match(r"(?:export )?(\w+)", line)[1] for line in lines)
    env.read_env(StringIO("\n".join(lines)))


_file = os.environ.get("ANDON_ENV_FILE")
_read_file(Path(_file or BASE_DIR / ".env"), is_needed=bool(_file))


def _read(name: str, reader, **options):
    """The variable `name`, or None when it is wrong: all that is wrong is reported together."""
    try:
        return reader(name, **options)
    except (ImproperlyConfigured, ValueError):
        _wrong.append(f"{name} is missing or malformed")
        return None


def _matching(name: str, pattern: str, shape: str, *, when_debug: str) -> str:
    # Not by `env`, which takes what begins with $ for the name of another variable.
    env.asked.add(name)
    value = os.environ.get(name, "").strip() or (when_debug if DEBUG else "")
    if not re.fullmatch(pattern, value):
        _wrong.append(f"{name} must be {shape}" if value else f"{name} is missing ({shape})")
    return value


def _switch(name: str, *, default: bool) -> bool:
    value = env.str(name, default=str(default)).strip().lower()
    if value not in ("true", "false"):
        _wrong.append(f"{name} must be true or false")
    return value == "true"


def _number(name: str, default: float, *, least: float = 0, most: float = 1e6) -> float:
    text = env.str(name, default="").strip() or str(default)
    if re.fullmatch(r"\d{1,7}(\.\d+)?", text) and least <= float(text) <= most:
        return float(text)
    _wrong.append(f"{name} must be a number from {least:g} to {most:g}")
    return default


_PORT = r"[1-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]"
_HOST = rf"([\w.-]+|\[[0-9a-fA-F:]+\])(:({_PORT}))?"

DEBUG = _switch("DEBUG", default=False)

# Twilio ------------------------------------------------------------------------------------------

TWILIO_ACCOUNT_SID = _matching(
    "TWILIO_ACCOUNT_SID",
    r"AC[0-9a-fA-F]{32}",
    "AC and 32 hexadecimal digits",
    when_debug="AC" + "0" * 32,
)
TWILIO_AUTH_TOKEN = _matching(
    "TWILIO_AUTH_TOKEN",
    r"\S{16,}",
    "the account's auth token",
    when_debug="only-for-the-simulator-00000000",
)
TWILIO_WHATSAPP_NUMBER = _matching(
    "TWILIO_WHATSAPP_NUMBER",
    r"(whatsapp:)?\+[1-9]\d{6,14}",
    "a number such as +27123456789",
    when_debug="+15005550006",
).removeprefix("whatsapp:")
PUBLIC_URL = _matching(
    "PUBLIC_URL",
    rf"https?://{_HOST}(/[^\s?#]*)?",
    "the address that Twilio calls, such as https://andon.example.com",
    when_debug="http://127.0.0.1:8000",
).rstrip("/")

TWILIO_REPLY_WITH = (
    _matching("TWILIO_REPLY_WITH", r"twiml|api|", "twiml or api", when_debug="twiml") or "twiml"
)
TWILIO_API_URL = env.str("TWILIO_API_URL", default="").strip().rstrip("/")
if not re.fullmatch(r"(http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?)?", TWILIO_API_URL):
    _wrong.append("TWILIO_API_URL is for tests: a fake Twilio on this machine, or nothing")
TWILIO_MEDIA_URL = env.str("TWILIO_MEDIA_URL", default="").strip().rstrip("/")
if not re.fullmatch(r"(http://(127\.0\.0\.1|localhost|\[::1\]):\d{1,5})?", TWILIO_MEDIA_URL):
    _wrong.append("TWILIO_MEDIA_URL is for tests: where a fake Twilio has its media, or nothing")
TWILIO_TIMEOUT_SECONDS = _number("TWILIO_TIMEOUT_SECONDS", 15, least=1, most=60)

# Sending -----------------------------------------------------------------------------------------

SEND_PER_SECOND = _number("SEND_PER_SECOND", 80, least=0.1, most=10_000)
SEND_PAUSE_SECONDS = _number("SEND_PAUSE_SECONDS", 6)
SEND_AT_ONCE = int(_number("SEND_AT_ONCE", 16, least=1, most=200))
SEND_ATTEMPTS = int(_number("SEND_ATTEMPTS", 30, least=1, most=40))
SEND_BACK_OFF_SECONDS = _number("SEND_BACK_OFF_SECONDS", 2, least=0.01, most=3)
# A message that is claimed for longer than any request can take belonged to a worker that died.
SEND_CLAIM_SECONDS = 3 * TWILIO_TIMEOUT_SECONDS + 15
LOOK_UP_AFTER_SECONDS = _number("LOOK_UP_AFTER_SECONDS", 20, least=0.01, most=3600)

# What Twilio takes for a message, in or out, as long as it is not billed yet; in US dollars.
MESSAGE_COST = _number("MESSAGE_COST", 0.005, most=100)

# Asking what we missed ---------------------------------------------------------------------------

RECONCILE_EVERY_MINUTES = _number("RECONCILE_EVERY_MINUTES", 10, least=0.1, most=1440)
# WhatsApp's day, less a minute: after that no answer could go.
RECONCILE_ANSWER_WITHIN_MINUTES = _number("RECONCILE_ANSWER_WITHIN_MINUTES", 60, most=1439)

# Files that people send --------------------------------------------------------------------------

FETCH_AT_ONCE = int(_number("FETCH_AT_ONCE", 4, least=1, most=20))
FETCH_SECONDS = _number("FETCH_SECONDS", 60, least=1, most=600)
# Longer than fetching, looking at and storing one can take.
FETCH_CLAIM_SECONDS = 2 * FETCH_SECONDS + 120
TWILIO_DELETE_MEDIA = _switch("TWILIO_DELETE_MEDIA", default=True)

# Security ----------------------------------------------------------------------------------------

SECRET_KEY = _matching(
    "SECRET_KEY",
    r".{40,}",
    "at least 40 random characters",
    when_debug="not-a-secret-and-good-for-nothing-but-a-trial-run",
)
ALLOWED_HOSTS = [
    *(_read("ALLOWED_HOSTS", env.list, default=["localhost", "127.0.0.1", "[::1]"]) or []),
    # What Twilio is told to call must not be refused.
    *re.findall(r"^https?://(\[[^]]+]|[^/:]+)", PUBLIC_URL),
]
if any("/" in host for host in ALLOWED_HOSTS):
    _wrong.append("ALLOWED_HOSTS are names of hosts, without https:// and paths")
CSRF_TRUSTED_ORIGINS = _read("CSRF_TRUSTED_ORIGINS", env.list, default=[]) or []
if not all(re.fullmatch(rf"https?://(\*\.)?{_HOST}", one) for one in CSRF_TRUSTED_ORIGINS):
    _wrong.append("CSRF_TRUSTED_ORIGINS are addresses such as https://andon.example.com")

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = not DEBUG
# A redirect would lose the message, and a load balancer asks for health in plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^whatsapp/", r"^health/$"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_HSTS_PRELOAD = not DEBUG
SESSION_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_SECURE = not DEBUG
CSRF_FAILURE_VIEW = "config.access.views.out_of_date"
# The pages under /admin/ get a little more: see config/headers.py.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}

# Signing in --------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]
# A shift and the way home, counted from signing in; sooner when the browser is closed.
SESSION_COOKIE_AGE = int(_number("SIGN_IN_HOURS", 12, least=0.1, most=720) * 3600)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

PROXIES = int(_number("PROXIES", 0 if DEBUG else 1, most=10))
AXES_FAILURE_LIMIT = int(_number("SIGN_IN_TRIES", 5, least=1, most=100))
AXES_COOLOFF_TIME = timedelta(minutes=_number("SIGN_IN_PAUSE_MINUTES", 15, least=1, most=1440))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Who tries again too soon need not wait longer for it.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "config.access.guessing.client_address"
AXES_LOCKOUT_CALLABLE = "config.access.guessing.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

ADMIN_SECOND_FACTOR = _switch("ADMIN_SECOND_FACTOR", default=False)
OTP_TOTP_ISSUER = "Andon"

# API ---------------------------------------------------------------------------------------------

API_PER_MINUTE = int(_number("API_PER_MINUTE", 600, least=1, most=100_000))
API_WRONG_TOKENS_PER_MINUTE = int(
    _number("API_WRONG_TOKENS_PER_MINUTE", 600, least=1, most=100_000)
)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["config.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["config.api.permissions.AsInTheAdmin"],
    "DEFAULT_THROTTLE_CLASSES": ["config.api.authentication.TokenThrottle"],
    "DEFAULT_PARSER_CLASSES": ["config.api.parsing.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "config.api.paging.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["config.api.filtering.KnownFilters"],
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.Described",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "config.api.problems.as_problem",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # The format of an answer is asked for by a header alone.
    "URL_FORMAT_OVERRIDE": None,
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer"}
KNOX_TOKEN_MODEL = "access.Token"  # noqa: S105
# Our own token takes the place of its only table.
MIGRATION_MODULES = {"knox": None}
SPECTACULAR_SETTINGS = {
    "TITLE": "Andon",
    "VERSION": "1",
    "DESCRIPTION": "Orders, production, defect reports and the people on WhatsApp, for other "
    "systems of the factory. The handbook is docs/api.md.",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ReportStatus": "defects.models.Status",
        "FileStatus": "whatsapp_bot.models.media.Media.Status",
        "MessageStatus": "whatsapp_bot.delivery.Status",
        "HelpRequestStatus": "whatsapp_bot.models.help_request.HelpRequest.Status",
    },
    "SERVE_INCLUDE_SCHEMA": False,
    "GET_LIB_DOC_EXCLUDES": "config.api.schema.not_for_readers",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.schema.add_problems",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "none", "filter": True},
}

# Application -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "simple_history",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_tasks",
    "django_tasks_db",
    "rest_framework",
    "django_filters",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "whatsapp_bot",
    "orders",
    "defects",
    "config.api",
    "config.access",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.headers.ContentSecurityPolicy",
    "simple_history.middleware.HistoryRequestMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.api.problems.problems_under_api",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "config.access.second_factor.ask_for_the_code",
    "axes.middleware.AxesMiddleware",
    "config.lists.WholeListInstead",
    "config.locked.TryAgain",
]

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database ----------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SQLITE_SYNCHRONOUS = env.str("SQLITE_SYNCHRONOUS", default="").strip().upper() or "FULL"
if SQLITE_SYNCHRONOUS not in ("FULL", "NORMAL"):
    _wrong.append("SQLITE_SYNCHRONOUS must be FULL or NORMAL")

warnings.filterwarnings("ignore", "Engine not recognized")  # it would print the password
try:
    _database = env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
except (ImproperlyConfigured, ValueError):
    _database = {}
if _database.get("ENGINE") == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        # Take the write lock at BEGIN: two turns then wait for each other instead of failing.
        "transaction_mode": "IMMEDIATE",
        "timeout": 8,
        # What was answered is on the disk, and a power cut does not take it back.
        "init_command": f"PRAGMA journal_mode=WAL; PRAGMA synchronous={SQLITE_SYNCHRONOUS};",
    }
    # In a file, since several threads cannot share a database in memory.
    _database["TEST"] = {"NAME": str(BASE_DIR / ".test.sqlite3")}
elif _database.get("ENGINE") == "django.db.backends.postgresql":
    # Together below the 10 seconds after which the webhook has to have answered.
    _database["OPTIONS"] = {
        "connect_timeout": 4,
        "options": "-c lock_timeout=3s -c idle_in_transaction_session_timeout=60s",
        # Milliseconds after which a server that is gone without a word is given up. Whether it is
        # still there is asked after half a minute in which we only waited for it.
        "tcp_user_timeout": 6000,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 2,
        # After a failover, who was the first may still answer, and would take nothing.
        "target_session_attrs": "read-write",
        **_database.get("OPTIONS", {}),
    }
else:
    _database = {}
if not _database.get("NAME"):
    _wrong.append("DATABASE_URL must be like sqlite:///file or postgres://user:password@host/name")
# A connection stays. To make one for each request costs more than a turn does. A page asks
# first whether it still works; what Twilio brings is tried a second time.
_database["CONN_MAX_AGE"] = None
_database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}

# What the web server's workers keep for a minute -------------------------------------------------


def _cache(url: str) -> dict:
    """Django's description of it: in the memory of each worker, or in a Redis that all share."""
    if not url:
        # With room for the counts of many who ask: beyond that, some are forgotten.
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    if not re.fullmatch(rf"rediss?://([^\s:@/?#]*:[^\s@/?#]*@)?{_HOST}(/\d{{0,4}})?", url):
        _wrong.append("CACHE_URL must be like redis://:password@host:6379/0")
        return {}
    if not find_spec("redis"):
        _wrong.append("CACHE_URL needs a library: pip install redis")
        return {}
    return {
        "BACKEND": "config.cache.SharedCache",
        # In a list, since in a text a comma of the password would end it.
        "LOCATION": [url],
        # Seconds: what is asked of it goes on without it.
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }


CACHE_URL = env.str("CACHE_URL", default="").strip()
CACHES = {"default": _cache(CACHE_URL)}

# Language, time, files ---------------------------------------------------------------------------

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "config.formats"
# For those who look here only: unfold's filters by day.
DATE_INPUT_FORMATS = formats.DATE_INPUT_FORMATS
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
try:
    ZoneInfo(TIME_ZONE)
except (OSError, KeyError, ValueError):
    _wrong.append("TIME_ZONE must be a name such as Africa/Johannesburg")
    TIME_ZONE = "UTC"


def _storage_of_files(url: str) -> dict:
    """Django's description of where files are kept: a folder, or a bucket that speaks S3."""
    if not url:
        private = {"file_permissions_mode": 0o640, "directory_permissions_mode": 0o750}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": private}
    parts = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([\w/.-]*))?(?:\?(.*))?", url)
    options = dict(parse_qsl(parts[3] or "")) if parts else {}
    if not parts or not options.keys() <= {"region", "endpoint"}:
        _wrong.append("MEDIA_STORAGE_URL must be like s3://bucket/folder?region=eu-west-1")
        return {}
    if not all(find_spec(module) for module in ("storages", "boto3")):
        _wrong.append("MEDIA_STORAGE_URL needs a library: pip install 'django-storages[s3]'")
        return {}
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts[1],
            "location": (parts[2] or "").strip("/"),
            "region_name": options.get("region"),
            "endpoint_url": options.get("endpoint"),
            "default_acl": None,  # private, as the bucket is
            "file_overwrite": False,
        },
    }


STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default="") or BASE_DIR / "media")
WHITENOISE_USE_FINDERS = True
warnings.filterwarnings("ignore", "No directory at")  # whitenoise, before collectstatic
_collected = "collectstatic" in sys.argv or (STATIC_ROOT / "staticfiles.json").exists()
MEDIA_STORAGE_URL = env.str("MEDIA_STORAGE_URL", default="").strip()
STORAGES = {
    "default": _storage_of_files(MEDIA_STORAGE_URL),
    "staticfiles": {
        # Names with a hash need collectstatic; without it the files are served as they are.
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _collected
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Background, mail --------------------------------------------------------------------------------

TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        # The worker sees to each of them at the same time.
        "QUEUES": ["sending", "fetching", "mailing", "exporting", "importing"],
    }
}

try:
    vars().update(env.email_url("EMAIL_URL", default="consolemail://" if DEBUG else "dummymail://"))
except (ImproperlyConfigured, KeyError, ValueError):
    _wrong.append("EMAIL_URL must be like smtp+tls://user:password@host:587")
# A mail server that does not answer must not hold up the messages.
EMAIL_TIMEOUT = 10
ADMINS = [(one, one) for one in _read("ALARM_EMAILS", env.list, default=[]) or []]
if not all(re.fullmatch(r"[^@;]+@[^@;]+", address) for _, address in ADMINS):
    _wrong.append("ALARM_EMAILS are addresses with commas between them")
EMAIL_SUBJECT_PREFIX = ""
SERVER_EMAIL = DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="").strip() or "andon@localhost"

# Conversation ------------------------------------------------------------------------------------

CONVERSATION_TIMEOUT_HOURS = _number("CONVERSATION_TIMEOUT_HOURS", 4, least=0.01, most=9999)

# Admin -------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Andon",
    "SITE_HEADER": "Andon",
    "SITE_SYMBOL": "support_agent",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("simulator/icon.svg"),
        }
    ],
    "STYLES": [
        lambda request: static("whatsapp_bot/admin.css"),
        lambda request: static("whatsapp_bot/print.css"),
    ],
    "SCRIPTS": [
        lambda request: static("whatsapp_bot/keyboard.js"),
        lambda request: static("whatsapp_bot/names.js"),
        lambda request: static("whatsapp_bot/print.js"),
    ],
    "TABS": "config.navigation.tabs",
    "SITE_DROPDOWN": "config.navigation.site_dropdown",
    "ACCOUNT": {"navigation": "config.navigation.account"},
    "SIDEBAR": {"show_search": True, "navigation": "config.navigation.sidebar"},
    "DASHBOARD_CALLBACK": "defects.admin.dashboard.dashboard",
    "GLOBAL_CALLBACK": "whatsapp_bot.admin.sending.on_every_page",
}

# Logs --------------------------------------------------------------------------------------------

LOGGING = logging_config(debug=DEBUG)

# Names that are no settings ----------------------------------------------------------------------

_OF_OTHERS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "TMPDIR"}


def _not_settings() -> dict[str, str]:
    """Names that we do not read, with the one that is probably meant; "" when they are in a file.

    Of the environment, where others have theirs, only those that are misspelt.
    """
    found = {}
    for name in sorted(os.environ.keys() - env.asked - _OF_OTHERS):
        meant = get_close_matches(name.upper(), env.asked, n=1, cutoff=0.85)
        # What is not even in capitals may be a piece of a secret.
        if meant or (name in _in_file and name.isupper()):
            found[name] = meant[0] if meant else ""
    return found


NOT_SETTINGS = _not_settings()

if _wrong:
    _wrong += [
        f"{name} is no setting: is {meant} meant?" for name, meant in NOT_SETTINGS.items() if meant
    ]
    print(f"Andon cannot start: {'; '.join(_wrong)}. See .env.example.", file=sys.stderr)
    # 3 is what gunicorn takes as "do not try again".
    raise SystemExit(3)
