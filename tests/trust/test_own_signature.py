"""Signatures that our agent makes and we wrap, verified by gpg and by Sequoia; whatever is odd goes to gpg."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gnupg_keys import NOW, Correspondent, make_correspondent
from hypothesis import given, settings
from hypothesis import strategies as st
from pysequoia import Cert, Sig, verify

from gateway.errors import GpgUnavailable, SealFailed
from gateway.model.settings import Dkim
from gateway.trust.agent import agent_signature
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp_packets import Armor, dearmor, packets
from gateway.trust.own_signature import SigningKey, signed, signing_key, unsigned
from gateway.trust.seal import Sealer

PAYLOAD = b"Content-Type: text/plain\r\n\r\nYour request has been received.\r\n"
OK = b"OK\n"


def sealer_of(home: GnupgHome, fingerprint: str) -> Sealer:
    return Sealer(home=home, signing_key=fingerprint, dkim=Dkim(domain="x.example"))


@pytest.fixture(scope="module")
def sealer(home: GnupgHome, own_fingerprint: str) -> Sealer:
    return sealer_of(home, own_fingerprint)


@pytest.fixture(scope="module")
def key(home: GnupgHome, own_fingerprint: str) -> SigningKey:
    found = home.signing_key(own_fingerprint)
    assert found is not None
    return found


@pytest.fixture(autouse=True, scope="module")
def _warm(sealer: Sealer) -> None:
    """The agent runs and the sealer knows its key, whichever test comes first."""
    sealer.sign(PAYLOAD)


@pytest.fixture
def no_gpg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which only the agent can sign."""
    monkeypatch.setenv("PATH", str(tmp_path))


def sequoia_verifies(signature: bytes, payload: bytes, public: bytes) -> bool:
    try:
        read = verify(bytes=payload, store=lambda _ids: [Cert.from_bytes(public)], signature=Sig.from_bytes(signature))
    except RuntimeError:
        return False
    return len(read.valid_sigs) == 1


def gpg_verifies(home: GnupgHome, signature: bytes, payload: bytes) -> bool:
    run = home.run(
        ("--verify", "--", "{beside}", "-"), stdin=payload, beside=dearmor(signature, Armor.SIGNATURE), own=True
    )
    return run.rc == 0 and run.status.count(b"[GNUPG:] GOODSIG ") == 1 and run.status.count(b"[GNUPG:] VALIDSIG ") == 1


# -- what comes out ----------------------------------------------------------------------------------------------------


@given(payload=st.binary(max_size=3000))
@settings(max_examples=60, deadline=None)
def test_sequoia_verifies_whatever_we_sign_and_nothing_else(sealer: Sealer, own_armored: bytes, payload: bytes) -> None:
    signature, micalg = sealer.sign(payload)
    assert micalg == "pgp-sha256"
    assert sequoia_verifies(signature, payload, own_armored)
    assert not sequoia_verifies(signature, payload + b"\0", own_armored)


@given(payload=st.binary(max_size=3000))
@settings(max_examples=15, deadline=None)
def test_gpg_verifies_whatever_we_sign_and_nothing_else(sealer: Sealer, payload: bytes) -> None:
    signature, _ = sealer.sign(payload)
    assert gpg_verifies(sealer.home, signature, payload)
    assert not gpg_verifies(sealer.home, signature, payload + b"\0")


@pytest.mark.usefixtures("no_gpg")
def test_no_gpg_is_started_to_sign(sealer: Sealer) -> None:
    assert sealer.sign(PAYLOAD)[0].startswith(b"-----BEGIN PGP SIGNATURE-----\n")


def test_numbers_with_leading_zeros_are_verified_by_both(home: GnupgHome, key: SigningKey, own_armored: bytes) -> None:
    """One signature in 128 has one; RFC 9580 section 3.2 leaves the zeros out."""
    for number in range(5000):
        payload = b"payload %d" % number
        draft = unsigned(payload, key, at=datetime.now(UTC))
        answer = home.agent_signature(keygrip=key.keygrip, digest=draft.digest)
        if b"1:r32:\0" in answer or b"1:s32:\0" in answer:
            signature = signed(draft, answer)
            assert sequoia_verifies(signature, payload, own_armored)
            run = home.run(("--verify", "--", "{beside}", "-"), stdin=payload, beside=signature, own=True)
            assert run.rc == 0
            return
    raise AssertionError("no number with a leading zero")


