"""The stub resolver in a process of its own, so that it takes no time from the client."""

import multiprocessing
from multiprocessing.connection import Connection

from gateway.cli.demo.stub_dns import StubDns, Zone

TTL = 86_400


class Dns:
    """The running stub; `with Dns(zone) as dns` starts and stops it."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def __enter__(self) -> "Dns":
        context = multiprocessing.get_context("spawn")
        self._link, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, dict(self._zone)), daemon=True)
        self._process.start()
        other.close()
        self.nameserver: str = self._link.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._link.send(None)
        self._process.join(10)
        self._link.close()


def _serve(link: Connection, zone: Zone) -> None:
    with StubDns(zone, ttl=TTL) as stub:
        link.send(stub.nameserver)
        link.recv()
