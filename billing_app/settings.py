"""What can be set from outside: environment variables that begin with BILLING_, or a .env file."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the project: plans.json, assets and migrations lie there."""


class Settings(BaseSettings):
    """Every setting with its default. Secrets are SecretStr, so that a log or a repr never shows them."""

    model_config = SettingsConfigDict(env_prefix="BILLING_", env_file=".env", extra="ignore")

    database_url: str = Field(
        default=f"sqlite:///{ROOT / 'var' / 'billing.db'}",
        description="SQLite file or postgresql+psycopg://user:password@host/database",
    )
    redis_url: str = Field(default="", description="lets several web workers share the pages' state")
    catalogue_file: Path = Field(default=ROOT / "plans.json", description="the catalogue loaded at start")
    public_url: str = Field(default="http://127.0.0.1:3000", description="where browsers reach the console")
    port: int = Field(default=3000, ge=1, le=65535, description="the one port of pages, API and websocket")
    metrics_port: int = Field(default=9464, ge=0, le=65535, description="where Prometheus reads; 0: nowhere")
    metrics_host: str = Field(default="127.0.0.1", description="the address of that port: this machine alone")
    demo: bool = Field(default=False, description="demo data and the local Stripe stand-in; set by `make run`")
    stripe_api_secret: SecretStr = Field(default=SecretStr(""), description="Stripe's secret key")
    stripe_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="signing secret of the webhook endpoint"
    )
    stripe_api_base: str = Field(default="", description="another address of Stripe's API: the sandbox")
    session_days: int = Field(default=14, ge=1, le=365, description="how long a sign-in lasts")
    sign_up: bool = Field(
        default=False, description="whether anyone may make an account and an organization, by a link that is mailed"
    )
    rate_limit_per_minute: int = Field(
        default=30_000, ge=0, description="requests that each API key or signed-in browser may make; 0: no limit"
    )
    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        description="mail server: smtp://user:password@host:587 or smtps://...:465; empty: no mail",
    )
    mail_from: str = Field(default="", description="sender of mails, like Billing <billing@example.com>")
    webhook_networks: str = Field(
        default="", description="private networks that webhooks may reach, separated by commas: 10.1.0.0/16"
    )
    trusted_proxies: str = Field(
        default="127.0.0.0/8,::1",
        description="proxies whose X-Forwarded-For says who a client is, as addresses or networks separated by commas",
    )

    @field_validator("smtp_url")
    @classmethod
    def _a_mail_server(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if value.get_secret_value() and not (parts.scheme in ("smtp", "smtps") and parts.hostname):
            raise ValueError("is like smtp://user:password@host:587 or smtps://user:password@host:465")
        return value

    @field_validator("webhook_networks", "trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for network in filter(None, map(str.strip, value.split(","))):
            ip_network(network)
        return value

    @property
    def mailing(self) -> bool:
        """Whether mail can be sent: server and sender are set."""
        return bool(self.smtp_url.get_secret_value() and self.mail_from)

    @property
    def secure(self) -> bool:
        """Whether browsers come over https, so that cookies may be Secure."""
        return self.public_url.startswith("https://")

    @property
    def selling(self) -> bool:
        """Whether packs can be bought: both Stripe secrets are set (stripe.md: no secret, no endpoint)."""
        return bool(self.stripe_api_secret.get_secret_value() and self.stripe_webhook_secret.get_secret_value())


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
