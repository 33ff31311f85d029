"""The channel table, row by row: each test differs in one thing from the right answer, and reads the line the officer sees."""

from dataclasses import replace

import pytest
from channel_world import (
    A0,
    ALIAS,
    BOOK,
    CASE,
    COLLEAGUE,
    DELEGATES_ONLY,
    ENCRYPTED,
    GOV_C,
    JOINT,
    KEY_B,
    MAILBOX,
    OTHER,
    OTHER_CONTACT,
    OUR_KEY,
    OUR_SUBKEY,
    PINNED_B,
    POLICE_B,
    REQUEST,
    REQUEST_ID,
    SECOND,
    SETTINGS,
    STRANGER,
    SUBKEY_B,
    UNVERIFIED,
    address,
    book_of,
    decided,
    mail,
    without_number,
)

from gateway.channel.decide import ROWS
from gateway.channel.refusals import REFUSALS
from gateway.model.channel import Act, ChannelRules, Waiver
from gateway.model.trust import Contact, Protection, SigLevel, TlsLevel
from gateway.model.verdict import Withheld

PARTNER = "clerk@prosecution.example"
WITH_PARTNER = replace(
    SETTINGS, contact_point=replace(SETTINGS.contact_point, partner_domains=("prosecution.example",))
)
LOST = {"In_Reply_To": None, "References": None}


def refused(decision, rule, row, text):
    """The row applied, and the officer reads exactly this."""
    assert (decision.rule, decision.row, without_number(decision.reply)) == (rule, row, text)
    assert decision.act is Act.REJECT
    assert decision.recipients == ()
    assert not decision.sign


def held(decision, rule, row, reason):
    """The mail is kept, and the officer's client hears 250: it is ours now."""
    said = f"250 2.0.0 HELD: not sent yet, {reason}. The notice in the mailbox says what releases it."
    assert (decision.act, decision.rule, decision.row, without_number(decision.reply)) == (Act.HOLD, rule, row, said)
    assert decision.recipients == ()
    assert decision.waiver is Waiver.TWO


# rows that let pass


def test_row_1_right_answer_leaves_signed():
    decision = decided()
    assert (decision.act, decision.rule, decision.row) == (Act.UPGRADE, "A3", 1)
    assert (decision.sign, decision.encrypt_to, decision.recipients) == (True, (), (A0,))
    assert (decision.case, decision.opens, decision.internal) == (CASE, False, False)
    assert decision.protection == Protection(sig=SigLevel.OPENPGP)
    assert (decision.reply, decision.number) == ("", "")


def test_row_1_thread_of_the_client_stays():
    assert decided().in_reply_to is None
    assert decided().references == ()


def test_row_2_plain_answer_to_encrypted_request_is_encrypted():
    decision = decided(cases=(ENCRYPTED,))
    assert (decision.rule, decision.row, decision.encrypt_to) == ("A7", 2, ("bx-police",))
    assert decision.protection.enc
    assert decision.sign


def test_row_2_minimum_of_the_directory_encrypts_too():
    contact = replace(POLICE_B, minimum=Protection(enc=True))
    assert decided(book=book_of(contact)).encrypt_to == ("bx-police",)


def test_row_4_client_encrypted_answer_is_sealed_again():
    decision = decided(encrypted_to=frozenset({SUBKEY_B[-16:], OUR_SUBKEY[-16:]}))
    assert (decision.rule, decision.row, decision.encrypt_to) == ("A5", 4, ("bx-police",))
    assert decision.sign


def test_row_4_primary_fingerprints_are_known_too():
    assert decided(encrypted_to=frozenset({KEY_B.lower(), OUR_KEY.lower()})).rule == "A5"


@pytest.mark.parametrize("field", ["Cc", "Bcc"])
def test_row_9_copy_to_self_leaves(field):
    decision = decided(mail(**{field: MAILBOX}), to=(A0, MAILBOX))
    assert (decision.rule, decision.row, decision.recipients) == ("A9", 9, (A0, MAILBOX))


def test_row_11_proved_reply_to_is_part_of_the_channel():
    case = replace(REQUEST, reply_to=OTHER, reply_to_proved=True)
    assert decided(mail(To=OTHER), to=(OTHER,), cases=(case,)).rule == "A3"


def test_row_15_joint_address_may_be_added():
    assert decided(mail(Cc=JOINT), to=(A0, JOINT)).rule == "A3"


