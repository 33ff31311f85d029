"""Messages that a machine wrote, or that want to make ours write (ATTACKS 6), with humans' letters beside."""

from collections.abc import Callable

from letters import OURS, STRANGER, THANKS, crlf, dkim, mail, multipart, part, signed, text

OFFICER = f"Officer <{STRANGER}>"
STATUS = b"Reporting-MTA: dns; mail.police.gov.b.example\r\n\r\nFinal-Recipient: rfc822; x@police.gov.b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"


def honest(words: str = THANKS, **fields: str | list[str]) -> bytes:
    return dkim(mail(text(words), **fields))


def report(kind: str, machine_part: bytes) -> bytes:
    return multipart(f"report; report-type={kind}", text("Your message could not be delivered.\n"), machine_part)


MESSAGES: dict[str, Callable[[], bytes]] = {
    "machine-none": honest,
    "machine-null-sender": honest,
    "machine-null-sender-request": lambda: dkim(mail(text())),
    "machine-delivery-report": lambda: dkim(mail(report("delivery-status", part("message/delivery-status", STATUS)))),
    "machine-delivery-report-with-sender": lambda: dkim(
        mail(report("delivery-status", part("message/delivery-status", STATUS)))
    ),
    "machine-read-receipt": lambda: dkim(
        mail(
            report(
                "disposition-notification",
                part("message/disposition-notification", b"Disposition: manual-action; displayed\r\n"),
            )
        )
    ),
    "machine-abuse-report": lambda: dkim(
        mail(report("feedback-report", part("message/feedback-report", b"Feedback-Type: abuse\r\n")))
    ),
    "machine-dmarc-report": lambda: honest(
        Subject="Report domain: institution.gov.example Submitter: post.example Report-ID: <1>"
    ),
    "machine-out-of-office": lambda: honest(
        "I am out of the office until Monday.\n", Subject="Automatic reply: your letter", Auto_Submitted="auto-replied"
    ),
    "machine-out-of-office-subject-only": lambda: honest(
        "I am out of the office until Monday.\n", Subject="Automatic reply: your letter"
    ),
    "machine-auto-generated": lambda: honest(Auto_Submitted="auto-generated; owner=x"),
    "machine-auto-submitted-no": lambda: honest(Auto_Submitted="no"),
    "machine-auto-submitted-comment": lambda: honest(Auto_Submitted="(really) No (human)"),
    "machine-precedence-bulk": lambda: honest(Precedence="bulk"),
    "machine-precedence-first-class": lambda: honest(Precedence="first-class"),
    "machine-list": lambda: honest(List_Id="<247cp.police.gov.b.example>"),
    "machine-loop": lambda: honest(X_Loop=OURS),
    "machine-mailer-daemon": lambda: dkim(mail(text(THANKS), From="MAILER-DAEMON@police.gov.b.example")),
    "machine-noreply-request": lambda: dkim(mail(text(), From="noreply@post.example"), by="stranger"),
    "machine-emergency": lambda: dkim(mail(text(), Auto_Submitted="auto-generated")),
    "suppressed-contact": lambda: dkim(mail(text(), X_Auto_Response_Suppress="All")),
    "suppressed-stranger": lambda: dkim(mail(text(), From=OFFICER, X_Auto_Response_Suppress="All"), by="stranger"),
    "own-address": lambda: mail(text(), From=OURS),
    "own-receipt-comes-back": lambda: dkim(
        mail(text(THANKS), Subject="Undeliverable: Auto: receipt [247CP-2026-000042-K7QA]")
    ),
    # R5: what a receipt must not carry
    "receipt-subject-is-template": lambda: dkim(
        mail(text(), Subject="{{ settings.secret }} {% for x in range(9999999) %}")
    ),
    "receipt-subject-injects": lambda: dkim(mail(text(), Subject="=?utf-8?q?x=0D=0ABcc:_attacker=40attacker.test?=")),
    "receipt-subject-of-5000": lambda: dkim(mail(text(), Subject="x" * 5000)),
    "receipt-name-injects": lambda: dkim(
        mail(text(), From="=?utf-8?q?Borduria=0D=0ABcc:_attacker=40attacker.test?= <247cp@police.gov.b.example>")
    ),
    "receipt-message-id-injects": lambda: dkim(mail(text(), Message_ID='<x"{{7*7}}%s\\@police.gov.b.example>')),
    "receipt-many-references": lambda: dkim(
        mail(text(), References="\r\n ".join(f"<{number}@police.gov.b.example>" for number in range(500)))
    ),
    "receipt-signed-request": lambda: dkim(mail(signed(text()))),
    "receipt-html-only": lambda: dkim(mail(part("text/html", crlf(b"<p>Please preserve the account</p>\n")))),
}
