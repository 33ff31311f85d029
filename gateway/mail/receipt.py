"""Writes automatic receipts: header fields as CHANNEL C asks, and a text from the administrator's template.

Never quotes the request: a template sees the facts of ReceiptContext and nothing else. Decides nothing; whether a receipt
leaves is the policy's business.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gateway.mail import compose
from gateway.mail.compose import Fields
from gateway.mail.thread import fields_of_thread
from gateway.model.verdict import Category, Kind, Level

MAX_TEMPLATE_CHARS = 16_384
MAX_TEXT_CHARS = 16_384
MAX_LOOPS = 2
"""Loops in each other."""
MAX_FILTERS = 4
"""Filters applied to each other."""
MAX_SEPARATOR_CHARS = 12

FILTERS = ("default", "first", "join", "last", "length", "lower", "map", "trim", "upper")
"""Filters a template may use; none of them makes much out of little."""
SYNTAX = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Tuple,
    nodes.List, nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.Test, nodes.Filter, nodes.Keyword,
    nodes.Not, nodes.And, nodes.Or,
)  # fmt: skip
"""Syntax a template may use: no assignment, call, macro, import, arithmetic or concatenation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptContext:
    """All a template may say; each field is a name in it."""

    reference: str
    level: Level
    category: Category
    kind: Kind
    urgent: bool
    received_at: str
    """UTC, RFC 3339: 2026-05-05T09:00:00Z."""
    received_local: str
    """The same moment in the contact point's time zone, with its offset."""
    sha256: str
    message_id: str
    """Of the request, '' when it had none."""
    missing: tuple[tuple[str, str], ...]
    """Checklist items not found: id and name in the receipt's language."""
    phone: str
    contact_point_name: str
    country: str
    preservation_days: int
    """National period."""
    preservation_until: str
    """Date, RFC 3339."""
    mla_intended: bool | None
    sla: str = ""
    """When a first human answer is to be expected, in words; '' when nothing is promised."""


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


_ENVIRONMENT = _environment()
_NAMES = frozenset(one.name for one in fields(ReceiptContext))


def compile_check(template: str) -> None:
    """Returns when the template may be used; raises ValueError naming the line and what is wrong with it."""
    _compiled(template)


@lru_cache(maxsize=64)
def _compiled(template: str) -> Template:
    """The checked template; kept, because to compile one costs more than all else about a receipt."""
    if len(template) > MAX_TEMPLATE_CHARS:
        raise ValueError(f"the template has more than {MAX_TEMPLATE_CHARS} characters")
    try:
        # Before compiling: the compiler works out constants, and 'a' * 10**10 would fill the memory there.
        tree = _ENVIRONMENT.parse(template)
        _check_syntax(tree)
        compiled = _ENVIRONMENT.from_string(template)
    except TemplateError as error:
        raise ValueError(f"line {getattr(error, 'lineno', None) or 1}: {error}") from error
    except RecursionError as error:
        raise ValueError("brackets stand in each other too deep") from error
    unknown = sorted(meta.find_undeclared_variables(tree) - _NAMES)
    if unknown:
        raise ValueError(f"unknown name {unknown[0]}; a receipt knows {', '.join(sorted(_NAMES))}")
    return compiled


def render(template: str, *, context: ReceiptContext) -> str:
    """The text of a receipt, printable lines ended by LF.

    Raises ValueError for a template that may not be used, fails, or says nothing or too much.
    """
    compiled = _compiled(template)
    facts = {one.name: getattr(context, one.name) for one in fields(context)}
    try:
        text = _bounded(compiled.generate(facts))
    except (TemplateError, TypeError, AttributeError, LookupError) as error:
        raise ValueError(f"the template fails: {error}") from error
    lines = [
        (line if line.isprintable() else "".join(filter(str.isprintable, line))).rstrip() for line in text.splitlines()
    ]
    body = "\n".join(lines).strip("\n")
    if not body:
        raise ValueError("the template says nothing")
    return body + "\n"


def receipt_fields(
    *,
    name: str,
    mailbox: str,
    to: str,
    reference: str,
    at: datetime,
    hostname: str,
    request_key: str,
    in_reply_to: str | None,
    references: tuple[str, ...] = (),
) -> Fields:
    """The header fields of a receipt, in order; `to` is the verified From address of the request, never its Reply-To.

    The Message-ID is the same whenever the same request is receipted. `at` is UTC, `request_key` hexadecimal digits.
    """
    return (
        ("From", compose.mailbox(name, mailbox)),
        ("To", compose.mailbox("", to)),
        # Against RFC 3834 section 3.1.5 on purpose: the subject of the request may be secret.
        ("Subject", f"Auto: receipt [{reference}]"),
        ("Date", format_datetime(at)),
        ("Message-ID", message_id(reference, request_key=request_key, hostname=hostname)),
        *fields_of_thread(in_reply_to, references),
        ("Auto-Submitted", "auto-replied"),
        # Not All and not NDR: Exchange would keep back the notice that this receipt failed (MS-OXCMAIL).
        ("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"),
        ("MIME-Version", "1.0"),
    )


def message_id(reference: str, *, request_key: str, hostname: str) -> str:
    """Message-ID of the receipt for a request, with angle brackets."""
    return f"<rcpt.{reference}.{request_key[:16]}@{hostname}>"


def _check_syntax(tree: nodes.Template) -> None:
    for node, loops, filters in _walk(tree, loops=0, filters=0):
        allowed = isinstance(node, SYNTAX) and loops <= MAX_LOOPS and filters <= MAX_FILTERS
        if not allowed or (isinstance(node, nodes.Filter) and not _multiplies_little(node)):
            raise ValueError(f"line {node.lineno}: {type(node).__name__} is not allowed here")


def _multiplies_little(node: nodes.Filter) -> bool:
    """A long separator between the letters of a long text, joined again, would fill the memory."""
    if node.name not in ("join", "map"):
        return True
    values = (*node.args, *(one.value for one in node.kwargs))
    return all(isinstance(one, nodes.Const) and len(str(one.value)) <= MAX_SEPARATOR_CHARS for one in values)


def _walk(node: nodes.Node, *, loops: int, filters: int) -> Iterator[tuple[nodes.Node, int, int]]:
    """All nodes below, with the number of loops and of filters around each, itself counted."""
    loops += isinstance(node, nodes.For)
    filters += isinstance(node, nodes.Filter)
    yield node, loops, filters
    for child in node.iter_child_nodes():
        yield from _walk(child, loops=loops, filters=filters)


def _bounded(pieces: Iterable[str]) -> str:
    text = ""
    for piece in pieces:
        text += piece
        if len(text) > MAX_TEXT_CHARS:
            raise ValueError(f"the receipt has more than {MAX_TEXT_CHARS} characters")
    return text