def test_row_18_forward_inside_is_no_answer():
    decision = decided(mail(To=COLLEAGUE), to=(COLLEAGUE,), cases=(ENCRYPTED,))
    assert (decision.act, decision.rule, decision.row) == (Act.ALLOW, "A1", 18)
    assert (decision.internal, decision.sign, decision.encrypt_to) == (True, False, ())
    assert decision.recipients == (COLLEAGUE,)
    assert decision.case == CASE


def test_row_18_two_cases_do_not_stop_a_forward_inside():
    content = mail(To=COLLEAGUE, Subject=f"both [{SECOND}]")
    assert decided(content, to=(COLLEAGUE,), cases=(REQUEST, replace(REQUEST, reference=SECOND))).rule == "A1"


def test_row_18_a_subdomain_is_not_inside():
    assert decided(mail(To="x@sub.institution.gov.example"), to=("x@sub.institution.gov.example",)).rule == "R14"


def test_row_25_delegate_leaves_as_the_mailbox():
    decision = decided(mail(Sender="j.doe@institution.gov.example"), settings=DELEGATES_ONLY)
    assert (decision.rule, decision.row) == ("A8", 25)


@pytest.mark.parametrize(
    ("content", "way"),
    [
        (mail(**LOST, Subject=f"Re: [{CASE}]"), "tag"),
        (mail(**LOST, Thread_Index="AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=="), "thread-index"),
        (mail(**LOST), "address"),
        (mail(References=None, In_Reply_To="<unknown@x.example>"), "address"),
    ],
)
def test_row_28_lost_thread_is_repaired(content, way):
    decision = decided(content)
    assert (decision.rule, decision.row, decision.case) == ("A6", 28, CASE), way
    assert decision.in_reply_to == REQUEST_ID
    assert decision.references == ("<earlier@police.gov.b.example>", REQUEST_ID)


def test_row_28_repaired_references_stay_short():
    ids = tuple(f"<{n}@police.gov.b.example>" for n in range(40))
    repaired = decided(mail(**LOST), cases=(replace(REQUEST, references=ids),)).references
    assert len(repaired) == 20
    assert (repaired[0], repaired[-2:]) == (ids[0], (ids[-1], REQUEST_ID))


def test_row_28_request_without_id_cannot_be_named():
    decision = decided(mail(**LOST), cases=(replace(REQUEST, request_id=None),))
    assert (decision.rule, decision.in_reply_to, decision.references) == ("A6", None, ())


def test_row_36_new_request_opens_our_own_case():
    decision = decided(mail(**LOST, To=OTHER_CONTACT), to=(OTHER_CONTACT,), cases=())
    assert (decision.act, decision.rule, decision.row) == (Act.UPGRADE, "A4", 36)
    assert (decision.opens, decision.case, decision.sign) == (True, None, True)


def test_row_36_new_request_is_encrypted_where_there_is_a_key():
    # An answer whose thread is lost past finding looks like this; it must not become clear.
    assert decided(mail(**LOST), cases=()).encrypt_to == ("bx-police",)
    assert decided(mail(**LOST, To=OTHER_CONTACT), to=(OTHER_CONTACT,), cases=()).encrypt_to == ()


def test_row_36_joint_address_may_be_asked_too():
    decision = decided(mail(**LOST, To=f"{JOINT}, {A0}"), to=(JOINT, A0), cases=())
    assert (decision.rule, decision.encrypt_to) == ("A4", ("bx-police",))


def test_tag_of_another_gateway_does_no_harm():
    assert decided(mail(Subject="Re: receipt [247CP-2026-000007-AAAA]")).rule == "A3"


def test_envelope_sender_may_carry_a_detail():
    assert decided(mail_from="247cp+r.abc@institution.gov.example").rule == "A3"


def test_recipient_is_compared_without_case():
    assert decided(to=("247CP@POLICE.gov.b.example",)).rule == "A3"


# rows that refuse, or cannot decide


def test_row_3_no_key_holds_an_encrypted_answer():
    decision = decided(cases=(ENCRYPTED,), book=book_of(replace(POLICE_B, keys=())))
    held(decision, "H2", 3, "no usable key to encrypt to")


