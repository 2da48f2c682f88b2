"""The settings of the provider through which citizens sign in."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

#: The levels of assurance of Regulation (EU) No 910/2014, as TARA and GovSSO write them.
Level = Literal["low", "substantial", "high"]


class OidcSettings(BaseModel):
    """The OpenID Connect provider through which citizens sign in; docs/identity.md explains each key."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    issuer: str
    client_id: str = Field(min_length=1, max_length=200)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    client_authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    scopes: tuple[str, ...] = ("openid",)
    acr_values: tuple[Level, ...] = ()
    minimum_acr: Level = "substantial"
    clock_skew_seconds: int = Field(default=30, ge=0, le=300)
    timeout_seconds: int = Field(default=5, ge=1, le=30)
    ca_file: Path | None = None
    #: The provider has every sign-in prove anew (TARA), so that the time of issue is the time of the proof.
    proves_each_time: bool = False
    #: How the provider is asked for a fresh proof (OpenID Connect Core 1.0, section 3.1.2.1).
    step_up_with: tuple[Literal["prompt", "max_age"], ...] = ("prompt", "max_age")
    logout_method: Literal["post", "get"] = "post"
    display_name_en: str = Field(min_length=1, max_length=80)
    display_name_et: str = Field(min_length=1, max_length=80)
    display_name_ru: str = Field(min_length=1, max_length=80)

    @field_validator("issuer")
    @classmethod
    def _issuer_is_plain(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be the provider's https:// address, exactly as its tokens write it")
        return value

    @field_validator("scopes", "acr_values", "step_up_with", mode="before")
    @classmethod
    def _words_are_a_list(cls, value: object) -> object:
        """In the environment a list is written as words with spaces between."""
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("scopes")
    @classmethod
    def _openid_is_asked_for(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError("must hold openid")
        return value

    @property
    def is_on_this_machine(self) -> bool:
        return urlsplit(self.issuer).hostname in {"127.0.0.1", "::1", "localhost"}

    @property
    def is_plain_http(self) -> bool:
        return urlsplit(self.issuer).scheme == "http"


class MachineSettings(BaseModel):
    """How registries' own systems reach the API; docs/api.md explains each key."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    #: The proxies that end mutual TLS, as addresses or networks. From anybody else the header below is thrown away.
    certificate_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    certificate_header: str = Field(default="X-Client-Certificate", pattern=r"^[A-Za-z][A-Za-z0-9-]{2,63}$")
    access_token_minutes: int = Field(default=10, ge=1, le=60)
    timeout_seconds: int = Field(default=5, ge=1, le=30)
    ca_file: Path | None = None

    @field_validator("certificate_proxies", mode="before")
    @classmethod
    def _words_are_a_list(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value


def unfit_provider(oidc: OidcSettings | None, *, is_production: bool, called: str = "oidc") -> list[str]:
    """What is wrong with the provider's settings taken together, one sentence each."""
    if oidc is None:
        return []
    mistakes = []
    if oidc.client_secret is None and oidc.client_secret_file is None:
        mistakes.append(f"{called}.client_secret: needed; better as {called}.client_secret_file")
    if oidc.is_plain_http and (is_production or not oidc.is_on_this_machine):
        mistakes.append(f"{called}.issuer: must start with https:// (http:// only for a demonstration on this machine)")
    if oidc.ca_file is not None and not oidc.ca_file.is_file():
        mistakes.append(f"{called}.ca_file: {oidc.ca_file} is not there")
    return mistakes
