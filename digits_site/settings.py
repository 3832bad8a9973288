"""Every setting, and the only module of the running service that reads the environment. Importing it writes nothing.

`.env.example` lists each variable with its default; a `.env` file beside manage.py is read if there is one.
"""

import os
import ssl
import sys
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from digits_site.backends import databases
from digits_site.environment import Environment
from digits_site.observability.logging import logging_settings
from digits_site.web.openapi import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from recognition.storage import storage_or_folder
from training.learner.config import KERAS_LEARNER

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
if (BASE_DIR / ".env").exists():
    Environment.read_env(BASE_DIR / ".env")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read at its import; ONNX Runtime reports its use to Microsoft

# --- Mode: `local` needs no configuration and serves loopback only; `public` refuses to start half-configured ---
DIGITS_MODE = env.str("DIGITS_MODE", default="local")
LOCAL = DIGITS_MODE == "local"
DEBUG = env.bool("DEBUG", default=False)
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.number("PORT", 8000)
WEB_CONCURRENCY = env.number("WEB_CONCURRENCY", os.cpu_count() or 1)  # granian's workers

# --- Data: database, models, checkpoints, the local secret key ---
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()

# In local mode `manage.py migrate` makes a key. Until then, and in public mode without one, which digits_site.checks
# refuses, it is random: nothing is ever signed with an empty key.
SECRET_KEY_FILE = DATA_DIR / "secret_key"
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_GIVEN = bool(SECRET_KEY)
if not SECRET_KEY and LOCAL and SECRET_KEY_FILE.exists():
    SECRET_KEY = SECRET_KEY_FILE.read_text().strip()
SECRET_KEY = SECRET_KEY or token_urlsafe(50)

# --- Access: hosts, origins, permissions ---
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if LOCAL else [])
FRONTEND_URL = env.str("FRONTEND_URL", default="http://localhost:3000" if LOCAL else "")
TRUSTED_ORIGINS = [o for o in [FRONTEND_URL.rstrip("/"), *env.list("TRUSTED_ORIGINS", default=[])] if o]
CSRF_TRUSTED_ORIGINS = TRUSTED_ORIGINS
CORS_ALLOWED_ORIGINS = TRUSTED_ORIGINS[:1] if FRONTEND_URL else []  # the only other origin that may read responses
CORS_URLS_REGEX = r"^/(api/.*)?$"
CORS_ALLOW_METHODS = ["GET", "POST", "PATCH", "DELETE", "OPTIONS"]
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Request-ID"]
TRAINING_OPEN = env.bool("TRAINING_OPEN", default=LOCAL)  # to all; otherwise needs training.add_trainingrun
TRAINING_COOLDOWN = env.number("TRAINING_COOLDOWN", 0 if LOCAL else 600)  # seconds between two visitors' runs
PREDICT_RATE = env.str("PREDICT_RATE", default="" if LOCAL else "120/min") or None
CORRECTIONS_OPEN = env.bool("CORRECTIONS_OPEN", default=True)  # to all; otherwise to reviewers
CORRECTIONS_REVIEWED = env.bool("CORRECTIONS_REVIEWED", default=not LOCAL)  # otherwise accepted at once
MAX_PENDING_CORRECTIONS = env.number("MAX_PENDING_CORRECTIONS", 20_000)  # 0: no limit
CORRECTION_DAYS = env.number("CORRECTION_DAYS", 0 if LOCAL else 90)  # 0: for ever
CORRECTION_RATE = env.str("CORRECTION_RATE", default="" if LOCAL else "30/min") or None
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0)  # proxies of ours that append to X-Forwarded-For
HTTPS = env.bool("HTTPS", default=not LOCAL)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:  # browsers accept these names from this host only, over HTTPS only
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# HSTS for subdomains (W005) and the browsers' preload list (W021) are for the domain's owner to decide, in the proxy.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# --- Limits ---
MAX_BODY_BYTES = env.number("MAX_BODY_BYTES", 1024 * 1024)
MAX_PICTURE_BYTES = env.number("MAX_PICTURE_BYTES", 8 * 1024 * 1024)
PICTURE_PATHS = {"/api/drawing", "/api/number", "/api/corrections"}  # they take a picture as the body or as a file
# The fields of a form with a picture; larger files, and under ASGI larger bodies, wait on the disk.
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
# Threads that decode at once fight over the interpreter: one slot serves a fifth more drawings than none.
MAX_DECODES = max(1, env.number("MAX_DECODES", 1))
STREAMS_PER_ADDRESS = env.number("STREAMS_PER_ADDRESS", 0 if LOCAL else 50)  # a class behind one address
STREAMS_TOTAL = env.number("STREAMS_TOTAL", 2000)
STREAM_FRAMES_PER_SECOND = env.number("STREAM_FRAMES_PER_SECOND", 5.0)  # from a client
LOGIN_FAILURES = env.number("LOGIN_FAILURES", 10)  # failed sign-ins of an address in a quarter of an hour
VIEWER_STALL_SECONDS = env.number("VIEWER_STALL_SECONDS", 20.0)  # until a viewer that reads nothing is disconnected