def test_row_3_two_people_may_let_it_leave_in_clear():
    book = book_of(replace(POLICE_B, keys=()))
    number = decided(cases=(ENCRYPTED,), book=book).number
    decision = decided(cases=(ENCRYPTED,), book=book, waived=frozenset({number}))
    assert (decision.rule, decision.act, decision.encrypt_to) == ("A10", Act.UPGRADE, ())
    assert (decision.sign, decision.waived, decision.recipients) == (True, (number,), (A0,))


@pytest.mark.parametrize(
    "key",
    [
        replace(PINNED_B, revoked=True),
        replace(PINNED_B, expires=PINNED_B.created),
        replace(PINNED_B, encryption_expires=PINNED_B.created),
        replace(PINNED_B, can_encrypt=False),
    ],
)
def test_row_3_unusable_key_is_no_key(key):
    assert decided(cases=(ENCRYPTED,), book=book_of(replace(POLICE_B, keys=(key,)))).rule == "H2"


def test_row_3_one_usable_key_is_enough():
    keys = (replace(PINNED_B, revoked=True), PINNED_B)
    assert decided(cases=(ENCRYPTED,), book=book_of(replace(POLICE_B, keys=keys))).rule == "A7"


def test_row_3_plain_request_needs_no_key():
    assert decided(book=book_of(replace(POLICE_B, keys=()))).rule == "A3"


def test_row_3_client_encryption_never_leaves_clear():
    decision = decided(encrypted_to=frozenset({OUR_SUBKEY}), book=book_of(replace(POLICE_B, keys=())))
    assert decision.rule == "H2"


def test_row_5_key_that_is_not_pinned():
    refused(
        decided(encrypted_to=frozenset({OUR_SUBKEY[-16:], "C0FFEE00C0FFEE00"})),
        "R19",
        5,
        "550 5.7.5 NOT SENT: encrypted to a key that is not pinned (C0FFEE00C0FFEE00). "
        "Send it unencrypted: the gateway encrypts.",
    )


@pytest.mark.parametrize("key_id", ["0000000000000000", SUBKEY_B[-8:], "", "not a key"])
def test_row_5_hidden_and_short_key_ids_name_no_key(key_id):
    assert decided(encrypted_to=frozenset({OUR_SUBKEY, key_id})).rule == "R19"


def test_row_5_key_of_another_contact_is_not_pinned_for_this_one():
    other = replace(GOV_C, keys=(replace(PINNED_B, fingerprint="D4" * 20, subkeys=()),))
    decision = decided(encrypted_to=frozenset({OUR_SUBKEY, "D4" * 20}), book=book_of(POLICE_B, other))
    assert decision.rule == "R19"


def test_row_6_without_our_own_key():
    refused(
        decided(encrypted_to=frozenset({SUBKEY_B[-16:]})),
        "R20",
        6,
        "550 5.7.5 NOT SENT: encrypt also to the contact point's own key, or send it unencrypted: "
        "the gateway encrypts.",
    )


@pytest.mark.parametrize("content", [mail(Cc=STRANGER), mail(Bcc=STRANGER)])
def test_row_7_stranger_added(content):
    refused(
        decided(content, to=(A0, STRANGER)),
        "R14",
        7,
        f"550 5.7.1 NOT SENT: send to {A0} only. Remove {STRANGER} and press Send again.",
    )


def test_row_7_stranger_shown_but_not_in_this_envelope():
    assert decided(mail(Cc=STRANGER)).rule == "R14"


def test_row_7_stranger_in_a_large_list():
    strangers = tuple(f"x{n}@gmail.example" for n in range(90))
    decision = decided(mail(Cc=", ".join(strangers)), to=(A0, *strangers))
    assert "Remove x0@gmail.example, x1@gmail.example, x2@gmail.example and 87 more and press" in decision.reply


def test_row_7_look_alike_is_a_stranger():
    decision = decided(mail(Cc="247cp@p\N{CYRILLIC SMALL LETTER O}lice.gov.b.example"), to=(A0,))
    assert decision.rule == "R14"


def test_row_8_contact_point_in_bcc():
    refused(
        decided(mail(), to=(A0, OTHER_CONTACT)),
        "R16",
        8,
        f"550 5.7.1 NOT SENT: move {OTHER_CONTACT} from Bcc to Cc; contact points are never copied blind.",
    )


