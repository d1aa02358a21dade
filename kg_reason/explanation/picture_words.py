"""The words of a sentence as a column: boxes for what the graph knows, lighter text for the rest, in reading order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kg_reason.explanation.picture_graph import Port
from kg_reason.explanation.picture_shapes import KNOWN_WORD, UNKNOWN_WORD, WORD, Box, Text
from kg_reason.explanation.picture_text import ELLIPSIS, elide, shown, text_width, wrap
from kg_reason.prediction import LinkedMention

WORD_SIZE, SENSE_SIZE, ID_SIZE, PLAIN_SIZE = 13.0, 10.5, 9.0, 12.0
WORD_LINE, SENSE_LINE, PLAIN_LINE = 17.0, 13.0, 16.0
LANE = 16.0  # between two paths that meet a word, so that their numbers have room
MIN_WIDTH, MAX_WIDTH = 92.0, 168.0
PADDING = 10.0
MAX_LINES = 2
MAX_PLAIN_LINES = 4


@dataclass(frozen=True)
class WordItem:
    """One entry of a column.

    Attributes:
        start: first character of its span.
        end: the character after its last one.
        text: as in the sentence.
        kind: WORD where a shown path meets it, KNOWN_WORD, UNKNOWN_WORD, or empty for other words.
        ports: the entities that shown paths meet here, in the order of the paths.
        lanes: per port the number of paths that meet it.
    """

    start: int
    end: int
    text: str
    kind: str
    ports: tuple[Port, ...] = ()
    lanes: tuple[int, ...] = ()

    @property
    def has_rows(self) -> bool:
        """Whether the entities are written below the word: not where the only one is called like the word."""
        if len(self.ports) == 1:
            return self.ports[0].label.casefold() != self.text.casefold()
        return len(self.ports) > 1


def word_items(text: str, mentions: Sequence[LinkedMention], ports: Sequence[Port]) -> list[WordItem]:
    """Split a sentence into the entries of its column.

    Args:
        text: the sentence.
        mentions: of it, in any order.
        ports: one per path that meets a word of it, in the order of the paths.
    """
    counts: dict[Port, int] = {}
    for port in ports:
        counts[port] = counts.get(port, 0) + 1
    spans: dict[tuple[int, int], str] = {(port.start, port.end): WORD for port in counts}
    for mention in mentions:
        crosses = any(start < mention.end and mention.start < end for start, end in spans)
        if not crosses:
            spans[(mention.start, mention.end)] = KNOWN_WORD if mention.candidates else UNKNOWN_WORD
    items: list[WordItem] = []
    reached = 0
    for start, end in sorted(spans):
        items += _plain(text, reached, start)
        here = tuple(port for port in counts if (port.start, port.end) == (start, end))
        lanes = tuple(counts[port] for port in here)
        items.append(WordItem(start, end, shown(text[start:end]), spans[(start, end)], here, lanes))
        reached = max(reached, end)
    return [*items, *_plain(text, reached, len(text))]


def column_width(items: Sequence[WordItem]) -> float:
    """Return the width of a column of words, in pixels."""
    widest = MIN_WIDTH
    for item in items:
        if item.kind:
            widest = max(widest, text_width(item.text, WORD_SIZE, bold=True))
        if item.has_rows:
            widest = max(widest, *(text_width(shown(port.label), SENSE_SIZE) for port in item.ports))
            widest = max(widest, *(text_width(shown(port.entity), ID_SIZE) for port in item.ports))
    return min(widest + 2 * PADDING, MAX_WIDTH)


def draw_word(item: WordItem, x: float, width: float) -> tuple[Box | None, tuple[Text, ...], float, dict[Port, float]]:
    """Draw an entry whose upper end is at 0.

    Args:
        item: the entry.
        x: of the left side of the column.
        width: of the column.

    Returns:
        Its box or None, its texts when it has no box, its height, and the height of each port.
    """
    middle, inner = x + width / 2, width - 2 * PADDING
    if not item.kind:
        lines = wrap(item.text, PLAIN_SIZE, width, max_lines=MAX_PLAIN_LINES)
        title = item.text if lines[-1].endswith(ELLIPSIS) else ""
        texts = tuple(
            Text(middle, number * PLAIN_LINE + 12.0, line, PLAIN_SIZE, "middle", "faint", title=title)
            for number, line in enumerate(lines)
        )
        return None, texts, len(lines) * PLAIN_LINE, {}
    lines = wrap(item.text, WORD_SIZE, inner, max_lines=MAX_LINES, bold=True)
    head = len(lines) * WORD_LINE + 11.0
    if item.ports and not item.has_rows:
        head = max(head, item.lanes[0] * LANE + 8.0)
    first = (head - len(lines) * WORD_LINE) / 2 + 13.0
    tone = "ink" if item.kind == WORD else "soft"
    texts = tuple(
        Text(middle, first + number * WORD_LINE, line, WORD_SIZE, "middle", tone, bold=item.kind == WORD)
        for number, line in enumerate(lines)
    )
    if not item.has_rows:
        box = Box(x, 0.0, width, head, item.kind, texts, title=_title(item))
        return box, (), head, dict.fromkeys(item.ports, head / 2)
    rules, heights, y = [], {}, head
    for port, lanes in zip(item.ports, item.lanes, strict=True):
        sense = [(line, SENSE_SIZE, "soft") for line in wrap(port.label, SENSE_SIZE, inner, max_lines=MAX_LINES)]
        if sum(shown(other.label) == shown(port.label) for other in item.ports) > 1:  # two senses of one name
            sense.append((elide(port.entity, ID_SIZE, inner, keep_end=True), ID_SIZE, "faint"))
        row = max(len(sense) * SENSE_LINE + 8.0, lanes * LANE + 4.0)
        top = y + (row - len(sense) * SENSE_LINE) / 2 + 10.0
        for number, (line, size, tone) in enumerate(sense):
            texts += (Text(middle, top + number * SENSE_LINE, line, size, "middle", tone),)
        rules.append(y)
        heights[port] = y + row / 2
        y += row
    return Box(x, 0.0, width, y, item.kind, texts, tuple(rules), _title(item)), (), y, heights


def _title(item: WordItem) -> str:
    senses = [f"{port.label} ({port.entity})" for port in item.ports]
    unknown = "not in the graph" if item.kind == UNKNOWN_WORD else ""
    return ": ".join(part for part in (item.text, ", ".join(senses) or unknown) if part)


def _plain(text: str, start: int, end: int) -> Iterator[WordItem]:
    piece = shown(text[start:end]).strip(" .,;:!?\"\u201c\u201d\u201e\u00ab\u00bb\u3002\uff0c\u3001\u060c\u061b\u061f")
    if any(sign.isalnum() for sign in piece):  # punctuation alone needs no row
        yield WordItem(start, end, piece, "")
