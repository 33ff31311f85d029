"""The listener beyond one dialogue: clients that leave, crowds, TLS, shutdown."""

import asyncio
import logging
import re
import select
import shutil
import socket
import ssl
import time
from pathlib import Path

import pytest
from certificate import make_certificate
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from listening import ACCEPTED, Open, listening, settings

from gateway.errors import ConfigError
from gateway.model.settings import Inbound, Tls
from gateway.transport import listener as listener_module
from gateway.transport.limits import Limits
from gateway.transport.listener import start_inward

HELLO = b"HELO client.example\r\n"
ENVELOPE = b"MAIL FROM:<a@police.example>\r\nRCPT TO:<247cp@institution.gov.example>\r\nDATA\r\n"


def read_until(client: socket.socket, wanted: bytes) -> bytes:
    """All octets up to `wanted`, or to the end of the connection."""
    said = b""
    while wanted not in said and (block := client.recv(65_536)):
        said += block
    return said


def open_data(door: Open) -> socket.socket:
    """A client that was told to send its text."""
    client = door.connect()
    read_until(client, b"220 ")
    client.sendall(HELLO + ENVELOPE)
    assert b"354 " in read_until(client, b"354 End")
    return client


def wait_for(claim: object, seconds: float = 3.0) -> None:
    """Return as soon as the claim (a function) holds."""
    deadline = time.monotonic() + seconds
    while not claim():  # type: ignore[operator]
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.01)


def test_commit_goes_on_when_the_client_leaves() -> None:
    with listening() as door:
        door.desk.seconds = 0.2
        client = open_data(door)
        client.sendall(b"x\r\n.\r\n")
        time.sleep(0.05)
        client.close()
        wait_for(lambda: door.desk.taken)


def test_commit_that_fails_after_the_client_left_is_noted() -> None:
    with listening() as door:
        door.desk.seconds = 0.2
        door.desk.reply = lambda: str(1 / 0)
        client = open_data(door)
        client.sendall(b"x\r\n.\r\n")
        time.sleep(0.05)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        fault = ("fault", {"verb": "DATA", "error": "ZeroDivisionError", "peer": "127.0.0.1"})
        wait_for(lambda: fault in door.desk.notes)


def test_commit_slower_than_our_patience_is_451_and_goes_on() -> None:
    with listening(limits=Limits(accept_seconds=0.1)) as door:
        door.desk.seconds = 0.3
        with open_data(door) as client:
            client.sendall(b"x\r\n.\r\n")
            assert b"451 4.3.0" in read_until(client, b"451 4.3.0")
        wait_for(lambda: door.desk.taken)
        assert ("fault", {"verb": "DATA", "error": "TimeoutError", "peer": "127.0.0.1"}) in door.desk.notes


def test_commit_is_not_counted_as_silence_of_the_client() -> None:
    with listening(limits=Limits(command_seconds=1, block_seconds=1)) as door:
        door.desk.seconds = 1.3
        with open_data(door) as client:
            client.sendall(b"x\r\n.\r\n")
            assert ACCEPTED.encode() in read_until(client, b"Accepted")


def test_dripping_client_is_cut_and_a_slow_one_is_not() -> None:
    limits = Limits(data_seconds=0.2, data_rate=100, block_seconds=5)
    with listening(limits=limits) as door:
        with open_data(door) as client:
            for _ in range(6):
                client.sendall(b"x" * 20 + b"\r\n")
                time.sleep(0.05)
            client.sendall(b".\r\n")
            assert ACCEPTED.encode() in read_until(client, b"Accepted")
        with open_data(door) as client:
            while not select.select([client], [], [], 0.05)[0]:
                client.sendall(b"x")
            assert b"421 4.4.2" in read_until(client, b"421 4.4.2")


def test_connection_reset_within_a_message_keeps_nothing() -> None:
    with listening() as door:
        client = open_data(door)
        client.sendall(b"x\r\n")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        wait_for(lambda: not door.listener._sessions)
        assert door.desk.taken == []
        assert door.listener._commits == set()


def test_any_line_gets_a_reply_and_the_listener_lives() -> None:
    words = [
        "MAIL FROM:",
        "RCPT TO:",
        "<a@b.example>",
        "<247cp@institution.gov.example>",
        "SIZE=1",
        "EHLO",
        "x.example",
        "RSET",
        "é",
        '"',
        "<",
        ">",
    ]
    line = st.lists(st.one_of(st.sampled_from(words), st.text(max_size=9)), max_size=6).map(" ".join)

    with listening(limits=Limits(errors=10**9, idle_commands=10**9)) as door:

        @hypothesis_settings(max_examples=150, deadline=None)
        @given(line)
        def check(line: str) -> None:
            with door.connect() as client:
                read_until(client, b"220 ")
                client.sendall(HELLO + line.encode("utf-8", "replace").replace(b"\n", b"") + b"\r\nQUIT\r\n")
                said = read_until(client, b"never").split(b"\r\n")
            assert len(said) >= 3
            assert all(re.fullmatch(rb"[245]\d\d[ -][\x20-\x7e]+", one) for one in said[:-1]), said
            assert said[-2][:3] in (b"221", b"421")

        check()
        assert [event for event, _ in door.desk.notes if event == "fault"] == []


