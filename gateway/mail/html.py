"""Turns HTML into the words a reader sees, and says whether there are words he does not see.

Linear: each tag, comment and quoted value is consumed once, unfinished ones up to the end, as browsers do. (The standard
library's parser is quadratic on unfinished comments.) It never loads anything and knows no script.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

MAX_DEPTH = 500
"""Open elements that are kept track of; deeper ones count as part of the last."""
MAX_TOKENS = 200_000
"""Tags and texts that are read one by one: ten times a long letter; of what follows only the markup is left out."""

_ATTRIBUTES = r"""(?:[^>"']++|"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))*+"""
_TOKEN = re.compile(
    r"<!--(?:>|->|(?:(?!--!?>).)*+(?:--!?>|\Z))"
    r"|<(?P<close>/?)(?P<name>[A-Za-z][^\s/>]*+)(?P<attributes>" + _ATTRIBUTES + r")(?:>|\Z)"
    r"|<[!?/][^>]*+(?:>|\Z)"
    r"|(?P<text>[^<]++|<)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=/"'>]++)\s*+(?:=\s*+("[^"]*+"?|'[^']*+'?|[^\s>]++))?""")
_RAW_TEXT = frozenset({"script", "style", "template", "title", "noembed", "noframes", "iframe"})
"""Elements whose content nobody sees, read up to their end tag whatever stands inside."""
_RAW_END = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW_TEXT}
_NEVER_SHOWN = frozenset({"script", "style", "title", "noframes", "iframe"})
"""Of these the ones where words are nothing to wonder about."""
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "div", "dl", "dt"),
        *(
            "fieldset",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "html",
            "li",
            "main",
            "nav",
        ),
        *("ol", "option", "p", "pre", "section", "table", "tbody", "textarea", "tr", "ul"),
    }
)
_CELLS = frozenset({"td", "th"})
_PARAGRAPHS = frozenset({"p", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre"})
_CLOSED_BY_ITSELF = frozenset({"p", "li", "td", "th", "tr", "option", "dt", "dd"})
_CSS_NOISE = re.compile(r"\s++|!important|/\*[^*]*+(?:\*(?!/)[^*]*+)*(?:\*/|\Z)")
_HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|mso-hide:all|opacity:0(?:\.0+)?(?![\d.])"
    r"|font-size:(?:0+(?:\.0+)?(?:px|pt|em|rem|%)?|1(?:px|pt))(?![\d.a-z%])|(?<![-a-z])color:transparent"
    r"|text-indent:-\d{3}|(?:left|top|margin-left|margin-top):-\d{3}"
    r"|(?:max-height|(?<![-a-z])height|max-width|(?<![-a-z])width):0(?:px|pt)?(?![\d.a-z%]).{0,200}overflow:hidden"
    r"|overflow:hidden.{0,200}(?:max-height|(?<![-a-z])height|max-width|(?<![-a-z])width):0(?:px|pt)?(?![\d.a-z%])"
)
_WHITE = re.compile(r"(?<![-a-z])color:(?:#fff(?:fff)?|white|rgb\(255,255,255\))(?![0-9a-z])")
_BACKGROUND = re.compile(r"background|bgcolor", re.IGNORECASE)
_STYLE_PIECE = re.compile(r"[{}]|[^{}]++")
_SIMPLE_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]*)?(?:[.#][\w-]+)?")
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_MARKUP = re.compile(r"<[A-Za-z/!?][^>]*+(?:>|\Z)")
_LONG_NUMBER = re.compile(r"&#([0-9]{10,})")


@dataclass(frozen=True, slots=True)
class Visible:
    """The words of an HTML text by lines, quoted lines marked with `> ` as in plain text."""

    text: str
    hidden: bool
    """There are letters or digits that a reader does not see."""


def visible(html: str) -> Visible:
    """What a reader sees of the HTML: one line per block, cells apart, quotations marked, styles and scripts left out."""
    reader = _Reader(plain_page=_BACKGROUND.search(html) is None)
    position = tokens = 0
    while position < len(html) and tokens < MAX_TOKENS:
        position = reader.take(html, position)
        tokens += 1
    reader.take_rest(html[position:])
    return Visible("\n".join(reader.lines), reader.hidden)


@dataclass(frozen=True, slots=True)
class _Open:
    """An open element and what holds for everything inside it."""

    name: str = ""
    hidden: bool = False
    quoted: bool = False
    preformatted: bool = False


class _Reader:
    """Reads one text from tag to tag; it keeps the open elements and the lines so far."""

    def __init__(self, *, plain_page: bool) -> None:
        self.lines: list[str] = []
        self.hidden = False
        self._plain_page = plain_page
        self._line: list[str] = []
        self._stack = [_Open()]
        self._open_names: Counter[str] = Counter()
        self._hidden_selectors: set[str] = set()

    def take(self, html: str, position: int) -> int:
        """Read one token and return where the next one starts."""
        token = _TOKEN.match(html, position)
        assert token is not None, "the last alternative takes any character"
        if token["text"] is not None:
            self._add(_unescaped(token["text"]))
        elif token["name"] is not None and token["close"]:
            self._close(token["name"].lower())
        elif token["name"] is not None:
            return self._start(html, token)
        return token.end()

    def take_rest(self, html: str) -> None:
        """Read the words of all that is left as if nothing hid them: in doubt they are read."""
        self.end_line()
        self._stack = [_Open()]
        self._add(_unescaped(_MARKUP.sub(" ", html)))
        self.end_line()

    def end_line(self, *, blank: bool = False) -> None:
        """End the line if there is one; `blank` leaves one empty line behind it."""
        top = self._stack[-1]
        for text in self._text_lines("".join(self._line), preformatted=top.preformatted):
            self.lines.append(f"> {text}" if top.quoted else text)
        self._line.clear()
        if blank and self.lines and self.lines[-1]:
            self.lines.append("")

    @staticmethod
    def _text_lines(text: str, *, preformatted: bool) -> list[str]:
        if preformatted:
            return text.strip("\n").split("\n") if text.strip() else []
        collapsed = _BLANKS.sub(" ", text).strip()
        return [collapsed] if collapsed else []

    def _add(self, text: str) -> None:
        if not self._stack[-1].hidden:
            self._line.append(text)
        elif any(map(str.isalnum, text)):
            self.hidden = True

    def _start(self, html: str, token: re.Match[str]) -> int:
        name = token["name"].lower()
        if name in _RAW_TEXT or name == "plaintext":
            return self._raw_text(html, name, token.end())
        if name in _CELLS:
            self._line.append(" ")
        if name == "input":
            self._line.append(_box(token["attributes"]))
        if name in _BLOCKS:
            self.end_line(blank=name in _PARAGRAPHS or (name == "br" and not self._line))
        if name not in _VOID:
            self._push(name, token["attributes"])
        return token.end()

    def _raw_text(self, html: str, name: str, start: int) -> int:
        if name == "plaintext":
            self._add(html[start:])
            return len(html)
        end = _RAW_END[name].search(html, start)
        content = html[start : end.start() if end else None]
        if name == "style":
            self._learn(content)
        elif name not in _NEVER_SHOWN:
            self.hidden = self.hidden or any(map(str.isalnum, content))
        return end.start() if end else len(html)

    def _learn(self, style_sheet: str) -> None:
        """Remember which simple selectors hide; a text that hides by other means is read as if seen."""
        for selectors, style in _top_level_rules(style_sheet.lower()):
            if _HIDING.search(_CSS_NOISE.sub("", style)):
                simple = (selector.strip() for selector in selectors.split(","))
                self._hidden_selectors.update(one for one in simple if one and _SIMPLE_SELECTOR.fullmatch(one))

    def _push(self, name: str, written: str) -> None:
        top = self._stack[-1]
        if (name in _CLOSED_BY_ITSELF and top.name == name) or (top.name == "p" and name in _BLOCKS):
            self._close(top.name)
            top = self._stack[-1]
        if len(self._stack) > MAX_DEPTH:
            return
        attributes = _attributes(written) if written else {}
        style = _CSS_NOISE.sub("", attributes.get("style", "").lower())
        quoted = name == "blockquote" and (attributes.get("type") == "cite" or "quote" in attributes.get("class", ""))
        self._open_names[name] += 1
        self._stack.append(
            _Open(
                name=name,
                hidden=top.hidden or self._hides(name, attributes, style),
                quoted=top.quoted or quoted,
                preformatted=top.preformatted or name in {"pre", "textarea"} or "white-space:pre" in style,
            )
        )

    def _hides(self, name: str, attributes: dict[str, str], style: str) -> bool:
        if "hidden" in attributes or _HIDING.search(style) or (self._plain_page and _WHITE.search(style)):
            return True
        marks = [f".{one}" for one in attributes.get("class", "").lower().split()]
        marks += [f"#{attributes['id'].lower()}"] if "id" in attributes else []
        selectors = {name, *marks, *(name + mark for mark in marks)}
        return not self._hidden_selectors.isdisjoint(selectors)

    def _close(self, name: str) -> None:
        if name in _BLOCKS:
            self.end_line(blank=name in _PARAGRAPHS)
        if not self._open_names[name]:
            return
        while self._stack[-1].name != name:
            self._open_names[self._stack.pop().name] -= 1
        self._open_names[self._stack.pop().name] -= 1


def _box(written: str) -> str:
    """A tick box as the sign a reader sees; other fields of a form hold no words of the sender."""
    attributes = _attributes(written)
    if attributes.get("type", "").lower() not in ("checkbox", "radio"):
        return ""
    return "\u2612 " if "checked" in attributes else "\u2610 "


def _top_level_rules(style_sheet: str) -> Iterator[tuple[str, str]]:
    """Selectors and declarations outside `@` blocks: what a style hides on small screens only is read."""
    depth = 0
    selectors = ""
    for piece in _STYLE_PIECE.findall(style_sheet):
        if piece in "{}":
            depth = max(0, depth + (1 if piece == "{" else -1))
        elif not depth:
            selectors = piece
        elif depth == 1 and "@" not in selectors:
            yield selectors, piece


def _attributes(written: str) -> dict[str, str]:
    """Attributes by lower-case name; of repeated ones the first, as browsers do."""
    attributes: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(written):
        attributes.setdefault(name.lower(), _unescaped(value.strip("\"'")))
    return attributes


def _unescaped(text: str) -> str:
    """The text with character references resolved; Python refuses to read a number of more than 4300 digits."""
    return unescape(_LONG_NUMBER.sub(lambda found: f"&#{found[1].lstrip('0')[:10] or '0'}", text))
