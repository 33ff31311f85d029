"""Who let which rule set judge: proposals, promotions by a second login, rollbacks, the shadow; the same on both databases."""

from datetime import timedelta

import pytest
from journal_samples import NOW
from journal_steps import recorded

from gateway.errors import NotPermitted
from gateway.model.rulebook import Act, Difference, Facet
from gateway.model.verdict import RuleFiles
from gateway.store.journal import Journal

FIRST, DRAFT = (RuleFiles((("scoring.yaml", octets),)) for octets in (b"\xff\x00first", b"draft"))
DIFFERENCE = Difference((Facet("category", "other", "preservation"),), gained=("a.b",))


def adopt(journal, digest="a", files=FIRST, minutes=0):
    now = NOW + timedelta(minutes=minutes)
    return journal.rulebook.adopt(digest, files, author="root", reason="folder", now=now)


def promote(journal, author, digest="b", minutes=1):
    now = NOW + timedelta(minutes=minutes)
    return journal.rulebook.promote(digest, DRAFT, author=author, reason=f"says {author}", now=now)


def test_before_anything_nothing_judges(journal: Journal) -> None:
    book = journal.rulebook
    assert (book.active(), book.shadow(), book.files("a"), book.changes(limit=5)) == (None, None, None, ())


def test_the_set_of_the_folder_judges_and_is_kept(journal: Journal) -> None:
    adopt(journal)
    active = journal.rulebook.active()
    assert active is not None
    assert (active.act, active.digest, active.replaced, active.author, active.at) == (Act.ADOPTED, "a", "", "root", NOW)
    assert journal.rulebook.files("a") == FIRST
    assert journal.ruleset("a") == FIRST


def test_the_same_set_again_is_no_change(journal: Journal) -> None:
    assert adopt(journal) == adopt(journal, minutes=5)
    assert len(journal.rulebook.changes(limit=5)) == 1


def test_a_proposal_judges_nothing_and_another_login_promotes_it(journal: Journal) -> None:
    adopt(journal)
    assert promote(journal, "anna").act is Act.PROPOSED
    assert journal.rulebook.active().digest == "a"
    with pytest.raises(NotPermitted, match="anna has proposed this set"):
        promote(journal, "anna", minutes=2)
    done = promote(journal, "ben", minutes=3)
    assert (done.act, done.replaced, done.author, done.reason) == (Act.PROMOTED, "a", "ben", "says ben")
    assert journal.rulebook.active() == done
    assert journal.rulebook.files("b") == DRAFT
    assert [one.act for one in journal.rulebook.changes(limit=9)] == [Act.PROMOTED, Act.PROPOSED, Act.ADOPTED]


def test_a_proposal_ends_when_another_set_comes_to_judge(journal: Journal) -> None:
    adopt(journal)
    promote(journal, "anna")
    adopt(journal, "c", DRAFT, minutes=2)
    assert promote(journal, "ben", minutes=3).act is Act.PROPOSED
    assert journal.rulebook.active().digest == "c"


def test_a_proposal_of_another_set_is_another_proposal(journal: Journal) -> None:
    adopt(journal)
    promote(journal, "anna", "b")
    assert promote(journal, "ben", "d").act is Act.PROPOSED


def test_one_login_goes_back(journal: Journal) -> None:
    adopt(journal)
    promote(journal, "anna")
    promote(journal, "ben", minutes=2)
    back = journal.rulebook.roll_back("a", author="anna", reason="no", now=NOW + timedelta(minutes=3))
    assert (back.act, back.digest, back.replaced) == (Act.ROLLED_BACK, "a", "b")
    assert journal.rulebook.active() == back
    assert promote(journal, "ben", minutes=4).act is Act.PROPOSED


def test_a_set_stands_in_shadow_until_it_is_taken_away(journal: Journal) -> None:
    adopt(journal)
    put = journal.rulebook.put_in_shadow("b", DRAFT, author="anna", reason="look", now=NOW)
    assert journal.rulebook.shadow() == put
    assert journal.rulebook.active().digest == "a"
    journal.rulebook.put_in_shadow("", None, author="anna", reason="", now=NOW)
    assert journal.rulebook.shadow() is None


def test_the_shadow_judges_each_mail_once_from_its_beginning_on(journal: Journal) -> None:
    adopt(journal)
    recorded(journal)
    put = journal.rulebook.put_in_shadow("b", DRAFT, author="anna", reason="look", now=NOW - timedelta(seconds=1))
    (number,) = journal.rulebook.unshadowed(put, limit=9)
    late = journal.rulebook.put_in_shadow("c", DRAFT, author="anna", reason="look", now=NOW + timedelta(hours=1))
    assert journal.rulebook.unshadowed(late, limit=9) == ()
    journal.rulebook.keep_difference(number, "b", DIFFERENCE)
    journal.rulebook.keep_difference(number, "b", Difference())
    assert journal.rulebook.unshadowed(put, limit=9) == ()
    assert journal.rulebook.shadowed("b") == 1
    (kept,) = journal.rulebook.differences("b", limit=9)
    assert (kept.arrival_id, kept.difference) == (number, DIFFERENCE)


def test_mail_that_changes_in_nothing_is_counted_and_not_listed(journal: Journal) -> None:
    recorded(journal)
    (number,) = journal.rulebook.judged(limit=5)
    journal.rulebook.keep_difference(number, "b", Difference())
    assert journal.rulebook.shadowed("b") == 1
    assert journal.rulebook.differences("b", limit=9) == ()


def test_stored_mail_is_found_newest_first_and_by_when_it_was_judged(journal: Journal) -> None:
    recorded(journal)
    (number,) = journal.rulebook.judged(limit=5)
    stored = journal.rulebook.stored(number)
    assert stored is not None
    assert stored[0].id == number
    assert journal.rulebook.judged(limit=5, since=NOW + timedelta(hours=1)) == ()
    assert journal.rulebook.stored(number + 1) is None
