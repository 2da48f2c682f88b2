"""Being told: by mail that says nothing, at an address that was confirmed, and as soon as the person wants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.services.mail.choices import ESSENTIAL
from portal.services.mail.outbox import BACK_OFF, SILENCE
from tests.factories.apps import FakePortal
from tests.factories.logs import an_access
from tests.factories.people import JUHAN, MARY
from tests.fakes.mail_server import HOST, MailServer, serving

ADDRESS = "mari.maasikas@example.ee"
#: A Wednesday; noon in Tallinn.
NOON = datetime(2026, 3, 25, 10, tzinfo=UTC)
#: What a mail must never hold: who the person is, who looked, and where.
TELLING = ("Mari", "Maasikas", MARY.reveal(), "social", "Social", "benefit", "population", "tax", "@", "http://mail")


@dataclass
class SetClock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class PostOffice:
    """A portal, its mail server and its clock."""

    portal: FakePortal
    server: MailServer
    clock: SetClock
    maildir: Path
    choices: dict[str, Any] = field(default_factory=dict)

    def round(self) -> Any:
        return self.portal.house.mail.round()

    def give(self, address: str = ADDRESS, account: str = "citizen") -> Any:
        return self.portal.post(self.portal.client(account), "/me/alerts/address", address=address)

    def link(self) -> str:
        found = re.search(r"/me/alerts/confirm/[\w-]+", self.server.newest_text())
        assert found is not None
        return found[0]

    def confirmed(self, account: str = "citizen") -> None:
        assert self.give(account=account).status_code == 303
        self.round()
        assert self.portal.post(self.portal.client(account), self.link()).status_code == 303
        self.server.arrived.clear()

    def choose(self, **cadences: str) -> None:
        """Choose for topics by their code, with "/" written as "__"; everything else is never told by mail."""
        topics = list(self.portal.house.mail.addresses.topics)
        wanted = {code.replace("__", "/").replace("_", "-"): cadence for code, cadence in cadences.items()}
        assert wanted.keys() <= set(topics)
        form = {f"mail_{number}": wanted.get(code, "never") for number, code in enumerate(topics)}
        answer = self.portal.post(
            self.portal.client("citizen"), "/me/alerts", **form, language="en", zone="Europe/Tallinn"
        )
        assert answer.status_code == 303, answer.get_data(as_text=True)

    def look(self, **changes: Any) -> None:
        given = {"subject": MARY.subject, "purpose": "benefit-claim", "occurred_at": self.clock.now} | changes
        self.portal.house.log.append(an_access(**given))

    def page(self) -> str:
        page: str = self.portal.client("citizen").get("/me/alerts").get_data(as_text=True)
        return page

    def mails(self) -> list[EmailMessage]:
        return [message for _, message in self.server.arrived]

    def come_back(self, return_address: str, *, action: str = "failed", status: str = "5.1.1") -> None:
        name = f"{len(list((self.maildir / 'new').iterdir()))}.{datetime.now(UTC).timestamp()}.host"
        (self.maildir / "new" / name).write_bytes(a_notification(return_address, action, status))


def a_notification(to: str, action: str, status: str) -> bytes:
    """A delivery status notification as Postfix writes one (RFC 3464)."""
    return (
        f"Delivered-To: {to}\r\nFrom: MAILER-DAEMON@mx.example.ee\r\nTo: {to}\r\nSubject: Undelivered Mail\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.ee\r\n\r\n"
        f"Final-Recipient: rfc822; {ADDRESS}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n"
    ).encode()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    with _opened(tmp_path, monkeypatch) as office:
        yield office


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    """The post office on SQLite and on PostgreSQL, for what the database decides."""
    is_postgres = request.param == "postgresql"
    with _opened(tmp_path, monkeypatch, request.getfixturevalue("postgres_url") if is_postgres else None) as office:
        yield office


@contextmanager
def _opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str | None = None) -> Iterator[PostOffice]:
    clock, maildir = SetClock(), tmp_path / "bounces"
    for folder in ("new", "cur", "tmp"):
        (maildir / folder).mkdir(parents=True)
    with serving() as server:
        settings: dict[str, Any] = {
            "public_url": "http://portal.example.ee",
            "allowed_hosts": ("localhost",),
            "mail": {
                "host": HOST,
                "port": server.port,
                "security": "plain",
                "sender": "portal@example.ee",
                "bounce_address": "bounces@example.ee",
                "bounce_maildir": str(maildir),
            },
        }
        if url is not None:
            settings |= {"database_url": url, "audit": {"database_url": url}}
        portal = FakePortal.build(tmp_path, monkeypatch, clock=clock, **settings)
        portal.house.mail.round()  # what happens from here on is told
        yield PostOffice(portal, server, clock, maildir)
        portal.close()


def test_an_address_is_used_only_once_its_reader_has_opened_the_link(office: PostOffice) -> None:
    office.give()
    office.look(action=Action.FINDING_NOTICE)
    office.round()
    assert [mail["Subject"] for mail in office.mails()] == ["Confirm your e-mail address for Glasshouse"]
    link = office.link()
    assert office.portal.post(office.portal.client("neighbour"), link).status_code == 400
    assert office.portal.client("citizen").get(link).status_code == 200
    assert "Until then it is not used" in office.page()
    assert office.portal.post(office.portal.client("citizen"), link).status_code == 303
    assert office.portal.post(office.portal.client("citizen"), link).status_code == 400, "a link works once"
    assert "Confirmed" in office.page()


def test_a_link_is_over_after_a_day(office: PostOffice) -> None:
    office.give()
    office.round()
    office.clock.now += timedelta(hours=24)
    assert office.portal.post(office.portal.client("citizen"), office.link()).status_code == 400


def test_a_mail_says_only_that_something_is_new_and_its_links_sign_nobody_in(office: PostOffice) -> None:
    office.confirmed()
    office.choose(look__benefit_claim="at-once")
    office.look()
    office.round()
    [mail] = office.mails()
    said = mail.get_content()
    assert not [word for word in TELLING if word in said + mail["Subject"]]
    links = re.findall(r"http\S+", said)
    assert links[0] == "http://portal.example.ee"
    assert mail["List-Unsubscribe"] == f"<{links[1]}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    visitor = office.portal.app.test_client()
    assert visitor.get(links[1].removeprefix("http://portal.example.ee")).status_code == 200
    assert visitor.get("/me").status_code == 302
    assert not mail.is_multipart(), "nothing to load, and no picture that counts its readers"


def test_a_mail_is_in_the_readers_language(office: PostOffice) -> None:
    office.confirmed()
    number = len(office.portal.house.mail.addresses.topics)
    form = {f"mail_{n}": "at-once" for n in range(number)}
    for language, says in (("et", "ootab Teid"), ("ru", "новое сообщение")):
        client = office.portal.client("citizen")
        office.portal.post(client, "/me/alerts", **form, language=language, zone="Europe/Tallinn")
        office.look()
        office.round()
        assert says in office.mails()[-1].get_content()


@pytest.mark.parametrize(
    ("cadence", "leaves"),
    [
        ("daily", datetime(2026, 3, 26, 6, tzinfo=UTC)),  # Thursday, 8 in Tallinn, which is two hours ahead
        ("weekly", datetime(2026, 3, 30, 5, tzinfo=UTC)),  # Monday: summer time began in the night before
    ],
)
def test_a_digest_leaves_in_the_morning_of_its_reader_with_all_that_came(
    office: PostOffice, cadence: str, leaves: datetime
) -> None:
    office.confirmed()
    office.choose(look__benefit_claim=cadence, finding_on_you=cadence)
    office.look()
    office.look(action=Action.FINDING_NOTICE)
    office.clock.now = leaves - timedelta(minutes=1)
    office.look()
    office.round()
    assert office.mails() == []
    office.clock.now = leaves
    office.round()
    office.round()
    assert len(office.mails()) == 1


def test_whoever_chose_never_is_told_in_the_portal_alone_and_essential_notices_stay_there(office: PostOffice) -> None:
    office.confirmed()
    office.choose()
    office.look(action=Action.FINDING_NOTICE)
    office.look()
    office.round()
    assert office.mails() == []
    kinds = [alert.kind for alert in _waiting(office)]
    assert "finding-on-you" in kinds
    assert "look" not in kinds


def test_what_was_read_in_the_portal_is_not_mailed_any_more_and_new_looks_come_up_again(either: PostOffice) -> None:
    either.confirmed()
    either.choose(look__benefit_claim="daily")
    topics = list(either.portal.house.mail.addresses.topics)
    form = {f"mail_{n}": "daily" for n in range(len(topics))} | {f"portal_{n}": "y" for n in range(len(topics))}
    form = {
        key: value for key, value in form.items() if not (key.startswith("portal") and int(key[7:]) < len(ESSENTIAL))
    }
    either.portal.post(either.portal.client("citizen"), "/me/alerts", **form, language="en", zone="Europe/Tallinn")
    either.look()
    either.round()
    [alert] = _waiting(either)
    either.portal.post(either.portal.client("citizen"), f"/alerts/{alert.alert_id}/put-away")
    either.clock.now += timedelta(days=1)
    either.round()
    assert either.mails() == []
    either.look()
    either.round()
    assert [one.alert_id for one in _waiting(either)] == [alert.alert_id]
    either.clock.now += timedelta(days=1)
    either.round()
    assert len(either.mails()) == 1


def test_a_sealed_access_is_told_nobody_until_it_is_revealed(office: PostOffice) -> None:
    office.confirmed()
    office.choose(look__criminal_proceedings="at-once", seal_ended="at-once")
    office.look(purpose="criminal-proceedings", seal="s-1")
    office.round()
    assert office.mails() == []
    assert _waiting(office) == []


def test_own_looks_and_looks_at_others_are_told_nobody(office: PostOffice) -> None:
    office.confirmed()
    office.choose(look__benefit_claim="at-once")
    office.look(subject=JUHAN.subject)
    office.look(action=Action.OWN_READ)
    office.look(outcome="denied")
    office.round()
    assert office.mails() == []


def test_one_click_stops_all_mail_without_signing_in_and_only_its_owner_starts_it_again(office: PostOffice) -> None:
    office.confirmed()
    office.choose(look__benefit_claim="at-once")
    office.look()
    office.round()
    stop = office.mails()[0]["List-Unsubscribe"].strip("<>").removeprefix("http://portal.example.ee")
    program = office.portal.app.test_client(use_cookies=False)
    done = program.post(stop, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    forged = program.post(stop[:-4] + "AAAA", data={"List-Unsubscribe": "One-Click"})
    assert (forged.status_code, _words(forged)) == (200, _words(done)), "a link tells nobody whether it was one of ours"
    office.look()
    office.round()
    assert len(office.mails()) == 1
    assert "Stopped" in office.page()
    assert office.portal.post(office.portal.client("citizen"), "/me/alerts/address/resume").status_code == 303
    office.look()
    office.round()
    assert len(office.mails()) == 2


def test_after_three_returns_for_good_nothing_more_is_sent_and_the_portal_says_so(either: PostOffice) -> None:
    either.confirmed()
    either.choose(look__benefit_claim="at-once")
    for _time in range(3):
        either.look()
        either.round()
        either.come_back(either.server.arrived[-1][0])
        either.come_back(either.server.arrived[-1][0])  # twice over: one mail comes back once
    either.look()
    assert either.round().came_back == 1
    assert len(either.mails()) == 3
    assert "came back several times" in either.page()
    assert "mail-suspended" in [alert.kind for alert in _waiting(either)]
    either.confirmed()
    assert "Confirmed" in either.page()


def test_what_is_no_failure_for_good_counts_for_nothing(office: PostOffice) -> None:
    office.confirmed()
    office.choose(look__benefit_claim="at-once")
    office.look()
    office.round()
    returned = office.server.arrived[-1][0]
    for action, status in (("delayed", "4.4.1"), ("failed", "4.2.2"), ("delivered", "2.0.0"), ("failed", "nonsense")):
        office.come_back(returned, action=action, status=status)
    office.come_back("bounces+00000000-0000-4000-8000-000000000000@example.ee")
    (office.maildir / "new" / "garbage").write_bytes(b"\xff\xfe\x00 no mail at all")
    assert office.round().came_back == 0
    assert list((office.maildir / "new").iterdir()) == []
    office.come_back(returned)
    assert office.round().came_back == 1


def test_an_address_that_the_server_refuses_counts_as_a_return(office: PostOffice) -> None:
    office.confirmed()
    office.choose(look__benefit_claim="at-once")
    office.server.answer_to_address = "550 nobody here"
    for _time in range(3):
        office.look()
        office.round()
    assert "came back several times" in office.page()


def test_a_server_that_fails_is_asked_again_later_and_the_mail_outlives_the_process(office: PostOffice) -> None:
    office.confirmed()
    office.choose(look__benefit_claim="at-once")
    office.server.answer_to_data = "451 not now"
    office.look()
    assert office.round().sent == 0
    office.server.answer_to_data = "250 OK"
    assert office.round().sent == 0, "not before the pause is over"
    office.clock.now += BACK_OFF[0]
    assert office.round().sent == 1
    assert office.round().sent == 0


def test_a_mail_is_given_up_in_the_end_and_the_log_of_what_was_sent_says_so(office: PostOffice) -> None:
    office.confirmed()
    office.choose(look__benefit_claim="at-once")
    office.server.answer_to_data = "451 not now"
    office.look()
    for pause in (timedelta(0), *BACK_OFF):
        office.clock.now += pause
        office.round()
    assert "Not sent" in office.page()


def test_two_processes_send_each_mail_once(either: PostOffice) -> None:
    either.confirmed()
    either.confirmed("neighbour")
    either.choose(look__benefit_claim="at-once", finding_on_you="at-once")
    either.look()
    either.look(action=Action.FINDING_NOTICE, subject=JUHAN.subject)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: either.round(), range(4)))
    assert sorted(mail["To"] for mail in either.mails()) == [ADDRESS, ADDRESS]
    assert len({mail["Message-ID"] for mail in either.mails()}) == 2


def test_what_a_dead_process_had_claimed_is_sent_by_another(either: PostOffice) -> None:
    either.confirmed()
    either.choose(look__benefit_claim="at-once")
    either.look()
    room = either.portal.house.mail
    room.watch.read_on()
    assert room.outbox is not None
    room.outbox.plan()
    room.outbox.write()
    assert room.outbox._claimed("a worker that dies here") is not None
    assert either.round().sent == 0
    either.clock.now += SILENCE
    assert either.round().sent == 1


def test_a_sign_in_on_a_new_kind_of_device_is_told(either: PostOffice) -> None:
    either.confirmed()
    client = either.portal.app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (iPhone) Safari/604.1"
    either.portal.post(client, "/sign-in/demonstration", account=either.portal.accounts["citizen"])
    either.round()
    assert len(either.mails()) == 1
    assert "new-device" in [alert.kind for alert in _waiting(either)]


def test_the_address_is_nowhere_in_clear(either: PostOffice) -> None:
    either.confirmed()
    with either.portal.house.safeguards.seals._sessions() as session:
        for table in ("alert_settings", "mails", "alerts"):
            rows = session.execute(text(f"SELECT * FROM {table}")).all()
            assert rows or table == "alerts"
            assert b"example.ee" not in repr([tuple(map(_bytes, row)) for row in rows]).encode()


def test_each_step_is_an_entry_in_the_persons_own_history(office: PostOffice) -> None:
    office.confirmed()
    office.choose(look__benefit_claim="daily")
    office.portal.post(office.portal.client("citizen"), "/me/alerts/address/remove")
    entries = office.portal.house.log.read(TrailQuery(subject=MARY.subject), limit=50).items
    steps = [
        str(one.access.details.get("step")) for one in entries if one.access and one.access.action == "mail-address"
    ]
    assert steps == ["removed", "confirmed", "given"]
    history = office.portal.client("citizen").get("/me/accesses?kind=own").get_data(as_text=True)
    assert "You chose what you are told of" in history


def test_what_is_no_address_is_refused_in_words(office: PostOffice) -> None:
    for typed in ("", "mari", "mari@", "a@b", "mari@example.ee\r\nBcc: x@y.ee", "x@y.ee,z@y.ee", "ä@y.ee"):
        assert office.give(typed).status_code == 400, typed
    assert office.round().sent == 0


def test_a_form_cannot_write_to_strangers_by_the_thousand(office: PostOffice) -> None:
    assert [office.give(f"a{number}@example.ee").status_code for number in range(6)] == [303] * 5 + [400]


def test_a_server_out_of_reach_loses_nothing(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office.confirmed()
    office.choose(look__benefit_claim="at-once")
    office.look()
    with monkeypatch.context() as broken:
        broken.setattr("portal.services.mail.smtp._connected", _no_server)
        assert office.round().sent == 0
    office.clock.now += BACK_OFF[0]
    assert office.round().sent == 1


def _no_server(*_: object) -> None:
    raise ConnectionRefusedError


def _waiting(office: PostOffice) -> list[Any]:
    house = office.portal.house
    return house.safeguards.alerts.waiting(house.accounts.actor(office.portal.accounts["citizen"]))


def _words(answer: Any) -> str:
    return re.sub(r'(csrf_token" value="|/mail/stop/|next=)[^"]*', "", answer.get_data(as_text=True))


def _bytes(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