def test_it_says_what_gpgs_own_signature_says(sealer: Sealer) -> None:
    ours, gpgs = (
        next(packets(dearmor(armored, Armor.SIGNATURE))).body
        for armored in (sealer.sign(PAYLOAD)[0], sealer._signed_by_gpg(PAYLOAD)[0])
    )
    created = slice(31, 35)
    assert ours[: created.start] == gpgs[: created.start]
    assert int.from_bytes(gpgs[created], "big") - int.from_bytes(ours[created], "big") in range(-1, 60)
    assert ours[35:47] == gpgs[35:47]


def test_rsa_key_signs_by_its_agent(rsa: Correspondent, request: pytest.FixtureRequest) -> None:
    sealer = sealer_of(GnupgHome(str(rsa.home)), rsa.fingerprint)
    assert sealer.home.signing_key(rsa.fingerprint) is not None
    sealer.sign(PAYLOAD)
    public = rsa.armored
    request.getfixturevalue("no_gpg")
    assert sequoia_verifies(sealer.sign(PAYLOAD)[0], PAYLOAD, public)


# -- what goes to gpg --------------------------------------------------------------------------------------------------


def test_key_of_another_kind_is_left_to_gpg(folder: Path) -> None:
    person = make_correspondent(folder, "P <p@x.example>", algorithm="nistp256", cipher="")
    sealer = sealer_of(GnupgHome(str(person.home)), person.fingerprint)
    assert sealer.home.signing_key(person.fingerprint) is None
    assert sequoia_verifies(sealer.sign(PAYLOAD)[0], PAYLOAD, person.armored)
    person.end()


def test_a_new_subkey_signs_when_counterparts_had_time_to_fetch_it(home: GnupgHome, own_fingerprint: str) -> None:
    octets = home.own_key(own_fingerprint).packets
    command = ("--with-colons", "--fixed-list-mode", "--with-keygrip", "--list-keys", own_fingerprint)
    records = [line.split(":") for line in home.run(command, own=True).stdout.decode().split("\n")]
    signer = next(at for at, record in enumerate(records) if record[0] == "sub" and "s" in record[11])
    old, young = records[signer : signer + 3], [list(one) for one in records[signer : signer + 3]]
    made = datetime(2026, 6, 1, tzinfo=UTC)
    old[0][5], young[0][5] = (str(int((made - timedelta(days=days)).timestamp())) for days in (400, 0))
    young[2][9] = "F" * 40  # another keygrip; the fingerprint must be one whose packets are there
    listed = "\n".join(map(":".join, [*records, *young])).encode()
    grips = [signing_key(listed, octets, at=made + timedelta(days=days)).keygrip for days in (0, 29, 30, 400)]
    assert grips == [old[2][9], old[2][9], "F" * 40, "F" * 40]
    old[0][6] = str(int((made + timedelta(days=10)).timestamp()))
    listed = "\n".join(map(":".join, [*records, *young])).encode()
    assert signing_key(listed, octets, at=made + timedelta(days=11)).keygrip == "F" * 40


def test_the_subkey_that_our_agent_is_asked_for_is_the_one_gpg_signs_with(folder: Path) -> None:
    person = make_correspondent(folder, "Q <q@x.example>", cipher="")
    sealer = sealer_of(GnupgHome(str(person.home)), person.fingerprint)
    person.gpg("--quick-add-key", person.fingerprint, "ed25519", "sign", "never")
    chosen = sealer.home.signing_key(person.fingerprint)
    assert chosen is not None
    assert sealer._signer() == f"{chosen.fingerprint}!"
    assert sequoia_verifies(sealer.sign(PAYLOAD)[0], PAYLOAD, person.armored)
    assert sequoia_verifies(sealer._signed_by_gpg(PAYLOAD)[0], PAYLOAD, person.armored)
    person.end()


