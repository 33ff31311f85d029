"""The words a reader sees, by place; what is not read is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.parse import parse
from gateway.mail.scan import scan
from gateway.mail.text import MAX_TEXT_CHARACTERS, read
from gateway.model.message import Text
from gateway.model.verdict import Reason


@pytest.fixture
def words(mail):
    return lambda name: read(parse(mail(name)))


def plain(body: bytes, *fields: bytes) -> Text:
    head = b"".join(field + b"\r\n" for field in (b"From: a@b.example", *fields))
    return read(scan(head + b"\r\n" + body))


def test_a_letter_is_read_by_place(words):
    text = words("letter")
    assert text.subject == "Request for preservation"
    assert text.headings == ("REQUESTING AUTHORITY", "Account concerned:")
    assert text.template == "T-CY(2018)11 Data Preservation Request"
    assert text.body.endswith("Merci à tous.")
    assert text.findings == ()


def test_a_signature_is_not_scored(words):
    assert "Emergency line" not in words("letter").body


def test_marked_quotations_are_moved_and_the_answer_between_stays(words):
    text = words("reply-marked")
    assert "new attack" in text.body
    assert "Please answer today." in text.body
    assert "wrote:" not in text.body
    assert text.quoted.endswith("We have received your request.\nPlease preserve the data.")


def test_what_outlook_quotes_is_moved(words):
    text = words("reply-outlook")
    assert text.body == "Thank you, this is settled."
    assert "Danger to life" in text.quoted


@pytest.mark.parametrize("name", ["forward", "memo"])
def test_what_is_passed_on_and_what_heads_a_letter_is_new(words, name):
    text = words(name)
    assert text.quoted == ""
    assert "preserv" in text.body


def test_a_disclaimer_is_not_scored_but_what_only_opens_like_one_is(words):
    text = words("disclaimer")
    assert text.body == "This message concerns a danger to life."


def test_agreeing_alternatives_are_read_once(words):
    text = words("alternatives-agree")
    assert text.body.count("expedited") == 1
    assert text.findings == ()


def test_disagreeing_alternatives_are_both_read_and_said(words):
    text = words("alternatives-disagree")
    assert "Best wishes" in text.body
    assert "danger to life" in text.body
    assert text.findings == (Reason.ALTERNATIVES_DISAGREE,)


def test_hidden_words_are_not_scored_but_said(words):
    text = words("hidden")
    assert text.body == "News of the month"
    assert text.findings == (Reason.HIDDEN_TEXT,)


def test_parts_are_read_by_what_they_are(words):
    text = words("mixed")
    assert text.body == "See the attached files.\n\nSecond paragraph of the letter."
    assert text.attachments == ("Facts of the case.", "Old request", "Words of another.")
    assert text.filenames == ("facts.txt", "décision.pdf")
    assert text.findings == (Reason.ATTACHMENT_UNREAD,)


def test_a_forwarded_message_is_never_the_senders_own_words(words):
    assert "Words of another" not in words("mixed").body


def test_attachments_without_a_letter_are_said(words):
    text = words("attachment-only")
    assert text.findings == (Reason.ATTACHMENT_UNREAD, Reason.ATTACHMENT_ONLY)
    assert text.filenames == ("request.pdf",)


def test_a_signature_part_is_no_attachment(words):
    text = words("signed")
    assert text.body == "Please preserve the data."
    assert (text.findings, text.filenames) == ((), ())


def test_a_report_is_read_whole(words):
    text = words("bounce")
    assert text.body == "Your message could not be delivered."
    assert "Status: 5.1.1" in text.attachments[0]
    assert text.findings == ()


def test_an_unknown_charset_is_read_as_far_as_it_goes(words):
    text = words("unknown-charset")
    assert text.body == "Preserve \\x41."
    assert text.findings == (Reason.UNKNOWN_CHARSET,)


@pytest.mark.parametrize("kind", [b"mixed", b"alternative", b"related", b"signed"])
def test_a_multipart_that_cannot_be_sliced_is_read_raw(mail, kind):
    content = mail("broken-multipart").replace(b"multipart/mixed", b"multipart/" + kind)
    assert "Danger to life." in read(parse(content)).body


def test_an_empty_mail_has_no_text():
    assert plain(b"").findings == (Reason.NO_TEXT,)


def test_one_part_alone_can_be_read(mail):
    message = parse(mail("mixed"))
    assert read(message, part=message.root.children[4]).body == "Second paragraph of the letter."


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/octet-stream",
        b"message/partial; id=x; number=1",
        b"message/external-body; access-type=URL",
        b"application/ms-tnef",
        b"image/png",
    ],
)
def test_what_is_not_fetched_nor_unpacked_is_said(content_type):
    text = plain(b"x", b"Content-Type: " + content_type)
    assert text.findings == (Reason.ATTACHMENT_UNREAD, Reason.ATTACHMENT_ONLY)


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (b"Re: Fwd: AW: RE[2]: request", "request"),
        (b"R\xc3\xa9ponse automatique : request", "request"),
        (b"Re\xef\xbc\x9arequest", "request"),
        (b"=?utf-8?q?Re=3A_request?=", "request"),
        (b"Report: request", "Report: request"),
        (b"Ireland: request", "Ireland: request"),
        (b"247CP: request", "247CP: request"),
    ],
)
def test_prefixes_of_programs_are_taken_off_the_subject(written, read_as):
    assert plain(b"x", b"Subject: " + written).subject == read_as


def test_all_subjects_are_read():
    assert plain(b"x", b"Subject: one", b"Subject: two").subject == "one two"


@pytest.mark.parametrize(
    ("line", "is_heading"),
    [
        ("DATA TO BE PRESERVED", True),
        ("2. Account concerned:", True),
        ("ОБЩИЕ СВЕДЕНИЯ", True),
        ("A letter has words in it", False),
        ("الرسالة الأصلية", False),
        ("12.05.2026 - 10:15", False),
        ("X" * 81, False),
        ("----:", False),
    ],
)
def test_headings_are_short_lines_in_capitals_or_before_a_colon(line, is_heading):
    text = plain(line.encode(), b"Content-Type: text/plain; charset=utf-8")
    assert (text.headings == (line,)) is is_heading


@pytest.mark.parametrize(
    ("line", "is_template"),
    [
        ("Data Preservation Request (Articles 29 and 30 of the Budapest Convention)", True),
        ("Mutual Legal Assistance Request for subscriber information under Article 31 Budapest Convention", True),
        ("T-CY (2018) 10", True),
        ("T-CY(2018)12", False),
        ("We use the form T-CY(2018)11 " + "as we always did " * 10, False),
    ],
)
def test_the_committees_forms_are_recognised(line, is_template):
    assert (plain(line.encode()).template == line) is is_template


def test_text_over_the_limit_is_cut_and_said():
    text = plain(b"word " * (MAX_TEXT_CHARACTERS // 4))
    assert len(text.body) <= MAX_TEXT_CHARACTERS
    assert text.findings == (Reason.TEXT_TRUNCATED,)


def test_many_large_parts_are_bounded_together():
    part = b"--b\r\n\r\n" + b"word " * 100_000 + b"\r\n"
    text = plain(part * 20 + b"--b--\r\n", b"Content-Type: multipart/mixed; boundary=b")
    assert len(text.body) <= MAX_TEXT_CHARACTERS + 1000
    assert text.findings == (Reason.TEXT_TRUNCATED,)


def test_a_picture_inside_html_leaves_room_for_the_words():
    html = b'<img src="data:image/png;base64,' + b"A" * 2 * MAX_TEXT_CHARACTERS + b'"><p>Danger to life.</p>'
    text = plain(html, b"Content-Type: text/html")
    assert (text.body, text.findings) == ("Danger to life.", ())


def test_many_large_html_parts_are_bounded_together(cpu_seconds):
    part = b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<a>" * 300_000 + b"\r\n"
    with cpu_seconds(at_most=8.0):
        text = plain(part * 30 + b"--b--\r\n", b"Content-Type: multipart/mixed; boundary=b")
    assert Reason.TEXT_TRUNCATED in text.findings


def test_an_attachment_inside_the_words_is_said():
    assert plain(b"see below\r\nbegin 644 request.pdf\r\nM1234\r\nend\r\n").findings == (Reason.ATTACHMENT_UNREAD,)


def test_a_large_encoded_attachment_is_decoded_in_part_only(cpu_seconds):
    body = b"QUFB" * 5_000_000
    with cpu_seconds(at_most=2.0):
        text = plain(body, b"Content-Type: text/plain; name=a.txt", b"Content-Transfer-Encoding: base64")
    assert Reason.TEXT_TRUNCATED in text.findings


ODD_MAIL = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [
                b"\r\n",
                b"\r\n\r\n",
                b"--b\r\n",
                b"--b--\r\n",
                b"Content-Type: multipart/alternative; boundary=b\r\n",
                b"Content-Type: multipart/related; boundary=b\r\n",
                b"Content-Type: text/html; charset=utf-7\r\n",
                b"Content-Type: message/rfc822\r\n",
                b"Content-Transfer-Encoding: base64\r\n",
                b"Subject: =?utf-8?q?Re=3A?=\r\n",
                b"<p hidden>",
                b"> old",
                b"On 1 May a <a@b.example> wrote:\r\n",
                b"-- \r\n",
            ]
        ),
    ),
    max_size=30,
).map(b"".join)


@given(ODD_MAIL)
@settings(max_examples=200, deadline=None)
def test_any_mail_has_words_that_can_be_stored(content):
    text = read(scan(content))
    "\n".join((text.subject, text.body, text.quoted, text.template, *text.attachments, *text.filenames)).encode("utf-8")
    assert len(text.findings) == len(set(text.findings))
