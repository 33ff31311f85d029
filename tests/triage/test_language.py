"""The language of a mail, and that not knowing is an answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage import language as room
from gateway.triage.language import language_of
from gateway.triage.normal import fold

ENGLISH = "the of and to in for is are that this with by on from we you our your please has have be was not it an who"
SPANISH = "el la los de del que en por para con se nos su al no"
COMMON = {"en": frozenset(ENGLISH.split()), "es": frozenset(SPANISH.split())}

WORDS = {
    "en": "We kindly request the expedited preservation of all data relating to the account described below, pending an MLA request.",
    "fr": "Nous demandons la conservation rapide des données informatiques stockées relatives au compte indiqué ci-dessous.",
    "es": "Solicitamos la conservación rápida de los datos informáticos almacenados relativos a la cuenta indicada a continuación.",
    "pt": "Solicitamos a preservação expedita dos dados informáticos armazenados relativos à conta abaixo indicada.",
    "ro": "Vă solicităm conservarea rapidă a datelor informatice stocate privind contul indicat mai jos.",
    "de": "Wir ersuchen um umgehende Sicherung der gespeicherten Computerdaten des unten genannten Kontos.",
    "it": "Si richiede la conservazione rapida dei dati informatici immagazzinati relativi all'account indicato di seguito.",
    "ru": "Просим обеспечить неотложную сохранность хранящихся компьютерных данных указанной ниже учетной записи.",
    "uk": "Просимо забезпечити термінове збереження комп'ютерних даних зазначеного нижче облікового запису.",
    "ar": "نطلب منكم الحفظ العاجل للبيانات المخزنة المتعلقة بالحساب المذكور أدناه",
    "tr": "Aşağıda belirtilen hesaba ait saklanan bilgisayar verilerinin süratle muhafaza edilmesini talep ederiz.",
    "nl": "Wij verzoeken u om de opgeslagen computergegevens van het onderstaande account met spoed te bewaren.",
    "ja": "下記アカウントに関する保存されたコンピュータデータの迅速な保全を要請します。",
    "ka": "გთხოვთ უზრუნველყოთ შენახული კომპიუტერული მონაცემების დაჩქარებული დაცვა.",
    "hy": "Խնդրում ենք ապահովել պահված համակարգչային տվյալների շտապ պահպանումը։",
    "el": "Παρακαλούμε για την άμεση διατήρηση των αποθηκευμένων δεδομένων του λογαριασμού.",
    "pl": "Zwracamy się z prośbą o niezwłoczne zabezpieczenie danych informatycznych dotyczących konta.",
}


def told(words):
    return language_of(words, fold(words), common_words=COMMON)


@pytest.mark.parametrize(("language", "words"), WORDS.items(), ids=WORDS)
def test_a_sentence_of_a_request_tells_its_language(language, words):
    assert told(words) == language


@pytest.mark.parametrize("language", ["ja", "ru", "de"])
def test_identifiers_between_the_words_change_nothing(language):
    numbers = "\n203.0.113.7 https://evil.example/path shadow.fox@mail.example BX-4471/26 user_name_77" * 5
    assert told(WORDS[language] + numbers) == language


UNKNOWN = {
    "nothing": "",
    "two words": "URGENT request",
    "figures": "12345 67890 " * 20,
    "two languages in halves": WORDS["en"] + "\n" + WORDS["tr"],
}


@pytest.mark.parametrize("words", UNKNOWN.values(), ids=UNKNOWN)
def test_not_knowing_is_an_answer(words):
    assert told(words) is None


def test_without_lingua_everyday_words_and_scripts_decide(monkeypatch):
    monkeypatch.setattr(room, "find_spec", lambda _name: None)
    assert told(WORDS["en"]) == "en"
    assert told(WORDS["ja"]) == "ja"
    assert told(WORDS["tr"]) is None


def test_prepared_models_are_those_that_mails_are_asked_of():
    room.prepare()
    assert room._detector.cache_info().currsize == 1
    assert told(WORDS["de"]) == "de"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_answered(words):
    language = told(words)
    assert language is None or len(language) == 2