def test_client_that_speaks_before_the_greeting_is_sent_away() -> None:
    with listening() as door:
        # The loop is held while the client connects and speaks, so that both are there when it looks.
        door.loop.call_soon_threadsafe(time.sleep, 0.2)
        time.sleep(0.05)
        with door.connect() as client:
            client.sendall(b"GET / HTTP/1.1\r\n")
            said = read_until(client, b"\r\n")
        assert said == b"421 4.7.0 Client spoke before the greeting, closing\r\n"


def test_connections_of_one_address_are_counted_and_others_are_served() -> None:
    with listening(limits=Limits(per_address=3)) as door:
        crowd = [door.connect() for _ in range(3)]
        for client in crowd:
            read_until(client, b"220 ")
        with door.connect() as one_more:
            assert read_until(one_more, b"\r\n") == b"421 4.7.0 Too many connections, try again later\r\n"
            assert one_more.recv(10) == b""
        with door.connect("127.0.0.2") as other:
            assert read_until(other, b"\r\n").startswith(b"220 ")
        crowd.pop().close()
        wait_for(lambda: b"220 " in _greeting(door))
        for client in crowd:
            client.close()


def _greeting(door: Open) -> bytes:
    with door.connect() as client:
        return read_until(client, b"\r\n")


def test_connections_reset_and_cut_leave_nothing_behind() -> None:
    with listening(limits=Limits(per_address=2)) as door:
        for _ in range(10):
            client = door.connect()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        wait_for(lambda: b"220 " in _greeting(door))
        wait_for(lambda: not door.listener._sessions)
        assert door.listener._gate._by_source == {}


def test_shutdown_says_421_to_who_waits_and_finishes_commits() -> None:
    with listening() as door:
        door.desk.seconds = 0.3
        idle, busy = door.connect(), open_data(door)
        read_until(idle, b"220 ")
        busy.sendall(b"x\r\n.\r\n")
        time.sleep(0.05)
        door.close(3)
        assert read_until(idle, b"\r\n") == b"421 4.3.2 Service is shutting down, try again\r\n"
        said = read_until(busy, b"421 ")
        assert said.startswith(ACCEPTED.encode() + b"\r\n421 4.3.2")
        assert len(door.desk.taken) == 1
        assert door.listener.addresses == ()
        idle.close()
        busy.close()


def test_shutdown_does_not_wait_for_a_message_longer_than_the_grace() -> None:
    with listening() as door:
        client = open_data(door)
        began = time.monotonic()
        door.close(0.2)
        assert time.monotonic() - began < 1
        assert b"421 4.3.2" in read_until(client, b"421 4.3.2")
        assert door.desk.taken == []
        client.close()


def test_large_message_waits_in_the_state_folder_without_a_name(tmp_path: Path) -> None:
    content = b"Subject: x\r\n\r\n" + b"y" * 998 + b"\r\n" * 3
    content += (b"z" * 76 + b"\r\n") * 40_000
    with listening(settings(state=str(tmp_path))) as door, open_data(door) as client:
        client.sendall(content + b".\r\n")
        assert ACCEPTED.encode() in read_until(client, b"Accepted")
        (taken,) = door.desk.taken
        assert taken.content == content
        assert list(tmp_path.iterdir()) == []
        assert taken.incoming is not None
        assert taken.incoming.mailbox == "247cp@institution.gov.example"
        assert taken.incoming.received_at.utcoffset() is not None


def test_disk_with_little_room_is_said_before_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with listening(settings(state=str(folder))) as door, door.connect() as client:
        folder.rmdir()  # a file system that cannot be asked counts as full
        client.sendall(b"")
        read_until(client, b"220 ")
        client.sendall(HELLO + ENVELOPE)
        said = read_until(client, b"503 5.5.1 Need MAIL")
        assert b"451 4.3.0 Temporary fault, try again later\r\n" in said


