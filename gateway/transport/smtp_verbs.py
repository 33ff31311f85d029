"""The verbs of a session: what SMTP and LMTP clients may say to the gateway and what they hear.

No verb decides about a message: its end is handed to the door, under a shield that neither a timeout nor a broken connection
pierces. Nothing of an earlier transaction is left in the next one.
"""

import asyncio
from asyncio.sslproto import SSLProtocol
from collections.abc import Awaitable, Callable
from typing import ClassVar

from gateway.model.message import Envelope
from gateway.transport.body import SpooledBody
from gateway.transport.data_reader import DataReader
from gateway.transport.door import Door
from gateway.transport.limits import Gate, storage_low, within
from gateway.transport.mail_command import XFORWARD_NAMES, read_hello, read_mail, read_rcpt, read_xforward
from gateway.transport.replies import Reply, fit
from gateway.transport.smtp_session import Conversation, HangUp

READ_BYTES = 1_048_576
"""More than the stream ever holds: one read takes all that is there."""
TLS_BYTES = 16_384
"""The longest TLS record (RFC 8446 section 5.1)."""

_SMTP_ONLY, _LMTP_ONLY = ("HELO", "EHLO"), ("LHLO",)
_Verb = Callable[["GatewaySession", str], Awaitable[None]]


class GatewaySession(Conversation):
    """One client's conversation with one door."""

    def __init__(self, door: Door, gate: Gate, sessions: set[Conversation], commits: set[asyncio.Task[str]]) -> None:
        self._commits = commits
        super().__init__(door, gate, sessions)

    async def command(self, verb: str, argument: str) -> None:
        """Carry out one command of the table; what is not in it is not known here."""
        act = self.VERBS.get(verb)
        if act is None or verb in (_SMTP_ONLY if self._door.lmtp else _LMTP_ONLY):
            await self.push(Reply.UNKNOWN_COMMAND)
            return
        await act(self, argument)

    # -- hello ------------------------------------------------------------------------------------------------------

    async def _helo(self, argument: str) -> None:
        if self._hello(argument, extended=False):
            await self.push(f"250 {self._door.hostname}")
        else:
            await self.push(Reply.BAD_COMMAND_SYNTAX)

    async def _ehlo(self, argument: str) -> None:
        if not self._hello(argument, extended=True):
            await self.push(Reply.BAD_COMMAND_SYNTAX)
            return
        lines = [self._door.hostname, *self._offers()]
        last = len(lines) - 1
        await self.push("\r\n".join(f"250{' ' if at == last else '-'}{line}" for at, line in enumerate(lines)))

    def _hello(self, argument: str, *, extended: bool) -> bool:
        name = read_hello(argument)
        if name is None or self.session is None:
            return False
        self.forget()
        self.session.host_name = name
        self.session.extended_smtp = extended
        return True

    def _offers(self) -> list[str]:
        size = self._door.announced_bytes or self._door.max_bytes
        offers = [f"SIZE {size}", "8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"]
        if self.tls_context is not None and self._tls_protocol is None:
            offers.append("STARTTLS")
        if self.trusted:
            offers.append("XFORWARD " + " ".join(XFORWARD_NAMES))
        return offers

    async def _starttls(self, argument: str) -> None:
        if self.tls_context is None:
            await self.push(Reply.NOT_IMPLEMENTED)
        elif argument:
            await self.push(Reply.BAD_COMMAND_SYNTAX)
        elif self._tls_protocol is not None:
            await self.push(Reply.TLS_ACTIVE)
        elif self.session is None or not self.session.host_name:
            await self.push(Reply.HELLO_FIRST)
        else:
            await self._handshake()

    async def _handshake(self) -> None:
        """aiosmtpd's STARTTLS, with our deadline; what was sent before the handshake is thrown away by it."""
        self.tls_context = self._door.tls()
        try:
            async with asyncio.timeout(self._door.limits.handshake_seconds):
                await super().smtp_STARTTLS("")
        except TimeoutError:
            raise HangUp from None
        _shrink(self._tls_protocol)

    async def _xforward(self, argument: str) -> None:
        """Attributes of the real client (Postfix XFORWARD_README), kept for the next transaction only."""
        if not self.trusted:
            await self.push(Reply.NOT_ALLOWED)
            return
        if self.envelope is None or self.envelope.mail_from is not None:
            await self.push(Reply.IN_TRANSACTION)
            return
        found = read_xforward(argument)
        if isinstance(found, Reply):
            await self.push(found)
            return
        self.forwarded = {**(self.forwarded or {}), **found}
        await self.push(Reply.OK)

    # -- a transaction ----------------------------------------------------------------------------------------------

    async def _mail(self, argument: str) -> None:
        await self.push(self._barrier() or self._begin(argument))

    def _barrier(self) -> Reply | None:
        """Why no transaction may begin now, in the order a client hears it."""
        if self.session is None or self.envelope is None or not self.session.host_name:
            return Reply.HELLO_FIRST
        if self._door.allowed is not None and not within(self.peer, self._door.allowed):
            return Reply.NOT_ALLOWED
        if self._door.tls_required and self._tls_protocol is None:
            return Reply.TLS_REQUIRED
        return Reply.NESTED_MAIL if self.envelope.mail_from is not None else None

    def _begin(self, argument: str) -> Reply:
        assert self.envelope is not None
        mail = read_mail(argument, max_bytes=self._door.max_bytes, ignored=self._door.ignored_parameters)
        if isinstance(mail, Reply):
            return mail
        if self._door.spool is not None and storage_low(self._door.spool):
            return Reply.FAULT
        self.envelope.mail_from = mail.address
        self.envelope.smtp_utf8 = mail.smtputf8
        return Reply.MAIL_OK

    async def _rcpt(self, argument: str) -> None:
        await self.push(self._add_recipient(argument))

    def _add_recipient(self, argument: str) -> Reply:
        if self.envelope is None or self.envelope.mail_from is None:
            return Reply.MAIL_FIRST
        smtputf8, ignored = self.envelope.smtp_utf8, self._door.ignored_parameters
        address = read_rcpt(argument, smtputf8=smtputf8, ignored=ignored)
        if isinstance(address, Reply):
            return address
        if len(self.envelope.rcpt_tos) >= self._door.limits.recipients:
            return Reply.TOO_MANY_RECIPIENTS
        recipient = self._door.recipient(address)
        if recipient is None:
            return Reply.NOT_OURS
        self.envelope.rcpt_tos.append(recipient)
        return Reply.RCPT_OK

    async def _data(self, argument: str) -> None:
        if self.envelope is None or self.envelope.mail_from is None:
            await self.push(Reply.MAIL_FIRST)
        elif not self.envelope.rcpt_tos:
            await self.push(Reply.RCPT_FIRST)
        elif argument:
            await self.push(Reply.BAD_COMMAND_SYNTAX)
        else:
            await self.push(Reply.START_DATA)
            await self._finish_data(self._facts())

    async def _finish_data(self, envelope: Envelope) -> None:
        copies = len(self.envelope.rcpt_tos) if self.envelope is not None and self._door.lmtp else 1
        body = SpooledBody(self._door.spool)
        try:
            reply: str | None = await self._receive(body)
        except BaseException:
            body.close()
            raise
        if reply is None:
            reply = await self._hand_over(envelope, body)
        else:
            body.close()
        if reply.startswith("2"):
            self._idle = 0
        await self.push("\r\n".join([reply] * copies))
        self.forget()

    async def _receive(self, body: SpooledBody) -> Reply | None:
        """Read the message to its end; None when it may be handed over, else why it is refused."""
        limits, loop = self._door.limits, self.loop
        reader = DataReader(body.write, max_bytes=self._door.max_bytes)
        started, fault = loop.time(), None
        while not reader.done:
            self._reset_timeout(limits.block_seconds)
            block = await self._reader.read(READ_BYTES)
            if not block:
                raise HangUp  # the client left within the message: nothing is kept, it will come again
            try:
                reader.feed(block)
            except OSError:
                fault = reader.refusal = Reply.FAULT
            if loop.time() - started > limits.data_seconds + reader.received / limits.data_rate:
                raise HangUp(Reply.TIMEOUT)
            if reader.received > 2 * self._door.max_bytes:
                raise HangUp(Reply.TOO_LARGE)
        # Nothing can have come in since read() returned: what followed the end goes back to the front.
        self._reader._buffer[:0] = reader.rest  # type: ignore[attr-defined]  # noqa: SLF001
        return fault or reader.refusal

    async def _hand_over(self, envelope: Envelope, body: SpooledBody) -> str:
        """The door's reply; neither a client that leaves nor our own impatience stops what it has begun."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        commit = self.loop.create_task(_closing(self._door.finish, envelope, body))
        self._commits.add(commit)
        commit.add_done_callback(self._forget)
        try:
            async with asyncio.timeout(self._door.limits.accept_seconds):
                return fit(await asyncio.shield(commit))
        except Exception as error:  # noqa: BLE001 our own fault is never a 5xx (RFC 5321 section 6.1)
            if not commit.done():
                self.fault("DATA", error)
            return Reply.FAULT
        finally:
            self._reset_timeout()

    def _forget(self, commit: asyncio.Task[str]) -> None:
        self._commits.discard(commit)
        error = None if commit.cancelled() else commit.exception()
        if error is not None:
            self.fault("DATA", error)

    def _facts(self) -> Envelope:
        """The envelope as it stands, with the real client where a trusted peer named it."""
        assert self.envelope is not None
        assert self.session is not None
        assert self.transport is not None
        ssl_object = self.transport.get_extra_info("ssl_object")
        return Envelope(
            mail_from=self.envelope.mail_from,
            rcpt_tos=tuple(dict.fromkeys(self.envelope.rcpt_tos)),
            peer=self.client,
            helo=self.session.host_name if self.forwarded is None else self.forwarded.get("HELO"),
            peer_hidden=self.trusted and (self.forwarded or {}).get("ADDR") is None,
            tls=ssl_object.version() if ssl_object is not None else None,
            smtputf8=self.envelope.smtp_utf8,
        )

    # -- the rest ---------------------------------------------------------------------------------------------------

    async def _rset(self, argument: str) -> None:
        if argument:
            await self.push(Reply.BAD_COMMAND_SYNTAX)
            return
        self.forget()
        await self.push(Reply.OK)

    async def _noop(self, _argument: str) -> None:
        await self.push(Reply.OK)

    async def _help(self, _argument: str) -> None:
        await self.push(Reply.HELP)

    async def _vrfy(self, argument: str) -> None:
        await self.push(Reply.CANNOT_VERIFY if argument else Reply.BAD_COMMAND_SYNTAX)

    async def _not_implemented(self, _argument: str) -> None:
        await self.push(Reply.NOT_IMPLEMENTED)

    async def _bdat(self, _argument: str) -> None:
        """Not offered; what follows would be a chunk, never commands, so nothing more is read."""
        await self.push(Reply.NOT_IMPLEMENTED)
        raise HangUp

    async def _quit(self, _argument: str) -> None:
        raise HangUp(Reply.BYE)

    VERBS: ClassVar[dict[str, _Verb]] = {
        "HELO": _helo,
        "EHLO": _ehlo,
        "LHLO": _ehlo,
        "STARTTLS": _starttls,
        "XFORWARD": _xforward,
        "MAIL": _mail,
        "RCPT": _rcpt,
        "DATA": _data,
        "RSET": _rset,
        "NOOP": _noop,
        "HELP": _help,
        "VRFY": _vrfy,
        "EXPN": _not_implemented,
        "BDAT": _bdat,
        "QUIT": _quit,
    }


def _shrink(tls: SSLProtocol | None) -> None:
    """Let a TLS connection read in pieces of one record; asyncio would keep 256 KiB for each, used or not."""
    if tls is not None and hasattr(tls, "_ssl_buffer"):
        tls.max_size = TLS_BYTES  # type: ignore[misc]  # of this connection only
        tls._ssl_buffer = bytearray(TLS_BYTES)  # noqa: SLF001
        tls._ssl_buffer_view = memoryview(tls._ssl_buffer)  # type: ignore[attr-defined]  # noqa: SLF001


async def _closing(
    finish: Callable[[Envelope, SpooledBody], Awaitable[str]], envelope: Envelope, body: SpooledBody
) -> str:
    """The door's reply; the body is given back whatever happens to the session."""
    try:
        return await finish(envelope, body)
    finally:
        body.close()
