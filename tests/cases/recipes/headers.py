"""Messages whose header lies about who writes, or is no header at all (ATTACKS 3, 4 A14, 7 H3)."""

from collections.abc import Callable

from letters import BX, FIELDS, OURS, STRANGER, THANKS, crlf, dkim, mail, text

HONEST = FIELDS["From"]
OFFICER = f"Officer <{STRANGER}>"


def from_officer(value: str | bytes, **more: str) -> bytes:
    """A letter with this From, honestly signed by the mail server of post.example."""
    return dkim(mail(text(), From=value, **more), by="stranger")


def without_header() -> bytes:
    return crlf(b"\nplease preserve the account r.finch@mailbridge.example\n")


MESSAGES: dict[str, Callable[[], bytes]] = {
    # exactly one From
    "from-two-fields-contact-first": lambda: dkim(mail(text(), From=[HONEST, OFFICER]), by="stranger"),
    "from-two-fields-contact-last": lambda: dkim(mail(text(), From=[OFFICER, HONEST]), by="stranger"),
    "from-two-fields-contact-signs": lambda: b"From: " + OFFICER.encode() + b"\r\n" + dkim(mail(text())),
    "from-two-fields-blank-before-colon": lambda: b"From : " + OFFICER.encode() + b"\r\n" + dkim(mail(text())),
    "from-two-addresses": lambda: from_officer(f"{BX}, {STRANGER}"),
    "from-group": lambda: from_officer(f"Contact points: {BX};"),
    "from-none": lambda: dkim(mail(text(), From=None), h="to:subject:date"),
    "from-empty": lambda: mail(text(), From=""),
    # one address, or none that can be read
    "from-comment": lambda: from_officer(f"{BX} ({STRANGER})"),
    "from-route": lambda: from_officer(f"<@post.example:{BX}>"),
    "from-two-at": lambda: from_officer(f"<{BX}@post.example>"),
    "from-quoted-at": lambda: from_officer(f'"{BX}"@post.example'),
    "from-encoded-address": lambda: from_officer("=?utf-8?q?247cp=40police=2Egov=2Eb=2Eexample?="),
    "from-nul": lambda: from_officer(b"247cp@police.gov.b.example\x00@post.example"),
    "from-full-width": lambda: from_officer("247cp＠police.gov.b.example <officer@post.example>"),
    "from-full-width-address": lambda: from_officer("247cp＠police.gov.b.example"),
    "from-trailing-dot": lambda: dkim(mail(text(), From=f"<{BX}.>")),
    "from-upper-case": lambda: dkim(mail(text(), From=f"Duty Officer <{BX.upper()}>")),
    "from-folded": lambda: dkim(mail(text(), From=f"24/7 Contact Point\r\n Borduria\r\n <{BX}>")),
    # another address that looks like it
    "look-alike-domain": lambda: dkim(
        mail(text(), From="247cp@pоlice.gov.b.example"), by="stranger", d="xn--plice-jye.gov.b.example"
    ),
    "look-alike-one-letter": lambda: dkim(
        mail(text(), From="247cp@polise.gov.b.example"), by="stranger", d="polise.gov.b.example"
    ),
    "look-alike-neighbour": lambda: dkim(
        mail(text(), From="247cp@customs.gov.b.example"), by="stranger", d="customs.gov.b.example"
    ),
    "look-alike-zero-width": lambda: from_officer("247cp@police\u200b.gov.b.example"),
    "look-alike-display-name": lambda: from_officer(f'"{BX}" <{STRANGER}>'),
    "look-alike-encoded-name": lambda: from_officer(
        f"=?utf-8?q?24/7_=3C247cp=40police=2Egov=2Eb=2Eexample=3E?= <{STRANGER}>"
    ),
    "look-alike-encoded-line": lambda: from_officer(
        f"=?utf-8?q?x=0D=0AFrom:_247cp=40police=2Egov=2Eb=2Eexample?= <{STRANGER}>"
    ),
    "look-alike-subdomain": lambda: dkim(mail(text(), From="247cp@intranet.police.gov.b.example")),
    "look-alike-longer-domain": lambda: from_officer("247cp@police.gov.b.example.post.example"),
    "look-alike-plus": lambda: dkim(mail(text(), From="247cp+duty@police.gov.b.example")),
    "look-alike-quoted-local": lambda: dkim(mail(text(), From='"247cp"@police.gov.b.example')),
    # header injection
    "injection-bare-lf": lambda: from_officer(OFFICER, Subject="Our letter\nFrom: 247cp@police.gov.b.example"),
    "injection-bare-cr": lambda: from_officer(OFFICER, Subject="Our letter\rFrom: 247cp@police.gov.b.example"),
    "injection-encoded": lambda: from_officer(
        OFFICER, Subject="=?utf-8?q?Our_letter=0D=0AFrom:_247cp=40police.gov.b.example?="
    ),
    "injection-no-colon": lambda: b"this line is no field\r\n" + dkim(mail(text())),
    # fields beside From
    "sender-contact": lambda: from_officer(OFFICER, Sender=BX),
    "sender-stranger": lambda: dkim(mail(text(), Sender=STRANGER)),
    "sender-contact-forged": lambda: mail(text(), Sender=STRANGER),
    "resent-from-contact": lambda: from_officer(OFFICER, Resent_From=BX, Resent_To=OURS),
    # singletons
    "singleton-subject-twice": lambda: dkim(mail(text(), Subject=["Our letter of today", "Another letter"])),
    "singleton-subject-added": lambda: b"Subject: Withdrawn\r\n" + dkim(mail(text())),
    "singleton-to-twice": lambda: dkim(mail(text(), To=[OURS, "other@institution.gov.example"])),
    "singleton-content-type-twice": lambda: b"Content-Type: text/html\r\n" + dkim(mail(text())),
    "singleton-received-twice": lambda: b"Received: from a.test\r\nReceived: from b.test\r\n" + dkim(mail(text())),
    # hardly a message
    "hardly-empty": lambda: b"",
    "hardly-header-only": lambda: mail(b""),
    "hardly-body-only": without_header,
    "hardly-line-feeds": lambda: dkim(mail(text())).replace(b"\r\n", b"\n"),
    "hardly-many-fields": lambda: dkim(mail(text())).replace(
        b"MIME-Version", b"X-Many: 1\r\n" * 1000 + b"MIME-Version"
    ),
    # words in the header
    "words-subject-unknown-charset": lambda: dkim(mail(text(), Subject="=?x-nobody-knows?q?preservation?=")),
    "words-subject-unterminated": lambda: dkim(mail(text(), Subject="=?utf-8?q?preservation of")),
    "words-subject-long": lambda: dkim(mail(text(), Subject="preserve " + "x" * 5000)),
    "words-subject-latin-1": lambda: dkim(mail(text(), Subject=b"Pr\xe9servation \x1b[31m urgente")),
    "words-subject-thousand": lambda: dkim(mail(text(), Subject="\r\n ".join(["=?utf-8?q?=70reserve?="] * 1000))),
    "words-subject-encoded": lambda: dkim(
        mail(
            text(THANKS),
            Subject="=?utf-8?q?Request_for_expedited_preservation_of_?=\r\n =?utf-8?b?c3RvcmVkIGNvbXB1dGVyIGRhdGE=?=",
        )
    ),
    "words-subject-thanks": lambda: dkim(mail(text(THANKS))),
    # dates and ids
    "date-none": lambda: dkim(mail(text(), Date=None)),
    "date-absurd": lambda: dkim(mail(text(), Date="Mon, 99 Foo 0000 99:99:99 +9999")),
    "date-future": lambda: dkim(mail(text(), Date="Fri, 01 Jan 2038 00:00:00 +0000")),
    "message-id-none": lambda: dkim(mail(text(), Message_ID=None)),
    "message-id-twice": lambda: dkim(mail(text(), Message_ID=["<1@police.gov.b.example>", "<2@police.gov.b.example>"])),
    "message-id-odd": lambda: dkim(mail(text(), Message_ID='<">\t<x@y>@police.gov.b.example>')),
}
