"""A small LMTP or SMTP server on loopback that takes messages, or misbehaves on purpose, as its `Manners` say."""

import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Manners:
    """How the server behaves; may be changed while it runs. Replies to single recipients by address, `*` = all others."""

    smtp: bool = False
    greeting: bytes = b"220 stub ready\r\n"
    offers: tuple[str, ...] = ("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "SIZE 52428800")
    hello: str = ""
    """Instead of the list of offers."""
    mail: str = "250 2.1.0 ok"
    rcpt: dict[str, str] = field(default_factory=dict)
    data: str = "354 go"
    final: dict[str, str] = field(default_factory=dict)
    rset: str = "250 2.0.0 ok"
    hang_after: str = ""
    """hello, mail, rcpt, data, dot: then silence."""
    drop_after: str = ""
    """The same, and the connection is closed; `message` = taken, but closed before the reply."""
    drip_seconds: float = 0.0
    """Pause before each octet of a reply."""
    extra_final: str = ""
    """One reply more than there are recipients."""


@dataclass(frozen=True)
class Received:
    """One message as it came: the lines of MAIL and RCPT, and the octets without dot-stuffing."""

    mail: str
    rcpts: tuple[str, ...]
    content: bytes = field(repr=False)


class _Gone(Exception):
    pass


class _Conversation(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self.server.connections += 1
        self._mail, self._rcpts = "", []
        with suppress(_Gone, ConnectionError, OSError):
            self._say(self.server.manners.greeting)
            while self._obey(self._line()):
                pass

    def _obey(self, line: str) -> bool:
        manners, verb = self.server.manners, line[:4].upper()
        self.server.commands.append(line)
        if verb in ("LHLO", "EHLO"):
            self._say_hello(manners)
        elif verb == "MAIL":
            self._mail, self._rcpts = line, []
            self._reply(manners.mail, "mail")
        elif verb == "RCPT":
            reply = self._of(manners.rcpt, line, "250 2.1.5 ok")
            if reply.startswith("2"):
                self._rcpts.append(line)
            self._reply(reply, "rcpt")
        elif verb == "DATA":
            self._reply(manners.data, "data")
            if manners.data.startswith("354"):
                self._message(manners)
        elif verb == "QUIT":
            self._reply("221 2.0.0 bye", "quit")
        else:
            self._reply(manners.rset, "rset")
        return verb != "QUIT"

    def _say_hello(self, manners: Manners) -> None:
        lines = ["stub.example", *manners.offers]
        listed = "".join(f"250{'-' if line is not lines[-1] else ' '}{line}\r\n" for line in lines)
        self._say(f"{manners.hello}\r\n".encode() if manners.hello else listed.encode())
        self._gate("hello")

    def _message(self, manners: Manners) -> None:
        content = b""
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _Gone
            content += line[1:] if line.startswith(b".") else line
        self._gate("dot")
        self.server.received.append(Received(self._mail, tuple(self._rcpts), content))
        if manners.drop_after == "message":
            raise _Gone
        replies = [self._of(manners.final, rcpt, "250 2.0.0 delivered") for rcpt in self._rcpts]
        for reply in [
            *(replies[:1] if manners.smtp else replies),
            *([manners.extra_final] if manners.extra_final else []),
        ]:
            self._say(f"{reply}\r\n".encode())

    def _of(self, replies: dict[str, str], line: str, usual: str) -> str:
        address = re.search(r"<(.*)>", line)
        return replies.get(address[1] if address else "", replies.get("*", usual))

    def _reply(self, reply: str, stage: str) -> None:
        self._say(f"{reply}\r\n".encode())
        self._gate(stage)

    def _gate(self, stage: str) -> None:
        if self.server.manners.hang_after == stage:
            self.server.stop.wait(60)
        if stage in (self.server.manners.hang_after, self.server.manners.drop_after):
            raise _Gone

    def _say(self, octets: bytes) -> None:
        if not self.server.manners.drip_seconds:
            self.wfile.write(octets)
            return
        for one in octets:
            time.sleep(self.server.manners.drip_seconds)
            self.wfile.write(bytes([one]))

    def _line(self) -> str:
        line = self.rfile.readline()
        if not line:
            raise _Gone
        return line.decode().rstrip("\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False

    def __init__(self, manners: Manners) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.manners = manners
        self.received: list[Received] = []
        self.commands: list[str] = []
        self.connections = 0
        self.stop = threading.Event()


class Stub:
    """The running server."""

    def __init__(self, server: _Server) -> None:
        self._server = server

    @property
    def manners(self) -> Manners:
        return self._server.manners

    @property
    def received(self) -> list[Received]:
        return self._server.received

    @property
    def commands(self) -> list[str]:
        return self._server.commands

    @property
    def connections(self) -> int:
        return self._server.connections

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def target(self) -> str:
        return f"{'smtp' if self.manners.smtp else 'lmtp'}://127.0.0.1:{self.port}"


@contextmanager
def lmtp_stub(manners: Manners | None = None) -> Iterator[Stub]:
    """A running server; stopped at the end, when its clients have left."""
    server = _Server(manners or Manners())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Stub(server)
    finally:
        server.stop.set()
        server.shutdown()
        thread.join()
        server.server_close()
