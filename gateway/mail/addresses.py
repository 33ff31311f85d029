"""Reads mailboxes of header fields by the strict part of RFC 5322, so that no two readers can see two addresses.

Comments, groups, routes, domain literals, encoded words and blanks inside an address are refused, never repaired.
"""

import re
from encodings import idna
from unicodedata import category

from gateway.mail.decode import decoded_words
from gateway.model.message import Address

MAX_LOCAL_BYTES = 64
MAX_DOMAIN_BYTES = 255
MAX_LABEL_BYTES = 63

_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]"
_QUOTED = rb'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t -~])*"'
_DISPLAY_NAME = rb"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff. \t-]|" + _QUOTED + rb")*"
# Inside quotes of a local part only what needs no escape: quoted pairs and a second @ are what readers differ on.
_LOCAL_PART = rb"(?:" + _ATEXT + rb"++(?:\." + _ATEXT + rb'++)*|"[A-Za-z0-9!#$%&\'*+/=?^_`{|}~. -]++")'
_ADDR_SPEC = re.compile(rb"(?P<local>" + _LOCAL_PART + rb")@(?P<domain>[A-Za-z0-9.\x80-\xff-]++)")
_NAME_ADDR = re.compile(rb"(?P<name>" + _DISPLAY_NAME + rb")<(?P<spec>[^<>]*+)>")
_LIST_TOKEN = re.compile(_QUOTED + rb"|<[^<>,]*+>|,|[^\",<]++|.", re.DOTALL)
_EMPTY_GROUP = re.compile(_DISPLAY_NAME + rb":[ \t]*+;?[ \t]*+")
_QUOTES = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def parse_address(text: bytes) -> Address | None:
    """The one mailbox of the text, display name allowed, or None when it is not exactly that (RFC 5322 section 3.4).

    The local part is ASCII or UTF-8 (RFC 6532) and kept as written, the domain comes back as lower-case A-labels.
    """
    stripped = text.strip(b" \t")
    named = _NAME_ADDR.fullmatch(stripped)
    spec = _ADDR_SPEC.fullmatch(named["spec"] if named else stripped)
    if spec is None:
        return None
    local = _local_part(spec["local"])
    domain = domain_of(spec["domain"])
    if local is None or domain is None:
        return None
    return Address(local=local, domain=domain, display_name=_display_name(named["name"]) if named else "")


def parse_address_list(value: bytes) -> tuple[Address, ...] | None:
    """The mailboxes of To, Cc or Reply-To, empty for an empty group, or None when one of them cannot be read."""
    if _EMPTY_GROUP.fullmatch(value):
        return ()
    addresses = []
    for item in _items(value):
        address = parse_address(item)
        if address is None:
            return None
        addresses.append(address)
    return tuple(addresses)


def domain_of(domain: bytes) -> str | None:
    """The domain as lower-case A-labels (RFC 5890), or None when it is not a name of letter-digit-hyphen labels."""
    if len(domain) > MAX_DOMAIN_BYTES:
        return None
    try:
        labels = [_a_label(label) for label in domain.decode("utf-8").split(".")]
    except UnicodeError:
        return None
    name = ".".join(labels)
    return name if len(name) <= MAX_DOMAIN_BYTES and all(labels) else None


def _a_label(label: str) -> str:
    """One label in ASCII, '' when it is none."""
    ascii_label = label.lower() if label.isascii() else _from_unicode(label)
    return ascii_label if _LABEL.fullmatch(ascii_label) and len(ascii_label) <= MAX_LABEL_BYTES else ""


def _from_unicode(label: str) -> str:
    """The A-label of letters, marks and digits that IDNA maps to nothing else, '' for all others."""
    if not all(one == "-" or category(one)[0] in "LMN" for one in label):
        return ""
    ascii_label = idna.ToASCII(label).decode("ascii")
    # A label that IDNA maps to another one (full width, sharp s) shows a human what it is not.
    return ascii_label if idna.ToUnicode(ascii_label) == label.lower() else ""


def _local_part(local: bytes) -> str | None:
    # RFC 2047 section 5: an encoded word is not an address; readers that decode it see another one.
    if len(local) > MAX_LOCAL_BYTES or b"=?" in local:
        return None
    try:
        text = local.decode("utf-8")
    except UnicodeError:
        return None
    return text if text.isprintable() else None


def _display_name(name: bytes) -> str:
    return decoded_words(_QUOTES.sub(lambda quoted: re.sub(rb"\\(.)", rb"\1", quoted[1]), name))


def _items(value: bytes) -> list[bytes]:
    """The list split at commas outside quotes and angle brackets, empty elements left out (RFC 5322 section 4.4)."""
    items = [bytearray()]
    for token in _LIST_TOKEN.finditer(value):
        if token[0] == b",":
            items.append(bytearray())
        else:
            items[-1] += token[0]
    return [bytes(item) for item in items if item.strip(b" \t")]
