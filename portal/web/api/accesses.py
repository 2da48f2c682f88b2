"""Reporting an access, and fetching the proof that it stands in the log."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from portal.domain.identifiers import InvalidPersonalCode, PersonalCode
from portal.domain.machines import Operation
from portal.services.reports import Report, ReportRefused
from portal.web.api.problems import init_problems, mistakes_of, problem, rfc3339
from portal.web.guard import machine
from portal.web.house import admitted, house

blueprint = Blueprint("api_accesses", __name__)
init_problems(blueprint)

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]


class AccessReport(BaseModel):
    """One look at one person's data in one registry, as the registry's own system tells it."""

    model_config = ConfigDict(extra="forbid", strict=True, title="AccessReport")

    registry: Code = Field(description="The registry's code in the catalogue")
    subject: str = Field(max_length=32, description="The personal code of the person whose data were used")
    occurred_at: AwareDatetime = Field(strict=False, description="When it happened, RFC 3339 with an offset")
    action: Code = Field(description="`read` for a look by a person, `automated-read` where nobody looked")
    outcome: Code = Field(description="`released`, `denied` or `failed`")
    organisation: Code = Field(description="The organisation that looked, by its code in the catalogue")
    purpose: Code = Field(description="The purpose's code in the catalogue")
    fields: list[Code] = Field(min_length=1, max_length=200, description="The fields used, by their codes")
    official: str | None = Field(
        default=None, max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="A pseudonym, never a name"
    )
    case: str | None = Field(default=None, max_length=64, description="The case, where the purpose needs one")
    justification: str | None = Field(default=None, max_length=1000, description="The reason given, if any")

    def report(self) -> Report:
        """Raises ReportRefused when `subject` is no personal code."""
        try:
            subject = PersonalCode.parse(self.subject)
        except InvalidPersonalCode:
            raise ReportRefused({"subject": "is no valid personal code"}) from None
        return Report(**self.model_dump() | {"subject": subject, "fields": tuple(self.fields)})


@blueprint.post("/api/v1/accesses")
@machine(Operation.REPORT_ACCESS)
def report() -> ResponseReturnValue:
    if request.mimetype != "application/json":
        return problem(415, "Send application/json")
    try:
        told = AccessReport.model_validate(request.get_json()).report()
    except ValidationError as error:
        raise ReportRefused(mistakes_of(error)) from None
    made = house().reports.report(admitted(), told, request.headers.get("Idempotency-Key", ""))
    body = {"id": made.reference, "logged_at": rfc3339(made.logged_at)}
    return jsonify(body), 201, {"Location": url_for("api_accesses.receipt", reference=made.reference)}


@blueprint.get("/api/v1/accesses/<reference>")
@machine(Operation.READ_RECEIPT)
def receipt(reference: str) -> ResponseReturnValue:
    logged_at, text = house().reports.receipt(admitted(), reference)
    return jsonify(id=reference, logged_at=rfc3339(logged_at), receipt=text)
