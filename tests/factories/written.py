"""Looking for people in what was logged. JSON writes "Mägi" as "M\\u00e4gi", and either betrays them."""

from __future__ import annotations

import json
from collections.abc import Iterable


def lines_naming(secrets: Iterable[str], lines: Iterable[str]) -> list[str]:
    """Every line that holds one of the secrets, as it is or as JSON spells it."""
    spellings = {spelling for secret in secrets for spelling in (secret, json.dumps(secret)[1:-1])}
    return [line for line in lines if any(spelling in line for spelling in spellings)]
