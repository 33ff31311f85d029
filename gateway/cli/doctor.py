"""`cp247 doctor`: checks everything the gateway needs and says what to mend; changes nothing."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import click
from rich.console import Console

from gateway.cli.context import Context
from gateway.cli.verdict_view import plain
from gateway.config import read_tree
from gateway.errors import ConfigError, DnsUnavailable, GatewayError, StoreUnavailable
from gateway.model.settings import Settings
from gateway.service.equipment import read_secret
from gateway.service.live_rules import read_rules
from gateway.store.journal import open_journal
from gateway.triage.ruleset import parse_ruleset
from gateway.trust.directory import parse_directory
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.own_key import revocation_certificate
from gateway.trust.resolver import Resolver
from gateway.trust.seal import Sealer

MIN_FREE_BYTES = 1 << 30
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing checked."""

    what: str
    good: bool
    found: str
    remedy: str = ""


@click.command(short_help="Check all it needs and say what to mend.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def doctor(context: Context, as_json: bool) -> None:
    """Check gpg, database, DNS, disk, mailbox, relay, keys, rules and permissions; exit 1 if something needs mending."""
    settings = context.settings()
    found = [one for examine in EXAMINATIONS for one in examine(settings)]
    if as_json:
        for one in found:
            click.echo(json.dumps(asdict(one)))
    else:
        _show(found)
    sys.exit(0 if all(one.good for one in found) else 1)


def _show(found: list[Diagnosis]) -> None:
    """One line for each thing, its remedy below it; nothing is cut: fingerprints and records are there to be copied."""
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(one.what) for one in found)
    for one in found:
        console.print(f"{'[green]ok[/]' if one.good else '[red]NO[/]'}  {one.what:{width}}  {plain(one.found)}")
        if one.remedy:
            console.print(f"    {'':{width}}  do: {plain(one.remedy)}")
    bad = sum(not one.good for one in found)
    console.print(f"\n{bad} of {len(found)} to mend" if bad else "\neverything is in order")


def _gpg(settings: Settings) -> Iterator[Diagnosis]:
    try:
        version = subprocess.run(
            ["gpg", "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout.split("\n")[0]
    except (OSError, subprocess.SubprocessError):
        yield Diagnosis("gpg", good=False, found="cannot be run", remedy="apt-get install gnupg")
        return
    yield Diagnosis("gpg", good=True, found=version)
    try:
        sealer = Sealer(
            home=GnupgHome(settings.openpgp.home), signing_key=settings.openpgp.signing_key, dkim=settings.dkim
        )
        sealer.sign(b"test\r\n")
        yield Diagnosis("our OpenPGP key", good=True, found=f"{settings.openpgp.signing_key} signs")
        yield _revocation(settings)
        sealer.dkim_field(b"From: a@b.example\r\n\r\n", at=datetime.now(UTC))
        yield Diagnosis("our DKIM key", good=True, found=f"{settings.dkim.key} signs")
    except GatewayError as error:
        yield Diagnosis(
            "our keys",
            good=False,
            found=str(error),
            remedy="see openpgp and dkim in gateway.yaml; restore from the backup",
        )


def _revocation(settings: Settings) -> Diagnosis:
    """A reminder, no fault: the key works, but who takes this machine can end it for everybody."""
    path = revocation_certificate(settings.openpgp.home, settings.openpgp.signing_key)
    if not os.path.exists(path):
        return Diagnosis("revocation certificate", good=True, found="not on this machine; it is in your safe")
    remedy = f"copy {path} to paper or a medium in a safe, then delete it here"
    return Diagnosis("revocation certificate", good=True, found="still on this machine", remedy=remedy)


def _database(settings: Settings) -> Iterator[Diagnosis]:
    try:
        journal = open_journal(settings.database, upgrade=False)
        try:
            journal.ping()
        finally:
            journal.close()
    except (StoreUnavailable, ConfigError) as error:
        fresh = settings.database.startswith("sqlite:") and not os.path.exists(
            settings.database.removeprefix("sqlite:")
        )
        yield Diagnosis(
            "database",
            good=fresh,
            found="not there yet; `cp247 serve` makes it" if fresh else str(error),
            remedy="" if fresh else "`cp247 serve` makes and upgrades it; else see `database` in gateway.yaml",
        )
        return
    yield Diagnosis("database", good=True, found=settings.database.partition("@")[2] or settings.database)


def _dns(settings: Settings) -> Iterator[Diagnosis]:
    resolver = Resolver(nameservers=settings.dns.nameservers, timeout=settings.dns.timeout)
    name = f"{settings.dkim.selector}._domainkey.{settings.dkim.domain}"
    try:
        answer = resolver.for_message().txt(name)
    except DnsUnavailable as error:
        yield Diagnosis(
            "DNS",
            good=False,
            found=str(error),
            remedy="set dns.nameservers to a resolver that answers; until then nothing is proved",
        )
        return
    yield Diagnosis("DNS", good=True, found="answers")
    wanted = _public_key(settings)
    published = "".join("".join(answer.values).split())
    if wanted is None or wanted in published:
        yield Diagnosis("our DKIM record", good=wanted is not None, found=name if wanted else "the key cannot be read")
    else:
        yield Diagnosis(
            "our DKIM record",
            good=False,
            found=f"{name} does not hold our key",
            remedy=f"publish this TXT record: v=DKIM1; k=rsa; p={wanted}",
        )


def _public_key(settings: Settings) -> str | None:
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(Path(settings.dkim.key).read_bytes(), password=None)
    except (OSError, ValueError):
        return None
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "".join(public.decode().splitlines()[1:-1])


def _disk(settings: Settings) -> Iterator[Diagnosis]:
    try:
        free = shutil.disk_usage(settings.state).free
    except OSError as error:
        yield Diagnosis("disk", good=False, found=f"{settings.state}: {error.strerror}", remedy="create the folder")
        return
    yield Diagnosis(
        "disk",
        good=free >= MIN_FREE_BYTES,
        found=f"{free >> 20} MiB free",
        remedy="" if free >= MIN_FREE_BYTES else "make room: below 64 MiB mail is answered with 451",
    )


def _hops(settings: Settings) -> Iterator[Diagnosis]:
    for what, target in (("mailbox", settings.mailbox.deliver_to), ("relay", settings.outbound.relay)):
        yield (
            _maildir(what, target.removeprefix("maildir:")) if target.startswith("maildir:") else _server(what, target)
        )


def _maildir(what: str, path: str) -> Diagnosis:
    base = next((one for one in (Path(path), *Path(path).parents) if one.exists()), Path("/"))
    good = os.access(base, os.W_OK | os.X_OK)
    return Diagnosis(what, good=good, found=path, remedy="" if good else f"let this user write to {base}")


def _server(what: str, target: str) -> Diagnosis:
    parts = urlsplit(target)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 25), 5) as link:
            link.settimeout(5)
            greeting = link.recv(200).decode("ascii", "replace").strip()
    except OSError as error:
        return Diagnosis(
            what, good=False, found=f"{target}: {error}", remedy="start that server, or correct its address"
        )
    return Diagnosis(what, good=greeting.startswith("220"), found=f"{target}: {greeting}")


