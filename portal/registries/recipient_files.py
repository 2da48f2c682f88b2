"""Reading who may ask people for consent, and on which terms, from consents.toml beside the catalogue."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from portal.domain.consents import ConsentRules, Recipient
from portal.registries.catalogue import Catalogue, CatalogueError
from portal.registries.toml_reading import Mistakes, TomlTable, frozen, read_toml

FILE = "consents.toml"
#: A term of the Data Privacy Vocabulary, by its usual prefix.
_TERM = re.compile(r"dpv:[A-Z][A-Za-z]+")


def load_consent_rules(directory: Path, catalogue: Catalogue) -> ConsentRules:
    """Read ``consents.toml`` under `directory`; without that file nobody may ask for consent.

    Raises:
        CatalogueError: there are mistakes; each is named as "file:line: key: what is wrong".
    """
    path = directory / FILE
    mistakes = Mistakes()
    file = read_toml(path, mistakes) if path.exists() else None
    rules = ConsentRules({}, {}) if file is None else _rules(file, catalogue)
    if mistakes:
        raise CatalogueError(mistakes.lines)
    return rules


def _rules(file: TomlTable, catalogue: Catalogue) -> ConsentRules:
    rules = ConsentRules(
        recipients=frozen(_recipients(file, catalogue)),
        purposes=frozen(_purposes(file, catalogue)),
        request=timedelta(days=file.whole_number("request_days", least=1, most=90)),
        longest_days=file.whole_number("longest_days", least=1, most=3660),
        per_person=file.whole_number("requests_per_person", least=1, most=100),
        per_person_within=timedelta(days=file.whole_number("requests_days", least=1, most=366)),
        a_day=file.whole_number("requests_a_day", least=1, most=10_000_000),
        jurisdiction=file.text("jurisdiction"),
    )
    file.finish()
    return rules


def _recipients(file: TomlTable, catalogue: Catalogue) -> dict[str, Recipient]:
    recipients: dict[str, Recipient] = {}
    for table in file.tables("recipient"):
        recipient = Recipient(table.code("organisation"), table.localized("description"), table.text("address"))
        if recipient.organisation not in catalogue.organisations:
            table.mistake("organisation", "there is no organisation with this code")
        if recipient.organisation in recipients:
            table.mistake("organisation", "two recipients have this code")
        recipients[recipient.organisation] = recipient
        table.finish()
    return recipients


def _purposes(file: TomlTable, catalogue: Catalogue) -> dict[str, str]:
    table = file.table("purposes")
    terms = {} if table is None else {code: table.text(code) for code in table}
    for code, term in terms.items():
        if table is not None and _TERM.fullmatch(term) is None:
            table.mistake(code, 'is no term of the Data Privacy Vocabulary, such as "dpv:ServiceProvision"')
    wanted = {purpose.code for purpose in catalogue.purposes.values() if purpose.by_consent}
    for code in sorted(wanted ^ terms.keys()):
        file.mistake("purposes", f"{code}: name exactly the purposes with by_consent, each with its term")
    return terms
