"""The rooms for staff's own accounts, handed down as one object."""

from __future__ import annotations

from dataclasses import dataclass

from config.staff import StaffSettings
from portal.services.accounts import Accounts
from portal.services.administration import Administration
from portal.services.ceremonies import Ceremonies
from portal.services.enrolment import Credentials, Enrolment
from portal.services.enrolment_codes import EnrolmentCodes
from portal.services.entrance import Entrance
from portal.services.notices import Notices
from portal.services.own_credentials import OwnCredentials
from portal.services.passkeys import Passkeys
from portal.services.password_rules import PasswordRules
from portal.services.passwords import Passwords
from portal.services.relying_party import RelyingParty
from portal.services.rights import Rights
from portal.services.safeguards import Foundations
from portal.services.staff_accounts import StaffAccounts
from portal.services.staff_ledger import StaffLedger
from portal.services.staff_requests import StaffRequests
from portal.services.staff_sign_in import StaffSignIn


@dataclass(frozen=True, slots=True)
class Staff:
    """How staff come in, enrol, look after their credentials, and administer each other's accounts."""

    sign_in: StaffSignIn
    enrolment: Enrolment
    own: OwnCredentials
    notices: Notices
    accounts: StaffAccounts
    administration: Administration
    requests: StaffRequests
    passkeys: Passkeys


def furnish_staff(
    foundations: Foundations, accounts: Accounts, entrance: Entrance, party: RelyingParty, limits: StaffSettings
) -> Staff:
    sessions, clock = foundations.sessions, foundations.clock
    notices = Notices(sessions, clock)
    codes = EnrolmentCodes(sessions, clock)
    passkeys = Passkeys(sessions, party, Ceremonies(sessions, clock), clock)
    passwords, rules = Passwords(sessions, foundations.sealer, clock), PasswordRules(limits.breached_passwords)
    credentials = Credentials(codes, passkeys, passwords, rules)
    ledger = StaffLedger(foundations.log, clock)
    rights = Rights(sessions, entrance, ledger)
    requests = StaffRequests(foundations, rights, codes, notices, limits)
    return Staff(
        sign_in=StaffSignIn(passkeys, credentials.passwords, accounts, entrance, notices),
        enrolment=Enrolment(sessions, credentials, notices, ledger),
        own=OwnCredentials(sessions, credentials, notices, ledger, entrance),
        notices=notices,
        accounts=StaffAccounts(sessions),
        administration=Administration(rights, requests, codes, notices, limits),
        requests=requests,
        passkeys=passkeys,
    )
