"""A signing key that never leaves its token (PKCS#11, here SoftHSM 2)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType

from audit.checkpoint import open_checkpoint
from audit.errors import KeyRefused, LogUnavailable
from audit.keys import MasterKey, load_signer
from audit.log import LogSettings, create_log, open_log, verify_store
from audit.pkcs11 import TokenReference, TokenSigner, make_token_key
from audit.verify import verify_receipt
from tests.databases import environment
from tests.factories.commands import run_audit
from tests.factories.logs import ORIGIN, LogHome, TickingClock, an_access
from tests.factories.signing_tokens import MODULE, PIN, SigningToken
from tests.factories.tokens import SoftToken, soft_token

ROOT = Path(__file__).parents[3]


__all__ = ["soft_token"]


@pytest.fixture
def token(soft_token: SoftToken, tmp_path: Path) -> SigningToken:
    return SigningToken.make(tmp_path)


@pytest.fixture
def signer(token: SigningToken) -> TokenSigner:
    return make_token_key(token.reference(), ORIGIN)


def _settings(token: SigningToken, tmp_path: Path, url: str) -> LogSettings:
    return LogSettings(url, ORIGIN, token.reference(), MasterKey.generate(), tmp_path / "log.checkpoint")


def test_a_log_is_signed_by_the_token_and_verified_with_the_public_key(
    token: SigningToken, signer: TokenSigner, tmp_path: Path, database_url: str
) -> None:
    settings = _settings(token, tmp_path, database_url)
    create_log(settings)
    log = open_log(settings, clock=TickingClock())
    log.append_all([an_access() for _ in range(3)])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: log.append(an_access()), range(20)))
    assert verify_receipt(log.receipt(2).text, [signer.verifier()]).size == 23
    log.close()
    report = verify_store(database_url, [signer.verifier()], settings.master_key)
    assert (report.ok, report.size) == (True, 23)


def test_a_key_is_found_by_label_or_id_and_a_token_by_label_or_serial(token: SigningToken) -> None:
    made = make_token_key(token.reference(object=ORIGIN, id="\x07"), ORIGIN)
    [serial] = [one.serial for one in pkcs11.lib(MODULE).get_tokens() if one.label == token.label]
    by_serial = token.reference(object=ORIGIN).replace(f"token={token.label}", f"serial={serial.decode()}")
    for reference in (token.reference(object=ORIGIN), token.reference(id="\x07"), by_serial):
        assert load_signer(reference).vkey == made.vkey
    assert load_signer(token.reference(id="\x07")).name == ORIGIN, "the name is the label on the token"


def test_a_key_on_the_token_is_made_once_and_cannot_be_taken_out(token: SigningToken, signer: TokenSigner) -> None:
    with pytest.raises(KeyRefused, match="never replaced"):
        make_token_key(token.reference(), ORIGIN)
    with pytest.raises(KeyRefused, match="another key"):
        make_token_key(token.reference(object="other.example/log"), ORIGIN)
    signer.sign(b"logs the process in")
    with pkcs11.lib(MODULE).get_token(token_label=token.label).open() as session:
        private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=ORIGIN)
        assert private[Attribute.SENSITIVE]
        assert not private[Attribute.EXTRACTABLE]
    assert load_signer(token.reference()).vkey == signer.vkey


def test_an_unfit_reference_pin_or_key_is_refused_and_no_pin_is_shown(token: SigningToken, signer: TokenSigner) -> None:
    wrong = token.pin_file.with_name("wrong.pin")
    wrong.write_text("0000-secret")
    wrong.chmod(0o600)
    readable = token.pin_file.with_name("readable.pin")
    readable.write_text(PIN)
    readable.chmod(0o640)
    done = _alone(token.reference(pin=wrong))
    assert (done.returncode, "does not give" in done.stderr) == (1, True)
    assert "0000-secret" not in done.stderr
    for reference, words in (
        (token.reference(pin=readable), "0600"),
        (token.reference(pin=token.pin_file.with_name("none")), "no PIN"),
        (token.reference(token="elsewhere"), "does not give"),
        (token.reference(object="other.example/log"), "does not give"),
        (token.reference(module="/nowhere/module.so"), "does not give"),
    ):
        with pytest.raises(KeyRefused, match=words) as refused:
            load_signer(reference)
        assert PIN not in str(refused.value)
    assert load_signer(token.reference()).vkey == signer.vkey, "a failure before does no harm"


def test_a_key_of_another_kind_is_refused(token: SigningToken) -> None:
    with pkcs11.lib(MODULE).get_token(token_label=token.label).open(user_pin=PIN, rw=True) as session:
        curve = {Attribute.EC_PARAMS: pkcs11.util.ec.encode_named_curve_parameters("secp256r1")}
        parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
        parameters.generate_keypair(store=True, label=ORIGIN)
    with pytest.raises(KeyRefused):
        load_signer(token.reference())


@pytest.mark.parametrize(
    "reference",
    [
        "pkcs11:",
        "pkcs11:token=T?module-path=m&pin-source=p",
        "pkcs11:object=k?module-path=m&pin-source=p",
        "pkcs11:token=T;object=k",
        "pkcs11:token=T;object=k?module-path=m",
        "pkcs11:token=T;object=k?module-path=m&pin-value=1234",
        "pkcs11:token=T;object=k;type=public?module-path=m&pin-source=p",
        "pkcs11:token=T;token=U;object=k?module-path=m&pin-source=p",
        "pkcs11:token=T;object=k;colour=red?module-path=m&pin-source=p",
        "pkcs11:token;object=k?module-path=m&pin-source=p",
    ],
)
def test_a_reference_that_names_too_little_too_much_or_a_pin_is_refused(reference: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        TokenReference.parse(reference)
    assert "1234" not in str(refused.value)


def test_a_reference_is_read_as_rfc_7512_writes_it() -> None:
    read = TokenReference.parse(
        "pkcs11:token=My%20Token;serial=0a1b;object=log.example%2Flog;id=%01%ff;type=private"
        "?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:///run/pin"
    )
    assert (read.token, read.serial, read.label, read.id) == ("My Token", "0a1b", "log.example/log", b"\x01\xff")
    assert (read.module, read.pin_file) == ("/usr/lib/softhsm/libsofthsm2.so", Path("/run/pin"))


def test_a_session_that_ended_is_opened_anew(token: SigningToken, signer: TokenSigner) -> None:
    assert signer.verifier().verify(b"one", signer.sign(b"one"))
    signer._token._private.session.close()
    assert signer.verifier().verify(b"two", signer.sign(b"two"))


def test_while_the_token_is_away_nothing_is_appended_and_then_the_log_goes_on(
    token: SigningToken, signer: TokenSigner, tmp_path: Path, sqlite_url: str
) -> None:
    settings = _settings(token, tmp_path, sqlite_url)
    create_log(settings)
    log = open_log(settings, clock=TickingClock())
    log.append(an_access())
    away = token.pin_file.with_name("away")
    log._opened.signers.all[0]._token._private.session.close()
    token.pin_file.rename(away)
    with pytest.raises(LogUnavailable, match="does not sign"):
        log.append(an_access())
    assert log.checkpoint().checkpoint.size == 1
    away.rename(token.pin_file)
    assert log.append(an_access()).seq == 1
    assert log.verify().ok
    log.close()


def test_a_token_that_signs_falsely_gets_nothing_into_the_log(
    token: SigningToken, signer: TokenSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(signer._token), "sign", lambda _self, _text: bytes(64))
    with pytest.raises(LogUnavailable, match="does not hold"):
        signer.sign(b"text")


def test_a_forked_process_opens_a_session_of_its_own(token: SigningToken, signer: TokenSigner) -> None:
    """A server's workers are forked after the key was loaded."""
    script = (
        "import os, sys\nfrom audit.keys import load_signer\n"
        "signer = load_signer(sys.argv[1])\nsigner.sign(b'parent')\n"
        "child = os.fork()\n"
        "if child == 0:\n    os._exit(0 if signer.verifier().verify(b'x', signer.sign(b'x')) else 1)\n"
        "_, status = os.waitpid(child, 0)\n"
        "assert signer.verifier().verify(b'y', signer.sign(b'y'))\n"
        "sys.exit(os.waitstatus_to_exitcode(status))\n"
    )
    done = _alone(token.reference(), script)
    assert done.returncode == 0, done.stderr


