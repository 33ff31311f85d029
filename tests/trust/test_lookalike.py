"""Look-alike senders: what is made to be taken for a known name is told, and innocent neighbours are not."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.addresses import parse_address
from gateway.model.message import Address
from gateway.model.trust import Contact, ContactAddress
from gateway.trust.confusables import skeleton
from gateway.trust.lookalike import known_names, resembled

POLICE = "police.gov.b.example"
OURS = "247cp@institution.gov.example"


def contact(name: str, *addresses: str, domains: tuple[str, ...] = ()) -> Contact:
    spoken = tuple(ContactAddress(address(one), verified=True) for one in addresses)
    return Contact(id=name, name=name, country="BX", addresses=spoken, domains=domains)


def address(text: str) -> Address:
    found = parse_address(text.encode())
    assert found is not None, text
    return found


KNOWN = known_names(
    (
        contact("bx-police", f"247cp@{POLICE}", domains=(POLICE,)),
        contact("sy-justice", "247cp@justice.gov.s.example", domains=("justice.gov.s.example",)),
        contact("nx-politie", "247cp@politie.example"),
        contact("rx-mai", "247cp@mai.gov.test"),
        contact("fx-interieur", "cybercrime@interieur.gouv.fr", domains=("interieur.gouv.fr",)),
        contact("px-liaison", "liaison.px@mailbridge.example"),
    ),
    own=(OURS, "institution.gov.example"),
)


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        # the same to the eye
        ("247cp@pоlice.gov.b.example", POLICE),
        ("247cp@xn--plice-jye.gov.b.example", POLICE),
        ("247cp@p0lice.gov.b.example", POLICE),
        ("247cp@po1ice.gov.b.example", POLICE),
        ("247cp@pólice.gov.b.example", POLICE),
        ("247cp@роliсе.gоv.b.example", POLICE),
        ("247cp@mail.po1itie.example", "politie.example"),
        ("officer@rnailbridge.example", "mailbridge.example"),
        # one edit
        ("247cp@polce.gov.b.example", POLICE),
        ("247cp@poolice.gov.b.example", POLICE),
        ("247cp@polise.gov.b.example", POLICE),
        ("247cp@polcie.gov.b.example", POLICE),
        ("247cp@police.goov.b.example", POLICE),
        ("247cp@mail.poltie.example", "politie.example"),
        ("x@interieurs.gouv.fr", "interieur.gouv.fr"),
        # another suffix
        ("247cp@police.gov.b.test", POLICE),
        ("247cp@politie.com", "politie.example"),
        ("247cp@desk.politie.co.uk", "politie.example"),
        ("247cp@interieur.fr", "interieur.gouv.fr"),
        # words added
        ("247cp@police-gov-b.test", POLICE),
        ("247cp@politie-duty.example", "politie.example"),
        ("247cp@mail.24-7-politie.test", "politie.example"),
        ("247cp@p0litie-desk.attacker.test", "politie.example"),
        # in front of another
        ("247cp@police.gov.b.example.attacker.test", POLICE),
        ("247cp@mail.police.gov.b.example.attacker.test", POLICE),
        # ourselves
        ("247cp@instituti0n.gov.example", "institution.gov.example"),
        ("247cp@institution-gov.test", "institution.gov.example"),
        # another local part where strangers have mailboxes too
        ("1iaison.px@mailbridge.example", "liaison.px@mailbridge.example"),
        ("liаison.px@mailbridge.example", "liaison.px@mailbridge.example"),
        ("247ср@police.gov.b.example", f"247cp@{POLICE}"),
    ],
)
def test_a_look_alike_is_told_with_what_it_resembles(sender: str, name: str) -> None:
    assert resembled(address(sender), KNOWN) == name


@pytest.mark.parametrize(
    "sender",
    [
        f"247cp@{POLICE}",
        "247CP@Police.Gov.B.Example",
        f"other@{POLICE}",
        f"247cp+duty@{POLICE}",
        f"247cp@intranet.{POLICE}",
        OURS,
        "officer@institution.gov.example",
        "friend@mailbridge.example",
        "liaison.qx@mailbridge.example",
        "officer@post.example",
        "247cp@police.gov.c.example",  # another country: a word of one letter tells nothing
        "247cp@customs.gov.b.example",
        "247cp@mail.gov.test",  # next to mai.gov.test, but such short names are neighbours by chance
        "247cp@gov.test",
        "desk@gendarmerie.gouv.fr",
        "247cp@example",
    ],
)
def test_an_innocent_sender_resembles_nobody(sender: str) -> None:
    assert resembled(address(sender), KNOWN) is None


def test_a_known_contact_resembles_nobody_though_it_does() -> None:
    twins = known_names((contact("a", "x@politie.example"), contact("b", "x@politie.test")), own=())
    assert resembled(address("x@politie.example"), twins) is None
    assert resembled(address("desk@politie.test"), twins) is None
    assert resembled(address("x@politie.invalid"), twins) is not None


def test_a_sibling_below_a_known_organisation_does_not_resemble_its_namesake_abroad() -> None:
    known = known_names((contact("a", "x@cyber.justice.test"), contact("b", "x@cyber.justice.example")), own=())
    assert resembled(address("y@courts.justice.test"), known) is None


def test_another_number_is_another_host_of_theirs() -> None:
    known = known_names((contact("a", "x@mail1.agency.test"),), own=())
    assert resembled(address("x@mail2.agency.test"), known) is None


def test_an_empty_directory_knows_nobody() -> None:
    assert resembled(address("x@attacker.test"), known_names((), own=())) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("police", "роlісе"), ("rnail", "mail"), ("l0l", "1o1"), ("wave", "vvave"), ("ÉCOLE", "ecole"), ("đ", "d"), ("ﬁ", "fi"),
     ("po\u200blice", "police"), ("κοτ", "kot")],
)  # fmt: skip
def test_what_looks_alike_has_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_a_skeletons_skeleton_is_itself(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
DOMAIN = st.lists(LABEL, min_size=1, max_size=6).map(".".join)


@settings(max_examples=200, deadline=None)
@given(DOMAIN, st.lists(DOMAIN, max_size=5))
def test_no_domain_troubles_the_comparison(domain: str, directory: list[str]) -> None:
    contacts = [contact(f"c{number}", domains=(one,)) for number, one in enumerate(directory)]
    known = known_names(contacts, own=())
    found = resembled(Address("x", domain), known)
    assert found is None or (found in known.names and found != domain)
    assert all(resembled(Address("x", one), known) is None for one in directory)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_one_edit_of_a_telling_name_is_found(data: st.DataObject) -> None:
    name = data.draw(st.from_regex("[a-z]{6,12}", fullmatch=True))
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("abcdefgh"))
    edit = data.draw(st.sampled_from((name[:at] + name[at + 1 :], name[:at] + letter + name[at:])))
    known = known_names((contact("a", domains=(f"{name}.test",)),), own=())
    found = resembled(Address("x", f"{edit}.test"), known)
    # Two edits apart once `m` is taken for `rn`: such a pair may differ in more than one letter of the skeletons.
    assert found == f"{name}.test" or edit == name or abs(len(skeleton(edit)) - len(skeleton(name))) != 1


def test_a_name_of_255_letters_against_a_thousand_contacts_costs_milliseconds() -> None:
    contacts = [contact(f"c{n}", f"247cp@police{n}.gov.x{n}.example") for n in range(1000)]
    known = known_names(contacts, own=(OURS,))
    began = time.perf_counter()
    for domain in (".".join(["a"] * 127), ".".join(["a" * 60] * 4), "po1ice500.gov.x500.example"):
        resembled(Address("x", domain), known)
    assert time.perf_counter() - began < 0.1
