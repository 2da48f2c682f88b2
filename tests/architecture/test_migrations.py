"""The portal's own tables have one history: each migration follows the one before, and there is one newest."""

from __future__ import annotations

import re
from pathlib import Path

VERSIONS = Path(__file__).parents[2] / "portal" / "migrations" / "versions"
_REVISION = re.compile(r'^revision = "(\d{4})"$', re.MULTILINE)
_BEFORE = re.compile(r'^down_revision = (?:"(\d{4})"|None)$', re.MULTILINE)


def test_migrations_are_one_chain_in_the_order_of_their_numbers() -> None:
    chain = []
    for file in sorted(VERSIONS.glob("*.py")):
        text = file.read_text(encoding="utf-8")
        revision, before = _REVISION.search(text), _BEFORE.search(text)
        assert revision is not None, file.name
        assert before is not None, file.name
        assert file.name.startswith(revision[1] + "_"), file.name
        chain.append((revision[1], before[1]))
    expected = [f"{number:04d}" for number in range(1, len(chain) + 1)]
    assert [revision for revision, _ in chain] == expected
    assert [before for _, before in chain] == [None, *expected[:-1]]
