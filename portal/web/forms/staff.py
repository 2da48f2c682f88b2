"""What staff type when they sign in, enrol, and look after their credentials."""

from __future__ import annotations

from typing import Any

from govuk_frontend_wtf.wtforms_widgets import GovInput, GovTextInput
from wtforms import Field, HiddenField, PasswordField, StringField, ValidationError
from wtforms.validators import DataRequired, Length
from wtforms.widgets import HiddenInput

from portal.domain.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH, PasswordWeakness
from portal.services.passkeys import NAME_LENGTH, Answer
from portal.web.forms.fields import HouseForm, one_line
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

WEAK_PASSWORDS = {
    PasswordWeakness.TOO_SHORT: _l(
        "The password is too short. Use at least %(least)s characters.", least=MINIMUM_LENGTH
    ),
    PasswordWeakness.TOO_LONG: _l("The password is too long. Use at most %(most)s characters.", most=MAXIMUM_LENGTH),
    PasswordWeakness.TOO_UNIFORM: _l("The password repeats itself. Use several different words or signs."),
    PasswordWeakness.NAMES_ITS_OWNER: _l(
        "The password is mostly your name or your organisation’s. Choose other words."
    ),
    PasswordWeakness.COMMON: _l(
        "Many people use a password like this one, so it is guessed first. Choose other words."
    ),
    PasswordWeakness.BREACHED: _l(
        "This password stands in a list of stolen passwords, so it is tried first. Choose another one."
    ),
}
_NAME_THE_PASSKEY = _l("Give the passkey a name, so that you know later which one it is.")


class PasswordInput(GovInput):  # type: ignore[misc]  # govuk-frontend-wtf ships no types
    """A box for a password; what was typed is never sent back."""

    input_type = "password"

    def __call__(self, field: Field, **kwargs: Any) -> str:
        kwargs["value"] = ""
        kwargs.setdefault("spellcheck", "false")
        kwargs.setdefault("autocapitalize", "none")
        rendered: str = super().__call__(field, **kwargs)
        return rendered


class PasskeyForm(HouseForm):
    """A form that carries an authenticator's answer, which the page's script puts in."""

    ceremony = HiddenField(widget=HiddenInput())
    credential = HiddenField(widget=HiddenInput())

    def answer(self, browser: str) -> Answer:
        return Answer(self.ceremony.data or "", self.credential.data or "", browser)


class StaffSignInForm(PasskeyForm):
    next = HiddenField(widget=HiddenInput())
    password = PasswordField(
        _l("Password"),
        validators=[DataRequired(_l("Enter your password."))],
        widget=PasswordInput(),
    )


class CodeForm(HouseForm):
    code = StringField(
        _l("Code from your link"),
        description=_l("If you opened the link, it is filled in. Otherwise it is what stands behind the # sign."),
        validators=[DataRequired(_l("Enter the code from your link."))],
        filters=[lambda text: (text or "").strip()],
        widget=GovTextInput(),
    )


class EnrolmentForm(PasskeyForm):
    code = HiddenField(widget=HiddenInput())
    second_half = StringField(
        _l("Second code"),
        description=_l("Twelve letters and digits that a second administrator told you, such as ABCD-EFGH-2345."),
        widget=GovTextInput(),
    )
    password = PasswordField(
        _l("Choose a password"),
        description=_l(
            "At least %(least)s characters. Several words that do not belong together are easy to remember.",
            least=MINIMUM_LENGTH,
        ),
        validators=[DataRequired(_l("Choose a password."))],
        widget=PasswordInput(),
    )
    passkey_name = StringField(
        _l("Name of this passkey"),
        description=_l("For example “Work laptop” or “Blue key”. Only you and the log see it."),
        validators=[DataRequired(_NAME_THE_PASSKEY), Length(max=NAME_LENGTH, message=_l("The name is too long."))],
        filters=[one_line],
        widget=GovTextInput(),
    )

    def validate_second_half(self, field: Field) -> None:
        if self.second_half_needed and not (field.data or "").strip():
            raise ValidationError(_("Enter the second code."))

    def __init__(self, *, second_half_needed: bool) -> None:
        super().__init__()
        self.second_half_needed = second_half_needed


class NewPasskeyForm(PasskeyForm):
    passkey_name = StringField(
        _l("Name of the new passkey"),
        description=_l("For example “Work laptop” or “Blue key”. Only you and the log see it."),
        validators=[DataRequired(_NAME_THE_PASSKEY), Length(max=NAME_LENGTH, message=_l("The name is too long."))],
        filters=[one_line],
        widget=GovTextInput(),
    )


class PasswordForm(HouseForm):
    current = PasswordField(
        _l("Your password now"),
        validators=[DataRequired(_l("Enter the password that you have now."))],
        widget=PasswordInput(),
    )
    new = PasswordField(
        _l("The new password"),
        description=_l(
            "At least %(least)s characters. Several words that do not belong together are easy to remember.",
            least=MINIMUM_LENGTH,
        ),
        validators=[DataRequired(_l("Choose a password."))],
        widget=PasswordInput(),
    )


def weak(field: Field, weakness: PasswordWeakness) -> None:
    """Say beside the field why its password was refused."""
    field.errors = [*field.errors, str(WEAK_PASSWORDS[weakness])]
