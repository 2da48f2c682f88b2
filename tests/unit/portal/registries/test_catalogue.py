"""Every mistake in the catalogue is named with file, line and key; the shipped catalogue has none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.domain.purposes import OVERSIGHT, OWN_LOOK
from portal.domain.text import LANGUAGES, LocalizedText
from portal.registries.catalogue import Catalogue, CatalogueError, SourceKind, load_catalogue

SHIPPED = Path(__file__).parents[4] / "config"
LAND = "registries/70-land.toml"
POPULATION = "registries/10-population.toml"
TAX = "registries/20-tax-benefits.toml"
PURPOSES = "purposes.toml"
ORGANISATIONS = "organisations.toml"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(SHIPPED)


def mistakes_of(directory: Path) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(directory)
    return caught.value.mistakes


def test_a_shipped_registry_tells_everything_that_a_privacy_notice_owes(catalogue: Catalogue) -> None:
    assert len(catalogue.registries) >= 7
    for registry in catalogue.registries.values():
        assert registry.controller in catalogue.organisations
        assert "@" in registry.contact
        assert registry.recipients
        for text in (registry.purpose, registry.lawful_basis, registry.retention, *registry.recipients):
            assert_in_every_language(text)
        assert_in_every_language(registry.automated_decisions)
        assert_in_every_language(registry.transfers)
        assert "6(1)" in registry.lawful_basis.en


def test_each_field_has_a_name_and_a_meaning_in_three_languages(catalogue: Catalogue) -> None:
    for registry in catalogue.registries.values():
        for field in registry.fields.values():
            for text in (field.name, field.meaning, *field.values.values()):
                assert_in_every_language(text)
            assert len({field.meaning.en, field.meaning.et, field.meaning.ru}) == 3, (registry.code, field.code)


def assert_in_every_language(text: LocalizedText) -> None:
    assert all(text.in_language(language).strip() for language in LANGUAGES)


def test_no_purpose_of_an_official_opens_a_whole_country(catalogue: Catalogue) -> None:
    everything = sum(len(registry.fields) for registry in catalogue.registries.values())
    for purpose in catalogue.purposes.values():
        opened = sum(len(fields) for fields in purpose.permits.values())
        assert opened < everything / 3, purpose.code
        assert len(purpose.permits) < len(catalogue.registries), purpose.code


def test_own_looks_and_oversight_open_no_registry_by_a_permit(catalogue: Catalogue) -> None:
    assert catalogue.purposes[OWN_LOOK].roles == {"citizen"}
    assert catalogue.purposes[OVERSIGHT].roles == {"auditor"}
    assert not catalogue.purposes[OWN_LOOK].permits
    assert not catalogue.purposes[OVERSIGHT].permits


def test_a_purpose_is_either_for_systems_or_for_people(catalogue: Catalogue) -> None:
    for purpose in catalogue.purposes.values():
        assert ("system" in purpose.roles) == purpose.is_automatic


def test_no_purpose_of_an_official_gives_a_mark_and_the_check_before_a_look_reads_it(catalogue: Catalogue) -> None:
    marks = {(r.code, f.code) for r in catalogue.registries.values() for f in r.fields.values() if f.guards}
    assert marks == {("population", "protection")}
    givers = {
        purpose.code
        for purpose in catalogue.purposes.values()
        if any(code in purpose.permits.get(registry, ()) for registry, code in marks)
    }
    assert givers == {"conflict-check", "misuse-detection", "representation"}
    assert all(set(catalogue.purposes[code].roles) <= {"system", "citizen"} for code in givers)


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        (POPULATION, 'avalik = ["*"]', 'avalik = ["land/x"]', "guards.avalik[1]: there is no such field"),
        (POPULATION, 'avalik = ["*"]', 'tuntud = ["*"]', "guards.tuntud: the field has no such value"),
        ("purposes.toml", '["protection", ', "[", "conflict-check does not permit population/protection"),
    ],
)
def test_a_mark_that_guards_nothing_that_exists_or_that_no_check_reads_is_a_mistake(
    spoil: Callable[[str, str, str], int], shipped_copy: Path, file: str, old: str, new: str, what: str
) -> None:
    spoil(file, old, new)
    assert any(what in mistake for mistake in mistakes_of(shipped_copy)), mistakes_of(shipped_copy)


def test_the_bought_household_link_names_its_seller(catalogue: Catalogue) -> None:
    provenance = catalogue.registries["tax-benefits"].fields["partner-name"].provenance
    assert provenance is not None
    bought = provenance.sources["OST"]
    assert bought.kind is SourceKind.PURCHASED
    assert bought.name == catalogue.organisations["credit-reference"].name


def test_a_catalogue_cannot_be_changed_after_it_was_read(catalogue: Catalogue) -> None:
    with pytest.raises(TypeError):
        catalogue.registries["land"] = catalogue.registries["population"]  # type: ignore[index]
    with pytest.raises(TypeError):
        catalogue.purposes["tax-audit"].permits["land"] = ()  # type: ignore[index]


SINGLE_MISTAKES = [
    (
        ORGANISATIONS,
        'acts_for = "tax-board"',
        'acts_for = "claimcheck"',
        0,
        "organisation[14].acts_for",
        "no other organisation",
    ),
    (
        ORGANISATIONS,
        'acts_for = "tax-board"',
        'acts_for = "nobody"',
        0,
        "organisation[14].acts_for",
        "no other organisation",
    ),
    pytest.param(LAND, 'code = "land"\n', "", 1, "code", "is missing", id="missing key"),
    pytest.param(
        LAND, 'contact = "', 'kontakt = 1\ncontact = "', 0, "kontakt", "there is no such key", id="unknown key"
    ),
    pytest.param(
        LAND, 'contact = "andmekaitse@kinnistud.example"', "contact = 5", 0, "contact", "expected a text", id="type"
    ),
    pytest.param(LAND, 'controller = "land-register"\n', "", 1, "controller", "is missing", id="no controller"),
    pytest.param(
        LAND,
        'controller = "land-register"',
        'controller = "nobody"',
        0,
        "controller",
        "no organisation",
        id="unknown controller",
    ),
    pytest.param(LAND, "[retention]", "[keeping]", 1, "retention", "is missing", id="no retention"),
    pytest.param(LAND, "[automated_decisions]", "[robots]", 1, "automated_decisions", "is missing", id="no decisions"),
    pytest.param(LAND, "[transfers]", "[abroad]", 1, "transfers", "is missing", id="no transfers"),
    pytest.param(LAND, "[lawful_basis]", "[basis]", 1, "lawful_basis", "is missing", id="no lawful basis"),
    pytest.param(LAND, "[purpose]", "[why]", 1, "purpose", "is missing", id="no purpose"),
    pytest.param(LAND, 'ru = "Земельный регистр"', "", -3, "name.ru", "language is missing", id="missing language"),
    pytest.param(LAND, 'et = "Kinnistusraamat"', 'et = " "', 0, "name.et", "is empty", id="blank language"),
    pytest.param(
        LAND,
        'code = "area"',
        'code = "land-use"',
        None,
        "fields[4].code",
        "two fields have this code",
        id="field code twice",
    ),
    pytest.param(LAND, 'code = "area"', 'code = "Area!"', 0, "fields[3].code", "a code is", id="bad code"),
    pytest.param(LAND, 'column = "osa"\n', "", None, "fields[5].column", "is missing", id="no column"),
    pytest.param(
        LAND,
        '"hypoteek.summa"',
        '"laen.summa"',
        0,
        "fields[7].column",
        "no table of this name",
        id="column of no table",
    ),
    pytest.param(
        LAND, '"kinnistu.pindala_ha"', '"kinnistu.pin-dala"', 0, "fields[3].column", "no name of a column", id="column"
    ),
    pytest.param(
        LAND, 'type = "decimal"', 'type = "number"', 0, "fields[3].type", "is none of text", id="type of field"
    ),
    pytest.param(LAND, "sensitive = true", 'sensitive = "yes"', 0, "fields[7].sensitive", "true or false", id="flag"),
    pytest.param(LAND, 'url = "sqlite', 'url = "', 0, "connector.url", "no database URL", id="url"),
    pytest.param(LAND, 'gives = "omaniku_nr"\n', "", -3, "connector.lookup.gives", "is missing", id="lookup"),
    pytest.param(
        LAND,
        'equals = "kinnistu.kinnistu_nr"',
        'equals = "maa.nr"',
        0,
        "connector.records[1].joins[2].equals",
        "no table",
        id="join",
    ),
    pytest.param(
        LAND,
        '{ table = "hypoteek"',
        '{ table = "kinnistu"',
        0,
        "connector.records[1].joins[2].table",
        "two tables",
        id="alias twice",
    ),
    pytest.param(
        TAX, 'record = "benefit"', 'record = "benfit"', 0, "fields[6].record", "no record of this code", id="record"
    ),
    pytest.param(
        TAX, 'key_form = "prefixed"', 'key_form = "long"', 0, "connector.key_form", "is none of digits", id="key form"
    ),
    pytest.param(
        TAX,
        'kind = "purchased"',
        'kind = "stolen"',
        0,
        "connector.provenance[1].sources.OST.kind",
        "is none of own",
        id="source kind",
    ),
    pytest.param(
        TAX,
        'from = "credit-reference"',
        'from = "somebody"',
        0,
        "connector.provenance[1].sources.OST.from",
        "no organisation",
        id="seller",
    ),
    pytest.param(
        TAX,
        'kind = "purchased", from = "credit-reference"',
        'kind = "own"',
        None,
        "fields[11].provenance",
        "only purchased data have a match confidence",
        id="confidence of what was not bought",
    ),
    pytest.param(
        PURPOSES,
        '"relative-family-name"]',
        '"shoe-size"]',
        0,
        "purpose[3].permits.population[8]",
        "no field",
        id="permitted field",
    ),
    pytest.param(
        PURPOSES, "land = [", "lunch = [", 0, "purpose[5].permits.lunch", "no registry", id="permitted registry"
    ),
    pytest.param(
        PURPOSES,
        '["tax-board", "claimcheck"]',
        '["tax-bord", "claimcheck"]',
        0,
        "purpose[4].organisations[1]",
        "no organisation",
        id="org",
    ),
    pytest.param(
        PURPOSES, 'roles = ["caseworker"]', 'roles = ["boss"]', 0, "purpose[3].roles[1]", "is none of", id="role"
    ),
    pytest.param(
        PURPOSES,
        'roles = ["system"]',
        'roles = ["caseworker"]',
        0,
        "purpose[16].roles[1]",
        "is_automatic",
        id="human states automatic",
    ),
    pytest.param(
        PURPOSES, 'code = "own-look"', 'code = "my-look"', None, "purpose", "own-look is missing", id="own look"
    ),
    pytest.param(
        PURPOSES,
        'code = "tax-audit"',
        'code = "benefit-claim"',
        0,
        "purpose[5].code",
        "two purposes",
        id="purpose twice",
    ),
    pytest.param(
        PURPOSES,
        'official_shown = "named"',
        'official_shown = "loud"',
        0,
        "purpose[3].official_shown",
        "is none of named",
        id="shown",
    ),
    pytest.param(
        ORGANISATIONS,
        'code = "police"',
        'code = "jarvelinn"',
        0,
        "organisation[10].code",
        "two organisations",
        id="org twice",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "line_offset", "key", "what"), SINGLE_MISTAKES)
def test_a_mistake_is_named_with_its_file_line_and_key(
    spoil: Callable[[str, str, str], int],
    shipped_copy: Path,
    file: str,
    old: str,
    new: str,
    line_offset: int | None,
    key: str,
    what: str,
) -> None:
    """`line_offset` counts from the spoiled line; 1 and None stand for the top of the file and for another place."""
    spoiled = spoil(file, old, new)
    named = [mistake for mistake in mistakes_of(shipped_copy) if f" {key}: " in mistake and what in mistake]
    assert named, mistakes_of(shipped_copy)
    place, line, *_ = named[0].removeprefix(str(shipped_copy)).split(":")
    assert place == f"/{file}"
    if line_offset == 1:
        assert int(line) == 1
    elif line_offset is not None:
        assert int(line) == spoiled + line_offset


def test_all_mistakes_of_all_files_are_named_at_once(spoil: Callable[[str, str, str], int], shipped_copy: Path) -> None:
    spoil(LAND, 'contact = "', 'contract = "')
    spoil(TAX, 'key_form = "prefixed"', 'key_form = "long"')
    spoil(PURPOSES, 'roles = ["caseworker"]', 'roles = ["boss"]')
    spoil(ORGANISATIONS, 'contact = "', 'kontakt = "')
    named = mistakes_of(shipped_copy)
    assert {Path(mistake.split(":")[0]).name for mistake in named} == {
        "70-land.toml",
        "20-tax-benefits.toml",
        "purposes.toml",
        "organisations.toml",
    }
    assert all(mistake in str(CatalogueError(named)) for mistake in named)


def test_a_syntax_error_is_named_with_its_line_and_the_other_files_are_still_read(
    spoil: Callable[[str, str, str], int], shipped_copy: Path
) -> None:
    line = spoil(LAND, 'contact = "', "contact == ")
    spoil(TAX, 'key_form = "prefixed"', 'key_form = "long"')
    named = mistakes_of(shipped_copy)
    assert any(mistake.startswith(f"{shipped_copy}/{LAND}:{line}: syntax: ") for mistake in named)
    assert any(TAX in mistake for mistake in named)


def test_a_registry_without_recipients_is_refused(spoil: Callable[[str, str, str], int], shipped_copy: Path) -> None:
    path = shipped_copy / LAND
    text = path.read_text(encoding="utf-8")
    before, _, after = text.partition("[[recipients]]")
    path.write_text(before + after[after.index("[connector]") :], encoding="utf-8")
    assert f"{path}:1: recipients: is missing" in mistakes_of(shipped_copy)


def test_two_registries_of_one_code_name_each_other(spoil: Callable[[str, str, str], int], shipped_copy: Path) -> None:
    spoil(LAND, 'code = "land"', 'code = "vehicles"')
    clash = next(mistake for mistake in mistakes_of(shipped_copy) if "another registry has this code" in mistake)
    assert clash.startswith(f"{shipped_copy}/{LAND}:3: code: ")
    assert "50-vehicles.toml" in clash


@pytest.mark.parametrize("missing", ["organisations.toml", "purposes.toml", "policy/schema.cedarschema"])
def test_a_missing_file_is_named(shipped_copy: Path, missing: str) -> None:
    (shipped_copy / missing).unlink()
    assert any(
        mistake.startswith(f"{shipped_copy}/{missing}:1: file: cannot be read") for mistake in mistakes_of(shipped_copy)
    )


def test_a_folder_without_registries_is_named(tmp_path: Path) -> None:
    assert any("there is no registry's file" in mistake for mistake in mistakes_of(tmp_path))


def test_a_file_that_is_not_utf8_is_named(shipped_copy: Path) -> None:
    (shipped_copy / LAND).write_bytes(b'code = "\xff"')
    assert f"{shipped_copy}/{LAND}:1: file: is not UTF-8" in mistakes_of(shipped_copy)
