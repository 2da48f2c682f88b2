"""An officer withholds other people's data; the person and the inspectorate see that, and why, and never what."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from pypdf import PdfReader

from portal.domain.actions import Action
from portal.domain.disputes import WithholdingReason
from portal.domain.errors import NothingHere
from tests.factories.bundles import bundle_of
from tests.factories.files import pdf
from tests.factories.logs import TickingClock
from tests.fakes.clamd import Clamd, scanning
from tests.unit.portal.web.test_attachments import Scene, links, officer, opened, send, shared_portal

NEIGHBOUR = "Juhan Naabritalu"
ANSWER = f"The flat was sold by [[1: {NEIGHBOUR}]] in March; the police asked us for [[3: case 7-221]]."
LIST = f"1. {NEIGHBOUR}\n2. Mari Maasikas\n3. {NEIGHBOUR} again\n".encode()


@pytest.fixture(scope="module")
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture(scope="module")
def daemon() -> Iterator[Clamd]:
    with scanning() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clock: TickingClock, daemon: Clamd
) -> Iterator[Scene]:
    yield from shared_portal(request, tmp_path_factory.mktemp("portal"), clock, daemon)


@pytest.fixture
def portal(shared: Scene) -> Scene:
    return shared.began()


def everything_for_the_person(portal: Scene, client: Any, dispute: str) -> bytes:
    """Every byte that the person is given: the page, its files, each part of the file for the inspectorate, and what
    the bundle of all their data says of this dispute.
    """
    page = client.get(f"/me/disputes/{dispute}").get_data()
    given = [page, *(client.get(link).get_data() for link in links(page.decode()))]
    archive = ZipFile(io.BytesIO(portal.post(client, f"/me/disputes/{dispute}/file.zip").get_data()))
    given += [archive.read(name) for name in archive.namelist()]
    given += ["\n".join(archive.namelist()).encode()]
    taken = bundle_of(portal)
    number = json.loads(archive.read("dispute.json"))["number"]
    [told] = [one for one in json.loads(taken["disputes.json"]) if one["number"] == number]
    given.append(json.dumps(told, ensure_ascii=False).encode())
    given += [name.encode() + content for name, content in taken.items() if name.startswith(f"disputes/{number}/")]
    for report in (archive.read("dispute.pdf"), taken["report.pdf"]):
        given += [page.extract_text().encode() for page in PdfReader(io.BytesIO(report)).pages]
    return b"\n".join(given)


def test_marked_passages_are_withheld_from_the_first_moment_everywhere(portal: Scene) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen)
    assert portal.post(handling, f"/dpo/{dispute}/step", step="dispute-answer", text=ANSWER).status_code == 303
    given = everything_for_the_person(portal, citizen, dispute)
    assert NEIGHBOUR.encode() not in given
    assert b"7-221" not in given
    page = citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert "█████ (GDPR Article 15(4))" in page
    assert "Passages are withheld: other people’s data (GDPR Article 15(4))" in page
    assert "Passages are withheld: an investigation (GDPR Article 23(1)(d))" in page
    assert f"<mark>{NEIGHBOUR}</mark>" in handling.get(f"/dpo/{dispute}").get_data(as_text=True)
    archive = ZipFile(io.BytesIO(portal.post(citizen, f"/me/disputes/{dispute}/file.zip").get_data()))
    told = json.loads(archive.read("dispute.json"))
    assert told["steps"][1]["withheld"] == ["other-people", "investigation"]
    assert [one.details["withheld"] for one in portal.entries(Action.DISPUTE_REDACTION)] == told["steps"][1]["withheld"]
    assert "withheld a passage or a file" in citizen.get("/me/accesses").get_data(as_text=True)


def test_a_mark_that_is_not_understood_sends_nothing_and_loses_nothing(portal: Scene) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen)
    answer = portal.post(handling, f"/dpo/{dispute}/step", step="dispute-answer", text=f"It was [[{NEIGHBOUR}]] then.")
    assert answer.status_code == 400
    assert f"[[{NEIGHBOUR}]]" in answer.get_data(as_text=True)
    assert portal.entries(Action.DISPUTE_ANSWER) == []


def test_a_passage_is_withheld_later_too_wherever_it_stands(portal: Scene) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen)
    text = f"{NEIGHBOUR} sold it. We asked {NEIGHBOUR} twice."
    send(portal, handling, f"/dpo/{dispute}/step", ("list.txt", LIST), step="dispute-answer", text=text)
    page = handling.get(f"/dpo/{dispute}/withhold").get_data(as_text=True)
    message, file = re.findall(r'name="place" type="radio" value="([^"]+)"', page)
    for place in (message, file):
        form = {"place": place, "passage": NEIGHBOUR, "reason": "other-people"}
        assert portal.post(handling, f"/dpo/{dispute}/withhold", **form).status_code == 303
        assert portal.post(handling, f"/dpo/{dispute}/withhold", **form).status_code == 400
    assert len(portal.entries(Action.DISPUTE_REDACTION)) == 4
    assert NEIGHBOUR.encode() not in everything_for_the_person(portal, citizen, dispute)
    [link] = links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True))
    fetched = citizen.get(link)
    assert fetched.get_data(as_text=True).startswith("1. █████ (GDPR Article 15(4))\n2. Mari Maasikas\n3. █████")
    assert int(fetched.headers["Content-Length"]) == len(fetched.get_data())
    [whole] = links(handling.get(f"/dpo/{dispute}").get_data(as_text=True))
    assert handling.get(whole).get_data() == LIST


def test_files_may_be_withheld_whole_and_given_free_later(portal: Scene) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen)
    named = (f"{NEIGHBOUR}.pdf", pdf(inside=b"% about Juhan\n")), ("list.txt", LIST)
    form = {"step": "dispute-answer", "text": "Two documents are enclosed.", "files_withheld": "other-people"}
    assert send(portal, handling, f"/dpo/{dispute}/step", *named, **form).status_code == 303
    page = citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert page.count("A file is withheld: other people’s data (GDPR Article 15(4))") == 2
    assert links(page) == []
    given = everything_for_the_person(portal, citizen, dispute)
    assert not any(word in given for word in (NEIGHBOUR.encode(), b"about Juhan", b"list.txt"))
    document, text = links(handling.get(f"/dpo/{dispute}").get_data(as_text=True))
    for link in (document, text):
        assert citizen.get(link.replace("/dpo/", "/me/disputes/")).status_code == 404
    place = text.rpartition("/")[2]
    form = {"place": place, "passage": NEIGHBOUR, "reason": "other-people"}
    assert portal.post(handling, f"/dpo/{dispute}/withhold", **form).status_code == 303
    for _again in range(2):
        assert portal.post(handling, f"{text}/release").status_code == 303
    [link] = links(citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True))
    assert b"Mari Maasikas" in citizen.get(link).get_data()
    assert NEIGHBOUR.encode() not in everything_for_the_person(portal, citizen, dispute)


def test_what_the_person_wrote_or_attached_is_never_withheld(portal: Scene) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen, ("list.txt", LIST))
    house, actor = portal.house, portal.house.accounts.actor(portal.accounts["its officer"])
    [message] = house.disputes.desk.one(actor, dispute).messages
    [file] = message.attachments
    for place in (message.message_id, file.attachment_id):
        with pytest.raises(NothingHere):
            house.disputes.withholding.withhold(
                actor, dispute, place, NEIGHBOUR, WithholdingReason.OTHER_PEOPLE, request_id="r"
            )
        form = {"place": place, "passage": NEIGHBOUR, "reason": "other-people"}
        assert portal.post(handling, f"/dpo/{dispute}/withhold", **form).status_code == 400
        assert portal.post(handling, f"/dpo/{dispute}/attachments/{place}/release").status_code == 404
    typed = "I write of [[1: nobody]] but myself."
    portal.post(citizen, f"/me/disputes/{dispute}", text=typed)
    assert typed in citizen.get(f"/me/disputes/{dispute}").get_data(as_text=True)
    assert portal.entries(Action.DISPUTE_REDACTION) == []


@pytest.mark.parametrize(
    "form", [{}, {"passage": "nowhere"}, {"passage": ""}, {"reason": "because"}, {"place": "none"}]
)
def test_a_form_that_withholds_nothing_says_so(portal: Scene, form: dict[str, str]) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen)
    portal.post(handling, f"/dpo/{dispute}/step", step="dispute-answer", text="We write again within a week.")
    page = handling.get(f"/dpo/{dispute}/withhold").get_data(as_text=True)
    [message] = re.findall(r'name="place" type="radio" value="([^"]+)"', page)
    filled = {"place": message, "passage": "a week", "reason": "other-people"} | form if form else {}
    assert portal.post(handling, f"/dpo/{dispute}/withhold", **filled).status_code == 400
    assert portal.entries(Action.DISPUTE_REDACTION) == []


@pytest.mark.parametrize("account", ["officer", "citizen", "caseworker", "auditor"])
def test_nobody_but_the_officer_who_handles_it_withholds_anything(portal: Scene, account: str) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen)
    portal.post(handling, f"/dpo/{dispute}/step", step="dispute-answer", text="We write again within a week.")
    other = portal.client(account)
    assert other.get(f"/dpo/{dispute}/withhold").status_code == 404
    assert portal.post(other, f"/dpo/{dispute}/withhold", passage="a week", reason="other-people").status_code == 404


def test_the_original_lies_sealed(portal: Scene) -> None:
    citizen, handling = portal.client("citizen"), portal.client(officer(portal))
    dispute = opened(portal, citizen)
    portal.post(handling, f"/dpo/{dispute}/step", step="dispute-answer", text=ANSWER)
    folder: Path = portal.settings.data_dir
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert NEIGHBOUR.encode() not in path.read_bytes(), path
