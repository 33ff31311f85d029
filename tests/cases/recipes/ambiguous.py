"""Structures that two readers take apart differently (ATTACKS 3, after "Inbox Invasion", CCS 2024), and oddities of DKIM and DNS.

The request is seen, or it is said that something could not be read; never neither.
"""

import base64
from collections.abc import Callable

from letters import BX, PRESERVE, THANKS, crlf, dkim, mail, multipart, part, text

BODY = crlf(PRESERVE.encode())
BASE64 = crlf(base64.encodebytes(BODY))
QUOTED = BODY.replace(b"preserv", b"=70reser=\r\nv")


def honest(entity: bytes, **fields: str) -> bytes:
    return dkim(mail(entity, **fields))


def beside_thanks(entity: bytes) -> bytes:
    return honest(multipart("mixed", text(THANKS), entity))


def with_boundary(written: str) -> bytes:
    """A multipart whose boundary parameter is written so."""
    return honest(multipart("mixed", text(PRESERVE)).replace(b'; boundary="=-b-="', written.encode()))


def entity(head: str, body: bytes) -> bytes:
    return head.replace("\n", "\r\n").encode() + b"\r\n" + body


MESSAGES: dict[str, Callable[[], bytes]] = {
    "ambiguous-part-type-twice": lambda: beside_thanks(
        entity("Content-Type: application/octet-stream\nContent-Type: text/plain\n", BODY)
    ),
    "ambiguous-part-type-once": lambda: beside_thanks(entity("Content-Type: text/plain\n", BODY)),
    "ambiguous-part-encoding-twice": lambda: beside_thanks(
        entity(
            "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\nContent-Transfer-Encoding: base64\n",
            BASE64,
        )
    ),
    "ambiguous-part-encoding-twice-quoted": lambda: beside_thanks(
        entity(
            "Content-Type: text/plain\nContent-Transfer-Encoding: base64\nContent-Transfer-Encoding: quoted-printable\n",
            QUOTED,
        )
    ),
    "ambiguous-encoding-with-comment": lambda: honest(
        entity("Content-Type: text/plain\nContent-Transfer-Encoding: base64 (really)\n", BASE64)
    ),
    "ambiguous-encoding-with-parameter": lambda: honest(
        entity("Content-Type: text/plain\nContent-Transfer-Encoding: base64; x=y\n", BASE64)
    ),
    "ambiguous-encoding-of-multipart": lambda: honest(
        entity(
            'Content-Type: multipart/mixed; boundary="=-b-="\nContent-Transfer-Encoding: base64\n',
            crlf(base64.encodebytes(multipart("mixed", text(PRESERVE)).partition(b"\r\n\r\n")[2])),
        )
    ),
    "ambiguous-boundary-in-pieces": lambda: with_boundary('; boundary*0="=-b"; boundary*1="-="'),
    "ambiguous-boundary-escaped": lambda: with_boundary('; boundary="=-\\b-="'),
    "ambiguous-boundary-percent": lambda: with_boundary("; boundary*=utf-8''%3D-b-%3D"),
    "ambiguous-boundary-after-comment": lambda: with_boundary(' (boundary="x"); boundary="=-b-="'),
    "ambiguous-type-without-slash": lambda: honest(entity("Content-Type: text\n", BODY)),
    "ambiguous-type-twice-in-one": lambda: honest(entity("Content-Type: image/png, text/plain\n", BODY)),
    "ambiguous-quoted-printable-broken": lambda: honest(
        entity(
            "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n",
            QUOTED.replace(b"Convention", b"Conven=GGtion="),
        )
    ),
    # A11: what makes dkimpy raise
    "dkim-first-line-blank": lambda: b" a line that continues nothing\r\n" + honest(text()),
    "dkim-length-empty": lambda: honest(text()).replace(b"; d=", b"; l=; d=", 1),
    # A15: whoever may use the contact's mail server
    "same-domain-other-user": lambda: honest(text(), Sender="clerk@police.gov.b.example"),
    # A4, A21: keys and answers of DNS that prove nothing
    "dns-answers-to-another-question": lambda: honest(text()),
    "dns-answers-with-another-name": lambda: honest(text()),
    "dns-answer-cut-off": lambda: honest(text()),
    "dkim-sha-1": lambda: honest(text()).replace(b"a=rsa-sha256", b"a=rsa-sha1", 1),
    # M8: addresses that parsers read differently
    "from-comment-splits": lambda: honest(text(), From=f"24/7 <{BX}(>attacker@post.example<)>"),
    # M11: what grows when it is read
    "attached-entities": lambda: honest(
        multipart(
            "mixed", text(PRESERVE), part("application/xml", laughs(), more="Content-Disposition: attachment\r\n")
        )
    ),
}


def laughs() -> bytes:
    """Ten levels of entities, each ten times the one before."""
    lines = ['<?xml version="1.0"?>', "<!DOCTYPE l [", '<!ENTITY l0 "lol">']
    lines += [f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10)]
    return "\r\n".join([*lines, "]>", "<l>&l9;</l>", ""]).encode()
