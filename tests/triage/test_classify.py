"""What a mail asks, and with what reasons; each claim with a twin that differs in one thing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import rule_pack
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_pack import hit_rules, judge, pack, pack_files, with_rules

from gateway.model.message import Text
from gateway.model.verdict import Category, Classification, Kind, Place, Reason

PRESERVATION = "Data preservation request: please preserve all records of the account shadow@mail.example."
COMPLETE = (
    f"{PRESERVATION} The offence is fraud. The logs are volatile. A request for mutual assistance is being prepared."
)


def body(words, **places):
    return Text(body=words, **places)


def far(words):
    """The words behind the first screen, where a hit counts as body only."""
    return "lorem ipsum dolor sit amet " * 20 + words


def test_innocent_mail_asks_for_nothing():
    found = judge(body("Dear colleagues, the canteen is closed on Monday."))
    assert found.category is Category.OTHER
    assert found.kind is Kind.UNKNOWN
    assert found.score == 0
    assert found.hits == ()
    assert found.missing == ()
    assert found.findings == ()


def test_empty_mail_asks_for_nothing():
    assert judge(Text()) == Classification()


def test_request_is_new_and_names_its_rules():
    found = judge(body(PRESERVATION))
    assert found.category is Category.PRESERVATION
    assert found.kind is Kind.NEW
    assert hit_rules(found) == {"preservation.en.title", "preservation.en.verb"}
    assert found.score == sum(hit.score for hit in found.hits)


def test_hits_stand_highest_score_first_with_place_and_words():
    found = judge(Text(subject="Data Preservation Request", body=far("please preserve the records")))
    assert [(hit.place, hit.score, hit.text) for hit in found.hits] == [
        (Place.SUBJECT, 25, "data preservation request"),
        (Place.BODY, 3, "preserve"),
    ]
    assert found.hits[1].offset == far("please ").count("") - 1


SCORES = [
    ("template", Text(template="T-CY(2018)11"), 50),
    ("subject", Text(subject="Data preservation request"), 25),
    ("heading", Text(headings=("Facts", "DATA PRESERVATION REQUEST")), 15),
    ("first screen", body("Data preservation request"), 15),
    ("body", body(far("Data preservation request")), 5),
    ("attachment", Text(attachments=("words", "Data preservation request")), 5),
    ("file name, which the rule does not read", Text(filenames=("data_preservation_request.pdf",)), 0),
    ("several places: the best, once", Text(subject="Data preservation request", body="Data preservation request"), 25),
    ("twice in one place: once", body("Data preservation request. Data preservation request."), 15),
]


@pytest.mark.parametrize(("text", "score"), [row[1:] for row in SCORES], ids=[row[0] for row in SCORES])
def test_rule_counts_once_at_its_best_place(text, score):
    assert sum(hit.score for hit in judge(text).hits if hit.rule == "preservation.en.title") == score


def test_file_name_is_read_as_words():
    ruleset = with_rules(
        "{id: a.file, category: preservation, phrases: [preservation request], places: [filename], weight: 9, why: test}"
    )
    assert judge(Text(filenames=("Data_Preservation_Request.pdf",)), ruleset=ruleset).category is Category.PRESERVATION


def test_phrase_does_not_run_from_one_attachment_into_the_next():
    assert judge(Text(attachments=("data preservation", "request"))).hits == ()
    assert judge(Text(attachments=("data preservation request",))).hits != ()


THRESHOLD = "{id: a.one, category: preservation, phrases: [aaa], weight: 7, why: test}\n{id: a.two, category: preservation, phrases: [bbb], weight: 1, why: test}"


def test_weak_rules_add_up_to_the_threshold():
    ruleset = with_rules(THRESHOLD)
    assert judge(body(far("aaa bbb")), ruleset=ruleset).category is Category.PRESERVATION
    alone = judge(body(far("aaa")), ruleset=ruleset)
    assert alone.category is Category.OTHER
    assert alone.findings == (Reason.DOUBTFUL_CATEGORY,)


def test_what_is_far_from_any_threshold_is_no_doubt():
    assert judge(body(far("bbb")), ruleset=with_rules(THRESHOLD)).findings == ()


NEARNESS = [
    ("near what it must be near", "please preserve the account", True),
    ("near nothing", "please preserve the forest", False),
    ("too far from it", "please preserve the forest, " + "which is dear to all of us, " * 3 + "account", False),
    (
        "second occurrence is near",
        "please preserve the forest, " + "dear to all of us, " * 6 + "preserve the account",
        True,
    ),
    ("near, but taken back", "please preserve the account of the national park", False),
    ("taken back from another place", "please preserve the account\n", False),
]


@pytest.mark.parametrize(("words", "hits"), [row[1:] for row in NEARNESS], ids=[row[0] for row in NEARNESS])
def test_near_and_unless(words, hits):
    subject = "National Park" if words.endswith("\n") else ""
    assert ("preservation.en.verb" in hit_rules(judge(body(words, subject=subject)))) is hits


def test_not_near_drops_the_occurrence_only():
    assert judge(body("Webinar on the data preservation request")).score == 0
    later = judge(body("Webinar. " + "We come to something else now. " * 4 + "This is a data preservation request."))
    assert "preservation.en.title" in hit_rules(later)


def test_quoted_mail_is_not_scored_but_is_a_doubt():
    found = judge(Text(body="Thank you, received.", quoted=COMPLETE))
    assert found.category is Category.OTHER
    assert found.hits == ()
    assert found.findings == (Reason.DOUBTFUL_CATEGORY,)
    assert judge(Text(body="Thank you, received.", quoted="See you on Monday.")).findings == ()


# Emergency: a danger to life or safety and a request, and the score.

DANGER = "A child has been kidnapped, there is an imminent threat to life."
EMERGENCY = f"Emergency disclosure request. {DANGER}"


def test_danger_and_request_are_an_emergency():
    found = judge(body(EMERGENCY))
    assert found.category is Category.EMERGENCY
    assert found.kind is Kind.NEW


NO_EMERGENCY = [
    ("request without danger", "Emergency disclosure request. URGENT! The company loses money every hour."),
    ("urgency alone", "URGENT ASAP urgent"),
    ("danger without request", f"News of the day: {DANGER}"),
]


@pytest.mark.parametrize("words", [row[1] for row in NO_EMERGENCY], ids=[row[0] for row in NO_EMERGENCY])
def test_without_both_it_is_no_emergency(words):
    assert judge(body(words)).category is not Category.EMERGENCY


def test_score_without_the_needed_words_is_a_doubt():
    assert Reason.DOUBTFUL_CATEGORY in judge(body(f"News of the day: {DANGER}")).findings
    assert Reason.DOUBTFUL_CATEGORY in judge(body("Emergency disclosure request.")).findings


def test_danger_beside_another_request_is_an_emergency():
    found = judge(Text(subject="Danger of death", body="Identify the user of the IP address 203.0.113.7 at once."))
    assert found.category is Category.EMERGENCY
    assert found.secondary == (Category.SUBSCRIBER_INFO,)


def test_emergency_wins_over_any_score():
    found = judge(Text(subject="Data preservation request T-CY(2018)11", template="T-CY(2018)11", body=EMERGENCY))
    assert found.category is Category.EMERGENCY
    assert found.secondary == (Category.PRESERVATION,)
    assert found.score < 50


def test_urgency_is_a_flag_and_never_a_category():
    found = judge(body("URGENT: the invoice, asap"))
    assert found.urgent
    assert found.category is Category.OTHER
    assert not judge(body("the invoice")).urgent


def test_a_need_may_name_an_item():
    scoring = pack_files()["scoring.yaml"].replace(b"[request, preservation, subscriber-info]", b"[E1]")
    ruleset = with_rules(
        "{id: a.d, category: emergency, phrases: [dying], marks: [danger], weight: 9, why: test}", scoring=scoring
    )
    assert judge(Text(subject="dying"), ruleset=ruleset).category is Category.OTHER
    assert judge(Text(subject="dying", body="Call +44 20 7946 0958"), ruleset=ruleset).category is Category.EMERGENCY


def test_other_categories_may_have_needs_too():
    scoring = pack_files()["scoring.yaml"].replace(b"needs:\n", b"needs:\n  subscriber-info: [[request]]\n")
    rules = (
        "{id: a.s, category: subscriber-info, phrases: [subscriber], weight: 9, why: test}\n"
        "{id: a.r, category: subscriber-info, phrases: [please send], weight: 0, marks: [request], why: test}"
    )
    ruleset = with_rules(rules, scoring=scoring)
    assert judge(body("the subscriber"), ruleset=ruleset).category is Category.OTHER
    found = judge(body("please send the subscriber"), ruleset=ruleset)
    assert found.category is Category.SUBSCRIBER_INFO
    assert ("a.r", 0) in {(hit.rule, hit.score) for hit in found.hits}


# Which category comes first.


def test_two_requests_are_primary_and_secondary():
    found = judge(
        Text(subject="Data preservation request", body="Also identify the user of the IP address 203.0.113.7.")
    )
    assert (found.category, found.secondary) == (Category.PRESERVATION, (Category.SUBSCRIBER_INFO,))
    turned = judge(
        Text(subject="Identify the user of the IP address", body="Subscriber information. Data preservation request.")
    )
    assert (turned.category, turned.secondary) == (Category.SUBSCRIBER_INFO, (Category.PRESERVATION,))


def test_equal_scores_put_preservation_first():
    ruleset = with_rules(
        "{id: a.p, category: preservation, phrases: [ppp], weight: 9, why: test}\n"
        "{id: a.s, category: subscriber-info, phrases: [sss], weight: 9, why: test}"
    )
    assert judge(body("sss ppp"), ruleset=ruleset).category is Category.PRESERVATION


# Kinds.


def test_kind_is_told_by_words():
    found = judge(Text(subject="Extension of previous request", body=COMPLETE))
    assert found.kind is Kind.EXTENSION
    assert found.category is Category.PRESERVATION


def test_kind_needs_its_threshold():
    ruleset = with_rules("{id: a.k, kind: withdrawal, phrases: [withdraw], weight: 4, why: test}")
    assert judge(body(far("we withdraw")), ruleset=ruleset).kind is Kind.UNKNOWN
    assert judge(Text(subject="we withdraw"), ruleset=ruleset).kind is Kind.WITHDRAWAL


@pytest.mark.parametrize("kind", [Kind.AUTO_REPLY, Kind.BOUNCE, Kind.CIRCULAR])
def test_automatic_mail_asks_for_nothing(kind):
    found = judge(Text(subject="Data preservation request", body=COMPLETE), kind=kind)
    assert found.category is Category.OTHER
    assert found.kind is kind
    assert found.missing == ()
    assert found.findings == (Reason.DOUBTFUL_CATEGORY,)
    assert judge(Text(subject="Out of office"), kind=kind).findings == ()


def test_circular_takes_the_category_away_unless_it_names_an_identifier():
    words = "Webinar: register now. " + "Learn more about it here. " * 5 + "How to write a data preservation request."
    found = judge(body(words))
    assert (found.category, found.kind) == (Category.OTHER, Kind.CIRCULAR)
    assert found.findings == (Reason.DOUBTFUL_CATEGORY,)
    real = judge(body(f"{words} The address is 203.0.113.7."))
    assert real.category is Category.PRESERVATION


# What is missing, and the facts.


def test_complete_request_misses_nothing():
    found = judge(body(COMPLETE))
    assert found.missing == ()
    assert found.mla_intended is True


def test_missing_items_come_in_the_order_of_the_list():
    assert judge(body("This is a data preservation request.")).missing == ("P2", "P3", "P5", "P6")


def test_identifier_stands_for_an_item():
    assert "P3" not in judge(body("This is a data preservation request for 203.0.113.7")).missing


def test_item_of_a_secondary_category_is_missed_too():
    found = judge(Text(subject="Danger of death", body="Identify the user of the IP address. Subscriber information."))
    assert found.missing == ("E1", "S1")


def test_follow_up_is_not_asked_for_everything():
    ruleset = with_rules(
        "{id: a.p, category: preservation, phrases: [ppp], weight: 9, why: test}\n"
        "{id: a.k, kind: follow-up, phrases: [as announced], weight: 9, why: test}"
    )
    assert judge(body("ppp"), ruleset=ruleset).missing != ()
    assert judge(body("ppp as announced"), ruleset=ruleset).missing == ()


def test_mla_may_be_declined_or_not_mentioned():
    assert judge(body("No MLA request will follow. The MLA request will follow is not true.")).mla_intended is False
    assert judge(body(PRESERVATION)).mla_intended is None


def test_reference_and_period_are_read():
    found = judge(body(f"Our ref: CC/2024/1187. {PRESERVATION} We ask for preservation for ninety (90) days."))
    assert found.reference == "CC/2024/1187"
    assert found.preservation_days == 90


# Encrypted mail.


def test_of_encrypted_mail_no_word_leaves():
    words = f"Our ref: CC/2024/1187. {COMPLETE}"
    found, plain = judge(body(words), encrypted=True), judge(body(words))
    assert (found.category, found.score, found.missing) == (plain.category, plain.score, plain.missing)
    assert [(hit.rule, hit.offset) for hit in found.hits] == [(hit.rule, hit.offset) for hit in plain.hits]
    assert {hit.text for hit in found.hits} == {""}
    assert found.identifiers == ()
    assert found.reference is None
    assert plain.identifiers != ()


# Evasion (writing differs, meaning does not) and language.

EVASIONS = [
    ("capitals", "DATA PRESERVATION REQUEST"),
    ("line break", "Data\r\npreservation\r\n request"),
    ("zero-width", "Da\u200bta preser\u200cvation re\u2060quest"),
    ("soft hyphen", "Data preser\u00advation request"),
    ("full width", "Ｄａｔａ　ｐｒｅｓｅｒｖａｔｉｏｎ　ｒｅｑｕｅｓｔ"),
    ("Cyrillic letters", "Dаtа рrеsеrvаtiоn rеquеst"),
    ("mathematical letters", "𝐃𝐚𝐭𝐚 𝐩𝐫𝐞𝐬𝐞𝐫𝐯𝐚𝐭𝐢𝐨𝐧 𝐫𝐞𝐪𝐮𝐞𝐬𝐭"),
    ("accents", "Dätá prèservatión rêquest"),
    ("tag characters", "Data\U000e0041 preservation request"),
    ("back-space", "Data pres\x08ervation request"),
]


@pytest.mark.parametrize("words", [row[1] for row in EVASIONS], ids=[row[0] for row in EVASIONS])
def test_writing_does_not_evade(words):
    assert judge(body(words)).category is Category.PRESERVATION


def test_longest_hit_is_cut():
    ruleset = with_rules("{id: a.l, category: preservation, regex: ['x+'], weight: 9, why: test}")
    assert len(judge(body("x" * 5000), ruleset=ruleset).hits[0].text) == 120


LANGUAGES = [
    ("English", "We are asking you for the preservation of the data and for the names that are in your hands.", "en"),
    (
        "French",
        "Nous vous demandons la conservation des données et le nom du titulaire pour une enquête en cours.",
        "fr",
    ),
    ("too short", "the and of", None),
    (
        "another language",
        "Wir bitten um umgehende Sicherung der gespeicherten Computerdaten und um eine Antwort.",
        "de",
    ),
    (
        "half and half",
        "The data of the account and the name. Les données de ce compte et le nom du titulaire pour nous.",
        None,
    ),
    ("nothing", "", None),
]


@pytest.mark.parametrize(("words", "language"), [row[1:] for row in LANGUAGES], ids=[row[0] for row in LANGUAGES])
def test_language_is_told_by_everyday_words(words, language):
    assert judge(body(words)).language == language


def test_language_of_a_short_request_is_that_of_its_rules():
    assert judge(Text(subject="Demande de gel de données")).language == "fr"


def test_rules_of_every_language_are_tried():
    found = judge(
        body("Conservation rapide de données informatiques stockées / expedited preservation of stored computer data")
    )
    assert {"preservation.fr.title", "preservation.en.title"} <= hit_rules(found)


# Properties.

PIECES = st.sampled_from(
    [
        PRESERVATION,
        DANGER,
        EMERGENCY,
        "webinar",
        "urgent",
        "national park",
        "203.0.113.7",
        "é日本\n",
        "register now",
        " ",
    ]
)
TEXTS = st.builds(
    Text,
    subject=st.lists(PIECES, max_size=2).map(" ".join),
    headings=st.lists(PIECES, max_size=2).map(tuple),
    body=st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=6).map(" ".join),
    quoted=st.lists(PIECES, max_size=2).map(" ".join),
    attachments=st.lists(PIECES, max_size=2).map(tuple),
    filenames=st.lists(st.text(max_size=10), max_size=2).map(tuple),
    template=st.sampled_from(["", "T-CY(2018)11", "T-CY(2018)10"]),
)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.booleans())
def test_any_text_is_classified_soundly(text, encrypted):
    found = judge(text, encrypted=encrypted)
    assert found == judge(text, encrypted=encrypted)
    assert found.category not in found.secondary
    assert Category.OTHER not in found.secondary
    thresholds = pack().scoring.thresholds
    if found.category is not Category.OTHER:
        assert found.score >= thresholds[found.category]
    if Category.EMERGENCY in (found.category, *found.secondary):
        assert found.category is Category.EMERGENCY
        assert "emergency.en.danger" in hit_rules(found)
    assert len({hit.rule for hit in found.hits}) == len(found.hits)
    assert all(len(hit.text) <= 120 and hit.score >= 0 for hit in found.hits)
    assert not (encrypted and (found.identifiers or any(hit.text for hit in found.hits)))


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from rule_pack import judge
from gateway.model.message import Text
words = "Subscriber information, data preservation request, Emergency disclosure request, kidnapped, webinar, urgent données"
print(judge(Text(subject=words, body=words, attachments=(words, words), quoted=words)))
"""


def test_the_same_mail_is_classified_alike_in_every_process():
    support = str(Path(rule_pack.__file__).parent)
    answers = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, support],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(answers) == 1
