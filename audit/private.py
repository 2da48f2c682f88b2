"""Files that only their owner may read: keys and PINs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from audit.errors import KeyRefused

_LONGEST = 4096


def read_private_file(path: Path, what: str) -> str:
    """The stripped text of a file of mode 0600 or less; `what` it holds stands in the messages.

    Raises:
        KeyRefused: the file is missing, cannot be read as text, or can be read by others than its owner.
    """
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(_LONGEST).strip()
    except FileNotFoundError:
        raise KeyRefused(f"there is no {what} at {path}") from None
    except (OSError, UnicodeDecodeError):
        raise KeyRefused(f"the {what} at {path} cannot be read") from None
    if mode & 0o077:
        raise KeyRefused(f"the {what} at {path} can be read by others (mode {mode:04o}); set it to 0600")
    return text
