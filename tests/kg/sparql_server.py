"""A SPARQL endpoint on loopback for tests: a store of pyoxigraph behind http.server, and answers by script."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from urllib.parse import parse_qs

import pyoxigraph
import pytest

RESULTS = "application/sparql-results+json"
EMPTY = json.dumps({"head": {"vars": []}, "results": {"bindings": []}}).encode()
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

Respond = Callable[[BaseHTTPRequestHandler], None]
_connect = socket.socket.connect


class SparqlServer(ThreadingHTTPServer):
    """Answers queries over a store; `script` holds what to do instead, first come first served."""

    daemon_threads = True

    def __init__(self, store: pyoxigraph.Store | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = store or pyoxigraph.Store()
        self.script: list[Respond] = []
        self.queries: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []

    def server_bind(self) -> None:
        """Bind without asking for the name of this machine."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/sparql"

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up in the middle of an answer is part of some tests."""


class _Handler(BaseHTTPRequestHandler):
    server: SparqlServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = parse_qs(body, strict_parsing=True)["query"][0]
        self.server.queries.append(query)
        self.server.headers.append(dict(self.headers))
        self.server.paths.append(self.path)
        if self.server.script:
            self.server.script.pop(0)(self)
            return
        results = self.server.store.query(query)
        send(200, results.serialize(format=pyoxigraph.QueryResultsFormat.JSON))(self)

    def log_message(self, format, *args) -> None:
        """Say nothing."""


def send(status: int, body: bytes = b"", content_type: str = RESULTS, **headers: str) -> Respond:
    """Make an answer; underscores in the names of headers are hyphens."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if content_type:
            handler.send_header("Content-Type", content_type)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **given}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def bindings(*rows: dict[str, object]) -> bytes:
    """The JSON of these solutions."""
    return json.dumps({"head": {"vars": []}, "results": {"bindings": list(rows)}}).encode()


def uri(value: str) -> dict[str, str]:
    return {"type": "uri", "value": value}


@contextmanager
def serving(store: pyoxigraph.Store | None = None) -> Iterator[SparqlServer]:
    server = SparqlServer(store)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def allow_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests connect to 127.0.0.1, and to nothing else."""

    def connect(self: socket.socket, address: object) -> None:
        if not (isinstance(address, tuple) and address[0] == "127.0.0.1"):
            raise AssertionError(f"a test tried to connect to {address}")
        _connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
