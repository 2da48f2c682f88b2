"""A name that templates know stands for one thing: a second filter of a name would take the place of the first."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.factories.apps import FakePortal


def test_no_two_filters_have_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[str] = []
    add = Flask.add_template_filter

    def noted(app: Flask, function: Any, name: str | None = None) -> None:
        named.append(name or function.__name__)
        add(app, function, name)

    monkeypatch.setattr(Flask, "add_template_filter", noted)
    FakePortal.build(tmp_path, monkeypatch).close()
    assert named
    assert [name for name, times in Counter(named).items() if times > 1] == []
