"""What `python -m frontend.build` promises."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo

from frontend import build
from frontend.node import BuildFailed

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Who looked"\nmsgstr "Kes vaatas"\n'


@pytest.fixture
def translations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "TRANSLATIONS", tmp_path / "translations")
    folder = tmp_path / "translations" / "et" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    return folder


def test_a_translation_is_compiled(translations: Path) -> None:
    (translations / "messages.po").write_text(PO, encoding="utf-8")
    build.compile_translations()
    catalog = read_mo(io.BytesIO((translations / "messages.mo").read_bytes()))
    message = catalog.get("Who looked")
    assert message is not None
    assert message.string == "Kes vaatas"


def test_a_translation_that_cannot_be_read_is_named(translations: Path) -> None:
    (translations / "messages.po").write_text('msgid "Who looked"\ngarbage\n', encoding="utf-8")
    with pytest.raises(BuildFailed, match=r"et/LC_MESSAGES/messages\.po"):
        build.compile_translations()


def test_a_changed_style_sheet_changes_the_digest_of_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    style = tmp_path / "main.scss"
    style.write_text("a { color: red }")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "_inputs", lambda: [style])
    before = build.digest_of_inputs()
    style.write_text("a { color: blue }")
    assert build.digest_of_inputs() != before


def test_a_name_holds_the_digest_of_the_contents() -> None:
    first, second = build._hashed_name("main.css", b"one"), build._hashed_name("main.css", b"two")
    assert first != second
    assert first.startswith("main.")
    assert first.endswith(".css")
