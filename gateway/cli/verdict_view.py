"""A verdict for a human's eyes: every result with identity and reason, and what no signature covers."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.mail.decode import printable
from gateway.mail.scan import scan
from gateway.model.message import Arrival, Message
from gateway.model.outcome import Verdict
from gateway.model.trust import AuthResult, Checks, Method, Result
from gateway.model.verdict import Classification, Trace
from gateway.triage.oddities import ACTED_ON, uncovered

COLOURS = {
    Result.PASS: "green",
    Result.FAIL: "red",
    Result.PERMERROR: "red",
    Result.POLICY: "red",
    Result.SOFTFAIL: "yellow",
    Result.TEMPERROR: "yellow",
}
SIGNATURES = frozenset({Method.DKIM, Method.OPENPGP})


def plain(text: str) -> str:
    """Foreign text made harmless for a terminal: no control characters, no markup."""
    return escape(printable(text).replace("\n", " "))


def show_verdict(console: Console, verdict: Verdict, arrival: Arrival, *, file: str) -> None:
    """Print one verdict."""
    found = verdict.classification
    console.rule(f"[bold]{plain(file)}[/]", align="left")
    table = Table.grid(padding=(0, 2))
    for name, value in _facts(verdict):
        table.add_row(f"[dim]{name}[/]", value)
    console.print(table)
    for one in verdict.signals:
        console.print(f"[bold yellow]{one.reason.value}[/] {plain(one.detail)}")
    console.print(_results(verdict.results))
    for line in _coverage(scan(arrival.content), verdict.results):
        console.print(line)
    if found.hits:
        console.print(_hits(found))
    if found.trace is not None:
        show_trace(console, found.trace)
    for name, value in _content(found):
        console.print(f"[dim]{name}[/] {value}")


def show_trace(console: Console, trace: Trace) -> None:
    """Print what each category came to, what weighed most by experience, and the rules that nearly hit with what stopped them."""
    table = Table(
        "category", "score", "threshold", "needs, not met", "", box=None, header_style="dim", padding=(0, 2, 0, 0)
    )
    for one in trace.weighings:
        outcome = "reached" if one.reached else "taken away" if one.score >= one.threshold and not one.lacking else ""
        table.add_row(
            one.category.value, f"{one.score:g}", f"{one.threshold:g}", "; ".join(one.lacking) or "-", outcome
        )
    console.print(table)
    if trace.signs:
        heading = ("by experience", "emergency", "preservation", "subscriber-info")
        learnt = Table(*heading, box=None, header_style="dim", padding=(0, 2, 0, 0))
        for sign in trace.signs:
            learnt.add_row(plain(sign.sign), *(f"{added:+.2f}" for added in sign.adds))
        console.print(learnt)
    near = Table("nearly", "place", "stopped by", "text", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for miss in trace.misses:
        near.add_row(miss.rule, miss.place.value, miss.stopped_by.value, plain(miss.text))
    if trace.misses:
        console.print(near)


def _facts(verdict: Verdict) -> Iterator[tuple[str, str]]:
    found = verdict.classification
    category = found.category.value + "".join(f", also {one.value}" for one in found.secondary)
    yield (
        "category",
        f"[bold]{category}[/]{'  URGENT' if found.urgent else ''}  (kind {found.kind.value}, score {found.score:g})",
    )
    yield (
        "assurance",
        f"[bold]{verdict.assurance.value}[/]" + (f"  (From names {plain(verdict.contact)})" if verdict.contact else ""),
    )
    yield "disposition", f"{verdict.disposition.value}  {', '.join(reason.value for reason in verdict.reasons)}"
    receipt = verdict.receipt
    yield "receipt", receipt.level.value if receipt.send else f"none: {receipt.reason.value if receipt.reason else ''}"
    yield "language", found.language or "unknown"


def _results(results: tuple[AuthResult, ...]) -> Table:
    table = Table("check", "result", "identity", "reason", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for one in results:
        colour = COLOURS.get(one.result, "default")
        table.add_row(
            one.method.value, f"[{colour}]{one.result.value}[/]", plain(one.identity or ""), plain(one.reason)
        )
    return table


def _coverage(message: Message, results: tuple[AuthResult, ...]) -> Iterator[str]:
    """What each good signature covers, what none covers, and what is no signature to us; one line each."""
    for one in results:
        if one.method is Method.SMIME:
            yield "S/MIME: unsupported, treated as unsigned"
        if one.method in SIGNATURES and one.result is Result.PASS:
            # OpenPGP covers fields only where they stand inside what is signed (RFC 9788); DKIM those it lists.
            names = [name for name in ACTED_ON if name in one.covers and message.header.first(name) is not None]
            yield f"[dim]{one.method.value} {plain(one.identity or '')} covers[/] {', '.join(['the body', *names])}"
    left_out = uncovered(message, Checks(results=results))
    yield f"[dim]no signature covers[/] {', '.join(left_out) or '-'}"


def _hits(found: Classification) -> Table:
    table = Table("rule", "place", "score", "text", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for hit in found.hits:
        table.add_row(hit.rule, hit.place.value, f"{hit.score:g}", plain(hit.text))
    return table


def _content(found: Classification) -> Iterator[tuple[str, str]]:
    if found.missing:
        yield "missing", ", ".join(found.missing)
    for one in found.identifiers:
        yield one.kind, plain(one.value)
    if found.reference:
        yield "reference", plain(found.reference)
    if found.mla_intended is not None:
        yield "MLA request", "announced" if found.mla_intended else "declined"
    if found.preservation_days is not None:
        yield "period asked for", f"{found.preservation_days} days"
