"""What a judge is given at its start: settings, rules, directory and secret, read once by the service and good as a whole.

A set with broken rules is never handed out: the last good one, kept in the database, judges on (DESIGN section 6).
"""

import hashlib
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import log, metrics
from gateway.config import read_tree
from gateway.errors import Complaint, ConfigError, GpgUnavailable
from gateway.model.settings import Settings
from gateway.model.trust import Directory, PinnedKey
from gateway.model.verdict import RuleFiles
from gateway.service.live_rules import live_rules
from gateway.trust.directory import parse_directory
from gateway.trust.gnupg_home import GnupgHome

if TYPE_CHECKING:
    # judges read rules and have no database: they start sooner without its library
    from gateway.store.rulebook import Rulebook

OURSELVES = "ourselves"
"""Label of our own key among those of the contacts."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """Everything a judge needs to judge alone."""

    settings: Settings
    rules: RuleFiles
    directory: Directory
    secret: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Changes when a judge with this equipment would judge differently."""
        files = hashlib.sha256()
        for name, content in self.rules.files:
            files.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
        return f"{files.hexdigest()}-{self.directory.digest}"


def read_equipment(
    settings: Settings,
    *,
    book: "Rulebook | None" = None,
    without_gpg: bool = False,
) -> Equipment:
    """Equipment of the files as they are now; with `without_gpg` no contact has keys.

    `book` remembers which set judges; without it only the folder counts. Raises ConfigError only if no set of rules was ever good,
    GpgUnavailable where the keys cannot be inspected.
    """
    return Equipment(
        settings=settings,
        rules=live_rules(settings, book),
        directory=_directory(settings, without_gpg=without_gpg),
        secret=read_secret(settings),
    )


def read_secret(settings: Settings) -> bytes:
    """The secret behind case references and return paths; raises ConfigError when it is missing or short."""
    try:
        secret = Path(settings.secret).read_bytes()
    except OSError as error:
        raise ConfigError(
            Complaint(
                settings.secret, 0, 0, "secret", f"cannot be read: {error.strerror}", "restore it from the backup"
            )
        ) from None
    if len(secret) < 32:
        raise ConfigError(
            Complaint(settings.secret, 0, 0, "secret", "is shorter than 32 bytes", "restore it from the backup")
        )
    return secret


def _directory(settings: Settings, *, without_gpg: bool) -> Directory:
    home = GnupgHome(settings.openpgp.home)
    files, unreadable = _key_files(settings.keys)
    if without_gpg:
        files = tuple(one for one in files if not one[0].endswith(".asc"))
    directory, complaints = parse_directory(files, inspect=home.inspect_keys)
    complaints = (*unreadable, *complaints)
    for complaint in complaints:
        log.alarm("contact-broken", what=str(complaint), remedy="mend the folder, run `cp247 keys check`, send SIGHUP")
    metrics.CONTACTS.labels("good").set(len(directory.contacts))
    metrics.CONTACTS.labels("broken").set(len(complaints))
    show_expiry(directory, own_key(home, settings))
    return directory


def _key_files(keys: str) -> tuple[tuple[tuple[str, bytes], ...], tuple[Complaint, ...]]:
    """The files of all contacts; a folder that cannot be read costs its own contact, not all of them."""
    try:
        return read_tree(keys), ()
    except ConfigError:
        if not os.path.isdir(keys):
            raise
    files: list[tuple[str, bytes]] = []
    complaints: list[Complaint] = []
    for folder in sorted(one.name for one in os.scandir(keys) if one.is_dir() and not one.name.startswith(".")):
        try:
            files += [(os.path.join(folder, name), octets) for name, octets in read_tree(os.path.join(keys, folder))]
        except ConfigError as error:
            complaints += error.complaints
    return tuple(files), tuple(complaints)


def own_key(home: GnupgHome, settings: Settings) -> tuple[PinnedKey, ...]:
    """Our own key; none, and an alarm, when it cannot be used: requests are taken in and delivered all the same."""
    try:
        return (home.own_key(settings.openpgp.signing_key),)
    except GpgUnavailable as error:
        log.alarm(
            "own-key-unusable",
            error=str(error),
            remedy="run `cp247 doctor`; until then no receipt and no answer leaves",
        )
        return ()


def show_expiry(directory: Directory, ours: tuple[PinnedKey, ...]) -> None:
    """Tell Prometheus when the last key of each owner ends, and when an entry does; nothing where that is never."""
    metrics.KEY_EXPIRY.clear()
    metrics.CONTACT_EXPIRY.clear()
    for owner, owned in ((OURSELVES, ours), *((one.id, one.keys) for one in directory.contacts)):
        keys = [one for one in owned if not one.revoked]
        _show_last(owner, "sign", [_first(one.expires, one.signing_expires) for one in keys if one.can_sign])
        _show_last(owner, "encrypt", [_first(one.expires, one.encryption_expires) for one in keys if one.can_encrypt])
    for contact in directory.contacts:
        if contact.valid_until is not None:
            ends = datetime.combine(contact.valid_until + timedelta(days=1), time.min, UTC)
            metrics.CONTACT_EXPIRY.labels(contact.id).set(ends.timestamp())


def _first(*ends: datetime | None) -> datetime | None:
    return min((one for one in ends if one is not None), default=None)


def _show_last(owner: str, use: str, ends: list[datetime | None]) -> None:
    if ends and None not in ends:
        metrics.KEY_EXPIRY.labels(owner, use).set(max(one.timestamp() for one in ends if one is not None))
