"""The courier against hops that behave and hops that do not."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lmtp_stub import Manners, Stub, lmtp_stub

from gateway.errors import BytesDiffer, HopUnavailable
from gateway.model.outbox import Fate, HopReply
from gateway.transport import courier
from gateway.transport.courier import Kept, deliver
from gateway.transport.smtp_client import Timeouts, stuffed

MAILBOX = "247cp@institution.gov.example"
CONTENT = b"Subject: test\r\n\r\n.dot\r\n..\r\nline\r\n"
PATIENT = Timeouts(connect=10, reply=10, send=10, final=10)
QUICK = Timeouts(connect=10, reply=0.4, send=2, final=0.4)


@pytest.fixture
def kept() -> Iterator[Kept]:
    connections = Kept()
    yield connections
    connections.close()


def send(
    stub: Stub,
    kept: Kept,
    content: bytes = CONTENT,
    *,
    mail_from: str = "a@police.example",
    rcpt_to: str = MAILBOX,
    envelope_id: str = "",
    timeouts: Timeouts = PATIENT,
) -> HopReply:
    return deliver(
        stub.target,
        mail_from=mail_from,
        rcpt_to=rcpt_to,
        chunks=lambda: iter((content[:7], content[7:])),
        size=len(content),
        helo="gw.example",
        envelope_id=envelope_id,
        timeouts=timeouts,
        kept=kept,
    )


@pytest.mark.parametrize("smtp", [False, True])
def test_hop_gets_envelope_and_octets_unchanged(smtp: bool, kept: Kept) -> None:
    with lmtp_stub(Manners(smtp=smtp)) as stub:
        assert send(stub, kept) == HopReply(Fate.SENT, "250 2.0.0 delivered")
        kept.close()
    (got,) = stub.received
    assert got.mail == f"MAIL FROM:<a@police.example> SIZE={len(CONTENT)} BODY=8BITMIME"
    assert got.rcpts == (f"RCPT TO:<{MAILBOX}>",)
    assert got.content == CONTENT
    assert stub.commands[0] == ("EHLO gw.example" if smtp else "LHLO gw.example")


@pytest.mark.parametrize(
    ("offers", "envelope_id", "mail", "rcpt"),
    [
        (("DSN",), "247CP-2026-000042-K7QA", " RET=HDRS ENVID=247CP-2026-000042-K7QA", " NOTIFY=FAILURE,DELAY"),
        (("DSN",), "", "", ""),
        ((), "247CP-2026-000042-K7QA", "", ""),
    ],
)
def test_reports_are_asked_for_where_the_hop_gives_them(kept: Kept, offers, envelope_id, mail, rcpt) -> None:
    with lmtp_stub(Manners(smtp=True, offers=offers)) as stub:
        send(stub, kept, envelope_id=envelope_id)
        kept.close()
    (got,) = stub.received
    assert got.mail == f"MAIL FROM:<a@police.example>{mail}"
    assert got.rcpts == (f"RCPT TO:<{MAILBOX}>{rcpt}",)


def test_null_path_goes_out_as_it_is(kept: Kept) -> None:
    with lmtp_stub() as stub:
        send(stub, kept, mail_from="")
        kept.close()
    assert stub.received[0].mail.startswith("MAIL FROM:<> ")


def test_parameters_are_said_only_where_offered(kept: Kept) -> None:
    with lmtp_stub(Manners(offers=("PIPELINING",))) as stub:
        assert send(stub, kept).fate is Fate.SENT
        kept.close()
    assert stub.received[0].mail == "MAIL FROM:<a@police.example>"


@pytest.mark.parametrize(("code", "fate"), [("452 4.2.2 full", Fate.RETRY), ("550 5.1.1 unknown", Fate.REFUSED)])
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "final"])
def test_answer_of_any_stage_settles_the_mail(stage: str, code: str, fate: Fate, kept: Kept) -> None:
    answer: dict[str, object] = {stage: {MAILBOX: code} if stage in ("rcpt", "final") else code}
    with lmtp_stub(Manners(**answer)) as stub:  # type: ignore[arg-type]
        assert send(stub, kept) == HopReply(fate, code)
        assert kept.idle == {}


def test_each_recipient_has_its_own_answer(kept: Kept) -> None:
    with lmtp_stub(Manners(final={"second@x.example": "452 4.2.2 full"})) as stub:
        assert send(stub, kept, rcpt_to="first@x.example").fate is Fate.SENT
        assert send(stub, kept, rcpt_to="second@x.example") == HopReply(Fate.RETRY, "452 4.2.2 full")
        assert send(stub, kept, rcpt_to="third@x.example").fate is Fate.SENT
        kept.close()


@pytest.mark.parametrize("stage", ["hello", "mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("how", ["hang_after", "drop_after"])
def test_hop_that_hangs_or_breaks_off_is_unavailable(how: str, stage: str, kept: Kept) -> None:
    with lmtp_stub(Manners(**{how: stage})) as stub, pytest.raises(HopUnavailable):
        send(stub, kept, timeouts=QUICK)


def test_unknown_outcome_is_not_success(kept: Kept) -> None:
    with lmtp_stub(Manners(drop_after="message")) as stub:
        with pytest.raises(HopUnavailable, match="closed the connection"):
            send(stub, kept)
        assert len(stub.received) == 1


@pytest.mark.parametrize(
    "manners",
    [
        pytest.param(Manners(greeting=b"421 4.3.2 shutting down\r\n"), id="greeting says later"),
        pytest.param(Manners(greeting=b"554 5.3.2 no service\r\n"), id="greeting says never"),
        pytest.param(Manners(greeting=b"\0\xff\xfegarbage\r\n" * 20), id="garbage"),
        pytest.param(Manners(greeting=b"x" * 100_000), id="line without end"),
        pytest.param(Manners(greeting=b"220-more\r\n" * 10_000), id="reply without end"),
        pytest.param(Manners(greeting=b"220-a\r\n221 b\r\n"), id="codes that differ"),
        pytest.param(Manners(greeting=b""), id="silence"),
        pytest.param(Manners(hello="502 5.5.1 what"), id="hello refused"),
        pytest.param(Manners(mail="999 what"), id="code that is none"),
        pytest.param(Manners(mail="354 what"), id="code that fits nowhere"),
        pytest.param(Manners(mail="2500 what"), id="code of four digits"),
    ],
)
def test_hop_that_makes_no_sense_is_unavailable(manners: Manners, kept: Kept) -> None:
    with lmtp_stub(manners) as stub:
        with pytest.raises(HopUnavailable):
            send(stub, kept, timeouts=QUICK)
        assert stub.received == []


def test_hop_that_drips_is_given_up_at_the_deadline(kept: Kept) -> None:
    with lmtp_stub(Manners(drip_seconds=0.1)) as stub:
        began = time.monotonic()
        with pytest.raises(HopUnavailable, match="in time"):
            send(stub, kept, timeouts=QUICK)
        assert time.monotonic() - began < 2


def test_hop_that_is_not_there_is_unavailable(kept: Kept) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = f"smtp://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(HopUnavailable, match="refused"):
            deliver(target, mail_from="", rcpt_to=MAILBOX, chunks=lambda: iter(()), size=0, kept=kept)


def test_data_answered_with_success_is_no_success(kept: Kept) -> None:
    with lmtp_stub(Manners(data="250 2.0.0 fine")) as stub:
        assert send(stub, kept) == HopReply(Fate.RETRY, "unexpected reply: 250 2.0.0 fine")


def test_eight_bit_content_waits_for_a_hop_that_takes_it(kept: Kept) -> None:
    with lmtp_stub(Manners(offers=("PIPELINING",))) as stub:
        reply = send(stub, kept, "Subject: é\r\n\r\n".encode())
        assert reply.fate is Fate.RETRY
        assert "8BITMIME" in reply.text
        assert not any(command.startswith("MAIL") for command in stub.commands)


def test_address_beyond_ascii_waits_for_a_hop_that_takes_it(kept: Kept) -> None:
    with lmtp_stub(Manners(offers=("8BITMIME",))) as stub:
        assert "SMTPUTF8" in send(stub, kept, mail_from="jürgen@police.example").text
        stub.manners.offers = ("8BITMIME", "SMTPUTF8")
        assert send(stub, kept, mail_from="jürgen@police.example").fate is Fate.SENT
        kept.close()
    assert stub.received[0].mail == "MAIL FROM:<jürgen@police.example> BODY=8BITMIME SMTPUTF8"


def test_header_beyond_ascii_alone_asks_for_no_smtputf8(kept: Kept) -> None:
    with lmtp_stub() as stub:
        send(stub, kept, "Subject: é\r\n\r\n".encode())
        kept.close()
    assert "SMTPUTF8" not in stub.received[0].mail


@pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\r", b"no end", b"a\r\r\n", b"\r\n\n"])
def test_what_smtp_would_change_does_not_leave(content: bytes, kept: Kept) -> None:
    with lmtp_stub() as stub:
        with pytest.raises(BytesDiffer):
            send(stub, kept, content)
        time.sleep(0.05)
        assert stub.received == []


def test_address_with_a_line_end_does_not_leave(kept: Kept) -> None:
    with lmtp_stub() as stub:
        reply = send(stub, kept, mail_from="a@b.example>\r\nRCPT TO:<x@y.example")
        assert reply.fate is Fate.REFUSED
        assert stub.connections == 0


def test_connection_is_used_again(kept: Kept) -> None:
    with lmtp_stub() as stub:
        assert [send(stub, kept).fate for _ in range(5)] == [Fate.SENT] * 5
        assert stub.connections == 1
        kept.close()
    assert len(stub.received) == 5
    assert stub.commands[-1] == "QUIT"


def test_connection_that_died_meanwhile_is_replaced(kept: Kept) -> None:
    with lmtp_stub(Manners(rset="421 4.4.2 idle too long")) as stub:
        assert [send(stub, kept).fate for _ in range(3)] == [Fate.SENT] * 3
        assert stub.connections == 3
        kept.close()


def test_connection_idle_for_long_is_not_used_again(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "KEEP_SECONDS", 0.01)
    with lmtp_stub() as stub:
        send(stub, kept)
        time.sleep(0.02)
        send(stub, kept)
        assert stub.connections == 2
        kept.close()


def test_hop_that_said_too_much_is_not_used_again(kept: Kept) -> None:
    with lmtp_stub(Manners(extra_final="250 2.0.0 one more")) as stub:
        assert send(stub, kept).fate is Fate.SENT
        time.sleep(0.05)
        assert send(stub, kept).fate is Fate.SENT
        kept.close()
        assert len(stub.received) == 2


@contextmanager
def listening_hop(offer: bytes, *, pause: float) -> Iterator[tuple[str, list[int]]]:
    """A hop that waits so long before each answer, and notes how many commands had come by then."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        heard: list[int] = []
        pool.submit(_listen, server, offer, pause, heard)
        yield f"lmtp://127.0.0.1:{server.getsockname()[1]}", heard


