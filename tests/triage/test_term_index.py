"""The index of terms misses nothing that stands in a text, whatever its size, and says so when the engine gave up."""

import pickle
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.matcher import Terms, compile_terms
from gateway.triage.term_index import Index


def index_of(*terms):
    return Index(terms)


def owners(index, text):
    """What the index says, as plain values."""
    candidates = index.candidates(text)
    return {owner: sorted(candidates[owner]) for owner in candidates}


def test_index_names_terms_and_their_numbers():
    index = index_of(compile_terms(["data", "account"], ["preserv[a-z]+"]), compile_terms(["life"], []), Terms())
    assert owners(index, "the account is preserved") == {0: [1, 2]}
    assert owners(index, "life and data") == {0: [0], 1: [0]}


def test_phrases_with_one_literal_are_both_named():
    assert owners(index_of(compile_terms(["preserv*", "preserv"], [])), "preserv") == {0: [0, 1]}


def test_index_of_nothing_and_of_empty_text():
    assert owners(index_of(), "anything") == {}
    assert owners(index_of(compile_terms(["data"], [])), "") == {}


class GivesUp:
    """An engine that ran out of memory: it answers as if nothing stood there."""

    def Match(self, _text):
        return None


@pytest.mark.parametrize("part", ["_phrases", "_patterns"])
def test_index_that_gave_up_names_everything(part):
    index = index_of(compile_terms(["data"], ["lif[e]"]), compile_terms(["life"], []))
    getattr(index, part)._sets = ((GivesUp(), [0]),)
    assert owners(index, "no such words") == {0: [0, 1], 1: [0]}


def test_index_travels_to_another_process():
    index = pickle.loads(pickle.dumps(index_of(compile_terms(["data"], ["lif[e]"]))))
    assert owners(index, "data of a life") == {0: [0, 1]}


def many(number):
    """Words that differ, as patterns and phrases of a pack of many languages do."""
    source = random.Random(7)
    return ["".join(source.choices("abcdefghijklmnop", k=9)) for _ in range(number)]


def test_a_pack_of_fifteen_languages_fits():
    words = many(20_000)
    patterns = [rf"\b{one[:5]}(\w+ ){{0,3}}{one[5:]}\pL*" for one in words[:300]]
    index = index_of(compile_terms(words[300:], patterns))
    assert owners(index, f"x {words[-1]} and {words[5][:5]}zz yy {words[5][5:]}s") == {
        0: sorted([len(words) - 300 - 1, len(words) - 300 + 5])
    }


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["data", "dat", "é", "preserve", "x", "日本", "\n", "lifeboat", "life"]), max_size=20))
def test_index_misses_nothing_that_stands_there(words):
    all_terms = [compile_terms([one], []) for one in ("data", "life", "日本", "preserve data")]
    all_terms.append(compile_terms([], [r"preserv[a-z]* x"]))
    text = " ".join(words)
    candidates = index_of(*all_terms).candidates(text)
    for number, terms in enumerate(all_terms):
        if terms.stand_in(text):
            assert number in candidates
