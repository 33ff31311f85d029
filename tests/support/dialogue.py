"""Plays an SMTP transcript against a real listener; the format is described in tests/dialogues/README.md."""

import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from listening import Desk, Open


@dataclass(frozen=True)
class Step:
    """One line of a transcript."""

    line: int
    mark: str
    text: str


@dataclass(frozen=True)
class Script:
    """A transcript: what its head asks of the listener, and its steps."""

    head: dict[str, str]
    steps: tuple[Step, ...]


_HEAD = re.compile(r"([a-z][a-z-]*): *(.*)")
_STEP = re.compile(r"(C|C>|S|T|A|N):(?: (.*))?")


def read_script(path: Path) -> Script:
    """The transcript of that file; ValueError names the line that is none."""
    head: dict[str, str] = {}
    steps: list[Step] = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        step, option = _STEP.fullmatch(line), _HEAD.fullmatch(line)
        if step:
            steps.append(Step(number, step[1], step[2] or ""))
        elif option and not steps:
            head[option[1]] = option[2]
        else:
            raise ValueError(f"{path}:{number}: neither an option nor a step: {line}")
    return Script(head, tuple(steps))


def unescaped(text: str) -> bytes:
    r"""Octets of a raw step: \r \n \t \0 \\ \xHH, `{N*x}` repeats x N times; all else as UTF-8."""
    text = re.sub(r"\{(\d+)\*((?:\\x..|\\.|[^}])+)\}", lambda match: match[2] * int(match[1]), text)
    plain = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
    pieces = re.split(r"\\(x[0-9a-f]{2}|[rnt0\\])", text)
    out = bytearray()
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            out += piece.encode()
        else:
            out += plain[piece] if piece in plain else bytes([int(piece[1:], 16)])
    return bytes(out)


class Player:
    """A client that says the C lines and expects the S lines."""

    def __init__(self, path: Path, of: Open, source: str) -> None:
        self._path = path
        self._desk: Desk = of.desk
        self._socket: socket.socket = of.connect(source)
        self._buffer = b""
        self._looked = 0

    def play(self, script: Script) -> None:
        try:
            for step in script.steps:
                getattr(
                    self,
                    "_" + {"C": "say", "C>": "raw", "S": "expect", "T": "tls", "A": "taken", "N": "note"}[step.mark],
                )(step)
        finally:
            self._socket.close()

    def _say(self, step: Step) -> None:
        with suppress(ConnectionError):
            self._socket.sendall(unescaped(step.text) + b"\r\n")

    def _raw(self, step: Step) -> None:
        if step.text == "(half-close)":
            self._socket.shutdown(socket.SHUT_WR)
            return
        self._socket.sendall(unescaped(step.text))

    def _tls(self, step: Step) -> None:
        assert step.text == "handshake", f"{self._path}:{step.line}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._socket = context.wrap_socket(self._socket)

    def _expect(self, step: Step) -> None:
        line = self._line()
        wanted = re.escape(step.text).replace(r"\.\.\.", ".*")
        said = "(closed)" if line is None else line.decode("utf-8", "replace")
        assert re.fullmatch(wanted, said), f"{self._path}:{step.line}: expected {step.text!r}, got {said!r}"

    def _line(self) -> bytes | None:
        while b"\r\n" not in self._buffer:
            try:
                block = self._socket.recv(4096)
            except ConnectionError:
                block = b""
            if not block:
                return None
            self._buffer += block
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _taken(self, step: Step) -> None:
        where = f"{self._path}:{step.line}"
        if step.text == "nothing":
            assert not self._desk.taken[self._looked :], f"{where}: something was accepted"
            return
        taken = self._desk.taken[self._looked]
        name, _, wanted = step.text.partition(" ")
        if name == "next":
            self._looked += 1
        elif name == "content":
            assert taken.content == unescaped(wanted), f"{where}: content is {taken.content[:200]!r}"
        elif name == "rcpt_tos":
            assert list(taken.envelope.rcpt_tos) == wanted.split(), f"{where}: {taken.envelope}"
        else:
            value = getattr(taken.envelope, name)
            assert str(value) == wanted.strip('"'), f"{where}: {name} is {value!r}"

    def _note(self, step: Step) -> None:
        assert step.text in self._desk.refused(), f"{self._path}:{step.line}: noted {self._desk.refused()}"
