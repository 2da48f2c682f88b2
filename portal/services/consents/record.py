"""The consent record: the structure of ISO/IEC TS 27560:2023 in terms of the W3C Data Privacy Vocabulary, as JSON-LD.

Field names and their meaning follow the mapping that the DPV community group publishes ("Implementing ISO/IEC TS 27560
Consent Records and Receipts using DPV", https://w3id.org/dpv/guides/consent-27560). The context stands in the record,
so that a reader needs no network to know what a term means.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from portal.domain.consents import AskedRegistry, ConsentState, Party
from portal.domain.text import LocalizedText
from portal.services.consents.register import ShownConsent

SCHEMA_VERSION = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
MEDIA_TYPE = "application/ld+json"
_EU_GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"
#: The prefixes, and each field of the standard as the property that the mapping gives for it.
CONTEXT: dict[str, Any] = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": _EU_GDPR,
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "gh": "https://glasshouse.invalid/ns#",
    "schema_version": {"@id": "dct:conformsTo", "@type": "@id"},
    "record_id": "dct:identifier",
    "pii_principal_id": {"@id": "dpv:hasDataSubject", "@type": "@id"},
    "pii_processing": "dpv:hasProcess",
    "privacy_notice": "dpv:hasNotice",
    "notice_sha256": "gh:noticeDigest",
    "language": "dct:language",
    "purposes": "dpv:hasPurpose",
    "purpose": "dct:title",
    "purpose_description": "dct:description",
    "purpose_type": "@type",
    "lawful_basis": {"@id": "dpv:hasLegalBasis", "@type": "@id"},
    "pii_information": "dpv:hasPersonalData",
    "pii_type": "dct:title",
    "pii_attribute_id": "dct:identifier",
    "pii_optional": "gh:isOptional",
    "sensitive_pii_category": "gh:isSensitive",
    "pii_controllers": {"@id": "dpv:hasDataController", "@type": "@id"},
    "collection_method": {"@id": "dpv:hasDataSource", "@type": "@id"},
    "processing_method": {"@id": "dpv:hasProcessing", "@type": "@id"},
    "storage_locations": "dpv:hasLocation",
    "retention_period": "dpv:hasStorageCondition",
    "jurisdiction": "dpv:hasJurisdiction",
    "recipient_third_parties": {"@id": "dpv:hasRecipient", "@type": "@id"},
    "withdrawal_method": {"@id": "dpv:hasWithdrawalMethod", "@type": "@id"},
    "privacy_rights": {"@id": "dpv:hasRight", "@type": "@id"},
    "uses": {"@id": "dpv:hasFrequency", "@type": "@id"},
    "party_identification": "dpv:hasEntity",
    "party_id": "@id",
    "party_name": "dpv:hasName",
    "party_address": "dpv:hasAddress",
    "party_contact": "dpv:hasContact",
    "party_role": {"@id": "dpv:hasRole", "@type": "@id"},
    "party_type": "@type",
    "consent_events": "dpv:hasConsentStatus",
    "event_time": {"@id": "dct:date", "@type": "xsd:dateTime"},
    "validity_duration": {"@id": "dct:valid", "@type": "xsd:duration"},
    "entity_id": {"@id": "dpv:isImplementedByEntity", "@type": "@id"},
    "event_type": {"@id": "dpv:hasLegalBasis", "@type": "@id"},
    "event_state": "@type",
    "log_entry": "gh:logEntry",
    "receipt": "gh:receipt",
}
_RIGHTS = ("A7-3", "A15", "A16", "A17", "A18", "A20", "A77")


def consent_record(consent: ShownConsent, language: str, page: str, receipt: str | None) -> dict[str, Any]:
    """The record in `language`; `page` is where the consent is ended, `receipt` the log's proof of the giving."""
    notice = consent.notice
    said: Callable[[LocalizedText], str] = lambda text: text.in_language(language)  # noqa: E731 - reads as a word
    person = f"urn:uuid:{consent.consent_id}#person"
    record: dict[str, Any] = {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{consent.consent_id}",
        "@type": "dpv:ConsentRecord",
        "schema_version": SCHEMA_VERSION,
        "record_id": consent.consent_id,
        "pii_principal_id": person,
        "pii_processing": {
            "@type": "dpv:Process",
            "privacy_notice": {"@type": "dpv:ConsentNotice", "@id": page, "notice_sha256": notice.sha256},
            "language": language,
            "purposes": [
                {
                    "@id": f"gh:purpose/{notice.purpose.code}",
                    "purpose": said(notice.purpose.name),
                    "purpose_description": said(notice.purpose.explanation),
                    "purpose_type": notice.purpose.term,
                }
            ],
            "lawful_basis": "eu-gdpr:A6-1-a",
            "pii_information": [one for registry in notice.registries for one in _fields(registry, said)],
            "pii_controllers": [_id(notice.recipient)],
            "collection_method": [_id(registry.controller) for registry in notice.registries],
            "processing_method": ["dpv:Obtain", "dpv:Use", "dpv:Store"],
            "storage_locations": notice.jurisdiction,
            "retention_period": said(notice.purpose.retention),
            "jurisdiction": notice.jurisdiction,
            "recipient_third_parties": [_id(notice.recipient)],
            "withdrawal_method": page,
            "privacy_rights": [f"eu-gdpr:{right}" for right in _RIGHTS],
            "uses": "dpv:ContinuousFrequency" if notice.continuing else "dpv:SingularFrequency",
        },
        "party_identification": _parties(consent, said),
        "consent_events": _events(consent, person),
    }
    return record if receipt is None else record | {"receipt": receipt}


