"""The outward road: what the table allows leaves sealed as CHANNEL says, and nothing else leaves."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from counterpart import body_of, dkim_verifies, field, pieces
from pipeline_world import HOSTNAME, MAILBOX, NOW, PRESERVATION, SECRET, draft, message_id, reference
from sealed_mail import crlf, encrypted_entity

from gateway.mail import return_path
from gateway.model.case import CaseState
from gateway.model.channel import Act
from gateway.model.outbox import Hop, Purpose
from gateway.model.settings import Dkim, Mode, Outbound
from gateway.model.trust import Protection, SigLevel, TlsLevel

A0 = "247cp@police.gov.b.example"
COLLEAGUE = "prosecutor@institution.gov.example"
NEVER_OUTSIDE = (b"laptop-17", b"10.1.2.3", b"j.doe", b"Some Client", b"Disposition-Notification", b"X-Originating")


@pytest.fixture(scope="module")
def plain(world):
    """A case that a request in clear opened."""
    return world.case_of(world.bx.plain(MAILBOX, *PRESERVATION), sender=world.bx)


@pytest.fixture(scope="module")
def sealed(world):
    """A case that an encrypted request opened."""
    content = world.bx.encrypted(MAILBOX, "...", PRESERVATION[1], key=world.own_key)
    return world.case_of(content, sender=world.bx)


def only_mail(dispatch):
    assert dispatch.decision.act in (Act.ALLOW, Act.UPGRADE), dispatch.decision
    (mail,) = dispatch.mails
    return mail


def own_fingerprint(world):
    return world.tools.settings.openpgp.signing_key


def names(content):
    header = content.partition(b"\r\n\r\n")[0]
    return [one.decode() for one in re.findall(rb"^([!-9;-~]+):", header, re.MULTILINE)]


class TestSigned:
    def test_an_answer_in_the_thread_leaves_signed_to_the_address_that_asked(self, world, plain):
        content = draft(parent=plain.request_id)
        dispatch = world.answer(content, A0, cases=(plain,))
        mail = only_mail(dispatch)
        assert (mail.purpose, mail.hop, mail.rcpt_tos) == (Purpose.ANSWER, Hop.RELAY, (A0,))
        payload, signature = pieces(mail.content)
        assert world.bx.verifies(body_of(signature), payload, key=world.own_key) == own_fingerprint(world)
        assert b"The data you asked for are kept." in payload
        assert dkim_verifies(mail.content, world.zone)

    def test_only_the_fields_of_the_channel_stand_outside(self, world, plain):
        mail = only_mail(world.answer(draft(parent=plain.request_id), A0, cases=(plain,)))
        assert names(mail.content) == [
            "DKIM-Signature", "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version",
            "Content-Type",
        ]  # fmt: skip
        for one in NEVER_OUTSIDE:
            assert one not in mail.content.replace(mail.message_id.encode(), b"")

    def test_the_signed_part_protects_the_header(self, world, plain):
        mail = only_mail(world.answer(draft(parent=plain.request_id), A0, cases=(plain,)))
        payload = pieces(mail.content)[0]
        kind = field(payload, "Content-Type")
        assert 'hp="clear"' in kind
        assert 'protected-headers="v1"' in kind
        for name in ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To"):
            assert field(payload, name) == field(mail.content, name) != ""

    def test_its_return_path_leads_back_to_the_case(self, world, plain):
        mail = only_mail(world.answer(draft(parent=plain.request_id), A0, cases=(plain,)))
        assert return_path.read(SECRET, mail.mail_from, mailbox=MAILBOX, today=NOW.toordinal()).case == plain.reference

    def test_the_case_is_answered_and_its_thread_knows_the_answer(self, world, plain):
        dispatch = world.answer(draft(parent=plain.request_id), A0, cases=(plain,))
        assert dispatch.case.state is CaseState.ANSWERED
        assert dispatch.case.thread[-1] == dispatch.message_id == dispatch.mails[0].message_id

    def test_the_case_knows_the_conversation_of_the_answer(self, world, plain):
        content = draft(parent=plain.request_id, Thread_Index="AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==")
        assert world.answer(content, A0, cases=(plain,)).case.thread_indexes == ("01" * 22,)

    def test_a_lost_thread_is_repaired(self, world, plain):
        content = draft(Subject=f"your request [{plain.reference}]")
        mail = only_mail(world.answer(content, A0, cases=(plain,)))
        assert field(mail.content, "In-Reply-To") == plain.request_id
        assert plain.request_id in field(mail.content, "References")

    def test_a_blind_copy_to_ourselves_leaves_no_trace(self, world, plain):
        content = draft(parent=plain.request_id, Bcc=MAILBOX)
        answer, copy = world.answer(content, A0, MAILBOX, cases=(plain,)).mails
        assert (answer.purpose, answer.hop, answer.rcpt_tos) == (Purpose.ANSWER, Hop.RELAY, (A0,))
        assert (copy.purpose, copy.hop, copy.rcpt_tos) == (Purpose.NOTICE, Hop.MAILBOX, (MAILBOX,))
        assert answer.content == copy.content
        assert b"Bcc" not in answer.content

    def test_a_copy_to_the_address_of_the_case_does_not_come_in_again(self, world, plain):
        own = MAILBOX.replace("@", f"+c.{plain.reference.lower()}@")
        answer, copy = world.answer(draft(Cc=own), A0, own, cases=(plain,)).mails
        assert (answer.hop, answer.rcpt_tos, copy.hop, copy.rcpt_tos) == (Hop.RELAY, (A0,), Hop.MAILBOX, (own,))

    def test_text_beyond_ascii_arrives_as_written(self, world, plain):
        text = "Les données demandées sont conservées.\nFrom here on it is quoted. \n"
        content = draft(parent=plain.request_id, text=text, Subject="=?utf-8?q?donn=C3=A9es?=")
        mail = only_mail(world.answer(content, A0, cases=(plain,)))
        assert mail.content.isascii()
        payload, signature = pieces(mail.content)
        assert world.bx.verifies(body_of(signature), payload, key=world.own_key)

    def test_a_mail_without_a_message_id_gets_the_same_one_each_time(self, world, plain):
        content = draft(parent=plain.request_id, Message_ID="")
        ids = {world.answer(content, A0, cases=(plain,)).message_id for _ in range(2)}
        assert len(ids) == 1
        assert ids.pop().endswith(f"@{HOSTNAME}>")

    @pytest.mark.parametrize("written", ["<é@laptop>", "<" + "x" * 990 + "@laptop>", "not an id"])
    def test_a_message_id_that_cannot_leave_gets_one_of_ours(self, world, plain, written):
        content = draft(parent=plain.request_id, Message_ID=written)
        mail = only_mail(world.answer(content, A0, cases=(plain,)))
        assert field(mail.content, "Message-ID").endswith(f"@{HOSTNAME}>")


class TestEncrypted:
    def test_an_answer_in_clear_to_an_encrypted_request_leaves_signed_and_encrypted(self, world, sealed):
        mail = only_mail(world.answer(draft(parent=sealed.request_id), A0, cases=(sealed,)))
        assert field(mail.content, "Content-Type").startswith("multipart/encrypted")
        assert b"The data you asked for" not in mail.content
        inside, signer = world.bx.decrypts(body_of(pieces(mail.content)[1]), key=world.own_key)
        assert signer == own_fingerprint(world)
        assert b"The data you asked for are kept." in inside
        assert dkim_verifies(mail.content, world.zone)

    def test_outside_stands_the_case_number_and_inside_the_subject(self, world, sealed):
        content = draft(parent=sealed.request_id, Subject="Re: the account of canary")
        mail = only_mail(world.answer(content, A0, cases=(sealed,)))
        assert field(mail.content, "Subject") == f"[{sealed.reference}]"
        assert b"canary" not in mail.content
        inside, _ = world.bx.decrypts(body_of(pieces(mail.content)[1]), key=world.own_key)
        inside = crlf(inside)
        assert field(inside, "Subject") == "Re: the account of canary"
        assert 'hp="cipher"' in field(inside, "Content-Type")
        assert f"HP-Outer: Subject: [{sealed.reference}]".encode() in inside
        for one in NEVER_OUTSIDE:
            assert one not in inside.replace(mail.message_id.encode(), b"")

    def test_what_the_officers_client_encrypted_is_opened_and_sealed_by_us(self, world, plain):
        officer = world.sx.key
        text = b"Content-Type: text/plain\r\n\r\nSealed by the client.\r\n"
        armored = officer.encrypt(text, world.bx.key.armored, world.own_key)
        content = client_encrypted(armored, parent=plain.request_id)
        dispatch = world.answer(content, A0, cases=(plain,))
        mail = only_mail(dispatch)
        assert dispatch.decision.row == 4
        inside, signer = world.bx.decrypts(body_of(pieces(mail.content)[1]), key=world.own_key)
        assert signer == own_fingerprint(world)
        assert b"Sealed by the client." in inside

    def test_what_nobody_here_can_open_is_refused(self, world, plain):
        armored = world.sx.key.encrypt(b"Content-Type: text/plain\r\n\r\nx\r\n", world.bx.key.armored)
        dispatch = world.answer(client_encrypted(armored, parent=plain.request_id), A0, cases=(plain,))
        assert dispatch.decision.rule == "R20"
        assert dispatch.mails == ()

    def test_what_is_encrypted_to_a_stranger_is_refused(self, world, plain):
        armored = world.bx.key.encrypt(
            b"Content-Type: text/plain\r\n\r\nx\r\n", world.bx.key.armored, world.own_key, world.sx.key.armored
        )
        dispatch = world.answer(client_encrypted(armored, parent=plain.request_id), A0, cases=(plain,))
        assert dispatch.decision.rule == "R19"

    def test_without_a_usable_key_the_answer_waits_for_an_administrator(self, world, sealed):
        contact = world.tools.contacts["bx-police"]
        gone = replace(contact, keys=tuple(replace(k, encryption_expires=NOW - timedelta(1)) for k in contact.keys))
        book = {k: (gone if c.id == gone.id else c, a) for k, (c, a) in world.tools.book.items()}
        tools = replace(world.tools, book=book, contacts={**world.tools.contacts, gone.id: gone})
        dispatch = world.answer(draft(parent=sealed.request_id), A0, cases=(sealed,), tools=tools)
        assert (dispatch.decision.act, dispatch.decision.rule) == (Act.HOLD, "H2")
        (notice,) = dispatch.mails
        assert (notice.hop, notice.purpose, notice.rcpt_tos) == (Hop.MAILBOX, Purpose.NOTICE, (MAILBOX,))
        assert b"It has NOT been sent" in notice.content
        assert dispatch.decision.number.encode() in notice.content


def client_encrypted(armored, *, parent):
    """An officer's mail that the client encrypted by itself."""
    content = draft(parent=parent)
    header = content.partition(b"\r\n\r\n")[0]
    header = re.sub(rb"Content-Type: [^\r]*\r\n", b"", header + b"\r\n")
    return header + encrypted_entity(armored)


