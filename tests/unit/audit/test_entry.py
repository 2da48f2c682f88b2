import dataclasses
import enum
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.entry import MAX_INTEGER, Access, decode_body, encode_body
from audit.errors import EntryRefused

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
TEXT_FIELDS = (
    "subject",
    "organisation",
    "role",
    "official",
    "official_name",
    "on_behalf_of",
    "registry",
    "purpose",
    "lawful_basis",
    "case",
    "justification",
    "request_id",
    "reason",
)

codes = st.from_regex(r"[a-z][a-z0-9-]{0,63}", fullmatch=True)
# Control characters and quotes often, since their escapes are what two encoders may disagree on.
texts = st.text(
    st.sampled_from('\x01\x08\t\n\x0b\x0c\r\x1b\x1f"\\/\x7f\x80\u2028\u2029\ufeff\uffff\U0001f512')
    | st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
    max_size=30,
)
integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
times = st.builds(
    lambda microseconds, hours: (EPOCH + timedelta(microseconds=microseconds)).astimezone(
        timezone(timedelta(hours=hours))
    ),
    st.integers(-(10**16), 10**17),
    st.integers(-12, 14),
)

accesses = st.builds(
    Access,
    action=codes,
    outcome=codes,
    source=codes,
    occurred_at=times,
    fields=st.lists(texts, max_size=4).map(tuple),
    automatic=st.booleans(),
    details=st.dictionaries(codes, texts | integers, max_size=4),
    **{name: st.none() | texts for name in TEXT_FIELDS},
)


def an_access(**changes: Any) -> Access:
    return Access(**{"action": "look", "outcome": "released", "source": "population", "occurred_at": NOON, **changes})


