"""Every transcript of tests/dialogues against the real listener."""

from pathlib import Path

import pytest
from certificate import make_certificate
from dialogue import Player, Script, read_script, unescaped
from listening import listening, settings

from gateway.model.settings import Inbound, Outbound, Protocol, Settings, Tls
from gateway.transport.limits import Limits

DIALOGUES = sorted((Path(__file__).parent.parent / "dialogues").glob("*.txt"))
OPTIONS = {
    "listener", "reply", "trusted", "allow-from", "from", "tls", "max-message-bytes",
    "errors", "idle-commands", "recipients", "command-seconds", "block-seconds",
}  # fmt: skip


def settings_of(script: Script, folder: Path) -> Settings:
    head = script.head
    tls = Tls()
    if "tls" in head:
        certificate, key = make_certificate(folder)
        tls = Tls(certificate=certificate, key=key, required=head["tls"] == "required")
    inbound = Inbound(
        protocol=Protocol.LMTP if head.get("listener") == "lmtp" else Protocol.SMTP,
        max_message_bytes=int(head.get("max-message-bytes", "36700160")),
        tls=tls,
        trusted_peers=tuple(head.get("trusted", "").split()),
    )
    outbound = Outbound(allow_from=tuple(head.get("allow-from", "127.0.0.0/8").split()))
    return settings(inbound=inbound, outbound=outbound, state=str(folder))


def limits_of(script: Script) -> Limits:
    given = {name.replace("-", "_"): value for name, value in script.head.items()}
    numbers = {name: int(given[name]) for name in ("errors", "idle_commands", "recipients") if name in given}
    seconds = {name: float(given[name]) for name in ("command_seconds", "block_seconds") if name in given}
    return Limits(**numbers, **seconds)  # type: ignore[arg-type]


def fail() -> str:
    raise RuntimeError("database at /secret/path is locked")


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
def test_the_listener_says_what_the_transcript_says(path: Path, tmp_path: Path) -> None:
    script = read_script(path)
    assert script.head.keys() <= OPTIONS, path
    outward = script.head.get("listener") == "outward"
    with listening(settings_of(script, tmp_path), outward=outward, limits=limits_of(script)) as door:
        reply = script.head.get("reply")
        if reply:
            door.desk.reply = fail if reply == "raises" else reply
        Player(path, door, script.head.get("from", "127.0.0.1")).play(script)


def test_there_are_transcripts() -> None:
    assert len(DIALOGUES) > 40


def test_a_line_that_is_no_step_is_an_error_of_the_transcript(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("S: 220 ...\nwhat is this\n")
    with pytest.raises(ValueError, match=r"x\.txt:2"):
        read_script(tmp_path / "x.txt")


def test_escapes_of_a_raw_step_mean_octets() -> None:
    assert unescaped(r"a\r\n\0\xff\\ü{3*ab}") == b"a\r\n\0\xff\\" + "ü".encode() + b"ababab"
