"""Building blocks of the cases' messages: fields, MIME entities, DKIM and OpenPGP signatures, byte for byte.

Nothing of the gateway writes here: a fault of its composer could not hide behind itself. gpg runs in throw-away homes made from
tests/data/secrets.
"""

import atexit
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from dkim_signer import Key, sign

SECRETS = Path(__file__).parent.parent.parent / "data" / "secrets"
AT = datetime(2026, 6, 15, 9, 59, 30, tzinfo=UTC)
"""When the cases' letters are signed; they arrive half a minute later."""

BX = "247cp@police.gov.b.example"
SY = "247cp@justice.gov.s.example"
OURS = "247cp@institution.gov.example"
STRANGER = "officer@post.example"
DKIM = {"bx-police": "police.gov.b.example", "sy-justice": "justice.gov.s.example", "stranger": "post.example"}
"""Whose DKIM key -> d=."""

PRESERVE = """\
Dear colleagues,

we request the expedited preservation of stored computer data under Article 29 of the Budapest Convention.
Please preserve all log files and traffic data of the account r.finch@mailbridge.example and of the IP address 198.51.100.23.

Our reference: BX-4471/26
Duty officer, National Police of Borduria
"""
SUBSCRIBER = """\
Dear colleagues,

please provide subscriber information under Article 18 of the Budapest Convention: name, address, date of birth and means of
payment of the subscriber of the account lena.k@mailbridge.example, and the IP address used at registration. Offence: fraud.

Duty officer, National Police of Borduria
"""
EMERGENCY = """\
Dear colleagues,

emergency request: since last night two aid workers are held hostage by an armed group that threatens to kill them at 20:00 UTC.
Their life is in imminent danger. Please identify and locate at once the user of the account red.kestrel@mailbridge.example:
last log-ins with IP addresses and phone number.

Duty officer, National Police of Borduria
"""
THANKS = """\
Dear colleagues,

thank you for the pleasant conversation this morning.

Duty officer
"""
FIELDS = {
    "From": f"24/7 Contact Point Borduria <{BX}>",
    "To": OURS,
    "Subject": "Our letter of today",
    "Date": "Mon, 15 Jun 2026 09:59:30 +0000",
    "Message-ID": "<20260615.4471@police.gov.b.example>",
    "MIME-Version": "1.0",
}

Field = str | bytes | list[str] | None


def mail(entity: bytes, **fields: Field) -> bytes:
    """The usual fields, changed by name (`Reply_To`): None leaves one out, a list repeats it, bytes stay as they are."""
    given: dict[str, Field] = {**FIELDS, **{name.replace("_", "-"): value for name, value in fields.items()}}
    lines = [
        _line(name, one) for name, value in given.items() for one in (value if isinstance(value, list) else [value])
    ]
    return b"".join(lines) + entity


def _line(name: str, value: str | bytes | None) -> bytes:
    if value is None:
        return b""
    return name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"


def text(words: str = PRESERVE, *, kind: str = "text/plain; charset=utf-8", more: str = "") -> bytes:
    """A text entity; `more` are further fields, each with its CRLF."""
    return f"Content-Type: {kind}\r\n{more}\r\n".encode() + crlf(words.encode())


def multipart(kind: str, *parts: bytes, boundary: str = "=-b-=", preamble: str = "", close: bool = True) -> bytes:
    """An entity: its Content-Type field, an empty line, and the parts."""
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{preamble}'.encode()
    end = f"--{boundary}--\r\n".encode() if close else b""
    return head + b"".join(f"--{boundary}\r\n".encode() + one + b"\r\n" for one in parts) + end


def part(kind: str, content: bytes = b"x\r\n", *, more: str = "") -> bytes:
    """Any MIME part."""
    return f"Content-Type: {kind}\r\n{more}\r\n".encode() + content


def crlf(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def dkim(content: bytes, by: str = "bx-police", **tags: str) -> bytes:
    """The message behind a DKIM signature of that contact's mail server."""
    return sign(content, key=dkim_key(by), **{"d": DKIM[by], "s": "mail", **tags})


def signature(payload: bytes, *by: str, at: datetime = AT, more: tuple[str, ...] = ()) -> bytes:
    """Armored detached signature, or several in one armor."""
    users = [word for one in by or ("bx-police",) for word in ("--local-user", f"{_fingerprint(one)}!")]
    return crlf(gpg(*users, *more, "--armor", "--detach-sign", data=payload, at=at))


def signed(
    payload: bytes, *by: str, at: datetime = AT, more: tuple[str, ...] = (), written: bytes | None = None
) -> bytes:
    """multipart/signed (RFC 3156) over `payload`; `written` stands in its place without being what was signed."""
    return signed_by(written or payload, signature(payload, *by, at=at, more=more))


def signed_by(payload: bytes, armored: bytes) -> bytes:
    """multipart/signed of a given signature."""
    kind = 'signed; micalg=pgp-sha512; protocol="application/pgp-signature"'
    return multipart(kind, payload, part('application/pgp-signature; name="signature.asc"', armored), boundary="=-s-=")


def ciphertext(
    payload: bytes, *, to: str = "gateway", by: str | None = "bx-police", more: tuple[str, ...] = (), at: datetime = AT
) -> bytes:
    """Armored OpenPGP message, signed by `by` inside unless that is None."""
    who = ["--local-user", f"{_fingerprint(by)}!", "--sign"] if by else []
    return crlf(gpg(*who, *more, "--armor", "--encrypt", "--recipient", _fingerprint(to), data=payload, at=at))


def sealed(armored: bytes) -> bytes:
    """multipart/encrypted (RFC 3156) around an armored message."""
    control = part("application/pgp-encrypted", b"Version: 1\r\n")
    kind = 'encrypted; protocol="application/pgp-encrypted"'
    return multipart(kind, control, part('application/octet-stream; name="encrypted.asc"', armored), boundary="=-e-=")


def gpg(*args: str, data: bytes = b"", at: datetime = AT) -> bytes:
    """Output of gpg in a home that holds every secret key of the cases."""
    command = ["gpg", "--homedir", _home(), "--batch", "--quiet", "--no-tty", "--trust-model", "always"]
    command += ["--pinentry-mode", "loopback", "--passphrase", "", "--no-emit-version"]
    command += ["--faked-system-time", f"{int(at.timestamp())}!"]
    return subprocess.run([*command, *args], input=data, capture_output=True, check=True).stdout


@cache
def _home() -> str:
    home = tempfile.mkdtemp(prefix="cases-")
    Path(home, "gpg-agent.conf").write_text("disable-scdaemon\n", encoding="ascii")
    for one in sorted(SECRETS.glob("*.sec.asc")):
        subprocess.run(["gpg", "--homedir", home, "--batch", "--quiet", "--import", one], check=True)
    atexit.register(_remove, home)
    return home


def _remove(home: str) -> None:
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
    shutil.rmtree(home, ignore_errors=True)


@cache
def _fingerprint(name: str) -> str:
    """Primary fingerprint of a secret key; of our own the subkeys do the work."""
    listed = subprocess.run(
        ["gpg", "--homedir", _home(), "--batch", "--with-colons", "--show-keys", SECRETS / f"{name}.sec.asc"],
        capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))


@cache
def dkim_key(name: str) -> Key:
    return serialization.load_pem_private_key((SECRETS / f"{name}.dkim.pem").read_bytes(), password=None)
