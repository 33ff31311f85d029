"""A small world for the channel: one institution, two foreign contact points, one case, one right answer."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.channel.decide import STRICT_RULES, decide
from gateway.channel.resolve import resolve
from gateway.mail.addresses import parse_address
from gateway.mail.scan import scan
from gateway.mail.thread import keys_of
from gateway.model.case import CaseView, make_reference
from gateway.model.channel import ChannelRules, Decision, Resolution
from gateway.model.message import Envelope
from gateway.model.settings import ContactPoint, Dkim, Settings
from gateway.model.trust import Contact, ContactAddress, PinnedKey, Protection, SigLevel
from gateway.model.verdict import Category, Withheld

DATA = Path(__file__).parent / "data"
SECRET = b"a secret of thirty-two octets..."
AT = datetime(2026, 5, 5, 9, 0, tzinfo=UTC)
OUR_KEY = "0A" * 20
OUR_SUBKEY = "0B" * 20
KEY_B = "B1" * 20
SUBKEY_B = "B2" * 20

MAILBOX = "247cp@institution.gov.example"
ALIAS = "duty@institution.gov.example"
A0 = "247cp@police.gov.b.example"
JOINT = "joint@police.gov.b.example"
OTHER = "other@police.gov.b.example"
UNVERIFIED = "new@police.gov.b.example"
OTHER_CONTACT = "247cp@gov.c.example"
STRANGER = "x@gmail.example"
COLLEAGUE = "chief@institution.gov.example"

CASE = make_reference(SECRET, 2026, 42)
SECOND = make_reference(SECRET, 2026, 43)
REQUEST_ID = "<request-1@police.gov.b.example>"

SETTINGS = Settings(
    hostname="gw.institution.gov.example",
    contact_point=ContactPoint(
        name="24/7 Contact Point",
        country="AX",
        mailbox=MAILBOX,
        aliases=(ALIAS,),
        internal_domains=("institution.gov.example",),
    ),
    dkim=Dkim(domain="institution.gov.example"),
)
DELEGATES_ONLY = replace(SETTINGS, contact_point=replace(SETTINGS.contact_point, delegates=("j.doe",)))


def address(spec: str, *, verified: bool = True, joint: bool = False) -> ContactAddress:
    parsed = parse_address(spec.encode())
    assert parsed is not None
    return ContactAddress(address=parsed, verified=verified, joint=joint)


PINNED_B = PinnedKey(fingerprint=KEY_B, packets=b"", created=datetime(2025, 1, 1, tzinfo=UTC), subkeys=(SUBKEY_B,))
POLICE_B = Contact(
    id="bx-police",
    name="24/7 Contact Point, Police of Borduria",
    country="BX",
    addresses=(address(A0), address(JOINT, joint=True), address(OTHER), address(UNVERIFIED, verified=False)),
    keys=(PINNED_B,),
)
GOV_C = Contact(id="cx-gov", name="24/7 Contact Point of Syldavia", country="CX", addresses=(address(OTHER_CONTACT),))

REQUEST = CaseView(
    reference=CASE,
    mailbox=MAILBOX,
    opened_at=AT,
    category=Category.PRESERVATION,
    contact="bx-police",
    origin=A0,
    floor=Protection(sig=SigLevel.DKIM),
    thread=(REQUEST_ID, "<rcpt.1@gw.institution.gov.example>"),
    thread_indexes=("01" * 22,),
    request_id=REQUEST_ID,
    references=("<earlier@police.gov.b.example>",),
)
ENCRYPTED = replace(REQUEST, floor=Protection(sig=SigLevel.OPENPGP, enc=True))


def book_of(*contacts: Contact) -> dict[str, tuple[Contact, ContactAddress]]:
    return {one.address.key: (contact, one) for contact in contacts for one in contact.addresses}


BOOK = book_of(POLICE_B, GOV_C)


def mail(name: str = "answer.eml", **fields: str | None) -> bytes:
    """The message of that file with fields replaced, added on top, or removed (None); `_` in a name stands for `-`."""
    content = (DATA / name).read_bytes()
    for key, value in fields.items():
        wanted = key.replace("_", "-").lower().encode()
        header, _, body = content.partition(b"\r\n\r\n")
        unfolded = header.replace(b"\r\n\t", b"\x00")
        lines = [one for one in unfolded.split(b"\r\n") if one.partition(b":")[0].lower() != wanted]
        if value is not None:
            lines.insert(0, wanted.title() + b": " + value.encode())
        content = b"\r\n".join(lines).replace(b"\x00", b"\r\n\t") + b"\r\n\r\n" + body
    return content


def decided(
    content: bytes | None = None,
    *,
    to: tuple[str, ...] = (A0,),
    mail_from: str = MAILBOX,
    cases: tuple[CaseView, ...] = (REQUEST,),
    resolution: Resolution | None = None,
    settings: Settings = SETTINGS,
    book: dict[str, tuple[Contact, ContactAddress]] | None = None,
    encrypted_to: frozenset[str] | None = None,
    login: str | None = "j.doe",
    automatic: Withheld | None = None,
    rules: ChannelRules = STRICT_RULES,
    waived: frozenset[str] = frozenset(),
    journal_away: bool = False,
) -> Decision:
    """What the table says of the right answer, but for what the test changes."""
    message = scan(mail() if content is None else content)
    found = resolution or resolve(keys_of(message.header, to), cases, recipients=to, secret=SECRET)
    return decide(
        message,
        Envelope(mail_from=mail_from, rcpt_tos=to),
        resolution=None if journal_away else found,
        settings=settings,
        book=BOOK if book is None else book,
        own_fingerprints=frozenset({OUR_KEY, OUR_SUBKEY}),
        encrypted_to=encrypted_to,
        login=login,
        automatic=automatic,
        at=AT,
        rules=rules,
        waived=waived,
    )


def without_number(reply: str) -> str:
    """The line up to its decision number, whose form is checked here."""
    text, _, number = reply.rpartition(" [")
    assert len(number) == len("D-7K3QX2]")
    assert number.startswith("D-")
    return text
