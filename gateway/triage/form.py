"""Reads the boxes of a form: which are ticked, what that says, and which printed words therefore do not count.

The forms are those of the Cybercrime Convention Committee, T-CY(2018)10 and T-CY(2018)11, in their bilingual layouts, and whatever
writes its boxes alike. Never guesses: a status without one ticked box is said to be unclear.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.model.message import Text
from gateway.model.verdict import Kind, Reason
from gateway.triage.normal import fold, fold_pattern
from gateway.triage.ticks import EMPTY, EMPTY_MARKS, TICKED, TICKED_MARKS

MAX_BOXES = 500
"""Of one text; a form has some forty."""
MAX_LABEL = 300


class Option(StrEnum):
    """What a box of the forms may stand for."""

    NEW = "new"
    EXTENSION = "extension"
    FOLLOW_UP = "follow-up"
    OTHER_CHANNEL = "other-channel"
    MLA = "mla"
    CONFIDENTIAL = "confidential"
    URGENT = "urgent"


STATUS: Mapping[Option | None, Kind] = {
    Option.NEW: Kind.NEW,
    Option.EXTENSION: Kind.EXTENSION,
    Option.FOLLOW_UP: Kind.FOLLOW_UP,
}
"""Field 3 of both forms: request status."""

_WORDS: Mapping[Option, str] = {
    Option.EXTENSION: (
        r"extension of|extension request|renewal of|prolongation|prorroga|extension de|prorrogacao|extensao|prelungire|verlangerung"
        r"|proroga|estensione|продлени|продовженн|تمديد|uzatma|uzatilma|uzadilma|verlenging|延長|გახანგრძლივ|გაგრძელ|երկարաձգ"
    ),
    Option.FOLLOW_UP: (
        r"follow[ -]?up|suite (?:donnee )?a|suivi|seguimiento|seguimento|sequencia|urmare|continuare|folgeersuchen|nachtrag|seguito"
        r"|в продолжение|последующ|дополнени|у продовження|подальш|متابعة|takip|devami|vervolg|opvolging|追加|続報|შემდგომ|հետագա"
    ),
    Option.NEW: (
        r"new request|nouvelle demande|nueva solicitud|novo pedido|nova solicitacao|cerere noua|neues ersuchen|neue anfrage"
        r"|nuova richiesta|новый запрос|новии запит|طلب جديد|yeni talep|yeni sorgu|nieuw verzoek|新規|ახალი|նոր "
    ),
    Option.OTHER_CHANNEL: (
        r"(?:response|reply|answer) (?:is )?(?:preferred )?by (?:means|e-?mail|phone|fax)|other expedited means|reponse .{0,30}par "
        r"|respuesta .{0,30}por |resposta .{0,30}por |raspuns .{0,30}prin |antwort .{0,30}(?:per|uber) |risposta .{0,30}(?:per|via|tramite) "
    ),
    Option.MLA: (
        r"mutual (?:legal )?assistance|\bmla\b|entraide|asistencia (?:judicial|juridica|mutua)|auxilio (?:judiciario|juridico)"
        r"|assistencia (?:juridica|mutua)|asistenta judiciara|rechtshilfe|assistenza giudiziaria|rogatoria|правовои помощ|правов[уо]. допомог"
        r"|المساعدة (?:القانونية|القضائية|المتبادلة)|adli yardim|istinabe|rechtshulp|共助|სამართლებრივი დახმარ|իրավական օգնութ"
    ),
    Option.CONFIDENTIAL: (
        r"confidential|confidentiel|confidencial|confidenti|vertraulich|riservat|конфиденциальн|конфиденциин|سري|gizli|vertrouwelijk"
        r"|秘密|機密|კონფიდენცი|գաղտնի"
    ),
    Option.URGENT: r"urgent|dringend|eilt|срочн|термінов|عاجل|\bacil\b|ivedi|spoed|緊急|至急|სასწრაფო|շտապ",
}
"""Words without accents, asked in this order: an extension of a previous request is no new one."""

_OPTIONS = {option: re.compile(fold_pattern(words)) for option, words in _WORDS.items()}
_YES = frozenset(["yes", "oui", "si", "sim", "da", "ja", "да", "так", "نعم", "evet", "はい", "დიახ", "այո"])
_NO = frozenset(["no", "non", "nao", "nu", "nein", "нет", "ні", "لا", "hayir", "nee", "いいえ", "არა", "ոչ"])

_SURE = re.compile(
    r"[\u2610\u2611\u2612\u2713\u2714\u2717\u2718\U0001f5f9]|\[[ \u00a0_]{0,3}\]|\[ ?[xXvV\u2713\u2714\u00d7] ?\]"
)
_ANY = re.compile(
    rf"[{TICKED_MARKS}{EMPTY_MARKS}]|\[[ \u00a0_]{{0,3}}\]|\[ ?[xXvV\u2713\u2714\u00d7] ?\]|\( ?[xX]? ?\)"
)
_LETTER = re.compile(r"(?m)(?:^|(?<=\t))[ ]{0,4}([roqRSTxX\u00a8\u00fe\u00fd])(?=[ \t]{1,4}[^\W\d_])")
"""Boxes of a symbol font that came out as letters; only in front of a known option."""
_TICKED_LETTERS = "RSTxX\u00fe\u00fd"


@dataclass(frozen=True, slots=True)
class Box:
    """One box with the words it belongs to; offsets of these words in the text."""

    ticked: bool
    heading: str
    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Form:
    """What the ticked boxes of a mail say."""

    status: Kind | None = None
    urgent: bool = False
    mla_intended: bool | None = None
    findings: tuple[Reason, ...] = ()


def read_form(text: Text) -> tuple[Text, Form]:
    """The text without the words of boxes left empty, at unchanged offsets, and what the ticked ones say."""
    known = _ANY if text.template else _SURE
    places = [text.body, *text.attachments]
    found = [tuple(_boxes(_lettered(one, known) if text.template else one, known)) for one in places]
    every = [box for boxes in found for box in boxes]
    if not every:
        return text, Form()
    if any(box.ticked for box in every):
        body, *attachments = (_without_empty(one, boxes) for one, boxes in zip(places, found, strict=True))
        text = replace(text, body=body, attachments=tuple(attachments))
    return text, _form(every)


def _lettered(text: str, known: re.Pattern[str]) -> str:
    """The text with letters that stand for boxes turned into boxes."""
    if known.search(text):
        return text

    def shown(match: re.Match[str]) -> str:
        rest = fold(text[match.end() : match.end() + 60].split("\n", maxsplit=1)[0])
        mark = TICKED if match[1] in _TICKED_LETTERS else EMPTY
        return match[0][:-1] + mark if _option(rest) else match[0]

    return _LETTER.sub(shown, text)


def _boxes(text: str, known: re.Pattern[str]) -> Iterator[Box]:
    if known.search(text) is None:
        return
    count = start = 0
    for line in text.split("\n"):
        marks = list(known.finditer(line[: 10 * MAX_LABEL]))
        count += len(marks)
        if count > MAX_BOXES:
            return
        yield from _line_boxes(line, marks, start)
        start += len(line) + 1


def _line_boxes(line: str, marks: list[re.Match[str]], start: int) -> Iterator[Box]:
    """Boxes of one line: words belong to the box before them, or all to the box behind where the line begins with words."""
    if not marks:
        return
    head = line[: marks[0].start()]
    before = any(map(str.isalnum, head)) and not head.rstrip(" ").endswith((":", "\t", "\uff1a"))
    heading = "" if before else head
    for number, mark in enumerate(marks):
        low = (marks[number - 1].end() if number else 0) if before else mark.end()
        high = mark.start() if before else (marks[number + 1].start() if number + 1 < len(marks) else len(line))
        label = line[low:high]
        if not any(map(str.isalnum, label)):
            low, high, label = 0, len(head), head
        first, _, last = fold(label).rpartition(" ")
        if before and last in _YES | _NO:
            heading = first or heading
            label = last
        yield Box(_is_ticked(mark[0]), fold(heading[-MAX_LABEL:]), fold(label[:MAX_LABEL]), start + low, start + high)


def _is_ticked(mark: str) -> bool:
    return mark[0] in TICKED_MARKS or any(map(str.isalnum, mark)) or any(one in mark for one in "\u2713\u2714\u00d7")


def _without_empty(text: str, boxes: tuple[Box, ...]) -> str:
    pieces, end = [], 0
    for box in sorted((one for one in boxes if not one.ticked), key=lambda one: one.start):
        if box.start < end or any(one.ticked and one.start < box.end and box.start < one.end for one in boxes):
            continue
        pieces += [text[end : box.start], " " * (box.end - box.start)]
        end = box.end
    return "".join((*pieces, text[end:]))


def _form(boxes: list[Box]) -> Form:
    said = [(_meant(box), box.ticked) for box in boxes]
    status = {STATUS[option] for (option, yes), ticked in said if ticked and yes and option in STATUS}
    asked = any(option in STATUS for (option, _), _ in said)
    ticked = {(option, yes) for (option, yes), ticked in said if ticked}
    findings = (
        (Reason.FORM_UNCLEAR, asked and len(status) != 1),
        (Reason.CONFIDENTIALITY_ASKED, (Option.CONFIDENTIAL, True) in ticked),
        (Reason.OTHER_CHANNEL_ASKED, (Option.OTHER_CHANNEL, True) in ticked),
    )
    declined = (Option.MLA, False) in ticked
    return Form(
        status=status.pop() if len(status) == 1 else None,
        urgent=(Option.URGENT, True) in ticked,
        mla_intended=True if (Option.MLA, True) in ticked else False if declined else None,
        findings=tuple(reason for reason, holds in findings if holds),
    )


def _meant(box: Box) -> tuple[Option | None, bool]:
    """The option a box stands for, and whether a tick says yes to it."""
    word = box.label.strip(" .,;:/")
    if word in _YES or word in _NO:
        return _option(box.heading), word in _YES
    return _option(box.label) or _option(box.heading if not word else ""), True


def _option(words: str) -> Option | None:
    return next((option for option, pattern in _OPTIONS.items() if pattern.search(words)), None)
