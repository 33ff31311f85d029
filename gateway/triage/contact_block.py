"""Where a letter says how to reach its sender: signature, letterhead, call-back line, fields of the form about the requesting authority.

What stands there is no identifier asked about. In doubt it is one: a number asked about too many costs a glance.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import re2

MAX_LINE = 400
CLOSING_LINES = 25
"""Lines behind a complimentary close that may still be the signature."""
HEAD_LINES = 30
SIGNED_LINES = 3
"""Last lines of a letter in which its writer may stand."""
BEFORE = 70
"""Characters in front of a number in which a word such as `call-back` makes it the sender's."""

MAX_REACHES = 100

PERSONAL = frozenset({"phone", "email", "url", "domain", "account"})
"""Kinds that a signature has; an IP address or a wallet in it is asked about."""

_CLOSING = re.compile(
    r"\s*(?:(?:(?:with )?(?:kind|best|warm|many thanks and)(?:est)? )?regards|(?:yours )?(?:sincerely|faithfully|truly|respectfully)|respectfully|best wishes"
    r"|with (?:kind |best )?(?:regards|respect)|(?:bien )?cordialement|veuillez agréer|(?:sincères )?salutations|respectueusement|(?:sin otro particular|(?:[^.]{0,40})?l[eo]s? saludan? )?atentamente|sin otro particular|(?:un )?saludos?"
    r"|reciba un|le saluda|cordialmente|atenciosamente|(?:com os melhores |melhores )?cumprimentos|respeitosamente|cu (?:deosebit[aă] )?(?:stim[aă]|respect|considera[tț]ie)"
    r"|mit (?:freundlichen|besten|kollegialen|vorzüglicher)|freundliche grüße|viele grüße|hochachtungsvoll|im auftrag|mfg|(?:cordiali|distinti) saluti|con osservanza"
    r"|с уважением|с наилучшими|з повагою|з найкращими|مع (?:خالص |فائق )?(?:التحي|الاحترام|التقدير|الشكر)|وتفضلوا بقبول|تحياتي|saygılarım|iyi çalışmalar|arz ederim"
    r"|met (?:vriendelijke|collegiale|hartelijke)|hoogachtend|敬具|以上\s*$|(?:何卒|どうぞ)?(?:よろしく|宜しく)お願い|პატივისცემით|საუკეთესო სურვილებით|հարգանքով|լավագույն մաղթանք)",
    re.IGNORECASE,
)
_ANNEX = re.compile(
    r"\s*(?:annex|appendix|attachment|schedule|enclosure|list of|annexe|liste des|anexo|anexă|anlage|allegato|elenco|приложение|список|додаток|перелік|ملحق|مرفق|ek\b|ekler|bijlage|別紙|添付|დანართი|հավելված)",
    re.IGNORECASE,
)
_SALUTATION = re.compile(
    r"\s*(?:dear|to whom|hello|good (?:morning|day|evening|afternoon)|madam|sir|madame|monsieur|mesdames|chers?|chère|bonjour|estimad|señor|muy señor|distinguid|prezad|car[oa]s?\b"
    r"|exm|stimat|bună|sehr geehrte|liebe|guten|gentil|egregi|spett|уважаем|шановн|السادة|السيد|تحية|sayın|geachte|beste|拝啓|各位|お世話|პატივცემულ|ძვირფას|հարգելի)",
    re.IGNORECASE,
)
_LABEL = (
    r"tel(?:ephone|\.)?|phone|ph|cell(?: ?phone)?|mobile|mob|fax|e-?mail|mail|web(?:site)?|address|courriel|téléphone|tél|portable|télécopie|correo(?: electrónico)?|teléfono|móvil"
    r"|telefone|telemóvel|telefon(?:ul|i)?|telefax|mobil(?:e|funk)?|telefono|cellulare|pec|тел(?:ефон)?|моб|факс|эл\. ?почта|ел\. ?пошта|почта|пошта|هاتف|الهاتف|فاكس|البريد(?: الإلكتروني)?"
    r"|faks|e-?posta|telefoon|mobiel|電話|携帯|メール|ტელ(?:ეფონი)?|ელ\.? ?ფოსტა|ფაქსი|հեռ(?:ախոս)?|էլ\.? ?փոստ|ֆաքս"
)
_HEAD = re.compile(rf"\s*(?:{_LABEL})\b[.]?\s*(?:no\.?|number)?\s*[:：+.]", re.IGNORECASE)
_NAME = re.compile(r"[^\d:?!]{2,60}")
_NAMED_NUMBER = re.compile(
    r"\s*[^\d\s:?!(+][^\d:?!(+]{2,60}[,;\u2013-]\s*(?:tel\.?|mob\.?)?:?\s*\+\d[\d ()/.-]{6,}(?:\(.{1,20}\))?\.?\s*$",
    re.IGNORECASE,
)
_FIELD = re.compile(rf"\s*(?:[a-z]?\d{{0,2}}[.)]?\s*)?(?:{_LABEL})\b[^\n\t:]{{0,40}}[\t:：]", re.IGNORECASE)
_OFFICE = re.compile(
    r"\s*(?:requesting (?:authority|officer|agency|unit)|(?:case |contact |duty |responsible )?officer|officer in charge|person in charge|contact(?: person| point| officer| details)?\b"
    r"|supervisor|prosecutor|autorité requérante|personne (?:en charge|de contact)|autoridad requirente|persona de contacto|autoridade requerente|autoritatea solicitantă|persoan[aă] de contact"
    r"|ersuchende (?:behörde|stelle)|sachbearbeiter|ansprechpartner|autorità richiedente|referente|запрашивающий орган|исполнитель|контактное лицо|запитуючий орган|виконавець|контактна особа"
    r"|الجهة الطالبة|الضابط|ضابط الاتصال|talep eden|irtibat|verzoekende|contactpersoon|担当|連絡先|მომთხოვნი|საკონტაქტო|հարցում կատարող|կոնտակտային)[^\n]{0,60}?[:：\t,]",
    re.IGNORECASE,
)
_REACH_WORDS = (
    r"(?i)call[- ]?back|call (?:us|me|our|the duty)|(?:reach|contact|phone|telephone|ring) (?:us|me|our|the (?:duty|undersigned))|(?:reached|contacted|available|reachable) (?:at|on|under|by|24)"
    r"|our (?:duty|24|office|phone|hotline|telephone|contact|liaison|mailbox|e-?mail)|\bduty[ :,]|on[- ]call|hotline|24/7 (?:phone|line|number|desk)|\bfax\b|supervisor"
    r"|(?:reply|respond|answer|response) (?:to|at)\b|send (?:the |your )?(?:answer|reply|response|results?)|rappel|appel(?:ez|er)|restons en ligne|joindre|joignable|permanence|notre (?:numéro|service)|télécopie|supérieur"
    r"|contactar(?:nos|me)|llamar|nuestro (?:teléfono|número)|guardia|superior|rückruf|erreichbar|bereitschaft|vorgesetzt|kontaktieren|contattar|reperibil|richiamare|nostro (?:numero|ufficio)"
    r"|plantão|contat(?:ar|o)|nosso (?:telefone|número)|contacta|sunați|ofițer(?:ul)? de serviciu|дежурн|перезвон|связ(?:аться|ь)|руководител|чергов|зв.яз|керівник|للاتصال|المناوب|معاودة"
    r"|nöbetçi|irtibat|ulaşabil|geri arama|bereikbaar|terugbel|\bbel\b|dienstdoend|leidinggevende|当直|折り返し|მორიგე|დაგვიკავშირდ|հերթապահ|կապ(?:վել|նվել)"
)

