"""Over random cases, threads, recipients, directories, rule files, relays and exceptions no answer leaves its channel."""

from dataclasses import replace

from channel_world import (
    A0,
    ALIAS,
    AT,
    CASE,
    COLLEAGUE,
    GOV_C,
    JOINT,
    MAILBOX,
    OTHER,
    OTHER_CONTACT,
    OUR_SUBKEY,
    PINNED_B,
    POLICE_B,
    REQUEST,
    REQUEST_ID,
    SECOND,
    SECRET,
    SETTINGS,
    STRANGER,
    SUBKEY_B,
    UNVERIFIED,
    address,
    book_of,
    decided,
    mail,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.channel.refusals import REFUSALS
from gateway.channel.resolve import resolve
from gateway.mail.scan import scan
from gateway.mail.thread import keys_of
from gateway.model.case import CaseState
from gateway.model.channel import Act, ChannelRules, Waiver
from gateway.model.trust import Protection, SigLevel, TlsLevel
from gateway.model.verdict import Withheld

PARTNER = "clerk@prosecution.example"
PROVIDER = "abuse@provider.example"
ADDRESSES = (
    PARTNER,
    PROVIDER,
    A0,
    JOINT,
    OTHER,
    UNVERIFIED,
    OTHER_CONTACT,
    STRANGER,
    COLLEAGUE,
    MAILBOX,
    ALIAS,
    "247CP@Police.gov.b.example",
)
INSIDE = {COLLEAGUE, MAILBOX, ALIAS, PARTNER}
"""Neither these nor partners, who are held to a verified hop, are recipients outside."""
NAMES_WHOM = frozenset({"R0", "R11", "R14", "R17", "R18", "H1"})
"""Rules whose exception says that an address nobody confirmed may be written to."""
MAY_LEAVE_THREAD = frozenset({"R0", "R11", "R12", "R13", "R14", "R17", "R18"})
PASSES = (Act.ALLOW, Act.UPGRADE)

rule_files = st.builds(
    ChannelRules,
    colleague_in_copy=st.booleans(),
    reply_all=st.booleans(),
    encrypted_without_tls=st.booleans(),
    provider_domains=st.sampled_from(((), ("provider.example",))),
)


def configured(delegates, partners, relay):
    point = replace(SETTINGS.contact_point, delegates=delegates, partner_domains=partners)
    return replace(SETTINGS, contact_point=point, outbound=replace(SETTINGS.outbound, relay_verified=relay))


configurations = st.builds(
    configured,
    st.sampled_from(((), ("j.doe",))),
    st.sampled_from((("prosecution.example",), ())),
    st.sampled_from((None, "smtp://127.0.0.1:10028")),
)
some = st.lists(st.sampled_from(ADDRESSES), max_size=4, unique=True)
protections = st.builds(Protection, sig=st.sampled_from(SigLevel), enc=st.booleans(), tls=st.sampled_from(TlsLevel))
addresses = st.lists(
    st.builds(address, st.sampled_from((A0, JOINT, OTHER, UNVERIFIED)), verified=st.booleans(), joint=st.booleans()),
    max_size=4,
    unique_by=lambda one: one.address.key,
).map(tuple)
keys = st.sampled_from(
    ((), (PINNED_B,), (replace(PINNED_B, revoked=True),), (replace(PINNED_B, encryption_expires=PINNED_B.created),))
)
police = st.one_of(
    st.just(POLICE_B), st.builds(replace, st.just(POLICE_B), addresses=addresses, keys=keys, minimum=protections)
)
books = st.one_of(st.builds(book_of, police, st.just(GOV_C)), st.just(book_of(GOV_C)))
views = st.builds(
    replace,
    st.just(REQUEST),
    reference=st.sampled_from((CASE, SECOND)),
    mailbox=st.sampled_from((*[MAILBOX] * 5, ALIAS)),
    state=st.sampled_from(CaseState),
    contact=st.sampled_from(("bx-police", "bx-police", "cx-gov", None)),
    origin=st.sampled_from((A0, A0, OTHER, OTHER_CONTACT, STRANGER, None)),
    floor=protections,
    thread=st.sampled_from(((REQUEST_ID,), (), ("<other@x.example>",))),
    reply_to=st.sampled_from((None, OTHER, OTHER_CONTACT, STRANGER)),
    reply_to_proved=st.booleans(),
)
cases = st.lists(views, max_size=2, unique_by=lambda one: one.reference).map(tuple)
encryptions = st.one_of(
    st.none(),
    st.none(),
    st.frozensets(st.sampled_from((OUR_SUBKEY, SUBKEY_B[-16:], "C0FFEE00C0FFEE00"))),
)


@st.composite
def drafts(draw):
    fields = {
        "From": draw(st.sampled_from((*[MAILBOX] * 8, ALIAS, COLLEAGUE))),
        "To": ", ".join(draw(some)) or None,
        "Cc": ", ".join(draw(some)) or None,
        "In_Reply_To": draw(st.sampled_from((REQUEST_ID, None, "<other@x.example>", "<unknown@x.example>"))),
        "References": None,
        "Subject": draw(st.sampled_from(("Re: request", f"[{CASE}]", f"[{SECOND}]", "[247CP-2026-000042-0000]"))),
    }
    everyone = [one for one in (fields["To"], fields["Cc"]) if one]
    shown = tuple(one for part in everyone for one in part.split(", "))
    bcc = tuple(draw(some)) if draw(st.booleans()) else ()
    return {
        "content": mail(**fields),
        "to": tuple(dict.fromkeys((*shown, *bcc))) or (A0,),
        "mail_from": draw(st.sampled_from((*[fields["From"]] * 8, "", STRANGER))),
        "cases": draw(cases),
        "book": draw(books),
        "encrypted_to": draw(encryptions),
        "login": draw(st.sampled_from(("j.doe", None))),
        "automatic": draw(st.sampled_from((*[None] * 9, Withheld.AUTO_SUBMITTED))),
        "settings": draw(configurations),
        "rules": draw(rule_files),
    }


# The right answer with a little disorder: most wholly random drafts are refused for something dull.
nearly_right = st.fixed_dictionaries(
    {
        "book": books,
        "cases": st.one_of(views.map(lambda one: (one,)), cases),
        "encrypted_to": encryptions,
        "settings": configurations,
        "rules": rule_files,
    },
    optional={
        "content": some.map(lambda cc: mail(Cc=", ".join(cc) or None)),
        "to": some.map(lambda more: tuple(dict.fromkeys((A0, *more)))),
    },
)


def joint_of(contact):
    return {one.address.key for one in contact.addresses if one.joint and one.verified}


def allowed_by(case, book):
    """A(C) as CHANNEL A1 says it, written anew."""
    contact = book[case.origin][0]
    allowed = {case.origin} | joint_of(contact)
    if case.reply_to_proved and case.reply_to in book and book[case.reply_to][0] == contact:
        allowed.add(case.reply_to)
    return allowed


def outside_of(recipients, draft):
    partners = {one for one in recipients if one.endswith("@prosecution.example")}
    if draft["settings"].contact_point.partner_domains:
        return set(recipients) - INSIDE
    return (set(recipients) - INSIDE) | partners


def is_provider(address, draft):
    return address not in draft["book"] and address.rpartition("@")[2] in draft["rules"].provider_domains


def identity_holds(decision, draft):
    """What no exception waives: who writes, with which login, that a human does, and with which keys."""
    assert {one.lower() for one in decision.recipients} == {one.lower() for one in draft.get("to", (A0,))}
    assert draft.get("automatic") is None
    assert draft.get("mail_from", MAILBOX) in (MAILBOX, ALIAS)
    assert scan(draft.get("content", mail())).sender.spec == draft.get("mail_from", MAILBOX)
    delegates = draft["settings"].contact_point.delegates
    assert not delegates or draft.get("login", "j.doe") in delegates


def holds(decision, draft, waived):
    """What must be true of a mail that may leave; `waived` are the rules from which exceptions freed exactly this mail."""
    identity_holds(decision, draft)
    book, outside = draft["book"], outside_of({one.lower() for one in decision.recipients}, draft)
    partners = {one for one in decision.recipients if one == PARTNER} - outside
    relay = draft["settings"].outbound.relay_verified
    assert not partners or decision.encrypt_to or relay or "R0" in waived
    if not outside and not partners:
        assert (decision.rule, decision.sign) == ("A1", False)
        return
    assert decision.sign
    if not outside:
        return
    assert COLLEAGUE not in decision.recipients or not decision.encrypt_to or "R22" in waived
    unconfirmed = {one for one in outside if one not in book or not book[one][1].verified}
    assert all(is_provider(one, draft) for one in unconfirmed) or waived & NAMES_WHOM
    floor = channel_holds(decision, draft, outside, waived)
    if draft["rules"].encrypted_without_tls and decision.encrypt_to:
        floor = replace(floor, tls=TlsLevel.NONE)
    assert floor.tls is not TlsLevel.VERIFIED or relay or "H3" in waived
    assert decision.protection.reaches(replace(floor, tls=TlsLevel.NONE, enc=floor.enc and "H2" not in waived))
    sealed_for_all(decision, draft, outside, floor, waived)


def channel_holds(decision, draft, outside, waived):
    """Destination and thread of CHANNEL A1; returns the floor."""
    book = draft["book"]
    named = [book[one][0] for one in outside if one in book]
    floor = Protection()
    for contact in named:
        floor = floor.join(contact.minimum)
    if decision.case is None:
        assert decision.opens
        assert len({one for one in outside if one not in book or not book[one][1].joint}) <= 1 or waived
        return floor
    case = next(one for one in draft["cases"] if one.reference == decision.case)
    assert case.mailbox == draft.get("mail_from", MAILBOX)
    if waived & MAY_LEAVE_THREAD:
        return floor.join(case.floor)
    if "H1" not in waived:
        assert case.contact in (None, book[case.origin][0].id)
        allowed = allowed_by(case, book)
        others = {one for one in outside if draft["rules"].reply_all and one in book and book[one][1].verified}
        assert outside <= allowed | others
    assert outside & {case.origin, case.reply_to}
    return floor.join(case.floor)


def sealed_for_all(decision, draft, outside, floor, waived):
    """Encrypted where it must be, to a usable key of everybody outside, and readable by us."""
    book, encrypted_to = draft["book"], draft.get("encrypted_to")
    if "H2" not in waived and (floor.enc or encrypted_to is not None):
        assert decision.encrypt_to
    if decision.encrypt_to:
        assert all(one in book for one in outside)
        contacts = {book[one][0] for one in outside}
        assert {one.id for one in contacts} <= set(decision.encrypt_to)
        assert all(any(key.encrypts(AT) for key in contact.keys) for contact in contacts)
    assert encrypted_to is None or OUR_SUBKEY in encrypted_to


def right(draft):
    """The five conditions of CHANNEL A1 for an answer in clear to the one address that asked, with nothing else about it."""
    cases, book, content = draft["cases"], draft["book"], draft.get("content", mail())
    resolution = resolve(keys_of(scan(content).header, draft["to"]), cases, recipients=draft["to"], secret=SECRET)
    case = resolution.case
    if case is None or case.origin not in book or draft.get("encrypted_to") is not None:
        return False
    contact, address_of_it = book[case.origin]
    floor = case.floor.join(contact.minimum)
    return (
        case.mailbox == MAILBOX
        and case.contact in (None, contact.id)
        and address_of_it.verified
        and draft["to"] == (case.origin,)
        and (not floor.enc or any(key.encrypts(AT) for key in contact.keys))
        and (
            floor.tls is not TlsLevel.VERIFIED
            or draft["settings"].outbound.relay_verified is not None
            or (floor.enc and draft["rules"].encrypted_without_tls)
        )
    )


def judged(draft, waived=frozenset(), rules=frozenset()):
    decision = decided(**draft, waived=waived)
    if decision.act in PASSES:
        assert decision.reply == ""
        assert set(decision.waived) <= waived
        holds(decision, draft, rules)
        return decision
    assert decision.recipients == ()
    assert decision.rule in REFUSALS
    assert decision.reply.isascii()
    assert len(decision.reply) <= 500
    assert "\n" not in decision.reply
    return decision


def everyone_outside(draft):
    """Whom the envelope names, and who outside the institution is shown besides."""
    fields = scan(draft.get("content", mail())).header
    shown = {
        one for name in ("to", "cc") for field in fields.all(name) for one in str(field.value, "ascii").split(", ")
    }
    return {one.lower() for one in {*draft.get("to", (A0,)), *shown} - {COLLEAGUE, MAILBOX, ALIAS}}


def granted_for(draft, willing):
    """Numbers that the table gave one after the other and people waived, with their rules, as long as they are willing."""
    numbers, rules = frozenset(), frozenset()
    for _ in range(willing):
        decision = judged(draft, numbers, rules)
        if decision.act in PASSES or decision.waiver is Waiver.NOBODY or decision.number in numbers:
            break
        numbers, rules = numbers | {decision.number}, rules | {decision.rule}
    return numbers, rules


@given(drafts())
@settings(max_examples=200, deadline=None)
def test_no_answer_leaves_its_channel(draft):
    judged(draft)


@given(nearly_right)
@settings(max_examples=200, deadline=None)
def test_no_nearly_right_answer_leaves_its_channel(draft):
    judged(draft)


@given(st.one_of(drafts(), nearly_right), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_exceptions_free_from_the_rules_they_name_and_no_other(draft, willing):
    numbers, rules = granted_for(draft, willing)
    judged(draft, numbers, rules)


@given(nearly_right, nearly_right, st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_an_exception_frees_no_mail_to_others(draft, other, willing):
    numbers, _ = granted_for(draft, willing)
    people = [everyone_outside(one) for one in (draft, other)]
    if people[0] != people[1]:
        assert decided(**other, waived=numbers) == decided(**other)


@given(nearly_right)
@settings(max_examples=100, deadline=None)
def test_an_answer_that_keeps_all_five_conditions_leaves(draft):
    case = draft["cases"][0] if draft["cases"] else None
    draft = {**draft, "to": (case.origin or A0,) if case else (A0,), "encrypted_to": None}
    draft["content"] = mail(To=draft["to"][0])
    if right(draft):
        assert decided(**draft).act in PASSES
