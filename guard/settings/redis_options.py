"""How every client of the configured Redis server is made."""

from typing import Any

from guard.settings.extras import require_extra
from guard.settings.loading import configured_secret
from guard.settings.redis import Redis
from guard.terms.errors import about


def redis_options(settings: Redis) -> dict[str, Any]:
    """The options of a client but for its kind of retries; ConfigError where the package or the
    password is missing."""
    with about("redis"):
        require_extra("redis")
    tls: dict[str, Any] = {"ssl_ca_certs": str(settings.ca)} if settings.ca else {}
    return {
        "url": settings.url,
        "password": configured_secret(settings.password_env, "redis", "password_env"),
        "socket_timeout": settings.timeout_s,
        "socket_connect_timeout": settings.timeout_s,
        "max_connections": 256,
        **tls,
    }
