"""Where the public test vectors are that the project reads and does not hold: a folder beside the repository."""

import os
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("GLASSHOUSE_TEST_VECTORS", Path(__file__).parents[3] / "shared" / "vectors"),
)
ABSENT = "the public test vectors are not on this machine: set GLASSHOUSE_TEST_VECTORS to their folder"

INCLUSION = FOLDER / "merkle" / "inclusion"
LOG = FOLDER / "tessera-log"
LOG_ORIGIN = "example.com/log/testdata"
LOG_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
LOG_SIZES = range(16)

needs_log = pytest.mark.skipif(not LOG.is_dir(), reason=ABSENT)


def files(folder: Path, pattern: str) -> list[object]:
    """The files below a folder as parameters of a test, or one parameter that skips it and says why."""
    found = sorted(folder.rglob(pattern))
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason=ABSENT))]
    return [pytest.param(path, id=str(path.relative_to(folder))) for path in found]
