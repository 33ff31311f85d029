"""Makes the gateway's own OpenPGP key and renews its subkeys; never touches a key of somebody else's, never deletes one."""

import os
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import gnupg

from gateway.errors import GpgUnavailable

_AGENT_OPTIONS = "disable-scdaemon\n"
"""A message to a hidden recipient would make the agent look for smart cards."""

_NO_PASSPHRASE = ["--no-options", "--pinentry-mode", "loopback", "--passphrase", ""]


def make_own_key(home: str, *, name: str, mailbox: str) -> str:
    """Make a key without passphrase or expiry in this home; returns its primary fingerprint.

    Ed25519 primary that only certifies, Ed25519 subkey that signs, Curve25519 subkey that decrypts: the first can be
    kept elsewhere, the last can be given to the officers' clients. GpgUnavailable if gpg makes none.
    """
    with open(os.path.join(home, "gpg-agent.conf"), "w", encoding="ascii") as options:
        options.write(_AGENT_OPTIONS)
    driver = gnupg.GPG(gnupghome=home, options=_NO_PASSPHRASE)
    wanted = driver.gen_key_input(
        key_type="EDDSA", key_curve="ed25519", key_usage="cert", name_real=name, name_email=mailbox,
        expire_date="0", no_protection=True,
    )  # fmt: skip
    fingerprint = str(driver.gen_key(wanted).fingerprint or "")
    if not fingerprint:
        raise GpgUnavailable("gpg made no key")
    for algorithm, usage in (("ed25519", "sign"), ("cv25519", "encr")):
        if not driver.add_subkey(fingerprint, None, algorithm, usage, "never").fingerprint:
            raise GpgUnavailable(f"gpg made no subkey to {usage}")
    return fingerprint


def revocation_certificate(home: str, fingerprint: str) -> str:
    """Where gpg put the certificate that revokes our key when it made it (GnuPG, `--generate-key`)."""
    return os.path.join(home, "openpgp-revocs.d", f"{fingerprint}.rev")


def rotate_own_key(home: str, fingerprint: str, *, overlap: timedelta) -> tuple[str, ...]:
    """Fingerprints of a new signing and a new encryption subkey; the present ones end after the overlap, and still decrypt.

    Raises GpgUnavailable when the primary key is kept elsewhere, or when gpg does not do it.
    """
    before = _secret_keys(home, fingerprint)
    if not before or before[0].stub:
        raise GpgUnavailable(
            "the secret primary key is not in this home: import it from where it is kept offline, first"
        )
    for algorithm, usage in (("ed25519", "sign"), ("cv25519", "encr")):
        _gpg(home, "--quick-add-key", fingerprint, algorithm, usage, "never")
    known = {one.fingerprint for one in before}
    made = tuple(one.fingerprint for one in _secret_keys(home, fingerprint) if one.fingerprint not in known)
    # Those that an earlier rotation gave an end keep it.
    endless = [one.fingerprint for one in before[1:] if one.validity not in "er" and not one.ends]
    if endless:
        _gpg(home, "--quick-set-expire", fingerprint, f"{overlap.days}d", *endless)
    return made


@dataclass(frozen=True, slots=True)
class _Secret:
    """A secret key or subkey as gpg lists it."""

    fingerprint: str
    validity: str
    ends: bool
    stub: bool
    """Its secret is kept elsewhere."""


def _secret_keys(home: str, fingerprint: str) -> list[_Secret]:
    """The primary key and its subkeys; each record is followed by its own `fpr` (doc/DETAILS of GnuPG)."""
    listed = _gpg(home, "--with-colons", "--fixed-list-mode", "--list-secret-keys", fingerprint)
    records = [line.split(":") for line in listed.split("\n")]
    return [
        _Secret(following[9], record[1], bool(record[6]), record[14] == "#")
        for record, following in pairwise(records)
        if record[0] in ("sec", "ssb") and following[0] == "fpr"
    ]


def _gpg(home: str, *arguments: str) -> str:
    command = ["gpg", "--homedir", home, "--batch", "--no-tty", *_NO_PASSPHRASE, *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise GpgUnavailable(f"gpg cannot renew our key: {error}") from error
