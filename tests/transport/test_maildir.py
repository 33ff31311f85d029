"""Delivery into a Maildir."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import HopUnavailable
from gateway.model.outbox import Fate
from gateway.transport.maildir import deliver_to_maildir


def files(box: Path, folder: str) -> list[Path]:
    return sorted((box / folder).iterdir())


def test_octets_stand_behind_the_return_path(tmp_path: Path) -> None:
    content = b"Subject: x\r\n\r\n\xff\0.\r\nno last line end"
    reply = deliver_to_maildir(str(tmp_path), mail_from="", chunks=iter((content[:5], content[5:])))
    (file,) = files(tmp_path, "new")
    assert file.read_bytes() == b"Return-Path: <>\r\n" + content
    assert (reply.fate, reply.text) == (Fate.SENT, f"250 2.0.0 stored as {file.name}")
    assert files(tmp_path, "tmp") == []


def test_mail_of_others_is_not_for_all_eyes(tmp_path: Path) -> None:
    box = tmp_path / "box"
    deliver_to_maildir(str(box), mail_from="a@b.example", chunks=iter((b"x\r\n",)))
    assert [os.stat(box / folder).st_mode & 0o777 for folder in ("tmp", "new", "cur")] == [0o700] * 3
    assert os.stat(files(box, "new")[0]).st_mode & 0o777 == 0o600


def test_many_at_once_have_many_names(tmp_path: Path) -> None:
    def work() -> None:
        for _ in range(20):
            deliver_to_maildir(str(tmp_path), mail_from="", chunks=iter((b"x\r\n",)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(tmp_path, "new")) == 80


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(HopUnavailable, match="No space left"):
        deliver_to_maildir(str(tmp_path), mail_from="", chunks=broken())
    assert [files(tmp_path, folder) for folder in ("tmp", "new")] == [[], []]


def test_place_that_is_no_folder_is_a_hop_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HopUnavailable, match="maildir"):
        deliver_to_maildir(str(tmp_path / "file"), mail_from="", chunks=iter(()))
