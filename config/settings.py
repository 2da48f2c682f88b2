"""Typed, frozen settings from one TOML file and the environment.

The environment wins over the file. A name in the environment is ``GLASSHOUSE_`` and the key in capitals, two
underscores between a table and its key: ``GLASSHOUSE_AUDIT__ORIGIN``. A secret may be given as the value or, better, as
the path of a file that holds it (``…_FILE``). Every mistake is named in one error, so that an operator mends them all
at once.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from config.connections import in_the_clear
from config.disputes import AttachmentSettings, DisputeSettings
from config.identity import MachineSettings, OidcSettings, unfit_provider
from config.mail import MailSettings, unfit_mail
from config.operation import LimitsSettings, LogFormat, LogsSettings, TimeStampSettings, VerificationSettings
from config.protection import ProtectionSettings
from config.staff import StaffOidcSettings, StaffSettings

PREFIX = "GLASSHOUSE_"
CONFIG_VARIABLE = "GLASSHOUSE_CONFIG"
#: Names that share the prefix and belong to the audit command line or to the tests, not to the portal.
NEIGHBOURS = frozenset({CONFIG_VARIABLE})
NEIGHBOUR_PREFIXES = ("GLASSHOUSE_LOG_", "GLASSHOUSE_TEST_")
#: A secret that starts so was made by ``python -m portal init`` for a demonstration and is worth nothing elsewhere.
DEMO_SECRET_PREFIX = "demo:"  # noqa: S105 - a marker, not a secret
MINIMUM_SECRET_LENGTH = 32


class SettingsError(ValueError):
    """The settings cannot be used. The caller prints the message, which names every mistake, and does not start."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("The settings cannot be used:\n" + "\n".join(f"  - {mistake}" for mistake in mistakes))


class Mode(StrEnum):
    """How much the portal dares: a demonstration may have conveniences that production refuses to start with."""

    DEMO = "demo"
    PRODUCTION = "production"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AuditSettings(_Frozen):
    """Where the audit log lives and which keys it uses."""

    database_url: str = "sqlite:///{data_dir}/audit.db"
    origin: str = Field(default="glasshouse.example/log", min_length=3, max_length=200, pattern=r"^[^\s+]+$")
    signing_key_file: Path = Path("{data_dir}/keys/log.key")
    export_key_file: Path = Path("{data_dir}/keys/export.key")
    checkpoint_file: Path = Path("{data_dir}/log.checkpoint")
    #: The log's own master key; without it, the portal's. Only a key of its own can be rotated and destroyed.
    master_key_file: Path | None = None
    #: While a key is being replaced (docs/keys.md): the key that is to take over, and the key before this one.
    next_signing_key_file: Path | None = None
    previous_master_key_file: Path | None = None
    #: A private folder on one host, where its processes hand their entries to one of them (docs/performance.md).
    relay_folder: Path | None = None
    #: Each a witness's address and, after a space, its verifier key; in the environment separated by semicolons.
    witnesses: tuple[str, ...] = Field(default=(), max_length=15)

    @field_validator("witnesses", mode="before")
    @classmethod
    def _witnesses_from_the_environment(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(";")))) if isinstance(value, str) else value