class TestOwnRequest:
    def test_a_request_of_ours_asks_for_a_number_and_opens_a_case_with_it(self, world):
        content = draft(Subject="Our request")
        first = world.answer(content, A0)
        assert first.decision.opens
        assert first.mails == ()
        dispatch = world.answer(content, A0, number=reference(77))
        mail = only_mail(dispatch)
        case = dispatch.case
        assert dispatch.decision.case == case.reference == reference(77)
        assert (case.ours, case.contact, case.origin, case.state) == (True, "bx-police", A0, CaseState.OPEN)
        assert case.thread == (mail.message_id,)
        assert return_path.read(SECRET, mail.mail_from, mailbox=MAILBOX, today=NOW.toordinal()).case == case.reference

    def test_it_is_encrypted_where_a_key_is_pinned(self, world):
        mail = only_mail(world.answer(draft(Subject="canary"), A0, number=reference(77)))
        assert field(mail.content, "Content-Type").startswith("multipart/encrypted")
        assert field(mail.content, "Subject") == f"[{reference(77)}]"

    def test_it_is_signed_where_none_is(self, world):
        dispatch = world.answer(draft(to=world.sx.mailbox), world.sx.mailbox, number=reference(78))
        assert field(only_mail(dispatch).content, "Content-Type").startswith("multipart/signed")
        assert dispatch.case.floor == Protection(sig=SigLevel.OPENPGP)

    def test_a_copy_to_a_joint_address_opens_the_case_of_the_first(self, world):
        joint = "joint@police.gov.b.example"
        dispatch = world.answer(draft(to=f"{A0}, {joint}"), joint, A0, number=reference(79))
        assert dispatch.case.origin == A0
        assert set(only_mail(dispatch).rcpt_tos) == {A0, joint}


