"""What must hold for any bytes in the room `trust`, asserted."""

from datetime import UTC, datetime

from gateway.errors import GpgUnavailable
from gateway.mail.authres import field
from gateway.mail.scan import scan, scan_header
from gateway.model.message import Field
from gateway.model.trust import AuthResult, Method, Result
from gateway.trust.dkim_key import MAX_BITS, MIN_BITS, Key, Refused, parse_key
from gateway.trust.dkim_signature import canonicalizations_of, host_of, names_of, read_tags
from gateway.trust.dmarc import POLICIES, parse_record
from gateway.trust.openpgp_packets import Armor, dearmor, packets, recipient_ids, serialized
from gateway.trust.status import deciphered, read_status, signatures_of
from gateway.trust.wrapping import wrapped

SIGNER = "0123456789ABCDEF0123456789ABCDEF01234567"
"""Primary fingerprint that counts as pinned; seeds of status lines name it."""
AT = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
DEADLY = (b"BADSIG", b"ERRSIG", b"EXPSIG", b"EXPKEYSIG", b"REVKEYSIG", b"NODATA", b"UNEXPECTED", b"BADARMOR", b"ERROR")


def status_read(content: bytes) -> None:
    """Good signatures need their three lines, a pinned key, exit status 0, and no word against any of them."""
    try:
        lines = read_status(content)
    except GpgUnavailable:
        return
    assert (
        b"".join(b" ".join((b"[GNUPG:]", _latin(one.keyword), *map(_latin, one.words))) + b"\n" for one in lines)
        == content
    )
    deciphered(lines)
    for packets_given in (None, 0, 1, 2):
        for rc in (0, 2):
            found = signatures_of(lines, rc=rc, packets=packets_given, pinned=frozenset({SIGNER}), at=AT)
            good = [one for one in found if one.result is Result.PASS]
            if good and len(good) == len(found):
                _is_proved(content, len(found), rc)
            assert all(one.fingerprint == SIGNER and one.pinned for one in good)


def _is_proved(content: bytes, count: int, rc: int) -> None:
    words = [line.split(b" ")[1] for line in content.split(b"\n") if line]
    valid = [line.split(b" ") for line in content.split(b"\n") if line.startswith(b"[GNUPG:] VALIDSIG ")]
    assert rc == 0
    assert words.count(b"NEWSIG") >= count
    assert words.count(b"GOODSIG") <= len(valid) <= words.count(b"NEWSIG")
    assert any(line[11] == SIGNER.encode() for line in valid)
    assert not set(DEADLY).intersection(words)


def _latin(text: str) -> bytes:
    return text.encode("latin-1")


def packets_read(content: bytes) -> None:
    """Framing is read whole or refused; what is written anew is read alike."""
    for kind in Armor:
        try:
            dearmor(content, kind)
        except ValueError:
            continue
    try:
        found = list(packets(content))
    except ValueError:
        return
    assert list(packets(b"".join(map(serialized, found)))) == [type(one)(one.tag, one.body) for one in found]
    try:
        names = recipient_ids(content)
    except ValueError:
        return
    assert all(len(one) == 16 for one in names)


def key_read(content: bytes) -> None:
    """A key of a size that can be trusted and checked quickly, or one word."""
    key = parse_key(content.decode("latin-1"))
    if isinstance(key, Key):
        assert MIN_BITS <= key.bits <= MAX_BITS or key.kind == b"ed25519"
        assert b"p" in content
    else:
        assert isinstance(key, Refused)
        assert key.reason.replace("-", "").isalpha()


def policy_read(content: bytes) -> None:
    """Only what says DMARC1 first is a record, and its policies are of the closed set."""
    text = content.decode("latin-1")
    record = parse_record("b.example", text)
    if record is None:
        return
    assert text.replace(" ", "").replace("\t", "")[:2] == "v=" or not text.isascii() or not text.isprintable()
    assert "DMARC1" in text.partition(";")[0]
    assert {record.policy, record.subdomains or "none", record.nonexistent or "none"} <= set(POLICIES)


def signature_fields_read(content: bytes) -> None:
    """Tags of DKIM and ARC fields are read or are none; how the message is wrapped is always said."""
    message = scan(content)
    wrapped(message)
    for one in message.header.fields:
        tags = read_tags(Field(name=one.name, raw=one.raw, start=one.start))
        if tags is None:
            continue
        host = host_of(tags.get(b"d", b""), labels=2)
        assert host is None or (host.isascii() and host == host.lower() and len(host) <= 253)
        names_of(tags.get(b"h", b""))
        canonicalizations_of(tags)


def results_written(content: bytes) -> None:
    """Whatever stands in a result, the field stays one field of short lines."""
    text = content.decode("utf-8", "surrogateescape")
    identity, _, reason = text.partition(";")
    results = tuple(AuthResult(method, Result.FAIL, identity, reason, selector=reason) for method in Method)
    written = field("gw.institution.gov.example", results)
    header, body_start, defects = scan_header(written + b"\r\n")
    assert not defects
    assert [one.name for one in header.fields] == ["Authentication-Results"]
    assert body_start == len(written) + 2
    assert max(map(len, written.split(b"\r\n"))) <= 998
