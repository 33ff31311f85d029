"""`cp247 init`: a folder that runs at once, whose every option can be switched on, and nothing overwritten."""

import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.context import Context
from gateway.cli.doctor import _gpg
from gateway.cli.init import init
from gateway.config import load_settings
from gateway.errors import ConfigError
from gateway.trust.gnupg_home import GnupgHome


def run(folder: Path, *options: str) -> str:
    result = CliRunner().invoke(init, [str(folder), *options], obj=Context(None), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def refusal(folder: Path, *options: str) -> str:
    with pytest.raises(ConfigError) as caught:
        CliRunner().invoke(init, [str(folder), *options], obj=Context(None), catch_exceptions=False)
    return str(caught.value)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "gateway"
    run(folder, "--mailbox", "247cp@justice.gov.sy.example", "--country", "SY")
    return folder


def test_what_was_asked_for_stands_in_the_configuration(made: Path):
    settings = load_settings(str(made / "gateway.yaml"))
    assert settings.hostname == "gw.justice.gov.sy.example"
    assert settings.contact_point.mailbox == "247cp@justice.gov.sy.example"
    assert settings.contact_point.internal_domains == ("justice.gov.sy.example",)
    assert settings.dkim.domain == "justice.gov.sy.example"
    assert re.fullmatch("[0-9A-F]{40}", settings.openpgp.signing_key)


def test_init_says_where_the_revocation_certificate_is_and_doctor_reminds(tmp_path: Path):
    said = run(tmp_path / "g", "--mailbox", "247cp@justice.gov.sy.example")
    (certificate,) = re.findall(r"revocation certificate: (\S+)", said)
    assert "-----BEGIN PGP PUBLIC KEY BLOCK-----" in Path(certificate).read_text(encoding="ascii")
    settings = load_settings(str(tmp_path / "g" / "gateway.yaml"))
    reminded = [one for one in _gpg(settings) if one.what == "revocation certificate"]
    assert [(one.good, certificate in one.remedy) for one in reminded] == [(True, True)]
    Path(certificate).unlink()
    (calm,) = [one for one in _gpg(settings) if one.what == "revocation certificate"]
    assert (calm.good, calm.remedy) == (True, "")
    GnupgHome(settings.openpgp.home).kill_agent()


def commented_options(text: str) -> list[str]:
    """The commented lines that hold an option of their own, at the margin or within a section."""
    return [line for line in text.splitlines() if re.match(r"\s*# [a-z_]+: ?\S", line) and not line.endswith(".")]


def sections(text: str) -> list[tuple[str, str]]:
    """Each commented section (`# inbound:` with the lines below it) as written and switched on."""
    found = re.findall(r"(?m)^# [a-z_]+:\n(?:#   .*\n)+", text)
    return [(block, re.sub(r"(?m)^# ", "", block)) for block in found]


def test_each_commented_section_can_be_switched_on_alone(made: Path, tmp_path: Path):
    text = (made / "gateway.yaml").read_text(encoding="utf-8")
    blocks = sections(text)
    assert {block.split(":")[0] for block, _ in blocks} >= {"# inbound", "# outbound", "# mailbox", "# receipts"}
    for block, switched_on in blocks:
        file = tmp_path / "gateway.yaml"
        file.write_text(text.replace(block, switched_on), encoding="utf-8")
        load_settings(str(file))


def test_each_commented_line_can_be_switched_on_alone(made: Path, tmp_path: Path):
    text = (made / "gateway.yaml").read_text(encoding="utf-8")
    lines = [line for line in commented_options(text) if not line.startswith("#   ")]
    assert len(lines) > 10
    for line in lines:
        file = tmp_path / "gateway.yaml"
        file.write_text(text.replace(line, line.replace("# ", "", 1)), encoding="utf-8")
        load_settings(str(file))


def test_secrets_are_for_nobody_else(made: Path):
    for name in ("state", "state/secret", "state/dkim.pem", "state/gnupg"):
        assert stat.S_IMODE((made / name).stat().st_mode) & 0o077 == 0, name


def test_the_record_to_publish_is_also_kept_in_a_file(made: Path):
    assert (made / "state" / "dkim.txt").read_text().startswith("cp247._domainkey.justice.gov.sy.example. TXT v=DKIM1;")


def test_a_gateway_that_is_there_is_not_touched(made: Path):
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    assert "gateway.yaml: is there already; choose another folder" in refusal(made)
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_the_rest_of_a_gateway_is_not_touched_either(tmp_path: Path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "secret").write_bytes(b"old")
    assert "state/secret: is there already" in refusal(tmp_path)
    assert (tmp_path / "state" / "secret").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--mailbox", "nonsense"), "contact_point.mailbox: cannot use 'nonsense'; write an address such as"),
        (("--country", "ruritania"), "contact_point.country: cannot use 'ruritania'; write two capital letters"),
        (("--hostname", "Gw Example"), "hostname: cannot use 'Gw Example'; write a host name in lower case"),
        (("--name", "two\nlines"), "--name: has control characters; write one plain line"),
    ],
)
def test_a_value_that_could_not_run_is_refused_before_anything_is_written(
    tmp_path: Path, options: tuple[str, ...], expected: str
):
    folder = tmp_path / "gateway"
    assert expected in refusal(folder, *options)
    assert not folder.exists()


def test_a_place_that_is_no_folder_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    assert "file: cannot be written: " in refusal(tmp_path / "file")
