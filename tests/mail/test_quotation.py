"""New words and older ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.quotation import part_words

ATTRIBUTIONS = [
    "On Mon, 4 May 2026 at 09:00, A. Doe <a@b.example> wrote:",
    "Le lun. 4 mai 2026 à 09:00, A. Doe <a@b.example> a écrit :",
    "El lun, 4 may 2026 a las 9:00, A. Doe (<a@b.example>) escribió:",
    "Am 04.05.26 um 09:00 schrieb A. Doe:",
    "Il giorno lun 4 mag 2026 alle ore 09:00 A. Doe <a@b.example> ha scritto:",
    "Em seg., 4 de mai. de 2026 às 09:00, A. Doe <a@b.example> escreveu:",
    "Op ma 4 mei 2026 om 09:00 schreef A. Doe <a@b.example>:",
    "pon., 4 maj 2026 o 09:00 A. Doe <a@b.example> napisał(a):",
    "În lun., 4 mai 2026 la 09:00, A. Doe <a@b.example> a scris:",
    "4 May 2026 Pzt 09:00 tarihinde A. Doe <a@b.example> şunu yazdı:",
    "пн, 4 мая 2026 г. в 09:00, A. Doe <a@b.example> пишет:",
]
ORIGINALS = [
    "-----Original Message-----",
    "-----Message d'origine-----",
    "-----Mensaje original-----",
    "-----Ursprüngliche Nachricht-----",
    "-----Messaggio originale-----",
    "-----Mensagem original-----",
    "---- Исходное сообщение ----",
]
HEADER_BLOCKS = [
    "From: A\nSent: Monday\nTo: B\nSubject: x",
    "De : A\nEnvoyé : lundi\nÀ : B\nObjet : x",
    "De: A\nEnviado el: lunes\nPara: B\nAsunto: x",
    "Von: A\nGesendet: Montag\nAn: B\nBetreff: x",
    "Da: A\nInviato: lunedì\nA: B\nOggetto: x",
    "De: A\nEnviado: segunda-feira\nPara: B\nAssunto: x",
    "*From:* A\n*Date:* Monday\n*To:* B\n*Subject:* x",
    "От: A\nОтправлено: понедельник\nКому: B\nТема: x",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_attribution_goes_with_the_marked_lines_below_it(attribution):
    parted = part_words(f"new\n\n{attribution}\n\n> old\n>> older\nnewer")
    assert parted.new.split() == ["new", "newer"]
    assert parted.quoted.endswith("old\nolder")


@pytest.mark.parametrize("attribution", [one for one in ATTRIBUTIONS if "<" in one])
def test_an_attribution_with_an_address_opens_unmarked_old_text(attribution):
    parted = part_words(f"new\n{attribution}\nold")
    assert (parted.new, parted.quoted) == ("new", f"{attribution}\nold")


@pytest.mark.parametrize("mark", [*ORIGINALS, *HEADER_BLOCKS])
def test_marks_of_programs_open_old_text(mark):
    parted = part_words(f"new\n\n{mark}\n\nold")
    assert (parted.new, parted.quoted) == ("new", f"{mark}\n\nold")


@pytest.mark.parametrize("mark", [*ORIGINALS, *HEADER_BLOCKS])
def test_old_text_with_nothing_before_it_is_what_is_sent(mark):
    assert part_words(f"\n{mark}\n\nold").quoted == ""


@pytest.mark.parametrize(
    "text",
    [
        "On 12 May 2026 at 10:15 the suspect wrote:\n\nI will kill them.",
        "On 12 May 2026 someone@mail.example wrote:\n\nI will kill them.",
        "The victim wrote:\nHelp.",
        "words\nFrom: the server at 192.0.2.1\nwe need the data",
        "words\nOriginal message\nmore",
        "words\nDate: 4 May\nSubject: x\nmore",
        "a > b\n=> c",
        "words\n--\n" + "line\n" * 20,
    ],
)
def test_in_doubt_words_are_new(text):
    assert part_words(text).new == text.strip("\n")


@pytest.mark.parametrize(
    "text",
    [
        "see\n---------- Forwarded message ---------\nFrom: A\nDate: x\nSubject: y\n\n> danger",
        "Begin forwarded message:\n\n> From: A\n> danger",
        "-------- Message transféré --------\ndanger",
    ],
)
def test_what_is_passed_on_is_new(text):
    parted = part_words(text)
    assert parted.new.endswith("danger")
    assert parted.quoted == ""


def test_a_forward_by_its_subject_keeps_everything():
    text = "see\n-----Original Message-----\nFrom: A\n> danger\n-- \nA. Doe"
    assert part_words(text, forward=True).new == text.replace("> ", "")


@pytest.mark.parametrize("mark", ["-- ", "--"])
def test_a_signature_goes(mark):
    assert part_words(f"words\n{mark}\nA. Doe\n+000 1").new == "words"


DISCLAIMERS = [
    "This e-mail may be confidential. If you are not the intended recipient, delete it.",
    "CONFIDENTIALITY NOTICE: if you have received this message in error, tell us.",
    "Ce message est confidentiel. Si vous l'avez reçu par erreur, détruisez-le.",
    "Este mensaje es confidencial. Si lo ha recibido por error, bórrelo.",
    "Diese E-Mail ist vertraulich. Wenn Sie nicht der richtige Adressat sind, löschen Sie sie.",
    "Questo messaggio è riservato. Se lo avete ricevuto per errore, cancellatelo.",
    "Esta mensagem é confidencial. Se a recebeu por engano, apague-a.",
]


@pytest.mark.parametrize("disclaimer", DISCLAIMERS)
def test_a_closing_disclaimer_goes(disclaimer):
    assert part_words(f"words\n\n{disclaimer}\n\n").new == "words"


@pytest.mark.parametrize(
    "text",
    [
        "This message concerns a danger to life.\n\nThis e-mail asks for data.",
        DISCLAIMERS[0],
        f"words\n\n{DISCLAIMERS[0]}\n\nWe request preservation.",
        f"words\n\n{DISCLAIMERS[0]} {'We request preservation. ' * 100}",
        "words\n\nThe intended recipient of the ransom is unknown.",
    ],
)
def test_what_is_only_like_a_disclaimer_stays(text):
    assert part_words(text).new == text.strip("\n")


LINES = st.lists(
    st.sampled_from(
        [
            *ATTRIBUTIONS,
            *ORIGINALS,
            *HEADER_BLOCKS,
            *DISCLAIMERS,
            "",
            " ",
            "> old",
            ">> ",
            "-- ",
            "word",
            "On 4 May",
            "wrote:",
        ]
    ),
    max_size=30,
)


@given(LINES, st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_plain_word_is_never_lost_but_to_a_signature(lines, forward):
    parted = part_words("\n".join(["first", *(line for line in lines if line != "-- ")]), forward=forward)
    assert parted.new.startswith("first")
    assert (parted.new + "\n" + parted.quoted).split("\n").count("word") == lines.count("word")


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_text_is_parted(text):
    part_words(text)


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "\n" * MEGABYTE,
        ">" * MEGABYTE,
        ">\n" * (MEGABYTE // 2),
        "On 1 <a@b> \n" * (MEGABYTE // 12),
        "On 1 a@b wrote:\n" * (MEGABYTE // 16),
        "x\nFrom: x\nSent: y\n" * (MEGABYTE // 18),
        (" " * 490 + "\n") * (MEGABYTE // 491),
        ("-" * 490 + "\n") * (MEGABYTE // 491),
        ("1 " * 240 + ":\n") * (MEGABYTE // 482),
    ],
    ids=range(9),
)
def test_a_megabyte_of_anything_takes_bounded_time(text, cpu_seconds):
    with cpu_seconds(at_most=5.0):
        part_words(text)


def test_the_last_line_before_an_attribution_is_new_without_a_blank_line_between():
    lines = ["Preserve the account of 203.0.113.7", "On Mon, 4 May 2026 at 09:00, A. Doe <a@b.example> wrote:", "> old"]
    parted = part_words("\n".join(lines))
    assert parted.new == "Preserve the account of 203.0.113.7"
    assert parted.quoted.endswith("old")


def test_a_wrapped_attribution_is_older_text_from_its_first_line_on():
    lines = ["Thank you.", "", "On Mon, 4 May 2026 at 09:00,", "A. Doe <a@b.example> wrote:", "> old"]
    assert part_words("\n".join(lines)).new.strip() == "Thank you."


LANGUAGES_QUOTED = [
    (
        "Japanese",
        "了解しました。\n\n差出人: a@b.example\n送信日時: 2026/06/15\n宛先: c@d.example\n件名: 要請\n\n古い本文",
    ),
    ("Ukrainian", "Дякуємо.\n\nВід: a@b.example\nНадіслано: 15 червня\nКому: c\nТема: запит\n\nстарий текст"),
    ("Romanian", "Mulțumim.\n\nExpeditor: a@b.example\nTrimis: 15 iunie\nSubiect: cerere\n\ntext vechi"),
    ("Georgian", "მადლობა.\n\nგამომგზავნი: a@b.example\nთარიღი: 15\nთემა: მოთხოვნა\n\nძველი"),
    ("Armenian", "Շնորհակալություն։\n\nՈւմից: a@b.example\nԱմսաթիվ: 15\nԹեմա: հարցում\n\nհին"),
]


@pytest.mark.parametrize("words", [row[1] for row in LANGUAGES_QUOTED], ids=[row[0] for row in LANGUAGES_QUOTED])
def test_an_old_message_is_told_by_its_head_in_any_of_our_languages(words):
    assert part_words(words, forward=False).new.strip() == words.partition("\n")[0]


DISCLAIMERS = [
    "Acest mesaj este confidențial. Dacă nu sunteți destinatarul, ștergeți-l.",
    "Bu e-posta gizlidir. Alıcısı değilseniz siliniz; yanlışlıkla aldıysanız bildiriniz.",
    "Это сообщение конфиденциально. Если вы не являетесь его адресатом, удалите его.",
    "Це повідомлення конфіденційне. Якщо ви отримали його помилково, видаліть його.",
    "Dit bericht is vertrouwelijk. Bent u niet de geadresseerde, verwijder het dan.",
    "هذه الرسالة سرية. إذا وصلتك عن طريق الخطأ فاحذفها.",
    "本メールは機密です。誤って受信された場合は削除してください。",
]


@pytest.mark.parametrize("words", DISCLAIMERS)
def test_a_disclaimer_is_left_out_in_any_of_our_languages_and_in_two_at_once(words):
    assert part_words(f"Request.\n\n{words}\n", forward=False).new.strip() == "Request."
    assert part_words(f"Request.\n\n{words}\n\n{DISCLAIMERS[0]}", forward=False).new.strip() == "Request."