def test_row_8_the_asking_address_in_bcc():
    assert decided(mail(To=MAILBOX), to=(MAILBOX, A0)).rule == "R16"


def test_row_8_undisclosed_recipients_are_blind():
    assert decided(mail(To="undisclosed-recipients:;")).rule == "R16"


def test_row_10_unproved_reply_to():
    wanted = "answers@police.gov.b.example"
    refused(
        decided(mail(To=wanted), to=(wanted,), cases=(replace(REQUEST, reply_to=wanted),)),
        "R11",
        10,
        f"550 5.7.1 NOT SENT: send to {A0}. The request asks for answers at {wanted}, "
        "which is not verified for that country.",
    )


@pytest.mark.parametrize("reply_to", [STRANGER, UNVERIFIED, OTHER_CONTACT])
def test_row_10_directory_has_the_last_word_on_a_proved_reply_to(reply_to):
    case = replace(REQUEST, reply_to=reply_to, reply_to_proved=True)
    assert decided(mail(To=reply_to), to=(reply_to,), cases=(case,)).rule == "R11"


def test_row_12_answer_from_another_mailbox():
    refused(
        decided(mail(From=COLLEAGUE), mail_from=COLLEAGUE),
        "R4",
        12,
        f"553 5.7.1 NOT SENT: answer from {MAILBOX}. Case {CASE} came to that mailbox; "
        "change From and press Send again.",
    )


def test_row_12_answer_from_the_wrong_one_of_ours():
    refused(
        decided(mail(From=ALIAS), mail_from=ALIAS),
        "R8",
        12,
        f"553 5.7.1 NOT SENT: answer from {MAILBOX}. Case {CASE} came to that mailbox; "
        "change From and press Send again.",
    )


def test_row_12_case_of_an_alias_is_answered_from_the_alias():
    case = replace(REQUEST, mailbox=ALIAS)
    assert decided(mail(From=ALIAS), mail_from=ALIAS, cases=(case,)).rule == "A3"
    assert decided(cases=(case,)).rule == "R8"


def test_row_13_personal_mailbox_to_a_contact_point():
    refused(
        decided(mail(**LOST, From=COLLEAGUE), mail_from=COLLEAGUE, cases=()),
        "R5",
        13,
        f"553 5.7.1 NOT SENT: mail to a contact point must come from {MAILBOX}.",
    )


def test_row_14_other_address_instead_of_the_asking_one():
    refused(
        decided(mail(To=OTHER), to=(OTHER,)),
        "R12",
        14,
        f"550 5.7.1 NOT SENT: send to {A0}, the address that asked; {OTHER} may not stand in for it.",
    )


def test_row_14_joint_address_does_not_stand_in_either():
    assert decided(mail(To=JOINT), to=(JOINT,)).rule == "R12"


def test_row_14_other_address_added():
    refused(
        decided(mail(Cc=OTHER), to=(A0, OTHER)),
        "R14",
        15,
        f"550 5.7.1 NOT SENT: send to {A0} only. Remove {OTHER} and press Send again.",
    )


def test_row_15_one_person_may_add_the_address_and_row_7_takes_two():
    known = decided(mail(Cc=OTHER), to=(A0, OTHER))
    strange = decided(mail(Cc=STRANGER), to=(A0, STRANGER))
    assert (known.waiver, strange.waiver) == (Waiver.ONE, Waiver.TWO)


def test_row_16_unverified_address():
    refused(
        decided(mail(**LOST, To=UNVERIFIED), to=(UNVERIFIED,), cases=()),
        "R18",
        16,
        f"550 5.7.1 NOT SENT: {UNVERIFIED} is not verified yet; ask an administrator to confirm it by telephone.",
    )


def test_row_17_address_left_the_directory():
    held(decided(book=book_of(GOV_C)), "H1", 17, "the address left the directory")


def test_row_17_address_went_to_another_contact():
    assert decided(book=book_of(replace(POLICE_B, id="bx-ministry"))).rule == "H1"


def test_row_20_colleague_of_an_encrypted_answer():
    refused(
        decided(mail(Cc=COLLEAGUE), to=(A0, COLLEAGUE), cases=(ENCRYPTED,)),
        "R22",
        20,
        f"550 5.7.1 NOT SENT: {COLLEAGUE} cannot read an encrypted answer. "
        "Remove it and forward a copy inside the institution.",
    )


