"""What can be set from outside: environment variables that begin with BILLING_, or a .env file."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from billing_app import locations, setting_forms
from billing_app.domain.common.errors import UnavailableError
from billing_app.setting_names import unreadable


class Settings(BaseSettings):
    """Every setting with its default. Secrets are SecretStr, so that a log or a repr never shows them."""

    model_config = SettingsConfigDict(env_prefix="BILLING_", env_file=".env", extra="ignore")

    database_url: str = Field(
        default=f"sqlite:///{locations.VAR / 'billing.db'}",
        description="SQLite file or postgresql+psycopg://user:password@host/database",
    )
    redis_url: str = Field(default="", description="lets several web workers share the pages' state")
    catalogue_file: Path = Field(default_factory=locations.catalogue_file, description="the catalogue loaded at start")
    public_url: str = Field(
        default="", validate_default=False, description="where browsers reach the console; http://127.0.0.1:PORT"
    )
    port: int = Field(default=3000, ge=1, le=65535, description="the one port of pages, API and websocket")
    metrics_port: int = Field(default=9464, ge=0, le=65535, description="where Prometheus reads; 0: nowhere")
    metrics_host: str = Field(default="127.0.0.1", description="the address of that port: this machine alone")
    demo: bool = Field(default=False, description="demo data and the fake Stripe; set by `make run`")
    stripe_api_secret: SecretStr = Field(default=SecretStr(""), description="Stripe's secret key")
    stripe_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="signing secret of the webhook endpoint"
    )
    stripe_api_base: str = Field(default="", description="another address of Stripe's API: the fake Stripe")
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

    @field_validator("*", mode="before")
    @classmethod
    def _without_spaces(cls, value: Any) -> Any:
        # A secret that was read from a file often ends with its newline.
        return value.strip() if isinstance(value, str) else value

    @field_validator("*", mode="before")
    @classmethod
    def _in_digits(cls, value: Any, info: ValidationInfo) -> Any:
        # Pydantic reads `3_000` as three thousand; everything else here takes numbers in plain digits.
        if cls.model_fields[str(info.field_name)].annotation is int and isinstance(value, str) and "_" in value:
            raise ValueError("is not a whole number in digits")
        return value

    @field_validator(*setting_forms.FORMS)
    @classmethod
    def _of_its_form(cls, value: Any, info: ValidationInfo) -> Any:
        form = setting_forms.FORMS[str(info.field_name)]
        if isinstance(value, SecretStr):
            return SecretStr(form(value.get_secret_value()))
        return form(value)

    @field_validator("database_url")
    @classmethod
    def _file_from_here(cls, value: str) -> str:
        # Web processes run in another folder (launcher/worker.py).
        before, separator, file = value.partition("sqlite:///")
        relative = not before and separator and file and not file.startswith(("/", ":memory:", "file:"))
        return f"sqlite:///{locations.started_in() / file}" if relative else value

    @field_validator("catalogue_file")
    @classmethod
    def _from_here(cls, value: Path) -> Path:
        return locations.started_in() / value

    @model_validator(mode="after")
    def _where_browsers_are(self) -> Self:
        if not self.public_url:
            self.__dict__["public_url"] = f"http://127.0.0.1:{self.port}"  # stays one that nobody has set
        return self

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
    return read()


def read(**chosen: Any) -> Settings:
    """The settings, some of them `chosen` by the command line.

    Raises UnavailableError with a sentence for each that can't be used: it names the setting, and never shows the
    value, which may be a secret.
    """
    if "port" not in chosen and os.environ.get("PORT"):
        chosen["port"] = os.environ["PORT"]
    try:
        return Settings(_env_file=locations.env_file(), **chosen)
    except ValidationError as error:
        wrong = [_sentence(one) for one in error.errors(include_url=False, include_input=False)]
    except (OSError, UnicodeDecodeError) as error:
        wrong = [unreadable(error)]
    raise UnavailableError(" ".join(wrong))


def _sentence(error: Any) -> str:
    name = str(error["loc"][0])
    limits = error.get("ctx") or {}
    said = {
        "int_parsing": "is a whole number, and what it is set to is none",
        "bool_parsing": "is true or false, and what it is set to is neither",
        "greater_than_equal": f"is at least {limits.get('ge')}, and what it is set to is less",
        "less_than_equal": f"is at most {limits.get('le')}, and what it is set to is more",
        "value_error": str(limits.get("error", "")),
    }
    return f"BILLING_{name.upper()} {said.get(error['type']) or 'cannot be used: ' + error['msg']}."