def _rules(settings: Settings) -> Iterator[Diagnosis]:
    try:
        ruleset = parse_ruleset(read_rules(settings))
    except ConfigError as error:
        for one in error.complaints:
            yield Diagnosis("rules", good=False, found=str(one), remedy="mend it, then `cp247 rules check`")
        return
    yield Diagnosis("rules", good=True, found=f"digest {ruleset.digest[:12]}")


def _documents(_settings: Settings) -> Iterator[Diagnosis]:
    missing = [name for name in ("pypdf", "docx") if find_spec(name) is None]
    yield Diagnosis(
        "attached forms",
        good=not missing,
        found=f"without {' and '.join(missing)} Word and PDF files stay unread"
        if missing
        else "Word and PDF files are read",
        remedy="install the extra: cp247-gateway[forms]" if missing else "",
    )


def _keys(settings: Settings) -> Iterator[Diagnosis]:
    try:
        tree = read_tree(settings.keys)
    except ConfigError as error:
        yield Diagnosis("keys", good=False, found=str(error))
        return
    directory, complaints = parse_directory(tree, inspect=GnupgHome(settings.openpgp.home).inspect_keys)
    for one in complaints:
        yield Diagnosis("keys", good=False, found=str(one), remedy="mend it, then `cp247 keys check`")
    yield Diagnosis("keys", good=True, found=f"{len(directory.contacts)} contact points")
    now = datetime.now(UTC)
    for contact in directory.contacts:
        for key in contact.keys:
            if not key.usable(now + SOON):
                state = "cannot be used" if not key.usable(now) else f"expires {key.expires:%Y-%m-%d}"
                yield Diagnosis(
                    f"key of {contact.id}",
                    good=False,
                    found=f"{key.fingerprint} {state}",
                    remedy="ask for the new key by telephone",
                )


def _private_files(settings: Settings) -> Iterator[Diagnosis]:
    try:
        read_secret(settings)
    except ConfigError as error:
        yield Diagnosis("secret", good=False, found=str(error))
    for path in (settings.state, settings.secret, settings.dkim.key, settings.openpgp.home):
        try:
            mode = stat.S_IMODE(os.stat(path).st_mode)
        except OSError as error:
            yield Diagnosis(
                "permissions", good=False, found=f"{path}: {error.strerror}", remedy="restore it from the backup"
            )
            continue
        open_to_others = bool(mode & 0o077)
        yield Diagnosis(
            "permissions",
            good=not open_to_others,
            found=f"{path} {mode:04o}",
            remedy=f"chmod go= {path}" if open_to_others else "",
        )


EXAMINATIONS: tuple[Callable[[Settings], Iterator[Diagnosis]], ...] = (
    _gpg, _database, _dns, _disk, _hops, _keys, _rules, _documents, _private_files,
)  # fmt: skip
