"""HTML: the words a reader sees, and whether there are others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.html import visible


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\n\ntwo\n"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("pre<b>ser</b>va<wbr>tion", "preservation"),
        ("pre<!-- x -->servation", "preservation"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>", "a b\nc\n"),
        ("<ul><li>a<li>b</ul>", "a\nb\n"),
        ("&eacute;&#101;&#x65;&amp;", "éee&"),
        ("<pre>a\n  b</pre>", "a\n  b\n"),
        ('<p style="white-space:pre-wrap">a\nb</p>', "a\nb\n"),
        ("a \n\t b", "a b"),
        ("<script>x</script>a<style>y</style>", "a"),
        ("<title>x</title>a", "a"),
        ("<script>if (a</b) {</script >after", "after"),
        ('<a title="a>b">c</a>', "c"),
        ("<a title='a>b'>c</a>", "c"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<!doctype html><?xml?></ >a", "a"),
        ("<!-->shown<!-- x --!>too", "showntoo"),
        ('<blockquote type="cite">old<br>older</blockquote>new', "> old\n> older\n\nnew"),
        ('<blockquote class="gmail_quote">old</blockquote>', "> old\n"),
        ("<blockquote>indented</blockquote>", "indented\n"),
        ("<plaintext><b>a", "<b>a"),
        ("<p hidden>a<p>b", "b\n"),
        ("<svg><text>a</text></svg>", "a"),
    ],
)
def test_visible_words_are_read(html, text):
    assert visible(html).text.rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize(
    "hiding",
    [
        'style="display:none"',
        'style="DISPLAY : NONE !important"',
        'style="dis/* */play:none"',
        "style=display:none",
        'style="visibility:hidden"',
        'style="mso-hide:all"',
        'style="opacity:0"',
        'style="font-size:0"',
        'style="font-size: 0px;"',
        'style="font-size:1px"',
        'style="color:transparent"',
        'style="color:#FFF"',
        'style="color: rgb(255, 255, 255)"',
        'style="text-indent:-9999px"',
        'style="position:absolute;left:-5000px"',
        'style="max-height:0;overflow:hidden"',
        'style="overflow:hidden;height:0px"',
        'style="disp&#108;ay:none"',
        "hidden",
        'hidden=""',
    ],
)
def test_hidden_words_are_left_out_and_said(hiding):
    found = visible(f"<div {hiding}>se<b>cr</b>et</div>seen")
    assert (found.text, found.hidden) == ("seen", True)


@pytest.mark.parametrize(
    "style",
    [
        "font-size:12px",
        "font-size:0.9em",
        "font-size:1em",
        "font-size:10pt",
        "opacity:0.5",
        "opacity:1",
        "line-height:0",
        "height:0.5em;overflow:hidden",
        "border-color:#fff",
        "color:#fffff0",
        "color:#fff;background:#000",
        "margin-left:-10px",
        "width:100%",
        "display:block",
    ],
)
def test_words_that_are_seen_are_read(style):
    assert visible(f'<div style="{style}">seen</div>').text == "seen"


@pytest.mark.parametrize(
    ("style_sheet", "hidden"),
    [
        (".x{display:none}", True),
        ("p.x , .y { display: none; }", True),
        ("#i{visibility:hidden}", True),
        ("p{font-size:0}", True),
        ("@media (max-width:480px){.x{display:none}}", False),
        (".x .y{display:none}", False),
        (".x:hover{display:none}", False),
        (".x{color:red}", False),
        ("}}} .x {", False),
    ],
)
def test_simple_style_rules_hide(style_sheet, hidden):
    found = visible(f'<style>{style_sheet}</style><p class="a X" id="I">words</p>')
    assert found.hidden is hidden
    assert ("words" in found.text) is not hidden


def test_white_words_on_a_page_with_colours_are_read():
    assert visible('<td bgcolor="#003399"><span style="color:white">URGENT</span></td>').text == "URGENT"


@pytest.mark.parametrize(
    "html", ["<div hidden> \n </div>", "<!-- words -->", "<style>.x{}</style>", "<div hidden><img></div>"]
)
def test_hidden_space_is_nothing_to_say(html):
    assert not visible(html).hidden


@pytest.mark.parametrize("html", ["<template>words</template>", "<noembed>words", "<template>words"])
def test_words_in_elements_nobody_sees_are_said(html):
    assert visible(html) == visible("<p hidden>words")


@pytest.mark.parametrize("html", ["a<script>b", "a<!-- b", 'a<b c="d', "a<b", "a<style>b"])
def test_what_is_unfinished_swallows_the_rest(html):
    assert visible(html).text == "a"


def test_an_unclosed_hidden_element_hides_to_the_end_of_its_parent():
    found = visible("<div><span hidden>a</div>b")
    assert (found.text, found.hidden) == ("b", True)


HTML = st.lists(
    st.one_of(
        st.text(max_size=5),
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<div hidden>",
                "</div>",
                "<!--",
                "-->",
                "<style>",
                "</style>",
                ".a{display:none}",
                '<a class="a">',
                "<pre>",
                "<",
                ">",
                '"',
                "'",
                "&#x",
                "<blockquote type=cite>",
                "</blockquote>",
                "<plaintext>",
                "<br>",
            ]
        ),
    ),
    max_size=40,
).map("".join)


@given(HTML)
@settings(max_examples=200, deadline=None)
def test_any_text_is_read(html):
    found = visible(html)
    assert isinstance(found.text, str)


@given(st.text(alphabet="ab <>&", max_size=60))
@settings(max_examples=100, deadline=None)
def test_escaped_text_comes_back(text):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert visible(escaped).text == " ".join(text.split())


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a&#65;b", "aAb"),
        ("a&#" + "0" * 5000 + "65;b", "aAb"),
        ("a&#" + "9" * 5000 + ";b", "a\ufffdb"),
        ("a&#x" + "9" * 5000 + ";b", "a\ufffdb"),
        ("a&#" + "0" * 5000 + ";b", "a\ufffdb"),
        ("<p title='&#" + "9" * 5000 + ";'>b", "b"),
    ],
    ids=range(6),
)
def test_a_character_reference_of_any_length_is_read(html, text):
    assert visible(html).text == text


@pytest.mark.parametrize("before", ["<p>\n", "<b>", "<p hidden>", "</p>"])
def test_words_behind_endless_markup_are_read(before, cpu_seconds):
    with cpu_seconds(at_most=5.0):
        seen = visible(before * 300_000 + "<i>Please</i> <!-- no -->preserve &lt;this&gt;")
    assert seen.text.split()[-3:] == ["Please", "preserve", "<this>"]


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "html",
    [
        "<a>" * (MEGABYTE // 3),
        "</a>" * (MEGABYTE // 4),
        "<!--" * (MEGABYTE // 4),
        "<!" * (MEGABYTE // 2),
        '<a x="' * (MEGABYTE // 6),
        "<" * MEGABYTE,
        "&" * MEGABYTE,
        "&#x" * (MEGABYTE // 3),
        "<style>" * (MEGABYTE // 7),
        "<style>" + ".a{" * (MEGABYTE // 3),
        "<style>" + ".a{/*" * (MEGABYTE // 5),
        "<p>" * (MEGABYTE // 3),
        "<a " + "b=c " * (MEGABYTE // 4) + ">",
        '<a style="' + "width:0" * (MEGABYTE // 7) + '">',
        "\n" * MEGABYTE,
    ],
    ids=range(15),
)
def test_a_megabyte_of_anything_takes_bounded_time(html, cpu_seconds):
    with cpu_seconds(at_most=5.0):
        visible(html)


def test_tick_boxes_are_shown_as_they_stand():
    form = '<p><input type="checkbox"> new request</p><p><input type=radio checked=""> extension</p><input type=text value=x>'
    assert visible(form).text.strip().split("\n") == ["\u2610 new request", "", "\u2612 extension"]
