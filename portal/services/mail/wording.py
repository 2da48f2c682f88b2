"""The portal's two mails. They say that something waits and where to sign in: whoever else reads them learns nothing.

No name, no registry, no organisation, nothing to load from elsewhere, and no link that signs anybody in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from portal.domain.mail import MailKind
from portal.domain.text import LocalizedText

_SUBJECT = {
    MailKind.SOMETHING_NEW: LocalizedText(
        en="Something new is waiting for you in Glasshouse",
        et="Glasshouse'is ootab Teid midagi uut",
        ru="В Glasshouse для вас есть новое сообщение",
    ),
    MailKind.CONFIRMATION: LocalizedText(
        en="Confirm your e-mail address for Glasshouse",
        et="Kinnitage oma e-posti aadress Glasshouse'i jaoks",
        ru="Подтвердите адрес электронной почты для Glasshouse",
    ),
}
_NEW = LocalizedText(
    en=(
        "Something new is waiting for you in Glasshouse.\n\n"
        "What it is we say only there. Open this address and sign in:\n{portal}\n\n"
        "If you prefer, type the address yourself: we never ask for a code or a password by e-mail.\n\n"
        "How often we write, and about what, you choose there under “How you are told”.\n"
        "To get no more of these e-mails, open this address; you need not sign in:\n{stop}\n"
    ),
    et=(
        "Glasshouse'is ootab Teid midagi uut.\n\n"
        "Mis see on, ütleme ainult seal. Avage see aadress ja logige sisse:\n{portal}\n\n"
        "Soovi korral sisestage aadress ise: me ei küsi e-kirjas kunagi koodi ega parooli.\n\n"
        "Kui sageli ja millest me kirjutame, valite seal lehel „Kuidas Teile teada antakse“.\n"
        "Kui Te neid e-kirju enam ei soovi, avage see aadress; sisse logida ei ole vaja:\n{stop}\n"
    ),
    ru=(
        "В Glasshouse для вас есть новое сообщение.\n\n"
        "О чём оно, мы сообщаем только там. Откройте этот адрес и войдите:\n{portal}\n\n"
        "При желании введите адрес сами: мы никогда не спрашиваем код или пароль по электронной почте.\n\n"
        "Как часто и о чём писать, вы выбираете там на странице «Как вас уведомлять».\n"
        "Чтобы больше не получать такие письма, откройте этот адрес; входить не нужно:\n{stop}\n"
    ),
)
_CONFIRM = LocalizedText(
    en=(
        "Somebody who is signed in to Glasshouse gave this address to be written to.\n\n"
        "If it was you, open this link within 24 hours, in a browser in which you sign in:\n{link}\n\n"
        "If it was not you, do nothing: you will not be written to again.\n"
    ),
    et=(
        "Keegi, kes on Glasshouse'i sisse loginud, andis selle aadressi, et sellele kirjutataks.\n\n"
        "Kui see olite Teie, avage 24 tunni jooksul see link brauseris, kus Te sisse logite:\n{link}\n\n"
        "Kui see ei olnud Teie, ärge tehke midagi: me ei kirjuta Teile rohkem.\n"
    ),
    ru=(
        "Кто-то, кто вошёл в Glasshouse, указал этот адрес для уведомлений.\n\n"
        "Если это были вы, откройте эту ссылку в течение 24 часов в браузере, в котором вы входите:\n{link}\n\n"
        "Если это были не вы, ничего не делайте: больше мы вам не напишем.\n"
    ),
)


#: For an office, which may be written to in both languages at once.
_COMPLAINT = (
    "Glasshouse'is ootab Teid vaidluse {number} toimik, mille inimene Teile saatis.\n"
    "Logige sisse audiitorina ja võtke see kuni {until} aadressilt:\n{place}\n\n"
    "The file of dispute {number}, which a person sent to you, is waiting in Glasshouse.\n"
    "Sign in as an auditor and fetch it until {until} at:\n{place}\n"
)


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What is the same on every mail: who writes, and where the portal is."""

    sender: str
    portal: str

    def something_new(self, mail_id: str, to: str, language: str, stop: str, written_at: datetime) -> EmailMessage:
        """The link to stop works by one click of the mail program as well (RFC 8058)."""
        body = _NEW.in_language(language).format(portal=self.portal, stop=stop)
        message = self._message(MailKind.SOMETHING_NEW, mail_id, to, language, written_at)
        message["List-Unsubscribe"] = f"<{stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(body, charset="utf-8")
        return message

    def confirmation(self, mail_id: str, to: str, language: str, link: str, written_at: datetime) -> EmailMessage:
        message = self._message(MailKind.CONFIRMATION, mail_id, to, language, written_at)
        message.set_content(_CONFIRM.in_language(language).format(link=link), charset="utf-8")
        return message

    def complaint(self, mail_id: str, to: str, number: str, until: date, written_at: datetime) -> EmailMessage:
        """To the supervisory authority: the number of a dispute, and where its auditors sign in. No person's data."""
        message = self._addressed(mail_id, to, "et", written_at)
        message["Subject"] = f"Glasshouse: {number}"
        place = f"{self.portal}/oversight/complaints"
        message.set_content(
            _COMPLAINT.format(number=number, place=place, until=until.isoformat()),
            charset="utf-8",
            cte="quoted-printable",
        )
        return message

    def _message(self, kind: MailKind, mail_id: str, to: str, language: str, written_at: datetime) -> EmailMessage:
        """The Message-ID is the mail's own for good: a mail server that gets it twice can tell."""
        message = self._addressed(mail_id, to, language, written_at)
        message["Subject"] = _SUBJECT[kind].in_language(language)
        return message

    def _addressed(self, mail_id: str, to: str, language: str, written_at: datetime) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = f"Glasshouse <{self.sender}>"
        message["To"] = to
        message["Date"] = format_datetime(written_at)
        message["Message-ID"] = f"<{mail_id}@{self.sender.rpartition('@')[2]}>"
        message["Content-Language"] = language
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office note comes back
        return message