Span = tuple[int, int]


def contact_blocks(text: str, *, form: bool) -> tuple[Span, ...]:
    """Where the sender's own contact data stand, as offsets; `form`: the text is one of the Committee's forms."""
    lines = list(_lines(text))
    return (
        *_signature(lines),
        *_last_lines(lines),
        *_letterhead(lines),
        *_own_lines(lines, form=form),
        *_reached(text),
    )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def _signature(lines: list[tuple[int, str]]) -> Iterator[Span]:
    """From the last complimentary close to the end or to an annex."""
    first = max(len(lines) - 4 * CLOSING_LINES, 0)
    closing = [
        number
        for number in range(first, len(lines))
        if len(lines[number][1]) <= MAX_LINE and _CLOSING.match(lines[number][1])
    ]
    if not closing:
        return
    last = closing[-1]
    behind = lines[last + 1 : last + 1 + CLOSING_LINES]
    kept = next((number for number, (_, line) in enumerate(behind) if _ANNEX.match(line)), len(behind))
    if kept:
        start, line = lines[last + kept]
        yield lines[last][0], start + len(line)


def _last_lines(lines: list[tuple[int, str]]) -> Iterator[Span]:
    """A name with a number, or a name above a labelled number, as the last words of a letter that says no farewell."""
    written = [(start, line) for start, line in lines if line.strip()]
    for number in range(max(len(written) - SIGNED_LINES, 1), len(written)):
        (above, name), (start, line) = written[number - 1], written[number]
        adjoins = above + len(name) + 1 == start
        signed = adjoins and _HEAD.match(line) and _NAME.fullmatch(name)
        if len(line) <= MAX_LINE and (signed or (not adjoins and _NAMED_NUMBER.match(line))):
            yield start, start + len(line)


def _letterhead(lines: list[tuple[int, str]]) -> Iterator[Span]:
    """Lines with a label of contact data above the salutation."""
    head = lines[:HEAD_LINES]
    salutation = next((number for number, (_, line) in enumerate(head) if _SALUTATION.match(line)), 0)
    yield from ((start, start + len(line)) for start, line in head[:salutation] if _HEAD.match(line))


def _own_lines(lines: list[tuple[int, str]], *, form: bool) -> Iterator[Span]:
    """Lines that say of themselves how to reach the sender."""
    for start, line in lines:
        if len(line) <= MAX_LINE and (_OFFICE.match(line) or (form and _FIELD.match(line))):
            yield start, start + len(line)


def _reached(text: str) -> Iterator[Span]:
    """What follows on the same line on words such as `call-back`."""
    for reach in islice(_reach_pattern().finditer(text), MAX_REACHES):
        end = text.find("\n", reach.end(), reach.end() + BEFORE)
        yield reach.start(), reach.end() + BEFORE if end < 0 else end


@cache
def _reach_pattern() -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(_REACH_WORDS, options)
