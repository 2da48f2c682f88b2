"""The Estonian personal code (isikukood, EVS 585): eleven digits that name one person for life.

It is personal data, so it never shows itself: str() and repr() hide it, and whoever needs the digits says `reveal()`.
"""

from __future__ import annotations

from datetime import date

from stdnum.ee import ik
from stdnum.exceptions import ValidationError

_DIGITS = 11
_COUNTRY = "EE"


class InvalidPersonalCode(ValueError):
    """The text is no Estonian personal code. The message never repeats it."""

    def __init__(self) -> None:
        super().__init__("not an Estonian personal code: eleven digits with a valid date and check digit")


class PersonalCode:
    """A valid personal code. Equal codes are equal and hash alike; none prints itself."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    @classmethod
    def parse(cls, text: str) -> PersonalCode:
        """Read eleven ASCII digits, with or without the country prefix EE and surrounding white space.

        Digits of other scripts are refused rather than folded: a look-alike must not find somebody else.

        Raises:
            InvalidPersonalCode: wrong length, letters, an impossible date of birth, or a wrong check digit.
        """
        digits = text.strip().removeprefix(_COUNTRY)
        if len(digits) != _DIGITS or not (digits.isascii() and digits.isdigit()):
            raise InvalidPersonalCode
        try:
            return cls(ik.validate(digits))
        except ValidationError:
            raise InvalidPersonalCode from None

    @classmethod
    def of_subject(cls, subject: str) -> PersonalCode:
        """The code behind a `subject` as the log writes it. Raises InvalidPersonalCode."""
        if not subject.startswith(_COUNTRY):
            raise InvalidPersonalCode
        return cls.parse(subject)

    def reveal(self) -> str:
        """The eleven digits, for a registry's query or a page that its own reader asked for."""
        return self._digits

    @property
    def subject(self) -> str:
        """The name under which the log knows the person: country and digits, as TARA writes it in `sub`."""
        return _COUNTRY + self._digits

    @property
    def born_on(self) -> date:
        return ik.get_birth_date(self._digits)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PersonalCode) and self._digits == other._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __repr__(self) -> str:
        return "PersonalCode(hidden)"