def test_spool_that_cannot_be_written_is_451_after_the_message(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with listening(settings(state=str(folder))) as door, open_data(door) as client:
        folder.rmdir()
        client.sendall(b"\r\n" + (b"z" * 76 + b"\r\n") * 40_000 + b".\r\n")
        assert b"451 4.3.0" in read_until(client, b"451 4.3.0")
        assert door.desk.taken == []


def tls_settings(folder: Path) -> Inbound:
    certificate, key = make_certificate(folder)
    return Inbound(tls=Tls(certificate=certificate, key=key))


def handshake(door: Open, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLSocket:
    client = door.connect()
    read_until(client, b"220 ")
    client.sendall(b"EHLO client.example\r\n")
    read_until(client, b"250 STARTTLS")
    client.sendall(b"STARTTLS\r\n")
    read_until(client, b"Ready")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    try:
        return context.wrap_socket(client)
    except BaseException:
        client.close()
        raise


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(tmp_path: Path) -> None:
    with listening(settings(inbound=tls_settings(tmp_path))) as door:
        with handshake(door, ssl.TLSVersion.TLSv1_2) as client:
            assert client.version() == "TLSv1.2"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            handshake(door, ssl.TLSVersion.TLSv1_1)
        wait_for(lambda: not door.listener._sessions)


def test_client_that_begins_tls_and_says_nothing_is_closed(tmp_path: Path) -> None:
    limits = Limits(handshake_seconds=0.2)
    with listening(settings(inbound=tls_settings(tmp_path)), limits=limits) as door, door.connect() as client:
        read_until(client, b"220 ")
        client.sendall(b"EHLO client.example\r\nSTARTTLS\r\n")
        read_until(client, b"Ready")
        time.sleep(0.05)
        assert read_until(client, b"never") == b""
        wait_for(lambda: not door.listener._sessions)


def test_message_of_many_segments_passes_tls_unchanged(tmp_path: Path) -> None:
    content = b"a: b\r\n\r\n" + b"".join(b"%d\r\n" % number for number in range(200_000))
    with listening(settings(inbound=tls_settings(tmp_path), state=str(tmp_path))) as door, handshake(door) as client:
        client.sendall(HELLO + ENVELOPE)
        read_until(client, b"354 End")
        client.sendall(content + b".\r\n")
        assert ACCEPTED.encode() in read_until(client, b"Accepted")
        assert door.desk.taken[0].content == content
        assert door.desk.taken[0].envelope.tls == "TLSv1.3"
        (session,) = door.listener._sessions
        assert session._tls_protocol is not None
        assert len(session._tls_protocol._ssl_buffer) == 16_384  # asyncio would keep 256 KiB for each connection


def test_renewed_certificate_is_used_and_a_broken_one_is_not(tmp_path: Path) -> None:
    inbound = tls_settings(tmp_path)
    assert inbound.tls.certificate is not None
    with listening(settings(inbound=inbound)) as door:
        with handshake(door) as client:
            first = client.getpeercert(binary_form=True)
        renewed = tmp_path / "renewed"
        renewed.mkdir()
        for file in make_certificate(renewed):
            shutil.copy(file, tmp_path)
        door.listener.reload_certificate()
        with handshake(door) as client:
            second = client.getpeercert(binary_form=True)
        Path(inbound.tls.certificate).write_text("broken")
        with pytest.raises(ConfigError, match=r"inbound\.tls: certificate or key cannot be used"):
            door.listener.reload_certificate()
        with handshake(door) as client:
            assert client.getpeercert(binary_form=True) == second != first


def test_unreadable_certificate_stops_the_start(tmp_path: Path) -> None:
    tls = Tls(certificate=str(tmp_path / "missing.pem"), key=str(tmp_path / "missing.key"))
    with (
        pytest.raises(ConfigError, match=r"missing\.pem: inbound\.tls: .*No such file"),
        listening(settings(inbound=Inbound(tls=tls))),
    ):
        pass


def test_address_in_use_is_an_error_and_leaves_nothing_open() -> None:
    async def start(port: int) -> None:
        desk_settings = settings()
        inbound = Inbound(listen=("127.0.0.1:0", f"127.0.0.1:{port}"))
        busy = type(desk_settings)(
            hostname=desk_settings.hostname,
            contact_point=desk_settings.contact_point,
            dkim=desk_settings.dkim,
            inbound=inbound,
        )
        await start_inward(settings=busy, accept=_never)

    with listening() as door, pytest.raises(OSError, match="in use"):
        asyncio.run(start(door.place[1]))


async def _never(_incoming: object) -> str:
    raise AssertionError


def test_addresses_name_every_open_port() -> None:
    async def start() -> tuple[str, ...]:
        base = settings()
        inbound = Inbound(listen=("127.0.0.1:0", "[::1]:0"))
        both = type(base)(hostname=base.hostname, contact_point=base.contact_point, dkim=base.dkim, inbound=inbound)
        listener = await start_inward(settings=both, accept=_never)
        addresses = listener.addresses
        await listener.close(0)
        return addresses

    first, second = asyncio.run(start())
    assert first.startswith("127.0.0.1:")
    assert second.startswith("[::1]:")


def test_one_client_is_alone_and_two_are_not() -> None:
    with listening() as door, door.connect() as first:
        read_until(first, b"220 ")
        assert door.listener.alone()
        with door.connect() as second:
            read_until(second, b"220 ")
            assert not door.listener.alone()
        wait_for(door.listener.alone)


def test_small_replies_do_not_wait_for_acknowledgement() -> None:
    with listening() as door, door.connect():
        wait_for(lambda: door.listener._sessions)
        (session,) = door.listener._sessions
        assert session.transport is not None
        connection = session.transport.get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_library_logs_neither_addresses_nor_content(caplog: pytest.LogCaptureFixture) -> None:
    assert listener_module.BACKLOG
    with caplog.at_level(logging.NOTSET), listening() as door, open_data(door) as client:
        client.sendall(b"canary-in-content\r\n.\r\nWHAT canary\r\n")
        read_until(client, b"500 ")
    assert "canary" not in caplog.text
    assert "police.example" not in caplog.text
