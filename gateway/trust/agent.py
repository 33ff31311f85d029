"""Asks gpg-agent for a signature by its own protocol: the secret stays with the agent, and no gpg is started.

One connection for each signature: it costs a tenth of a millisecond, and an agent that is told to end waits for every
client that stays connected, deaf to all others. Never asks a human for a passphrase, never starts an agent.
Protocol: libassuan manual, "Server responses"; gpg-agent manual, "Agent's Assuan protocol".
"""

import socket
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from gateway.errors import GpgUnavailable, SealFailed

MAX_LINE_BYTES = 1002
"""A line of Assuan with its line end."""
MAX_LINES = 100

_SHA256 = 8
"""Number of the hash algorithm, the same in OpenPGP and in libgcrypt."""


def agent_signature(path: str, *, keygrip: str, digest: bytes, seconds: float) -> bytes:
    """The S-expression of a signature over this SHA-256 digest by the key of this keygrip.

    path: the agent's socket. seconds: for each answer. Raises SealFailed when an agent is there and does not answer:
    gpg would wait for the same one. GpgUnavailable when none is there, or it says anything else but a signature.
    """
    requests = ("OPTION pinentry-mode=error", f"SIGKEY {keygrip}", f"SETHASH {_SHA256} {digest.hex()}", "PKSIGN")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(seconds)
            link.connect(path)
            # all at once: each answer waited for would be two more changes of process
            link.sendall("".join(f"{one}\n" for one in requests).encode("ascii"))
            with link.makefile("rb") as lines:
                *_, signature = [_answer(lines) for _ in ("greeting", *requests)]
    except TimeoutError as error:
        raise SealFailed(f"the agent did not answer within {seconds} seconds") from error
    except OSError as error:
        raise GpgUnavailable(f"the agent cannot be reached: {error}") from error
    return signature


def _answer(lines: BinaryIO) -> bytes:
    """The data of one response, up to its OK."""
    data = b""
    for _ in range(MAX_LINES):
        word, _, rest = lines.readline(MAX_LINE_BYTES).rstrip(b"\n").partition(b" ")
        if word == b"OK":
            return data
        if word == b"D":
            data += unquote_to_bytes(rest)
        elif word not in (b"S", b"#"):
            raise GpgUnavailable(f"the agent refused: {(word + b' ' + rest).decode('ascii', 'replace')[:200]}")
    raise GpgUnavailable("the agent talks without end")
