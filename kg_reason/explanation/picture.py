"""Pictures of an answer as files: SVG, PNG and HTML. Drawing is `picture_drawing.py`, the page `page.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kg_reason.errors import ConfigError, MissingExtraError
from kg_reason.explanation.page import draw_page
from kg_reason.explanation.picture_drawing import draw_svg
from kg_reason.kg.files import replace_file
from kg_reason.prediction import Prediction

__all__ = ["SUFFIXES", "draw_svg", "write_picture"]

SUFFIXES = (".svg", ".png", ".html")
SCALE = 2.0  # pixels of a PNG per pixel of the picture


def write_picture(prediction: Prediction, path: Path, *, sentences: Sequence[str] = ()) -> None:
    """Write an answer as a picture or a page, by the suffix of the file; whole or not at all.

    A PNG is drawn with the fonts of this machine: where none has the letters of a script, such as Chinese, it shows
    empty boxes or nothing in their place; so it does for emoji beside letters. SVG and HTML are drawn with the fonts of
    the reader's.

    Args:
        prediction: the answer.
        path: a file that ends in one of SUFFIXES; its folder must exist.
        sentences: one per path of the evidence, in its order, or none.

    Raises:
        ConfigError: another suffix, or another number of sentences than of paths.
        MissingExtraError: a PNG is asked for, and resvg-py is not installed.
        KGReasonError: the folder does not exist, or the name is that of a folder.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"{path}: found the suffix {suffix or '(none)'}, expected one of {', '.join(SUFFIXES)}")
    if sentences and len(sentences) != len(prediction.evidence):
        raise ConfigError(
            f"sentences: found {len(sentences)}, expected one per path of the evidence: {len(prediction.evidence)}"
        )
    if suffix == ".html":
        content = draw_page(prediction, sentences=sentences).encode()
    else:
        picture = draw_svg(prediction, sentences=sentences)
        content = _to_png(picture) if suffix == ".png" else picture.encode()
    replace_file(path, content)


def _to_png(picture: str) -> bytes:
    try:
        import resvg_py
    except ImportError as error:
        raise MissingExtraError("picture: resvg-py is not installed: pip install 'kg_reason[audit]'") from error
    # Few fonts have the minus sign, and the renderer would draw all of a figure in whichever font has it.
    return bytes(resvg_py.svg_to_bytes(svg_string=picture.replace("\u2212", "\u2013"), zoom=SCALE))