class TestTheBody:
    def test_has_one_known_encoding(self) -> None:
        access = an_access(
            subject="EE38001085718", fields=("name", "born"), automatic=True, details={"records": 2, "digest": "õ"}
        )
        assert (
            encode_body(access)
            == (
                '{"action":"look","automatic":true,"details":{"digest":"õ","records":2},"fields":["name","born"],'
                '"occurred_at":1772366400123,"outcome":"released","source":"population","subject":"EE38001085718","version":1}'
            ).encode()
        )

    def test_leaves_out_what_is_not_stated(self) -> None:
        assert encode_body(an_access()) == (
            b'{"action":"look","occurred_at":1772366400123,"outcome":"released","source":"population","version":1}'
        )

    def test_keeps_an_empty_text_apart_from_none(self) -> None:
        assert encode_body(an_access(case="")) != encode_body(an_access())
        assert decode_body(encode_body(an_access(case=""))).case == ""

    @given(accesses)
    def test_is_read_back_as_it_was_written(self, access: Access) -> None:
        assert decode_body(encode_body(access)) == access

    @given(accesses)
    def test_is_the_canonical_json_of_rfc_8785(self, access: Access) -> None:
        stated: dict[str, Any] = {
            "version": 1,
            "occurred_at": (access.occurred_at - EPOCH) // timedelta(milliseconds=1),
        }
        for name in ("action", "outcome", "source", "fields", "automatic", "details", *TEXT_FIELDS):
            if (value := getattr(access, name)) not in (None, (), False, {}):
                stated[name] = dict(value) if isinstance(value, Mapping) else value
        assert encode_body(access) == rfc8785.dumps(stated)

    @pytest.mark.parametrize(
        "encoded",
        [
            b"",
            b"null",
            b"[]",
            b"1",
            b'"version"',
            b"{",
            b"{}",
            b"\xff",
            b"[" * 100_000,
            b'{"version":' + b"9" * 5000 + b"}",
        ],
    )
    def test_that_is_no_json_object_is_refused(self, encoded: bytes) -> None:
        with pytest.raises(EntryRefused):
            decode_body(encoded)

    @pytest.mark.parametrize(
        ("found", "instead"),
        [
            ('{"action"', '{ "action"'),
            ('"look"', '"l\\u006fok"'),
            ('"õ"', '"\\u00f5"'),
            ('"version":1', '"version":1.0'),
            ('"version":1', '"version":true'),
            ('"version":1', '"version":2'),
            ('"version":1', '"version":"1"'),
            (',"version":1', ""),
            ("1772366400123", "1772366400123.0"),
            ("1772366400123", "1.772366400123e12"),
            ("1772366400123", '"1772366400123"'),
            ("1772366400123", "true"),
            ("1772366400123", "null"),
            ("1772366400123", "NaN"),
            ("1772366400123", "9" * 15),
            ("1772366400123", "-" + "9" * 15),
            ("1772366400123", "9" * 400),
            ("1772366400123", "-0"),
            ('"records":2', '"records":-0'),
            ('"records":2', '"records":2.0'),
            ('"records":2', '"records":true'),
            ('"records":2', '"records":null'),
            ('"records":2', '"records":[]'),
            ('"records":2', '"records":9007199254740992'),
            ('"records":2', '"records":2,"records":2'),
            ('"records":2', '"Records":2'),
            ('"fields":["name"]', '"fields":[]'),
            ('"fields":["name"]', '"fields":"name"'),
            ('"fields":["name"]', '"fields":[1]'),
            ('"fields":["name"]', '"fields":{"name":1}'),
            ('"automatic":true', '"automatic":false'),
            ('"automatic":true', '"automatic":1'),
            ('"action":"look",', ""),
            ('"action":"look",', '"action":"look","another":"",'),
            ('"action":"look"', '"action":"look","action":"look"'),
            ('"action":"look"', '"action":"Look"'),
            ('"action":"look"', '"action":null'),
            ('"subject":"x"', '"subject":null'),
            ('"subject":"x"', '"subject":1'),
            ('"subject":"x"', '"subject":"\\u0000"'),
            ('"subject":"x"', '"subject":"\\ud800"'),
            ('"subject":"x"', '"subject":{}'),
            ('"subject":"x"', '"subject":"x\n"'),
        ],
    )
    def test_in_any_other_form_is_refused(self, found: str, instead: str) -> None:
        text = encode_body(
            an_access(subject="x", fields=("name",), automatic=True, details={"records": 2, "digest": "õ"})
        ).decode()
        assert text.count(found) == 1
        with pytest.raises(EntryRefused):
            decode_body(text.replace(found, instead).encode())

    @given(accesses, st.data())
    def test_damaged_in_one_byte_is_refused_or_says_something_else(self, access: Access, data: st.DataObject) -> None:
        encoded = encode_body(access)
        position = data.draw(st.integers(0, len(encoded) - 1))
        damaged = encoded[:position] + data.draw(st.binary(max_size=2)) + encoded[position + 1 :]
        try:
            found = decode_body(damaged)
        except EntryRefused:
            return
        assert encode_body(found) == damaged
        assert (found == access) == (damaged == encoded)

    @given(st.binary(max_size=100))
    def test_of_random_bytes_is_refused_and_nothing_else_happens(self, encoded: bytes) -> None:
        with pytest.raises(EntryRefused):
            decode_body(encoded)

    def test_beyond_a_mebibyte_is_refused(self) -> None:
        with pytest.raises(EntryRefused):
            encode_body(an_access(fields=("x" * 4000,) * 300))
        with pytest.raises(EntryRefused):
            decode_body(b'{"action":"' + b"a" * (1 << 20) + b'"}')


