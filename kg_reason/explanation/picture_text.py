"""Text in a picture: how wide it is, where it breaks, which way it runs, and how it gets into markup unharmed.

No font can be measured here, since the reader's font is not known: widths are those of a wide sans-serif, so that a
narrower one leaves room. Where the text stands is `layout.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from html import escape

from kg_reason.terminal import one_line

ELLIPSIS = "\u2026"
WIDE, COMMON, CAPITAL, BROAD, SLIM, THIN = 1.0, 0.62, 0.74, 0.96, 0.42, 0.34  # em
BOLD = 1.12  # how much wider bold letters are
CLASSES = {
    **dict.fromkeys("iIjl.,:;'|!/\\ ", THIN),
    **dict.fromkeys("frt()[]{}-\"`*\u00b7\u2019", SLIM),
    **dict.fromkeys("mwMW@%<>+=~#&\u2026\u2014\u2190\u2192", BROAD),
}
JOINERS = "\u200d\ufe0f\ufe0e"  # they belong to the character before them
RIGHT_TO_LEFT_ISOLATE, POP_ISOLATE = "\u2067", "\u2069"
_NOT_XML = re.compile("[\ufffe\uffff]")


def shown(text: str) -> str:
    """Return a text on one line without anything that markup forbids or that reorders its surroundings.

    White space of every kind is one blank; control characters and marks of direction are written out as escapes.
    """
    text = _NOT_XML.sub(lambda match: match[0].encode("unicode_escape").decode(), " ".join(text.split()))
    return one_line(text)


def markup(text: str) -> str:
    """Return a text for an element or an attribute of SVG or HTML."""
    return escape(shown(text), quote=True)


def runs_right_to_left(text: str) -> bool:
    """Tell whether most letters are Hebrew, Arabic or of another script that runs to the left.

    The first letter would not do: an English sentence may begin with an Arabic name, and the other way round.
    """
    counts = Counter(unicodedata.bidirectional(sign) for sign in text)
    return counts["R"] + counts["AL"] > counts["L"]


def directed(text: str, *, turned: bool) -> str:
    """Return markup of a text that keeps its direction whatever stands around it.

    The marks of direction are understood by viewers that ignore the attribute `direction`, and they leave the meaning
    of `text-anchor` alone.

    Args:
        text: any.
        turned: whether it runs to the left.
    """
    return f"{RIGHT_TO_LEFT_ISOLATE}{markup(text)}{POP_ISOLATE}" if turned else markup(text)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return about how many pixels a text fills.

    Args:
        text: as it is shown.
        size: of the font, in pixels.
        bold: whether it is bold.
    """
    return sum(_sign_width(sign) for sign in text) * size * (BOLD if bold else 1.0)


def wrap(text: str, size: float, width: float, *, max_lines: int, bold: bool = False) -> tuple[str, ...]:
    """Break a text into lines; what is left over ends in an ellipsis.

    Lines break at blanks and between East Asian characters; a word longer than a line breaks anywhere.

    Args:
        text: any.
        size: of the font, in pixels.
        width: of a line, in pixels.
        max_lines: at least 1.
        bold: whether the text is bold.
    """
    lines = [""]
    for unit in _units(shown(text), size, width, bold):
        joined = lines[-1] + unit
        if not lines[-1] or text_width(joined.rstrip(), size, bold=bold) <= width:
            lines[-1] = joined if lines[-1] else unit.lstrip()
        else:
            lines.append(unit.lstrip())
    if len(lines) > max_lines:
        rest = "".join(f"{line} " if line[-1:].isascii() else line for line in lines[max_lines - 1 :])
        lines = [*lines[: max_lines - 1], elide(rest, size, width, bold=bold)]
    return tuple(line.rstrip() for line in lines)


def elide(text: str, size: float, width: float, *, bold: bool = False, keep_end: bool = False) -> str:
    """Shorten a text to one line of a width in pixels, at its end, or at its beginning with `keep_end`."""
    text = shown(text)
    if text_width(text, size, bold=bold) <= width:
        return text
    kept = list(_clusters(text))
    while kept and text_width("".join(kept) + ELLIPSIS, size, bold=bold) > width:
        kept.pop(0 if keep_end else -1)
    return ELLIPSIS + "".join(kept).lstrip() if keep_end else "".join(kept).rstrip() + ELLIPSIS


def _sign_width(sign: str) -> float:
    if sign in CLASSES:
        return CLASSES[sign]
    if unicodedata.combining(sign) or unicodedata.category(sign) in ("Cf", "Mn") or sign in JOINERS:
        return 0.0
    if unicodedata.east_asian_width(sign) in "WF":
        return WIDE if ord(sign) < 0x1F000 else 1.3  # pictographs are wider than ideographs
    if sign.isascii() or "\u00c0" <= sign <= "\u05ff":
        return CAPITAL if sign.isupper() else COMMON
    return 0.7 if "\u0600" <= sign <= "\u06ff" else 0.8


def _clusters(text: str) -> Iterator[str]:
    """Yield the characters with the accents and joiners that belong to them."""
    cluster = ""
    for sign in text:
        belongs = unicodedata.combining(sign) or unicodedata.category(sign) in ("Mn", "Mc") or sign in JOINERS
        if cluster and not belongs and not cluster.endswith("\u200d"):
            yield cluster
            cluster = ""
        cluster += sign
    if cluster:
        yield cluster


def _units(text: str, size: float, width: float, bold: bool) -> Iterator[str]:
    """Yield the pieces between which a line may break; blanks stay at the end of a piece."""
    piece = ""
    for cluster in _clusters(text):
        ideograph = unicodedata.east_asian_width(cluster[0]) in "WF"
        closing = unicodedata.category(cluster[0]) in ("Po", "Pe", "Pf")  # never at the beginning of a line
        after_blank = piece.endswith(" ") and cluster != " "
        too_long = text_width(piece + cluster, size, bold=bold) > width
        if piece and cluster != " " and (after_blank or too_long or (ideograph and not closing)):
            yield piece
            piece = ""
        piece += cluster
    if piece:
        yield piece
