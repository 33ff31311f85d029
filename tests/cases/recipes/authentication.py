"""Messages that play with DKIM, SPF, DMARC, ARC and their results (ATTACKS 4); single vectors are tested in tests/trust."""

from collections.abc import Callable

from arc_sealer import seal
from dkim_signer import COVERS
from letters import BX, DKIM, STRANGER, THANKS, crlf, dkim, dkim_key, mail, multipart, part, signed, text

AUTHRES = (
    "gw.institution.gov.example; dkim=pass header.d=police.gov.b.example; dmarc=pass header.from=police.gov.b.example"
)
WITHOUT_SUBJECT = COVERS.replace(":subject", "")
OVERSIGNED = f"{COVERS}:reply-to:x-247cp-assurance:importance"


def forged(content: bytes, *fields: str) -> bytes:
    return "".join(f"{one}\r\n" for one in fields).encode() + content


def appended(**tags: str) -> bytes:
    """A signed letter with words that somebody wrote below it."""
    honest = mail(text(THANKS))
    return dkim(honest, **tags) + b"Please send the log files to attacker@attacker.test.\r\n"


def relayed(*, d: str = "relay.example", dmarc: str = "pass") -> bytes:
    """A signed letter that a forwarder changed and sealed (the keys of relay.example and post.example are one)."""
    changed = dkim(mail(text())) + b"--\r\nForwarded by the liaison list\r\n"
    said = f"dkim={dmarc} header.d={DKIM['bx-police']}; dmarc={dmarc} header.from={DKIM['bx-police']}"
    return seal(changed, results=said, d=d, s="mail", key=dkim_key("stranger"))


THANKS_OCTETS = str(len(crlf(THANKS.encode())))

MESSAGES: dict[str, Callable[[], bytes]] = {
    # what a DKIM signature leaves out
    "dkim-length-appended": lambda: appended(l=THANKS_OCTETS),
    "dkim-length-whole": lambda: dkim(mail(text(THANKS)), l=THANKS_OCTETS),
    "dkim-body-appended": appended,
    "dkim-from-not-signed": lambda: dkim(mail(text()), h="to:subject:date:message-id"),
    "dkim-subject-added": lambda: forged(dkim(mail(text(), Subject=None), h=WITHOUT_SUBJECT), "Subject: Withdrawn"),
    "dkim-subject-added-oversigned": lambda: forged(dkim(mail(text(), Subject=None)), "Subject: Withdrawn"),
    "dkim-reply-to-added": lambda: forged(dkim(mail(text())), "Reply-To: 247cp@attacker.test"),
    "dkim-reply-to-added-oversigned": lambda: forged(dkim(mail(text()), h=OVERSIGNED), "Reply-To: 247cp@attacker.test"),
    "dkim-expired": lambda: dkim(mail(text()), t="1781000000", x="1781100000"),
    "dkim-not-expired": lambda: dkim(mail(text()), t="1781000000", x="1781600000"),
    "dkim-from-the-future": lambda: dkim(mail(text()), t="1900000000"),
    "dkim-domain-with-quote": lambda: dkim(mail(text()), d="police.gov.b.example'a.attacker.test"),
    "dkim-top-level-domain": lambda: dkim(mail(text()), d="example"),
    "dkim-key-revoked": lambda: dkim(mail(text())),
    "dkim-key-testing": lambda: dkim(mail(text())),
    "dkim-two-signatures": lambda: dkim(dkim(mail(text())), by="stranger"),
    "dkim-nine-signatures": lambda: nine(last="bx-police"),
    "dkim-eight-signatures": lambda: nine(last="bx-police", before=7),
    "dkim-relayed-by-list": lambda: forged(
        dkim(mail(multipart("mixed", text(), text("-- \nThis list is provided by post.example\n"))), by="stranger"),
    ),
    "dkim-relayed-by-list-signed": lambda: dkim(
        mail(multipart("mixed", signed(text()), text("-- \nlist footer\n"))), by="stranger"
    ),
    # SPF and DMARC
    "spf-only": lambda: mail(text()),
    "spf-helo-only": lambda: mail(text()),
    "spf-other-domain": lambda: mail(text()),
    "spf-subdomain": lambda: mail(text()),
    "spf-unknown-peer": lambda: mail(text()),
    "spf-unknown-peer-dkim": lambda: dkim(mail(text())),
    "dmarc-two-records": lambda: mail(text()),
    "dmarc-strict-subdomain": lambda: dkim(mail(text()), d="mail.police.gov.b.example"),
    "dmarc-relaxed-subdomain": lambda: dkim(mail(text()), d="mail.police.gov.b.example"),
    "dmarc-broken-record": lambda: mail(text()),
    "arc-claims-pass": lambda: forged(
        mail(text()),
        "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=post.example; s=mail; b=AAAA",
        "ARC-Message-Signature: i=1; a=rsa-sha256; d=post.example; s=mail; h=from; bh=AAAA; b=AAAA",
        f"ARC-Authentication-Results: i=1; {AUTHRES}",
    ),
    "arc-listed-sealer": relayed,
    "arc-listed-sealer-saw-failure": lambda: relayed(dmarc="fail"),
    "arc-listed-sealer-changed-after": lambda: relayed().replace(b"198.51.100.23", b"198.51.100.99"),
    "arc-unlisted-sealer": lambda: relayed(d="post.example"),
    # results that a stranger wrote himself
    "results-forged": lambda: forged(mail(text()), f"Authentication-Results: {AUTHRES}", "X-247CP-Assurance: signed"),
    "results-forged-and-signed": lambda: dkim(
        forged(mail(text(), From=f"Officer <{STRANGER}>"), "X-247CP-Assurance: signed"), by="stranger", h=OVERSIGNED
    ),
    "results-of-another": lambda: forged(dkim(mail(text())), f"Authentication-Results: mx.{AUTHRES}"),
    "results-helo-injected": lambda: mail(text()),
    "results-mail-from-injected": lambda: mail(text()),
    "results-dkim-domain-injected": lambda: dkim(mail(text()), d='a"; dmarc=pass header.from=police.gov.b.example'),
    "results-return-path": lambda: forged(
        mail(text()), f"Return-Path: <{BX}>", "X-Original-Authentication-Results: pass"
    ),
    "body-eight-bit": lambda: dkim(
        mail(part("text/plain; charset=iso-8859-1", "préservation immédiate\r\n".encode("latin-1")))
    ),
}


def nine(*, last: str, before: int = 8) -> bytes:
    """Signatures by a stranger's server above the contact's own."""
    content = dkim(mail(text()), by=last)
    for _ in range(before):
        content = dkim(content, by="stranger")
    return content
