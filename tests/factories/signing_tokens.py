"""Tokens to sign with, beside the one in `tokens`: each new, in the same SoftHSM, its PIN in a file of its own."""

from __future__ import annotations

import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pkcs11

from tests.factories.tokens import MODULES

MODULE = next((path for path in MODULES if Path(path).exists()), MODULES[0])
PIN = "1234-correct"


@dataclass(frozen=True)
class SigningToken:
    """One new token. Where SoftHSM keeps it, the environment says (the fixture `soft_token` has set it)."""

    label: str
    pin_file: Path

    @classmethod
    def make(cls, folder: Path) -> SigningToken:
        label = f"Signing-{uuid.uuid4().hex[:8]}"
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "so-5678"],
            check=True,
            capture_output=True,
        )
        pkcs11.lib(MODULE).reinitialize()  # a module reads its slots when it begins
        pin_file = folder / f"{label}.pin"
        pin_file.write_text(f"{PIN}\n")
        pin_file.chmod(0o600)
        return cls(label, pin_file)

    def reference(self, *, token: str | None = None, module: str = MODULE, pin: Path | None = None, **key: str) -> str:
        named = "".join(f";{name}={quote(value)}" for name, value in (key or {"object": "test.example/log"}).items())
        return (
            f"pkcs11:token={quote(token or self.label)}{named}?module-path={module}&pin-source={pin or self.pin_file}"
        )
