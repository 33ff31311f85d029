"""Serves /metrics, /livez and /readyz on `monitoring.listen`; answers even while everything else is in trouble."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gateway import metrics

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class _Server(ThreadingMixIn, WSGIServer):
    """One short thread a request; a slow scraper holds up nobody."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """No access log: scrapes are not events."""

    timeout = 10

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Monitoring:
    """The HTTP server and its thread."""

    def __init__(self, listen: str, *, refresh: Callable[[], None], ready: Callable[[], Mapping[str, bool]]) -> None:
        host, _, port = listen.rpartition(":")
        self._refresh = refresh
        self._ready = ready
        self._server = make_server(
            host.strip("[]"), int(port), self._application, server_class=_Server, handler_class=_Quiet
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="monitoring"
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, IP:PORT."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _application(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        status, kind, body = self._answer(environ.get("PATH_INFO", ""))
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, path: str) -> tuple[str, str, bytes]:
        match path:
            case "/metrics":
                self._refresh()
                return "200 OK", CONTENT_TYPE_LATEST, metrics.exposition()
            case "/livez":
                return "200 OK", "text/plain", b"ok\n"
            case "/readyz":
                state = self._ready()
                status = "200 OK" if all(state.values()) else "503 Service Unavailable"
                return status, "application/json", json.dumps(state).encode() + b"\n"
            case _:
                return "404 Not Found", "text/plain", b"/metrics /livez /readyz\n"
