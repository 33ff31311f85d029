"""One SMTP or LMTP conversation (RFC 5321, RFC 2033) on aiosmtpd's protocol: its loop, its clocks, its end.

The loop, the verbs and all replies are ours: aiosmtpd answers internal errors with 5xx, accepts bare LF and reads RFC 2047
words in addresses. From aiosmtpd come the stream plumbing, the session and envelope state and STARTTLS. Never logs content.
"""

import asyncio
import socket
from contextlib import suppress

from aiosmtpd.smtp import SMTP, TLSSetupException

from gateway.transport.door import Door
from gateway.transport.limits import Gate, plain_address, within
from gateway.transport.replies import Reply

STREAM_BYTES = 65_536
"""Buffer of the stream: a command line beyond it is drained in pieces, text is read as it comes."""
MAX_DRAIN_BYTES = 1_048_576
"""A command line longer than this is no mistake: the connection is closed."""

_FOREIGN_PROTOCOLS = frozenset(
    {b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"DELETE", b"TRACE", b"PATCH", b"PRI"}
)


class HangUp(Exception):
    """Ends the conversation, after saying the reply if there is one; never leaves this room."""

    def __init__(self, reply: Reply | None = None) -> None:
        super().__init__(reply)
        self.reply = reply


class Conversation(SMTP):
    """The part of a session below the verbs: greeting, command lines, timers, refusals noted, orderly end."""

    line_length_limit = STREAM_BYTES

    def __init__(self, door: Door, gate: Gate, sessions: set["Conversation"]) -> None:
        super().__init__(
            self,
            hostname=door.hostname,
            tls_context=door.tls(),
            timeout=door.limits.command_seconds,
            enable_SMTPUTF8=True,
            data_size_limit=None,
            loop=asyncio.get_running_loop(),
        )
        self.event_handler = None
        self._door = door
        self._gate = gate
        self._sessions = sessions
        self._stopping = False
        self._waiting = True
        self._errors = 0
        self._idle = 0
        self.peer = ""
        self.trusted = False
        self.forwarded: dict[str, str | None] | None = None
        """What a trusted peer said of its client by XFORWARD, for one transaction."""

    def __dir__(self) -> tuple[str, ...]:
        """Nothing: aiosmtpd searches each new session for verbs and hooks (0.2 ms), ours stand in a table."""
        return ()

    # -- events of the transport ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start, or start again behind TLS with all state forgotten (RFC 3207 section 4.2)."""
        peername = transport.get_extra_info("peername")
        self.peer = plain_address(str(peername[0])) if peername else ""
        self.trusted = within(self.peer, self._door.trusted)
        self.forwarded = None
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def eof_received(self) -> bool | None:
        """Let what was sent before the end be answered; aiosmtpd would cancel even a commit under way."""
        self._reader.feed_eof()
        return self._tls_protocol is None

    def _timeout_cb(self) -> None:
        self._farewell(Reply.TIMEOUT)

    def stop(self) -> None:
        """Say 421 now if the client is between commands, else after the reply that is due."""
        self._stopping = True
        if self._waiting:
            self._farewell(Reply.SHUTDOWN)

    def cut(self) -> None:
        """Say 421 and close, whatever is under way; a commit under way goes on without us."""
        self._farewell(Reply.SHUTDOWN)

    def _farewell(self, reply: Reply) -> None:
        if self.transport is None:
            if self._original_transport is not None:
                self._original_transport.close()  # a TLS handshake that never came to its end
            return
        self._refused(reply)
        with suppress(RuntimeError, ConnectionError):
            self._writer.write(f"{reply}\r\n".encode())
        self.transport.close()

    # -- the loop ---------------------------------------------------------------------------------------------------

    async def _handle_client(self) -> None:
        """Hold the whole conversation; whatever happens, the connection is closed and uncounted."""
        entered = self._gate.enter(self.peer, trusted=self.trusted)
        self._sessions.add(self)
        try:
            await self._converse(entered=entered)
        except HangUp as end:
            if end.reply is not None:
                with suppress(ConnectionError):
                    await self.push(end.reply)
        except (ConnectionError, asyncio.IncompleteReadError, TLSSetupException):
            pass
        finally:
            self._sessions.discard(self)
            if entered:
                self._gate.leave(self.peer)
            self._end()

    def _end(self) -> None:
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        for transport in (self.transport, self._original_transport):
            if transport is not None:
                transport.close()

    async def _converse(self, *, entered: bool) -> None:
        if not entered:
            raise HangUp(Reply.TOO_MANY_CONNECTIONS)
        await asyncio.sleep(0)  # so that what is there already has been read
        if self._reader._buffer:  # type: ignore[attr-defined]  # noqa: SLF001 a client must wait for 220
            raise HangUp(Reply.EARLY_TALKER)
        await self.push(f"220 {self._door.hostname} {'LMTP' if self._door.lmtp else 'ESMTP'}")
        while True:
            if self._stopping:
                raise HangUp(Reply.SHUTDOWN)
            self._waiting = True
            line = await self._next_line()
            self._waiting = False
            self._reset_timeout()
            await self._obey(line)
            self._check_patience()

    async def _next_line(self) -> bytes | None:
        """The next command line, or None if it was too long; what was too long is not executed."""
        drained = 0
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
            except asyncio.LimitOverrunError as overrun:
                drained += len(await self._reader.readexactly(overrun.consumed))
                if drained > MAX_DRAIN_BYTES:
                    raise HangUp(Reply.NOT_SMTP) from None
                continue
            return None if drained or len(line) > self._door.limits.command_bytes else line

    async def _obey(self, line: bytes | None) -> None:
        if line is None:
            await self.push(Reply.LINE_TOO_LONG)
            return
        command = line.removesuffix(b"\r\n")
        verb, _, argument = command.partition(b" ")
        if verb.upper() in _FOREIGN_PROTOCOLS or (command and not command[:1].isalpha()):
            raise HangUp(Reply.NOT_SMTP)
        if len(command) == len(line) or any(one < 32 or one == 127 for one in command):
            await self.push(Reply.BAD_LINE_END)
            return
        try:
            words = argument.strip(b" ").decode()
        except UnicodeDecodeError:
            await self.push(Reply.BAD_COMMAND_SYNTAX)
            return
        await self._execute(verb.upper().decode("ascii", "replace"), words)

    async def _execute(self, verb: str, argument: str) -> None:
        try:
            await self.command(verb, argument)
        except (HangUp, ConnectionError, TLSSetupException, asyncio.IncompleteReadError):
            raise
        except Exception as error:  # noqa: BLE001 our own fault is never a 5xx, and the client learns nothing about it
            self.fault(verb, error)
            self.forget()
            await self.push(Reply.FAULT)

    def forget(self) -> None:
        """Drop the transaction begun, and what a trusted peer said of its client: nothing is left in the next one."""
        self.envelope = self._create_envelope()
        self.forwarded = None

    @property
    def client(self) -> str:
        """Address of the client as far as it is known: named by a trusted peer, else that of the connection."""
        return (self.forwarded or {}).get("ADDR") or self.peer

    def fault(self, verb: str, error: BaseException) -> None:
        """Note an error of our own, by its kind: what it says may hold paths and addresses."""
        self._door.note("fault", {"verb": verb, "error": type(error).__name__, "peer": self.client})

    async def command(self, verb: str, argument: str) -> None:
        """Carry out one command and push its reply."""
        raise NotImplementedError

    def _check_patience(self) -> None:
        self._idle += 1
        if self._errors > self._door.limits.errors:
            raise HangUp(Reply.TOO_MANY_ERRORS)
        if self._idle > self._door.limits.idle_commands:
            raise HangUp(Reply.TOO_MANY_COMMANDS)

    # -- replies ----------------------------------------------------------------------------------------------------

    async def push(self, status: str) -> None:  # type: ignore[override]
        """Send one reply of one or more lines; every refusal is counted and noted."""
        if status[0] in "45":
            self._errors += status[0] == "5"
            self._refused(status.rpartition("\n")[2])
        self._writer.write(f"{status}\r\n".encode("ascii", "replace"))
        await self._writer.drain()

    def _refused(self, reply: str) -> None:
        facts: dict[str, object] = {"reply": str(reply), "peer": self.client}
        if self.session is not None and self.envelope is not None:
            facts["helo"] = self.session.host_name
            facts["mail_from"] = self.envelope.mail_from
            facts["rcpt_tos"] = tuple(self.envelope.rcpt_tos)
        self._door.note("refused", facts)
