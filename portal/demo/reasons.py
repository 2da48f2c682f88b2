"""What officials write when they open a record: case numbers and justifications that fit the purpose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random
from types import MappingProxyType

#: Justifications by purpose. `{case}` is the case, `{day}` a day shortly before, `{place}` somewhere in the country.
JUSTIFICATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "benefit-claim": (
            "Deciding on the child benefit claim {case} received on {day}; income and household must be confirmed.",
            "Renewal of benefit {case}: checking that the claimant still raises the child and what they earn.",
            "Taotluse {case} lahendamine: kontrollin pere koosseisu ja viimase aasta sissetulekut.",
            "Lapsevanema avaldus laekus {day}, kontrollin toetuse {case} saamise tingimusi.",
        ),
        "household-check": (
            "Review {case}: matching suggests an undeclared partner at the claimant's address, checking the claim.",
            "Case {case} was selected by the match of {day}; comparing the declared household with the bought record.",
        ),
        "tax-audit": (
            "Declaration {case}: income declared by the employer differs from the return handed in on {day}.",
            "Kontrollmenetlus {case}: deklareeritud tulu ja tööandja andmed ei lange kokku, võrdlen lepinguid.",
        ),
        "insurance-enquiry": (
            "The hospital asked on {day} whether the patient is insured before planned surgery; answering its letter.",
            "Patsient küsis kirjas {day}, miks kindlustus katkes; vaatan kindlustuse aluse ja maksja üle.",
            "Phone enquiry by the insured person about the end date of cover, identity confirmed by call-back.",
        ),
        "job-search-support": (
            "First meeting for case {case}: earlier jobs are needed to write the individual action plan.",
            "Tööotsija nõustamine {case}: vaatan läbi varasemad töökohad, et pakkuda sobivat koolitust.",
            "Deciding on unemployment benefit {case}: length of employment in the last three years must be counted.",
        ),
        "social-assistance": (
            "Application {case} for housing costs of {day}: confirming household members and other benefits.",
            "Toimetulekutoetuse taotlus {case}: kontrollin leibkonna liikmeid ja makstavaid toetusi.",
        ),
        "residence-registration": (
            "Notice of residence received on {day}: entering the move and closing the earlier address.",
            "Elukohateade laekus {day}; kontrollin varasemat aadressi ja teen uue kande.",
            "The owner of the dwelling asked on {day} to correct an address entry; comparing the dates of the move.",
        ),
        "vehicle-registration": (
            "Sale contract presented on {day}: transferring the vehicle to the buyer and checking the inspection.",
            "Sõiduki omanikuvahetus {place} büroos: võrdlen lepingut registri andmetega.",
        ),
        "licence-renewal": (
            "Application of {day} to renew the driving licence: checking categories and the medical certificate.",
            "Juhiloa vahetamine {place} teeninduses, kontrollin kategooriaid ja tervisetõendit.",
        ),
        "roadside-check": (
            "Vehicle stopped near {place} for a routine check; driver's licence and roadworthiness verified.",
            "Liikluskontroll {place} lähistel: kontrollin juhtimisõigust ja sõiduki ülevaatust.",
            "Speed measured near {place} on {day}; establishing the responsible user of the vehicle.",
        ),
        "criminal-proceedings": (
            "Proceedings {case}: establishing where the witness lived at the time of the burglary in {place}.",
            "Kriminaalasi {case}: sõiduki omaniku tuvastamine, tunnistaja märkas autot {place} juures.",
        ),
        "land-transaction": (
            "Notarial contract {case} of {day}: entering the new owner and checking existing mortgages.",
            "Kinnistamisavaldus {case}: kontrollin omandi ulatust ja kehtivaid hüpoteeke enne kande tegemist.",
        ),
    }
)
#: What the town clerk writes about people he has no business with: it passes a machine and not a reader.
THIN_REASONS = (
    "Updating the address entry of this resident again",
    "Resident record maintenance, verifying current entry",
    "Routine verification of the residence entry for the town",
    "Aadressi kande korrasoleku ülevaatamine registris",
    "Verifying the entry after an oral question at the desk",
    "Address data quality review, street by street",
    "Elaniku kande täpsustamine suulise pöördumise järel",
    "Second look at the same entry, first was interrupted",
)
#: Reasons that the portal refused; the attempts stand in the log.
REFUSED_REASONS = ("check", "asdf asdf asdf asdf", "vaja tööks", "data needed for work", "kontroll kontroll kontroll")

_PREFIXES = {
    "benefit-claim": "SKA",
    "household-check": "CC",
    "tax-audit": "MTA",
    "job-search-support": "TK",
    "social-assistance": "JL",
    "criminal-proceedings": "KM",
    "land-transaction": "KR",
}
_PLACES = ("Järvelinn", "Põhjalinn", "Kivisaare", "Veskijõe", "Metsala", "Soonurme")


def draw_case(purpose: str, day: date, rng: Random) -> str | None:
    """A case number for purposes that have cases."""
    prefix = _PREFIXES.get(purpose)
    return None if prefix is None else f"{prefix}-{day.year}-{rng.randrange(1000, 99_999):05d}"


def draw_justification(purpose: str, case: str | None, before: date, rng: Random) -> str:
    template = rng.choice(JUSTIFICATIONS[purpose])
    return template.format(case=case, day=f"{before:%d.%m.%Y}", place=rng.choice(_PLACES))
