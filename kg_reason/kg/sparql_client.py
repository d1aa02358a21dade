"""A polite and suspicious client of the SPARQL 1.1 protocol: one query at a time, by POST, within budgets.

Polite: it names itself, pauses between queries, waits as long as a busy endpoint asks, and keeps answers on disk where
the user names a folder. Suspicious: time and size of an answer are bounded while it arrives, packed ones after
unpacking; a redirect never leads from an outer address to an inner one or from https to http, nor takes a password
along. What an answer means is `sparql_answer.py`. Neither queries nor passwords are logged or told in errors.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib
import logging
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.parse import urlencode, urljoin

from kg_reason.config import EndpointConfig
from kg_reason.errors import ConfigError, EndpointError
from kg_reason.kg.files import replace_file
from kg_reason.kg.http_transport import Address, Watch, is_public, make_opener, read_address
from kg_reason.kg.sparql_answer import Answer, read_answer
from kg_reason.terminal import one_line

logger = logging.getLogger(__name__)

RESULTS_TYPE = "application/sparql-results+json"
ACCEPTED_TYPES = (RESULTS_TYPE, "application/json")
BUSY = (429, 503)
REDIRECTS = (301, 302, 303, 307, 308)
CHUNK_BYTES = 1 << 16
FIRST_BACKOFF = 1.0  # seconds; doubled at each further try
_ADVICE = {
    400: "it did not understand the query; is it a SPARQL 1.1 endpoint?",
    401: "it wants a name and a password: https://NAME:PASSWORD@...",
    413: "a smaller --batch-size asks less at once",
    414: "a smaller --batch-size asks less at once",
    500: "a smaller --batch-size asks less at once",
    504: "a smaller --batch-size asks less at once",
}


class EndpointUsage(NamedTuple):
    """What was asked so far: queries sent, answers taken from the cache, bytes read as they came over the wire."""

    num_queries: int
    num_cached: int
    num_bytes: int


class SparqlClient:
    """Sends SELECT queries to one endpoint.

    Args:
        endpoint: its address, http or https; may hold `NAME:PASSWORD@`.
        config: budgets and limits.
        sleep: how to wait, given seconds.

    Raises:
        ConfigError: the address cannot be used.
    """

    def __init__(
        self, endpoint: str, config: EndpointConfig | None = None, *, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.config = config or EndpointConfig()
        self._address = read_address(endpoint)
        self._sleep = sleep
        self._num_queries = self._num_cached = self._num_bytes = 0
        self._last_end: float | None = None
        self._watch = Watch()
        self._opener = make_opener(self._watch)

    @property
    def name(self) -> str:
        """The endpoint's address without password and parameters."""
        return self._address.shown

    @property
    def host(self) -> str:
        """The endpoint's host."""
        return self._address.origin[1]

    @property
    def usage(self) -> EndpointUsage:
        """What was asked so far."""
        return EndpointUsage(self._num_queries, self._num_cached, self._num_bytes)

    def select(self, query: str, variables: Sequence[str]) -> Answer:
        """Return the solutions of a SELECT query.

        Args:
            query: SPARQL 1.1.
            variables: whose terms are wanted, names without question marks.

        Raises:
            EndpointError: the endpoint cannot be reached, is busy for too long, answers with something else, or a
                budget is used up.
        """
        place = self._cache_file(query)
        body = _read_cached(place) if place else None
        if body is not None:
            self._num_cached += 1
            return read_answer(body, variables, f"{self.name} (kept in {place})")
        body = self._ask(query)
        answer = read_answer(body, variables, self.name)
        if place:
            place.parent.mkdir(parents=True, exist_ok=True)
            replace_file(place, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        return answer

    def _cache_file(self, query: str) -> Path | None:
        if not self.config.query_cache:
            return None
        digest = hashlib.sha256(f"{self._address.url}\0{query}".encode()).hexdigest()
        return Path(self.config.query_cache) / f"{digest[:40]}.answer"

    def _ask(self, query: str) -> bytes:
        """Send a query until it is answered, as often as the settings allow."""
        backoff = FIRST_BACKOFF
        for attempt in range(self.config.max_retries + 1):
            try:
                status, wait, body = self._send(query)
            except ConnectionError as error:
                if attempt == self.config.max_retries:
                    raise EndpointError(f"{self.name}: the connection broke: {_reason(error)}") from error
                status, wait, body = 0, None, b""
            if status == http.client.OK:
                return body
            if status and status not in BUSY:
                advice = f" ({_ADVICE[status]})" if status in _ADVICE else ""
                raise EndpointError(f"{self.name}: found status {status}, expected 200{advice}")
            if attempt < self.config.max_retries:
                asked = backoff if wait is None else wait
                if asked > self.config.max_wait:
                    raise EndpointError(
                        f"{self.name}: is busy and asks to wait {asked:,.0f} seconds, expected at most --max-wait "
                        f"{self.config.max_wait:,.0f}"
                    )
                logger.info("%s: busy, the next try follows in %.0f seconds", self.name, asked)
                self._sleep(asked)
                backoff *= 2
        raise EndpointError(f"{self.name}: still busy after {self.config.max_retries + 1} tries (status {status})")

    def _send(self, query: str) -> tuple[int, float | None, bytes]:
        """Send a query once, through redirects; return status, seconds to wait where told, and the body of a 200."""
        address = self._address
        for _ in range(self.config.max_redirects + 1):
            self._spend_query()
            try:
                with self._watch.limit(self.config.query_timeout):
                    response = self._opener.open(self._request(address, query), timeout=self.config.query_timeout)
                    with response:
                        if self._watch.expired:  # headers cut off by the watch look like whole ones
                            raise TimeoutError
                        if response.status not in REDIRECTS:
                            body = self._read(response) if response.status == http.client.OK else b""
                            return response.status, _retry_after(response.headers.get("Retry-After")), body
                        target = response.headers.get("Location", "")
            except (OSError, http.client.HTTPException) as error:
                raise self._fault(error) from error
            finally:
                self._last_end = time.monotonic()
            address = self._redirected(address, target)
        raise EndpointError(f"{self.name}: found more than {self.config.max_redirects} redirects (--max-redirects)")

    def _fault(self, error: OSError | http.client.HTTPException) -> Exception:
        """Return the error that tells what broke; one of the connection itself stays, for it may be tried again."""
        cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, OSError) else error
        if self._watch.expired or isinstance(cause, TimeoutError):
            return EndpointError(
                f"{self.name}: no complete answer within {self.config.query_timeout:g} seconds (--query-timeout)"
            )
        if isinstance(cause, ConnectionError) and not isinstance(cause, ConnectionRefusedError):
            return cause
        if isinstance(cause, http.client.IncompleteRead):
            return EndpointError(f"{self.name}: the answer is cut short")
        if isinstance(cause, http.client.HTTPException):
            return EndpointError(f"{self.name}: found no valid HTTP answer ({type(cause).__name__})")
        return EndpointError(f"{self.name}: cannot be reached: {_reason(cause)}")

    def _request(self, address: Address, query: str) -> urllib.request.Request:
        headers = {
            "Accept": RESULTS_TYPE,
            "Accept-Encoding": "gzip",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": f"kg_reason/{importlib.import_module('kg_reason').__version__}",
        }
        if address.authorization:
            headers["Authorization"] = address.authorization
        return urllib.request.Request(address.url, urlencode({"query": query}).encode(), headers, method="POST")  # noqa: S310

    def _spend_query(self) -> None:
        """Count a query and keep the pause before it."""
        if self._num_queries >= self.config.max_queries:
            raise EndpointError(
                f"{self.name}: all {self.config.max_queries:,} queries are used up (--max-queries); fewer "
                "sentences or --hops need fewer, --query-cache goes on where this ends"
            )
        self._num_queries += 1
        if self._last_end is not None:
            rest = self.config.query_pause - (time.monotonic() - self._last_end)
            if rest > 0:
                self._sleep(rest)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        """Read an answer as it arrives, unpacked, up to the limits."""
        found = response.headers.get_content_type()
        if found not in ACCEPTED_TYPES:
            raise EndpointError(f"{self.name}: found an answer of type {one_line(found)}, expected {RESULTS_TYPE}")
        packing = response.headers.get("Content-Encoding", "identity").strip().lower()
        if packing not in ("gzip", "x-gzip", "identity", ""):
            raise EndpointError(f"{self.name}: found an answer packed by {one_line(packing)}, expected gzip or none")
        unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS) if packing.endswith("gzip") else None
        declared, num_read = response.length, 0
        parts: list[bytes] = []
        size = 0
        while chunk := response.read1(CHUNK_BYTES):
            num_read += len(chunk)
            self._num_bytes += len(chunk)
            if self._num_bytes > self.config.max_bytes:
                raise EndpointError(f"{self.name}: all {self.config.max_bytes:,} bytes are used up (--max-bytes)")
            for part in _unpacked(unpacker, chunk, self.name):
                size += len(part)
                if size > self.config.max_answer_bytes:
                    raise EndpointError(
                        f"{self.name}: found an answer of more than {self.config.max_answer_bytes:,} bytes "
                        "(--max-answer-bytes); a smaller --batch-size or --max-rows asks less at once"
                    )
                parts.append(part)
        if self._watch.expired:
            raise TimeoutError
        if (declared is not None and num_read < declared) or (unpacker is not None and not unpacker.eof):
            raise EndpointError(f"{self.name}: the answer is cut short")
        return b"".join(parts)

    def _redirected(self, address: Address, target: str) -> Address:
        """Return where a redirect leads, if it may be followed."""
        try:
            found = read_address(urljoin(address.url, target))
        except ConfigError as error:
            raise EndpointError(f"{self.name}: found a redirect that leads to no http or https address") from error
        if address.origin[0] == "https" and found.origin[0] != "https":
            raise EndpointError(f"{self.name}: found a redirect from https to {found.shown}, expected https")
        if found.origin == address.origin:
            return Address(found.url, found.shown, found.origin, address.authorization)
        if found.origin[1] != address.origin[1] and not is_public(found.origin):
            raise EndpointError(f"{self.name}: found a redirect to {found.shown}, expected a public address")
        return Address(found.url, found.shown, found.origin)


def _unpacked(unpacker: Any, chunk: bytes, name: str) -> Iterator[bytes]:  # noqa: ANN401 - zlib's type has no name
    """Yield what a chunk holds in parts of bounded size, so that a packed one is seen to grow before it is large."""
    if unpacker is None:
        yield chunk
        return
    try:
        while chunk and not unpacker.eof:
            yield unpacker.decompress(chunk, CHUNK_BYTES)
            chunk = unpacker.unconsumed_tail
    except zlib.error as error:
        raise EndpointError(f"{name}: found no valid gzip data, which its headers promise: {error}") from error


def _retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, by number or by date; None: it asks for none."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _read_cached(place: Path) -> bytes | None:
    """Return an answer kept on disk; None: there is none, or it is damaged."""
    try:
        digest, _, body = place.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    if digest != hashlib.sha256(body).hexdigest().encode():
        logger.warning("%s: damaged, the endpoint is asked again", place)
        return None
    return body


def _reason(error: BaseException) -> str:
    return one_line(str(getattr(error, "strerror", None) or getattr(error, "reason", None) or error))