class TestRefused:
    @pytest.mark.parametrize(
        ("rcpt_tos", "fields", "rule"),
        [
            (("x@gmail.example",), {"to": "x@gmail.example"}, "R17"),
            ((A0, "x@gmail.example"), {"to": f"{A0}, x@gmail.example"}, "R14"),
            ((A0,), {"From": "chief@institution.gov.example"}, "R4"),
            ((A0,), {"Auto-Submitted": "auto-replied"}, "R2"),
        ],
    )
    def test_nothing_leaves_and_nothing_changes(self, world, plain, rcpt_tos, fields, rule):
        parent = None if rule == "R17" else plain.request_id
        dispatch = world.answer(draft(parent=parent, **fields), *rcpt_tos, cases=(plain,))
        assert (dispatch.decision.rule, dispatch.mails, dispatch.case) == (rule, (), None)
        assert re.match(r"55[03] 5\.7\.1 NOT SENT: ", dispatch.decision.reply)

    @pytest.mark.parametrize("mode", [Mode.WARN, Mode.OBSERVE])
    def test_in_the_modes_before_enforce_it_leaves_as_it_is(self, world, plain, mode):
        tools = world.with_settings(outbound=Outbound(mode=mode))
        content = draft(to="x@gmail.example", parent=plain.request_id)
        dispatch = world.answer(content, "x@gmail.example", cases=(plain,), tools=tools)
        assert (dispatch.decision.act, dispatch.decision.reply) == (Act.ALLOW, "")
        assert dispatch.decision.rule.startswith("R")
        mail, *notices = dispatch.mails
        assert mail.content == content[content.index(b"From: ") :]
        assert mail.rcpt_tos == ("x@gmail.example",)
        assert len(notices) == (mode is Mode.WARN)

    def test_the_notice_of_mode_warn_tells_the_officer_the_line(self, world, plain):
        tools = world.with_settings(outbound=Outbound(mode=Mode.WARN))
        content = draft(to="x@gmail.example", parent=plain.request_id)
        refused = world.answer(content, "x@gmail.example", cases=(plain,)).decision
        notice = world.answer(content, "x@gmail.example", cases=(plain,), tools=tools).mails[1]
        assert (notice.hop, notice.rcpt_tos, notice.mail_from) == (Hop.MAILBOX, (MAILBOX,), "")
        assert field(notice.content, "Auto-Submitted") == "auto-notified"
        assert refused.number in field(notice.content, "Subject")
        assert refused.reply.encode() in notice.content.replace(b"=\r\n", b"")

    def test_what_may_leave_is_sealed_in_every_mode(self, world, plain):
        tools = world.with_settings(outbound=Outbound(mode=Mode.OBSERVE))
        mail = only_mail(world.answer(draft(parent=plain.request_id), A0, cases=(plain,), tools=tools))
        assert field(mail.content, "Content-Type").startswith("multipart/signed")


