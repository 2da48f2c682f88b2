"""Every form takes each field once, and forms only: one that forgets the house's base would read JSON as well."""

from __future__ import annotations

import re
from pathlib import Path

FORMS = Path(__file__).parents[2] / "portal" / "web"


def test_only_the_base_of_all_forms_stands_on_the_library_itself() -> None:
    found = [str(path) for path in FORMS.rglob("*.py") if re.search(r"^class .*\(FlaskForm\)", path.read_text(), re.M)]
    assert [Path(path).name for path in found] == ["fields.py"]
