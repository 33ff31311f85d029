"""A phrase in a draft, tried on stored mail, promoted by somebody else, judging live mail, and taken back."""

import json
import os
import shutil
import signal
import smtplib
import subprocess

import pytest
from ports import wait_until
from rule_pack import FOLDER
from running import CP247, ENVIRONMENT, Running
from stored_mail import store

from gateway.config import load_settings
from gateway.model.rulebook import Act
from gateway.store.journal import open_journal

MAILBOX = "247cp@institution.gov.example"
MAILS = 150
RULE = r"""
  - id: preservation.en.impound
    category: preservation
    regex: ['\b(impound|seal)(ed|ing)?\b']
    near: {phrases: [disk, drive, server, machine, account], within: 60}
    weight: 20
    marks: [keeping]
    why: Article 29(1); "impound the disk" is how Ruritania writes
"""
PERSONS = {"author": "1", "reviewer": "2"}
"""Uids of two accounts that every Debian has; root, who types sudo's part, is believed to speak for them."""

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can speak for two logins")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    # the small pack of the tests: what is shown here is the road of a set, not its size
    made = Running(
        tmp_path_factory.mktemp("promotion") / "g",
        rules=FOLDER,
        **{"dns.nameservers": ["127.0.0.1:9"], "dns.timeout": 0.2},
    )
    made.stored = store(made.config, MAILS)
    shutil.copytree(made.folder / "rules", made.folder / "draft")
    with (made.folder / "draft" / "phrases" / "en.yaml").open("a", encoding="utf-8") as phrases:
        phrases.write(RULE)
    with made:
        yield made


def rules(gateway, *words, by="author"):
    """`cp247 rules ...` as that person types it behind sudo."""
    command = [*CP247, "rules", *words, "--config", str(gateway.config)]
    environment = {**ENVIRONMENT, "SUDO_UID": PERSONS[by]}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)


def listed(gateway):
    return [json.loads(line) for line in rules(gateway, "list", "--json").stdout.splitlines()]


def live(gateway):
    """Digest that /metrics names."""
    lines = gateway.get("/metrics").splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("cp247_ruleset_info{"))


def judged(gateway, number):
    """Class and rule set of a mail that asks in the new words, sent now."""
    content = (
        f"From: a@b.example\r\nTo: {MAILBOX}\r\nSubject: tenant\r\nDate: Sat, 21 Nov 2026 20:00:00 +0000\r\n"
        f"Message-ID: <live-{number}@b.example>\r\n\r\nKindly impound the disk of tenant 7. Bribery, section 299.\r\n"
    )
    with smtplib.SMTP("127.0.0.1", gateway.inbound, timeout=70) as client:
        client.sendmail("a@b.example", [MAILBOX], content)
    wanted = f"<live-{number}@b.example>".encode()
    mail = wait_until(lambda: [one for one in gateway.delivered() if wanted in one], seconds=60, what="the delivery")[0]
    return mail.partition(b"X-247CP-Class: ")[2].split(b"\r\n")[0].decode()


def test_the_way_of_a_phrase(gateway):
    before = live(gateway)
    assert judged(gateway, 1) == "other"

    replayed = json.loads(rules(gateway, "replay", "--draft", str(gateway.folder / "draft"), "--json").stdout)
    impounding = [one for one in replayed["mails"] if "preservation.en.impound" in one["gained"]]
    assert len(impounding) == replayed["changed"] == gateway.stored + 1
    assert all({"what": "category", "before": "other", "after": "preservation"} in one["changes"] for one in impounding)
    assert replayed["skipped"] == []

    draft = str(gateway.folder / "draft")
    proposed = rules(gateway, "promote", draft, "--reason", "Ruritania writes so")
    assert (proposed.returncode, live(gateway)) == (0, before)
    again = rules(gateway, "promote", draft, "--reason", "me again")
    assert again.returncode == 1
    assert "another login must promote it" in again.stderr

    promoted = rules(gateway, "promote", draft, "--reason", "read and replayed", by="reviewer")
    assert promoted.returncode == 0, promoted.stderr
    wait_until(lambda: live(gateway) == replayed["draft"], seconds=30, what="the new set")
    assert judged(gateway, 2) == "preservation"
    assert (gateway.folder / "rules" / "phrases" / "en.yaml").read_text(encoding="utf-8").endswith(RULE)
    newest = listed(gateway)[:2]
    assert [(one["act"], one["active"], one["reason"]) for one in newest] == [
        ("promoted", True, "read and replayed"),
        ("proposed", False, "Ruritania writes so"),
    ]
    assert newest[0]["author"] != newest[1]["author"]

    back = rules(gateway, "rollback", "--reason", "too eager")
    assert back.returncode == 0, back.stderr
    wait_until(lambda: live(gateway) == before, seconds=30, what="the old set")
    assert judged(gateway, 3) == "other"
    assert not (gateway.folder / "rules" / "phrases" / "en.yaml").read_text(encoding="utf-8").endswith(RULE)


