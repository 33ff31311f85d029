"""The main job between a real Postfix and a real Dovecot; what was signed is verified by dkimpy and gpg, not by our code."""

import json
import re

import live_letters as letters
import pytest
from counterpart import body_of, dkim_verifies, field, pieces
from institution import MAILBOX, NOBODY, OFFICER, STRANGER
from ports import wait_until
from running import cp247

pytestmark = pytest.mark.live


def test_the_doctor_finds_nothing_to_mend(site):
    done = cp247("doctor", config=site.gateway.config, check=False)
    assert done.returncode == 0, done.stdout


def test_a_signed_request_reaches_the_mailbox_marked_and_still_verifies(site):
    content = site.counterpart.signed(MAILBOX, *letters.PRESERVATION)
    site.receive(content)
    flags, delivered = site.delivered(content)
    assert {"$label2", "247cp_preservation"} <= flags
    assert field(delivered, "X-247CP-Class") == "preservation"
    assert field(delivered, "X-247CP-Assurance") == "signed"
    assert field(delivered, "X-247CP-Disposition") == "accept"
    assert field(delivered, "X-247CP-Case").startswith("247CP-")
    assert delivered.endswith(content)
    assert dkim_verifies(delivered, site.counterpart.zone)
    payload, signature = pieces(delivered)
    signer = site.counterpart.verifies(body_of(signature), payload, key=site.key)
    assert signer == site.counterpart.key.fingerprint


def test_spf_sees_the_client_and_not_our_postfix(site):
    content = site.counterpart.plain(MAILBOX, *letters.PRESERVATION)
    site.receive(content)
    results = field(site.delivered(content)[1], "Authentication-Results")
    assert f"spf=pass smtp.mailfrom={site.counterpart.domain}" in results
    assert f"dkim=pass header.d={site.counterpart.domain}" in results
    assert "dmarc=pass" in results


def test_the_receipt_of_a_signed_request_is_signed_and_not_encrypted(site):
    content = site.counterpart.signed(MAILBOX, *letters.PRESERVATION)
    site.receive(content)
    receipt = site.receipt(content)
    assert field(receipt, "X-Rcpt-Args").startswith(f"<{site.counterpart.mailbox}>")
    assert field(receipt, "X-Mail-Args").startswith("<247cp+r.")
    assert dkim_verifies(receipt, site.zone)
    payload, signature = pieces(receipt)
    assert site.counterpart.verifies(body_of(signature), payload, key=site.key) == site.fingerprint
    assert b"247CP-" in payload


def test_the_right_answer_leaves_signed_encrypted_threaded_and_without_the_officer(each_site):
    site = each_site
    content = site.counterpart.encrypted(MAILBOX, *letters.SUBSCRIBER, key=site.key)
    site.receive(content)
    flags, delivered = site.delivered(content)
    assert {"$label4", "247cp_subscriber"} <= flags
    request_id, to, case = field(content, "Message-ID"), site.counterpart.mailbox, field(delivered, "X-247CP-Case")
    site.receipt(content)
    answer = letters.answer(mailbox=MAILBOX, to=to, request_id=request_id)
    assert site.submit(answer, rcpt_tos=(to,)).startswith("250 ")
    sent = _answer(site, case)
    assert field(sent, "Subject") == f"[{case}]"
    assert field(sent, "In-Reply-To") == request_id
    assert b"\r\nReceived: from gw.institution.gov.example (localhost " in sent
    assert field(sent, "X-Rcpt-Args").startswith(f"<{to}>")
    assert dkim_verifies(sent, site.zone)
    for secret in (OFFICER, "laptop-17", "10.1.2.3", "Some Client", "Authenticated sender"):
        assert secret.encode() not in sent
    inside, signer = site.counterpart.decrypts(body_of(pieces(sent)[1]), key=site.key)
    assert signer == site.fingerprint
    assert letters.ANSWER.strip().encode() in inside
    assert b"Subject: Re: your request" in inside
    shown = json.loads(cp247("cases", "show", case, "--json", config=site.gateway.config).stdout)
    assert shown["state"] == "answered"


def _answer(site, case):
    """The answer of that case at the sink: the receipt says Auto-Submitted, the answer does not."""

    def found():
        mails = [one.replace(b"\n", b"\r\n") for one in site.sink.messages() if case.encode() in one]
        return next((one for one in mails if not field(one, "Auto-Submitted")), None)

    return wait_until(found, what="the answer")


