"""The seven scenes of the demonstration: what comes in, what should happen, and whether it did."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, make_msgid

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from gateway.cli.demo import letters
from gateway.cli.demo.foreign import Foreign
from gateway.cli.demo.stage import Stage, value
from gateway.cli.verdict_view import plain
from gateway.mail.compose import message, text_entity

QUIET_SECONDS = 1.0
"""How long we listen for a receipt that must not come."""

Step = tuple[str, str, bool]
"""What is looked at, what was found, whether it is as it should be."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One mail and its consequences."""

    title: str
    story: str
    play: Callable[[Stage], Iterator[Step]]


def tell(console: Console, number: int, scene: Scene, stage: Stage) -> bool:
    """Play a scene and show it; whether all of it went as it should."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    good = True
    for what, found, right in scene.play(stage):
        good = good and right
        table.add_row("[green]ok[/]" if right else "[red]NO[/]", f"[dim]{what}[/]", plain(found))
    console.print(
        Panel(
            table,
            title=f"[bold]{number}. {scene.title}[/]",
            title_align="left",
            subtitle=scene.story,
            subtitle_align="left",
        )
    )
    return good


def _arrives(stage: Stage, sender: Foreign, content: bytes, *, peer: str, **expected: str) -> Iterator[Step]:
    """Send a request and look at the delivered message: the given X-247CP fields, and the bytes behind them."""
    identity = sender.identity
    reply = stage.send(content, mail_from=identity.mailbox, peer=peer, helo=f"mail.{identity.domain}")
    yield "over SMTP", f"{len(content)} octets from {peer}: {reply}", reply.startswith("250")
    delivered = stage.delivered()
    for name, wanted in expected.items():
        field = f"X-247CP-{name.title()}"
        found = value(delivered, field)
        yield f"delivered with {field}", found, found.partition(";")[0] == wanted or found == wanted
    yield (
        "its bytes",
        "exactly as sent, behind our block" if delivered.endswith(content) else "changed",
        delivered.endswith(content),
    )


def _receipt(stage: Stage, sender: Foreign, *, encrypted: bool, says: str) -> Iterator[Step]:
    """The receipt as the counterpart's own gpg sees it."""
    content = stage.relayed()
    opened, unsealed = sender.opened(content, by=stage.key)
    yield "receipt to", value(content, "To"), sender.identity.mailbox in value(content, "To")
    how = ("encrypted and " if unsealed.encrypted else "") + ("signed by our key" if unsealed.good else "NOT signed")
    yield "their gpg says", how, unsealed.good and unsealed.encrypted is encrypted
    text = letters.text_of(unsealed.content or opened.content)
    first = next((line for line in text.splitlines() if says.lower() in line.lower()), "")
    yield "it says", first or text[:200], bool(first)


def _silence(stage: Stage, why: str) -> Iterator[Step]:
    content = stage.relayed(wait=QUIET_SECONDS)
    yield "receipt", f"none: {why}" if not content else value(content, "Subject"), not content


def _preservation(stage: Stage) -> Iterator[Step]:
    borduria = stage.foreigners["bx-police"]
    content = borduria.signed(stage.mailbox, *letters.PRESERVATION)
    yield from _arrives(
        stage,
        borduria,
        content,
        peer=borduria.identity.address,
        Class="preservation",
        Assurance="signed",
        Disposition="accept",
    )
    yield from _receipt(stage, borduria, encrypted=False, says="preservation")


def _subscriber(stage: Stage) -> Iterator[Step]:
    theodoros = stage.foreigners["sx-fiscalia"]
    content = theodoros.encrypted(stage.mailbox, *letters.SUBSCRIBER, key=stage.key)
    stage.request_id = value(content, "Message-ID")
    yield from _arrives(
        stage,
        theodoros,
        content,
        peer=theodoros.identity.address,
        Class="subscriber-info",
        Assurance="signed",
        Disposition="accept",
    )
    yield from _receipt(stage, theodoros, encrypted=True, says="247CP-")


def _emergency(stage: Stage) -> Iterator[Step]:
    borduria = stage.foreigners["bx-police"]
    content = borduria.plain(stage.mailbox, *letters.EMERGENCY)
    yield from _arrives(
        stage,
        borduria,
        content,
        peer=borduria.identity.address,
        Class="emergency",
        Assurance="listed",
        Disposition="accept",
    )
    yield from _receipt(stage, borduria, encrypted=False, says="+000")