def test_two_keys_of_one_token_are_held_at_once(token: SigningToken, signer: TokenSigner) -> None:
    """As in a handover: to the token, a second session of the process is logged in already."""
    other = make_token_key(token.reference(object="next", id="\x02"), "next")
    for one in (signer, other, load_signer(token.reference(object="next")), load_signer(token.reference())):
        assert one.verifier().verify(b"text", one.sign(b"text"))


def test_a_log_moves_from_a_file_to_a_token_by_a_handover(token: SigningToken, tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append(an_access())
    log.close()
    keys = Path(home.settings.signing_key).parent
    reference = token.reference(object=ORIGIN)
    done = _command(home, "keygen", ORIGIN, reference, "--json")
    vkey = json.loads(done.stdout)["vkey"]
    done = _command(home, "rotate-signing-key", "begin", "--next-signing-key", reference, "--yes")
    assert done.returncode == 0, done.stderr
    done = _command(home, "rotate-signing-key", "retire", "--signing-key", reference, "--yes")
    assert done.returncode == 0, done.stderr
    Path(home.settings.signing_key).unlink()
    log = open_log(replace(home.settings, signing_key=reference), clock=TickingClock())
    assert log.append(an_access()).seq == 3
    note = log.checkpoint().text
    log.close()
    signer = load_signer(reference)
    assert signer.vkey == vkey
    assert [one.key_id for one in open_checkpoint(note, ORIGIN, [signer.verifier()]).verified] == [signer.key_id]
    assert (keys / "log.vkey").read_text() == f"{home.verifier.vkey} until 2\n{vkey}\n"
    done = _command(home, "verify")
    assert done.stdout.startswith("SOUND"), done


def test_a_witnesss_key_is_not_made_on_a_token(token: SigningToken, tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    assert _command(home, "keygen", "--witness", "witness.example", token.reference()).returncode == 2


def _alone(reference: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
    """A process in which nobody has logged in to the token yet."""
    script = script or "import sys\nfrom audit.keys import load_signer\nload_signer(sys.argv[1])"
    return subprocess.run(
        [sys.executable, "-c", script, reference],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(SOFTHSM2_CONF=os.environ["SOFTHSM2_CONF"]),
        check=False,
    )


def _command(home: LogHome, *arguments: str) -> subprocess.CompletedProcess[str]:
    keys = Path(home.settings.signing_key).parent
    return run_audit(
        arguments,
        SOFTHSM2_CONF=os.environ["SOFTHSM2_CONF"],
        GLASSHOUSE_LOG_DATABASE_URL=home.settings.database_url,
        GLASSHOUSE_LOG_CHECKPOINT_FILE=str(home.settings.checkpoint_file),
        GLASSHOUSE_LOG_MASTER_KEY_FILE=str(keys / "master_key.txt"),
        GLASSHOUSE_LOG_SIGNING_KEY=str(keys / "log.key"),
        GLASSHOUSE_LOG_VKEY=str(keys / "log.vkey"),
    )