def _listen(server: socket.socket, offer: bytes, pause: float, heard: list[int]) -> None:
    link, _ = server.accept()
    with link:
        link.sendall(b"220 hop\r\n")
        link.recv(1000)
        link.sendall(b"250-hop\r\n250 " + offer + b"\r\n")
        unanswered = b""
        for reply in (b"250 sender\r\n", b"250 recipient\r\n", b"354 go\r\n"):
            while b"\r\n" not in unanswered:
                unanswered += link.recv(1000)
            time.sleep(pause)
            link.setblocking(False)
            with suppress(BlockingIOError):
                unanswered += link.recv(1000)
            link.setblocking(True)
            heard.append(unanswered.count(b"\r\n"))
            unanswered = unanswered.partition(b"\r\n")[2]
            link.sendall(reply)
        message = b""
        while not message.endswith(b"\r\n.\r\n"):
            message += link.recv(1000)
        link.sendall(b"250 taken\r\n")
        link.recv(1000)


@pytest.mark.parametrize(("offer", "expected"), [(b"PIPELINING", [3, 2, 1]), (b"8BITMIME", [1, 1, 1])])
def test_envelope_is_said_in_one_go_only_where_that_is_offered(offer: bytes, expected: list[int], kept: Kept) -> None:
    with listening_hop(offer, pause=0.1) as (target, heard):
        reply = deliver(
            target,
            mail_from="",
            rcpt_to=MAILBOX,
            chunks=lambda: iter((CONTENT,)),
            size=len(CONTENT),
            timeouts=PATIENT,
            kept=kept,
        )
        kept.close()
    assert reply == HopReply(Fate.SENT, "250 taken")
    assert heard == expected


