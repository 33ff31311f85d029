"""The shipped rule pack against its own promises; what the engine does with rules is tested in tests/triage."""

import ipaddress
import re
from collections import Counter
from pathlib import Path

import pytest

from gateway.config import read_tree
from gateway.mail.parse import parse
from gateway.mail.receipt import ReceiptContext, render
from gateway.mail.text import read
from gateway.model.message import Text
from gateway.model.verdict import Category, Classification, Kind, Level, RuleFiles
from gateway.triage.bench import examples_of, judge, run
from gateway.triage.classify import classify
from gateway.triage.ruleset import Ruleset, parse_ruleset

ROOT = Path(__file__).parents[2] / "rules"
LANGUAGES = ("en", "fr", "es")
OTHER_LANGUAGES = ("pt", "ro", "de", "it", "nl", "ru", "uk", "tr", "ar", "ja", "ka", "hy")
ALL_LANGUAGES = (*LANGUAGES, *OTHER_LANGUAGES)
REQUESTS = (Category.PRESERVATION, Category.SUBSCRIBER_INFO, Category.EMERGENCY)
FILES = read_tree(str(ROOT))
EXAMPLES = sorted(ROOT.glob("examples/*/*.eml"))
RESERVED = (".example", ".test", ".invalid")
DOCUMENTATION = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return parse_ruleset(RuleFiles(FILES))


def judged(ruleset: Ruleset, body: str, *, subject: str = "") -> Classification:
    return classify(
        Text(subject=subject, body=body),
        ruleset=ruleset,
        kind=None,
        own_addresses=(),
        sender_domain=None,
        encrypted=False,
    )


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


# ---- the pack and its examples


def test_every_example_is_judged_as_its_folder_says_and_every_rule_is_exercised(ruleset: Ruleset) -> None:
    report = run(examples_of(FILES), ruleset=ruleset)
    assert report.differences == ()
    assert report.idle == ()


