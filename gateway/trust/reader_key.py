"""Gives out the half of our key that reads: the private encryption subkey, for the officers' mail clients.

Never gives out what signs or certifies, and looks at what gpg wrote before anybody gets it.
"""

from collections.abc import Iterator

from gateway.errors import GpgUnavailable
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.openpgp_packets import Armor, Packet, Tag, dearmor, fingerprint_of, packets

_STUB = b"GNU\x01"
"""How a secret key ends whose secret was left out (GnuPG doc/DETAILS, GNU extensions to the S2K algorithm)."""


def reader_key(home: GnupgHome, fingerprint: str) -> bytes:
    """Our key, armored, with the secrets of its encryption subkeys alone; GpgUnavailable if gpg gives less or more."""
    subkeys = tuple(_encryption_subkeys(home, fingerprint))
    if not subkeys:
        raise GpgUnavailable(f"the GnuPG home holds no secret encryption subkey of {fingerprint}")
    # The mark behind a fingerprint makes gpg export this subkey and not all of them.
    wanted = tuple(f"{one}!" for one in subkeys)
    run = home.run(("--armor", "--export-options", "export-minimal", "--export-secret-subkeys", *wanted), own=True)
    if run.rc != 0 or not _reads_only(run.stdout, home.export(fingerprint), subkeys):
        raise GpgUnavailable(f"gpg did not export the encryption subkey of {fingerprint} alone")
    return run.stdout


def _encryption_subkeys(home: GnupgHome, fingerprint: str) -> Iterator[str]:
    """Fingerprints of the subkeys that decrypt and are here with their secret, expired ones too: old mail is read as well."""
    run = home.run(("--with-colons", "--fixed-list-mode", "--list-secret-keys", fingerprint), own=True)
    record: list[str] = []
    for line in run.stdout.decode("utf-8", "replace").split("\n"):
        fields = line.split(":")
        if fields[0] == "fpr" and record and "e" in record[11] and record[14] != "#":
            yield fields[9]
        record = fields if fields[0] == "ssb" and len(fields) > 14 else []


def _reads_only(armored: bytes, public: bytes, subkeys: tuple[str, ...]) -> bool:
    """Whether these are exactly the secrets of the subkeys, and a primary key without its secret."""
    try:
        found = tuple(packets(dearmor(armored, Armor.PRIVATE_KEY)))
        bodies = {
            fingerprint_of(one): one.body for one in packets(dearmor(public, Armor.PUBLIC_KEY)) if _is_subkey(one)
        }
    except ValueError:
        return False
    primary = [one for one in found if one.tag == Tag.SECRET_KEY]
    secret = [one for one in found if one.tag == Tag.SECRET_SUBKEY]
    expected = [bodies.get(one) for one in subkeys]
    return (
        len(primary) == 1
        and primary[0].body.endswith(_STUB)
        and len(secret) == len(expected)
        # A secret key packet begins with the public one (RFC 9580 section 5.5.3).
        and all(any(body and one.body.startswith(body) for body in expected) for one in secret)
    )


def _is_subkey(packet: Packet) -> bool:
    return packet.tag == Tag.PUBLIC_SUBKEY
