"""Reading the rules of access: Cedar policies in config/policy, each with a name and a sentence in plain words.

Cedar's parser does not tell lines, so the files are read rule by rule; each rule begins a line with its `@id`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cedarpy import Schema, policies_to_json_str, validate_policies

from portal.domain.actions import Reason
from portal.domain.decisions import Obligation
from portal.registries.toml_reading import Mistakes

SCHEMA_FILE = "schema.cedarschema"
_BEGINNING = re.compile(r"^@id\(", re.MULTILINE)
_COMMENT = re.compile(r"//[^\n]*")
_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")
_KNOWN = frozenset({"id", "says", "reason", "obligation"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. If it forbids, it gives a `reason` or the `obligation` that lifts it; a permit may oblige too."""

    code: str
    permits: bool
    says: str
    reason: Reason | None
    obligation: Obligation | None
    place: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules: their text and schema for the engine, and by name what each one means."""

    schema: str
    text: str
    by_code: dict[str, Rule]


def read_rules(directory: Path, mistakes: Mistakes) -> Rules:
    """Every mistake is noted with file and line, like the catalogue's."""
    schema = _read(directory / SCHEMA_FILE, mistakes)
    try:
        Schema.from_str(schema)
    except ValueError as error:
        mistakes.note(directory / SCHEMA_FILE, 1, "schema", str(error))
        return Rules("", "", {})
    texts: list[str] = []
    by_code: dict[str, Rule] = {}
    for file in sorted(directory.glob("*.cedar")):
        for line, text in _pieces(file, mistakes):
            texts.append(text)
            rule = _rule(file, line, text, schema, mistakes)
            if rule is None:
                continue
            if rule.code in by_code:
                mistakes.note(file, line, rule.code, f"another rule has this name ({by_code[rule.code].place})")
            by_code[rule.code] = rule
    if not any(rule.permits for rule in by_code.values()):
        mistakes.note(directory, 1, "policy", "no rule permits anything")
    return Rules(schema, "\n".join(texts), by_code)


def _pieces(file: Path, mistakes: Mistakes) -> Iterator[tuple[int, str]]:
    """The file's rules, each with the line it begins on."""
    text = _read(file, mistakes)
    starts = [found.start() for found in _BEGINNING.finditer(text)]
    preface = _COMMENT.sub("", text[: starts[0]] if starts else text).strip()
    if preface or not starts:
        mistakes.note(file, 1, "rule", 'a rule begins a line with its name: @id("…")')
    for start, end in pairwise([*starts, len(text)]):
        yield text.count("\n", 0, start) + 1, text[start:end]


def _rule(file: Path, line: int, text: str, schema: str, mistakes: Mistakes) -> Rule | None:
    checked = validate_policies(text, schema)
    if not checked.validation_passed:
        for error in checked.errors:
            mistakes.note(file, line, "rule", _plain(error.error))
        return None
    policies = list(json.loads(policies_to_json_str(text))["staticPolicies"].values())
    if len(policies) != 1:
        mistakes.note(file, line, "rule", "one rule has one @id; a rule without a name stands below this line")
        return None
    return _described(file, line, policies[0]["effect"] == "permit", policies[0]["annotations"], mistakes)


def _described(file: Path, line: int, permits: bool, annotations: dict[str, str], mistakes: Mistakes) -> Rule | None:
    code = annotations["id"]
    found = [f"there is no annotation @{name} here" for name in sorted(annotations.keys() - _KNOWN)]
    if not _ID.fullmatch(code):
        found.append("a name is a lowercase letter, then lowercase letters, digits and hyphens (at most 64)")
    if not annotations.get("says", "").strip():
        found.append("@says is missing: what the rule means, in plain words")
    reason, obligation = annotations.get("reason"), annotations.get("obligation")
    if reason is not None and reason not in set(Reason):
        found.append(f"@reason is none of {', '.join(Reason)}")
    if obligation is not None and obligation not in set(Obligation):
        found.append(f"@obligation is none of {', '.join(Obligation)}")
    if permits and reason is not None:
        found.append("a rule that permits gives no @reason")
    if not permits and (reason is None) == (obligation is None):
        found.append("a rule that forbids gives either the @reason or the @obligation that lifts it")
    for what in found:
        mistakes.note(file, line, code, what)
    if found:
        return None
    return Rule(
        code,
        permits,
        annotations["says"],
        None if reason is None else Reason(reason),
        None if obligation is None else Obligation(obligation),
        f"{file}:{line}",
    )


def _plain(error: str) -> str:
    return re.sub(r"for policy `policy\d+`, ", "", error.removeprefix("Policy parse error: "))


def _read(file: Path, mistakes: Mistakes) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        mistakes.note(file, 1, "file", f"cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        mistakes.note(file, 1, "file", "is not UTF-8")
    return ""
