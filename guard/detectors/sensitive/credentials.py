"""Credentials by their form: detect-secrets' patterns of services' keys, and some younger ones.

Only patterns with a mark of their own, as `ghp_` has: what merely looks random is no find. Nothing
is verified, so nothing is sent anywhere.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import version

from guard.detectors.context import Context
from guard.detectors.sensitive.placed import Find, PlacingDetector
from guard.settings import CredentialsDetector, require_extra

PLUGINS = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "basic_auth": "BasicAuthDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
"""By module of detect-secrets, the class whose patterns are used."""
NAMED = frozenset({"aws", "basic_auth"})
"""Their patterns have what stands around a secret too, and the secret as a group."""
YOUNGER = (
    r"\bsk-(?:ant|proj|svcacct|or)-[A-Za-z0-9_-]{20,}",  # Anthropic, OpenAI, OpenRouter
    r"\bgithub_pat_[A-Za-z0-9_]{40,}",
    r"\bhf_[A-Za-z0-9]{30,}",
    r"\bAIza[A-Za-z0-9_-]{35}",  # Google
    r"\bglpat-[A-Za-z0-9_-]{20,}",
)
JSON_WEB_TOKEN = re.compile(r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{4,2000}\.[\w-]{10,2000}", re.ASCII)
PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.{0,8000}?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|.*)",
    re.DOTALL,
)
"""A whole key; where its end is not there yet, all that follows."""


class Credentials(PlacingDetector):
    """Scores 1 for a text with a credential in it, else 0."""

    threshold = 0.5
    # A token may be long; what is left of a private key is known by what stands before it.
    reach = 256
    context = 4000

    def __init__(self) -> None:
        self.version = f"credentials-1 {version('detect-secrets')}"
        own = (*map(re.compile, YOUNGER), JSON_WEB_TOKEN, PRIVATE_KEY)
        self._patterns = (*_of_services(), *((pattern, 0) for pattern in own))

    def finds(self, text: str) -> Iterator[Find]:
        """Every match; of a pattern that says where in it the secret stands, the secret."""
        for pattern, group in self._patterns:
            for match in pattern.finditer(text):
                yield Find(*match.span(group), 1.0)


def load(source: CredentialsDetector, context: Context) -> Credentials:  # noqa: ARG001
    """The detector of a section of kind `credentials`."""
    require_extra("sensitive")
    return Credentials()


@cache
def _of_services() -> tuple[tuple[re.Pattern[str], int], ...]:
    """The patterns, each with the number of the group that is the secret."""
    return tuple(
        (pattern, min(pattern.groups, 1) if module in NAMED else 0)
        for module, name in PLUGINS.items()
        for pattern in getattr(import_module(f"detect_secrets.plugins.{module}"), name).denylist
    )
