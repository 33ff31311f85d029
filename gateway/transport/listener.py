"""Opens the doors: the inward SMTP or LMTP listener and the outward one, on the running event loop.

A listener takes whole messages and promises nothing by itself: the reply to a message is that of `accept` or `answer`.
It knows no database, no rules and no keys, and never changes a byte.
"""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from gateway.channel.draft import GROWTH
from gateway.errors import Complaint, ConfigError
from gateway.model.message import Envelope, Incoming, Source
from gateway.model.settings import Protocol, Settings, Tls
from gateway.transport.body import SpooledBody
from gateway.transport.door import Door, Note, own_recipient
from gateway.transport.limits import Gate, Limits, read_networks
from gateway.transport.mail_command import IGNORED_OF_SUBMISSION
from gateway.transport.smtp_session import Conversation
from gateway.transport.smtp_verbs import GatewaySession

BACKLOG = 512


class Certificate:
    """The listener's certificate: read at the start, read again on request, the old one kept if the new one is broken."""

    def __init__(self, tls: Tls) -> None:
        """Raise ConfigError where a configured certificate or key cannot be used."""
        self._tls = tls
        self._context = _tls_context(tls)

    def context(self) -> ssl.SSLContext | None:
        """The context for the next handshake; None where no certificate is configured."""
        return self._context

    def reload(self) -> None:
        """Read the files again for future handshakes; raises ConfigError and keeps the old ones where they are broken."""
        self._context = _tls_context(self._tls)


class Listener:
    """One open door with its sessions."""

    def __init__(self, door: Door, certificate: Certificate) -> None:
        self._door = door
        self._certificate = certificate
        self._gate = Gate(door.limits)
        self._sessions: set[Conversation] = set()
        self._commits: set[asyncio.Task[str]] = set()
        self._servers: list[asyncio.Server] = []

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens, as `IP:PORT` (`[IP]:PORT` for IPv6), in the order of the settings."""
        return addresses_of([one for server in self._servers for one in server.sockets])

    def alone(self) -> bool:
        """Whether at most one client is connected."""
        return len(self._sessions) <= 1

    async def open(self, listening: Sequence[socket.socket]) -> None:
        """Take who comes to these sockets."""
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd would log addresses and commands
        loop = asyncio.get_running_loop()
        for one in listening:
            self._servers.append(await loop.create_server(self._session, sock=one, backlog=BACKLOG))

    def _session(self) -> GatewaySession:
        return GatewaySession(self._door, self._gate, self._sessions, self._commits)

    def reload_certificate(self) -> None:
        """Use a renewed certificate from the next handshake on; ConfigError keeps the old one."""
        self._certificate.reload()

    async def close(self, grace: float) -> None:
        """Take nobody new, say 421 to everybody, and wait up to `grace` seconds for messages under way and commits."""
        for server in self._servers:
            server.close()
        for session in tuple(self._sessions):
            session.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._quiet()
        for session in tuple(self._sessions):
            session.cut()
        await asyncio.sleep(0)
        for server in self._servers:
            await server.wait_closed()

    async def _quiet(self) -> None:
        """Return when no session and no commit is left."""
        while self._sessions or self._commits:  # noqa: ASYNC110 they end in many ways; a look in 20 ms will do
            await asyncio.sleep(0.02)


def bind(listen: tuple[str, ...]) -> tuple[socket.socket, ...]:
    """Sockets that listen at `IP:PORT` or `[IP]:PORT`, in that order; OSError where one is taken or not ours, and then none stays."""
    sockets: list[socket.socket] = []
    try:
        for place in listen:
            host, _, port = place.rpartition(":")
            host = host.strip("[]")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sockets.append(socket.create_server((host, int(port)), family=family, backlog=BACKLOG))
    except OSError:
        for one in sockets:
            one.close()
        raise
    return tuple(sockets)


def addresses_of(listening: Sequence[socket.socket]) -> tuple[str, ...]:
    """Where they listen, as `IP:PORT` (`[IP]:PORT` for IPv6)."""
    names = [one.getsockname() for one in listening]
    return tuple(f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}" for name in names)


async def start_inward(
    *,
    settings: Settings,
    accept: Callable[[Incoming], Awaitable[str]],
    note: Note | None = None,
    limits: Limits | None = None,
    listening: Sequence[socket.socket] = (),
) -> Listener:
    """An open listener for mail to the contact point, SMTP or LMTP, on the sockets given, else on those of the settings.

    `accept` commits one message and returns its complete reply; whatever it raises becomes 451. `note` hears of each refusal.
    Raises OSError where it cannot listen and ConfigError where the certificate cannot be used.
    """
    inbound, certificate = settings.inbound, Certificate(settings.inbound.tls)
    lmtp = inbound.protocol is Protocol.LMTP
    source = Source.LMTP if lmtp else Source.SMTP
    mailbox = settings.contact_point.mailbox

    async def finish(envelope: Envelope, body: SpooledBody) -> str:
        received_at = datetime.now(UTC)
        incoming = Incoming(mailbox=mailbox, received_at=received_at, source=source, envelope=envelope, body=body)
        return await accept(incoming)

    door = Door(
        hostname=settings.hostname,
        finish=finish,
        note=note or _unheard,
        recipient=own_recipient(settings),
        max_bytes=inbound.max_message_bytes,
        limits=limits or Limits(),
        lmtp=lmtp,
        trusted=read_networks(inbound.trusted_peers),
        tls_required=inbound.tls.required,
        tls=certificate.context,
        spool=_spool(settings),
    )
    listener = Listener(door, certificate)
    await listener.open(listening or bind(inbound.listen))
    return listener


async def start_outward(
    *,
    settings: Settings,
    answer: Callable[[Envelope, bytes], Awaitable[str]],
    note: Note | None = None,
    limits: Limits | None = None,
) -> Listener:
    """An open listener for officers' mail from `outbound.allow_from`; who may be written to is decided by `answer`.

    `answer` decides and commits one message and returns its complete reply; whatever it raises becomes 451.
    Raises OSError where it cannot listen.
    """
    allowed, certificate = read_networks(settings.outbound.allow_from), Certificate(Tls())

    async def finish(envelope: Envelope, body: SpooledBody) -> str:
        return await answer(envelope, b"".join(body.chunks()))

    door = Door(
        hostname=settings.hostname,
        finish=finish,
        note=note or _unheard,
        recipient=lambda address: address,
        max_bytes=settings.inbound.max_message_bytes,
        announced_bytes=int(settings.inbound.max_message_bytes / GROWTH),
        limits=limits or Limits(),
        allowed=allowed,
        trusted=allowed,
        ignored_parameters=IGNORED_OF_SUBMISSION,
        spool=_spool(settings),
    )
    listener = Listener(door, certificate)
    await listener.open(bind(settings.outbound.listen))
    return listener


def _unheard(_event: str, _facts: Mapping[str, object]) -> None:
    """Stand for a note where nobody listens."""


def _spool(settings: Settings) -> str | None:
    """The state folder where it exists: bodies wait, and room is watched, on the database's file system."""
    return settings.state if os.path.isdir(settings.state) else None


def _tls_context(tls: Tls) -> ssl.SSLContext | None:
    if tls.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except (OSError, ssl.SSLError) as error:
        what = f"certificate or key cannot be used: {error.strerror or type(error).__name__}"
        remedy = "give a readable PEM file with the chain, and its unencrypted key"
        raise ConfigError(Complaint(tls.certificate, 0, 0, "inbound.tls", what, remedy)) from error
    return context
