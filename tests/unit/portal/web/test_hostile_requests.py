"""Requests that no browser would send: refused or ignored, in plain words, with nothing of anybody in the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from audit.entry import Access
from audit.log import TrailQuery
from portal.domain.actions import Action, Outcome
from tests.architecture.test_routes import requests_of
from tests.factories.apps import FakePortal, token_of
from tests.factories.people import JUHAN, KADRI, MARY
from tests.unit.portal.web.test_request_log import Written
from tests.unit.portal.web.test_trips import a_form

LOOK = "/casework/benefit-claim"
#: What an answer must never hold, whatever was asked.
TRACES = ("Traceback", "sqlalchemy", 'File "', "werkzeug", "jinja2", "site-packages")


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakePortal]:
    """A portal for tests that all end in a refusal: it serves them one after the other, and releases nothing."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        portal = FakePortal.build(tmp_path_factory.mktemp("refusing"), monkeypatch)
        yield portal
        assert not [entry for entry in _released(portal) if entry.action != Action.OWN_READ]
        portal.close()


@pytest.fixture
def security() -> Iterator[Written]:
    with Written("glasshouse.security", security=True) as written:
        yield written


def _entries(portal: FakePortal, **criteria: Any) -> list[Access]:
    items = portal.house.log.read(TrailQuery(**criteria), limit=200).items
    return [item.access for item in items if item.access is not None]


def _released(portal: FakePortal) -> list[Access]:
    """Looks by which somebody was given data; what the portal asks before one (who is close to whom) is none."""
    looks = frozenset({Action.READ, Action.OWN_READ})
    return _entries(portal, outcome=Outcome.RELEASED, actions=looks)


def _refused_in_words(answer: Any) -> str:
    page: str = answer.get_data(as_text=True)
    assert 400 <= answer.status_code < 500
    assert not [trace for trace in TRACES if trace in page]
    return page


# Hosts, proxies and methods


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:80@evil.example", ""])
def test_a_request_for_another_host_gets_no_page(refusing: FakePortal, host: str, security: Written) -> None:
    answer = refusing.client().get("/about", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil.example" not in answer.get_data(as_text=True)
    assert answer.mimetype == "text/plain"
    assert answer.headers["Content-Security-Policy"]
    assert security.lines("request-refused")[0]["reason"] == "SecurityError"


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"])
def test_headers_of_a_proxy_that_is_not_ours_change_nothing(refusing: FakePortal, header: str) -> None:
    answer = refusing.client().get("/me", headers={header: "evil.example/oversight"})
    assert answer.status_code == 302
    assert "evil" not in answer.location


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_cannot_be_overridden(portal: FakePortal, name: str) -> None:
    client = portal.client("caseworker")
    answer = client.get(f"{LOOK}?_method=POST&personal_code={MARY.reveal()}", headers={name: "POST"})
    assert answer.status_code == 200  # the empty form
    assert "The person can read this" in answer.get_data(as_text=True)
    assert not _released(portal)
    assert portal.post(client, "/sign-out", _method="GET").status_code == 302
    assert client.get("/casework").status_code == 302  # it was the POST that it said it was


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "PROPFIND", "DEBUG", "GET2"])
def test_other_methods_do_nothing_and_repeat_nothing(refusing: FakePortal, method: str) -> None:
    client = refusing.client("caseworker")
    token = token_of(client)
    headers = {"X-CSRFToken": token, "X-Secret": MARY.reveal()}
    for path in ("/casework", LOOK, "/about", "/sign-out"):
        answer = client.open(path, method=method, headers=headers)
        assert answer.status_code == 405
        assert MARY.reveal() not in answer.get_data(as_text=True)
    assert client.get("/casework").status_code == 200


def test_a_look_by_head_leaves_the_same_entry_as_one_by_get(portal: FakePortal) -> None:
    client = portal.client("citizen")
    answer = client.head("/me/records/population")
    assert (answer.status_code, answer.data) == (200, b"")
    assert [entry.action for entry in _released(portal)] == [Action.OWN_READ]


# Parameters


@pytest.mark.parametrize("field", ["personal_code", "case", "justification"])
def test_a_field_that_is_given_twice_is_refused_and_nobody_is_looked_at(refusing: FakePortal, field: str) -> None:
    client = refusing.client("caseworker")
    form = MultiDict(a_form())
    form.add("csrf_token", token_of(client))
    form.add(field, JUHAN.reveal() if field == "personal_code" else "another")
    page = _refused_in_words(client.post(LOOK, data=form))
    assert "given more than once" in page
    assert not _released(refusing)


