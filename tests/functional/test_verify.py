"""The checking page in a real browser: from the portal and from the disk, network off, on every kind of file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portal.web.verify import EXPORT_KEY, FILE, LOG_KEY, PAGE, CheckingPage
from tests.factories.proofs import HOSTILE, Case, Proofs
from tests.functional.conftest import LivePortal

pytestmark = pytest.mark.browser

VERDICT = "#verdict .verdict"


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    return Proofs.make(tmp_path_factory.mktemp("proofs"))


@pytest.fixture
def offline(browser: Browser) -> Iterator[BrowserContext]:
    """A browser whose network is off; whatever a page still asks for is noted, and fails the test."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900}, offline=True)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    yield context
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.fixture
def saved(offline: BrowserContext) -> Page:
    """The page as it lies in the repository, opened from the disk."""
    page = offline.new_page()
    page.goto(FILE.as_uri())
    return page


def _trust(page: Page, proofs: Proofs) -> None:
    page.get_by_label("Public key of the log").fill(proofs.log_signer.vkey)
    page.get_by_text("Auditors: the key for exports").click()
    page.get_by_label("Public key for exports").fill(proofs.export_signer.vkey)


def _check(page: Page, name: str, content: bytes) -> None:
    page.evaluate("show(null)")
    page.locator("#file").set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})
    page.locator(VERDICT).wait_for()


def _verdict(page: Page) -> tuple[str | None, str | None]:
    shown = page.locator(VERDICT)
    return shown.get_attribute("data-verdict"), shown.get_attribute("data-reason")


def _wrong(page: Page, cases: list[Case]) -> list[tuple[str, object]]:
    """The cases on which the page's verdict is another than the command line's."""
    wrong: list[tuple[str, object]] = []
    for case in cases:
        _check(page, "file", case.content)
        if (found := _verdict(page)) != (case.verdict, case.reason):
            wrong.append((case.name, found))
    return wrong


def test_the_saved_page_gives_each_file_its_verdict_with_the_network_off(saved: Page, proofs: Proofs) -> None:
    _trust(saved, proofs)
    assert _wrong(saved, proofs.cases()) == []


def test_the_portals_page_gives_the_same_verdicts_and_says_where_its_key_came_from(
    page: Page, live_portal: LivePortal, proofs: Proofs
) -> None:
    page.goto(f"{live_portal.url}/verify")
    keys = live_portal.portal.house.log.published_keys()
    assert page.get_by_label("Public key of the log").input_value() == keys.strip()
    expect(page.locator("#log-key-state")).to_contain_text("It came from this site")
    page.context.set_offline(True)
    _trust(page, proofs)
    expect(page.locator("#log-key-state")).to_contain_text("You entered this key yourself")
    assert _wrong(page, proofs.cases()) == []


def test_a_person_checks_their_receipt_from_the_portal_on_its_page(page: Page, live_portal: LivePortal) -> None:
    """The keys are the portal's own: nothing has to be typed, and the page says on what the verdict rests."""
    from tests.factories.logs import an_access

    log = live_portal.portal.house.log
    seq = log.append(an_access(case="C-77")).seq
    page.goto(f"{live_portal.url}/verify")
    _check(page, "receipt.txt", log.receipt(seq, for_subject=True).text.encode())
    assert _verdict(page) == ("true", "receipt")
    expect(page.locator(VERDICT)).to_contain_text("TRUE")
    expect(page.locator(VERDICT)).to_contain_text("Compare its fingerprint before you rely on it")
    expect(page.locator("#details")).to_contain_text("C-77")
    expect(page.locator("#details")).to_contain_text("Number 1")


def test_the_page_that_is_downloaded_is_the_published_one_without_a_key(
    page: Page, live_portal: LivePortal, tmp_path: Path
) -> None:
    page.goto(f"{live_portal.url}/verify")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download this page without a key in it").click()
    download.value.save_as(tmp_path / "kept.html")
    assert (tmp_path / "kept.html").read_bytes() == FILE.read_bytes()
    assert LOG_KEY.format("") in FILE.read_text()
    assert EXPORT_KEY.format("") in FILE.read_text()


def test_after_a_change_of_keys_each_is_believed_as_long_as_it_served(saved: Page, proofs: Proofs) -> None:
    for keys, case in proofs.rotated():
        saved.get_by_label("Public key of the log").fill(keys)
        _check(saved, "receipt.txt", case.content)
        assert _verdict(saved) == (case.verdict, case.reason), case.name
    saved.get_by_label("Public key of the log").fill(proofs.rotated()[0][0])
    expect(saved.locator("#log-key-state")).to_contain_text("vouches for the first")
    for mixed in (f"{proofs.log_signer.vkey}\n{proofs.export_signer.vkey}", f"{proofs.log_signer.vkey} until x"):
        saved.get_by_label("Public key of the log").fill(mixed)
        expect(saved.locator("#log-key-state")).to_contain_text("This is no key")


def test_without_a_key_nothing_is_said_of_a_file(saved: Page, proofs: Proofs) -> None:
    _check(saved, "receipt.txt", proofs.receipt.text.encode())
    assert _verdict(saved) == ("unable", "no-log-key")
    saved.get_by_label("Public key of the log").fill(proofs.log_signer.vkey[:-4])
    expect(saved.locator("#log-key-state")).to_contain_text("This is no key")
    _trust(saved, proofs)
    saved.get_by_label("Public key for exports").fill("")
    _check(saved, "export.zip", next(iter(proofs.exports.values())))
    assert _verdict(saved) == ("unable", "no-export-key")