class TestInside:
    def test_a_forward_inside_is_untouched_but_for_the_login(self, world, plain):
        content = draft(to=COLLEAGUE, parent=plain.request_id)
        dispatch = world.answer(content, COLLEAGUE, cases=(plain,))
        mail = only_mail(dispatch)
        assert dispatch.decision.internal
        assert mail.content == content[content.index(b"From: ") :]
        assert (mail.mail_from, mail.rcpt_tos) == (MAILBOX, (COLLEAGUE,))

    def test_a_forward_inside_is_no_answer(self, world, plain):
        dispatch = world.answer(draft(to=COLLEAGUE, parent=plain.request_id), COLLEAGUE, cases=(plain,))
        assert dispatch.case == plain


def test_a_read_receipt_is_recorded_and_does_not_leave(world, plain):
    content = draft(parent=plain.request_id)
    mdn = re.sub(
        rb"Content-Type: .*",
        b'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n'
        b"--b\r\n\r\nread\r\n--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: x\r\n--b--\r\n",
        content, flags=re.DOTALL,
    )  # fmt: skip
    dispatch = world.answer(mdn, A0, cases=(plain,))
    assert (dispatch.decision.act, dispatch.decision.reply, dispatch.mails) == (Act.DISCARD, "", ())


class TestFaultsOfOurs:
    @pytest.fixture(params=["openpgp", "dkim"])
    def crippled(self, world, request, tmp_path):
        seal = world.tools.seal
        key, dkim = ("AB" * 20, seal.dkim) if request.param == "openpgp" else (
            seal.signing_key, Dkim(domain="institution.gov.example", key=str(tmp_path / "none.pem")))  # fmt: skip
        return replace(world.tools, seal=type(seal)(home=seal.home, signing_key=key, dkim=dkim))

    def test_what_cannot_be_sealed_is_put_off_and_does_not_leave(self, world, plain, crippled):
        dispatch = world.answer(draft(parent=plain.request_id), A0, cases=(plain,), tools=crippled)
        assert (dispatch.decision.act, dispatch.decision.rule) == (Act.DEFER, "D0")
        assert dispatch.decision.reply.startswith("451 4.3.0 ")
        assert (dispatch.mails, dispatch.case) == ((), None)

    def test_without_our_own_key_a_clients_encryption_is_put_off_and_not_refused(self, world, plain):
        armored = world.sx.key.encrypt(b"Content-Type: text/plain\r\n\r\nx\r\n", world.bx.key.armored, world.own_key)
        tools = replace(world.tools, own_keys=frozenset())
        dispatch = world.answer(client_encrypted(armored, parent=plain.request_id), A0, cases=(plain,), tools=tools)
        assert dispatch.decision.rule == "D0"
        assert dispatch.decision.reply.startswith("451 ")

    def test_a_client_encryption_that_is_broken_does_not_leave(self, world, plain):
        text = b"Content-Type: text/plain\r\n\r\n" + bytes(range(33, 126)) * 40 + b"\r\n"
        lines = world.sx.key.encrypt(text, world.bx.key.armored, world.own_key).split(b"\n")
        lines[-5] = lines[-5][::-1]
        broken = b"\n".join(one for one in lines if not (one.startswith(b"=") and len(one) == 5))
        dispatch = world.answer(client_encrypted(broken, parent=plain.request_id), A0, cases=(plain,))
        assert dispatch.mails == ()
        assert re.match("451 4.3.0 |550 5.7.5 NOT SENT: ", dispatch.decision.reply)


