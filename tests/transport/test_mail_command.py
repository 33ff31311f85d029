"""Arguments of MAIL, RCPT, XFORWARD and of a hello, as values or as the reply that refuses them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transport.mail_command import (
    IGNORED_OF_SUBMISSION,
    MailCommand,
    read_hello,
    read_mail,
    read_rcpt,
    read_xforward,
)
from gateway.transport.replies import Reply

FEW = settings(max_examples=200, deadline=None)


@FEW
@given(st.text(max_size=80), st.booleans())
def test_any_argument_is_a_value_or_a_reply(text: str, smtputf8: bool) -> None:
    mail = read_mail(f"FROM:<a@b.example>{text}", max_bytes=1000)
    assert isinstance(mail, MailCommand | Reply)
    assert isinstance(read_mail(text, max_bytes=1000), MailCommand | Reply)
    assert isinstance(read_rcpt(f"TO:{text}", smtputf8=smtputf8), str)
    assert isinstance(read_xforward(text), dict | Reply)
    assert read_hello(text) in (None, text)


# Lines as real senders write them: name of the software in the id.
@pytest.mark.parametrize(
    "line",
    [
        pytest.param("FROM:<a@b.example> SIZE=1234", id="postfix"),
        pytest.param("FROM:<a@b.example> SIZE=1234 BODY=8BITMIME", id="exim"),
        pytest.param("FROM: <a@b.example> SIZE=1234", id="old appliances, blank behind the colon"),
        pytest.param("From:<a@b.example> size=1234", id="small letters"),
        pytest.param("FROM:<a@b.example>  BODY=7BIT  ", id="several blanks"),
        pytest.param(
            "FROM:<bounces+123-abcd-247cp=institution.gov.example@em.esp.example> BODY=8BITMIME SIZE=0", id="vERP"
        ),
        pytest.param("FROM:<SRS0=HHH=TT=police.example=a@forwarder.example>", id="srs"),
        pytest.param("FROM:<> SIZE=99", id="bounce"),
    ],
)
def test_lines_of_real_senders_are_taken(line: str) -> None:
    assert isinstance(read_mail(line, max_bytes=10_000), MailCommand)


def test_parameters_of_submission_are_ignored_only_where_asked() -> None:
    line = "FROM:<a@b.example> RET=FULL ENVID=QQ+3D1 AUTH=a@b.example SIZE=5"
    assert read_mail(line, max_bytes=10, ignored=IGNORED_OF_SUBMISSION) == MailCommand("a@b.example")
    assert read_mail(line, max_bytes=10) is Reply.UNKNOWN_PARAMETER
    recipient = "TO:<x@y.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y.example"
    assert read_rcpt(recipient, smtputf8=False, ignored=IGNORED_OF_SUBMISSION) == "x@y.example"
    assert read_rcpt(recipient, smtputf8=False) is Reply.UNKNOWN_PARAMETER


def test_mail_tells_smtputf8() -> None:
    read = read_mail("FROM:<ü@b.example> SMTPUTF8 BODY=8BITMIME", max_bytes=10)
    assert read == MailCommand("ü@b.example", smtputf8=True)


def test_attribute_that_is_not_known_is_none_and_the_address_is_plain() -> None:
    read = read_xforward("ADDR=IPv6:2001:DB8:0::1 NAME=[UNAVAILABLE] HELO=a+20b IDENT=[TEMPUNAVAIL]")
    assert read == {"ADDR": "2001:db8::1", "NAME": None, "HELO": "a b", "IDENT": None}


@pytest.mark.parametrize("text", ["", "ADDR", "ADDR=", "ADDR=x", "ADDR=192.0.2.1+0A", "FOO=x", "HELO=" + "x" * 256])
def test_broken_attributes_are_refused(text: str) -> None:
    assert read_xforward(text) is Reply.BAD_COMMAND_SYNTAX