def test_a_broken_draft_is_refused_with_line_and_column_and_the_old_set_judges_on(gateway, tmp_path):
    before = live(gateway)
    shutil.copytree(gateway.folder / "rules", tmp_path / "draft")
    (tmp_path / "draft" / "scoring.yaml").write_text("places: {template: ten}\n", encoding="utf-8")
    for verb in (("promote", str(tmp_path / "draft"), "--reason", "slip"), ("shadow", str(tmp_path / "draft"))):
        refused = rules(gateway, *verb)
        assert refused.returncode == 2
        assert "scoring.yaml:1:10: places.template: " in refused.stderr
    assert live(gateway) == before
    assert listed(gateway)[0]["reason"] != "slip"


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"places: {template: 10, subj", "scoring.yaml:1:28"),
        (b"doubtful: 0.5\n\0", "scoring.yaml"),
        ("doubtful: 0.5\n".encode("utf-16"), "scoring.yaml:1:1"),
    ],
    ids=["half-written", "NUL", "UTF-16"],
)
def test_a_file_broken_under_the_gateway_changes_nothing(gateway, content, where):
    before, scoring = live(gateway), gateway.folder / "rules" / "scoring.yaml"
    good, told = scoring.read_bytes(), len(gateway.events("rules-broken"))
    try:
        scoring.write_bytes(content)
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(gateway.events("rules-broken")) > told, seconds=40, what="the complaint")
        assert gateway.events("rules-broken")[-1]["what"].startswith(where)
        wait_until(lambda: gateway.metric("cp247_rules_stale") == 1, seconds=40)
        assert live(gateway) == before
    finally:
        scoring.write_bytes(good)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: gateway.metric("cp247_rules_stale") == 0, seconds=40, what="the mended file")
    assert live(gateway) == before


def test_a_draft_in_shadow_judges_beside_and_changes_nothing(gateway):
    draft = str(gateway.folder / "draft")
    put = rules(gateway, "shadow", draft, "--reason", "a week of looking")
    assert put.returncode == 0, put.stderr
    assert judged(gateway, 4) == "other"
    wait_until(lambda: gateway.metric('cp247_shadow_verdicts_total{result="different"}') >= 1, seconds=60)
    report = json.loads(rules(gateway, "shadow", "--report", "--json").stdout)
    assert report["changed"] >= 1
    assert report["mails"][0]["gained"] == ["preservation.en.impound"]
    assert rules(gateway, "shadow", "off").stdout == "off\n"
    assert rules(gateway, "shadow", "--report").returncode == 2


def test_a_folder_that_holds_what_was_replaced_does_not_undo_a_promotion(gateway):
    journal = open_journal(load_settings(str(gateway.config)).database, upgrade=False)
    before = live(gateway)
    draft = str(gateway.folder / "draft")
    kept = gateway.folder / "kept"
    shutil.copytree(gateway.folder / "rules", kept)
    try:
        rules(gateway, "promote", draft, "--reason", "a")
        assert rules(gateway, "promote", draft, "--reason", "b", by="reviewer").returncode == 0
        wait_until(lambda: live(gateway) != before, seconds=30)
        shutil.rmtree(gateway.folder / "rules")
        shutil.copytree(kept, gateway.folder / "rules")
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: gateway.events("rules-folder-behind"), seconds=40)
        active = journal.rulebook.active()
        assert active is not None
        assert active.act is Act.PROMOTED
        assert live(gateway) == active.digest
    finally:
        journal.close()
    written = rules(gateway, "rollback", active.digest[:12], "--reason", "write it there")
    assert written.returncode == 0
    assert (gateway.folder / "rules" / "phrases" / "en.yaml").read_text(encoding="utf-8").endswith(RULE)


def test_root_needs_the_signature_of_an_officer_where_there_are_officers(gateway, tmp_path):
    """The gateway's own key stands in for an officer's: both lie in the same home."""
    key = load_settings(str(gateway.config)).openpgp.signing_key
    home = str(gateway.folder / "state" / "gnupg")
    draft = tmp_path / "draft"
    shutil.copytree(gateway.folder / "rules", draft)
    with (draft / "phrases" / "en.yaml").open("a", encoding="utf-8") as phrases:
        phrases.write(RULE.replace("impound", "seal"))
    gateway.configure(officers=[key])
    try:
        assert rules(gateway, "promote", str(draft), "--reason", "a").returncode == 0
        bare = rules(gateway, "promote", str(draft), "--reason", "b", by="reviewer")
        assert bare.returncode == 1
        assert "no officer has signed this" in bare.stderr
        digest = listed(gateway)[0]["digest"]
        for name, text in (("other", "something else\n"), ("good", f"cp247 rules promote {digest}\n")):
            (tmp_path / name).write_text(text, encoding="ascii")
            sign = ["gpg", "--homedir", home, "--batch", "--yes", "-u", key, "--detach-sign", str(tmp_path / name)]
            subprocess.run(sign, check=True, capture_output=True)
        words = ("promote", str(draft), "--reason", "b", "--signature")
        assert rules(gateway, *words, str(tmp_path / "other.sig"), by="reviewer").returncode == 1
        done = rules(gateway, *words, str(tmp_path / "good.sig"), by="reviewer")
        assert done.returncode == 0, done.stderr
        assert listed(gateway)[0]["author"].endswith(key)
    finally:
        gateway.configure(officers=[])
