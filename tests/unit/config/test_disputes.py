"""Files are taken in production where something scans them, or where somebody said on purpose that nothing does."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Settings, SettingsError
from tests.unit.config.test_settings import PRODUCTION


def _attachments(**given: str) -> tuple[bool, str | None]:
    names = {f"GLASSHOUSE_ATTACHMENTS__{name.upper()}": value for name, value in given.items()}
    settings = Settings.load(PRODUCTION | names)
    return settings.attachments.are_taken(is_production=True), settings.attachments.said_at_start(is_production=True)


def test_production_without_a_scanner_takes_no_files_and_says_so_at_the_start() -> None:
    are_taken, said = _attachments()
    assert not are_taken
    assert said is not None
    assert said.startswith("attachments: off")


def test_production_may_say_on_purpose_that_nothing_scans() -> None:
    are_taken, said = _attachments(scanner="none")
    assert are_taken
    assert said is not None
    assert "nothing scans them" in said


@pytest.mark.parametrize(
    "address", ["unix:/run/clamav/clamd.ctl", "127.0.0.1:3310", "clamav.internal:3310", "[::1]:3310"]
)
def test_with_a_scanner_there_is_nothing_to_say(address: str) -> None:
    assert _attachments(clamd=address) == (True, None)


@pytest.mark.parametrize(
    "given", [{"clamd": "clamav"}, {"clamd": "unix:"}, {"clamd": "a:1", "scanner": "none"}, {"scanner": "off"}]
)
def test_a_mistake_is_named(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="attachments"):
        _attachments(**given)


def test_files_lie_in_the_data_folder_unless_told_otherwise(tmp_path: Path) -> None:
    assert Settings.load({"GLASSHOUSE_DATA_DIR": str(tmp_path)}).attachments.folder == tmp_path / "attachments"
