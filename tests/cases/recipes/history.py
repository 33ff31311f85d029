"""Letters that differ from earlier mail of the same address, as envelope.json tells it (`history`), or from nothing."""

from collections.abc import Callable

from letters import dkim, mail, signed, text


def unsigned() -> bytes:
    return dkim(mail(text()))


def signed_letter() -> bytes:
    return dkim(mail(signed(text())))


MESSAGES: dict[str, Callable[[], bytes]] = {
    "history-key-as-ever": signed_letter,
    "history-key-change": signed_letter,
    "history-key-nobody-pinned": lambda: dkim(mail(signed(text(), "impostor"))),
    "history-signature-dropped": unsigned,
    "history-seldom-signed": unsigned,
    "history-signature-dropped-in-a-forgery": lambda: mail(text()),
    "history-first-contact": unsigned,
    "history-encryption-dropped": signed_letter,
    "history-selector-changed": unsigned,
    "history-zone-changed": lambda: dkim(mail(text(), Date="Mon, 15 Jun 2026 04:59:30 -0500")),
}