# --- Metrics: the token to read them in public mode, and the folder that processes of one machine share ---
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_DIR = Path(folder).resolve() if (folder := env.str("METRICS_DIR", default="")) else None
if METRICS_DIR:  # prometheus_client reads the variable when it is first imported
    os.environ.update(PROMETHEUS_MULTIPROC_DIR=str(METRICS_DIR))

DAILY_STATISTICS = env.bool("DAILY_STATISTICS", default=True)  # predictions by day, in the database

# --- Training ---
RUN_SECONDS = env.number("RUN_SECONDS", 0 if LOCAL else 4 * 3600)  # the longest a run may take; 0 is any time
RUN_LOST_SECONDS = env.number("RUN_LOST_SECONDS", 15.0)  # without a heartbeat, until a run is taken up again
QUEUE_LIMIT = env.number("QUEUE_LIMIT", 10)  # runs that may wait for others to end
CHECKPOINTS_KEPT = env.number("CHECKPOINTS_KEPT", 20)  # of runs that have ended, to go on from
COMMIT = env.str("COMMIT", default="")  # of the source, stored with runs; without it, git is asked
TRAINING_SPARE_SECONDS = env.number("TRAINING_SPARE_SECONDS", 600)  # after the worker's start, and after a run
ACTIVATE_AFTER_TRAINING = env.bool("ACTIVATE_AFTER_TRAINING", default=False)
MNIST_DIR = Path(env.str("MNIST_DIR", default=str(BASE_DIR / "training" / "data" / "mnist")))
LEARNER = env.str("LEARNER", default=KERAS_LEARNER)  # the function that trains, in a process of its own
WATCHDOG = env.bool("WATCHDOG", default=True)

# --- Webhooks ---
WEBHOOK_TIMEOUT_SECONDS = max(1.0, env.number("WEBHOOK_TIMEOUT_SECONDS", 10.0))
WEBHOOK_RETRY_SECONDS = env.number("WEBHOOK_RETRY_SECONDS", 5.0)  # until the first retry; the others in proportion
WEBHOOK_DAYS = env.number("WEBHOOK_DAYS", 30)  # 0: for ever

# --- Redis: channel layer, broker, cache of live progress, session cache; never the only copy of anything ---
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
REDIS_PASSWORD_GIVEN = bool(urlsplit(REDIS_URL).password)
_REDIS_TIMEOUTS = {"socket_connect_timeout": 1, "socket_timeout": 5}
_CACHE_OPTIONS = {  # requests do not wait for Redis
    "SOCKET_CONNECT_TIMEOUT": 1,
    "SOCKET_TIMEOUT": 1,
    "SERIALIZER": "digits_site.web.cache.JSONSerializer",
}
_CACHE = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "digits"}
CACHES = {
    "default": {**_CACHE, "OPTIONS": _CACHE_OPTIONS},
    "sessions": {**_CACHE, "OPTIONS": {**_CACHE_OPTIONS, "IGNORE_EXCEPTIONS": True}},  # the database has them too
}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no third cookie
SESSION_ENGINE, SESSION_CACHE_ALIAS = "django.contrib.sessions.backends.cached_db", "sessions"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, **_REDIS_TIMEOUTS}], "prefix": "digits"},
    }
}
CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("rediss:"):  # the other Redis clients verify by default; kombu does not
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_PUBLISH_RETRY = False  # without a broker the client gets a 503 at once
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {**_REDIS_TIMEOUTS, "global_keyprefix": "digits:", "max_retries": 1}
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