def test_row_19_forward_to_a_partner_needs_a_verified_hop_or_a_key():
    content = mail(To=PARTNER)
    refused(
        decided(content, to=(PARTNER,), settings=WITH_PARTNER),
        "R0",
        19,
        "550 5.7.1 NOT SENT: this case needs an administrator (no verified hop to the partner)",
    )
    verified = replace(WITH_PARTNER, outbound=replace(WITH_PARTNER.outbound, relay_verified="smtp://127.0.0.1:10028"))
    decision = decided(content, to=(PARTNER,), settings=verified)
    assert (decision.rule, decision.row, decision.internal, decision.sign) == ("A2", 19, True, True)
    assert decision.protection.tls is TlsLevel.VERIFIED


def test_row_19_a_copy_of_an_answer_to_a_partner_needs_it_too():
    content, to = mail(Cc=PARTNER), (A0, PARTNER)
    assert decided(content, to=to, settings=WITH_PARTNER).row == 19
    verified = replace(WITH_PARTNER, outbound=replace(WITH_PARTNER.outbound, relay_verified="smtp://127.0.0.1:10028"))
    decision = decided(content, to=to, settings=verified)
    assert (decision.rule, decision.protection.tls) == ("A3", TlsLevel.VERIFIED)


def test_row_19_a_forward_of_an_encrypted_case_is_not_sealed_by_its_floor_alone():
    content = mail(To=PARTNER)
    assert decided(content, to=(PARTNER,), cases=(ENCRYPTED,), settings=WITH_PARTNER).row == 19
    clerk = Contact(id="clerk", name="Clerk", country="AX", addresses=(address(PARTNER),), keys=(PINNED_B,))
    decision = decided(content, to=(PARTNER,), settings=WITH_PARTNER, book=book_of(POLICE_B, clerk))
    assert (decision.rule, decision.encrypt_to, decision.internal) == ("A2", ("clerk",), True)


def test_row_19_what_the_client_encrypted_never_reaches_a_partner_in_clear():
    verified = replace(WITH_PARTNER, outbound=replace(WITH_PARTNER.outbound, relay_verified="smtp://127.0.0.1:10028"))
    sealed = frozenset({OUR_SUBKEY})
    assert decided(mail(To=PARTNER), to=(PARTNER,), settings=verified, encrypted_to=sealed).rule == "H2"
    assert decided(mail(To=PARTNER), to=(PARTNER,), settings=verified, encrypted_to=frozenset({"C0" * 8})).rule == "R19"


def test_row_20_a_partner_with_a_key_reads_his_copy():
    clerk = Contact(id="clerk", name="Clerk", country="AX", addresses=(address(PARTNER),), keys=(PINNED_B,))
    decision = decided(
        mail(Cc=PARTNER), to=(A0, PARTNER), cases=(ENCRYPTED,), settings=WITH_PARTNER, book=book_of(POLICE_B, clerk)
    )
    assert (decision.rule, decision.encrypt_to) == ("A7", ("bx-police", "clerk"))


def test_row_21_colleague_of_a_plain_answer_gets_his_copy():
    decision = decided(mail(Cc=COLLEAGUE), to=(A0, COLLEAGUE))
    assert (decision.rule, decision.recipients) == ("A3", (A0, COLLEAGUE))


def test_row_21_colleague_of_a_plain_answer_where_the_rule_file_forbids_it():
    refused(
        decided(mail(Cc=COLLEAGUE), to=(A0, COLLEAGUE), rules=ChannelRules(colleague_in_copy=False)),
        "R0",
        21,
        "550 5.7.1 NOT SENT: this case needs an administrator (a colleague in copy of an answer)",
    )


def test_row_23_reply_all_to_other_contact_points():
    refused(
        decided(mail(Cc=OTHER_CONTACT), to=(A0, OTHER_CONTACT)),
        "R13",
        23,
        f"550 5.7.1 NOT SENT: answer {A0} only. Reply-all would also reach {OTHER_CONTACT}.",
    )


@pytest.mark.parametrize("login", ["a.roe", None, "J.DOE", ""])
def test_row_26_login_is_no_delegate(login):
    refused(
        decided(settings=DELEGATES_ONLY, login=login),
        "R6",
        26,
        f"553 5.7.1 NOT SENT: your login may not send as {MAILBOX}; ask an administrator.",
    )


