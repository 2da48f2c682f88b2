"""What a recipient asks for, held to the catalogue and put into the words that the person will read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.domain.consents import (
    AskedField,
    AskedPurpose,
    AskedRegistry,
    ConsentRequestRefused,
    ConsentRules,
    Notice,
    Party,
)
from portal.domain.identifiers import PersonalCode
from portal.domain.machines import ClientSystem
from portal.domain.text import LocalizedText
from portal.registries.catalogue import Catalogue
from portal.services.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """What a recipient's system asks: codes of the catalogue, days, and one use or any number."""

    subject: PersonalCode = field(repr=False)
    purpose: str
    fields: Mapping[str, tuple[str, ...]]
    days: int
    continuing: bool


class Terms:
    """Says what may be asked for at all: by whom, for what, at most which fields, and for how long."""

    def __init__(self, catalogue: Catalogue, policy: Policy, rules: ConsentRules) -> None:
        self._catalogue = catalogue
        self._policy = policy
        self._rules = rules

    @property
    def rules(self) -> ConsentRules:
        return self._rules

    def notice(self, client: ClientSystem, request: ConsentRequest) -> Notice:
        """The request in the words for the person. Raises ConsentRequestRefused; it looks at the catalogue alone."""
        if mistakes := self._mistakes(client, request):
            raise ConsentRequestRefused(mistakes)
        purpose = self._catalogue.purposes[request.purpose]
        recipient = self._rules.recipients[client.organisation]
        return Notice(
            recipient=self._party(client.organisation, recipient.description, recipient.address),
            purpose=AskedPurpose(
                purpose.code,
                self._rules.purposes[purpose.code],
                purpose.name,
                purpose.explanation,
                purpose.retention,
                purpose.lawful_basis,
            ),
            registries=tuple(self._registry(code, fields) for code, fields in request.fields.items()),
            days=request.days,
            continuing=request.continuing,
            jurisdiction=self._rules.jurisdiction,
        )

    def still_permits(self, client: ClientSystem, notice: Notice, fields: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether the catalogue as it is today lets this recipient have these fields for the consent's purpose."""
        return all(self._are_permitted(client, notice.purpose.code, *asked) for asked in fields.items())

    def _mistakes(self, client: ClientSystem, request: ConsentRequest) -> dict[str, str]:
        purpose = self._catalogue.purposes.get(request.purpose)
        is_known = purpose is not None and purpose.by_consent and client.organisation in purpose.organisations
        mistakes: dict[str, str] = {}
        if client.organisation not in self._rules.recipients or not is_known:
            mistakes["purpose"] = "is no purpose for which this recipient may ask for consent"
        if not 1 <= request.days <= self._rules.longest_days:
            mistakes["days"] = f"1 to {self._rules.longest_days}"
        if not request.fields:
            mistakes["fields"] = "is empty"
        for registry, fields in request.fields.items():
            if is_known and not self._are_permitted(client, request.purpose, registry, fields):
                mistakes[f"fields.{registry}"] = "not all of this can be had by consent for this purpose"
        return mistakes

    def _are_permitted(self, client: ClientSystem, purpose_code: str, registry: str, fields: tuple[str, ...]) -> bool:
        purpose = self._catalogue.purposes.get(purpose_code)
        described = self._catalogue.registries.get(registry)
        if purpose is None or described is None or not fields or len(set(fields)) != len(fields):
            return False
        permitted = self._policy.decide_for_system(client.organisation, purpose, registry).codes
        return all(code in permitted and described.fields[code].consentable for code in fields)

    def _registry(self, code: str, fields: tuple[str, ...]) -> AskedRegistry:
        registry = self._catalogue.registries[code]
        asked = tuple(
            AskedField(known.code, known.name, known.meaning, known.sensitive)
            for known in registry.fields.values()
            if known.code in fields
        )
        return AskedRegistry(code, registry.name, self._party(registry.controller), asked)

    def _party(self, code: str, description: LocalizedText | None = None, address: str = "") -> Party:
        organisation = self._catalogue.organisations[code]
        return Party(code, organisation.name, organisation.contact, description, address)
