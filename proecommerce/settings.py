"""Django settings: one file, values from the environment, a wrong value stops the start."""

from pathlib import Path
from urllib.parse import urlsplit

from proecommerce.env import from_process

env = from_process()
BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = env.text("SECRET_KEY")
DEBUG = env.flag("DEBUG")
DEMO = env.flag("DEMO")

# Addresses. Tenant hosts are <slug>.<host of SITE_URL> unless a tenant brings its own.
SITE_URL = env.url("SITE_URL", schemes=("http", "https"))
PAY_URL = env.url("PAY_URL", schemes=("http", "https"))
SITE_HOST = urlsplit(SITE_URL).hostname or ""
PAY_HOST = urlsplit(PAY_URL).hostname or ""
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", 0)
ALLOWED_HOSTS = ["*"]  # tenants.middleware answers only hosts that it knows; every other one gets 404

SHARED_APPS = [
    "proecommerce.apps.ProecommerceConfig",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "proecommerce.apps.StaffAdminConfig",
    "django_htmx",
    "heroicons",
    "csp",
    "vault",
    "audit",
    "tenants",
    "privacy",
    "accounts",
    "operations",
]
TENANT_APPS = [
    "django.contrib.sessions",
    "vault",
    "audit",
    "privacy",
    "accounts",
    "billing",
]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]

MIDDLEWARE = [
    "operations.middleware.RequestLogMiddleware",
    "proecommerce.headers.HeadersMiddleware",
    "billing.webhooks.StripeFirst",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.middleware.TenantMiddleware",
    "accounts.middleware.PrivatePagesMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.middleware.OneCookieMiddleware",
    "accounts.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "tenants.limits.LimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.ClosedTenantMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "proecommerce.urls"
PUBLIC_URLCONF = "proecommerce.urls_public"
PAY_URLCONF = "proecommerce.urls_pay"
WSGI_APPLICATION = "proecommerce.wsgi.application"

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
                "proecommerce.context.page",
                "proecommerce.context.rights",
            ],
            "builtins": ["proecommerce.templatetags.looks"],
        },
    }
]

# PostgreSQL: the app's login may read nothing until tenants.context has entered a tenant.
DATABASES = {
    "default": {
        "ENGINE": "tenants.postgresql",
        **env.database("DATABASE_URL"),
        "CONN_HEALTH_CHECKS": False,
        "DISABLE_SERVER_SIDE_CURSORS": False,
        "OPTIONS": {
            "pool": {"min_size": 0, "max_size": env.whole("DATABASE_POOL", 20, least=2), "timeout": 10},
            "connect_timeout": 5,
            "application_name": "proecommerce",
        },
    }
}
DATABASE_OWNER = env.database("DATABASE_OWNER_URL") if env.values.get("DATABASE_OWNER_URL") else None
DATABASE_ROUTERS = ["tenants.router.SchemaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # the address is unique whatever its case: user_email_once

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.url("CACHE_URL", schemes=("redis", "rediss", "unix")),
        "KEY_FUNCTION": "tenants.caching.make_key",
        "OPTIONS": {"serializer": "tenants.caching.JsonSerializer"},
    }
}

# Celery carries job ids only; the rows in tenants_job are the truth (docs/decisions/jobs-are-rows.md).
BROKER_URL = env.url("BROKER_URL", schemes=("redis", "rediss"))
JOB_LEASE_SECONDS = env.whole("JOB_LEASE_SECONDS", 300, least=1)
JOB_TICK_SECONDS = env.whole("JOB_TICK_SECONDS", 10, least=1)
JOB_REPUBLISH_SECONDS = env.whole("JOB_REPUBLISH_SECONDS", 60, least=1)

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.EmailBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2id",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "accounts.hashers.ImportedBcrypt",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.validators.LongEnough"},
    {"NAME": "accounts.validators.NotCommon"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("name", "email")},
    },
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = 60 * 60
PASSWORD_FILTER = env.text("PASSWORD_FILTER", "")
TOTP_WINDOW = env.whole("TOTP_WINDOW", 0)

