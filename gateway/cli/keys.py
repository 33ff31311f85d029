"""`cp247 keys`: whom we trust, whether their keys are still good, and how another contact point is enrolled.

Reads the folder keys/ and our own key; writes and removes only what it is asked to, and never overwrites a file there.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gateway.cli.contact_folder import is_folder_name, sync_folder
from gateway.cli.context import Context
from gateway.cli.enrolment import Enrolment, enrol
from gateway.cli.own_keys import export_reader, rotate, wkd
from gateway.cli.review import offer
from gateway.cli.verdict_view import plain
from gateway.config import read_tree
from gateway.errors import Complaint, ConfigError, GpgUnavailable
from gateway.mail.addresses import parse_address
from gateway.model.settings import Settings
from gateway.model.trust import Contact, Directory, PinnedKey
from gateway.trust.directory import book_of, parse_directory
from gateway.trust.gnupg_home import GnupgHome

SOON = timedelta(days=30)
"""What ends within this time is named by `check` before it ends."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing `check` found about a key or a contact; `grave` if something is already lost by it."""

    contact: str
    what: str
    remedy: str
    grave: bool = True


@click.group(short_help="Whom we trust: contact points and their keys.")
def keys() -> None:
    """Whom we trust: contact points, their addresses and their OpenPGP keys."""