def _spoofed(stage: Stage) -> Iterator[Step]:
    borduria = stage.foreigners["bx-police"]
    content = borduria.forged(stage.mailbox, *letters.SPOOFED)
    yield from _arrives(stage, borduria, content, peer="203.0.113.66", Class="emergency", Assurance="none")
    yield from _silence(stage, "nobody is answered who did not prove himself")


def _absence(stage: Stage) -> Iterator[Step]:
    theodoros = stage.foreigners["sx-fiscalia"]
    content = theodoros.plain(stage.mailbox, *letters.ABSENCE, extra=(("Auto-Submitted", "auto-replied"),))
    yield from _arrives(stage, theodoros, content, peer=theodoros.identity.address, Class="other", Disposition="accept")
    yield from _silence(stage, "a machine is never answered")


def _answer(stage: Stage, body: str, *, to: str, cc: str = "") -> bytes:
    """What an officer's client writes: plain text, in reply to the encrypted request."""
    request = stage.request_id
    fields = [
        ("From", f"24/7 Contact Point of Syldavia <{stage.mailbox}>"),
        ("To", to),
        ("Subject", "Re: ..."),
        ("Date", format_datetime(datetime.now(UTC))),
        ("Message-ID", make_msgid(domain="duty-room.institution.gov.syldavia.example")),
        ("In-Reply-To", request),
        ("References", request),
        ("User-Agent", "Any Mail Client"),
    ]
    return message((*fields[:2], *((("Cc", cc),) if cc else ()), *fields[2:]), text_entity(body))


def _right_answer(stage: Stage) -> Iterator[Step]:
    theodoros = stage.foreigners["sx-fiscalia"]
    to = theodoros.identity.mailbox
    reply = stage.submit(_answer(stage, letters.ANSWER, to=to), rcpt_tos=(to,))
    yield "the officer presses Send", reply, reply.startswith("250")
    content = stage.relayed()
    _, unsealed = theodoros.opened(content, by=stage.key)
    how = ("encrypted and " if unsealed.encrypted else "NOT encrypted, ") + (
        "signed by our key" if unsealed.good else "NOT signed"
    )
    yield "their gpg says", how, unsealed.good and unsealed.encrypted
    yield "outside one reads", f"Subject: {value(content, 'Subject')}", "247CP-" in value(content, "Subject")
    threaded = stage.request_id in value(content, "In-Reply-To")
    yield "in their client", "stands below the request" if threaded else "stands alone", threaded
    readable = letters.ANSWER.splitlines()[0] in letters.text_of(unsealed.content or b"")
    yield "they read", letters.ANSWER.splitlines()[0] if readable else "something else", readable
    yield (
        "officer's client",
        "not named" if not value(content, "User-Agent") else value(content, "User-Agent"),
        not value(content, "User-Agent"),
    )


def _wrong_answer(stage: Stage) -> Iterator[Step]:
    theodoros = stage.foreigners["sx-fiscalia"]
    to, stranger = theodoros.identity.mailbox, "someone@webmail.example"
    reply = stage.submit(_answer(stage, letters.ANSWER, to=to, cc=stranger), rcpt_tos=(to, stranger))
    yield "the officer presses Send", "a colleague's private address is in Cc", True
    yield "the client shows", reply, reply.startswith("550") and "NOT SENT" in reply and stranger in reply
    content = stage.relayed(wait=QUIET_SECONDS)
    yield "what left", "nothing" if not content else value(content, "To"), not content


SCENES = (
    Scene("A signed preservation request", "Borduria asks; its key is pinned for its address", _preservation),
    Scene(
        "An encrypted subscriber request", "San Theodoros asks in Spanish; nobody on the way can read it", _subscriber
    ),
    Scene(
        "An unsigned emergency from a known contact",
        "DKIM proves the domain, the directory knows the address",
        _emergency,
    ),
    Scene("A forged emergency", "a stranger writes in Borduria's name", _spoofed),
    Scene("An out-of-office reply", "a machine quotes a request", _absence),
    Scene("The officer answers", "in clear, as every client can; the request was encrypted", _right_answer),
    Scene("The officer answers one too many", "the same answer, with a stranger in copy", _wrong_answer),
)
