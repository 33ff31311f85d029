"""`cp247 init DIR`: a complete folder that `cp247 serve` runs at once; never overwrites anything."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path

import click
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from rich.console import Console
from rich.markup import escape
from ruamel.yaml import YAML

from gateway.cli.share import share
from gateway.config import load_settings
from gateway.errors import Complaint, ConfigError
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.own_key import revocation_certificate


@click.command(short_help="Make a folder with all a gateway needs.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--mailbox", default="247cp@institution.gov.example", show_default=True, help="Address the network writes to."
)
@click.option("--hostname", help="Our name on the wire; default gw. and the mailbox's domain.")
@click.option("--name", default="24/7 Contact Point of Syldavia", show_default=True, help="Name printed in receipts.")
@click.option("--country", default="SY", show_default=True, help="ISO 3166 code, two capital letters.")
@click.option("--phone", default="+000 1 234 567", show_default=True, help="Telephone answered at any hour.")
def init(folder: Path, mailbox: str, hostname: str | None, name: str, country: str, phone: str) -> None:
    """Write a folder with configuration, rules, keys, state, an OpenPGP key and a DKIM key.

    Nothing that stands in FOLDER is overwritten. The gateway in it can be started at once.
    """
    domain = mailbox.rpartition("@")[2]
    values: dict[tuple[str, ...], object] = {
        ("hostname",): hostname or f"gw.{domain}",
        ("contact_point", "name"): name,
        ("contact_point", "country"): country,
        ("contact_point", "mailbox"): mailbox,
        ("contact_point", "phone"): phone,
        ("contact_point", "internal_domains"): [domain],
        ("dkim", "domain"): domain,
    }
    _refuse(values, name=name, folder=folder)
    try:
        record = _write_files(folder)
        home = GnupgHome(str(folder / "state" / "gnupg"))
        fingerprint = home.make_own_key(name=name, mailbox=mailbox)
        home.kill_agent()
        values[("openpgp", "signing_key")] = fingerprint
        (folder / "gateway.yaml").write_text(_configuration(values), encoding="utf-8")
        (folder / "state" / "dkim.txt").write_text(f"cp247._domainkey.{domain}. TXT {record}\n", encoding="ascii")
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise ConfigError(Complaint(str(error.filename or folder), 0, 0, "", what, "choose another folder")) from None
    _report(Console(highlight=False, soft_wrap=True), folder, domain, fingerprint, record)


def _refuse(values: Mapping[tuple[str, ...], object], *, name: str, folder: Path) -> None:
    """Raise ConfigError before anything is written: values gateway.yaml would refuse, or a gateway that is there already."""
    if not name.isprintable():
        raise ConfigError(Complaint("cp247 init", 0, 0, "--name", "has control characters", "write one plain line"))
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "gateway.yaml"
        file.write_text(_configuration(values), encoding="utf-8")
        try:
            load_settings(str(file))
        except ConfigError as error:
            raise ConfigError(*(replace(one, file="cp247 init", line=0) for one in error.complaints)) from None
    for part in ("gateway.yaml", "state/secret", "state/dkim.pem", "state/gnupg"):
        if (folder / part).exists():
            raise ConfigError(Complaint(str(folder / part), 0, 0, "", "is there already", "choose another folder"))


def _write_files(folder: Path) -> str:
    """Rules, key template, secret and DKIM key; returns the DKIM record to publish."""
    for part in ("", "keys", "state", "state/mailbox", "state/relay"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "state").chmod(0o700)
    shutil.copytree(share("rules"), folder / "rules", dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    for one in ("README.md", "contact.yaml.template"):
        shutil.copyfile(share("keys") / one, folder / "keys" / one)
    write_private(folder / "state" / "secret", secrets.token_bytes(48))
    return make_dkim_key(folder / "state" / "dkim.pem")


def _configuration(values: Mapping[tuple[str, ...], object]) -> str:
    """The shipped gateway.yaml, comments kept, with these values set."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 200
    document = yaml.load(share("gateway.yaml").read_text(encoding="utf-8"))
    for path, value in values.items():
        node = document
        for step in path[:-1]:
            node = node[step]
        if isinstance(value, list):
            # in place: a fresh list is written as lines of its own, below the comments that follow
            node[path[-1]][:] = value
        else:
            node[path[-1]] = value
    written = StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def make_dkim_key(path: Path) -> str:
    """Write a new RSA-2048 key and return the TXT value to publish (RFC 6376 section 3.6.1)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    write_private(
        path,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "v=DKIM1; k=rsa; p=" + "".join(public.decode().splitlines()[1:-1])


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that nobody else may read; FileExistsError rather than overwrite."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _report(console: Console, folder: Path, domain: str, fingerprint: str, record: str) -> None:
    console.print(f"[bold]{escape(str(folder))}[/] is ready. What is in it:")
    console.print("  gateway.yaml   the configuration: read it once, every option is there with its default")
    console.print("  rules/         what requests look like; rules/README.md")
    console.print("  keys/          whom you trust: empty; keys/README.md tells how to enrol a contact point")
    console.print("  state/         database, secret, OpenPGP and DKIM keys: private, part of the backup")
    console.print(f"\nOur OpenPGP key: [bold]{fingerprint}[/]")
    console.print(
        f"Its revocation certificate: {escape(str(revocation_certificate(str(folder / 'state' / 'gnupg'), fingerprint)))}"
    )
    console.print(
        "  copy it to paper or a medium in a safe, then delete it here: whoever has it ends our key for everybody"
    )
    console.print("\nPublish this TXT record, then receipts and answers prove where they come from:")
    console.print(f"  cp247._domainkey.{domain}. TXT\n  {record}")
    console.print(
        f"\nNext:  cp247 doctor --config {escape(str(folder))}/gateway.yaml\n       cp247 serve --config {escape(str(folder))}/gateway.yaml"
    )
