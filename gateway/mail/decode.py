"""Turns header words and body bytes into text a reader would see.

It never raises on any bytes and never names a Python codec that a stranger chose: charsets come from a closed list.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import groupby

CHARSETS = {
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "utf-7": "utf-7",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "windows-1252": "cp1252",
    "macintosh": "mac_roman",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "unicode": "utf-16",
    "iso-10646-ucs-2": "utf-16-be",
    "utf-32": "utf-32",
    "utf-32le": "utf-32-le",
    "utf-32be": "utf-32-be",
    "ansi_x3.4-1968": "utf-8",
    "iso_8859-1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "latin2": "iso8859_2",
    "latin5": "cp1254",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-6-i": "iso8859_6",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-turkish": "mac_turkish",
    "x-mac-ce": "mac_latin2",
    "koi8": "koi8_r",
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "cp936": "gb18030",
    "cp950": "big5hkscs",
    "cp932": "cp932",
    "cp949": "cp949",
    "uhc": "cp949",
    "x-sjis": "cp932",
    "ms_kanji": "cp932",
    "windows-31j": "cp932",
    "x-euc-jp": "euc_jp",
    "iso-2022-jp-1": "iso2022_jp_2",
    "iso-2022-jp-2": "iso2022_jp_2",
    "iso-2022-jp-ms": "iso2022_jp_ext",
    "ibm855": "cp855",
    "cp855": "cp855",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "iso-2022-jp": "iso2022_jp_2",
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "iso-2022-kr": "iso2022_kr",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "ibm437": "cp437",
    "ibm850": "cp850",
    "ibm852": "cp852",
    "ibm866": "cp866",
    "cp866": "cp866",
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16)},
    **{f"windows-{n}": f"cp{n}" for n in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)},
    **{f"cp{n}": f"cp{n}" for n in (1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)},
}
"""MIME charset name, lower case -> Python codec; the windows superset where readers use it (WHATWG Encoding section 4.2)."""

MAX_PADDINGS = 1000
"""Paddings inside one base64 text after which it is decoded as if there were no more."""

ENCODED_WORD = re.compile(rb"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
"""RFC 2047 section 2, blanks in the text tolerated as readers do; stops at each `?`, so it is linear."""

_ISO_2022_JP = re.compile(rb"\x1b\$[@B](?:[\x21-\x7e]{2})+\x1b\([BJ]")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_LINE_BREAKS = re.compile("[\r\n\t\u2028\u2029]+")


def printable(text: str) -> str:
    """The text without control characters, direction overrides and lone surrogates; line ends and tabs stay."""
    return _UNSEEN.sub("", text)


def one_line(text: str) -> str:
    """The text as one line: printable, line ends and tabs turned to blanks, outer blanks removed."""
    return printable(_LINE_BREAKS.sub(" ", text)).strip()


def charset_text(data: bytes, charset: str) -> tuple[str, bool]:
    """The text of the bytes, and whether the charset is one we know and the bytes are valid in it; never raises."""
    codec = CHARSETS.get(charset.strip().lower())
    if codec == "utf-8" and _ISO_2022_JP.search(data):
        # seven bits long, so senders leave the name of the charset out
        return data.decode("iso2022_jp_2", "replace"), True
    if codec is None:
        return _guessed(data), False
    try:
        return data.decode(codec), True
    except UnicodeError:
        return (_guessed(data) if codec == "utf-8" else data.decode(codec, "replace")), False


def _guessed(data: bytes) -> str:
    """UTF-8 where it is mostly that, else the western superset: what a reader's program would show."""
    text = data.decode("utf-8", "replace")
    if "\ufffd" not in text or any(one > "\x7f" and one != "\ufffd" for one in text):
        return text
    return data.decode("cp1252", "replace")


def decoded_words(value: bytes) -> str:
    """One line of text of an unstructured header value with its encoded words decoded (RFC 2047 section 6.2)."""
    pieces = groupby(_pieces(value), key=lambda piece: piece[0])
    # A character may be split over two words against RFC 2047 section 5; readers join words of one charset.
    return one_line("".join(_shown(charset, b"".join(data for _, data in run)) for charset, run in pieces))


def _pieces(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Runs of (charset, bytes) in order, charset '' for text that is not an encoded word."""
    end = 0
    for match in ENCODED_WORD.finditer(value):
        gap = value[end : match.start()]
        if gap and not (end and gap.isspace()):
            yield "", gap
        yield match[1].partition(b"*")[0].decode("latin-1").lower(), _word_bytes(match[2], match[3])
        end = match.end()
    yield "", value[end:]


def _shown(charset: str, data: bytes) -> str:
    return charset_text(data, charset or "utf-8")[0]


def _word_bytes(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"bB":
        return base64_bytes(text)
    return binascii.a2b_qp(text, header=True)


def base64_bytes(data: bytes) -> bytes:
    """The bytes of base64 text; foreign octets are skipped and text goes on after padding (RFC 2045 section 6.8)."""
    clean = data.translate(None, _NOT_BASE64)
    if b"=" not in clean.rstrip(b"="):
        return _base64_run(clean)
    # Readers differ on what follows a padding; whoever hides a request there shall not succeed.
    return b"".join(map(_base64_run, re.split(b"=+", clean, maxsplit=MAX_PADDINGS)))


def _base64_run(written: bytes) -> bytes:
    run = written.replace(b"=", b"")
    usable = run[: len(run) - 1] if len(run) % 4 == 1 else run
    return base64.b64decode(usable + b"=" * (-len(usable) % 4))


def quoted_printable_bytes(data: bytes) -> bytes:
    """The bytes of quoted-printable text; what is not of the encoding stays as it is (RFC 2045 section 6.7)."""
    return binascii.a2b_qp(data)
