"""Who sits at the keyboard, as the operating system says; never taken from an option."""

import os
import pwd


def acting_person() -> str:
    """Login of the person; behind sudo the one who typed sudo (SUDO_UID is believed from root alone, who sets it)."""
    uid = os.getuid()
    behind = os.environ.get("SUDO_UID", "")
    if uid == 0 and behind.isascii() and behind.isdecimal():
        uid = int(behind)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