@keys.command("list", short_help="List contact points, addresses, keys.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def list_contacts(context: Context, as_json: bool) -> None:
    """List contact points with their addresses and keys; exit 2 if a folder is broken."""
    directory, complaints = _read(context.settings())
    now = datetime.now(UTC)
    if as_json:
        for contact in directory.contacts:
            click.echo(json.dumps(contact_json(contact, now), ensure_ascii=False))
    else:
        _console().print(
            _table(directory, now) if directory.contacts else "no contact point is enrolled: cp247 keys add --help"
        )
    _complain(complaints)


@keys.command(short_help="Name what is expired, revoked or broken.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def check(context: Context, as_json: bool) -> None:
    """Check every contact, every key and our own; exit 1 on expiry or revocation, 2 if a folder is broken."""
    settings = context.settings()
    directory, complaints = _read(settings)
    findings = (
        *_own(settings),
        *(one for contact in directory.contacts for one in _findings(contact, datetime.now(UTC))),
    )
    for one in findings:
        line = f"{one.contact}: {one.what}; {one.remedy}"
        click.echo(json.dumps(asdict(one), ensure_ascii=False) if as_json else line)
    _complain(complaints)
    if not findings and not as_json:
        click.echo(f"{len(directory.contacts)} contact points and our own key are in order")
    sys.exit(1 if any(one.grave for one in findings) else 0)


@keys.command(short_help="Pin a contact point's key.")
@click.argument("address")
@click.argument("key_file", metavar="FILE.asc", type=click.Path(exists=True, dir_okay=False))
@click.option("--name", help="Name of a contact point that has no folder yet.")
@click.option("--country", help="Its country, two capital letters (ISO 3166).")
@click.option("--folder", help="Name of its folder; default from country and domain.")
@click.option("--phone", default="", help="Number for call-backs, from the network's directory, never from a mail.")
@click.option("--language", "languages", multiple=True, help="Language of its receipts, best first; may be repeated.")
@click.option(
    "--verified-how", default="", help="How address and fingerprint were confirmed; without it neither gives trust."
)
@click.option("--enrolled-by", multiple=True, help="Who enrols it; may be repeated.")
@click.option("--replace", is_flag=True, help="It is pinned already; this is a newer export, prolonged or revoked.")
@click.option("--judge-again", is_flag=True, help="Judge the stored messages it concerns again, without asking.")
@click.pass_obj
def add(context: Context, /, address: str, key_file: str, *, judge_again: bool, **entered: Any) -> None:
    """Pin the key in FILE.asc for ADDRESS, in a new folder or in the one that has the address already.

    Stored messages that this key signed are named, and judged again if you say so.
    """
    settings = context.settings()
    directory, _ = _read(settings)
    with open(key_file, "rb") as file:
        armored = file.read()
    made = enrol(
        Enrolment(address=address, armored=armored, file=key_file, **entered),
        directory=directory,
        folder=settings.keys,
        inspect=GnupgHome(settings.openpgp.home).inspect_keys,
    )
    console = _console()
    console.print(f"{plain(address)}: key pinned in {plain(made.path)}")
    console.print(f"  {' '.join(made.key.fingerprint[at : at + 4] for at in range(0, 40, 4))}")
    if not made.verified:
        console.print("Compare this fingerprint by telephone, number from the network's directory, never from a mail.")
        console.print(
            f"Then set `verified: true` and `verified_how` in {plain(made.contact_file)}: until then it gives no trust."
        )
    console.print("A running gateway reads it after SIGHUP.")
    offer(context, made.key, at_once=judge_again, only_bad=not entered["replace"], ready=made.verified)


@keys.command(short_help="Remove a key of a contact point.")
@click.argument("whose", metavar="ADDRESS|FOLDER")
@click.argument("fingerprint")
@click.option("--yes", is_flag=True, help="Remove it though it is the last one.")
@click.pass_obj
def remove(context: Context, whose: str, fingerprint: str, yes: bool) -> None:
    """Remove the key FINGERPRINT of a contact point, and nothing else; its last key only with --yes."""
    settings = context.settings()
    folder = os.path.join(settings.keys, _folder_of(whose, settings))
    name = f"{''.join(fingerprint.split()).removeprefix('0x').upper()}.asc"
    path = os.path.join(folder, name)
    if not re.fullmatch(r"[0-9A-F]{40}\.asc", name) or not os.path.isfile(path):
        raise ConfigError(Complaint(path, 0, 0, "", "is no key that is pinned", "see `cp247 keys list`"))
    gone = next((key for key in _pinned(settings) if f"{key.fingerprint}.asc" == name), None)
    others = [one for one in os.listdir(folder) if one.endswith(".asc") and one != name]
    if not others and not yes:
        what = "is its last key: without it no mail of theirs is `signed`, and no encrypted request can be answered"
        raise ConfigError(Complaint(path, 0, 0, "", what, "say --yes if it shall go all the same"))
    try:
        os.unlink(path)
        sync_folder(folder)
    except OSError as error:
        raise ConfigError(
            Complaint(path, 0, 0, "", f"cannot be removed: {error.strerror}", "mend its permissions")
        ) from None
    click.echo(f"{path}: removed; {len(others)} left. A running gateway reads it after SIGHUP.")
    if gone is not None:
        offer(context, gone, at_once=False, only_bad=False)


keys.add_command(wkd)
keys.add_command(export_reader)
keys.add_command(rotate)


def _folder_of(whose: str, settings: Settings) -> str:
    """The folder so named, or that of the contact with the address; a broken folder goes by its name alone."""
    if is_folder_name(whose):
        return whose
    address = parse_address(whose.encode("utf-8", "replace"))
    owner = book_of(_read(settings)[0]).get(address.key) if address else None
    if owner is None:
        raise ConfigError(
            Complaint(whose, 0, 0, "", "is no contact point", "see `cp247 keys list`, or name its folder")
        )
    return owner[0].id


def _pinned(settings: Settings) -> Iterator[PinnedKey]:
    return (key for contact in _read(settings)[0].contacts for key in contact.keys)


def _read(settings: Settings) -> tuple[Directory, tuple[Complaint, ...]]:
    return parse_directory(read_tree(settings.keys), inspect=GnupgHome(settings.openpgp.home).inspect_keys)


def _complain(complaints: tuple[Complaint, ...]) -> None:
    if complaints:
        raise ConfigError(*complaints)


def _own(settings: Settings) -> Iterator[Finding]:
    """What is wrong with our own key: without it no receipt and no answer leaves."""
    ours = "our own key"
    try:
        key = GnupgHome(settings.openpgp.home).own_key(settings.openpgp.signing_key)
    except GpgUnavailable as error:
        yield Finding(ours, str(error), "see openpgp in gateway.yaml; restore it from the backup")
        return
    remedy = "make a new key and give it to every contact point"
    if not key.can_sign:
        yield Finding(ours, f"{key.fingerprint} has no subkey that signs", remedy)
    yield from _key_findings(ours, key, datetime.now(UTC), remedy)


def _findings(contact: Contact, now: datetime) -> Iterator[Finding]:
    if not contact.valid(now.date()):
        yield Finding(
            contact.id, f"valid_until {contact.valid_until} has passed", "ask for its data anew and set another day"
        )
    elif not contact.valid((now + SOON).date()):
        yield Finding(contact.id, f"valid only until {contact.valid_until}", "ask for its data anew", grave=False)
    for one in contact.addresses:
        if not one.verified:
            yield Finding(contact.id, f"{one.address.spec} is not verified", "confirm it by telephone", grave=False)
    for key in contact.keys:
        yield from _key_findings(contact.id, key, now, "ask for its new key and add it with `cp247 keys add`")


def _key_findings(whose: str, key: PinnedKey, now: datetime, remedy: str) -> Iterator[Finding]:
    rows = (
        (key.revoked, "is revoked", True),
        (not key.usable(now), f"expired on {_day(key.expires)}", True),
        (key.can_sign and not key.signs(now), f"cannot sign since {_day(key.signing_expires)}", True),
        (not key.can_encrypt, "cannot be encrypted to", False),
        (not key.encrypts(now), f"cannot be encrypted to since {_day(key.encryption_expires)}", True),
        (not key.usable(now + SOON), f"expires on {_day(key.expires)}", False),
        (key.can_sign and not key.signs(now + SOON), f"cannot sign after {_day(key.signing_expires)}", False),
        (not key.encrypts(now + SOON), f"cannot be encrypted to after {_day(key.encryption_expires)}", False),
    )
    for applies, what, grave in rows:
        if applies:
            yield Finding(whose, f"{key.fingerprint} {what}", remedy, grave)
            return


def contact_json(contact: Contact, now: datetime) -> dict[str, Any]:
    """One contact as a JSON object; later keys may be added."""
    return {
        "contact": contact.id,
        "name": contact.name,
        "country": contact.country,
        "addresses": [
            {"address": one.address.spec, "verified": one.verified, "joint": one.joint} for one in contact.addresses
        ],
        "phone": contact.phone,
        "languages": list(contact.languages),
        "valid_until": contact.valid_until.isoformat() if contact.valid_until else None,
        "keys": [
            {"fingerprint": one.fingerprint, "state": _state(one, now), "expires": _written(one.expires)}
            for one in contact.keys
        ],
    }


def _table(directory: Directory, now: datetime) -> Table:
    table = Table("contact", "country", "name", "addresses", "keys", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for one in directory.contacts:
        addresses = "\n".join(
            address.address.spec + ("" if address.verified else " (not verified)") for address in one.addresses
        )
        pinned = "\n".join(f"{key.fingerprint} {_state(key, now)}" for key in one.keys) or "none"
        table.add_row(one.id, one.country, plain(one.name), _lines(addresses), _lines(pinned))
    return table


def _lines(text: str) -> str:
    return "\n".join(plain(one) for one in text.split("\n"))


def _state(key: PinnedKey, now: datetime) -> str:
    """One word for a key's state: good, expired, revoked."""
    if key.revoked:
        return "revoked"
    return "good" if key.usable(now) else "expired"


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else "an unknown day"


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
