"""Messages that want the answer to go elsewhere (ATTACKS 7); what an officer may answer is tested in tests/channel."""

from collections.abc import Callable

from letters import BX, FIELDS, OURS, PRESERVE, STRANGER, SY, ciphertext, dkim, mail, sealed, signed, text

ELSEWHERE = "247cp@attacker.test"
SIGNED_REPLY_TO = "from:to:subject:date:message-id:mime-version:content-type:reply-to"


def honest(**fields: str | list[str] | None) -> bytes:
    return dkim(mail(text(), **fields))


MESSAGES: dict[str, Callable[[], bytes]] = {
    "reply-to-none": honest,
    "reply-to-elsewhere": lambda: honest(Reply_To=ELSEWHERE),
    "reply-to-itself": lambda: honest(Reply_To=f"Duty Officer <{BX}>"),
    "reply-to-liaison": lambda: dkim(mail(text(), Reply_To="liaison@police.gov.b.example"), h=SIGNED_REPLY_TO),
    "reply-to-liaison-not-covered": lambda: honest(Reply_To="liaison@police.gov.b.example"),
    "reply-to-other-contact": lambda: dkim(mail(text(), Reply_To=SY), h=SIGNED_REPLY_TO),
    "reply-to-two": lambda: honest(Reply_To=f"{BX}, {ELSEWHERE}"),
    "reply-to-group": lambda: honest(Reply_To="undisclosed-recipients:;"),
    "reply-to-ourselves": lambda: honest(Reply_To=OURS),
    "reply-to-twice": lambda: honest(Reply_To=[BX, ELSEWHERE]),
    "reply-to-contact-from-stranger": lambda: dkim(
        mail(text(), From=f"Officer <{STRANGER}>", Reply_To=BX), by="stranger"
    ),
    "target-fields": lambda: honest(
        Errors_To=ELSEWHERE,
        Return_Receipt_To=ELSEWHERE,
        Disposition_Notification_To=ELSEWHERE,
        Mail_Followup_To=ELSEWHERE,
        X_Original_From=ELSEWHERE,
        Mail_Reply_To=ELSEWHERE,
    ),
    "target-return-path": lambda: f"Return-Path: <{ELSEWHERE}>\r\n".encode() + honest(),
    "addressed-to-us": honest,
    "addressed-in-cc": lambda: honest(To=SY, Cc=OURS),
    "addressed-blind": lambda: honest(To=SY),
    "addressed-undisclosed": lambda: honest(To="undisclosed-recipients:;"),
    "addressed-to-look-alike": lambda: honest(To="247cp@institution.gov.exampie"),
    "text-asks-for-elsewhere": lambda: dkim(mail(text(PRESERVE + f"\nPlease answer to {ELSEWHERE} only.\n"))),
    "floor-encrypted": lambda: dkim(mail(sealed(ciphertext(text())))),
    "floor-signed": lambda: dkim(mail(signed(text()))),
    "floor-plain": honest,
    "thread-own-case": lambda: honest(In_Reply_To="<our.answer@gw.institution.gov.example>"),
    "thread-case-of-another": lambda: dkim(
        mail(
            signed(text(), "sy-justice"), From=f"Syldavia <{SY}>", In_Reply_To="<our.answer@gw.institution.gov.example>"
        ),
        by="sy-justice",
    ),
    "thread-forged": lambda: mail(text(), In_Reply_To="<our.answer@gw.institution.gov.example>"),
    "thread-tag-of-nobody": lambda: honest(Subject=f"Re: [247CP-2026-000007-AAAA] {FIELDS['Subject']}"),
    "thread-tag-own": lambda: honest(Subject=f"Re: [247CP-2026-000007-CHNR] {FIELDS['Subject']}"),
    "thread-tag-of-another": lambda: dkim(
        mail(
            signed(text(), "sy-justice"),
            From=f"Syldavia <{SY}>",
            Subject=f"Re: [247CP-2026-000007-CHNR] {FIELDS['Subject']}",
        ),
        by="sy-justice",
    ),
}