def test_a_parameter_in_the_address_does_not_stand_in_for_one_of_the_form(refusing: FakePortal) -> None:
    client = refusing.client("caseworker")
    data = {"csrf_token": token_of(client)} | a_form(personal_code="")
    _refused_in_words(client.post(f"{LOOK}?personal_code={MARY.reveal()}", data=data))
    assert not _released(refusing)


@pytest.mark.parametrize(
    "extra",
    [
        {"role": "auditor", "organisation": "data-protection-inspectorate"},
        {"subject": JUHAN.subject, "visibility": "withheld"},
        {"official": "somebody-else", "fields": "relation", "outcome": "denied", "lawful_basis": "none"},
    ],
)
def test_fields_that_no_form_has_are_ignored_and_told(
    portal: FakePortal, security: Written, extra: dict[str, str]
) -> None:
    client = portal.client("caseworker")
    assert portal.post(client, LOOK, **a_form(**extra)).status_code == 200
    (entry,) = _released(portal)
    assert (entry.subject, entry.role, entry.official) == (MARY.subject, "caseworker", portal.accounts["caseworker"])
    assert entry.organisation == "social-insurance-board"
    (told,) = security.lines("unexpected-input")
    assert told["fields"] == len(extra)
    assert told["account"] == portal.accounts["caseworker"]


LOOKALIKES = {
    "full-width digits": "".join(chr(ord(digit) + 0xFEE0) for digit in MARY.reveal()),
    "Arabic-Indic digits": "".join(chr(ord(digit) - 0x30 + 0x0660) for digit in MARY.reveal()),
    "one Devanagari digit": MARY.reveal().replace("8", "\u096e", 1),
    "a zero-width space": MARY.reveal()[:5] + "\u200b" + MARY.reveal()[5:],
    "a bidirectional mark": MARY.reveal()[:5] + "\u202e" + MARY.reveal()[5:],
    "a soft hyphen": MARY.reveal()[:5] + "\u00ad" + MARY.reveal()[5:],
    "a superscript": MARY.reveal()[:-1] + "\u2078",
    "a null": MARY.reveal() + "\x00",
    "a Cyrillic prefix": "\u0415\u0415" + MARY.reveal(),
}


@pytest.mark.parametrize("typed", LOOKALIKES.values(), ids=LOOKALIKES.keys())
def test_a_code_that_only_looks_like_one_finds_nobody(refusing: FakePortal, typed: str) -> None:
    page = _refused_in_words(refusing.post(refusing.client("caseworker"), LOOK, **a_form(personal_code=typed)))
    assert "not a valid personal code" in page
    assert not _released(refusing)


@pytest.mark.parametrize(
    "case", ["\u0421-1", "C\uff0d1", "C-\u0661", "C-1\u200b2", "\u202eC-1", "C\u20101", "<b>C-1</b>", "C-1'--"]
)
def test_two_case_references_cannot_look_alike(refusing: FakePortal, case: str) -> None:
    page = _refused_in_words(refusing.post(refusing.client("caseworker"), LOOK, **a_form(case=case)))
    assert "letters of the Latin alphabet" in page
    assert not _released(refusing)


@pytest.mark.parametrize("case", ["C-1", "Õ 12/2026.3", "kliima_7:b"])
def test_a_case_reference_as_offices_write_them_is_taken(portal: FakePortal, case: str) -> None:
    assert portal.post(portal.client("caseworker"), LOOK, **a_form(case=case)).status_code == 200


# Injection

SCRIPT = '<script>alert(1)</script> Deciding the housing benefit claim "><img src=x onerror=alert(2)> of March'
TEMPLATE = "Deciding the housing benefit claim {{7*7}} {% raw %} ${7*7} #{7*7} of 3 March"


@pytest.mark.parametrize("reason", [SCRIPT, TEMPLATE], ids=["script", "template"])
def test_what_a_caseworker_writes_is_text_to_everybody_who_reads_it(portal: FakePortal, reason: str) -> None:
    assert portal.post(portal.client("caseworker"), LOOK, **a_form(justification=reason)).status_code == 200
    (entry,) = _released(portal)
    assert entry.justification == reason
    citizen, auditor = portal.client("citizen"), portal.client("auditor")
    history = citizen.get("/me/accesses").get_data(as_text=True)
    found = portal.post(auditor, "/oversight", subject=MARY.reveal()).get_data(as_text=True)
    references = [page.partition(start)[2].partition('"')[0] for page, start in (
        (history, 'href="/me/accesses/'), (found, 'href="/oversight/entries/')
    )]  # fmt: skip
    pages = [citizen.get(f"/me/accesses/{references[0]}"), auditor.get(f"/oversight/entries/{references[1]}")]
    for page in (history, found, *(answer.get_data(as_text=True) for answer in pages)):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "claim 49" not in page
        assert "$49" not in page
    assert "&lt;script&gt;" in pages[0].get_data(as_text=True) or "{{7*7}}" in pages[0].get_data(as_text=True)


