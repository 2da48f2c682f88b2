"""Whether the bundle of one's own data is to be locked with a passphrase, and with which."""

from __future__ import annotations

from typing import Any

from govuk_frontend_wtf.wtforms_widgets import GovRadioInput
from wtforms import PasswordField, RadioField
from wtforms.validators import InputRequired

from portal.domain.passwords import MINIMUM_LENGTH, PasswordWeakness, weakness_of
from portal.web.forms.fields import HouseForm, choices
from portal.web.forms.staff import PasswordInput
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

#: The fields that are never kept, shown or sent back.
SECRETS = ("passphrase", "repeated")
_WEAK = {
    PasswordWeakness.TOO_SHORT: _l(
        "The passphrase is too short. Use at least %(least)s characters.", least=MINIMUM_LENGTH
    ),
    PasswordWeakness.TOO_LONG: _l("The passphrase is too long. Use at most 128 characters."),
    PasswordWeakness.TOO_UNIFORM: _l("The passphrase repeats itself. Use several different words or signs."),
    PasswordWeakness.NAMES_ITS_OWNER: _l("The passphrase is mostly your name. Choose other words."),
    PasswordWeakness.COMMON: _l(
        "Many people use a passphrase like this one, so it is guessed first. Choose other words."
    ),
}


class BundleForm(HouseForm):
    protection = RadioField(
        _l("Do you want to lock it with a passphrase?"),
        choices=choices(
            [
                ("passphrase", _l("Yes, lock it: only somebody who has the passphrase can open it")),
                ("none", _l("No: whoever has the file can open it")),
            ]
        ),
        validators=[InputRequired(_l("Choose whether to lock it with a passphrase."))],
        widget=GovRadioInput(),
    )
    passphrase = PasswordField(
        _l("Passphrase, if you lock it"),
        description=_l(
            "At least %(least)s characters. Several words that do not belong together are easy to remember. We do not"
            " keep it and cannot open the bundle for you: write it down.",
            least=MINIMUM_LENGTH,
        ),
        widget=PasswordInput(),
    )
    repeated = PasswordField(_l("The same passphrase once more"), widget=PasswordInput())

    def __init__(self, name: str) -> None:
        """`name` is the person's: it makes no passphrase."""
        super().__init__()
        self._name = name

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = super().validate(extra_validators)
        mistake = self._mistake()
        if mistake is not None:
            field, words = mistake
            self[field].errors = [*self[field].errors, words]
        return is_valid and mistake is None

    def chosen(self) -> str | None:
        """The passphrase, or None for a bundle without. Only after the form was found valid."""
        return str(self.passphrase.data) if self.protection.data == "passphrase" else None

    def _mistake(self) -> tuple[str, str] | None:
        """The field and what is wrong with it."""
        typed, again = self.passphrase.data or "", self.repeated.data or ""
        if self.protection.data == "none":
            contradicts = _("You typed a passphrase but chose not to lock the bundle. Choose one of the two.")
            return ("protection", contradicts) if typed or again else None
        if self.protection.data != "passphrase":
            return None
        if not typed:
            return "passphrase", _("Type the passphrase to lock the bundle with.")
        weakness = weakness_of(typed, [self._name])
        if weakness is not None:
            return "passphrase", str(_WEAK[weakness])
        return ("repeated", _("The two are not the same. Type both again.")) if typed != again else None
