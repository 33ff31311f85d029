"""What must hold for any bytes on the wire, in the channel's answers and under the shipped rules, asserted."""

import random
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from gateway.channel.refusals import MAX_LINE_OCTETS, REFUSALS, decision_number, line
from gateway.channel.resolve import address_key, addresses_of, resolve
from gateway.config import read_tree
from gateway.mail import return_path
from gateway.mail.scan import scan_header
from gateway.mail.thread import keys_of
from gateway.model.case import CaseState, CaseView, make_reference
from gateway.model.message import Text
from gateway.model.verdict import RuleFiles
from gateway.transport.data_reader import MAX_HEADER_BYTES, MAX_LINE_BYTES, DataReader
from gateway.transport.replies import Reply
from gateway.triage.classify import classify
from gateway.triage.ruleset import Ruleset, parse_ruleset

MAX_MESSAGE_BYTES = 100_000
RULES = Path(__file__).parents[2] / "rules"
MAILBOX = "247cp@institution.gov.example"
SECRET = b"fuzz"
OPENED = datetime(2026, 6, 1, tzinfo=UTC)
CASES = tuple(
    CaseView(
        reference=make_reference(SECRET, 2026, number),
        mailbox=MAILBOX,
        opened_at=OPENED,
        origin=f"247cp@c{number % 2}.example",
        state=CaseState.CLOSED if number == 3 else CaseState.OPEN,
        thread=(f"<{number}@c.example>",),
        thread_indexes=("01" * 22,) if number == 2 else (),
    )
    for number in (1, 2, 3)
)
"""Three cases of two counterparts; the seeds of `channel` name them."""
_PLACEHOLDER = re.compile(r"{(\w+)}")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")


def wire_read(content: bytes) -> None:
    """In pieces of any size the same message is read or refused, and it is the one a reader of lines sees.

    Which of two faults is named depends on where the pieces end: the first that is found.
    """
    chance = random.Random(content[:64])
    whole = _fed([content])
    cuts = sorted(chance.randrange(len(content) + 1) for _ in range(min(len(content), 40)))
    pieces = _fed([content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)])
    assert (whole[1] is None) == (pieces[1] is None)
    assert (whole[0], *whole[2:]) == (pieces[0], *pieces[2:])
    text, refusal, done, rest = whole
    if not done:
        return
    written, end, after = (b"\r\n" + content).partition(b"\r\n.\r\n")
    assert (end, after) == (b"\r\n.\r\n", rest)
    expected = b"".join(one.removeprefix(b".") + b"\r\n" for one in written.split(b"\r\n")[1:])
    if refusal is None:
        assert text == expected
        assert _BARE.search(expected) is None
    if len(expected) <= min(MAX_LINE_BYTES, MAX_MESSAGE_BYTES, MAX_HEADER_BYTES) and _BARE.search(expected):
        assert refusal is Reply.BARE_LINE_END


def _fed(pieces: list[bytes]) -> tuple[bytes, Reply | None, bool, bytes]:
    """Text, refusal, whether the end was found, and what came behind it; of a refused message the text does not count."""
    written: list[bytes] = []
    reader = DataReader(written.append, max_bytes=MAX_MESSAGE_BYTES)
    rest = b""
    for piece in pieces:
        if reader.done:
            rest += piece
        else:
            reader.feed(piece)
    text = b"" if reader.refusal else b"".join(written)
    return text, reader.refusal, reader.done, reader.rest + rest


def answer_resolved(content: bytes) -> None:
    """A case found is one of the candidates; a tag alone binds only where its counterpart takes part; one answer of four."""
    header, _, _ = scan_header(content)
    recipients = tuple(one.value.decode("utf-8", "surrogateescape") for one in header.all("to"))
    keys = keys_of(header, recipients)
    found = resolve(keys, CASES, recipients=recipients, secret=SECRET)
    assert sum(map(bool, (found.case, found.conflict, found.several, found.unbound))) <= 1
    named = {*found.conflict, *found.several, *found.unbound, *((found.case.reference,) if found.case else ())}
    assert named <= {one.reference for one in CASES}
    if found.by in {"tag", "address"}:
        assert found.case is not None
        assert addresses_of(found.case).intersection(map(address_key, recipients))
    for recipient in recipients:
        assert return_path.read(SECRET, recipient, mailbox=MAILBOX, today=20_000) is None
    _refused(keys.message_id or "", recipients)


def _refused(sender: str, recipients: tuple[str, ...]) -> None:
    for rule, (code, text) in REFUSALS.items():
        number = decision_number(rule, None, sender, recipients)
        names = {
            name: recipients if name in {"found", "cases"} else " ".join(recipients)
            for name in _PLACEHOLDER.findall(text)
        }
        said = line(rule, number, **names)
        assert said.startswith(f"{code} {'HELD' if code.startswith('2') else 'NOT SENT'}: ")
        assert said.endswith(f" [{number}]")
        assert len(said) <= MAX_LINE_OCTETS
        assert said.isascii()
        assert said.isprintable()


@cache
def shipped_rules() -> Ruleset:
    return parse_ruleset(RuleFiles(read_tree(str(RULES))))


def text_judged(content: bytes) -> None:
    """Any words have one classification, the same again; of encrypted mail it holds no words."""
    subject, _, body = content.decode("utf-8", "replace").partition("\n")
    text = Text(
        subject=subject, headings=tuple(body.split("\n", 3)[:2]), body=body, quoted=body[:200], filenames=(subject,)
    )

    def judged(*, encrypted: bool) -> object:
        return classify(
            text,
            ruleset=shipped_rules(),
            kind=None,
            own_addresses=(MAILBOX,),
            sender_domain="police.gov.b.example",
            encrypted=encrypted,
        )

    found, sealed = judged(encrypted=False), judged(encrypted=True)
    assert found == judged(encrypted=False)
    assert (found.category, found.urgent, found.score) == (sealed.category, sealed.urgent, sealed.score)
    assert not any(hit.text for hit in sealed.hits)
    assert all(hit.offset >= 0 and len(hit.text) <= 120 for hit in found.hits)
