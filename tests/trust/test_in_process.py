"""What is found good without gpg is what gpg finds good, to the last field; whatever is odd is left to gpg."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from gnupg_keys import BIRTH, NOW, Correspondent, confident, make_correspondent, pinned
from golden import DATA, case_folders, own_home, read_case
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed_mail import PART, mail, signed_entity

from gateway.config import read_tree
from gateway.mail.parse import parse
from gateway.mail.scan import scan
from gateway.model.trust import Contact, OpenpgpSignature, PinnedKey, Result, Unsealed
from gateway.model.verdict import Reason
from gateway.trust.directory import book_of, parse_directory, signers_of
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.in_process import MAX_BYTES, MAX_DELAY, InProcess
from gateway.trust.openpgp import unseal
from gateway.trust.openpgp_packets import Armor, Packet, Tag, armored, dearmor, packets
from gateway.trust.signature_packet import plain_signature

DAY = timedelta(days=1)


def soon() -> datetime:
    """A moment of judgement after whatever was signed until now."""
    return datetime.now(UTC) + timedelta(minutes=1)


@pytest.fixture(scope="module")
def signers(folder: Path, police: Correspondent, rsa: Correspondent) -> Iterator[dict[str, Correspondent]]:
    """One for each kind of key that is verified in process, and one whose subkey signs."""
    curve = make_correspondent(folder, "P-256 <p256@police.gov.b.example>", algorithm="nistp256", cipher="")
    subkey = make_correspondent(folder, "Subkey <sub@police.gov.b.example>")
    subkey.gpg("--faked-system-time", f"{BIRTH}!", "--quick-add-key", subkey.fingerprint, "ed25519", "sign", "30d")
    yield {"ed25519": police, "rsa2048": rsa, "nistp256": curve, "subkey": subkey}
    curve.end()
    subkey.end()


def blocks(signature: bytes) -> tuple[Packet, ...]:
    return tuple(packets(dearmor(signature, Armor.SIGNATURE)))


def in_process(signature: bytes, *keys: PinnedKey, payload: bytes = PART) -> OpenpgpSignature | None:
    at = soon()
    return confident(at).good(payload, blocks(signature), keys, at)


def contact(*keys: PinnedKey, valid_until: date | None = None) -> Contact:
    return Contact("bx-police", "Borduria", "BX", (), keys=keys, valid_until=valid_until)


def asked(home: GnupgHome, signature: bytes, whom: Contact, quick: InProcess | None, payload: bytes = PART) -> Unsealed:
    message = scan(mail(signed_entity(signature, payload)))
    return unseal(message, contact=whom, signers={}, home=home, at=soon(), in_process=quick)


@pytest.mark.parametrize("kind", ["ed25519", "rsa2048", "nistp256", "subkey"])
@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512"])
def test_plain_signature_is_good_without_gpg_and_the_same_in_every_field(
    home: GnupgHome, signers: dict[str, Correspondent], kind: str, digest: str
) -> None:
    person = signers[kind]
    key = pinned(home, person.armored)
    signature = person.sign(PART, "--digest-algo", digest)
    found = in_process(signature, key)
    assert found is not None
    assert (found,) == asked(home, signature, contact(key), None).signatures
    assert found.result is Result.PASS


def test_signers_user_id_changes_nothing(home: GnupgHome, police: Correspondent, borduria: Contact) -> None:
    signature = police.sign(PART, "--sender", "247cp@police.gov.b.example")
    assert (in_process(signature, *borduria.keys),) == asked(home, signature, borduria, None).signatures


@pytest.mark.parametrize(
    ("why", "options"),
    [
        ("weak hash", ("--digest-algo", "SHA1")),
        ("rare hash", ("--digest-algo", "SHA224")),
        ("text", ("--textmode",)),
        ("expires", ("--default-sig-expire", "1")),
        ("notation", ("--sig-notation", "note@police.gov.b.example=1")),
        ("policy", ("--sig-policy-url", "https://police.gov.b.example/")),
    ],
)
def test_what_is_not_plain_is_left_to_gpg(
    home: GnupgHome, rsa: Correspondent, why: str, options: tuple[str, ...]
) -> None:
    key = pinned(home, rsa.armored)
    assert in_process(rsa.sign(PART), key), "the twin"
    assert in_process(rsa.sign(PART, *options), key) is None, why


@pytest.mark.parametrize(
    ("why", "at", "octet"),
    [("version 3", 0, 3), ("standalone", 1, 2), ("DSA", 2, 17), ("Ed25519 of RFC 9580", 2, 27), ("SHA3-256", 3, 12)],
)
def test_packet_of_another_kind_is_not_plain(police: Correspondent, why: str, at: int, octet: int) -> None:
    (packet,) = blocks(police.sign(PART))
    assert plain_signature(packet), "the twin"
    changed = packet.body[:at] + bytes((octet,)) + packet.body[at + 1 :]
    assert plain_signature(replace(packet, body=changed)) is None, why


@given(st.binary(max_size=200))
def test_no_octets_break_the_reader(octets: bytes) -> None:
    for body in (octets, b"\x04\x00\x01\x08" + octets):
        plain_signature(Packet(Tag.SIGNATURE, body))


def test_other_words_or_another_key_are_never_good(
    police: Correspondent, impostor: Correspondent, borduria: Contact, syldavia: Contact
) -> None:
    signature = police.sign(PART)
    assert in_process(signature, *syldavia.keys, *borduria.keys), "the twin"
    assert in_process(signature, *borduria.keys, payload=PART + b"\r\n") is None
    assert in_process(impostor.sign(PART), *borduria.keys) is None
    assert in_process(signature, *syldavia.keys) is None
    assert in_process(signature) is None


def test_two_signatures_are_left_to_gpg(police: Correspondent, borduria: Contact) -> None:
    one = blocks(police.sign(PART))
    assert confident(soon()).good(PART, one + one, borduria.keys, soon()) is None


def test_a_very_long_part_is_left_to_gpg(police: Correspondent, borduria: Contact) -> None:
    longest = b"x" * MAX_BYTES
    assert in_process(police.sign(longest), *borduria.keys, payload=longest)
    assert in_process(police.sign(longest + b"x"), *borduria.keys, payload=longest + b"x") is None


def test_what_is_judged_late_is_left_to_gpg(police: Correspondent, borduria: Contact) -> None:
    one, at, second = blocks(police.sign(PART)), soon(), timedelta(seconds=1)
    assert InProcess(now=lambda: at + MAX_DELAY).good(PART, one, borduria.keys, at)
    assert InProcess(now=lambda: at + MAX_DELAY + second).good(PART, one, borduria.keys, at) is None
    assert InProcess(now=lambda: at - MAX_DELAY - second).good(PART, one, borduria.keys, at) is None


@pytest.mark.parametrize(
    ("why", "changed"),
    [
        ("revoked", {"revoked": True}),
        ("expired", {"expires": NOW}),
        ("born after the signature", {"created": NOW + DAY}),
        ("no key that signs", {"signing": ()}),
    ],
)
def test_key_that_may_not_sign_is_never_good(police: Correspondent, borduria: Contact, why: str, changed: dict) -> None:
    (key,) = borduria.keys
    assert in_process(police.sign(PART), replace(key, expires=NOW + 2 * DAY)), "the twin"
    assert in_process(police.sign(PART), replace(key, **changed)) is None, why


@pytest.mark.parametrize(("why", "changed"), [("expired", {"expires": NOW}), ("born after it", {"created": NOW + DAY})])
def test_subkey_that_may_not_sign_is_never_good(
    home: GnupgHome, signers: dict[str, Correspondent], why: str, changed: dict
) -> None:
    signature, key = signers["subkey"].sign(PART), pinned(home, signers["subkey"].armored)
    assert in_process(signature, key), "the twin"
    spoilt = tuple(replace(one, **changed) for one in key.signing)
    assert in_process(signature, replace(key, signing=spoilt)) is None, why


def test_revoked_key_and_subkey_are_never_good(home: GnupgHome, folder: Path) -> None:
    person = make_correspondent(folder, "Revoked <247cp@police.gov.b.example>")
    person.gpg("--faked-system-time", f"{BIRTH}!", "--quick-add-key", person.fingerprint, "ed25519", "sign", "never")
    signature, before = person.sign(PART), pinned(home, person.armored)
    subkey = before.signing[-1].fingerprint
    assert in_process(signature, before), "the twin"
    commands = b"key 2\nrevkey\ny\n0\n\ny\nsave\n"
    person.gpg("--command-fd", "0", "--edit-key", person.fingerprint, data=commands)
    without = pinned(home, person.armored)
    assert subkey not in {one.fingerprint for one in without.signing}
    assert in_process(signature, without) is None
    # even where our own reading of the key were older than the key, Sequoia sees the revocation in it
    assert in_process(signature, replace(without, signing=before.signing)) is None
    revoked = pinned(home, person.revoked())
    assert in_process(signature, revoked) is None
    assert in_process(signature, replace(revoked, revoked=False, signing=before.signing)) is None
    person.end()


@pytest.mark.parametrize(("why", "made"), [("too old", NOW - 15 * DAY), ("from the future", NOW + DAY)])
def test_signature_of_another_time_is_never_good(folder: Path, home: GnupgHome, why: str, made: datetime) -> None:
    old = int((NOW - 30 * DAY).timestamp())
    person = make_correspondent(folder, "Old <247cp@police.gov.b.example>", at=old)
    key = pinned(home, person.armored)
    assert in_process(person.sign(PART, at=NOW - 13 * DAY), key), "the twin"
    assert in_process(person.sign(PART, at=made), key) is None, why
    person.end()


def test_contact_whose_entry_is_over_has_no_good_signature(
    home: GnupgHome, police: Correspondent, borduria: Contact
) -> None:
    over = replace(borduria, valid_until=NOW.date() - DAY)
    for quick in (None, confident(soon())):
        found = asked(home, police.sign(PART), over, quick)
        assert (found.good, found.reasons) == (False, (Reason.CONTACT_EXPIRED,))


class Liar(InProcess):
    """Finds everything good."""

    def good(self, payload: bytes, blocks: tuple, keys: tuple[PinnedKey, ...], at: datetime) -> OpenpgpSignature:
        return OpenpgpSignature(Result.PASS, keys[0].fingerprint, created=at, pinned=True, id="lie")


def test_a_difference_is_said_and_gpg_decides(home: GnupgHome, impostor: Correspondent, borduria: Contact) -> None:
    found = asked(home, impostor.sign(PART), borduria, Liar())
    assert not found.good
    assert found.wrong
    assert found.reasons == (Reason.VERIFIERS_DIFFER,)


def test_no_difference_is_said_where_gpg_agrees(home: GnupgHome, police: Correspondent, borduria: Contact) -> None:
    found = asked(home, police.sign(PART), borduria, InProcess())
    assert (found.good, found.reasons) == (True, ())


def test_gpg_is_asked_about_the_first_good_one_and_every_hundredth_after_it() -> None:
    quick = InProcess()
    assert [number for number in range(201) if quick.doubted()] == [0, 100, 200]


@pytest.mark.parametrize("quick", [confident(soon()), InProcess()])
def test_plain_signature_is_good_where_gpg_cannot_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, police: Correspondent, borduria: Contact, quick: InProcess
) -> None:
    signature, away = police.sign(PART), GnupgHome(str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asked(away, signature, borduria, quick).good
    assert asked(away, signature, borduria, None).unsure


@pytest.fixture(scope="module")
def written(home: GnupgHome, signers: dict[str, Correspondent]) -> list[tuple[PinnedKey, bytes]]:
    """A key of each kind and its signature over the same part, in octets."""
    people = list(signers.values())
    return [(pinned(home, one.armored), dearmor(one.sign(PART), Armor.SIGNATURE)) for one in people]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_changed_octet_is_good_unless_gpg_finds_it_good(
    home: GnupgHome, written: list[tuple[PinnedKey, bytes]], data: st.DataObject
) -> None:
    key, octets = data.draw(st.sampled_from(written))
    changed = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.sampled_from([1, 2, 0x80, 0xFF]))
    try:
        found = confident(soon()).good(PART, tuple(packets(bytes(changed))), (key,), soon())
    except ValueError:
        return
    if found is not None:
        by_gpg = asked(home, armored(bytes(changed), Armor.SIGNATURE), contact(key), None)
        assert by_gpg.signatures == (found,)


@pytest.fixture(scope="module")
def judged() -> dict[str, tuple[Unsealed, Unsealed]]:
    """What OpenPGP says of each golden case whose sender has keys: by gpg alone, and with verification in process."""
    found = {}
    with own_home() as path:
        home = GnupgHome(path)
        directory, complaints = parse_directory(read_tree(str(DATA / "directory")), inspect=home.inspect_keys)
        assert not complaints
        book, signers = book_of(directory), signers_of(directory)
        for case in map(read_case, case_folders()):
            message, at = parse(case.content), case.arrival.received_at
            whom, _ = (book.get(message.sender.key) if message.sender else None) or (None, None)
            if whom is None or b"PGP" not in case.content:
                continue
            both = [
                unseal(message, contact=whom, signers=signers, home=home, at=at, in_process=one)
                for one in (None, confident(at))
            ]
            found[case.name] = (both[0], both[1])
    return found


def test_no_golden_case_is_read_otherwise(judged: dict[str, tuple[Unsealed, Unsealed]]) -> None:
    assert [name for name, (gpg, quick) in judged.items() if gpg != quick] == []
    assert sum(gpg.good for gpg, _ in judged.values()) > 10
    assert sum(not gpg.good for gpg, _ in judged.values()) > 30
