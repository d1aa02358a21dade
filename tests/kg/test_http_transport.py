"""Addresses are read and shown without their secrets, and a connection ends when its time is over."""

from __future__ import annotations

import socket
import ssl
import threading
from urllib.error import URLError

import pytest

from kg_reason.kg import http_transport
from kg_reason.kg.http_transport import Address, Watch, is_public, make_opener, read_address
from tests.kg.sparql_server import allow_loopback


def test_an_address_is_read_and_shown_without_what_is_secret():
    address = read_address("https://me%40x.org:p%3Aw@example.org:8443/sparql?key=k")
    assert address.url == "https://example.org:8443/sparql?key=k"
    assert address.shown == "https://example.org:8443/sparql"
    assert address.origin == ("https", "example.org", 8443)
    assert address.authorization == "Basic bWVAeC5vcmc6cDp3"
    assert "bWVAe" not in repr(address)
    assert read_address("http://Example.org") == Address(
        "http://Example.org/", "http://Example.org/", ("http", "example.org", 80)
    )


def test_inner_addresses_are_not_public(monkeypatch):
    found = {"outer.org": ["93.184.215.14"], "both.org": ["93.184.215.14", "10.0.0.1"], "six.org": ["fe80::1%eth0"]}

    def look_up(host, port, type):  # noqa: A002 - socket's own name
        if host not in found:
            raise socket.gaierror("no such host")
        return [(0, 0, 0, "", (address, port)) for address in found[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    hosts = ("outer.org", "both.org", "six.org", "none.org")
    assert [is_public(("http", host, 80)) for host in hosts] == [True, False, False, False]


def test_a_watch_ends_a_read_that_waits():
    ours, theirs = socket.socketpair()
    watch = Watch()
    with ours, theirs, watch.limit(0.05):
        watch.hold(ours)
        assert ours.recv(1) == b""
    assert watch.expired


def test_a_watch_leaves_a_connection_alone_that_ends_in_time():
    ours, theirs = socket.socketpair()
    watch = Watch()
    with ours, theirs:
        with watch.limit(60):
            watch.hold(ours)
        theirs.sendall(b"a")
        assert ours.recv(1) == b"a"
    assert not watch.expired
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer) and thread.is_alive()
                and not thread.finished.is_set()]  # fmt: skip


def test_a_connection_under_tls_is_watched_before_its_handshake(no_network, monkeypatch):
    allow_loopback(monkeypatch)
    watch = Watch()
    opener = make_opener(watch)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with watch.limit(0.5), pytest.raises(URLError):
            opener.open(address, timeout=30)
    assert watch.expired


def test_certificates_are_checked():
    handler = http_transport._SecureHandler(Watch())
    connection = handler._connection("example.org")
    assert connection._context.verify_mode == ssl.CERT_REQUIRED
    assert connection._context.check_hostname


def test_an_opener_opens_no_files(tmp_path):
    (tmp_path / "a").write_text("secret")
    assert make_opener(Watch()).open((tmp_path / "a").as_uri()) is None
