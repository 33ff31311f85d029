"""The index of terms misses nothing that stands in a text, whatever its size, and says so when the engine gave up."""

import pickle
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.triage.matcher import Terms, compile_terms
from gateway.triage.term_index import Index


def index_of(*terms):
    return Index(terms)


def standing(index, text):
    """What stands there, as plain words."""
    look = index.look(text)
    return {text[start:end] for terms in look.terms() for start, end in look.spans(terms)}


def test_index_names_terms_and_where_they_stand():
    first, second, third = compile_terms(["data", "account"], ["preserv[a-z]+"]), compile_terms(["life"], []), Terms()
    index, text = index_of(first, second, third), "the account is preserved"
    assert index.look(text).spans(first) == [(4, 11), (15, 24)]
    assert set(index.look(text).terms()) == {first}
    assert set(index.look("life and data").terms()) == {first, second}


def test_the_same_wording_is_one_object():
    assert compile_terms(["data"], ["x+y"]) is compile_terms(["data"], ["x+y"])


def test_index_of_nothing_and_of_empty_text():
    assert standing(index_of(), "anything") == set()
    assert standing(index_of(compile_terms(["data"], [])), "") == set()


class GivesUp:
    """An engine that ran out of memory: it answers as if nothing stood there."""

    def Match(self, _text):
        return None


def test_an_engine_that_gave_up_hides_nothing():
    phrases, patterns = compile_terms(["保存"], []), compile_terms([], ["lif[e]"])
    index = index_of(phrases, patterns)
    index._loose._sets = ((GivesUp(), [0]),)
    index._sources._sets = ((GivesUp(), [0]),)
    assert standing(index, "请保存 for life") == {"保存", "life"}
    assert standing(index, "no such words") == set()


def test_index_travels_to_another_process():
    index = pickle.loads(pickle.dumps(index_of(compile_terms(["data"], ["lif[e]"]))))
    assert standing(index, "data of a life") == {"data", "life"}


def many(number):
    """Words that differ, as patterns and phrases of a pack of many languages do."""
    source = random.Random(7)
    return ["".join(source.choices("abcdefghijklmnop", k=9)) for _ in range(number)]


def test_a_pack_of_fifteen_languages_fits():
    words = many(20_000)
    patterns = [rf"\b{one[:5]}(\w+ ){{0,3}}{one[5:]}\pL*" for one in words[:300]]
    index = index_of(compile_terms(words[300:], patterns))
    assert standing(index, f"x {words[-1]} and {words[5][:5]}zz yy {words[5][5:]}s") == {
        words[-1],
        f"{words[5][:5]}zz yy {words[5][5:]}s",
    }


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["data", "dat", "é", "preserve", "x", "日本", "\n", "lifeboat", "life"]), max_size=20))
def test_index_misses_nothing_that_stands_there(words):
    all_terms = [compile_terms([one], []) for one in ("data", "life", "日本", "preserve data")]
    all_terms.append(compile_terms([], [r"preserv[a-z]* x"]))
    text = " ".join(words)
    look = index_of(*all_terms).look(text)
    for terms in all_terms:
        assert look.spans(terms) == terms.spans(text)
