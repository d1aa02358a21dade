"""HTTP for addresses that a user names: how an address is read and shown, and connections that end in time.

Of urllib's handlers only those for http, https and the system's proxies are in use: no file, no FTP, no redirect and no
password is handled behind the caller's back.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import socket
import ssl
import threading
import urllib.request
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from kg_reason.errors import ConfigError
from kg_reason.terminal import is_unicode, one_line

PORTS = {"http": 80, "https": 443}
_UNSAFE_SIGNS = frozenset("\"<>\\^`{|}")


@dataclass(frozen=True)
class Address:
    """Where to send requests.

    Attributes:
        url: without name and password.
        shown: without parameters too, which often hold a key.
        origin: scheme, host, port.
        authorization: value of the header, empty where no name was given; never shown.
    """

    url: str
    shown: str
    origin: tuple[str, str, int]
    authorization: str = field(default="", repr=False)


def read_address(text: str) -> Address:
    """Read an address such as `https://NAME:PASSWORD@example.org/sparql`.

    Raises:
        ConfigError: it is no address of http or https; the message does not show it, as it may hold a password.
    """
    expected = "expected an address such as https://example.org/sparql"
    if not is_unicode(text) or any(sign <= " " or sign == "\x7f" or sign in _UNSAFE_SIGNS for sign in text):
        raise ConfigError(f"endpoint: found an address with white space or signs that none has, {expected}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"endpoint: found no valid address, {expected}") from error
    if parts.scheme not in PORTS:
        scheme = f"{one_line(parts.scheme[:20])!r} as its scheme" if parts.scheme else "an address without https://"
        raise ConfigError(f"endpoint: found {scheme}, {expected}")
    if not parts.hostname:
        raise ConfigError(f"endpoint: found an address without a host, {expected}")
    if not text.isascii():
        raise ConfigError(f"endpoint: found letters beyond ASCII in the address, {expected} (percent-encoded)")
    host = parts.netloc.rpartition("@")[2]
    authorization = ""
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode()
    path = parts.path or "/"
    shown = f"{parts.scheme}://{host}{path}"
    url = f"{shown}?{parts.query}" if parts.query else shown
    return Address(url, shown, (parts.scheme, parts.hostname, port or PORTS[parts.scheme]), authorization)


def is_public(origin: tuple[str, str, int]) -> bool:
    """Tell whether every address that a host stands for is one of the public internet."""
    _, host, port = origin
    try:
        found = {str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:  # no such host: the connection will say so
        return False
    return all(ipaddress.ip_address(address.partition("%")[0]).is_global for address in found)


class Watch:
    """Ends the connection in use when its time is over, whatever it waits for: a slow drip resets every other clock."""

    def __init__(self) -> None:
        self.expired = False
        self._seconds = 0.0
        self._held: socket.socket | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def limit(self, seconds: float) -> Watch:
        """Set the time of the block that follows: `with watch.limit(60): ...`."""
        self._seconds = seconds
        return self

    def __enter__(self) -> Watch:
        self.expired = False
        self._timer = threading.Timer(self._seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._hold(None)

    def hold(self, connected: socket.socket) -> None:
        """Take a connection under watch, by a handle of its own: what TLS makes of the other one does not matter."""
        self._hold(connected.dup())

    def _hold(self, held: socket.socket | None) -> None:
        with self._lock:
            if self._held is not None:
                self._held.close()
            self._held = held

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            if self._held is None:
                return
            try:
                self._held.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself


class _Connection(http.client.HTTPConnection):
    watch: Watch | None = None

    def connect(self) -> None:
        super().connect()
        if self.watch is not None:
            self.watch.hold(self.sock)


class _SecureConnection(http.client.HTTPSConnection, _Connection):
    """Its `connect` goes through that of _Connection, before the handshake."""


class _Handler(urllib.request.HTTPHandler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: Any) -> _Connection:  # noqa: ANN401 - http.client's own
        connection = _Connection(host, **options)
        connection.watch = self._watch
        return connection


class _SecureHandler(urllib.request.HTTPSHandler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch
        self._context: ssl.SSLContext | None = None  # reads some hundred certificates

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, req)

    def _connection(self, host: str, **options: Any) -> _SecureConnection:  # noqa: ANN401 - http.client's own
        self._context = self._context or ssl.create_default_context()
        connection = _SecureConnection(host, context=self._context, **options)
        connection.watch = self._watch
        return connection


def make_opener(watch: Watch) -> urllib.request.OpenerDirector:
    """Return an opener of http and https, whose answers of any status come back as they are.

    Args:
        watch: gets every connection.
    """
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), _Handler(watch), _SecureHandler(watch)):
        opener.add_handler(handler)
    return opener