def test_agent_that_was_killed_is_started_again(folder: Path) -> None:
    person = make_correspondent(folder, "R <r@x.example>", cipher="")
    sealer = sealer_of(GnupgHome(str(person.home)), person.fingerprint)
    sealer.sign(PAYLOAD)
    sealer.home.kill_agent()
    assert sequoia_verifies(sealer.sign(PAYLOAD)[0], PAYLOAD, person.armored)
    person.end()


def test_agent_in_a_deep_home_is_found(folder: Path, rsa: Correspondent) -> None:
    """Its socket's path has room for 108 bytes: the agent is reached by the short link."""
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    home = GnupgHome(str(deep))
    sealer = sealer_of(home, home.make_own_key(name="Deep", mailbox="deep@x.example"))
    sealer.sign(PAYLOAD)
    found = home.signing_key(sealer.signing_key)
    assert found is not None
    assert home.agent_signature(keygrip=found.keygrip, digest=b"\1" * 32).startswith(b"(7:sig-val")
    home.kill_agent()


def test_key_revoked_meanwhile_signs_nothing_more(folder: Path) -> None:
    person = make_correspondent(folder, "S <s@x.example>", cipher="")
    sealer = sealer_of(GnupgHome(str(person.home)), person.fingerprint)
    sealer.sign(PAYLOAD)
    person.revoked()
    with pytest.raises(SealFailed):
        sealer.sign(PAYLOAD)
    person.end()


def test_expired_key_signs_nothing(folder: Path) -> None:
    born = int((NOW - timedelta(days=9)).timestamp())
    person = make_correspondent(folder, "T <t@x.example>", expires="5d", at=born, cipher="")
    sealer = sealer_of(GnupgHome(str(person.home)), person.fingerprint)
    assert sealer.home.signing_key(person.fingerprint) is None
    with pytest.raises(SealFailed):
        sealer.sign(PAYLOAD)
    person.end()


def test_key_is_used_until_it_expires(key: SigningKey) -> None:
    ends = datetime(2026, 6, 1, tzinfo=UTC)
    assert key.usable(ends)
    limited = replace(key, expires=ends)
    assert limited.usable(ends - timedelta(seconds=1))
    assert not limited.usable(ends)


def test_key_with_a_passphrase_asks_nobody(folder: Path) -> None:
    home = GnupgHome(str(folder / "protected"))
    made = [
        "gpg",
        "--homedir",
        home.home,
        "--batch",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "secret",
    ]
    subprocess.run([*made, "--quick-gen-key", "U <u@x.example>", "ed25519", "sign"], check=True, capture_output=True)
    listed = subprocess.run([*made, "--with-colons", "--list-keys"], check=True, capture_output=True).stdout
    fingerprint = next(line.split(":")[9] for line in listed.decode().split("\n") if line.startswith("fpr"))
    home.kill_agent()  # it remembers the passphrase
    with pytest.raises(SealFailed):
        sealer_of(home, fingerprint).sign(PAYLOAD)
    home.kill_agent()


@pytest.mark.parametrize(
    ("primary", "subkey", "ends"),
    [
        ("", "", None),
        ("1900000000", "", 1900000000),
        ("", "1900000000", 1900000000),
        ("1800000000", "1900000000", 1800000000),
    ],
)
def test_key_ends_with_its_primary_at_the_latest(
    home: GnupgHome, own_fingerprint: str, primary: str, subkey: str, ends: int | None
) -> None:
    octets = home.own_key(own_fingerprint).packets
    command = ("--with-colons", "--fixed-list-mode", "--with-keygrip", "--list-keys", own_fingerprint)
    records = [line.split(":") for line in home.run(command, own=True).stdout.decode().split("\n")]
    for record in records:
        if record[0] in ("pub", "sub"):
            record[6] = primary if record[0] == "pub" else subkey
    found = signing_key("\n".join(map(":".join, records)).encode(), octets, at=datetime(2026, 1, 1, tzinfo=UTC))
    assert found is not None
    assert found.expires == (None if ends is None else datetime.fromtimestamp(ends, UTC))


