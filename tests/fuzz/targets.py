"""Every reader that is fuzzed: what must hold, how long one input may take, and where its seeds come from."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gateway.mail.scan import scan, scan_header
from gateway.mail.text import read

from . import mail_claims, road_claims, trust_claims

HERE = Path(__file__).parent
TESTS = HERE.parent
SECONDS = 0.25
"""CPU time that one input of up to 64 KiB may take; larger ones in proportion."""
BLOCK_BYTES = 65_536


class TooSlow(AssertionError):
    """One input took more CPU time than its size allows, twice."""


@dataclass(frozen=True, slots=True)
class Target:
    """One reader under test."""

    claim: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    max_bytes: int = 16_384
    share: int = 1
    """Part of the time, in relation to the others."""

    def check(self, content: bytes, *, patience: float = 1.0) -> None:
        """Assert everything about one input, its time included; `patience` multiplies the time."""
        allowed = SECONDS * patience * (1 + len(content) // BLOCK_BYTES)
        # Whatever is read for the first time, or what the machine does meanwhile, is not the input's fault.
        if self._took(content) > allowed and (took := self._took(content)) > allowed:
            raise TooSlow(f"{len(content)} octets took {took:.2f} s, {allowed:.2f} s are allowed")

    def _took(self, content: bytes) -> float:
        start = time.process_time()
        self.claim(content)
        return time.process_time() - start


@cache
def mails() -> tuple[bytes, ...]:
    """Every message file of the tests, each once."""
    return tuple({path.read_bytes(): None for path in sorted(TESTS.rglob("*.eml"))})


def _text_values(name: str) -> Iterator[bytes]:
    """TXT records of the zones of all cases whose name has that label."""
    for path in (*sorted(TESTS.glob("cases/**/zone.json")), TESTS / "data" / "dkim" / "cases.json"):
        yield from _texts(json.loads(path.read_text(encoding="utf-8")), name)


def _texts(node: object, name: str) -> Iterator[bytes]:
    if isinstance(node, list):
        for one in node:
            yield from _texts(one, name)
    if isinstance(node, dict):
        for key, value in node.items():
            if name in key and isinstance(value, list):
                yield from (_joined(one["TXT"]) for one in value if isinstance(one, dict) and "TXT" in one)
            else:
                yield from _texts(value, name)


def _joined(text: str | list[str]) -> bytes:
    return (text if isinstance(text, str) else "".join(text)).encode("utf-8")


def _files(folder: str) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((HERE / "seeds" / folder).iterdir()))


def _values(*names: str) -> Iterator[bytes]:
    """Values of these fields in every message file."""
    for content in mails():
        header, _, _ = scan_header(content)
        yield from (one.value for name in names for one in header.all(name))


def _words() -> Iterator[bytes]:
    """Subject and body of every message file, as the rules see them."""
    for content in mails():
        text = read(scan(content))
        yield f"{text.subject}\n{text.body}".encode("utf-8", "replace")


def _html() -> Iterator[bytes]:
    yield from _files("html")
    yield from (content for content in mails() if b"<html" in content.lower())


def _wire() -> Iterator[bytes]:
    yield from _files("data_reader")
    yield from (content + b".\r\nQUIT\r\n" for content in mails())


def _armored() -> Iterator[bytes]:
    for content in mails():
        start = content.find(b"-----BEGIN PGP ")
        if start >= 0:
            yield content[start:]


TARGETS = {
    "scan": Target(mail_claims.scanned, mails, max_bytes=32_768, share=3),
    "parse": Target(mail_claims.parsed, mails, max_bytes=32_768, share=2),
    "text": Target(mail_claims.text_read, mails, max_bytes=32_768, share=2),
    "html": Target(mail_claims.html_read, _html, share=2),
    "addresses": Target(mail_claims.addresses_read, lambda: _values("from", "to", "cc", "reply-to"), max_bytes=2048),
    "outgoing": Target(mail_claims.sent_out, mails),
    "status": Target(trust_claims.status_read, lambda: _files("status"), max_bytes=4096, share=2),
    "packets": Target(trust_claims.packets_read, _armored, max_bytes=8192),
    "dkim_key": Target(trust_claims.key_read, lambda: _text_values("_domainkey"), max_bytes=4200),
    "dmarc": Target(trust_claims.policy_read, lambda: _text_values("_dmarc"), max_bytes=1024),
    "signature_fields": Target(trust_claims.signature_fields_read, mails, max_bytes=32_768),
    "results": Target(trust_claims.results_written, lambda: _values("from", "received", "subject"), max_bytes=2048),
    "data_reader": Target(road_claims.wire_read, _wire, max_bytes=100_000),
    "channel": Target(road_claims.answer_resolved, lambda: _files("channel"), max_bytes=4096),
    "classify": Target(road_claims.text_judged, _words, max_bytes=8192, share=2),
}
"""Name -> target; a found crasher lies in crashers/NAME."""


def crashers(name: str) -> tuple[Path, ...]:
    """Inputs on which that target once failed."""
    folder = HERE / "crashers" / name
    return tuple(sorted(folder.iterdir())) if folder.exists() else ()
