"""Whether an authenticated domain is aligned with From (DMARC, RFC 9989): policy discovery, tree walk, alignment.

Never uses a public suffix list, never applies a policy (the disposition is decided elsewhere), and never says `fail` while a
check that could still align has not been answered.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from gateway.errors import DnsUnavailable
from gateway.model.message import Message
from gateway.model.trust import AuthResult, Method, Result
from gateway.trust.resolver import NXDOMAIN, Questions

MAX_QUERIES = 8
POLICIES = ("none", "quarantine", "reject")
"""Weakest first; `t=y` lowers by one (RFC 9989 section 4.7)."""


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """One DMARC Policy Record where it was found (RFC 9989 section 4.7); unknown tags are ignored, `pct` among them."""

    domain: str
    policy: str = "none"
    subdomains: str | None = None
    """sp="""
    nonexistent: str | None = None
    """np="""
    strict_dkim: bool = False
    strict_spf: bool = False
    suffix: str = "u"
    """psd=, one of u, y, n."""
    testing: bool = False
    usable: bool = True
    """False: a policy tag is invalid and nobody wants reports, DMARC does not apply (RFC 9989 section 4.10.1)."""


class Aligned(Enum):
    """Whether one identifier is aligned; not knowing is an answer of its own."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def check_dmarc(message: Message, *, spf: AuthResult, dkim: tuple[AuthResult, ...], questions: Questions) -> AuthResult:
    """DMARC result; identity is the author domain, the reason of a `fail` is the policy that would apply.

    `none` when From is not exactly one address or no policy record applies; `temperror` when DNS, or a check whose domain is
    aligned, was not answered.
    """
    if message.sender is None:
        return AuthResult(Method.DMARC, Result.NONE, None, "from-not-one")
    author = message.sender.domain
    try:
        record = discover(author, questions=questions)
    except DnsUnavailable:
        return AuthResult(Method.DMARC, Result.TEMPERROR, author, "dns")
    if record is None:
        return AuthResult(Method.DMARC, Result.NONE, author, "no-record")
    if not record.usable:
        return AuthResult(Method.DMARC, Result.NONE, author, "record-invalid")
    word = _judge(author, record, results=(*dkim, spf), questions=questions)
    reasons = {Result.PASS: "", Result.TEMPERROR: "dns"}
    reason = reasons[word] if word in reasons else f"policy-{_policy(author, record, questions)}"
    return AuthResult(Method.DMARC, word, author, reason)


def aligned(domain: str, author: str) -> bool:
    """Whether a domain is the author domain itself: all that can be known where no policy record was found."""
    return domain.lower() == author.lower()


def organizational_domain(name: str, questions: Questions) -> str:
    """Organizational Domain of a name by the DNS tree walk (RFC 9989 section 4.10.2); raises DnsUnavailable."""
    start = name.lower()
    found = _walk(start, questions)
    for record in found:
        if record.suffix == "n":
            return record.domain
        if record.suffix == "y" and record.domain != start:
            return _one_label_below(start, record.domain)
    shortest = found[-1].domain if found else start
    if "." not in shortest and shortest != start:
        # Narrower than RFC 9989 on purpose: a top-level domain that forgot psd=y must not align all its domains with each other.
        return _one_label_below(start, shortest)
    return shortest


def discover(author: str, *, questions: Questions) -> PolicyRecord | None:
    """The policy record that applies to an author domain (RFC 9989 section 4.10.1), None if there is none; raises DnsUnavailable.

    Preference: the author domain's own, its Organizational Domain's, its public suffix domain's.
    """
    start = author.lower()
    own = _record(start, questions)
    if own is not None:
        return own
    found = _walk(start, questions)
    if not found:
        return None
    organizational = organizational_domain(start, questions)
    return next((one for one in found if one.domain == organizational), found[-1])


