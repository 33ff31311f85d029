"""What in a mail does not fit its sender: each signal with a mail that differs in one thing and gives none."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import read_tree
from gateway.mail.scan import scan
from gateway.model.message import Address, Text
from gateway.model.settings import ContactPoint
from gateway.model.trust import Contact, ContactAddress
from gateway.model.verdict import Category, Classification, Reason, RuleFiles, Signal
from gateway.triage.classify import classify
from gateway.triage.ruleset import Ruleset, parse_ruleset
from gateway.triage.suspicions import suspicions

AT = datetime(2026, 6, 15, tzinfo=UTC)
FROM = "247cp@police.gov.b.example"
CONTACT = Contact(
    "bx-police", "Police", "BX", (ContactAddress(Address("247cp", "police.gov.b.example"), verified=True),),
    domains=("police.gov.b.example",), phone="+44 20 7946 0111",
)  # fmt: skip
OURS = ContactPoint(
    name="24/7", country="XX", mailbox="247cp@institution.gov.example", internal_domains=("institution.gov.example",)
)
EMERGENCY = "A girl of 9 was kidnapped two hours ago, her life is in danger. Please identify the user of 192.0.2.7.\n"
REQUEST = "Please provide subscriber information of the account lena.k@mailbridge.example. Offence: fraud.\n"


@cache
def shipped() -> Ruleset:
    rules = parse_ruleset(RuleFiles(read_tree(str(Path(__file__).parents[2] / "rules"))))
    return replace(rules, free_mail=rules.free_mail | {"free.example"})


def told(
    body: str,
    *,
    contact: Contact | None = CONTACT,
    fields: str = f"From: {FROM}\r\n",
    ours: ContactPoint = OURS,
    encrypted: bool = False,
) -> tuple[Signal, ...]:
    text, message = Text(body=body), scan(fields.encode() + b"\r\nx\r\n")
    found = classify(text, ruleset=shipped(), kind=None, own_addresses=(), sender_domain=None, encrypted=encrypted)
    return suspicions(text, message=message, contact=contact, classification=found, ours=ours, ruleset=shipped())


def reasons(*args: str, **more: object) -> list[Reason]:
    return [one.reason for one in told(*args, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [EMERGENCY, REQUEST])
def test_a_letter_as_colleagues_write_it_tells_nothing(body: str) -> None:
    assert reasons(body) == []


# ---- telephone numbers


def test_a_number_that_the_directory_does_not_have_is_told_and_not_repeated() -> None:
    (one,) = told(f"{REQUEST}Call us back at +44 20 7946 0958.\n")
    assert one.reason is Reason.PHONE_NOT_LISTED
    assert "+44 20 7946 0111" in one.detail
    assert "0958" not in one.detail


@pytest.mark.parametrize("written", ["+44 20 7946 0111", "+442079460111", "0044 20 79460111", "+44 (0)20 7946-0111"])
def test_the_number_of_the_directory_is_known_however_it_is_written(written: str) -> None:
    assert reasons(f"{REQUEST}Call us back at {written}.\n") == []


def test_a_number_asked_about_is_not_the_sender_s() -> None:
    assert reasons("Please provide subscriber information of the number +44 20 7946 0958. Offence: fraud.\n") == []


def test_of_a_stranger_only_an_emergency_makes_a_number_worth_a_word() -> None:
    line = "Call us back at +44 20 7946 0958.\n"
    assert Reason.PHONE_NOT_LISTED in reasons(EMERGENCY + line, contact=None)
    assert Reason.PHONE_NOT_LISTED not in reasons(REQUEST + line, contact=None)


def test_a_number_inside_an_encrypted_letter_is_told_too() -> None:
    assert reasons(f"{REQUEST}Call us back at +44 20 7946 0958.\n", encrypted=True) == [Reason.PHONE_NOT_LISTED]


# ---- free mailboxes


@pytest.mark.parametrize("domain", ["free.example", "de.free.example", "GMAIL.com"])
def test_a_stranger_who_asks_from_a_free_mailbox_is_told(domain: str) -> None:
    assert reasons(REQUEST, contact=None, fields=f"From: police@{domain}\r\n") == [Reason.FREE_MAIL]
    assert reasons("Thank you for yesterday.", contact=None, fields=f"From: police@{domain}\r\n") == []


def test_a_free_mailbox_that_the_directory_has_is_the_contact_s() -> None:
    assert reasons(REQUEST, fields="From: police@free.example\r\n") == []


def test_a_contact_who_wants_answers_at_a_free_mailbox_is_told() -> None:
    fields = f"From: {FROM}\r\nReply-To: police.b@free.example\r\n"
    assert reasons(REQUEST, fields=fields) == [Reason.FREE_MAIL]
    assert reasons(REQUEST, fields=fields.replace("free.example", "other.example")) == []


# ---- where the answer shall go, where the documents are

WANTED = (
    "Please send your answer to {}",
    "Reply only to my new mailbox, {}",
    "Merci d'envoyer les données à {}",
    "Envíen los datos a {}",
    "Enviem os dados para {}",
    "Bitte senden Sie die Daten an {}",
    "Inviate i dati a {}",
    "Trimiteți datele la {}",
    "Просим ответ направить на {}",
    "Відповідь надішліть на {}",
    "Verileri {} adresine gönderiniz",
    "الرجاء إرسال البيانات إلى {}",
)


@pytest.mark.parametrize("wanted", WANTED)
def test_an_answer_wanted_elsewhere_is_told_in_each_language(wanted: str) -> None:
    (one,) = told(wanted.format("desk@post.example"))
    assert one.reason is Reason.ANSWER_ELSEWHERE
    assert "post.example" in one.detail
    assert "desk@" not in one.detail


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("address", ["desk@police.gov.b.example", "247cp@institution.gov.example"])
def test_an_answer_wanted_at_the_sender_s_office_or_sent_to_ours_is_not(wanted: str, address: str) -> None:
    assert reasons(wanted.format(address)) == []


def test_a_portal_is_somewhere_else_too() -> None:
    assert reasons("Please upload the data to https://drop.post.example/a") == [Reason.ANSWER_ELSEWHERE]
    assert reasons("Please upload the data to https://portal.police.gov.b.example/a") == []


@pytest.mark.parametrize(
    "body",
    [
        "Please answer our request about the account lena.k@mailbridge.example.",
        "It is about lena.k@mailbridge.example. Send the data to 247cp@police.gov.b.example.",
        "Preserve lena.k@mailbridge.example, send the data to us.",
    ],
)
def test_an_account_asked_about_is_no_address_for_answers(body: str) -> None:
    assert reasons(body) == []


def test_the_second_address_does_not_hide_behind_the_first() -> None:
    (one,) = told("Reply to 247cp@police.gov.b.example. If that fails send the data to desk@post.example.")
    assert "post.example" in one.detail


@pytest.mark.parametrize(
    "body",
    [
        "You can download the order at https://files.post.example/7",
        "Vous pouvez télécharger les documents sous https://files.post.example/7",
        "Скачайте запрос: https://files.post.example/7",
        "Passwort für die Datei: 1234, siehe https://files.post.example/7",
    ],
)
def test_documents_behind_a_link_are_told(body: str) -> None:
    assert reasons(body) == [Reason.DOCUMENT_BY_LINK]
    assert reasons(body.replace("post.example", "police.gov.b.example")) == []


# ---- laws


@pytest.mark.parametrize(
    ("law", "country"), [("18 U.S.C. 2703(f)", "US"), ("§ 100j StPO", "DE"), ("5271 sayılı Kanun", "TR")]
)
def test_a_law_of_another_country_than_the_sender_s_is_told(law: str, country: str) -> None:
    (one,) = told(f"{REQUEST}Legal basis: {law}.\n")
    assert one.reason is Reason.FOREIGN_STATUTE
    assert country in one.detail
    assert reasons(f"{REQUEST}Legal basis: {law}.\n", contact=replace(CONTACT, country=country)) == []
    assert reasons(f"{REQUEST}Legal basis: {law}.\n", ours=replace(OURS, country=country)) == []


@pytest.mark.parametrize(("domain", "foreign"), [("police.fr", True), ("police.uk", False), ("police.example", False)])
def test_a_stranger_s_country_is_that_of_his_domain_if_any(domain: str, foreign: bool) -> None:
    found = reasons(f"{REQUEST}Legal basis: Investigatory Powers Act.\n", contact=None, fields=f"From: a@{domain}\r\n")
    assert found == [Reason.FOREIGN_STATUTE] * foreign


# ---- content


@pytest.mark.parametrize(
    "asked",
    [
        "Send the chat history, too.", "Merci de nous donner le contenu des messages.", "Danos el contenido de los mensajes.",
        "Queremos o conteúdo das mensagens.", "Geben Sie uns den Inhalt der Nachrichten.", "Dateci il contenuto dei messaggi.",
        "Dați-ne conținutul mesajelor.", "Нужно содержание сообщений.", "Потрібен зміст повідомлень.", "Mesajların içeriğini verin.",
        "نريد محتوى الرسائل",
    ],
)  # fmt: skip
def test_an_emergency_that_asks_for_content_is_told(asked: str) -> None:
    assert reasons(f"{EMERGENCY}{asked}\n") == [Reason.CONTENT_ASKED]
    assert reasons(f"{REQUEST}{asked}\n") == []


def test_content_to_be_preserved_is_not_asked_for() -> None:
    assert reasons(f"{EMERGENCY}Please preserve the content of the messages.\n") == []


# ---- any bytes


@given(body=st.text(max_size=400), reply=st.text(alphabet="a@.,<>;: \u0430", max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_text_breaks_it_and_no_signal_repeats_an_address(body: str, reply: str) -> None:
    fields = f"From: {FROM}\r\nReply-To: {reply}\r\n"
    text, message = Text(body=f"send the data to {body}"), scan(fields.encode() + b"\r\nx\r\n")
    found = Classification(category=Category.EMERGENCY)
    for one in suspicions(text, message=message, contact=CONTACT, classification=found, ours=OURS, ruleset=shipped()):
        assert "@" not in one.detail
