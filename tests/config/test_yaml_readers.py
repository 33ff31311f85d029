"""Two readers, one meaning: what libyaml reads at once is what the reader of YAML 1.2 says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gateway import yamlfile
from gateway.errors import Complaint
from gateway.yamlfile import read_yaml

words = st.text(alphabet=" abnoyesNYTRUEflx0123456789.:-+~#'\"é", min_size=0, max_size=12)
lines = st.one_of(
    st.builds("{}: {}".format, words, words),
    st.builds("  {}: {}".format, words, words),
    st.builds("- {}".format, words),
    st.builds("  - {}".format, words),
    st.builds("{}: [{}, {}]".format, words, words, words),
    st.builds("  - {{{}: {}}}".format, words, words),
    words,
)
documents = st.lists(lines, max_size=8).map("\n".join)


def slowly(text: str) -> object:
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        positions: dict[object, tuple[int, int]] = {}
        return (None if root is None else yamlfile._values(root, (), positions)), positions
    except Exception:  # noqa: BLE001 whatever it does not read
        return None


@settings(max_examples=200, deadline=None)
@given(documents)
def test_what_is_read_fast_is_read_alike(text: str) -> None:
    read = read_yaml("x.yaml", text.encode())
    if not isinstance(read, Complaint):
        assert (read.values, dict(read.positions)) == slowly(text)


@pytest.mark.parametrize(
    "word",
    [
        "no",
        "NO",
        "yes",
        "on",
        "off",
        "y",
        "12:30:45",
        "0777",
        "0o17",
        "1_000",
        "2027-12-31",
        "~",
        "null",
        "1e3",
        ".5",
        "+1",
        "=",
        "<<",
    ],
)
def test_a_plain_word_means_what_version_1_2_says(word: str) -> None:
    text = f"a: [{word}]"
    read = read_yaml("x.yaml", text.encode())
    assert isinstance(read, Complaint) or (read.values, dict(read.positions)) == slowly(text)


@pytest.mark.parametrize("text", ["- " * 50_000 + "x", "[" * 4_900 + "]" * 4_900, "{a: " * 4_900 + "}" * 4_900])
def test_no_depth_fills_the_stack(text: str) -> None:
    read = read_yaml("x.yaml", text.encode())
    assert isinstance(read, Complaint)
    assert "too deeply" in str(read)