def parse_record(domain: str, text: str) -> PolicyRecord | None:
    """The record if it is one of DMARC version 1, else None (RFC 9989 section 4.8); syntax errors behind v= become defaults."""
    version, *rest = text.split(";")
    name, _, value = version.partition("=")
    if name.rstrip() != "v" or value.strip() != "DMARC1":
        return None
    tags: dict[str, str] = {}
    for one in rest:
        name, _, value = one.partition("=")
        tags.setdefault(name.strip().lower(), value.strip())
    given = {name: tags[name].lower() for name in ("p", "sp", "np") if name in tags}
    valid = all(value in POLICIES for value in given.values())
    return PolicyRecord(
        domain=domain,
        policy=given.get("p", "none") if valid else "none",
        subdomains=given.get("sp") if valid else None,
        nonexistent=given.get("np") if valid else None,
        strict_dkim=tags.get("adkim", "").lower() == "s",
        strict_spf=tags.get("aspf", "").lower() == "s",
        suffix=tags.get("psd", "u").lower(),
        testing=tags.get("t", "").lower() == "y",
        usable=valid or any(uri.strip().lower().startswith("mailto:") for uri in tags.get("rua", "").split(",")),
    )


def _walk(start: str, questions: Questions) -> list[PolicyRecord]:
    """Records on the way up, longest name first; ends at psd=y or psd=n (RFC 9989 section 4.10)."""
    found = []
    for name in _targets(start):
        record = _record(name, questions)
        if record is None:
            continue
        found.append(record)
        if record.suffix in {"y", "n"}:
            break
    return found


def _record(name: str, questions: Questions) -> PolicyRecord | None:
    """The record of one name; several are none (RFC 9989 section 4.10 step 2)."""
    answer = questions.txt(f"_dmarc.{name}")
    records = [one for text in answer.values if (one := parse_record(name, text))]
    return records[0] if len(records) == 1 else None


def _targets(start: str) -> Iterator[str]:
    yield start
    labels = start.split(".")
    labels = labels[-(MAX_QUERIES - 1) :] if len(labels) >= MAX_QUERIES else labels[1:]
    while labels:
        yield ".".join(labels)
        labels = labels[1:]


def _one_label_below(start: str, suffix: str) -> str:
    labels = start.split(".")
    return ".".join(labels[-(suffix.count(".") + 2) :])


def _judge(author: str, record: PolicyRecord, *, results: tuple[AuthResult, ...], questions: Questions) -> Result:
    unsure = False
    for one in results:
        if one.result not in {Result.PASS, Result.TEMPERROR} or one.identity is None:
            continue
        strict = record.strict_dkim if one.method is Method.DKIM else record.strict_spf
        alignment = _alignment(one.identity.lower(), author.lower(), strict=strict, questions=questions)
        if alignment is Aligned.YES and one.result is Result.PASS:
            return Result.PASS
        unsure = unsure or alignment is not Aligned.NO
    return Result.TEMPERROR if unsure else Result.FAIL


def _alignment(domain: str, author: str, *, strict: bool, questions: Questions) -> Aligned:
    if domain == author:
        return Aligned.YES
    if strict:
        return Aligned.NO
    try:
        organization = organizational_domain(author, questions)
        # A name outside the author's organization has another one: strangers' DNS is not asked, its silence means nothing.
        inside = domain == organization or domain.endswith(f".{organization}")
        same = inside and organizational_domain(domain, questions) == organization
    except DnsUnavailable:
        return Aligned.UNKNOWN
    return Aligned.YES if same else Aligned.NO


def _policy(author: str, record: PolicyRecord, questions: Questions) -> str:
    policy = record.policy
    if record.domain != author.lower():
        policy = record.subdomains or policy
        if record.nonexistent and not _exists(author, questions):
            policy = record.nonexistent
    step = 1 if record.testing else 0
    return POLICIES[max(POLICIES.index(policy) - step, 0)]


def _exists(name: str, questions: Questions) -> bool:
    """Whether a domain exists in the sense of RFC 8020; while DNS is silent it does."""
    try:
        return questions.a(name).status != NXDOMAIN
    except DnsUnavailable:
        return True