def test_the_message_id_of_the_answer_is_the_officers(world, plain):
    content = draft(parent=plain.request_id)
    assert only_mail(world.answer(content, A0, cases=(plain,))).message_id == message_id(content)


def test_a_retry_that_another_server_stamped_keeps_the_id_we_gave(world, plain):
    content = draft(parent=plain.request_id, Message_ID="")
    again = content.replace(b"id 4XyZ", b"id 5AbC")
    assert world.answer(content, A0, cases=(plain,)).message_id == world.answer(again, A0, cases=(plain,)).message_id


def test_a_note_to_our_own_mailbox_does_not_come_in_again(world, plain):
    (mail,) = world.answer(draft(to=MAILBOX), MAILBOX, cases=(plain,)).mails
    assert (mail.purpose, mail.hop) == (Purpose.NOTICE, Hop.MAILBOX)


@pytest.mark.parametrize(
    ("floor", "relays", "hop"),
    [
        (TlsLevel.NONE, {"relay_encrypted", "relay_verified"}, Hop.RELAY),
        (TlsLevel.TLS, {"relay_encrypted", "relay_verified"}, Hop.RELAY_ENCRYPTED),
        (TlsLevel.TLS, {"relay_verified"}, Hop.RELAY),
        (TlsLevel.VERIFIED, {"relay_verified"}, Hop.RELAY_VERIFIED),
    ],
)
def test_the_relay_is_the_one_that_promises_the_tls_of_the_case(world, plain, floor, relays, hop):
    case = replace(plain, floor=plain.floor.join(Protection(tls=floor)))
    tools = world.with_settings(outbound=Outbound(**dict.fromkeys(relays, "smtp://127.0.0.1:10027")))
    assert only_mail(world.answer(draft(parent=plain.request_id), A0, cases=(case,), tools=tools)).hop is hop


def test_what_grows_too_large_by_sealing_is_refused_at_send(world, sealed):
    tools = world.with_settings(inbound=replace(world.tools.settings.inbound, max_message_bytes=100_000))
    content = draft(parent=sealed.request_id, text="данные сохранены \n" * 1500)
    assert len(content) * 1.4 < 100_000
    dispatch = world.answer(content, A0, cases=(sealed,), tools=tools)
    assert (dispatch.decision.act, dispatch.decision.rule, dispatch.decision.row) == (Act.REJECT, "R23", 27)
    assert dispatch.decision.reply.startswith(
        "552 5.3.4 NOT SENT: 1 MB is too large; split it into several numbered mails"
    )
    assert dispatch.mails == ()


def test_a_refusal_brings_what_the_mailbox_is_told_if_the_mail_comes_again(world, plain):
    content = draft(parent=plain.request_id, Cc="x@gmail.example")
    dispatch = world.answer(content, A0, "x@gmail.example", cases=(plain,))
    assert (dispatch.mails, dispatch.again.hop, dispatch.again.rcpt_tos) == ((), Hop.MAILBOX, (MAILBOX,))
    said = dispatch.again.content.replace(b"=\r\n", b"").replace(b"\r\n", b" ")
    assert f"In-Reply-To: {dispatch.message_id}".encode() in said
    assert b"Remove x@gmail.example and press Send again." in said
    assert plain.reference.encode() in said