# Cookies: exactly two, host-only.
SECURE_COOKIES = SITE_URL.startswith("https://")
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_NAME = "PROE_SID"
SESSION_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 24 * 3600
# By the prefix browsers refuse what another host sets. PROE_SID's name is fixed by the privacy policy.
CSRF_COOKIE_NAME = "__Host-csrftoken" if SECURE_COOKIES else "csrftoken"
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "proecommerce.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

WHITENOISE_ALLOW_ALL_ORIGINS = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_COOKIES else None
SECURE_SSL_REDIRECT = SECURE_COOKIES
SECURE_REDIRECT_EXEMPT = [r"^webhooks/"]  # programs are refused by billing.webhooks, not led on
# HSTS and the headers of every answer: proecommerce.headers.
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

# Stripe: the same code against the real one and any stand-in.
STRIPE_API_BASE = env.url("STRIPE_API_BASE", "https://api.stripe.com", schemes=("https", "http"))
STRIPE_CONNECT_BASE = env.url("STRIPE_CONNECT_BASE", "https://connect.stripe.com", schemes=("https", "http"))
STRIPE_JS_URL = env.url("STRIPE_JS_URL", "https://js.stripe.com/v3/", schemes=("https", "http"))
STRIPE_CLIENT_ID = env.text("STRIPE_CLIENT_ID", "")
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY", "")
STRIPE_PUBLISHABLE_KEY = env.text("STRIPE_PUBLISHABLE_KEY", "")
STRIPE_REHEARSAL_BASE = env.url("STRIPE_REHEARSAL_BASE", "", schemes=("https", "http"))

AWS_ENDPOINT_URL = env.url("AWS_ENDPOINT_URL", "", schemes=("https", "http")) or None
AWS_DEFAULT_REGION = env.text("AWS_DEFAULT_REGION", "us-east-1")
ERASURE_BUCKET = env.text("ERASURE_BUCKET", "")
SECRETS_PREFIX = env.text("SECRETS_PREFIX", "proecommerce")
AUDIT_BUCKET = env.text("AUDIT_BUCKET", "" if DEMO else None)
AUDIT_KEEP_YEARS = env.whole("AUDIT_KEEP_YEARS", 7)
FILES_BUCKET = env.text("FILES_BUCKET", "")

_mail = env.mail_server("EMAIL_URL", "smtp://127.0.0.1:25")
EMAIL_HOST, EMAIL_PORT = _mail["host"], _mail["port"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["username"], _mail["password"]
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail["use_ssl"], _mail["use_tls"]
EMAIL_TIMEOUT = 15
# News and offers leave by a server of their own; empty: none are sent (privacy.marketing).
NEWS_MAIL = env.mail_server("NEWS_EMAIL_URL", "", apart_from="EMAIL_URL")
NOTICES_PER_HOUR = env.whole("NOTICES_PER_HOUR", 600, least=1)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "billing@proecommerce.com")

# The mailbox of the contact address, where people demand what is theirs; empty: it is not read.
PRIVACY_IMAP_URL = env.text("PRIVACY_IMAP_URL", "")
if PRIVACY_IMAP_URL:
    env.mailbox("PRIVACY_IMAP_URL")
# The name under which our own mail server writes down what it checked (RFC 8601); no other is believed.
MAIL_AUTHSERV_ID = env.text("MAIL_AUTHSERV_ID", "")

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("nl", "Nederlands"),
]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024

DEFAULT_EXCEPTION_REPORTER_FILTER = "proecommerce.hiding.ReportFilter"
# What is asked of the DNS for hosts of tenants' own; empty: the name servers of the machine.
DNS_SERVER = env.text("DNS_SERVER", "")

SECURITY_LOG = env.text("SECURITY_LOG", "")  # a file for fail2ban, in place of standard error
_security_file = {
    "class": "logging.handlers.WatchedFileHandler",
    "formatter": "plain",
    "filters": ["hide_links"],
    "filename": SECURITY_LOG,
    "encoding": "utf-8",
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "proecommerce.logs.OneLine",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "filters": {"hide_links": {"()": "proecommerce.hiding.HideLinks"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["hide_links"]},
        **({"security": _security_file} if SECURITY_LOG else {}),
    },
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "stripe": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        # It holds addresses, so that it stands in one place, which ends by itself.
        "proecommerce.security": {
            "handlers": ["security"] if SECURITY_LOG else [],
            "propagate": not SECURITY_LOG,
        },
    },
}