class TestAnAccess:
    @pytest.mark.parametrize("name", ["action", "outcome", "source"])
    @pytest.mark.parametrize(
        "value", ["", "Look", "1look", "-look", "look at", "look\n", "löök", "a" * 65, None, 1, b"a"]
    )
    def test_takes_only_codes_for_what_happened_and_who_reports(self, name: str, value: object) -> None:
        with pytest.raises(EntryRefused, match=name):
            an_access(**{name: value})

    @pytest.mark.parametrize("name", TEXT_FIELDS)
    @pytest.mark.parametrize("value", ["a\x00b", "a\ud800b", "\udfff", "a" * 4001, 1, b"a", ["a"]])
    def test_takes_no_text_that_cannot_be_stored_or_encoded(self, name: str, value: object) -> None:
        with pytest.raises(EntryRefused, match=f"^{name}:"):
            an_access(**{name: value})

    @pytest.mark.parametrize("value", ["name", ["name"], (1,), ("a\x00",), (None,), ("a" * 4001,)])
    def test_takes_no_fields_but_a_tuple_of_texts(self, value: object) -> None:
        with pytest.raises(EntryRefused, match="fields"):
            an_access(fields=value)

    @pytest.mark.parametrize(
        "value",
        [
            None,
            [("a", 1)],
            {1: 1},
            {"": 1},
            {"A": 1},
            {"a b": 1},
            {"a": True},
            {"a": None},
            {"a": 1.0},
            {"a": b""},
            {"a": []},
            {"a": 2**53},
            {"a": -(2**53)},
            {"a": "\x00"},
            {"a": "\ud800"},
            {"a": "a" * 4001},
        ],
    )
    def test_takes_no_details_but_texts_and_integers_under_codes(self, value: object) -> None:
        with pytest.raises(EntryRefused, match="details"):
            an_access(details=value)

    @pytest.mark.parametrize(
        "value",
        [
            None,
            1_772_366_400,
            "2026-03-01T12:00:00Z",
            NOON.date(),
            NOON.replace(tzinfo=None),
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        ],
    )
    def test_takes_no_time_without_a_zone(self, value: object) -> None:
        with pytest.raises(EntryRefused, match="occurred_at"):
            an_access(occurred_at=value)

    @pytest.mark.parametrize("value", [None, 0, 1, "yes"])
    def test_is_automatic_or_not(self, value: object) -> None:
        with pytest.raises(EntryRefused, match="automatic"):
            an_access(automatic=value)

    def test_keeps_its_time_in_utc_and_whole_milliseconds(self) -> None:
        local = datetime(2026, 3, 1, 14, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))
        access = an_access(occurred_at=local)
        assert access == an_access()
        assert access.occurred_at.tzinfo is UTC

    def test_keeps_details_that_nobody_can_change_later(self) -> None:
        details: dict[str, str | int] = {"b": 1, "a": 2}
        access = an_access(details=details)
        details["c"] = 3
        assert dict(access.details) == {"a": 2, "b": 1}
        with pytest.raises(TypeError):
            access.details["c"] = 3  # type: ignore[index]  # the promise under test

    def test_equals_another_of_the_same_content_and_hashes_alike(self) -> None:
        assert an_access(details={"a": 1, "b": 2}) == an_access(details={"b": 2, "a": 1})
        assert an_access(details={"a": 1}) != an_access(details={"a": 2})
        assert hash(an_access()) == hash(an_access())

    def test_can_be_had_again_with_something_changed(self) -> None:
        assert dataclasses.replace(an_access(details={"a": 1}), case="x") == an_access(details={"a": 1}, case="x")

    def test_takes_an_enumeration_by_its_value(self) -> None:
        class Plain(str, enum.Enum):  # noqa: UP042 - str() of such a one gives its name
            LOOK = "look"

        access = an_access(action=Plain.LOOK, case=Plain.LOOK, details={"a": Plain.LOOK})
        assert access == an_access(action="look", case="look", details={"a": "look"})
        assert {type(access.action), type(access.case), type(access.details["a"])} == {str}

    def test_shows_no_personal_data_when_printed(self) -> None:
        shown = repr(an_access(subject="EE38001085718", official="EE49901010000", justification="a secret"))
        assert shown == "<Access look released by population>"

    @pytest.mark.parametrize(
        "changes",
        [
            {"action": "Mari Maasikas"},
            {"subject": "Mari Maasikas\x00"},
            {"fields": ("Mari Maasikas\x00",)},
            {"details": {"Mari Maasikas": 1}},
            {"details": {"a": "Mari Maasikas\x00"}},
            {"details": {"a": ["Mari Maasikas"]}},
            {"occurred_at": "Mari Maasikas"},
        ],
    )
    def test_that_is_refused_is_not_repeated_in_the_refusal(self, changes: dict[str, Any]) -> None:
        with pytest.raises(EntryRefused) as refusal:
            an_access(**changes)
        assert "Maasikas" not in str(refusal.value)
