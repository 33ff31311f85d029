"""The channel with real servers and clients: what leaves encrypted, what is refused, what two people permit, what is held."""

import json
import shutil
import signal
import sqlite3
from contextlib import closing

import live_letters as letters
import pytest
from clients import CLIENTS
from counterpart import body_of, field, pieces
from institution import MAILBOX
from ports import wait_until
from running import cp247

pytestmark = pytest.mark.live

STRANGER = "prosecutor@ministry.example"
TOLD = ("decided", "held", "released", "given-back")
EXPIRED_MICROSECONDS = 5 * 3600 * 1_000_000


@pytest.fixture
def asked(site):
    """Message-ID and case of a request in clear."""
    return opened(site, site.counterpart.signed(MAILBOX, *letters.PRESERVATION))


@pytest.fixture
def sealed(site):
    """Message-ID and case of an encrypted request."""
    return opened(site, site.counterpart.encrypted(MAILBOX, *letters.PRESERVATION, key=site.key))


def opened(site, content):
    site.receive(content)
    _, delivered = site.delivered(content)
    return field(content, "Message-ID"), field(delivered, "X-247CP-Case")


def grant(site, number, *, uid):
    """What a person of that uid reads who runs it behind sudo."""
    return cp247(
        "exception", "grant", number, "--reason", "agreed by telephone", config=site.gateway.config, uid=uid
    ).stdout


def happened(site, case):
    shown = json.loads(cp247("cases", "show", case, "--json", config=site.gateway.config).stdout)
    return [
        f"decided {one['facts']['decision']['act']}" if one["happening"] == "decided" else one["happening"]
        for one in shown["events"]
        if one["happening"] in TOLD or one["happening"].startswith("exception-")
    ]


def answers(site, request_id, *, to=b""):
    """What left in that thread besides receipts."""
    thread = f"In-Reply-To: {request_id}".encode()
    return [one for one in site.sink.messages() if thread in one and b"Auto-Submitted" not in one and to in one]


def reload(site):
    before = len(site.gateway.events("reloaded"))
    site.gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(site.gateway.events("reloaded")) > before, seconds=60, what="keys to be read again")


@pytest.fixture
def keyless(site):
    """The counterpart's key is not pinned (any more); it is pinned again afterwards."""
    folder = site.gateway.folder / "keys" / site.counterpart.domain.replace(".", "-")
    yield lambda: ([one.unlink() for one in folder.glob("*.asc")], reload(site))
    if not list(folder.glob("*.asc")):
        pin(site)


def pin(site):
    """As an administrator does: keys add, SIGHUP."""
    key = site.folder / "again.asc"
    key.write_bytes(site.counterpart.key.armored)
    cp247("keys", "add", site.counterpart.mailbox, str(key), config=site.gateway.config)
    reload(site)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_plain_answer_to_an_encrypted_request_leaves_encrypted(site, sealed, client, tmp_path):
    if shutil.which(client) is None:
        pytest.skip(f"needs {client}: Debian package {client}")
    request_id, case = sealed
    mail = tmp_path / "answer.eml"
    content = letters.answer(mailbox=MAILBOX, to=site.counterpart.mailbox, request_id=request_id)
    mail.write_bytes(content.replace(b"\r\n", b"\n"))
    assert "NOT SENT" not in CLIENTS[client](site, mail, rcpt_tos=(site.counterpart.mailbox,))
    left = wait_until(lambda: answers(site, request_id), what="the answer")[0].replace(b"\n", b"\r\n")
    assert field(left, "Subject") == f"[{case}]"
    assert letters.ANSWER.encode() not in left
    inside, signer = site.counterpart.decrypts(body_of(pieces(left)[1]), key=site.key)
    assert signer == site.fingerprint
    assert letters.ANSWER.strip().encode() in inside


def test_two_people_permit_one_mail_once_and_every_step_is_told(site, asked, tmp_path):
    if shutil.which("swaks") is None:
        pytest.skip("needs swaks: Debian package swaks")
    request_id, case = asked
    to = (site.counterpart.mailbox, STRANGER)
    mail = tmp_path / "answer.eml"
    content = letters.answer(mailbox=MAILBOX, to=site.counterpart.mailbox, request_id=request_id)
    mail.write_bytes(content.replace(b"\r\n", b"\n"))

    def send():
        return CLIENTS["swaks"](site, mail, rcpt_tos=to)

    refused = send()
    line = next(line for line in refused.splitlines() if "NOT SENT" in line)
    assert f"Remove {STRANGER} and press Send again." in line
    number = line.rpartition("[")[2].rstrip("]")
    assert "a second person must grant it too" in grant(site, number, uid=4241)
    assert number in send()
    assert "may be sent once until" in grant(site, number, uid=4242)
    assert "NOT SENT" not in send()
    wait_until(lambda: len(answers(site, request_id)) == 2, what="the answer to both")
    assert number in send()
    assert happened(site, case) == [
        "decided reject", "exception-proposed", "decided reject", "exception-granted", "exception-used",
        "decided upgrade", "decided reject",
    ]  # fmt: skip
    for subject in (
        f"Exception asked for [{number}]",
        f"Exception granted [{number}]",
        f"Sent by exception [{number}]",
    ):
        wait_until(lambda about=subject: site.mails(about=about.encode()), what=subject)
    assert len(answers(site, request_id)) == 2


def test_a_held_answer_leaves_encrypted_when_the_key_is_pinned(site, sealed, keyless):
    request_id, case = sealed
    keyless()
    content = letters.answer(mailbox=MAILBOX, to=site.counterpart.mailbox, request_id=request_id)
    reply = site.submit(content, rcpt_tos=(site.counterpart.mailbox,))
    assert reply.startswith("250 2.0.0 HELD: not sent yet, no usable key to encrypt to.")
    number = reply.rpartition("[")[2].rstrip("]")
    ((_, notice),) = wait_until(lambda: site.mails(about=f"case {case} [{number}]".encode()), what="the notice")
    assert field(notice, "Subject").startswith("HELD, not sent")
    assert answers(site, request_id) == []
    pin(site)
    left = wait_until(lambda: answers(site, request_id), seconds=30, what="the answer")[0].replace(b"\n", b"\r\n")
    inside, signer = site.counterpart.decrypts(body_of(pieces(left)[1]), key=site.key)
    assert (signer, letters.ANSWER.strip().encode() in inside) == (site.fingerprint, True)
    assert happened(site, case)[-1] == "released"


def test_a_held_answer_that_nobody_releases_is_given_back_unsent(site, sealed, keyless):
    request_id, case = sealed
    keyless()
    content = letters.answer(mailbox=MAILBOX, to=site.counterpart.mailbox, request_id=request_id)
    assert " HELD: " in site.submit(content, rcpt_tos=(site.counterpart.mailbox,))
    with closing(sqlite3.connect(site.gateway.folder / "state" / "gateway.db", timeout=60)) as database, database:
        database.execute("UPDATE holds SET held_at = held_at - ? WHERE reference = ?", (EXPIRED_MICROSECONDS, case))
    back = f"Subject: NOT SENT: an answer of case {case}".encode()
    wait_until(lambda: site.mails(about=back), what="the answer to be given back")
    assert happened(site, case)[-2:] == ["held", "given-back"]
    pin(site)
    site.gateway.idle()
    assert answers(site, request_id) == []
