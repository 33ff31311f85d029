"""What an officer sees at Send, in real clients, through Postfix' submission service."""

import re
import shutil

import letters
import pytest
from clients import CLIENTS
from counterpart import field
from institution import MAILBOX, PASSWORD
from ports import wait_until

pytestmark = pytest.mark.live

STRANGER = "someone@webmail.example"
LINE = re.compile(
    r"550 5\.7\.1 NOT SENT: send to 247cp@police\.gov\.b\.example only\. "
    r"Remove someone@webmail\.example and press Send again\. \[D-[0-9A-HJKMNP-TV-Z]{6}\]"
)


@pytest.fixture
def request_id(on_sqlite):
    """Message-ID of a request that has its case."""
    content = on_sqlite.counterpart.signed(MAILBOX, *letters.PRESERVATION)
    on_sqlite.receive(content)
    on_sqlite.delivered(content)
    return field(content, "Message-ID")


@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_with_a_stranger_is_refused_with_our_line_word_for_word(on_sqlite, request_id, client, tmp_path):
    if shutil.which(client) is None:
        pytest.skip(f"needs {client}: Debian package {client}")
    to = on_sqlite.counterpart.mailbox
    mail = tmp_path / "answer.eml"
    content = letters.answer(mailbox=MAILBOX, to=to, cc=STRANGER, request_id=request_id)
    mail.write_bytes(content.replace(b"\r\n", b"\n"))
    seen = CLIENTS[client](on_sqlite, mail, rcpt_tos=(to, STRANGER))
    assert LINE.search(seen), seen
    on_sqlite.gateway.idle()
    assert not any(STRANGER.encode() in one for one in on_sqlite.sink.messages())


@pytest.mark.parametrize("client", CLIENTS)
def test_without_the_stranger_the_same_answer_leaves(on_sqlite, request_id, client, tmp_path):
    if shutil.which(client) is None:
        pytest.skip(f"needs {client}: Debian package {client}")
    mail = tmp_path / "answer.eml"
    content = letters.answer(mailbox=MAILBOX, to=on_sqlite.counterpart.mailbox, request_id=request_id)
    mail.write_bytes(content.replace(b"\r\n", b"\n"))
    seen = CLIENTS[client](on_sqlite, mail, rcpt_tos=(on_sqlite.counterpart.mailbox,))
    assert "NOT SENT" not in seen
    in_thread = f"In-Reply-To: {request_id}".encode()
    wait_until(
        lambda: [one for one in on_sqlite.sink.messages() if in_thread in one and b"Auto-Submitted" not in one],
        what="the answer",
    )


def test_the_line_is_the_same_each_time_send_is_pressed(on_sqlite, request_id):
    to = on_sqlite.counterpart.mailbox
    content = letters.answer(mailbox=MAILBOX, to=to, cc=STRANGER, request_id=request_id)
    lines = {on_sqlite.submit(content, rcpt_tos=(to, STRANGER)) for _ in range(2)}
    assert len(lines) == 1
    assert LINE.fullmatch(lines.pop())


def test_who_has_no_login_of_a_delegate_cannot_write_as_the_mailbox(on_sqlite, request_id):
    content = letters.answer(mailbox=MAILBOX, to=on_sqlite.counterpart.mailbox, request_id=request_id)
    reply = on_sqlite.submit(content, rcpt_tos=(on_sqlite.counterpart.mailbox,), login=(MAILBOX, PASSWORD))
    assert reply.startswith("553 5.7.1 ")


def test_while_the_gateway_is_away_nothing_is_sent_and_the_client_keeps_it(on_sqlite, request_id):
    on_sqlite.gateway.stop()
    content = letters.answer(mailbox=MAILBOX, to=on_sqlite.counterpart.mailbox, request_id=request_id)
    try:
        reply = on_sqlite.submit(content, rcpt_tos=(on_sqlite.counterpart.mailbox,))
        waiting = on_sqlite.counterpart.plain(MAILBOX, *letters.PRESERVATION)
        on_sqlite.receive(waiting)
    finally:
        on_sqlite.gateway.start()
    assert reply.startswith("451 ")
    on_sqlite.delivered(waiting)
