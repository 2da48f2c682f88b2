"""Recipients ask people for consent, see how it stands, and use what they were given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from portal.domain.consents import ConsentRequestRefused
from portal.domain.identifiers import InvalidPersonalCode, PersonalCode
from portal.domain.machines import Operation
from portal.domain.marks import Mark
from portal.domain.text import LANGUAGES
from portal.registries.records import Record
from portal.services.consents.record import MEDIA_TYPE
from portal.services.consents.requests import Standing
from portal.services.consents.terms import ConsentRequest
from portal.services.disclosure import Disclosure
from portal.web.api.problems import init_problems, mistakes_of, problem, rfc3339
from portal.web.guard import machine
from portal.web.house import admitted, house, request_id

blueprint = Blueprint("api_consents", __name__)
init_problems(blueprint)

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Fields = dict[Code, Annotated[list[Code], Field(min_length=1, max_length=200)]]


class ConsentAsked(BaseModel):
    """What a recipient asks one person for."""

    model_config = ConfigDict(extra="forbid", strict=True, title="ConsentRequest")

    subject: str = Field(max_length=32, description="The personal code of the person who is asked")
    purpose: Code = Field(description="A purpose with consent as its basis, by its code in the catalogue")
    fields: Fields = Field(
        min_length=1, max_length=50, description="For each registry exactly the fields, by their codes"
    )
    days: int = Field(ge=1, le=3660, description="How many days the consent holds once it is given")
    continuing: bool = Field(description="true for any number of uses in that time, false for one")

    def asked(self) -> ConsentRequest:
        """Raises ConsentRequestRefused when `subject` is no personal code."""
        try:
            subject = PersonalCode.parse(self.subject)
        except InvalidPersonalCode:
            raise ConsentRequestRefused({"subject": "is no valid personal code"}) from None
        fields = {registry: tuple(codes) for registry, codes in self.fields.items()}
        return ConsentRequest(
            subject=subject, purpose=self.purpose, fields=fields, days=self.days, continuing=self.continuing
        )


class ConsentUse(BaseModel):
    """What is wanted this time; without `fields` all that the consent covers."""

    model_config = ConfigDict(extra="forbid", strict=True, title="ConsentUse")

    fields: Fields | None = Field(default=None, min_length=1, max_length=50)


@blueprint.post("/api/v1/consent-requests")
@machine(Operation.REQUEST_CONSENT)
def ask() -> ResponseReturnValue:
    if request.mimetype != "application/json":
        return problem(415, "Send application/json")
    try:
        asked = ConsentAsked.model_validate(request.get_json()).asked()
    except ValidationError as error:
        raise ConsentRequestRefused(mistakes_of(error)) from None
    key = request.headers.get("Idempotency-Key", "")
    standing = house().consents.requests.ask(admitted(), asked, key, request_id=request_id())
    where = {"Location": url_for("api_consents.standing", consent=standing.consent_id)}
    return jsonify(_standing(standing)), 202, where


@blueprint.get("/api/v1/consents/<consent>")
@machine(Operation.REQUEST_CONSENT)
def standing(consent: str) -> ResponseReturnValue:
    return jsonify(_standing(house().consents.requests.standing(admitted(), consent)))


@blueprint.get("/api/v1/consents/<consent>/record")
@machine(Operation.REQUEST_CONSENT)
def record(consent: str) -> ResponseReturnValue:
    language = request.accept_languages.best_match(LANGUAGES, default=LANGUAGES[0])
    page = url_for("consents.one", consent=consent, _external=True)
    made = house().consents.records.for_recipient(admitted(), consent, language, page, request_id=request_id())
    answer = jsonify(made)
    answer.mimetype = MEDIA_TYPE
    return answer


@blueprint.post("/api/v1/consents/<consent>/use")
@machine(Operation.USE_CONSENT)
def use(consent: str) -> ResponseReturnValue:
    if request.mimetype != "application/json":
        return problem(415, "Send application/json")
    try:
        fields = ConsentUse.model_validate(request.get_json()).fields
    except ValidationError as error:
        raise ConsentRequestRefused(mistakes_of(error)) from None
    wanted = None if fields is None else {registry: tuple(codes) for registry, codes in fields.items()}
    used = house().consents.uses.use(admitted(), consent, wanted, request_id=request_id())
    return jsonify(id=used.consent_id, registries=[_disclosed(one, used.marks) for one in used.disclosures])


def _standing(standing: Standing) -> dict[str, Any]:
    told = {"id": standing.consent_id, "state": standing.state, "expires_at": rfc3339(standing.expires_at)}
    return told if standing.ends_at is None else told | {"ends_at": rfc3339(standing.ends_at)}


def _disclosed(disclosure: Disclosure, marks: Iterable[Mark]) -> dict[str, Any]:
    """`records` is null where the registry gave no answer, and empty where it holds nothing.

    `marks` say what the person contests, or what may not be used for now, and since when; `field` is null for all.
    """
    records = None if disclosure.records is None else [_record(one) for one in disclosure.records]
    here = [
        {"field": mark.field, "kind": mark.kind, "since": rfc3339(mark.since)}
        for mark in marks
        if mark.registry == disclosure.registry
    ]
    return {"registry": disclosure.registry, "records": records, "marks": here}


def _record(record: Record) -> dict[str, Any]:
    """A day in ISO 8601; money and other decimals as text, so that no reader rounds them."""
    return {
        code: str(held.value) if isinstance(held.value, date | Decimal) else held.value
        for code, held in record.fields.items()
    }