def test_row_26_without_delegates_any_login_may():
    assert decided(login=None).rule == "A3"
    assert decided(settings=DELEGATES_ONLY).rule == "A3"


def test_row_27_too_large_once_sealed():
    small = replace(SETTINGS, inbound=replace(SETTINGS.inbound, max_message_bytes=2_800_000))
    refused(
        decided(mail() + b"x" * 2_000_000, settings=small),
        "R23",
        27,
        "552 5.3.4 NOT SENT: 2 MB is too large; split it into several numbered mails in this thread. "
        "Do not use a download link.",
    )
    assert decided(mail() + b"x" * 1_900_000, settings=small).rule == "A3"


def test_row_29_several_open_cases_and_no_thread():
    refused(
        decided(mail(**LOST), cases=(REQUEST, replace(REQUEST, reference=SECOND))),
        "R10",
        29,
        f"550 5.7.1 NOT SENT: put the case number in the subject ({CASE}, {SECOND}) or use Reply on the request.",
    )


def test_row_30_thread_of_one_case_number_of_another():
    second = replace(REQUEST, reference=SECOND, origin=OTHER_CONTACT, contact="cx-gov", thread=())
    refused(
        decided(mail(Subject=f"Re: [{SECOND}]"), cases=(REQUEST, second)),
        "R9",
        30,
        f"550 5.7.1 NOT SENT: it names two cases ({CASE}, {SECOND}). Answer each in its own mail.",
    )


def test_row_30_number_of_another_counterparts_case():
    refused(
        decided(mail(**LOST, To=OTHER, Subject=f"Re: [{CASE}]"), to=(OTHER,)),
        "R15",
        30,
        f"550 5.7.1 NOT SENT: {OTHER} did not ask in case {CASE}. Correct the recipient or the case number.",
    )


def test_row_31_verified_hop_cannot_be_promised():
    contact = replace(POLICE_B, minimum=Protection(tls=TlsLevel.VERIFIED))
    held(decided(book=book_of(contact)), "H3", 31, "no hop with verified TLS")
    verified = replace(SETTINGS, outbound=replace(SETTINGS.outbound, relay_verified="smtp://127.0.0.1:10028"))
    assert decided(book=book_of(contact), settings=verified).protection.tls is TlsLevel.VERIFIED
    assert decided(book=book_of(replace(POLICE_B, minimum=Protection(tls=TlsLevel.TLS)))).rule == "A3"


@pytest.mark.parametrize("found", [Withheld.AUTO_SUBMITTED, Withheld.NULL_SENDER, Withheld.PRECEDENCE, Withheld.REPORT])
def test_row_32_automatic_answer(found):
    refused(
        decided(automatic=found),
        "R2",
        32,
        "550 5.7.1 NOT SENT: automatic answers may not leave the contact point; switch the absence notice off.",
    )


def test_row_33_read_receipt_is_recorded_and_goes_nowhere():
    decision = decided(mail("read_receipt.eml"), mail_from="", automatic=Withheld.NULL_SENDER)
    assert (decision.act, decision.rule, decision.row) == (Act.DISCARD, "M1", 33)
    assert (decision.reply, decision.recipients) == ("", ())


def test_row_33_what_only_resembles_a_read_receipt_is_refused_not_lost():
    twin = mail("read_receipt.eml").replace(b"message/disposition-notification", b"text/plain")
    assert decided(twin, automatic=Withheld.REPORT).rule == "R2"
    other = mail("read_receipt.eml").replace(b"report-type=disposition-notification", b"report-type=delivery-status")
    assert decided(other, automatic=Withheld.REPORT).rule == "R2"


@pytest.mark.parametrize("content", [mail(Resent_From=MAILBOX), mail(Resent_To=A0), mail("calendar_answer.eml")])
def test_row_34_redirected_mail_and_calendar_answers(content):
    refused(
        decided(content),
        "R3",
        34,
        "550 5.7.1 NOT SENT: write a normal reply; redirected mails and calendar answers may not leave "
        "the contact point.",
    )


@pytest.mark.parametrize("sender", [f"{MAILBOX}, {COLLEAGUE}", None, "nobody", f"{MAILBOX}\r\nFrom: {MAILBOX}"])
def test_row_35_not_exactly_one_from(sender):
    refused(
        decided(mail(From=sender)),
        "R1",
        35,
        "550 5.7.1 NOT SENT: the mail needs exactly one From with exactly one address. Write it anew and press Send.",
    )


