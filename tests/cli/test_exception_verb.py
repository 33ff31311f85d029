"""`cp247 exception grant | list | revoke`: who permits what, in whose name, and what is told of it."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from journal_samples import ASKER, MAILBOX, SUBMITTED, configured, dispatch

from gateway.cli.context import Context
from gateway.cli.exception import exception
from gateway.cli.person import acting_person
from gateway.errors import NotPermitted
from gateway.model.channel import Act, Waiver
from gateway.model.outbox import Purpose
from gateway.store.journal import Journal, open_journal

NUMBER = "D-7K3QX2"
ME = acting_person()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(configured(tmp_path))


@pytest.fixture
def journal(context: Context):
    opened = open_journal(context.settings().database, upgrade=True)
    yield opened
    opened.close()


def run(context: Context, *arguments: str) -> Result:
    return CliRunner().invoke(exception, arguments, obj=context)


def refuse(journal: Journal, waiver: Waiver, *, login: str = "j.doe") -> None:
    """An officer was given the number."""
    made = dispatch(None, act=Act.REJECT, reply=f"550 5.7.1 NOT SENT: remove x@gmail.example [{NUMBER}]")
    decision = replace(made.decision, number=NUMBER, rule="R14", row=7, waiver=waiver)
    journal.dispatch(
        replace(made, decision=decision, sender=MAILBOX, login=login),
        mailbox=MAILBOX,
        envelope=SUBMITTED,
        content=b"Subject: a\r\n\r\n",
        now=datetime.now(UTC),
    )


def notices(journal: Journal) -> list[str]:
    """Texts of the mails queued for the mailbox."""
    lines = [one for one in journal.queue(limit=9) if one.purpose is Purpose.NOTICE]
    with journal.database.reading() as connection:
        ids = connection.exec_driver_sql("SELECT content_id FROM outbox ORDER BY id").scalars().all()
    assert len(ids) == len(lines)
    return [journal.content(one).decode() for one in ids]


def test_one_person_grants_in_the_name_of_his_login(context: Context, journal: Journal) -> None:
    refuse(journal, Waiver.ONE)
    result = run(
        context, "grant", NUMBER.lower(), "--reason", "the prosecutor [red] asks", "--ttl", "30m", "--uses", "2"
    )
    assert result.exit_code == 0, result.output
    assert f"{NUMBER}: may be sent 2 times until " in result.output
    assert ASKER in result.output
    (made,) = [json.loads(line) for line in run(context, "list", "--json").output.splitlines()]
    assert (made["state"], made["proposed_by"], made["granted_by"]) == ("active", ME, ME)
    assert (made["rule"], made["waiver"], made["recipients"], made["uses"]) == ("R14", "one", [ASKER], 2)
    assert "the prosecutor [red] asks" in run(context, "list").output


def test_the_mailbox_reads_who_permitted_what(context: Context, journal: Journal) -> None:
    refuse(journal, Waiver.ONE)
    run(context, "grant", NUMBER, "--reason", "the prosecutor asks")
    (text,) = notices(journal)
    assert f"Subject: Exception granted [{NUMBER}]" in text
    for said in (f"{ME} permitted", "the prosecutor asks", "remove x@gmail.example", ASKER, f"revoke {NUMBER}"):
        assert said in text


def test_where_two_are_needed_the_first_only_asks(context: Context, journal: Journal) -> None:
    refuse(journal, Waiver.TWO)
    assert "a second person must grant it too" in run(context, "grant", NUMBER, "--reason", "x").output
    (text,) = notices(journal)
    assert f"Subject: Exception asked for [{NUMBER}]" in text
    with pytest.raises(NotPermitted, match="a second person"):
        CliRunner().invoke(exception, ["grant", NUMBER, "--reason", "x"], obj=context, catch_exceptions=False)


@pytest.mark.skipif(os.getuid() != 0, reason="needs to be root, as sudo is")
def test_two_people_behind_sudo_are_two(context: Context, journal: Journal) -> None:
    refuse(journal, Waiver.TWO)
    run(context, "grant", NUMBER, "--reason", "x")
    second = CliRunner().invoke(
        exception, ["grant", NUMBER, "--reason", "y"], obj=context, env={"SUDO_UID": "4242", "SUDO_USER": "root"}
    )
    assert "may be sent once until " in second.output
    (made,) = [json.loads(line) for line in run(context, "list", "--json").output.splitlines()]
    assert (made["proposed_by"], made["granted_by"], made["reason"]) == (ME, "uid-4242", "x")


def test_who_wrote_the_mail_grants_nothing(context: Context, journal: Journal) -> None:
    refuse(journal, Waiver.ONE, login=f"{ME}@institution.gov.example")
    assert isinstance(run(context, "grant", NUMBER, "--reason", "x").exception, NotPermitted)
    assert run(context, "list").output == "no exceptions\n"


@pytest.mark.parametrize(
    "more", [("--ttl", "2d"), ("--ttl", "-1h"), ("--uses", "0"), ("--uses", "11"), ("--reason", " ")]
)
def test_a_wrong_option_is_a_usage_error(context: Context, journal: Journal, more: tuple[str, str]) -> None:
    refuse(journal, Waiver.ONE)
    arguments = {"--reason": "x", **dict([more])}
    result = run(context, "grant", NUMBER, *(word for pair in arguments.items() for word in pair))
    assert result.exit_code == 2


def test_a_revoked_exception_is_worth_nothing(context: Context, journal: Journal) -> None:
    refuse(journal, Waiver.ONE)
    run(context, "grant", NUMBER, "--reason", "x")
    assert run(context, "revoke", NUMBER.lower()).output == f"{NUMBER}: revoked\n"
    assert run(context, "revoke", NUMBER).output == f"{NUMBER}: there is none that could be used\n"
    (made,) = [json.loads(line) for line in run(context, "list", "--json").output.splitlines()]
    assert (made["state"], made["revoked_by"]) == ("revoked", ME)
    assert journal.waived(MAILBOX, now=datetime.now(UTC)) == frozenset()
