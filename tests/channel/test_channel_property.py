"""Over random cases, threads, recipients and directories no answer leaves its channel."""

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
from gateway.model.case import CaseState
from gateway.model.channel import Act
from gateway.model.trust import Protection, SigLevel, TlsLevel
from gateway.model.verdict import Withheld

ADDRESSES = (
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
INSIDE = {COLLEAGUE, MAILBOX, ALIAS}
PASSES = (Act.ALLOW, Act.UPGRADE)

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
        "settings": draw(
            st.sampled_from(
                (SETTINGS, replace(SETTINGS, contact_point=replace(SETTINGS.contact_point, delegates=("j.doe",))))
            )
        ),
    }


# The right answer with a little disorder: most wholly random drafts are refused for something dull.
nearly_right = st.fixed_dictionaries(
    {"book": books, "cases": st.one_of(views.map(lambda one: (one,)), cases), "encrypted_to": encryptions},
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


def holds(decision, draft):
    """What must be true of a mail that may leave."""
    book, outside = draft["book"], {one.lower() for one in decision.recipients} - INSIDE
    assert set(decision.recipients) == set(draft.get("to", (A0,)))
    assert draft.get("automatic") is None
    assert draft.get("mail_from", MAILBOX) in (MAILBOX, ALIAS)
    if not outside:
        assert (decision.rule, decision.sign) == ("A1", False)
        return
    assert COLLEAGUE not in decision.recipients or not decision.encrypt_to
    assert decision.sign
    assert all(book[one][1].verified for one in outside)
    contact = book[next(iter(outside))][0]
    if decision.case is None:
        assert decision.opens
        assert len(outside - joint_of(contact)) <= 1
        floor = contact.minimum
    else:
        case = next(one for one in draft["cases"] if one.reference == decision.case)
        assert outside <= allowed_by(case, book)
        assert outside & {case.origin, case.reply_to}
        assert case.contact in (None, contact.id)
        floor = case.floor.join(contact.minimum)
    assert {book[one][0].id for one in outside} == {contact.id}
    assert floor.tls is not TlsLevel.VERIFIED
    assert decision.protection.reaches(replace(floor, tls=TlsLevel.NONE))
    if floor.enc or draft.get("encrypted_to") is not None:
        assert decision.encrypt_to == (contact.id,)
    if decision.encrypt_to:
        assert any(key.encrypts(AT) for key in contact.keys)
    assert draft.get("encrypted_to") is None or OUR_SUBKEY in draft["encrypted_to"]


def judged(draft):
    decision = decided(**draft)
    if decision.act in PASSES:
        assert decision.reply == ""
        holds(decision, draft)
        return
    assert decision.recipients == ()
    assert decision.rule in REFUSALS
    assert decision.reply.isascii()
    assert len(decision.reply) <= 500
    assert "\n" not in decision.reply


@given(drafts())
@settings(max_examples=200, deadline=None)
def test_no_answer_leaves_its_channel(draft):
    judged(draft)


@given(nearly_right)
@settings(max_examples=200, deadline=None)
def test_no_nearly_right_answer_leaves_its_channel(draft):
    judged(draft)
