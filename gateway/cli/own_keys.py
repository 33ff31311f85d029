"""`cp247 keys wkd`, `export-reader`, `rotate`: our own key for everybody, its reading half for our officers, its renewal."""

import os
from datetime import UTC, datetime, timedelta

import click

from gateway.cli.contact_folder import replace_file, write_new
from gateway.cli.context import Context
from gateway.errors import Complaint, ConfigError
from gateway.mail.addresses import parse_address
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp_packets import Armor, dearmor
from gateway.trust.own_signature import MATURE
from gateway.trust.reader_key import reader_key
from gateway.trust.wkd import wkd_tree


@click.command(short_help="Write our own key as a Web Key Directory.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.pass_obj
def wkd(context: Context, folder: str) -> None:
    """Write our public key below DIR, the root of a web server, where mail clients look for it.

    Both layouts are written: for https://openpgpkey.DOMAIN/ (advanced) and for https://DOMAIN/ (direct).
    """
    settings = context.settings()
    key = dearmor(GnupgHome(settings.openpgp.home).export(settings.openpgp.signing_key), Armor.PUBLIC_KEY)
    for mailbox in settings.mailboxes:
        address = parse_address(mailbox.encode())
        assert address is not None  # the configuration was checked
        try:
            tree = wkd_tree(address, key)
        except ValueError as error:
            if mailbox == settings.contact_point.mailbox:
                raise _refused(
                    mailbox, str(error), "make a key for this mailbox, or correct openpgp.signing_key"
                ) from None
            click.echo(f"{mailbox}: left out, {error}", err=True)
            continue
        for path, octets in tree.items():
            _publish(os.path.join(folder, path), octets)


def _publish(path: str, octets: bytes) -> None:
    """A policy that is there already is the web master's; our key is always the newest."""
    if octets or not os.path.exists(path):
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            raise _refused(path, f"cannot be written: {error.strerror}", "mend its permissions") from None
        replace_file(path, octets)
        click.echo(path)


@click.command("export-reader", short_help="Write the encryption subkey for officers' clients.")
@click.argument("file", metavar="FILE.asc", type=click.Path(dir_okay=False))
@click.pass_obj
def export_reader(context: Context, file: str) -> None:
    """Write the private encryption subkey to a new FILE.asc: with it officers read what was encrypted to us, and sign nothing."""
    settings = context.settings()
    armored = reader_key(GnupgHome(settings.openpgp.home), settings.openpgp.signing_key)
    try:
        write_new(file, armored, mode=0o600)
    except FileExistsError:
        raise _refused(file, "is there already", "name another file, or remove it first") from None
    except OSError as error:
        raise _refused(file, f"cannot be written: {error.strerror}", "mend its permissions") from None
    click.echo(f"{file}: the private encryption subkey of {settings.openpgp.signing_key}, without passphrase")
    click.echo("Whoever has it reads all that was ever encrypted to us. Hand it over in person, then delete the file.")


@click.command(short_help="Make new subkeys of our own key; the old ones run out.")
@click.option(
    "--overlap",
    default=60,
    show_default=True,
    type=click.IntRange(MATURE.days + 1, 365),
    help="Days after which the old subkeys end; they decrypt for ever.",
)
@click.pass_obj
def rotate(context: Context, overlap: int) -> None:
    """Make a new signing and a new encryption subkey of our own key.

    The new one signs when it is thirty days old: until then counterparts fetch it. What is encrypted to an old one can be read
    for ever; nothing is deleted. The primary key, and with it our fingerprint, stays.
    """
    settings = context.settings()
    fingerprint = settings.openpgp.signing_key
    made = GnupgHome(settings.openpgp.home).rotate_own_key(fingerprint, overlap=timedelta(days=overlap))
    for one in made:
        click.echo(f"new subkey: {one}")
    switch, end = (datetime.now(UTC) + timedelta(days=days) for days in (MATURE.days, overlap))
    click.echo(f"signs from {switch:%Y-%m-%d}; the old subkeys end on {end:%Y-%m-%d}")
    click.echo(
        "Now, in this order: copy the OpenPGP home into the backup; reload the gateway; publish the key (`keys wkd`) and"
    )
    click.echo("send it to the counterparts; give officers a new reading key (`keys export-reader`).")


def _refused(file: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(Complaint(file, 0, 0, "", what, remedy))