@pytest.mark.parametrize(
    "mail_from", [COLLEAGUE, "", STRANGER, "247cp@other.example", "247cpx@institution.gov.example"]
)
def test_row_35_envelope_sender_differs(mail_from):
    refused(
        decided(mail_from=mail_from),
        "R7",
        35,
        f"553 5.7.1 NOT SENT: the envelope sender is not {MAILBOX}; correct the account's address "
        "and press Send again.",
    )


def test_row_36_one_request_to_two_counterparts():
    refused(
        decided(mail(**LOST, To=f"{A0}, {OTHER_CONTACT}"), to=(A0, OTHER_CONTACT), cases=()),
        "R0",
        36,
        "550 5.7.1 NOT SENT: this case needs an administrator (one request to several addresses)",
    )


def test_row_36_reply_all_of_the_rule_file_is_for_answers():
    content, to, rules = mail(**LOST, To=f"{A0}, {OTHER_CONTACT}"), (A0, OTHER_CONTACT), ChannelRules(reply_all=True)
    assert decided(content, to=to, cases=(), rules=rules).row == 36
    assert decided(mail(Cc=OTHER_CONTACT), to=to, rules=rules).rule == "A3"


def test_row_37_new_mail_to_a_stranger():
    refused(
        decided(mail(**LOST, To=STRANGER), to=(STRANGER,), cases=()),
        "R17",
        37,
        f"550 5.7.1 NOT SENT: {STRANGER} is not in the contact-point directory; "
        "this mailbox writes to contact points only.",
    )


def test_row_37_answer_to_someone_who_never_was_in_the_directory():
    case = replace(REQUEST, contact=None, origin=STRANGER)
    assert decided(mail(To=STRANGER), to=(STRANGER,), cases=(case,)).rule == "R17"


def test_row_38_cannot_decide():
    decision = decided(journal_away=True)
    assert (decision.act, decision.rule, decision.row, decision.recipients) == (Act.DEFER, "D0", 38, ())
    assert without_number(decision.reply) == (
        "451 4.3.0 NOT SENT: the gateway cannot decide now, nothing was sent. Press Send again in a few minutes."
    )


def test_row_38_comes_before_every_other():
    assert decided(mail("read_receipt.eml"), to=(STRANGER,), mail_from="", journal_away=True).rule == "D0"


def test_row_39_forms_others_cannot_read():
    refused(
        decided(mail("tnef.eml")),
        "R21",
        39,
        "550 5.7.1 NOT SENT: send it as HTML or plain text and as a whole mail (application/ms-tnef may not leave).",
    )


@pytest.mark.parametrize("fields", [{"To": f"Group: {A0};"}, {"Cc": f"<{A0}> (comment"}])
def test_malformed_recipients_are_no_recipients(fields):
    refused(
        decided(mail(**fields)),
        "R0",
        0,
        "550 5.7.1 NOT SENT: this case needs an administrator (malformed header)",
    )


def test_duplicated_field_is_no_field():
    assert decided(mail(Subject="one\r\nSubject: two")).rule == "R0"


def test_case_without_a_proved_origin_has_no_channel():
    refused(
        decided(cases=(replace(REQUEST, origin=None, contact=None),)),
        "R0",
        0,
        "550 5.7.1 NOT SENT: this case needs an administrator (nothing proved who asked)",
    )


def test_what_no_row_allows_is_refused():
    refused(
        decided(mail(**LOST, From=COLLEAGUE, To=COLLEAGUE), to=(COLLEAGUE,), mail_from=COLLEAGUE, cases=()),
        "R0",
        0,
        "550 5.7.1 NOT SENT: this case needs an administrator (no row allows it)",
    )


# the table as a whole


def test_table_reads_cannot_decide_then_refusals_then_holds_then_leave():
    first = {"D": 0, "M": 1, "R": 1, "H": 2, "A": 3}
    order = [first[row.name[0]] for row in ROWS]
    assert order == sorted(order)
    numbered = [int(row.name[1:]) for row in ROWS if row.name[0] == "R" and row.name != "R0"]
    assert numbered == sorted(numbered)


