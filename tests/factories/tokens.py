"""A PKCS#11 token in software (SoftHSM 2), new for each test that asks for one."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pkcs11
import pytest

MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
)
TOKEN, PIN = "Glasshouse", "1234"


@dataclass(frozen=True)
class SoftToken:
    """Where the token is, and how to name a key on it."""

    module: str
    pin_file: Path

    def reference(self, label: str) -> str:
        return (
            f"pkcs11:token={TOKEN};object={quote(label, safe='')}?module-path={self.module}&pin-source={self.pin_file}"
        )

    def make_secret(self, label: str, *, extractable: bool = False) -> None:
        """A generic secret of 32 bytes, as `token_master_key` wants one."""
        library = pkcs11.lib(self.module)
        token = library.get_token(token_label=TOKEN)
        with token.open(rw=True, user_pin=PIN) as session:
            session.generate_key(
                pkcs11.KeyType.GENERIC_SECRET,
                256,
                label=label,
                store=True,
                mechanism=pkcs11.Mechanism.GENERIC_SECRET_KEY_GEN,
                capabilities=pkcs11.MechanismFlag.SIGN,
                template={pkcs11.Attribute.EXTRACTABLE: extractable, pkcs11.Attribute.SENSITIVE: not extractable},
            )

    @classmethod
    def make(cls, folder: Path) -> SoftToken:
        """Skips the test where SoftHSM 2 is not installed."""
        module = next((path for path in MODULES if Path(path).exists()), None)
        program = shutil.which("softhsm2-util")
        if module is None or program is None:
            pytest.skip("SoftHSM 2 is not on this machine (Debian's package softhsm2 has it)")
        command = [program, "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "5678"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=configured(folder))
        pin_file = folder / "pin"
        pin_file.write_text(PIN)
        pin_file.chmod(0o600)
        return cls(module, pin_file)


def configured(folder: Path) -> dict[str, str]:
    """The environment in which SoftHSM keeps its tokens under `folder`."""
    tokens = folder / "tokens"
    tokens.mkdir(exist_ok=True)
    file = folder / "softhsm2.conf"
    file.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    return os.environ | {"SOFTHSM2_CONF": str(file)}


@pytest.fixture(scope="session")
def soft_token(tmp_path_factory: pytest.TempPathFactory) -> SoftToken:
    """One token for the run of a worker: a process makes its module ready once."""
    folder = tmp_path_factory.mktemp("token")
    token = SoftToken.make(folder)
    os.environ["SOFTHSM2_CONF"] = configured(folder)["SOFTHSM2_CONF"]
    pkcs11.lib(token.module).reinitialize()  # another test may have made it ready for another folder
    return token
