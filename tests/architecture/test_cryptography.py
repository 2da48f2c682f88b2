"""Where the house uses cryptography is written down, and nothing else does (ASVS 5.0, 11.1.2 and 11.1.3)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
INVENTORY = ROOT / "docs" / "cryptography.md"
#: Packages that encrypt, sign, digest, or draw random numbers.
PRIMITIVES = frozenset(
    {
        "argon2",
        "asn1crypto",
        "authlib",
        "cryptography",
        "hashlib",
        "hmac",
        "joserfc",
        "jwt",
        "OpenSSL",
        "pkcs11",
        "pyzipper",
        "rfc3161_client",
        "rfc3161ng",
        "secrets",
        "ssl",
        "webauthn",
    }
)


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _modules() -> list[Path]:
    return [path for room in ("audit", "config", "portal") for path in sorted((ROOT / room).rglob("*.py"))]


def test_every_module_that_uses_cryptography_is_in_the_inventory_with_what_it_uses() -> None:
    found = {str(path.relative_to(ROOT)): sorted(used) for path in _modules() if (used := _imports(path) & PRIMITIVES)}
    rows = re.findall(r"^\| `([\w/]+\.py)` \| ([\w, ]+) \|", INVENTORY.read_text(encoding="utf-8"), re.MULTILINE)
    assert {module: used.split(", ") for module, used in rows} == found


def test_numbers_that_can_be_guessed_are_drawn_for_the_demonstration_alone() -> None:
    guessable = [path for path in _modules() if "random" in _imports(path)]
    assert {path.relative_to(ROOT).parts[:2] for path in guessable} == {("portal", "demo")}