def test_every_refusing_row_has_its_line():
    noted = {"R24"}  # row 22: a note to the case is no mail that the table judges
    assert {row.name for row in ROWS if row.act in (Act.REJECT, Act.DEFER, Act.HOLD)} == set(REFUSALS) - noted


def test_row_31_the_rule_file_may_let_encrypted_mail_take_any_hop():
    book = book_of(replace(POLICE_B, minimum=Protection(enc=True, tls=TlsLevel.VERIFIED)))
    decision = decided(book=book, rules=ChannelRules(encrypted_without_tls=True))
    assert (decision.rule, decision.protection) == ("A7", Protection(sig=SigLevel.OPENPGP, enc=True))


def test_row_37_provider_of_the_rule_file():
    new = mail(**LOST, To=STRANGER, Subject="data of your customer")
    decision = decided(new, to=(STRANGER,), cases=(), rules=ChannelRules(provider_domains=("gmail.example",)))
    assert (decision.rule, decision.opens, decision.sign) == ("A4", True, True)


def test_an_exception_frees_one_mail_and_no_other():
    number = decided(mail(Cc=STRANGER), to=(A0, STRANGER)).number
    granted = frozenset({number})
    assert decided(mail(Cc=STRANGER), to=(A0, STRANGER), waived=granted).recipients == (A0, STRANGER)
    assert decided(mail(Cc=OTHER_CONTACT), to=(A0, OTHER_CONTACT), waived=granted).act is Act.REJECT
    assert decided(mail(Cc=STRANGER), to=(A0, STRANGER, OTHER), waived=granted).act is Act.REJECT
    assert (
        decided(mail(Cc=STRANGER), to=(A0, STRANGER), login="other", waived=granted, settings=DELEGATES_ONLY).rule
        == "R6"
    )


def test_no_exception_frees_from_a_wrong_key_or_another_mailbox():
    wrong = frozenset({"C0FFEE00C0FFEE00", OUR_SUBKEY})
    number = decided(encrypted_to=wrong).number
    assert decided(encrypted_to=wrong, waived=frozenset({number})).rule == "R19"
    for row in ROWS:
        if row.name in {"R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R19"}:
            assert row.waiver is Waiver.NOBODY


def test_a_stranger_in_an_encrypted_answer_takes_an_exception_from_each_rule():
    content, to = mail(Cc=STRANGER), (A0, STRANGER)
    first = decided(content, to=to, cases=(ENCRYPTED,))
    second = decided(content, to=to, cases=(ENCRYPTED,), waived=frozenset({first.number}))
    assert (first.rule, second.rule) == ("R14", "H2")
    third = decided(content, to=to, cases=(ENCRYPTED,), waived=frozenset({first.number, second.number}))
    assert (third.rule, third.encrypt_to, third.waived) == ("A10", (), (first.number, second.number))


@pytest.mark.parametrize("first", ["R12", "R16"])
def test_one_person_cannot_vouch_for_an_address_that_takes_two(first):
    content, to = (mail(To=UNVERIFIED), (UNVERIFIED,)) if first == "R12" else (mail(), (A0, UNVERIFIED))
    refusal = decided(content, to=to)
    assert (refusal.rule, refusal.waiver) == (first, Waiver.ONE)
    further = decided(content, to=to, waived=frozenset({refusal.number}))
    assert (further.rule, further.waiver) == ("R18", Waiver.TWO)
    both = decided(content, to=to, waived=frozenset({refusal.number, further.number}))
    assert (both.rule, both.recipients) == ("A10", to)


def test_a_stranger_in_bcc_takes_one_exception():
    number = decided(to=(A0, STRANGER)).number
    assert decided(to=(A0, STRANGER), waived=frozenset({number})).recipients == (A0, STRANGER)


def test_an_exception_names_who_is_shown_too():
    shown = decided(mail(Cc=STRANGER))
    other = decided(mail(Cc="y@gmail.example"), waived=frozenset({shown.number}))
    assert (shown.rule, other.rule) == ("R14", "R14")


def test_pressing_send_again_gives_the_same_number():
    content = mail(Cc=STRANGER)
    assert decided(content, to=(A0, STRANGER)).reply == decided(content, to=(STRANGER, A0)).reply


def test_the_book_decides_not_the_name():
    assert decided(mail(To=f'"{A0}" <{STRANGER}>'), to=(STRANGER,)).rule == "R14"
    assert BOOK[A0][0] == POLICE_B
