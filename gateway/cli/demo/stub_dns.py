"""A small authoritative DNS server on loopback, UDP and TCP, that serves one zone and can misbehave where the zone says so.

It serves the demonstration and the tests; it never listens anywhere but on 127.0.0.1 and never asks another server.
"""

import contextlib
import socketserver
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Value = str | Sequence[object]
"""Of a TXT: text (cut into strings of 255 octets) or a list of strings; of an MX: [preference, host]; else text."""
Zone = Mapping[str, Sequence[str | Mapping[str, Value]]]
"""{"police.example": [{"A": "192.0.2.1"}, {"TXT": "v=spf1 -all"}], "slow.example": ["TIMEOUT"], "x.example": [{"TXT": "SERVFAIL"}]}"""

Labels = tuple[bytes, ...]
Records = dict[str, list[bytes | str]]
"""Record type -> wire forms, or the one misbehaviour of that type; '*' is for every type that the name does not give."""

RCODES = {word: dns.rcode.from_text(word) for word in ("SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", "NXDOMAIN")}
MISBEHAVIOURS = {*RCODES, "TIMEOUT", "NODATA", "GARBAGE", "WRONGID", "WRONGNAME", "TRUNCATE"}
MAX_CHAIN = 8


class StubDns:
    """The running server; `with StubDns(zone) as stub` starts and stops it, `stub.nameserver` goes into `dns.nameservers`."""

    def __init__(self, zone: Zone, *, ttl: int = 1) -> None:
        self.questions: list[tuple[str, str, str]] = []
        """(transport, name, type) of every question so far."""
        self._ttl = ttl
        self._zone = _parsed(zone)
        self._servers = _servers(self.reply)
        self._threads = [
            threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            for one in self._servers
        ]

    @property
    def nameserver(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._servers[0].socket.getsockname()[1]}"

    def publish(self, zone: Zone) -> None:
        """Serve another zone from now on."""
        self._zone = _parsed(zone)

    def __enter__(self) -> Self:
        for one in self._threads:
            one.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._servers:
            one.shutdown()
            one.server_close()
        for thread in self._threads:
            thread.join()

    def reply(self, wire: bytes, transport: str) -> bytes | None:
        """Wire form of the reply to one question; None = silence."""
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return None
        rdtype = dns.rdatatype.to_text(question.rdtype)
        self.questions.append((transport, question.name.to_text(omit_final_dot=True).lower(), rdtype))
        response = dns.message.make_response(query, recursion_available=True)
        misbehaviour = _answer(self._zone, response, question.name, rdtype, ttl=self._ttl)
        return _misbehave(misbehaviour, query, response) if misbehaviour else _fitting(query, response, transport)


Reply = Callable[[bytes, str], bytes | None]


def _servers(reply: Reply) -> tuple[socketserver.UDPServer, socketserver.TCPServer]:
    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            query, answering = self.request
            answer = reply(query, "udp")
            if answer is not None:
                answering.sendto(answer, self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        timeout = 10

        def handle(self) -> None:
            with contextlib.suppress(OSError, struct.error):
                while True:
                    (size,) = struct.unpack("!H", self.rfile.read(2))
                    answer = reply(self.rfile.read(size), "tcp")
                    if answer is not None:
                        self.wfile.write(struct.pack("!H", len(answer)) + answer)

    while True:
        tcp = _Tcp(("127.0.0.1", 0), Stream)
        try:
            return socketserver.UDPServer(tcp.server_address, Datagram), tcp
        except OSError:
            # That port is taken on UDP: another one is free on both.
            tcp.server_close()


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


def _parsed(zone: Zone) -> dict[Labels, Records]:
    names: dict[Labels, Records] = {}
    for name, given in zone.items():
        labels = _labels(name)
        records = names.setdefault(labels, {})
        for one in given:
            for rdtype, value in ({"*": one} if isinstance(one, str) else one).items():
                records.setdefault(rdtype, []).append(_wire(rdtype, value))
        for start in range(1, len(labels)):
            # Above every name stands one that exists and is empty (RFC 8020).
            names.setdefault(labels[start:], {})
    return names


def _labels(name: str) -> Labels:
    return tuple(label.encode().lower() for label in name.removesuffix(".").split("."))


def _wire(rdtype: str, value: Value) -> bytes | str:
    if isinstance(value, str) and value in MISBEHAVIOURS:
        return value
    if rdtype == "TXT":
        return b"".join(bytes([len(one)]) + one for one in _strings(value))
    text = value if isinstance(value, str) else " ".join(str(one) for one in value)
    if rdtype in {"MX", "CNAME", "PTR"}:
        text = text.removesuffix(".") + "."
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rdtype), text).to_wire() or b""


def _strings(value: Value) -> list[bytes]:
    whole = [value] if isinstance(value, str) else [str(one) for one in value]
    octets = [one.encode() for one in whole]
    return [one[at : at + 255] for one in octets for at in range(0, max(len(one), 1), 255)] or [b""]


def _answer(
    zone: dict[Labels, Records], response: dns.message.Message, name: dns.name.Name, rdtype: str, *, ttl: int
) -> str | None:
    """Fill the answer section, or name the misbehaviour asked for."""
    for _ in range(MAX_CHAIN):
        records = zone.get(tuple(label.lower() for label in name.labels if label))
        if records is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return None
        aliased = "CNAME" in records and rdtype not in records
        found = records.get("CNAME" if aliased else rdtype) or records.get("*") or []
        misbehaviour = next((one for one in found if isinstance(one, str)), None)
        if misbehaviour:
            return misbehaviour
        kind = dns.rdatatype.CNAME if aliased else dns.rdatatype.from_text(rdtype)
        wires = [one for one in found if isinstance(one, bytes)]
        for one in wires:
            rdata = dns.rdata.GenericRdata(dns.rdataclass.IN, kind, one)
            response.find_rrset(response.answer, name, dns.rdataclass.IN, kind, create=True).add(rdata, ttl)
        if not aliased:
            return None
        name = dns.name.from_wire(wires[0], 0)[0]
    return None


def _fitting(query: dns.message.Message, response: dns.message.Message, transport: str) -> bytes:
    wire = response.to_wire(max_size=65535)
    if transport == "udp" and len(wire) > max(512, query.payload):
        return _truncated(query)
    return wire


def _truncated(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.TC
    return response.to_wire()


def _misbehave(what: str, query: dns.message.Message, response: dns.message.Message) -> bytes | None:
    if what == "TIMEOUT":
        return None
    if what == "GARBAGE":
        return struct.pack("!H", query.id) + b"\xff" * 40
    if what == "TRUNCATE":
        return _truncated(query)
    response.answer.clear()
    if what == "WRONGID":
        response.id = query.id ^ 1
    if what == "WRONGNAME":
        question = query.question[0]
        other = dns.name.from_text("not-what-you-asked.invalid.")
        response.question = [dns.rrset.RRset(other, question.rdclass, question.rdtype)]
    if what in RCODES:
        response.set_rcode(RCODES[what])
    return response.to_wire()