def test_go_ahead_that_nobody_wants_any_more_takes_no_message(kept: Kept) -> None:
    """The recipient was refused when the message had been asked for already."""
    with lmtp_stub(Manners(rcpt={MAILBOX: "550 5.1.1 unknown"})) as stub:
        assert send(stub, kept) == HopReply(Fate.REFUSED, "550 5.1.1 unknown")
        assert send(stub, kept, rcpt_to="other@institution.gov.example").fate is Fate.SENT
        kept.close()
    assert [one.rcpts for one in stub.received] == [("RCPT TO:<other@institution.gov.example>",)]
    assert stub.connections == 2


def test_unknown_kind_of_hop_is_an_error_of_the_program(kept: Kept) -> None:
    with pytest.raises(ValueError, match="imap"):
        deliver("imap://127.0.0.1:1", mail_from="", rcpt_to="", chunks=lambda: iter(()), size=0, kept=kept)


def unstuffed(wire: bytes) -> bytes:
    assert wire.endswith(b".\r\n")
    return b"".join(line[1:] if line.startswith(b".") else line for line in wire[:-3].splitlines(keepends=True))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([b"\r\n", b".", b"..", b"a"]), max_size=30).map(b"".join), st.lists(st.integers(0, 30)))
def test_stuffing_is_undone_by_the_plain_rule_however_the_octets_are_cut(text: bytes, cuts: list[int]) -> None:
    text += b"\r\n"
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    wire = b"".join(stuffed(text[a:b] for a, b in pairwise(edges)))
    assert unstuffed(wire) == text
    assert (b"\r\n" + wire).find(b"\r\n.\r\n") == len(wire) - 3


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"a"]), max_size=20), st.booleans())
def test_stuffing_refuses_every_bare_line_end(pieces: list[bytes], whole: bool) -> None:
    text = b"".join(pieces)
    clean = b"\r" not in text.replace(b"\r\n", b"") and b"\n" not in text.replace(b"\r\n", b"")
    clean = clean and (not text or text.endswith(b"\r\n"))
    chunks = [text] if whole else [bytes([one]) for one in text]
    if clean:
        assert unstuffed(b"".join(stuffed(iter(chunks)))) == text
    else:
        with pytest.raises(BytesDiffer):
            list(stuffed(iter(chunks)))


def test_nothing_of_an_empty_message_is_invented() -> None:
    assert b"".join(stuffed(iter(()))) == b".\r\n"


def test_courier_of_maildir_is_reached_by_its_target(tmp_path: Path) -> None:
    reply = deliver(
        f"maildir:{tmp_path / 'box'}",
        mail_from="a@b.example",
        rcpt_to=MAILBOX,
        chunks=lambda: iter((CONTENT,)),
        size=len(CONTENT),
    )
    assert reply.fate is Fate.SENT
    (file,) = (tmp_path / "box" / "new").iterdir()
    assert file.read_bytes() == b"Return-Path: <a@b.example>\r\n" + CONTENT
