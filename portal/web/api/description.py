"""The API's description, made from the code it describes: OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from portal.domain.disputes import DisputeKind
from portal.domain.machines import Operation
from portal.domain.marks import MarkKind
from portal.services.machines import TOKEN_PATH
from portal.web.api.accesses import AccessReport
from portal.web.api.consents import ConsentAsked, ConsentUse
from portal.web.api.decisions import DecisionAnnouncement, DecisionChange, DecisionFinal
from portal.web.guard import public

blueprint = Blueprint("api_description", __name__)

_SECURED: list[dict[str, list[str]]] = [{"oauth2": []}, {"mutualTLS": []}]
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_OAUTH_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/OAuthError"}}}


@blueprint.get("/api/v1/openapi.json")
@public("describes the API; nothing in it is secret")
def openapi() -> ResponseReturnValue:
    return jsonify(described())


def described() -> dict[str, Any]:
    spec = APISpec(
        title="Glasshouse",
        version="1",
        openapi_version="3.1.0",
        info={
            "description": "Registries' own systems report each access, and fetch the proof that it is in the log."
            " Recipients ask people for consent, receive what they were given, and take over what was found wrong."
        },
    )
    for name, schema in _schemas().items():
        spec.components.schema(name, schema)
    scopes = {operation.scope("{registry}"): f"{operation} in one registry" for operation in Operation}
    flow = {"clientCredentials": {"tokenUrl": TOKEN_PATH, "scopes": scopes}}
    spec.components.security_scheme("oauth2", {"type": "oauth2", "flows": flow})
    spec.components.security_scheme("mutualTLS", {"type": "mutualTLS"})
    spec.path(TOKEN_PATH, operations={"post": _token()})
    spec.path("/api/v1/accesses", operations={"post": _report()})
    spec.path("/api/v1/accesses/{id}", operations={"get": _receipt()})
    spec.path("/api/v1/consent-requests", operations={"post": _ask_consent()})
    spec.path("/api/v1/consents/{id}", operations={"get": _of_consent("How a request of one's own stands", "Consent")})
    told = "The consent record (ISO/IEC TS 27560, JSON-LD), once consent was given"
    spec.path("/api/v1/consents/{id}/record", operations={"get": _of_consent(told, "ConsentRecord")})
    spec.path("/api/v1/consents/{id}/use", operations={"post": _use_consent()})
    for path, operation in _decisions().items():
        spec.path(path, operations=operation)
    spec.path("/api/v1/corrections", operations={"get": _waiting_corrections()})
    told = "One correction with the person it is about; each fetching is an entry in that person's history"
    spec.path("/api/v1/corrections/{id}", operations={"get": _of_consent(told, "Correction")})
    spec.path("/api/v1/corrections/{id}/acknowledge", operations={"post": _take_correction()})
    document: dict[str, Any] = spec.to_dict()
    return document


def _schemas() -> dict[str, dict[str, Any]]:
    text = {"type": "string"}
    moment = {"type": "string", "format": "date-time"}
    mistakes = {"type": "object", "additionalProperties": text}
    properties = {"type": text, "title": text, "status": {"type": "integer"}, "mistakes": mistakes}
    return {
        "AccessReport": AccessReport.model_json_schema(),
        "Reported": _object(id=text, logged_at=moment),
        "ConsentRequest": ConsentAsked.model_json_schema(ref_template="#/components/schemas/{model}"),
        "ConsentUse": ConsentUse.model_json_schema(ref_template="#/components/schemas/{model}"),
        **{
            name: kind.model_json_schema(ref_template=f"#/components/schemas/{name}/$defs/{{model}}")
            for name, kind in _DECISION_BODIES.items()
        },
        "Decision": _decision(),
        "Consent": _consent(),
        "ConsentRecord": {"type": "object", "description": "docs/consents.md explains each member"},
        "Disclosed": _object(id=text, registries={"type": "array", "items": _registry_answer()}),
        "Corrections": _object(corrections={"type": "array", "items": _waiting_correction()}),
        "Correction": _correction(),
        "Acknowledged": _object(id=text, acknowledged_at=moment),
        "Receipt": _object(id=text, logged_at=moment, receipt=text),
        "Problem": {"type": "object", "properties": properties, "required": ["type", "title", "status"]},
        "Token": _object(access_token=text, token_type=text, expires_in={"type": "integer"}, scope=text),
        "OAuthError": _object(error=text),
    }


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _token() -> dict[str, Any]:
    form = _object(grant_type={"const": "client_credentials"}, client_assertion_type={"type": "string"})
    form["properties"] |= {"client_assertion": {"type": "string"}, "scope": {"type": "string"}}
    return {
        "summary": "Get an access token by a signed assertion (RFC 7523), bound to the certificate (RFC 8705)",
        "security": [{"mutualTLS": []}],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {"200": _answer("Token"), "400": _refusal(), "401": _refusal(), "503": _problem("Not recorded")},
    }


def _report() -> dict[str, Any]:
    key = {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}}
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/AccessReport"}}}
    return {
        "summary": "Report one access; the answer comes once it is durable",
        "security": _SECURED,
        "parameters": [key],
        "requestBody": {"required": True, "content": body},
        "responses": {
            "201": _answer("Reported"),
            "400": _problem("No JSON"),
            "401": _refusal(),
            "403": _refusal(),
            "409": _problem("The key stands for another report"),
            "415": _problem("No JSON"),
            "422": _problem("The report says what cannot be"),
            "503": _problem("Not recorded: send it again with the same key"),
        },
    }


def _receipt() -> dict[str, Any]:
    reference = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "summary": "The proof that a report of one's own is in the log",
        "security": _SECURED,
        "parameters": [reference],
        "responses": {"200": _answer("Receipt"), "401": _refusal(), "403": _refusal(), "404": _problem("Nothing here")},
    }


_DECISION_BODIES: dict[str, type[BaseModel]] = {
    "DecisionAnnouncement": DecisionAnnouncement,
    "DecisionChange": DecisionChange,
    "DecisionFinal": DecisionFinal,
}


def _decision() -> dict[str, Any]:
    text, moment, flag = {"type": "string"}, {"type": "string", "format": "date-time"}, {"type": "boolean"}
    since = {"type": ["string", "null"], "format": "date-time"}
    day = {"type": "string", "format": "date"}
    wrong = {"type": ["string", "null"], "format": "date"}
    data = {
        "type": "array",
        "items": _object(registry=text, field=text, contested_since=since, wrong_since=wrong),
    }
    state = {"enum": ["intended", "withdrawn", "final"]}
    return _object(
        id=text,
        state=state,
        effect_on=day,
        announced_at=moment,
        contested_since=since,
        found_wrong=flag,
        data=data,
    )


def _decisions() -> dict[str, dict[str, Any]]:
    """By path: how a decision is announced, read, changed, withdrawn and made final."""
    one = "/api/v1/decisions/{id}"
    announce = _report()
    announce["summary"] = "Announce a decision before it takes effect; the person is told"
    announce["requestBody"]["content"]["application/json"]["schema"]["$ref"] = (
        "#/components/schemas/DecisionAnnouncement"
    )
    announce["responses"] |= {"201": _answer("Decision"), "409": _problem("The key stands for another decision")}
    return {
        "/api/v1/decisions": {"post": announce},
        one: {"get": _of_consent("How a decision of one's own stands, and whether its data are contested", "Decision")},
        f"{one}/change": {"post": _step("Another day or other data; the notice runs anew", "DecisionChange")},
        f"{one}/withdraw": {"post": _step("Withdraw it", None)},
        f"{one}/final": {
            "post": _step("Make it final, on contested data only by a human with a reason", "DecisionFinal")
        },
    }


def _step(summary: str, body: str | None) -> dict[str, Any]:
    step = _of_consent(summary, "Decision")
    step["responses"] |= {"409": _problem("Settled, contested, or found wrong"), "422": _problem("This cannot be")}
    if body is not None:
        schema = {"schema": {"$ref": f"#/components/schemas/{body}"}}
        step["requestBody"] = {"required": True, "content": {"application/json": schema}}
    return step


def _consent() -> dict[str, Any]:
    moment = {"type": "string", "format": "date-time"}
    state = {"enum": ["waiting", "given", "not-given", "ended"]}
    known = _object(id={"type": "string"}, state=state, expires_at=moment)
    known["properties"]["ends_at"] = moment
    return known


def _registry_answer() -> dict[str, Any]:
    records = {"type": ["array", "null"], "items": {"type": "object"}}
    kinds = {"enum": [kind.value for kind in MarkKind]}
    mark = _object(field={"type": ["string", "null"]}, kind=kinds, since={"type": "string", "format": "date-time"})
    return _object(registry={"type": "string"}, records=records, marks={"type": "array", "items": mark})


def _ask_consent() -> dict[str, Any]:
    asked = _report()
    asked["summary"] = "Ask one person for consent; the answer is the same whoever the code is of"
    asked["requestBody"]["content"]["application/json"]["schema"]["$ref"] = "#/components/schemas/ConsentRequest"
    asked["responses"].pop("201")
    asked["responses"] |= {
        "202": _answer("Consent"),
        "409": _problem("The key stands for another request"),
        "422": _problem("This cannot be asked for"),
        "429": _problem("Asked too often"),
    }
    return asked


def _of_consent(summary: str, schema: str) -> dict[str, Any]:
    return _receipt() | {
        "summary": summary,
        "responses": _receipt()["responses"] | {"200": _answer(schema)},
    }


def _waiting_correction() -> dict[str, Any]:
    moment = {"type": "string", "format": "date-time"}
    return _object(id={"type": "string"}, registry={"type": "string"}, told_at=moment, reminders={"type": "integer"})


def _correction() -> dict[str, Any]:
    text, moment = {"type": "string"}, {"type": "string", "format": "date-time"}
    maybe = {"type": ["string", "null"]}
    return _object(
        id=text,
        subject=text,
        registry=text,
        field=maybe,
        kind={"enum": [kind.value for kind in DisputeKind]},
        times_received={"type": "integer"},
        last_received_at=moment,
        told_at=moment,
        acknowledged_at=maybe,
    )


def _waiting_corrections() -> dict[str, Any]:
    return {
        "summary": "What was found wrong of the data that the organisation's systems received; it names no person",
        "security": _SECURED,
        "responses": {"200": _answer("Corrections"), "401": _refusal(), "403": _refusal()},
    }


def _take_correction() -> dict[str, Any]:
    taken = _of_consent("Say that the correction was taken over; the person sees it. Safe to repeat", "Acknowledged")
    taken["responses"]["503"] = _problem("Not recorded: send it again")
    return taken


def _use_consent() -> dict[str, Any]:
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/ConsentUse"}}}
    return _of_consent(
        "Receive what the consent covers; each registry is one entry in the person's history", "Disclosed"
    ) | {
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": _answer("Disclosed"),
            "401": _refusal(),
            "403": _problem("The consent gives nothing now, or covers less"),
            "404": _problem("Nothing here"),
            "415": _problem("No JSON"),
            "422": _problem("No such fields"),
            "503": _problem("Not recorded: nothing was released"),
        },
    }


def _answer(schema: str) -> dict[str, Any]:
    return {
        "description": schema,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": _PROBLEM}


def _refusal() -> dict[str, Any]:
    return {"description": "Refused", "content": _OAUTH_ERROR}
