"""Whatever text a stranger sends, it can be written, looked up and read again."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from journal_samples import case_view, incoming, outcome

from gateway.model.outcome import Outcome
from gateway.model.verdict import Hit, Place, RuleFiles
from gateway.store.codec import MAX_KEY_OCTETS, codec, key_of, storable
from gateway.store.intake import read_envelope, write_envelope

write_outcome, read_outcome = codec(Outcome)
write_files, read_files = codec(RuleFiles)

any_text = st.text(st.characters(exclude_categories=()), max_size=40)
clean_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@settings(max_examples=200, deadline=None, database=None)
@given(any_text)
def test_storable_text_is_what_both_databases_take(text: str) -> None:
    stored = storable(text)
    stored.encode()
    assert "\0" not in stored
    assert storable(stored) == stored
    if "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text):
        assert stored == text


@settings(max_examples=100, deadline=None, database=None)
@given(any_text, st.integers(0, 50))
def test_a_key_is_bounded_and_the_same_each_time(text: str, times: int) -> None:
    assert len(key_of(text * times)) <= MAX_KEY_OCTETS
    assert key_of(key_of(text * times)) == key_of(text * times)


@settings(max_examples=100, deadline=None, database=None)
@given(clean_text, st.binary(max_size=60))
def test_an_outcome_comes_back_as_it_was_written(text: str, prepend: bytes) -> None:
    whole = replace(outcome(1, case=case_view(1, language=text, references=(text,))), prepend=prepend)
    assert read_outcome(write_outcome(whole)) == whole


@settings(max_examples=100, deadline=None, database=None)
@given(any_text)
def test_what_cannot_be_written_is_replaced_and_the_rest_stays(text: str) -> None:
    verdict = outcome(1).verdict
    found = replace(verdict.classification, hits=(Hit("rule", Place.BODY, 1.5, text), Hit("other", Place.SUBJECT, 2.0)))
    stored = read_outcome(write_outcome(replace(outcome(1), verdict=replace(verdict, classification=found))))
    first, second = stored.verdict.classification.hits
    assert first.text in (text, storable(text))
    assert (first.rule, first.score) == ("rule", 1.5)
    assert second == Hit("other", Place.SUBJECT, 2.0)


@settings(max_examples=100, deadline=None, database=None)
@given(any_text, any_text)
def test_an_envelope_is_written_whatever_it_holds(mail_from: str, helo: str) -> None:
    envelope = replace(incoming().envelope, mail_from=mail_from, helo=helo)
    stored = read_envelope(write_envelope(envelope))
    assert stored.rcpt_tos == envelope.rcpt_tos
    assert stored.mail_from in (mail_from, storable(mail_from))


@settings(max_examples=50, deadline=None, database=None)
@given(st.lists(st.tuples(clean_text, st.binary(max_size=50))))
def test_rule_files_are_kept_byte_for_byte(files: list[tuple[str, bytes]]) -> None:
    whole = RuleFiles(tuple(files))
    assert read_files(write_files(whole)) == whole


def test_stored_json_is_the_bare_object() -> None:
    assert write_outcome(outcome(1)).startswith('{"verdict":')


def test_a_value_written_before_a_field_was_added_is_read_with_its_default() -> None:
    text = write_outcome(outcome(1)).replace('"urgent":false,', "")
    assert read_outcome(text) == outcome(1)