class Settings(_Frozen):
    """Everything an installation may set. Times are in seconds unless a name says otherwise."""

    mode: Mode = Mode.DEMO
    data_dir: Path = Path("var")
    catalogue_dir: Path = Path(__file__).parent
    database_url: str = "sqlite:///{data_dir}/portal.db"
    #: A folder, or an object store's URL ("s3://bucket/prefix"), for the trail as Parquet.
    analytics_store: str = "{data_dir}/analytics"
    #: A folder that all processes of the portal share, for exports made in the background (sealed).
    export_folder: Path = Path("{data_dir}/exports")
    time_stamping: TimeStampSettings | None = None
    verification: VerificationSettings = VerificationSettings()
    secret_key: SecretStr | None = None
    secret_key_file: Path | None = None
    master_key: SecretStr | None = None
    master_key_file: Path | None = None
    master_key_token: str | None = None
    demo_sign_in: bool | None = None
    demo_people: int = Field(default=20_000, ge=200, le=1_000_000)
    host: str = "127.0.0.1"
    port: int = Field(default=5000, ge=1, le=65_535)
    public_url: str | None = None
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    threads: int = Field(default=8, ge=1, le=256)
    workers: int = Field(default=1, ge=1, le=64)
    session_idle_minutes: int = Field(default=30, ge=1, le=1440)
    session_absolute_minutes: int = Field(default=480, ge=1, le=1440)
    time_zone: str = "Europe/Tallinn"
    audit: AuditSettings = AuditSettings()
    logs: LogsSettings = LogsSettings()
    limits: LimitsSettings = LimitsSettings()
    allowed_hosts: tuple[str, ...] = ()
    protection: ProtectionSettings = ProtectionSettings()
    oidc: OidcSettings | None = None
    staff: StaffSettings = StaffSettings()
    machines: MachineSettings = MachineSettings()
    staff_oidc: StaffOidcSettings | None = None
    mail: MailSettings | None = None
    attachments: AttachmentSettings = AttachmentSettings()
    disputes: DisputeSettings = DisputeSettings()
    registry_urls: Mapping[str, str] = Field(default_factory=dict)

    @field_validator("public_url")
    @classmethod
    def _public_url_is_absolute(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with https:// (or http:// in a demonstration)")
        return value

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _hosts_stand_in_one_line(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _secrets_are_given_once(self) -> Self:
        for name in ("secret_key", "master_key"):
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                raise ValueError(f"{name} and {name}_file are both given; keep one")
        if self.master_key_token is not None and (self.master_key is not None or self.master_key_file is not None):
            raise ValueError("master_key_token and another master key are both given; keep one")
        return self

    @property
    def is_production(self) -> bool:
        return self.mode is Mode.PRODUCTION

    @property
    def offers_demo_sign_in(self) -> bool:
        """A demonstration offers it unless told otherwise; production never does (`load` refuses the setting)."""
        return not self.is_production and self.demo_sign_in is not False

    @property
    def base_url(self) -> str:
        """Where browsers reach the portal, without a slash at the end. Never taken from a request's Host header."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def is_served_over_https(self) -> bool:
        return self.public_url is not None and self.public_url.startswith("https://")

    @property
    def hosts(self) -> list[str] | None:
        """The host names that a request may be for; None where any may lead here (a demonstration on 0.0.0.0).

        The host of `public_url`, this machine's own names in a demonstration, and `allowed_hosts`, such as the address
        at which a probe asks whether the portal lives.
        """
        if self.public_url is not None:
            return [urlsplit(self.public_url).hostname or "", *self.allowed_hosts]
        if self.host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            return None
        return ["localhost", "127.0.0.1", "[::1]", self.host, *self.allowed_hosts]

    def with_secrets_from_files(self) -> Settings:
        """The same settings, with the demonstration's secrets that were made since they were loaded."""
        settings, mistakes = _resolved(self)
        if mistakes:
            raise SettingsError(mistakes)
        return settings

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Read the file named by ``GLASSHOUSE_CONFIG``, then the environment, then `overrides`.

        Raises:
            SettingsError: a key is unknown, a value is bad, a secret is missing, or production was asked for with a
                convenience of the demonstration. Every mistake is named.
        """
        environ = os.environ if environ is None else environ
        values, mistakes = _values_of_file(environ.get(CONFIG_VARIABLE))
        mistakes += _add_environment(values, environ)
        values.update(overrides)
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(mistakes + [_in_words(problem) for problem in error.errors()]) from None
        settings, unreadable = _resolved(settings)
        mistakes += unreadable
        mistakes += unfit_provider(settings.oidc, is_production=settings.is_production)
        mistakes += unfit_provider(settings.staff_oidc, is_production=settings.is_production, called="staff_oidc")
        mistakes += unfit_mail(settings.mail, is_production=settings.is_production)
        if settings.is_production:
            mistakes += _unfit_for_production(settings)
        if mistakes:
            raise SettingsError(mistakes)
        return settings


def _values_of_file(path: str | None) -> tuple[dict[str, Any], list[str]]:
    if not path:
        return {}, []
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8")), []
    except OSError as error:
        return {}, [f"{CONFIG_VARIABLE}: {path} cannot be read ({error.strerror})"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"{path}: not TOML: {error}"]


def _add_environment(values: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    mistakes = []
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in NEIGHBOURS or name.startswith(NEIGHBOUR_PREFIXES):
            continue
        key, _, inner = name.removeprefix(PREFIX).lower().partition("__")
        if key not in Settings.model_fields:
            mistakes.append(f"{name}: no setting of this name")
        elif inner:
            table = values.setdefault(key, {})
            if isinstance(table, dict):
                table[inner] = value
        else:
            values[key] = value
    return mistakes


def _in_words(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"]) or "settings"
    if problem["type"] == "extra_forbidden":
        return f"{name}: no setting of this name"
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"


#: What of the log's settings may name the data folder.
_PLACED = (
    "database_url",
    "signing_key_file",
    "export_key_file",
    "checkpoint_file",
    "master_key_file",
    "next_signing_key_file",
    "previous_master_key_file",
    "relay_folder",
)


def _resolved(settings: Settings) -> tuple[Settings, list[str]]:
    """Put `data_dir` into the paths and read the secrets that were given as files."""
    changes: dict[str, Any] = {}
    mistakes: list[str] = []

    def placed(value: Any) -> Any:
        return type(value)(str(value).replace("{data_dir}", str(settings.data_dir)))

    changes["database_url"] = placed(settings.database_url)
    changes["analytics_store"] = placed(settings.analytics_store)
    changes["export_folder"] = placed(settings.export_folder)
    attachments = settings.attachments
    changes["attachments"] = attachments.model_copy(update={"folder": placed(attachments.folder)})
    if settings.time_stamping is not None and not settings.time_stamping.certificate_file.is_file():
        mistakes.append(f"time_stamping.certificate_file: no file at {settings.time_stamping.certificate_file}")
    audit = settings.audit
    changes["audit"] = audit.model_copy(
        update={name: placed(value) for name in _PLACED if (value := getattr(audit, name)) is not None}
    )
    changes["logs"] = _logs_of(settings)
    for name in ("secret_key", "master_key"):
        path = getattr(settings, f"{name}_file")
        default = settings.data_dir / "keys" / f"{name}.txt"
        given = getattr(settings, name) or (name == "master_key" and settings.master_key_token)
        if path is None and not given and not settings.is_production and default.exists():
            path = default
        if path is not None and (secret := _read_secret(f"{name}_file", path, mistakes)) is not None:
            changes[name] = secret
    for name, oidc in (("oidc", settings.oidc), ("staff_oidc", settings.staff_oidc)):
        if oidc is not None and oidc.client_secret is None and oidc.client_secret_file is not None:
            secret = _read_secret(f"{name}.client_secret_file", oidc.client_secret_file, mistakes)
            changes[name] = oidc.model_copy(update={"client_secret": secret})
    if settings.mail is not None and settings.mail.password_file is not None:
        secret = _read_secret("mail.password_file", settings.mail.password_file, mistakes)
        changes["mail"] = settings.mail.model_copy(update={"password": secret})
    return settings.model_copy(update=changes), mistakes


def _logs_of(settings: Settings) -> LogsSettings:
    logs, is_production = settings.logs, settings.is_production
    own_file = str(settings.data_dir / "security.jsonl")
    return logs.model_copy(
        update={
            "format": logs.format or (LogFormat.JSON if is_production else LogFormat.CONSOLE),
            "security": logs.security or ("stdout" if is_production else own_file),
        }
    )


def _read_secret(name: str, path: Path, mistakes: list[str]) -> SecretStr | None:
    try:
        return SecretStr(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        mistakes.append(f"{name}: {path} cannot be read")
        return None


def _unfit_for_production(settings: Settings) -> list[str]:
    mistakes = [mistake for name in ("secret_key", "master_key") if (mistake := _unfit_secret(settings, name))]
    if settings.demo_sign_in:
        mistakes.append("demo_sign_in: signing in as a demonstration person is not possible in production")
    if not settings.is_served_over_https:
        mistakes.append("public_url: production is served over https://")
    if not settings.limits.enabled:
        mistakes.append("limits.enabled: production counts what is asked of it")
    if settings.limits.is_in_memory:
        mistakes.append("limits.storage: production needs Redis (redis://…), where all its processes count together")
    if settings.audit.origin == AuditSettings().origin:
        mistakes.append("audit.origin: give the log a name of its own; it is permanent")
    registries = {f"registry_urls.{code}": url for code, url in settings.registry_urls.items()}
    databases = {"database_url": settings.database_url, "audit.database_url": settings.audit.database_url, **registries}
    return [*mistakes, *in_the_clear(databases, settings.limits.storage.get_secret_value())]


def _unfit_secret(settings: Settings, name: str) -> str | None:
    secret: SecretStr | None = getattr(settings, name)
    variable = PREFIX + name.upper()
    if secret is None:
        is_on_token = name == "master_key" and settings.master_key_token is not None
        return None if is_on_token else f"{name}: production needs {variable} or {variable}_FILE"
    if secret.get_secret_value().startswith(DEMO_SECRET_PREFIX):
        return f"{name}: this is a demonstration's key; production needs one of its own"
    if len(secret.get_secret_value()) < MINIMUM_SECRET_LENGTH:
        return f"{name}: shorter than {MINIMUM_SECRET_LENGTH} characters"
    return None
