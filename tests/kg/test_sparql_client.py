"""The client is polite to endpoints, keeps its budgets, and survives whatever they answer."""

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
from email.utils import formatdate

import pyoxigraph
import pytest

from kg_reason import __version__
from kg_reason.config import EndpointConfig
from kg_reason.errors import ConfigError, EndpointError
from kg_reason.kg.sparql_client import SparqlClient
from tests.kg.sparql_server import EMPTY, RESULTS, allow_loopback, bindings, send, serving, uri

ONE = bindings({"a": uri("http://x.org/a")})
QUERY = "SELECT ?a WHERE { ?a ?b ?c }"


@pytest.fixture
def server(no_network, monkeypatch):
    allow_loopback(monkeypatch)
    with serving() as found:
        yield found


class Waits(list):
    """Instead of sleeping, the seconds are noted."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def make_client(server, *, waits=None, url="", **settings) -> SparqlClient:
    settings = {"query_pause": 0.0, **settings}
    return SparqlClient(url or server.url, EndpointConfig(**settings), sleep=Waits() if waits is None else waits)


def ask(server, **settings):
    return make_client(server, **settings).select(QUERY, ("a",))


def fault(server, **settings) -> str:
    with pytest.raises(EndpointError) as caught:
        ask(server, **settings)
    assert str(caught.value).startswith("http://127.0.0.1:")
    return str(caught.value).partition("/sparql: ")[2]


# ---- the protocol


def test_a_store_answers_with_terms_of_every_kind(server):
    a, b = pyoxigraph.NamedNode("http://x.org/a"), pyoxigraph.NamedNode("http://x.org/b")
    number = pyoxigraph.NamedNode("http://www.w3.org/2001/XMLSchema#integer")
    for term in (
        a, pyoxigraph.Literal("é\n\"q\"", language="fr"), pyoxigraph.Literal("7", datatype=number),
        pyoxigraph.Literal("plain"), pyoxigraph.BlankNode("n1"),
    ):
        server.store.add(pyoxigraph.Quad(a, b, term))
    answer = make_client(server).select("SELECT ?c ?d WHERE { ?a ?b ?c }", ("c", "d"))
    keys = {row[0] for row in answer.rows}
    assert {row[1] for row in answer.rows} == {""}
    assert {key for key in keys if not key.startswith("_:")} == {
        "http://x.org/a", '"é\\n\\"q\\""@fr', '"7"^^<http://www.w3.org/2001/XMLSchema#integer>', '"plain"',
    }
    assert (len(keys), answer.num_rows, answer.num_dropped) == (5, 5, 0)


def test_a_query_is_posted_with_a_name_of_its_own_and_asks_for_json(server):
    ask(server)
    (headers,) = server.headers
    assert headers["User-Agent"] == f"kg_reason/{__version__}"
    assert headers["Accept"] == RESULTS
    assert headers["Accept-Encoding"] == "gzip"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in headers
    assert server.queries == [QUERY]


def test_a_packed_answer_is_unpacked_and_counted_as_it_came(server):
    packed = gzip.compress(ONE)
    server.script = [send(200, packed, Content_Encoding="gzip")]
    client = make_client(server)
    assert client.select(QUERY, ("a",)).rows == (("http://x.org/a",),)
    assert client.usage == (1, 0, len(packed))


def test_a_password_is_sent_but_never_shown_or_logged(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.script = [send(503), send(500)]
    url = server.url.replace("http://", "http://me:s%3Acret@") + "?key=hidden"
    client = make_client(server, url=url)
    with pytest.raises(EndpointError) as caught:
        client.select(QUERY, ("a",))
    assert server.headers[0]["Authorization"] == "Basic bWU6czpjcmV0"  # me:s:cret
    assert server.paths[0] == "/sparql?key=hidden"
    told = f"{caught.value} {client.name} {caplog.text} {client._address!r}"
    for secret in ("cret", "bWU6", "SELECT"):
        assert secret not in told
    assert "hidden" not in f"{caught.value} {client.name} {caplog.text}"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("ftp://x.org/sparql", "found 'ftp' as its scheme"), ("file:///etc/passwd", "found 'file' as its scheme"),
        ("x.org/sparql", "found an address without https://"), ("http://", "found an address without a host"),
        ("http://x.org:port/", "found no valid address"), ("http://x.org/a b", "white space"),
        ("http://x.org/\r\nHost: y", "white space"), ("http://bücher.org/", "beyond ASCII"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_before_anything_is_sent(url, found):
    with pytest.raises(ConfigError, match=f"endpoint: .*{found}.*, expected an address such as https://"):
        SparqlClient(url)


# ---- politeness


def test_a_busy_endpoint_is_asked_again_after_the_wait_it_names(server):
    server.script = [send(429, Retry_After="7"), send(503, Retry_After=formatdate(time.time() + 60, usegmt=True))]
    waits = Waits()
    ask(server, waits=waits)
    assert waits[0] == 7
    assert waits[1] == pytest.approx(60, abs=5)
    assert len(server.queries) == 3


def test_a_busy_endpoint_that_names_no_wait_gets_twice_as_long_each_time(server):
    server.script = [send(503), send(503, Retry_After="soon"), send(429), send(503)]
    waits = Waits()
    ask(server, waits=waits)
    assert waits == [1, 2, 4, 8]


def test_tries_and_waits_end_somewhere(server):
    server.script = [send(503) for _ in range(3)]
    assert fault(server, max_retries=2) == "still busy after 3 tries (status 503)"
    assert len(server.queries) == 3
    server.script = [send(429, Retry_After="3600")]
    assert fault(server, max_wait=60.0) == "is busy and asks to wait 3,600 seconds, expected at most --max-wait 60"
    server.script = [send(429, Retry_After="9" * 5_000)]
    assert "is busy and asks to wait" in fault(server)


def test_a_pause_lies_between_two_queries_and_none_before_the_first(server):
    waits = Waits()
    client = make_client(server, waits=waits, query_pause=30.0)
    client.select(QUERY, ("a",))
    assert waits == []
    client.select(QUERY, ("a",))
    assert waits == [pytest.approx(30, abs=5)]


def test_a_broken_connection_is_tried_again_and_counts(server):
    def hang_up(handler) -> None:
        handler.close_connection = True

    server.script = [hang_up]
    client = make_client(server)
    assert client.select(QUERY, ("a",)).rows == ()
    assert client.usage.num_queries == 2
    server.script = [hang_up, hang_up]
    assert "the connection broke" in fault(server, max_retries=1)


def test_budgets_of_queries_and_bytes_end_the_asking(server):
    client = make_client(server, max_queries=2)
    client.select(QUERY, ("a",))
    client.select(QUERY, ("a",))
    with pytest.raises(EndpointError, match="all 2 queries are used up \\(--max-queries\\)"):
        client.select(QUERY, ("a",))
    assert len(server.queries) == 2
    server.script = [send(200, ONE), send(200, ONE)]
    client = make_client(server, max_bytes=2 * len(ONE) - 1)
    client.select(QUERY, ("a",))
    with pytest.raises(EndpointError, match="all [0-9,]+ bytes are used up \\(--max-bytes\\)"):
        client.select(QUERY, ("a",))


def test_every_other_status_is_told_at_once_with_advice(server):
    for status, advice in ((400, "is it a SPARQL"), (401, "a name and a password"), (500, "--batch-size"), (404, "")):
        server.script = [send(status, b"secret page", "text/html")]
        told = fault(server)
        assert told.startswith(f"found status {status}, expected 200")
        assert advice in told
        assert "secret" not in told


# ---- answers kept on disk


def test_a_kept_answer_is_not_asked_for_again(server, tmp_path):
    server.script = [send(200, ONE)]
    settings = {"query_cache": str(tmp_path / "kept")}
    first = ask(server, **settings)
    client = make_client(server, max_queries=1, **settings)
    assert client.select(QUERY, ("a",)) == first
    assert client.usage == (0, 1, 0)
    assert len(server.queries) == 1
    client.select(QUERY + " LIMIT 1", ("a",))
    assert len(server.queries) == 2
    assert not [path for path in (tmp_path / "kept").iterdir() if path.suffix != ".answer"]


def test_no_answer_is_kept_unless_asked_and_never_a_bad_one(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ask(server)
    server.script = [send(200, b"{}")]
    fault(server, query_cache="kept")
    assert list(tmp_path.rglob("*.answer")) == []


def test_a_damaged_kept_answer_is_asked_for_again(server, tmp_path, caplog):
    server.script = [send(200, ONE), send(200, ONE)]
    settings = {"query_cache": str(tmp_path)}
    first = ask(server, **settings)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-3])
    assert ask(server, **settings) == first
    assert "damaged, the endpoint is asked again" in caplog.text
    assert len(server.queries) == 2
    ask(server, **settings)
    assert len(server.queries) == 2


# ---- redirects


def test_a_redirect_to_the_same_host_is_followed_with_the_query(server):
    server.script = [send(307, Location="/moved"), send(200, ONE)]
    url = server.url.replace("http://", "http://me:pw@")
    assert len(make_client(server, url=url).select(QUERY, ("a",)).rows) == 1
    assert server.paths == ["/sparql", "/moved"]
    assert server.queries == [QUERY] * 2
    assert [headers.get("Authorization") for headers in server.headers] == ["Basic bWU6cHc="] * 2


def test_a_password_does_not_follow_a_redirect_to_another_port(server):
    with serving() as other:
        server.script = [send(302, Location=other.url)]
        make_client(server, url=server.url.replace("http://", "http://me:pw@")).select(QUERY, ("a",))
        assert "Authorization" in server.headers[0]
        assert "Authorization" not in other.headers[0]


def test_redirects_end_somewhere(server):
    server.script = [send(302, Location="/again") for _ in range(9)]
    assert fault(server, max_redirects=3) == "found more than 3 redirects (--max-redirects)"
    assert len(server.queries) == 4
    server.script = [send(302, Location="/again")]
    assert "found more than 0 redirects" in fault(server, max_redirects=0)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x.org/", "javascript:1", "https:///a", "gopher://a/"])
def test_a_redirect_leads_to_http_only(server, target):
    server.script = [send(302, Location=target)]
    assert fault(server) == "found a redirect that leads to no http or https address"
    assert len(server.queries) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "169.254.169.254", "10.0.0.1", "[::1]", "0.0.0.0"])
def test_a_redirect_never_leads_to_another_inner_address(server, host):
    server.script = [send(307, Location=f"http://{host}:{server.server_port}/latest")]
    assert fault(server).endswith("expected a public address")
    assert len(server.queries) == 1


# ---- hostile answers


def deep(depth: int) -> bytes:
    return b'{"results":{"bindings":' + b"[" * depth + b"]" * depth + b"}}"


HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {RESULTS}\r\n\r\n".encode()
SHAPES = {
    b"": "found no valid JSON",
    b"<html>": "found no valid JSON",
    b"\xff\xfe\x00": "found no valid JSON",
    b'{"results": {"bindings": [': "found no valid JSON",
    b"[" * 2_000_000: "found JSON nested too deeply",
    deep(500_000): "found JSON nested too deeply",
    deep(50): "results.bindings, solution 1: found a list, expected an object",
    b"[]": "the answer: found a list, expected an object with 'results'",
    b"null": "the answer: found null",
    b'{"boolean": true}': "the answer: found 'boolean', expected 'results'",
    b'{"results": 7}': "the answer: found a number as 'results', expected an object",
    b'{"results": {}}': "results: found nothing, expected 'bindings'",
    b'{"results": {"bindings": {}}}': "results: found an object as 'bindings', expected a list",
    b'{"results": {"bindings": [null]}}': "results.bindings, solution 1: found null, expected an object",
    bindings({}, {"a": "x"}): "results.bindings, solution 2, ?a: found a text, expected an object with 'type'",
    bindings({"a": {"type": "uri"}}): "results.bindings, solution 1, ?a: found 'type', expected 'value'",
    bindings({"a": {"type": "uri", "value": 7}}): "found a number as 'value', expected a text",
    bindings({"a": {"type": "triple", "value": ""}}): "found a term of type 'triple', expected uri, literal or bnode",
    bindings({"a": {"type": "literal", "value": "", "xml:lang": []}}): "found a language or datatype that is no text",
    b'{"results": {"bindings": [{"a": ' + b"9" * 5_000 + b"}]}}": "found no valid JSON (ValueError)",
    bindings({"a": {"type": "\x1b[2J" * 90, "value": ""}}): "found a term of type '\\\\x1b[2J",
}


@pytest.mark.parametrize(("body", "told"), SHAPES.items(), ids=range(len(SHAPES)))
def test_an_answer_of_another_shape_is_an_error_with_its_place(server, body, told):
    server.script = [send(200, body)]
    found = fault(server)
    assert told in found
    assert len(found) < 300
    assert "\x1b" not in found


def test_an_answer_of_another_type_is_told(server):
    for content_type, told in (
        ("text/html; charset=utf-8", "text/html"), ("application/sparql-results+xml", "application/sparql-results+xml"),
        ("", "text/plain"),
    ):
        server.script = [send(200, EMPTY, content_type)]
        assert fault(server) == f"found an answer of type {told}, expected {RESULTS}"


def test_terms_that_are_no_rdf_cost_their_row_only(server):
    terms = [
        uri("http://x.org/a b"), uri("relative"), uri("http://x.org/> } ; DROP ALL #"), uri("http://x.org/\ud800"),
        uri("http://x.org/" + "a" * 20_000), {"type": "literal", "value": "x" * 8_000_000},
        {"type": "literal", "value": "\udfff"}, {"type": "literal", "value": "x", "xml:lang": "en> <"},
        {"type": "literal", "value": "7", "datatype": "no iri"}, {"type": "bnode", "value": "a b"},
    ]
    good = {"type": "literal", "value": "", "xml:lang": "EN"}
    server.script = [send(200, bindings(*({"a": term} for term in terms), {"a": good}))]
    answer = ask(server)
    assert answer.rows == (('""@en',),)
    assert (answer.num_rows, answer.num_dropped) == (11, 10)


def test_an_endless_answer_is_left_at_the_limit(server):
    sent = []

    def pour(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", RESULTS)
        handler.end_headers()
        while len(sent) < 100_000:
            handler.wfile.write(b" " * 65_536)
            sent.append(1)

    server.script = [pour]
    assert fault(server, max_answer_bytes=1_000_000).startswith(
        "found an answer of more than 1,000,000 bytes (--max-answer-bytes)"
    )
    assert len(sent) < 1_000


def test_a_packed_bomb_is_left_at_the_limit(server, monkeypatch):
    bomb = gzip.compress(b" " * 60_000_000, compresslevel=1)
    assert len(bomb) < 2_000_000
    server.script = [send(200, bomb, Content_Encoding="gzip")]
    largest = []
    from kg_reason.kg import sparql_client

    unpack = sparql_client._unpacked

    def watched(*arguments):
        for part in unpack(*arguments):
            largest.append(len(part))
            yield part

    monkeypatch.setattr(sparql_client, "_unpacked", watched)
    assert "found an answer of more than 5,000,000 bytes" in fault(server, max_answer_bytes=5_000_000)
    assert max(largest) <= 1 << 16
    assert sum(largest) < 6_000_000


def test_an_answer_cut_short_is_told(server):
    packed = gzip.compress(ONE)
    server.script = [send(200, ONE[:-5], Content_Length=str(len(ONE)))]
    assert fault(server) == "the answer is cut short"
    server.script = [send(200, packed[:-9], Content_Encoding="gzip")]
    assert fault(server) == "the answer is cut short"
    server.script = [send(200, ONE, Content_Encoding="gzip")]
    assert fault(server).startswith("found no valid gzip data, which its headers promise")
    server.script = [send(200, ONE, Content_Encoding="br")]
    assert fault(server) == "found an answer packed by br, expected gzip or none"


def test_chunks_are_put_together_and_missing_ones_told(server):
    def chunked(ending: bytes):
        def respond(handler) -> None:
            handler.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                + b"%x\r\n" % len(ONE) + ONE + b"\r\n" + ending
            )  # fmt: skip

        return respond

    server.script = [chunked(b"0\r\n\r\n")]
    assert len(ask(server).rows) == 1
    server.script = [chunked(b"")]
    assert fault(server) == "the answer is cut short"
    server.script = [chunked(b"zz\r\n")]
    assert fault(server) == "the answer is cut short"


@pytest.mark.parametrize("answer", [b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X" * 70_000])
def test_what_is_no_http_is_told(server, answer):
    server.script = [lambda handler: handler.wfile.write(answer)]
    assert "found no valid HTTP answer" in fault(server)


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", HEAD], ids=["headers", "body"])
def test_a_slow_drip_ends_with_the_time_for_an_answer(server, start):
    done = threading.Event()

    def drip(handler) -> None:
        handler.wfile.write(start)
        for _ in range(1_000):
            handler.wfile.write(b" ")
            if done.wait(0.02):
                return

    server.script = [drip]
    assert fault(server, query_timeout=0.3) == "no complete answer within 0.3 seconds (--query-timeout)"
    done.set()


def test_silence_ends_with_the_time_for_an_answer(server):
    server.script = [lambda handler: handler.connection.recv(1)]
    assert fault(server, query_timeout=0.2) == "no complete answer within 0.2 seconds (--query-timeout)"


def test_an_endpoint_that_is_not_there_is_told(server):
    with serving() as other:
        url = other.url
    with pytest.raises(EndpointError, match="/sparql: cannot be reached: Connection refused"):
        make_client(server, url=url).select(QUERY, ("a",))


def test_settings_of_a_client_are_plain_data():
    config = EndpointConfig(hops=3, endpoint_languages=("de",))
    assert EndpointConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
