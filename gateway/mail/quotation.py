"""Parts the sender's new words from older text, signature and disclaimer, line by line.

When in doubt words are new: a request that is read twice costs a minute, one that is not read may cost a life.
"""

import re
from dataclasses import dataclass

MAX_MARK_CHARACTERS = 500
"""A longer line is no mark of a mail program."""
MAX_BLOCK_LINES = 6
MAX_SIGNATURE_LINES = 15
MAX_DISCLAIMER_CHARACTERS = 2000
MAX_DISCLAIMERS = 4

_FROM = "from|de|von|da|van|från|fra|od|от|від|kimden|gönderen|من|expéditeur|remitente|expeditor|відправник|отправитель|afzender|差出人|送信者|გამომგზავნი|ვისგან|ումից|ուղարկող"
_SENT = (
    "sent|date|envoyé|envoyée|enviado|enviado el|enviada em|fecha|gesendet|datum|inviato|data|verzonden|skickat|sendt|"
    "wysłano|trimis|отправлено|дата|надіслано|gönderildi|gönderme tarihi|tarih|تاريخ|تاريخ الإرسال|أرسلت|expediat|data trimiterii|送信日時|日時|日付|გაგზავნილია|თარიღი|ուղարկվել է|ամսաթիվ"
)
_SUBJECT = "subject|objet|asunto|betreff|oggetto|assunto|onderwerp|ämne|emne|temat|subiect|тема|konu|الموضوع|件名|თემა|საგანი|թեմա|առարկա"
_FROM_LINE = re.compile(rf"\s*\**(?:{_FROM})\s?\**:\**\s*\S", re.IGNORECASE)
_SENT_LINE = re.compile(rf"\s*\**(?:{_SENT})\s?\**:", re.IGNORECASE)
_SUBJECT_LINE = re.compile(rf"\s*\**(?:{_SUBJECT})\s?\**:", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"\s*[-_=*]{2,}\s*(?:original message|message d['\u2019]origine|message original|mensaje original|mensagem original|"
    r"ursprüngliche nachricht|originalnachricht|messaggio originale|oorspronkelijk bericht|wiadomość oryginalna|"
    r"mesaj original|исходное сообщение|оригинальное сообщение|оригінальне повідомлення|orijinal mesaj|"
    r"mesajul original|ursprungligt meddelande|oprindelig meddelelse|الرسالة الأصلية|元のメッセージ|ორიგინალი შეტყობინება|սկզբնական հաղորդագրություն)\s*[-_=*]{2,}\s*",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"\s*[-_=*]{2,}\s*(?:forwarded message|message transféré|mensaje reenviado|mensagem encaminhada|"
    r"weitergeleitete nachricht|messaggio inoltrato|doorgestuurd bericht|mesaj redirecționat|mesaj transmis|пересылаемое сообщение|пересланное сообщение|переслане повідомлення|"
    r"iletilen mesaj|yönlendirilen mesaj|رسالة معاد توجيهها|الرسالة المعاد توجيهها|転送メッセージ|転送されたメッセージ|გადაგზავნილი შეტყობინება|"
    r"փոխանցված հաղորդագրություն)"
    r"\s*[-_=*]{2,}\s*|\s*(?:begin forwarded message|début du message (?:réexpédié|transféré)|"
    r"inicio del mensaje reenviado|anfang der weitergeleiteten nachricht|inizio messaggio inoltrato|início da mensagem reencaminhada|begin doorgestuurd bericht|"
    r"начало переадресованного сообщения|початок переадресованого повідомлення|iletilen ileti başlangıcı|始まり転送メッセージ)\s?:\s*",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"(?=.{0,400}[\d@]).{6,400}\b(?:wrote|a écrit|escribió|schrieb(?: .{1,80})?|ha scritto|escreveu|schreef(?: .{1,80})?|"
    r"napisał(?:\(a\)|a)?|pisze|a scris|yazdı|şunu yazdı|пишет|написала?|писав|пише|skrev(?: .{1,80})?|napsala?|كتب)"
    r"\s?[:\uff1a]\s*",
    re.IGNORECASE,
)
_BEGINNING = re.compile(
    r"\s*(?:on|le|el|am|il|em|op|den|dne|w dniu|la|în|a|в)\b[^.!?]{0,120}\d{1,2}[:.h]\d{2}[^.!?]{0,120}", re.IGNORECASE
)
"""How a program begins an attribution it wraps: a word, a date, a time of day, and no sentence."""
_ADDRESS = re.compile(r"<[^<>\s@]+@[^<>\s]+>")
_MARKED = re.compile(r" {0,2}>")
_MARKS = re.compile(r"(?: {0,2}>)+ ?")
_SIGNATURE = re.compile(r"-- ?")
_DISCLAIMER = re.compile(
    r"(?:(?:confidentiality notice|disclaimer|avertissement|aviso legal|haftungsausschluss)\b|"
    r"(?:this|the information in this) (?:e-?mail|message|communication)|"
    r"(?:acest|prezentul) (?:mesaj|e-?mail)|bu (?:e-?posta|ileti|mesaj)|(?:это|данное|настоящее) (?:электронное )?(?:сообщение|письмо)|"
    r"(?:це|дане) (?:електронне )?(?:повідомлення|лист)|цей (?:електронний )?лист|(?:dit|deze) (?:e-?mail|bericht|e-mailbericht)|"
    r"هذه الرسالة|هذا البريد|(?:この|本)(?:電子)?メール|"
    r"(?:ce|le présent) (?:message|courriel|e-?mail)|(?:este|el presente) (?:mensaje|correo)|"
    r"diese (?:e-?mail|nachricht)|(?:questo|il presente) messaggio|esta mensagem)",
    re.IGNORECASE,
)
_MISTAKEN = re.compile(
    r"intended recipient|(?:received|sent to you) .{0,60}(?:in error|by mistake)|pas le destinataire|"
    r"(?:reçu|adressé) .{0,60}par erreur|no es (?:usted )?el destinatario|recibido .{0,60}por error|"
    r"nicht der (?:richtige|beabsichtigte) (?:adressat|empfänger)|irrtümlich erhalten|"
    r"nu sunteți destinatarul|primit .{0,60}din (?:eroare|greșeală)|alıcısı değil|yanlışlıkla|не являетесь .{0,30}(?:адресатом|получателем)|"
    r"по ошибке|не є .{0,30}(?:адресатом|одержувачем|отримувачем)|помилково|niet de (?:geadresseerde|beoogde)|abusievelijk|ten onrechte|"
    r"عن طريق الخطأ|بطريق الخطأ|لست المرسل إليه|المستلم المقصود|誤って|誤送信|受信者でない|"
    r"ricevuto .{0,60}per errore|não (?:é|for) o destinatário|recebeu .{0,60}por engano",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Parted:
    """What is new, without signature and disclaimer, and what is older."""

    new: str
    quoted: str


def part_words(text: str, *, forward: bool = False) -> Parted:
    """The new and the older words of a text whose lines end in LF; what is passed on with a forward is new."""
    lines = text.split("\n")
    new: list[str] = []
    quoted: list[str] = []
    position = 0
    after_words = False
    while position < len(lines):
        forward = forward or _is(_FORWARDED, lines[position])
        count = 0 if forward else _quoted_lines(lines, position, after_words)
        (quoted if count else new).extend(lines[position : position + (count or 1)])
        after_words = after_words or (count == 0 and lines[position].strip() != "")
        position += count or 1
    # Behind what is passed on stands the signature of who passes on, or of the author: both may belong to the request.
    kept = new if forward else _without_signature(_without_disclaimer(new))
    return Parted(_unmarked(kept), _unmarked(quoted))


def _quoted_lines(lines: list[str], position: int, after_words: bool) -> int:
    """How many lines from here on are older text: 0 none, all of them behind a mark that opens an old message."""
    line = lines[position]
    if not line.strip():
        return 0
    if _MARKED.match(line):
        return 1
    attribution = _attribution_lines(lines, position)
    if attribution and _next_is_marked(lines, position + attribution):
        return attribution
    # With nothing before it the old message is all the sender sends: a forward by other means, so it is new to us.
    opens = _is(_ORIGINAL, line) or _is_header_block(lines, position)
    opens = opens or (
        attribution > 0 and _ADDRESS.search(" ".join(lines[position : position + attribution])) is not None
    )
    return len(lines) - position if opens and after_words else 0


def _is(mark: re.Pattern[str], line: str) -> bool:
    return len(line) <= MAX_MARK_CHARACTERS and mark.fullmatch(line) is not None


def _attribution_lines(lines: list[str], position: int) -> int:
    """Length of the line `On ... wrote:` that starts here, which programs wrap; 0 for none."""
    for count in range(1, 4):
        last = lines[position + count - 1 : position + count]
        if not last or not last[0].strip():
            return 0
        if last[0].rstrip().endswith((":", "\uff1a")):
            wrapped = lines[position : position + count]
            return count if _is(_WROTE, " ".join(wrapped)) and not _begins_with_words(wrapped) else 0
    return 0


def _begins_with_words(wrapped: list[str]) -> bool:
    """Whether the first line is the sender's last one and the attribution begins below it: in doubt, it is."""
    stands_alone = any(_is(_WROTE, " ".join(wrapped[start:])) for start in range(1, len(wrapped)))
    return stands_alone and _BEGINNING.match(wrapped[0]) is None


def _next_is_marked(lines: list[str], position: int) -> bool:
    ahead = lines[position : position + 3]
    following = next((line for line in ahead if line.strip()), "")
    return _MARKED.match(following) is not None


def _is_header_block(lines: list[str], position: int) -> bool:
    """Whether `From:` here is followed by `Sent:` and `Subject:`, as Outlook heads what it quotes."""
    if len(lines[position]) > MAX_MARK_CHARACTERS or not _FROM_LINE.match(lines[position]):
        return False
    block = lines[position + 1 : position + MAX_BLOCK_LINES]
    return any(map(_SENT_LINE.match, block)) and any(map(_SUBJECT_LINE.match, block))


def _without_signature(lines: list[str]) -> list[str]:
    """The lines before the last `-- ` (RFC 3676 section 4.3), unless too much follows for a signature."""
    for count, line in enumerate(reversed(lines[-MAX_SIGNATURE_LINES - 1 :]), 1):
        if _SIGNATURE.fullmatch(line):
            return lines[:-count]
    return lines


def _without_disclaimer(lines: list[str]) -> list[str]:
    """The lines without closing paragraphs that both open and go on like a disclaimer; it is often said in two languages."""
    for _ in range(MAX_DISCLAIMERS):
        shorter = _without_last_disclaimer(lines)
        if shorter is lines:
            break
        lines = shorter
    return lines


def _without_last_disclaimer(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and lines[start - 1].strip():
        start -= 1
    paragraph = " ".join(lines[start:end])[: MAX_DISCLAIMER_CHARACTERS + 1]
    if not start or len(paragraph) > MAX_DISCLAIMER_CHARACTERS:
        return lines
    is_disclaimer = _DISCLAIMER.match(paragraph.lstrip("* ")) and _MISTAKEN.search(paragraph)
    return lines[:start] if is_disclaimer else lines


def _unmarked(lines: list[str]) -> str:
    return "\n".join(_MARKS.sub("", line, count=1) if _MARKED.match(line) else line for line in lines).strip("\n")
