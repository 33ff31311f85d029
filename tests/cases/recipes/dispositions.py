"""Messages for each row of the disposition table, each beside a twin that falls into another row."""

from collections.abc import Callable
from datetime import UTC, datetime

from letters import (
    BX,
    EMERGENCY,
    FIELDS,
    PRESERVE,
    STRANGER,
    SUBSCRIBER,
    SY,
    THANKS,
    ciphertext,
    dkim,
    mail,
    sealed,
    signed,
    text,
)

BX_DESK = "desk@police.gov.b.example"
OFFICER = {"From": f"Officer <{STRANGER}>"}
JUSTICE = {"From": f"24/7 Contact Point Syldavia <{SY}>"}

MESSAGES: dict[str, Callable[[], bytes]] = {
    # listed, signed
    "accept-signed": lambda: dkim(mail(signed(text()))),
    "accept-listed": lambda: dkim(mail(text())),
    "accept-listed-subscriber-info": lambda: dkim(mail(text(SUBSCRIBER))),
    "accept-listed-other": lambda: dkim(mail(text(THANKS))),
    "accept-encrypted": lambda: dkim(mail(sealed(ciphertext(text())))),
    "accept-encrypted-unsigned": lambda: dkim(mail(sealed(ciphertext(text(), by=None)))),
    # domain, none
    "accept-domain": lambda: dkim(mail(text(), **OFFICER), by="stranger"),
    "accept-none": lambda: mail(text(), **OFFICER),
    "accept-unverified-address": lambda: dkim(mail(text(), From=BX_DESK)),
    "accept-unverified-address-signed": lambda: dkim(mail(signed(text()), From=BX_DESK)),
    # forged-contact, unproved-contact
    "forged-contact": lambda: mail(text()),
    "forged-contact-policy-none": lambda: mail(text()),
    "forged-contact-broken-dkim": lambda: dkim(mail(text())).replace(b"r.finch@", b"s.finch@"),
    "forged-contact-impostor-signed": lambda: mail(signed(text(), "impostor")),
    "forged-contact-other-dkim": lambda: dkim(mail(text()), by="stranger"),
    "unproved-contact": lambda: mail(text()),
    "unproved-contact-dkim": lambda: dkim(mail(text())),
    "unproved-contact-parent-dkim": lambda: dkim(mail(text()), d="gov.b.example"),
    # wrong-key
    "wrong-key-impostor": lambda: dkim(mail(signed(text(), "impostor"))),
    "wrong-key-other-contact": lambda: dkim(mail(signed(text(), "sy-justice"))),
    "wrong-key-text-changed": lambda: dkim(mail(signed(text(), written=text(PRESERVE.replace("r.finch", "s.finch"))))),
    "wrong-key-encrypted": lambda: dkim(mail(sealed(ciphertext(text(), by="impostor")))),
    # signed-but-unauthenticated
    "replay": lambda: mail(signed(text())),
    "replay-emergency": lambda: mail(signed(text(EMERGENCY))),
    # dns
    "dns-silent-first-try": lambda: dkim(mail(text())),
    "dns-silent-last-try": lambda: dkim(mail(text())),
    "dns-silent-but-signed": lambda: dkim(mail(signed(text()))),
    "dns-silent-but-emergency": lambda: dkim(mail(text(EMERGENCY))),
    "dns-silent-but-emergency-last-try": lambda: dkim(mail(text(EMERGENCY))),
    "dns-silent-for-spf-only": lambda: dkim(mail(text())),
    "dns-times-out": lambda: dkim(mail(text())),
    # below-minimum
    "below-minimum": lambda: dkim(mail(text(), **JUSTICE), by="sy-justice"),
    "below-minimum-signed": lambda: dkim(mail(signed(text(), "sy-justice"), **JUSTICE), by="sy-justice"),
    # emergency
    "emergency-listed": lambda: dkim(mail(text(EMERGENCY))),
    "emergency-signed": lambda: dkim(mail(signed(text(EMERGENCY)))),
    "emergency-encrypted": lambda: dkim(mail(sealed(ciphertext(text(EMERGENCY))))),
    "emergency-domain": lambda: dkim(mail(text(EMERGENCY), **OFFICER), by="stranger"),
    "emergency-forged": lambda: mail(text(EMERGENCY)),
    "emergency-two-from": lambda: dkim(mail(text(EMERGENCY), From=[FIELDS["From"], f"Officer <{STRANGER}>"])),
    "emergency-wrong-key": lambda: dkim(mail(signed(text(EMERGENCY), "impostor"))),
    # states of key and contact
    "contact-expired": lambda: dkim(mail(signed(text(), at=datetime(2028, 1, 2, 9, tzinfo=UTC)))),
    "contact-expired-not-yet": lambda: dkim(mail(signed(text(), at=datetime(2027, 12, 30, 9, tzinfo=UTC)))),
    "repeated": lambda: dkim(mail(text())),
    "mail-from-differs": lambda: dkim(mail(text())),
    "mail-from-differs-signed": lambda: dkim(mail(signed(text()))),
    "from-liaison": lambda: dkim(mail(text(), From=f"liaison@{BX.rpartition('@')[2]}")),
}
