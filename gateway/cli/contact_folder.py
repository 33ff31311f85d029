"""Writes folders of keys/: a contact.yaml from a contact, a new folder, a file in place of another.

Never leaves half a file or folder: each is made under a hidden name, which nobody reads, and renamed when it is whole.
"""

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from io import StringIO

from ruamel.yaml import YAML

from gateway.errors import Complaint, ConfigError
from gateway.model.trust import Contact, Protection

_FOLDER = re.compile("[a-z0-9][a-z0-9-]{0,63}")


def folder_name(country: str, domain: str) -> str:
    """Name for the folder of a contact that has none yet: bx-police."""
    return re.sub("[^a-z0-9-]", "-", f"{country}-{domain.partition('.')[0]}".lower())


def is_folder_name(name: str) -> bool:
    """Whether a folder of keys/ may have this name."""
    return _FOLDER.fullmatch(name) is not None


def document_of(contact: Contact) -> dict[str, object]:
    """The contact as contact.yaml says it, in the order of the template, without what is as by default."""
    document: dict[str, object] = {
        "name": contact.name,
        "country": contact.country,
        "addresses": [
            {"address": one.address.spec, "verified": one.verified, "joint": one.joint} for one in contact.addresses
        ],
    }
    least = contact.minimum
    more = {
        "domains": list(contact.domains),
        "networks": list(contact.networks),
        "phone": contact.phone,
        "languages": list(contact.languages),
        "minimum": None
        if least == Protection()
        else {"sig": least.sig.value, "enc": least.enc, "tls": least.tls.value},
        "valid_until": contact.valid_until,
        "enrolled_by": list(contact.enrolled_by),
        "verified_how": contact.verified_how,
    }
    return document | {key: value for key, value in more.items() if value}


def contact_yaml(document: Mapping[str, object]) -> bytes:
    """The document as a file."""
    written = StringIO()
    yaml = YAML()
    yaml.width = 4096
    yaml.dump(document, written)
    return written.getvalue().encode("utf-8")


def found_folder(keys: str, folder: str, files: Mapping[str, bytes]) -> str:
    """Make the folder below keys/ with these files, whole or not at all, and return its path; ConfigError if it cannot be."""
    final = os.path.join(keys, folder)
    if os.path.exists(final) or not is_folder_name(folder):
        raise _refused(final, "is there already, or is no name for a folder", "choose another name")
    made = os.path.join(keys, f".new-{folder}")
    try:
        shutil.rmtree(made, ignore_errors=True)
        os.mkdir(made)
        for name, octets in files.items():
            write_new(os.path.join(made, name), octets)
        os.rename(made, final)
        sync_folder(keys)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise _refused(final, f"cannot be written: {error.strerror}", "mend its permissions") from error
    return final


def replace_file(path: str, octets: bytes) -> None:
    """Put these octets in the place of the file, whole or not at all; ConfigError if it cannot be."""
    folder, name = os.path.split(path)
    made = os.path.join(folder, f".new-{name}")
    try:
        with suppress(FileNotFoundError):
            os.unlink(made)
        write_new(made, octets)
        os.replace(made, path)
        sync_folder(folder)
    except OSError as error:
        raise _refused(path, f"cannot be written: {error.strerror}", "mend its permissions") from error


def sync_folder(path: str) -> None:
    """Have the names in a folder written to the disk."""
    descriptor = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: str, octets: bytes, *, mode: int = 0o644) -> None:
    """Write a file that is not there yet, to the disk; FileExistsError if it is, even as a link to nowhere."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(descriptor)


def _refused(path: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(Complaint(path, 0, 0, "", what, remedy))