def test_order_of_the_files_changes_no_judgement(ruleset: Ruleset) -> None:
    turned = parse_ruleset(RuleFiles(tuple(reversed(FILES))))
    assert turned.digest == ruleset.digest
    for path in EXAMPLES:
        message = parse(path.read_bytes())
        assert judge(message, ruleset=turned) == judge(message, ruleset=ruleset), name_of(path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_its_examples(language: str) -> None:
    count = Counter(path.parent.name for path in EXAMPLES if path.name.startswith(f"{language}-"))
    assert count[Category.OTHER] >= 15
    assert all(count[category] >= 8 for category in REQUESTS), count


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_each_further_language_has_examples_of_every_category(language: str) -> None:
    count = Counter(path.parent.name for path in EXAMPLES if path.name.startswith(f"{language}-"))
    assert count[Category.OTHER] >= 6
    assert all(count[category] >= 3 for category in REQUESTS), count


@pytest.mark.parametrize("language", ALL_LANGUAGES)
def test_each_language_has_the_same_rules(ruleset: Ruleset, language: str) -> None:
    ids = {
        one: {
            tuple(word for word in rule.id.split(".") if word != one) for rule in ruleset.rules if rule.language == one
        }
        for one in ALL_LANGUAGES
    }
    assert ids[language] == ids["en"]


def test_every_checklist_item_has_a_name_in_every_language(ruleset: Ruleset) -> None:
    assert all(set(item.names) == set(ALL_LANGUAGES) for item in ruleset.items.values())


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_example_is_a_real_message_of_nobody(path: Path) -> None:
    content = path.read_bytes()
    message = parse(content)
    assert message.defects == ()
    assert content.count(b"\n") == content.count(b"\r\n") > 0
    assert all(message.header.first(name) for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version"))
    text = read(message)
    words = " ".join(
        (text.subject, text.body, text.quoted, *text.attachments, content.partition(b"\r\n\r\n")[0].decode())
    )
    domains = re.findall(r"[\w.+-]+@([\w.-]+\.[a-z]+)", words)
    assert all(domain.endswith(RESERVED) for domain in domains), domains
    addresses = [ipaddress.ip_address(found) for found in re.findall(r"\b(?:\d{1,3}\.){3}\d{1,3}\b", words)]
    assert all(any(address in network for network in DOCUMENTATION) for address in addresses), addresses


# ---- what the pack promises about any mail


def test_urgency_alone_is_no_category(ruleset: Ruleset) -> None:
    found = judged(
        ruleset,
        "URGENT! urgent, urgente, asap, immediately, tout de suite, lo antes posible, sans délai",
        subject="URGENT",
    )
    assert found.category is Category.OTHER
    assert found.urgent


def test_the_word_emergency_without_a_danger_is_no_emergency(ruleset: Ruleset) -> None:
    found = judged(
        ruleset, "Emergency disclosure request. Please provide the identity of the user of 192.0.2.7. Emergency!"
    )
    assert found.category is Category.SUBSCRIBER_INFO


def test_a_danger_without_a_request_is_no_emergency(ruleset: Ruleset) -> None:
    found = judged(ruleset, "The girl was kidnapped yesterday and her life is in danger, said the mayor.")
    assert found.category is Category.OTHER


DANGERS = (
    "A girl of 9 was kidnapped two hours ago, her life is in danger.",
    "Une fillette de 9 ans a été enlevée il y a deux heures, sa vie est en danger.",
    "Una niña de 9 años fue secuestrada hace dos horas, su vida corre peligro.",
)
ASKINGS = (
    "Please identify the user of 192.0.2.7.",
    "Merci d'identifier l'utilisateur de 192.0.2.7.",
    "Por favor identifiquen al usuario de 192.0.2.7.",
)


@pytest.mark.parametrize("danger", DANGERS, ids=LANGUAGES)
@pytest.mark.parametrize("asking", ASKINGS, ids=LANGUAGES)
def test_a_danger_with_a_request_is_an_emergency_even_across_languages(
    ruleset: Ruleset, danger: str, asking: str
) -> None:
    found = judged(ruleset, f"{danger} {asking}")
    assert found.category is Category.EMERGENCY
    assert Category.SUBSCRIBER_INFO in found.secondary


@pytest.mark.parametrize("asking", ASKINGS, ids=LANGUAGES)
def test_the_same_request_without_the_danger_is_for_subscriber_information(ruleset: Ruleset, asking: str) -> None:
    assert judged(ruleset, asking).category is Category.SUBSCRIBER_INFO


def test_preservation_and_subscriber_information_are_both_named(ruleset: Ruleset) -> None:
    found = judged(
        ruleset,
        "Please preserve the logs of the account kestrel@mailbridge.example. We also request the subscriber information: name and address.",
    )
    assert {found.category, *found.secondary} == {Category.PRESERVATION, Category.SUBSCRIBER_INFO}


@pytest.mark.parametrize("number", ["Article 29", "article 30", "artículo 31", "Art. 18"])
def test_an_article_number_alone_is_nothing(ruleset: Ruleset, number: str) -> None:
    assert judged(ruleset, f"As to {number} of the regulation, see below.", subject=number).category is Category.OTHER


@pytest.mark.parametrize(
    ("ticked", "kind"),
    [
        ("☒ New request\n☐ Extension of previous request", Kind.NEW),
        ("☐ New request\n☒ Extension of previous request", Kind.EXTENSION),
    ],
)
def test_an_unticked_box_tells_no_kind(ruleset: Ruleset, ticked: str, kind: Kind) -> None:
    found = judged(
        ruleset,
        f"REQUEST STATUS\n{ticked}\nPlease preserve the mailbox x@mailbridge.example.",
        subject="Data preservation request",
    )
    assert found.kind is kind


@pytest.mark.parametrize(
    ("words", "intended"),
    [("An MLA request will follow.", True), ("No MLA request will follow.", False), ("", None),
     ("Une demande d'entraide suivra.", True), ("Aucune demande d'entraide ne suivra.", False),
     ("Se enviará una solicitud de asistencia.", True), ("No se enviará solicitud de asistencia.", False)],
)  # fmt: skip
def test_the_intention_of_a_request_for_assistance_is_read(ruleset: Ruleset, words: str, intended: bool | None) -> None:
    assert judged(ruleset, f"Please preserve the mailbox x@mailbridge.example. {words}").mla_intended is intended


# ---- receipts


def receipt(ruleset: Ruleset, *, language: str, level: Level, category: Category, **changes: object) -> str:
    facts: dict[str, object] = {
        "reference": "247CP-2026-000042-K7QA", "level": level, "category": category, "kind": Kind.NEW, "urgent": False,
        "received_at": "2026-11-21T03:14:07Z", "received_local": "2026-11-21 04:14 +01:00", "sha256": "ab" * 32,
        "message_id": "<one@police.gov.b.example>", "missing": (), "phone": "+999 555 0100",
        "contact_point_name": "24/7 Contact Point of Borduria", "country": "BX", "preservation_days": 90,
        "preservation_until": "2027-02-19", "mla_intended": None, "sla": "",
    }  # fmt: skip
    return render(ruleset.receipt_template(language, level), context=ReceiptContext(**(facts | changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ALL_LANGUAGES)
@pytest.mark.parametrize("level", [Level.FULL, Level.MINIMAL])
@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("mla_intended", [True, False, None])
def test_receipt_is_brief_and_says_reference_time_and_phone(
    ruleset: Ruleset, language: str, level: Level, category: Category, mla_intended: bool | None
) -> None:
    text = receipt(ruleset, language=language, level=level, category=category, mla_intended=mla_intended)
    assert all(fact in text for fact in ("247CP-2026-000042-K7QA", "2026-11-21T03:14:07Z", "+999 555 0100"))
    assert len(text) < 1500


@pytest.mark.parametrize("language", ALL_LANGUAGES)
def test_receipt_of_an_emergency_begins_with_the_telephone(ruleset: Ruleset, language: str) -> None:
    text = receipt(ruleset, language=language, level=Level.FULL, category=Category.EMERGENCY)
    assert "+999 555 0100" in text.splitlines()[0]


@pytest.mark.parametrize("language", ALL_LANGUAGES)
def test_receipt_of_an_emergency_names_emergency_items_only(ruleset: Ruleset, language: str) -> None:
    missing = (("S2", "item-of-another-list"), ("E5", "first-item"), ("E10", "second-item"))
    text = receipt(ruleset, language=language, level=Level.FULL, category=Category.EMERGENCY, missing=missing)
    assert "item-of-another-list" not in text
    assert re.search(r"first-item ?; second-item\.", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_receipt_of_a_preservation_promises_nothing_and_reminds_of_assistance(ruleset: Ruleset, language: str) -> None:
    text = receipt(
        ruleset, language=language, level=Level.FULL, category=Category.PRESERVATION, missing=(("P5", "necessity"),)
    )
    assert {"60", "90"} <= set(re.findall(r"\b\d+\b", text))
    assert "2027-02-19" in text
    assert "necessity." in text
    assert re.search(r"MLA|entraide|asistencia", text)
    assert re.search(r"does not confirm|ne confirme pas|no confirma", text)


@pytest.mark.parametrize("language", ALL_LANGUAGES)
def test_minimal_receipt_is_the_same_for_every_category(ruleset: Ruleset, language: str) -> None:
    texts = {
        receipt(
            ruleset,
            language=language,
            level=Level.MINIMAL,
            category=category,
            urgent=urgent,
            missing=(("P5", "necessity"),),
        )
        for category in Category
        for urgent in (True, False)
    }
    (text,) = texts
    assert not any(word in text for word in ("ab" * 32, "necessity", "police.gov.b.example"))


@pytest.mark.parametrize("language", ALL_LANGUAGES)
@pytest.mark.parametrize("level", [Level.FULL, Level.MINIMAL])
def test_receipt_holds_when_no_telephone_is_configured(ruleset: Ruleset, language: str, level: Level) -> None:
    text = receipt(ruleset, language=language, level=level, category=Category.EMERGENCY, phone="")
    assert "  " not in text.splitlines()[0]
