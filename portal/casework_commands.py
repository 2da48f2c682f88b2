"""Commands for casework: why a field opens or not, and cases from a case system's file."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from config.settings import Settings
from portal.domain.decisions import CaseStanding, Facts, Relation
from portal.furnishing import furnish_house
from portal.registries.catalogue import load_catalogue
from portal.registries.purpose_files import Party
from portal.services.case_files import CaseFileRefused, FileProblem, read_cases
from portal.services.case_import import RowOutcome, RowProblem, RowState
from portal.services.policy import Policy

_FILE_PROBLEMS = {
    FileProblem.NOT_UTF8: "it is not in UTF-8",
    FileProblem.EMPTY: "it holds no cases",
    FileProblem.COLUMN_MISSING: "a column is missing in the header:",
    FileProblem.TOO_MANY_ROWS: "it holds more cases than",
    FileProblem.NOT_CSV: "it is not CSV: a quotation mark is not closed, or stands where none may",
}
_ROW_PROBLEMS = {
    RowProblem.RAGGED: "more or fewer cells than the header",
    RowProblem.REFERENCE: "no reference of a case",
    RowProblem.REPEATED: "this case stands in the file twice",
    RowProblem.KIND: "the kind of case is missing or longer than 100 characters",
    RowProblem.TEAM: "the team's name is too long",
    RowProblem.ORGANISATION: "there is no organisation with this code",
    RowProblem.ORGANISATION_FOREIGN: "the case belongs to another organisation",
    RowProblem.PURPOSE: "there is no purpose with this code",
    RowProblem.PURPOSE_FOREIGN: "the organisation's caseworkers may not state this purpose",
    RowProblem.OPENED: "the opening day is no day (2026-03-27)",
    RowProblem.CLOSED: "the closing day is no day (2026-03-27)",
    RowProblem.CLOSED_BEFORE_OPENED: "closed before it was opened",
    RowProblem.SUBJECTS: "name at least one person and at most fifty",
    RowProblem.SUBJECT_CODE: "no valid personal code: person",
    RowProblem.OFFICIAL_UNKNOWN: "no caseworker of this organisation: official",
}


@click.group()
def policy() -> None:
    """The rules of access."""


@policy.command()
@click.option("--role", required=True, type=click.Choice([party.value for party in Party]))
@click.option("--organisation", required=True, help="Code of the organisation that asks.")
@click.option("--purpose", required=True, help="Code of the purpose.")
@click.option("--field", required=True, help="registry/field, for example population/address.")
@click.option(
    "--case", "case", type=click.Choice([standing.value for standing in CaseStanding]), default="assigned",
    show_default=True, help="How the case that is named stands to whoever asks.",
)  # fmt: skip
@click.option("--relation", type=click.Choice([r.value for r in Relation]), default="none", show_default=True)
@click.option("--restricted", is_flag=True, help="The field is under restriction of processing.")
@click.option("--guarded", is_flag=True, help="The person is a minor, or a registry marks them.")
@click.option("--marked", is_flag=True, help="A registry's mark on the person guards this field.")
@click.option("--approved", is_flag=True, help="A second person approved the access.")
def explain(
    role: str,
    organisation: str,
    purpose: str,
    field: str,
    case: str,
    relation: str,
    restricted: bool,
    guarded: bool,
    marked: bool,
    approved: bool,
) -> None:
    """Say in plain words whether a field opens, and which rule decided it. Ends with 1 when it stays closed."""
    catalogue = load_catalogue(Settings.load().catalogue_dir)
    stated = catalogue.purposes.get(purpose)
    registry, _, code = field.partition("/")
    if stated is None:
        raise click.UsageError(f"there is no purpose {purpose}; known: {', '.join(catalogue.purposes)}")
    if registry not in catalogue.registries or code not in catalogue.registries[registry].fields:
        raise click.UsageError(f"there is no field {field}; write it as registry/field")
    facts = Facts(
        case=CaseStanding(case),
        relation=Relation(relation),
        restricted=frozenset({field}) if restricted else frozenset(),
        guarded=guarded or marked,
        marked=frozenset({field}) if marked else frozenset(),
        approved=approved,
    )
    found = Policy(catalogue).explain(role, organisation, stated, field, facts)
    click.echo(f"{'OPENS' if found.allowed else 'STAYS CLOSED'}: {field} to a {role} of {organisation}, for {purpose}")
    for rule in found.rules:
        click.echo(f"  {'permitted' if rule.permits else 'forbidden'} by {rule.code} ({rule.place})\n    {rule.says}")
        if rule.obligation is not None:
            click.echo(f"    obligation: {rule.obligation}")
    if found.failed:
        click.echo("  The policy engine gave no answer, which denies.")
    elif not found.rules:
        click.echo("  No rule permits it, and what no rule permits is denied.")
        for said in _missing(role in stated.roles, organisation in stated.organisations, field, stated.permits):
            click.echo(f"    {said}")
    sys.exit(0 if found.allowed else 1)


@click.group()
def cases() -> None:
    """Cases from the organisations' case systems."""


@cases.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_cases(file: Path) -> None:
    """Take over the cases in FILE (CSV). Safe to repeat; each row tells what became of it. Ends with 1 if one is
    refused."""
    try:
        rows = read_cases(file.read_bytes())
    except CaseFileRefused as refusal:
        click.echo(f"{file}: {_FILE_PROBLEMS[refusal.problem]} {refusal.detail}".strip(), err=True)
        sys.exit(1)
    house = furnish_house(Settings.load())
    try:
        outcomes = house.casework_room.case_import.take_over(rows, request_id=secrets.token_hex(8))
    finally:
        house.log.close()
    for outcome in outcomes:
        click.echo(_told(file, outcome))
    counts = ", ".join(f"{sum(outcome.state is state for outcome in outcomes)} {state}" for state in RowState)
    click.echo(f"{len(outcomes)} read: {counts}")
    sys.exit(1 if any(outcome.state is RowState.REFUSED for outcome in outcomes) else 0)


def _told(file: Path, outcome: RowOutcome) -> str:
    line = f"{file}:{outcome.line}: {outcome.reference or '-'}: {outcome.state}"
    if outcome.problem is None:
        return line
    position = "" if outcome.position is None else f" {outcome.position}"
    return f"{line}: {_ROW_PROBLEMS[outcome.problem]}{position}"


def _missing(is_role: bool, is_organisation: bool, field: str, permits: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What the purpose lacks for it, where that is what is missing."""
    said = []
    if not is_role:
        said.append("The purpose is not for this role.")
    if not is_organisation:
        said.append("The purpose is not for this organisation.")
    registry, _, code = field.partition("/")
    if code not in permits.get(registry, ()):
        said.append("The purpose does not list this field.")
    return said
