"""What an officer sees at Send, in real clients, through Postfix' submission service."""

import re
import shutil

import live_letters as letters
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
def request_id(site):
    """Message-ID of a request that has its case."""
    content = site.counterpart.signed(MAILBOX, *letters.PRESERVATION)
    site.receive(content)
    site.delivered(content)
    return field(content, "Message-ID")


@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_with_a_stranger_is_refused_with_our_line_word_for_word(site, request_id, client, tmp_path):
    if shutil.which(client) is None:
        pytest.skip(f"needs {client}: Debian package {client}")
    to = site.counterpart.mailbox
    mail = tmp_path / "answer.eml"
    content = letters.answer(mailbox=MAILBOX, to=to, cc=STRANGER, request_id=request_id)
    mail.write_bytes(content.replace(b"\r\n", b"\n"))
    seen = CLIENTS[client](site, mail, rcpt_tos=(to, STRANGER))
    assert LINE.search(seen), seen
    site.gateway.idle()
    assert not any(STRANGER.encode() in one for one in site.sink.messages())


@pytest.mark.parametrize("client", CLIENTS)
def test_without_the_stranger_the_same_answer_leaves(site, request_id, client, tmp_path):
    if shutil.which(client) is None:
        pytest.skip(f"needs {client}: Debian package {client}")
    mail = tmp_path / "answer.eml"
    content = letters.answer(mailbox=MAILBOX, to=site.counterpart.mailbox, request_id=request_id)
    mail.write_bytes(content.replace(b"\r\n", b"\n"))
    seen = CLIENTS[client](site, mail, rcpt_tos=(site.counterpart.mailbox,))
    assert "NOT SENT" not in seen
    in_thread = f"In-Reply-To: {request_id}".encode()
    wait_until(
        lambda: [one for one in site.sink.messages() if in_thread in one and b"Auto-Submitted" not in one],
        what="the answer",
    )


def test_the_line_is_the_same_each_time_send_is_pressed(site, request_id):
    to = site.counterpart.mailbox
    content = letters.answer(mailbox=MAILBOX, to=to, cc=STRANGER, request_id=request_id)
    lines = {site.submit(content, rcpt_tos=(to, STRANGER)) for _ in range(2)}
    assert len(lines) == 1
    assert LINE.fullmatch(lines.pop())


def test_who_has_no_login_of_a_delegate_cannot_write_as_the_mailbox(site, request_id):
    content = letters.answer(mailbox=MAILBOX, to=site.counterpart.mailbox, request_id=request_id)
    reply = site.submit(content, rcpt_tos=(site.counterpart.mailbox,), login=(MAILBOX, PASSWORD))
    assert reply.startswith("553 5.7.1 ")


def test_while_the_gateway_is_away_nothing_is_sent_and_the_client_keeps_it(site, request_id):
    site.gateway.stop()
    content = letters.answer(mailbox=MAILBOX, to=site.counterpart.mailbox, request_id=request_id)
    try:
        reply = site.submit(content, rcpt_tos=(site.counterpart.mailbox,))
        waiting = site.counterpart.plain(MAILBOX, *letters.PRESERVATION)
        site.receive(waiting)
    finally:
        site.gateway.start()
    assert reply.startswith("451 ")
    site.delivered(waiting)