def test_what_was_found_goes_when_the_key_changes_and_is_found_anew(saved: Page, proofs: Proofs) -> None:
    _trust(saved, proofs)
    _check(saved, "receipt.txt", proofs.receipt.text.encode())
    assert _verdict(saved) == ("true", "receipt")
    key = saved.get_by_label("Public key of the log")
    key.fill(proofs.stranger.vkey)
    expect(saved.locator(VERDICT)).to_have_count(0)
    key.blur()
    expect(saved.locator(VERDICT)).to_have_attribute("data-verdict", "false")


def test_hostile_content_is_shown_and_does_nothing(saved: Page, proofs: Proofs) -> None:
    _trust(saved, proofs)
    _check(saved, "receipt.txt", proofs.hostile.text.encode())
    details = saved.locator("#details")
    assert saved.title() == "Check a receipt or an export – Glasshouse"
    assert details.locator("img, script").count() == 0
    expect(details).to_contain_text("<img src=x onerror=")
    assert {"U+202E", "U+202C", "U+2066", "U+200B", "U+000D"} <= set(details.locator(".mark").all_inner_texts())
    assert "\u202e" not in details.inner_text()
    assert saved.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert HOSTILE[:4] in proofs.hostile.text


SENTENCES = {
    "en": ("TRUE", "FALSE", "NOT READABLE", "Do not rely on this file."),
    "et": ("TÕSI", "VÄÄR", "LOETAMATU", "Ärge sellele failile toetuge."),
    "ru": ("ВЕРНО", "НЕВЕРНО", "НЕ ЧИТАЕТСЯ", "Не полагайтесь на этот файл."),
}


@pytest.mark.parametrize("language", SENTENCES)
def test_the_verdicts_are_in_plain_words_of_the_readers_language(
    browser: Browser, proofs: Proofs, language: str
) -> None:
    context = browser.new_context(locale=f"{language}-{language.upper()}", viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto(FILE.as_uri())
    assert page.locator("html").get_attribute("lang") == language
    page.locator("#log-key").fill(proofs.log_signer.vkey)
    true, false, unreadable, advice = SENTENCES[language]
    _check(page, "r", proofs.receipt.text.encode())
    expect(page.locator(f"{VERDICT} h2")).to_have_text(true)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    _check(page, "r", proofs.receipt.text.replace("C-5", "C-6", 1).encode())
    expect(page.locator(f"{VERDICT} h2")).to_have_text(false)
    expect(page.locator(VERDICT)).to_contain_text(advice)
    _check(page, "r", b"Dear Sir")
    expect(page.locator(f"{VERDICT} h2")).to_have_text(unreadable)
    context.close()


def test_every_text_of_the_page_is_there_in_all_three_languages(saved: Page) -> None:
    missing = saved.evaluate(
        """Object.entries(TEXTS).filter(([, texts]) => Object.keys(texts).join() !== "en,et,ru"
           || Object.values(texts).some((text) => text.trim() === "")
           || new Set(Object.values(texts).map((text) => (text.match(/\\{[a-z]+\\}/g) ?? []).sort().join())).size > 1
         ).map(([name]) => name)"""
    )
    assert missing == []
    said = saved.evaluate("Object.keys(TEXTS)")
    reasons = set(re.findall(r"""(?:untrue|unreadable|unable)\(["']([a-z-]+)["']""", PAGE.html))
    reasons |= {f"{what}-{end}" for what in ("log", "export") for end in ("note-malformed", "signature-missing")}
    assert reasons - set(said) == set()


def test_a_file_may_be_dropped_anywhere_on_the_page(saved: Page, proofs: Proofs) -> None:
    _trust(saved, proofs)
    saved.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], "receipt.txt"));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        proofs.receipt.text,
    )
    saved.locator(VERDICT).wait_for()
    assert _verdict(saved) == ("true", "receipt")


def test_the_policy_names_just_this_script_and_style_and_no_connection(page: Page, live_portal: LivePortal) -> None:
    assert CheckingPage(FILE.read_text()).policy in FILE.read_text(), "the saved page carries its own policy"
    answer = page.goto(f"{live_portal.url}/verify")
    assert answer is not None
    assert answer.headers["content-security-policy"] == f"{PAGE.policy}; frame-ancestors 'none'"
    assert "connect-src 'none'" in PAGE.policy
    assert "unsafe" not in PAGE.policy


def test_the_pages_own_digest_agrees_with_the_browsers(saved: Page) -> None:
    """For files too large to hold, the page computes SHA-256 itself, piece by piece."""
    assert (
        saved.evaluate(
            """async () => {
          for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
            const bytes = crypto.getRandomValues(new Uint8Array(size));
            const running = new RunningSha256();
            const cut = Math.floor(size / 3);
            running.update(bytes.slice(0, cut));
            running.update(bytes.slice(cut));
            if (hex(running.digest()) !== hex(await sha256(bytes))) return size;
          }
          return "all";
        }"""
        )
        == "all"
    )
