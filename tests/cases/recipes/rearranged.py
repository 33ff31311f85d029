"""Messages whose OpenPGP form was changed on the way, or whose fields say inside something else than outside (ATTACKS 5, P13, P22)."""

from collections.abc import Callable

from dkim_signer import COVERS
from letters import (
    BX,
    FIELDS,
    OURS,
    PRESERVE,
    STRANGER,
    SY,
    THANKS,
    ciphertext,
    dkim,
    mail,
    multipart,
    part,
    sealed,
    signature,
    signed,
    text,
)

PROTECTED = ("From", "To", "Subject", "Date", "Message-ID")
REQUEST = "Request for expedited preservation of stored computer data, Article 29"


def protected(words: str = PRESERVE, *, hidden: dict[str, str] | None = None, legacy: str = "", **fields: str) -> bytes:
    """A text entity with the letter's fields inside; `hidden` is what stands outside instead, where it will be encrypted."""
    inside = {name: fields.get(name.replace("-", "_"), FIELDS[name]) for name in PROTECTED} | {
        name.replace("_", "-"): value for name, value in fields.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in inside.items())
    lines += "".join(f"HP-Outer: {name}: {value}\r\n" for name, value in (hidden or {}).items())
    how = f'hp="{"clear" if hidden is None else "cipher"}"' + ('; hp-legacy-display="1"' if legacy else "")
    return lines.encode() + text(legacy + words, kind=f"text/plain; charset=utf-8; {how}")


def attached(armored: bytes) -> bytes:
    return part('application/pgp-signature; name="signature.asc"', armored)


def honest(entity: bytes, **fields: str) -> bytes:
    return dkim(mail(entity, **fields))


PLACEHOLDER = {"Subject": "[...]"}
QUOTING = f"Subject: {REQUEST}\nFrom: {FIELDS['From']}\nDate: {FIELDS['Date']}\n\n"

MESSAGES: dict[str, Callable[[], bytes]] = {
    # P22: signed mail that a gateway made multipart/mixed, or whose parameters it lost
    "mangled-signed": lambda: honest(multipart("mixed", text(), attached(signature(text())))),
    "mangled-signed-changed": lambda: honest(multipart("mixed", text(), attached(signature(text() + b" \r\n")))),
    "mangled-signed-impostor": lambda: honest(multipart("mixed", text(), attached(signature(text(), "impostor")))),
    "mangled-signed-footer": lambda: honest(
        multipart("mixed", text(), attached(signature(text())), text("-- \nlist footer\n"))
    ),
    "mangled-signed-preamble": lambda: honest(
        multipart("mixed", text(THANKS), attached(signature(text(THANKS))), preamble=PRESERVE.replace("\n", "\r\n"))
    ),
    "mangled-signed-no-protocol": lambda: honest(
        signed(text()).replace(b'micalg=pgp-sha512; protocol="application/pgp-signature"; ', b"")
    ),
    # P13: fields inside and outside
    "protected-agrees": lambda: honest(signed(protected())),
    "protected-from-differs": lambda: honest(signed(protected(From=f"24/7 Syldavia <{SY}>"))),
    "protected-from-differs-sealed": lambda: honest(
        sealed(ciphertext(protected(From=f"Officer <{STRANGER}>", hidden={"From": FIELDS["From"]})))
    ),
    "protected-from-name-differs": lambda: honest(signed(protected(From=f"Borduria <{BX}>"))),
    "protected-to-differs": lambda: honest(signed(protected(To=SY))),
    "protected-date-differs": lambda: honest(signed(protected(Date="Fri, 05 Jun 2026 08:00:00 +0000"))),
    "protected-reply-to-lost": lambda: honest(signed(protected(Reply_To=BX))),
    "protected-reply-to-agrees": lambda: dkim(
        mail(signed(protected(Reply_To=BX)), Reply_To=BX), h=f"{COVERS}:reply-to"
    ),
    "protected-hidden": lambda: honest(
        sealed(ciphertext(protected(THANKS, Subject=REQUEST, hidden=PLACEHOLDER))), Subject="[...]"
    ),
    "protected-hidden-not-as-sent": lambda: honest(
        sealed(ciphertext(protected(Subject=REQUEST, hidden=PLACEHOLDER))), Subject="No action needed"
    ),
    "protected-hidden-in-signed": lambda: honest(
        sealed(ciphertext(signed(protected(THANKS, Subject=REQUEST, hidden=PLACEHOLDER)), by=None)), Subject="[...]"
    ),
    "protected-legacy-display": lambda: honest(
        sealed(ciphertext(protected(Subject=REQUEST, hidden=PLACEHOLDER, legacy=QUOTING))), Subject="[...]"
    ),
    "protected-legacy-display-of-another": lambda: honest(
        sealed(ciphertext(protected(THANKS, To=OURS, hidden=PLACEHOLDER, legacy=f"{REQUEST}\n\n"))), Subject="[...]"
    ),
}