@pytest.mark.parametrize("mark", ["\r\nForged: line", "\x1b[2J", "\u202egnisrever", "\u2028", "\x00"])
def test_a_reason_cannot_forge_a_line_or_turn_one_round(portal: FakePortal, mark: str) -> None:
    reason = f"Deciding the housing benefit claim{mark} received on 3 March"
    assert portal.post(portal.client("caseworker"), LOOK, **a_form(justification=reason)).status_code == 200
    (entry,) = _released(portal)
    assert entry.justification is not None
    assert entry.justification.isprintable()


@pytest.mark.parametrize(
    "target",
    [
        "/%0d%0aSet-Cookie:%20a=b",
        "/\r\nSet-Cookie: a=b",
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
    ],
)
def test_no_header_and_no_other_host_gets_into_a_redirect(refusing: FakePortal, target: str) -> None:
    for answer in (
        refusing.client().get("/language/et", query_string={"next": target}),
        refusing.post(refusing.client(), "/sign-in/demonstration", account=refusing.accounts["citizen"], next=target),
    ):
        assert answer.status_code == 302
        assert "evil.example" not in answer.location
        assert "\n" not in answer.location
        assert answer.location.startswith("/")
        assert "a=b" not in answer.headers.getlist("Set-Cookie")


SQL = ["' OR '1'='1", "'; DROP TABLE leaves; --", '" UNION SELECT 1,2,3 --', "1) OR (1=1", "%' AND sleep(5) --"]


@pytest.mark.parametrize("text", SQL)
def test_a_search_for_an_injection_finds_nothing_and_breaks_nothing(portal: FakePortal, text: str) -> None:
    portal.post(portal.client("caseworker"), LOOK, **a_form())
    auditor = portal.client("auditor")
    for field in ("official", "case"):
        answer = portal.post(auditor, "/oversight", **{field: text})
        assert answer.status_code == 200
        assert "/oversight/entries/" not in answer.get_data(as_text=True)
    assert len(_released(portal)) == 1


@pytest.mark.parametrize("path", [
    "/static/build/../../config.py", "/static/build/%2e%2e/%2e%2e/app.py", "/static/build/..%2f..%2fapp.py",
    "/static//etc/passwd", "/static/build/....//....//app.py", "/me/records/..%2f..%2fapp", "/verify/../../README.md",
    "/tile/0/..%2f..%2f", "/language/..%2f..%2fetc", "/casework/%00", "/.git/config", "/.env", "/docs", "/openapi.json",
])  # fmt: skip
def test_no_path_leads_out_of_what_is_served(refusing: FakePortal, path: str) -> None:
    for account in (None, "citizen", "caseworker", "auditor"):
        answer = refusing.client(account).get(path)
        assert answer.status_code in {302, 308, 404}
        assert b"import" not in answer.data
        assert b"root:" not in answer.data


# Size and depth


def _posts(portal: FakePortal) -> list[str]:
    return sorted({path for _, method, path in requests_of(portal.app) if method == "POST"})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "application/json"),
        (b"[" * 100_000, "application/json"),
        (json.dumps({"personal_code": MARY.reveal(), "role": "auditor"}).encode(), "application/json"),
        (b"\x1f\x8b" + b"\0" * 1000, "application/x-www-form-urlencoded"),
        (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>", "application/xml"),
        (b"a=1&" * 100_000, "application/x-www-form-urlencoded"),
        (
            b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" * 500 + b"--x--",
            "multipart/form-data; boundary=x",
        ),
        (b"\xff\xfe%%%&&==;", "application/x-www-form-urlencoded; charset=utf-7"),
    ],
    ids=[
        "deep json",
        "unclosed json",
        "json for a form",
        "compressed",
        "xml entity",
        "many fields",
        "many parts",
        "noise",
    ],
)
def test_no_body_of_any_kind_breaks_a_form(refusing: FakePortal, body: bytes, kind: str) -> None:
    client = refusing.client("caseworker")
    token = token_of(client)
    for path in _posts(refusing):
        if path in {"/sign-out", "/mail/stop/x"}:  # neither reads a body; a link that is nobody's is answered as any
            continue
        answer = client.post(path, data=body, content_type=kind, headers={"X-CSRFToken": token})
        # 302 where the account's role has the route and the form asks for nothing (ending other sessions).
        assert answer.status_code in {302, 303, 400, 401, 403, 404, 413, 415}, path
        assert MARY.reveal() not in answer.get_data(as_text=True)
    assert not _released(refusing)