# -- answers that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"(",
        b"7:sig-val",
        b"(7:sig-val(5:eddsa(1:r32:" + b"x" * 32 + b")))",
        b"(7:sig-val(5:eddsa(1:r32:" + b"x" * 32 + b")(1:s32:" + b"y" * 32 + b")))",
        b"(7:sig-val(5:eddsa(1:r99:" + b"x" * 99 + b")(1:s32:" + b"y" * 32 + b")))",
        b"(7:sig-val(3:rsa(1:s4:abcd)))",
        b"(7:sig-val(5:ecdsa(1:r1:x)(1:s1:y)))",
        b"sig-val eddsa",
    ],
)
def test_answer_that_is_not_our_keys_signature_is_refused(key: SigningKey, answer: bytes) -> None:
    with pytest.raises(ValueError, match="agent"):
        signed(unsigned(PAYLOAD, key, at=NOW), answer)


@given(answer=st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_answer_makes_it_fail_otherwise(key: SigningKey, answer: bytes) -> None:
    with pytest.raises(ValueError, match="agent"):
        signed(unsigned(PAYLOAD, key, at=NOW), answer)


def test_signature_over_another_text_is_refused(home: GnupgHome, key: SigningKey) -> None:
    other = unsigned(b"another text", key, at=NOW)
    answer = home.agent_signature(keygrip=key.keygrip, digest=other.digest)
    assert signed(other, answer)
    with pytest.raises(ValueError, match="not our key's"):
        signed(unsigned(PAYLOAD, key, at=NOW), answer)


@contextlib.contextmanager
def agent_that_says(folder: Path, *answers: bytes, hangs_up: bool = False) -> Iterator[str]:
    """An agent of a few canned answers, of which the first is its greeting."""
    path = folder / "agent"
    ends = threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.bind(str(path))
        door.listen(1)

        def serve() -> None:
            link, _ = door.accept()
            with contextlib.suppress(BrokenPipeError), link, link.makefile("rb") as lines:
                for number, answer in enumerate(answers):
                    if number:
                        lines.readline()
                    link.sendall(answer)
                if not hangs_up:
                    ends.wait(30)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield str(path)
        ends.set()
        thread.join(30)
    path.unlink()


def ask(path: str, *, seconds: float = 30.0) -> bytes:
    return agent_signature(path, keygrip="A" * 40, digest=b"\0" * 32, seconds=seconds)


def test_data_of_several_lines_is_one_answer(folder: Path) -> None:
    said = b"S PROGRESS x\n# comment\nD a%0Ab%25\nD c\nOK done\n"
    with agent_that_says(folder, b"OK hello\n", OK, OK, OK, said) as path:
        assert ask(path) == b"a\nb%c"


@pytest.mark.parametrize(
    "answers",
    [
        (b"ERR 67108881 No secret key\n",),
        (OK, OK, b"ERR 67108881 No secret key <GPG Agent>\n"),
        (OK, OK, OK, OK, b"INQUIRE PINENTRY_LAUNCHED 1\n"),
        (OK, OK, OK, OK, b"D half"),
        (OK, OK, OK, OK, b"D " + b"x" * 5000 + b"\nOK\n"),
        (OK, OK, OK, OK, b"S x\n" * 200 + OK),
        (OK,),
        (b"\xff\xfe\n",),
    ],
)
def test_agent_that_refuses_or_breaks_off_is_left_to_gpg(folder: Path, answers: tuple[bytes, ...]) -> None:
    with agent_that_says(folder, *answers, hangs_up=True) as path, pytest.raises(GpgUnavailable):
        ask(path)


def test_agent_that_is_not_there_is_left_to_gpg(folder: Path) -> None:
    with pytest.raises(GpgUnavailable):
        ask(str(folder / "nobody"))


def test_agent_that_is_silent_is_not_waited_for_twice(folder: Path) -> None:
    with agent_that_says(folder, OK, OK, b"S thinking\n") as path, pytest.raises(SealFailed):
        ask(path, seconds=0.2)
