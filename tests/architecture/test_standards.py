"""What a reader of the code would otherwise have to look for: no weak algorithm, no hindrance, nothing unlocked."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.apps import FakePortal

ROOT = Path(__file__).parents[2]
ROOMS = ("audit", "config", "portal")
#: All that is imported of `cryptography`'s primitives (ASVS 5.0, 11.2.3, 11.3.1, 11.4.1).
APPROVED = {"AESGCM", "AESSIV", "Ed25519PrivateKey", "Ed25519PublicKey", "HKDF", "SHA256", "ec"}
#: Of the age format, which has no others (docs/adr/0042), and imported by the module that writes it alone.
OF_AGE = {"ChaCha20Poly1305", "Scrypt"}
SCRIPTS = [*(ROOT / "frontend" / "scripts").glob("*.js"), *(ROOT / "portal" / "web").rglob("*.js")]
TEMPLATES = [
    path for path in (ROOT / "portal" / "templates").rglob("*.html") if "govuk_frontend_jinja" not in path.parts
]


def _nodes() -> Iterator[tuple[Path, ast.AST]]:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield path, node


def test_only_approved_algorithms_are_imported() -> None:
    primitives = {
        (alias.name, path.name if alias.name in OF_AGE else "")
        for path, node in _nodes()
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cryptography.hazmat.primitives.")
        for alias in node.names
    }
    assert primitives <= {(name, "") for name in APPROVED} | {(name, "age.py") for name in OF_AGE}


def test_digests_are_sha_256_and_sha_1_looks_up_stolen_passwords_alone() -> None:
    used = {
        (node.attr, path.name if node.attr == "sha1" else "")
        for path, node in _nodes()
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "hashlib"
    }
    assert used == {("sha256", ""), ("sha1", "password_rules.py")}


def test_the_house_has_no_native_code_of_its_own() -> None:
    assert not [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in {".c", ".so", ".pyx"}]
    for path, node in _nodes():
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not {"ctypes", "cffi", "pickle", "marshal"} & set(names), path


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_build_no_markup_and_no_code_from_text_and_hinder_no_pasting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?:inner|outer|adjacent)HTML|document\.write|\beval\(|new Function|__proto__", text, re.I)
    assert not re.search(r"""["'](?:paste|copy|contextmenu|beforeinput)["']""", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "portal" / "templates")))
def test_templates_use_plain_html_and_hinder_no_pasting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<(?:applet|embed|object|iframe|marquee)\b|\son\w+=|javascript:", text)


def test_nothing_but_passkey_and_password_is_asked_for_at_the_door(portal: FakePortal) -> None:
    """No e-mail address, no secret question, no name (ASVS 5.0, 6.3.6, 6.4.2, 6.5.7)."""
    page = portal.client().get("/staff/sign-in").get_data(as_text=True)
    fields = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page))
    assert fields == {"csrf_token", "ceremony", "credential", "password"}
    password = re.search(r'<input[^>]* name="password"[^>]*>', page)
    assert password is not None
    assert 'type="password"' in password.group(0)
    assert 'autocomplete="current-password"' in password.group(0)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_of_python_is_locked_by_version_and_digest(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    packages = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert len(packages) > 20
    for line in packages:
        assert re.fullmatch(r"[A-Za-z0-9._\[\],-]+==\S+( ;.*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", line), line[:80]


def test_every_package_of_the_pages_is_locked_by_version_and_digest_and_from_one_registry() -> None:
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    foreign = {name: package for name, package in packages.items() if name}
    assert foreign
    for name, package in foreign.items():
        assert package["integrity"].startswith("sha512-"), name
        assert package.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/"), name


def test_types_are_checked_strictly_everywhere() -> None:
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert mypy["strict"] is True
    assert set(mypy["packages"]) == set(ROOMS)