def test_a_compressed_body_is_not_unpacked(refusing: FakePortal) -> None:
    import gzip

    client = refusing.client("caseworker")
    bomb = gzip.compress(b"a=" + b"x" * 50_000_000, mtime=0)
    headers = {"X-CSRFToken": token_of(client), "Content-Encoding": "gzip"}
    kind = "application/x-www-form-urlencoded"
    _refused_in_words(client.post(LOOK, data=bomb, content_type=kind, headers=headers))
    assert not _released(refusing)


# Who may know what is there


def test_absent_foreign_and_malformed_references_get_one_answer(portal: FakePortal, security: Written) -> None:
    portal.post(portal.client("caseworker"), LOOK, **a_form())
    history = portal.client("citizen").get("/me/accesses").get_data(as_text=True)
    of_mary = history.partition('href="/me/accesses/')[2].partition('"')[0]
    neighbour = portal.client("neighbour")
    tampered = ("B" if of_mary[0] == "A" else "A") + of_mary[1:]
    references = (of_mary, tampered, "none", "x" * 500, "%F0%9F%98%80")
    for tail in ("", "/receipt"):
        answers = [neighbour.get(f"/me/accesses/{reference}{tail}") for reference in references]
        assert {answer.status_code for answer in answers} == {404}
        assert len({_without_what_differs_anyway(answer.get_data(as_text=True)) for answer in answers}) == 1
    told = security.lines("nothing-there")
    assert len(told) == 2 * len(references)
    assert {line["account"] for line in told} == {portal.accounts["neighbour"]}


def _without_what_differs_anyway(page: str) -> str:
    """A page's switch of languages repeats what was asked, and its forms' token the second at which it was made."""
    return "\n".join(line for line in page.splitlines() if "/language/" not in line and "csrf_token" not in line)


@pytest.mark.parametrize("pair", [("auditor", "citizen"), ("citizen", "caseworker"), ("caseworker", "auditor")])
def test_a_reference_of_one_role_opens_nothing_for_another(portal: FakePortal, pair: tuple[str, str]) -> None:
    portal.post(portal.client("caseworker"), LOOK, **a_form())
    owner, other = pair
    reference = portal.app.extensions["glasshouse"].oversight._references.to_entry(1, portal.accounts[owner])
    for path in (
        f"/me/accesses/{reference}",
        f"/oversight/entries/{reference}",
        f"/casework/history?before={reference}",
    ):
        assert portal.client(other).get(path).status_code == 404


def test_an_export_of_another_auditor_is_not_there(portal: FakePortal) -> None:
    from portal.domain.actors import Role
    from portal.services.accounts import NewAccount

    new = NewAccount(Role.AUDITOR, "Teine Audiitor", "data-protection-inspectorate", None)
    (portal.accounts["second"],) = portal.house.accounts.open([new], demonstration=True)
    asked = {"format": "court", "names": "yes", "is_asked": "yes", "reason": "Evidence in a case"}
    started = portal.post(portal.client("auditor", stepped_up=True), "/oversight/export", **asked)
    assert started.status_code == 303
    assert portal.client("auditor").get(started.location).status_code == 200
    assert portal.client("second").get(started.location).status_code == 404


def test_an_unknown_person_is_answered_like_a_known_one_of_whom_nothing_is_held(portal: FakePortal) -> None:
    portal.registries["population"].holds(KADRI, **{"given-names": "Kadri"})  # somebody else, so that it is not empty
    client = portal.client("caseworker")
    pages = [
        portal.post(client, LOOK, **a_form(personal_code=code.reveal()))
        .get_data(as_text=True)
        .replace(code.reveal(), "")
        for code in (MARY, JUHAN)
    ]
    assert len(_released(portal)) == 2  # asking for somebody who is not there is a look as well
    assert len({len(page) for page in pages}) == 1


def test_signing_in_as_nobody_and_as_somebody_who_left_is_answered_alike(refusing: FakePortal) -> None:
    client = refusing.client()
    answers = [
        refusing.post(client, "/sign-in/demonstration", account=account) for account in ("nobody", "", "x" * 300)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.get_data() for answer in answers}) == 1


@pytest.mark.parametrize("body", [b"false", b"0", b'"x"', b"[]", b"null", b"{}"])
def test_a_supervisors_form_takes_no_json(portal: FakePortal, body: bytes) -> None:
    client = portal.client("supervisor")
    headers = {"X-CSRFToken": token_of(client), "Referer": "http://localhost/", "Content-Type": "application/json"}
    assert client.post("/supervision/absences", data=body, headers=headers).status_code == 400