# --- Database ---
database = env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'digits.sqlite3'}")
if "ENGINE" not in database:
    raise ImproperlyConfigured("DATABASE_URL names no database: postgres://user:PASSWORD@host/name, or sqlite:///file")
# A command has one connection, and waits for it; a request is refused after two seconds.
IS_COMMAND = Path(sys.argv[0]).name == "manage.py"
DATABASES = {"default": databases.configure(database, 0 if IS_COMMAND else env.number("DATABASE_POOL", 4))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Django ---
INSTALLED_APPS = [
    "digits_site.apps.DigitsAdminConfig",
    *(f"django.contrib.{app}" for app in ("auth", "contenttypes", "sessions", "messages", "staticfiles")),
    *("corsheaders", "rest_framework", "knox", "drf_spectacular", "drf_spectacular_sidecar", "channels"),
    *("digits_site", "digits_site.accounts", "digits_site.webhooks", "recognition", "training"),
]
MIDDLEWARE = [
    "digits_site.web.middleware.request_id.RequestIDMiddleware",  # first: it sees the others' refusals
    "digits_site.web.middleware.slashes.SlashMiddleware",
    "digits_site.web.middleware.security_headers.SecurityHeadersMiddleware",
    "digits_site.web.middleware.hosts.HostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "digits_site.web.middleware.cors.CorsMiddleware",
    "digits_site.web.middleware.origins.OriginMiddleware",
    "digits_site.web.middleware.body_limit.BodyLimitMiddleware",
    "digits_site.web.middleware.sessionless.SessionlessMiddleware",  # a POST to the API skips what follows
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "digits_site.web.openapi.query_parameters.QueryParametersMiddleware",
    "digits_site.web.middleware.login_limit.LoginLimitMiddleware",
]
ROOT_URLCONF = "digits_site.urls"
ASGI_APPLICATION = "digits_site.asgi.application"
WSGI_APPLICATION = "digits_site.wsgi.application"
CSRF_FAILURE_VIEW = "digits_site.web.error_responses.csrf_failure"
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
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
TIME_ZONE, USE_I18N = "UTC", False
FORMAT_MODULE_PATH = "digits_site.formats"  # times in the admin
STATIC_URL, STATIC_ROOT = "/static/", DATA_DIR / "static"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # static files are for our own pages
MODEL_STORAGE_URL = env.str("MODEL_STORAGE_URL", default="")
STATICFILES_FINDERS = ["digits_site.web.static_files.Finder"]
STORAGES = {
    "staticfiles": {"BACKEND": "digits_site.web.static_files.Storage"},
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "models": storage_or_folder(MODEL_STORAGE_URL, DATA_DIR / "models"),
}
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["digits_site.web.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["digits_site.web.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "digits_site.web.negotiation.JSONNegotiation",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "digits_site.accounts.authentication.TokenAuthentication",  # first: its challenge makes DRF answer 401, not 403
        "digits_site.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PAGINATION_CLASS": "digits_site.web.pagination.PageNumberPagination",
    "PAGE_SIZE": 20,
    "DEFAULT_THROTTLE_RATES": {"predict": PREDICT_RATE, "correct": CORRECTION_RATE},
    "EXCEPTION_HANDLER": "digits_site.web.error_responses.handle_exception",
    "DEFAULT_SCHEMA_CLASS": "digits_site.web.openapi.schema.Schema",
}
KNOX_TOKEN_MODEL = "accounts.AccessToken"  # noqa: S105 (the name of a model)
REST_KNOX = {"TOKEN_TTL": None, "TOKEN_PREFIX": "digits_"}  # the prefix is what scanners for leaked secrets look for
MIGRATION_MODULES = {"knox": None}  # it would make the table of a model that ours replaces
LOG_FORMAT = env.str("LOG_FORMAT", default="line" if LOCAL else "json")
LOGGING = logging_settings(LOG_FORMAT, env.str("LOG_LEVEL", default="INFO").upper())