def test_each_recipient_gets_its_own_reply_over_lmtp(site):
    content = site.counterpart.plain(MAILBOX, *letters.PRESERVATION)
    detail = MAILBOX.replace("@", "+a-detail@")
    site.receive(content, rcpt_tos=(MAILBOX, detail, NOBODY))
    about = field(content, "Message-ID")
    wait_until(lambda: len(site.mails(about=about.encode())) == 2, what="delivery for both")
    replies = wait_until(lambda: _replies(site, about, count=3), what="three replies")
    assert replies[MAILBOX].startswith("sent (250 2.0.0 Ok: accepted as ")
    assert replies[detail] == replies[MAILBOX]
    assert replies[NOBODY].startswith("bounced (host 127.0.0.1[127.0.0.1] said: 550 5.1.1 ")
    assert site.gateway.metric("cp247_unaccounted_deliveries") == 0


def _replies(site, message_id, *, count):
    """Recipient -> status and reply as Postfix logged them for that message, once there are so many."""
    log = site.postfix.log()
    queue_id = re.search(rf"(\w+): message-id={re.escape(message_id)}", log)[1]
    found = dict(re.findall(rf"/lmtp\[\d+\]: {queue_id}: to=<([^>]+)>.* status=(.*)", log))
    return found if len(found) == count else None


def test_a_forged_request_is_in_quarantine_and_nobody_is_answered(site):
    content = site.counterpart.forged(MAILBOX, *letters.PRESERVATION)
    site.receive(content, peer=STRANGER)
    _, delivered = site.delivered(content, folder="Quarantine")
    assert field(delivered, "X-247CP-Assurance") == "none"
    assert field(delivered, "X-247CP-Disposition") == "hold; reason=forged-contact"
    assert delivered.endswith(content)
    site.gateway.idle()
    assert not any(field(content, "Message-ID").encode() in one for one in site.sink.messages())


def test_an_emergency_is_flagged_in_every_client(site):
    content = site.counterpart.plain(MAILBOX, *letters.EMERGENCY)
    site.receive(content)
    flags, delivered = site.delivered(content)
    assert {"\\Flagged", "$label1", "247cp_emergency"} <= flags
    assert field(delivered, "Importance") == "high"


def test_a_forged_class_field_raises_no_flag(site):
    content = site.counterpart.forged(MAILBOX, "Greetings", "How are you?\n")
    content = b"X-247CP-Class: emergency\r\nX-247CP-Disposition: accept\r\n" + content
    site.receive(content, peer=STRANGER)
    flags, delivered = site.delivered(content, folder="Quarantine")
    assert not flags & {"\\Flagged", "$label1", "247cp_emergency"}
    assert b"\r\nX-Foreign-X-247CP-Class: emergency\r\n" in delivered


def test_long_lines_and_odd_bytes_pass_postfix_and_gateway_unchanged(site):
    subject, body = letters.PRESERVATION
    content = site.counterpart.plain(MAILBOX, subject, body + "\n" + "x" * 2500 + "\n..\n.\n \t\nFrom here\n")
    site.receive(content)
    assert site.delivered(content)[1].endswith(content)


def test_while_the_mailbox_server_is_down_mail_waits_and_then_comes_once(site):
    site.gateway.idle()
    site.dovecot.stop()
    content = site.counterpart.plain(MAILBOX, *letters.PRESERVATION)
    try:
        site.receive(content)
        site.receipt(content)
        queued = json.loads(cp247("queue", "list", "--json", config=site.gateway.config).stdout.splitlines()[0])
        assert (queued["waits_for"], queued["recipients"]) == ("delivery", [MAILBOX])
    finally:
        site.dovecot.start()
    site.delivered(content, seconds=40)
    site.gateway.idle()
    assert len(site.mails(about=field(content, "Message-ID").encode())) == 1


def test_the_bounce_of_a_receipt_comes_back_to_its_case_and_nobody_is_answered(site):
    content = site.unreachable.plain(MAILBOX, *letters.PRESERVATION)
    site.receive(content, sender=site.unreachable)
    case = field(site.delivered(content)[1], "X-247CP-Case")

    def bounce():
        reports = (one for _, one in site.mails(about=b"this mailbox is closed"))
        return next((one for one in reports if field(one, "X-247CP-Case") == case), None)

    found = wait_until(bounce, what="the bounce")
    assert field(found, "Return-Path") == "<>"
    assert field(found, "X-247CP-Class") == "other"
    site.gateway.idle()
    shown = json.loads(cp247("cases", "show", case, "--json", config=site.gateway.config).stdout)
    assert [one["purpose"] for one in shown["mails"]].count("receipt") == 1
