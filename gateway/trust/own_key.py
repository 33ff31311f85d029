"""Makes the gateway's own OpenPGP key; never touches a key of somebody else's."""

import os

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
