"""Running gpg: limits, the short road to the agent, key rings, and which key files may be pinned."""

import os
import resource
import stat
import subprocess
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from gnupg_keys import NOW, Correspondent, armored, make_correspondent, pinned

from gateway.errors import GpgUnavailable
from gateway.model.trust import PinnedKey
from gateway.trust.gnupg_home import GnupgHome, _limit
from gateway.trust.key_inspection import KeyRefused, is_clean_user_id
from gateway.trust.openpgp_packets import Armor, Packet, Tag, dearmor, fingerprint_of, packets, serialized
from gateway.trust.status import read_status


def _stand_in(folder: Path, name: str, script: str) -> str:
    """A small program in the place of gpg, on a PATH of its own."""
    path = folder / name
    path.mkdir(exist_ok=True)
    (path / "gpg").write_text(f"#!/bin/sh\n{script}\n")
    (path / "gpg").chmod(0o755)
    return f"{path}:{os.environ['PATH']}"


# -- running -----------------------------------------------------------------------------------------------------------


def test_gpg_that_hangs_is_killed_in_time(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", _stand_in(tmp_path, "hangs", "exec sleep 60"))
    start = time.monotonic()
    with pytest.raises(GpgUnavailable, match="did not answer"):
        GnupgHome(str(tmp_path / "h"), timeout=0.2).run(("--list-keys",))
    assert time.monotonic() - start < 5


def test_gpg_that_is_killed_is_unavailable(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", _stand_in(tmp_path, "dies", "kill -9 $$"))
    with pytest.raises(GpgUnavailable, match="signal 9"):
        GnupgHome(str(tmp_path / "h")).run(("--list-keys",))


def test_missing_gpg_is_unavailable(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GpgUnavailable, match="cannot be run"):
        GnupgHome(str(tmp_path / "h")).run(("--list-keys",))


def test_output_is_cut_off_by_the_kernel(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", _stand_in(tmp_path, "writes", "sleep 0.2; exec head -c 9000000 /dev/zero"))
    run = GnupgHome(str(tmp_path / "h")).run(("--decrypt",), max_output=1_000_000)
    assert run.rc != 0
    assert len(run.stdout) <= 1_000_000


def test_status_is_apart_from_output_and_text_of_gpg(home: GnupgHome, police: Correspondent, borduria) -> None:
    octets = dearmor(police.sign(b"x"), Armor.SIGNATURE)
    run = home.run(
        ("--verify", "--", "{beside}", "-"), stdin=b"x", beside=octets, keyring=home.keyring_of(borduria.keys)
    )
    assert run.stdout == b""
    assert read_status(run.status)[0].keyword == "NEWSIG"


def test_large_input_needs_no_reader(home: GnupgHome, police: Correspondent, borduria) -> None:
    content = os.urandom(8_000_000)
    octets = dearmor(police.sign(content), Armor.SIGNATURE)
    run = home.run(
        ("--verify", "--", "{beside}", "-"), stdin=content, beside=octets, keyring=home.keyring_of(borduria.keys)
    )
    assert run.rc == 0


def test_nothing_is_left_open(home: GnupgHome) -> None:
    before = len(os.listdir("/proc/self/fd"))
    home.run(("--list-keys",))
    assert len(os.listdir("/proc/self/fd")) == before


def test_options_of_the_user_are_not_read(folder: Path) -> None:
    (folder / "opts").mkdir(mode=0o700)
    (folder / "opts" / "gpg.conf").write_text("no-such-option\n")
    assert GnupgHome(str(folder / "opts")).run(("--list-keys",)).rc == 0


def test_version_is_a_number(home: GnupgHome) -> None:
    assert home.version()[0].isdigit()


def test_home_cannot_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GpgUnavailable):
        GnupgHome(str(tmp_path / "file"))


# -- our own key -------------------------------------------------------------------------------------------------------


def test_own_key_works_behind_a_long_path(tmp_path: Path) -> None:
    long = GnupgHome(str(tmp_path / ("x" * 120)))
    fingerprint = long.make_own_key(name="Us", mailbox="247cp@institution.gov.example")
    assert len(long.path) < 90
    assert long.run(("--detach-sign", "-u", fingerprint), stdin=b"x", own=True).rc == 0
    assert GnupgHome(long.home).path == long.path
    long.kill_agent()
    os.unlink(long.path)


def test_link_laid_by_somebody_else_is_not_followed(tmp_path: Path) -> None:
    home = str(tmp_path / ("y" * 120))
    link = GnupgHome(home).path
    os.unlink(link)
    os.symlink(str(tmp_path), link)
    with pytest.raises(GpgUnavailable, match="in the way"):
        GnupgHome(home)
    os.unlink(link)


def test_own_key_has_three_keys_and_no_end(home: GnupgHome, own_fingerprint: str) -> None:
    key = home.own_key(own_fingerprint)
    assert key.fingerprint == own_fingerprint
    assert len(key.subkeys) == 2
    assert key.expires is None
    assert key.encrypts(NOW + timedelta(days=1))


def test_second_own_key_is_seen_at_once(folder: Path) -> None:
    ours = GnupgHome(str(folder / "two"))
    for name in ("First", "Second"):
        fingerprint = ours.make_own_key(name=name, mailbox="247cp@institution.gov.example")
        assert ours.own_key(fingerprint).fingerprint == fingerprint
        assert ours.run(("--detach-sign", "-u", fingerprint), stdin=b"x", own=True).rc == 0
    ours.kill_agent()


def test_own_key_that_is_not_there_is_unavailable(home: GnupgHome) -> None:
    with pytest.raises(GpgUnavailable, match="does not hold"):
        home.own_key("A" * 40)


def test_agent_can_be_started_and_killed(home: GnupgHome, own_fingerprint: str) -> None:
    home.start_agent()
    home.start_agent()
    home.kill_agent()
    home.kill_agent()
    assert home.run(("--detach-sign", "-u", own_fingerprint), stdin=b"x", own=True).rc == 0


def test_home_is_private(home: GnupgHome) -> None:
    assert stat.S_IMODE(os.stat(home.home).st_mode) == 0o700


# -- key rings ---------------------------------------------------------------------------------------------------------


def test_key_ring_holds_exactly_the_pinned_keys(home: GnupgHome, borduria, syldavia) -> None:
    keys = borduria.keys + syldavia.keys
    path = home.keyring_of(keys)
    listed = home.run(("--with-colons", "--list-keys"), keyring=path).stdout.decode()
    primary = [before.split(":")[0] == "pub" and line.split(":")[9] for before, line in pairwise(listed.splitlines())]
    assert [one for one in primary if one] == [one.fingerprint for one in keys]
    assert home.keyring_of(keys) == path
    assert home.keyring_of(()) != path
    assert Path(home.keyring_of(())).read_bytes() == b""
    assert all(name.endswith(".gpg") for name in os.listdir(os.path.dirname(path)))


def test_checked_ring_still_knows_time(home: GnupgHome, folder: Path) -> None:
    """That gpg remembers which signatures it checked must not make it forget when a key ends."""
    person = make_correspondent(folder, "Ring <r@police.gov.b.example>", expires="3d")
    ring = home.keyring_of((pinned(home, person.armored),))
    octets = dearmor(person.sign(b"x"), Armor.SIGNATURE)
    person.end()
    for at, word in ((NOW, b"GOODSIG"), (NOW + timedelta(days=5), b"EXPKEYSIG")):
        run = home.run(("--verify", "--", "{beside}", "-"), stdin=b"x", beside=octets, keyring=ring, at=at)
        assert b"[GNUPG:] " + word in run.status


def test_second_home_object_uses_the_same_ring(home: GnupgHome, borduria) -> None:
    assert GnupgHome(home.home).keyring_of(borduria.keys) == home.keyring_of(borduria.keys)


# -- inspection --------------------------------------------------------------------------------------------------------


def _refused(home: GnupgHome, key_file: bytes) -> KeyRefused:
    found = home.inspect_keys((key_file,))[0]
    assert isinstance(found, KeyRefused), found
    assert found.remedy
    return found


def _rearmored(*found: Packet) -> bytes:
    return armored(b"".join(serialized(one) for one in found), Armor.PUBLIC_KEY)


def _packets(person: Correspondent) -> tuple[Packet, ...]:
    return tuple(packets(dearmor(person.armored, Armor.PUBLIC_KEY)))


def test_many_keys_are_inspected_in_order(home: GnupgHome, police, neighbour, rsa) -> None:
    found = home.inspect_keys((rsa.armored, b"nonsense", police.armored, neighbour.armored))
    assert [one.fingerprint if isinstance(one, PinnedKey) else None for one in found] == [
        rsa.fingerprint, None, police.fingerprint, neighbour.fingerprint,
    ]  # fmt: skip


def test_no_keys_need_no_gpg(tmp_path: Path, monkeypatch) -> None:
    home = GnupgHome(str(tmp_path / "h"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert home.inspect_keys(()) == ()


def test_key_tells_its_times_and_what_it_can(home: GnupgHome, folder: Path, rsa: Correspondent) -> None:
    person = make_correspondent(folder, "Year <y@police.gov.b.example>", expires="1y")
    key = pinned(home, person.armored)
    person.end()
    assert key.expires is not None
    assert timedelta(days=360) < key.expires - key.created < timedelta(days=370)
    assert key.encryption_expires is not None
    assert key.can_encrypt
    assert not key.usable(NOW + timedelta(days=400))
    assert not pinned(home, rsa.armored).can_encrypt


def test_expired_and_revoked_keys_are_states_and_not_refused(home: GnupgHome, folder: Path) -> None:
    born = int((NOW - timedelta(days=9)).timestamp())
    person = make_correspondent(folder, "Old <o@police.gov.b.example>", expires="5d", at=born)
    assert not pinned(home, person.armored).usable(NOW)
    person.end()
    gone = make_correspondent(folder, "Gone <g@police.gov.b.example>")
    assert pinned(home, gone.revoked()).revoked
    gone.end()


def test_secret_key_is_refused(home: GnupgHome, police: Correspondent) -> None:
    secret = police.gpg("--armor", "--export-secret-keys")
    assert "SECRET" in _refused(home, secret).what
    octets = dearmor(secret.replace(b"PRIVATE", b"PUBLIC"), Armor.PUBLIC_KEY)
    assert "SECRET" in _refused(home, armored(octets, Armor.PUBLIC_KEY)).what


def test_two_keys_in_one_file_are_refused(home: GnupgHome, police, neighbour) -> None:
    assert "exactly one" in _refused(home, _rearmored(*_packets(police), *_packets(neighbour))).what
    assert _refused(home, police.armored + neighbour.armored)


def test_ring_trust_packets_are_refused(home: GnupgHome, police: Correspondent) -> None:
    """gpg keeps in them which signatures it has checked, and believes them when it reads a key ring."""
    assert "more than a public key" in _refused(home, _rearmored(*_packets(police), Packet(12, b"\x00\x03"))).what


def test_key_whose_own_signature_is_wrong_is_refused(home: GnupgHome, police: Correspondent) -> None:
    key, user_id, signature, *_ = _packets(police)
    damaged = Packet(signature.tag, signature.body[:-1] + bytes((signature.body[-1] ^ 1,)))
    assert "no valid signature of its own" in _refused(home, _rearmored(key, user_id, damaged)).what
    assert _refused(home, _rearmored(key, user_id))
    assert _refused(home, _rearmored(key))


def test_broken_key_spoils_no_other(home: GnupgHome, police: Correspondent, neighbour: Correspondent) -> None:
    key, user_id, *_ = _packets(police)
    first, second = home.inspect_keys((_rearmored(key, user_id), neighbour.armored))
    assert isinstance(first, KeyRefused)
    assert isinstance(second, PinnedKey)


def test_expiry_taken_out_of_a_signature_does_not_prolong_a_key(home: GnupgHome, folder: Path) -> None:
    person = make_correspondent(folder, "Short <k@police.gov.b.example>", expires="2d")
    key, user_id, signature, *_ = _packets(person)
    person.end()
    mark = signature.body.index(b"\x05\x09")
    longer = signature.body[: mark + 2] + b"\x70" + signature.body[mark + 3 :]
    assert _refused(home, _rearmored(key, user_id, Packet(Tag.SIGNATURE, longer)))


def test_subkey_of_somebody_else_is_no_subkey(home: GnupgHome, police: Correspondent, neighbour: Correspondent) -> None:
    grafted = _rearmored(*_packets(police), *(one for one in _packets(neighbour)[3:]))
    key, honest = pinned(home, grafted), pinned(home, police.armored)
    assert key.subkeys == honest.subkeys
    assert len(honest.subkeys) == 1


def test_weak_rsa_key_is_refused(home: GnupgHome, folder: Path) -> None:
    person = make_correspondent(folder, "Weak <w@police.gov.b.example>", algorithm="rsa1024", cipher="")
    assert "1024 bits" in _refused(home, person.armored).what
    person.end()


def test_huge_key_file_is_refused_unread(home: GnupgHome) -> None:
    assert "more than" in _refused(home, b"x" * 300_000).what


@pytest.mark.parametrize(
    "name", ["a\nb", "a\x1b[2Jb", "a\x85b", "a\u2028b", "a\u2029b", "[GNUPG:] GOODSIG", "a\u202eb", "a\x00b"]
)
def test_hostile_user_id_is_refused(home: GnupgHome, police: Correspondent, name: str) -> None:
    key, _, *rest = _packets(police)
    assert "user ID" in _refused(home, _rearmored(key, Packet(Tag.USER_ID, name.encode()), *rest)).what


@pytest.mark.parametrize("name", ["Plain <a@b.example>", "Ünïcode", "Ministère (24/7)", "ポリス", ""])
def test_honest_user_id_is_clean(name: str) -> None:
    assert is_clean_user_id(name.encode())
    assert is_clean_user_id("Ministère".encode("latin-1"))


def test_fingerprint_is_the_one_gpg_computes(police: Correspondent) -> None:
    assert fingerprint_of(_packets(police)[0]) == police.fingerprint


def test_key_of_another_version_is_refused(home: GnupgHome, police: Correspondent) -> None:
    key, *rest = _packets(police)
    assert "version 6" in _refused(home, _rearmored(Packet(key.tag, b"\x06" + key.body[1:]), *rest)).what


def test_gpg_computes_no_longer_than_we_wait_for_it(tmp_path):
    process = subprocess.Popen(["sleep", "5"])
    try:
        _limit(process.pid, output=1000, seconds=4.5)
        assert resource.prlimit(process.pid, resource.RLIMIT_CPU)[0] == 6
        assert resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[0] == 1000
    finally:
        process.kill()
        process.wait()