def _fields(registry: AskedRegistry, said: Callable[[LocalizedText], str]) -> list[dict[str, Any]]:
    return [
        {
            "@type": "dpv:SensitivePersonalData" if field.sensitive else "dpv:PersonalData",
            "pii_type": f"{said(registry.name)}: {said(field.name)}",
            "pii_attribute_id": f"{registry.code}/{field.code}",
            "pii_optional": False,
            "sensitive_pii_category": field.sensitive,
        }
        for field in registry.fields
    ]


def _parties(consent: ShownConsent, said: Callable[[LocalizedText], str]) -> list[dict[str, Any]]:
    """The recipient first; then the registries' controllers, each once, however many of their registries are asked."""
    controllers = {registry.controller.code: registry.controller for registry in consent.notice.registries}
    return [
        _party(consent.notice.recipient, said, ["dpv:DataController", "dpv:Recipient"], "dpv:Organisation"),
        *(_party(one, said, ["dpv:DataSource"], "dpv:GovernmentalOrganisation") for one in controllers.values()),
    ]


def _party(party: Party, said: Callable[[LocalizedText], str], roles: list[str], kind: str) -> dict[str, Any]:
    return {
        "party_id": _id(party),
        "party_name": said(party.name),
        "party_address": party.address or party.contact,
        "party_contact": party.contact,
        "party_role": roles,
        "party_type": kind,
    }


def _events(consent: ShownConsent, person: str) -> list[dict[str, Any]]:
    recipient = _id(consent.notice.recipient)
    steps: list[tuple[datetime | None, str, str, int | None]] = [
        (consent.asked_at, "dpv:ConsentRequested", recipient, consent.asked_entry)
    ]
    if consent.was_given:
        steps.append((consent.decided_at, "dpv:ConsentGiven", person, consent.decided_entry))
    elif consent.state is ConsentState.REFUSED:
        steps.append((consent.decided_at, "dpv:ConsentRefused", person, consent.decided_entry))
    elif consent.state is ConsentState.EXPIRED:
        steps.append((consent.expires_at, "dpv:ConsentExpired", recipient, None))
    if consent.state is ConsentState.ENDED:
        steps.append((consent.ended_at, "dpv:ConsentWithdrawn", person, consent.ended_entry))
    elif consent.state is ConsentState.OVER:
        steps.append((consent.ends_at, "dpv:ConsentExpired", recipient, None))
    elif consent.state is ConsentState.USED:
        steps.append((consent.last_used_at, "dpv:ConsentExpired", recipient, None))
    duration = f"P{consent.notice.days}D"
    return [_event(at, state, who, entry, duration) for at, state, who, entry in steps if at is not None]


def _event(at: datetime, state: str, who: str, entry: int | None, duration: str) -> dict[str, Any]:
    told = {
        "event_time": at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "validity_duration": duration,
        "entity_id": who,
        "event_type": "dpv:ExplicitlyExpressedConsent",
        "event_state": state,
    }
    return told if entry is None else told | {"log_entry": entry}


def _id(party: Party) -> str:
    return f"gh:organisation/{party.code}"
