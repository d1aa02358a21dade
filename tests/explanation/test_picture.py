from __future__ import annotations

import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from kg_reason.errors import ConfigError, KGReasonError, MissingExtraError
from kg_reason.explanation.picture import draw_svg, write_picture
from kg_reason.explanation.picture_panels import signed
from tests.explanation import picture_cases as cases

SVG = "{http://www.w3.org/2000/svg}"


def test_a_picture_is_well_formed_whatever_strangers_write() -> None:
    picture = draw_svg(cases.hostile(), sentences=["<script>alert(2)</script>\x00\u202e"])
    root = ElementTree.fromstring(picture.encode())
    assert root.tag == f"{SVG}svg"
    assert [element.tag for element in root.iter() if "script" in element.tag] == []
    assert "<script" not in picture
    assert "\x1b" not in picture
    assert "\u202e" not in picture
    assert any("<script>alert(2)</script>\\x00\\u202e" in (text.text or "") for text in root.iter(f"{SVG}text"))


def test_every_path_is_a_group_of_its_own_that_says_what_it_moved() -> None:
    root = ElementTree.fromstring(draw_svg(cases.violin()))
    groups = {group.get("data-path"): group for group in root.iter(f"{SVG}g") if group.get("class") == "path"}
    assert sorted(groups) == ["0", "1", "2"]
    title = groups["0"].findtext(f"{SVG}title")
    assert title is not None
    assert "violin -[hypernym]-> string instrument" in title
    assert "entailment +1.60" in title


def test_the_full_text_of_what_was_shortened_is_in_a_title() -> None:
    prediction = cases.crowded(0)
    picture = draw_svg(prediction)
    titles = [title.text or "" for title in ElementTree.fromstring(picture).iter(f"{SVG}title")]
    for item in prediction.evidence[:8]:
        assert any(item.path.source_lines()[0] in title for title in titles)
        for step in item.path.steps[1:]:
            label = step.head_label if step.forward else step.tail_label
            assert any(title.startswith(label) for title in titles)


def test_text_that_runs_to_the_left_keeps_its_direction_and_stands_at_the_right_of_its_room() -> None:
    prediction = cases.hebrew()
    root = ElementTree.fromstring(draw_svg(prediction))
    (premise,) = [text for text in root.iter(f"{SVG}text") if prediction.premise in (text.text or "")]
    assert premise.text == f"\u2067{prediction.premise}\u2069"
    assert premise.get("text-anchor") == "end"
    plain = ElementTree.fromstring(draw_svg(cases.violin()))
    (other,) = [text for text in plain.iter(f"{SVG}text") if text.text == cases.violin().premise]
    assert other.get("text-anchor") is None


def test_east_asian_text_asks_for_a_font_that_has_it_first() -> None:
    root = ElementTree.fromstring(draw_svg(cases.chinese()))
    (premise,) = [text for text in root.iter(f"{SVG}text") if text.text == cases.chinese().premise]
    assert (premise.get("font-family") or "").startswith("'Noto Sans CJK SC'")
    assert "sans-serif" in (root.get("font-family") or "")


def test_the_sentences_stand_beside_their_paths() -> None:
    picture = draw_svg(cases.violin(), sentences=["first said", "second said", "third said"])
    assert picture.index("first said") < picture.index("second said") < picture.index("third said")


def test_an_svg_and_a_page_are_written_as_drawn(tmp_path: Path) -> None:
    for suffix, beginning in ((".svg", "<svg "), (".html", "<!DOCTYPE html>")):
        write_picture(cases.violin(), tmp_path / f"answer{suffix}")
        assert (tmp_path / f"answer{suffix}").read_text(encoding="utf-8").startswith(beginning)
    assert (tmp_path / "answer.svg").read_text(encoding="utf-8") == draw_svg(cases.violin())


def test_a_png_has_two_pixels_for_each_of_the_picture_and_is_not_blank(tmp_path: Path) -> None:
    target = tmp_path / "answer.PNG"
    write_picture(cases.hostile(), target)
    content = target.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    root = ElementTree.fromstring(draw_svg(cases.hostile()))
    assert (width, height) == (2 * int(root.get("width", "")), 2 * int(root.get("height", "")))
    assert len(content) > 10_000


def test_another_suffix_and_a_wrong_number_of_sentences_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"answer\.pdf: found the suffix \.pdf, expected one of \.svg, \.png, \.html"):
        write_picture(cases.violin(), tmp_path / "answer.pdf")
    with pytest.raises(ConfigError, match=r"found the suffix \(none\)"):
        write_picture(cases.violin(), tmp_path / "answer")
    with pytest.raises(ConfigError, match="sentences: found 1, expected one per path of the evidence: 3"):
        write_picture(cases.violin(), tmp_path / "answer.svg", sentences=["one"])
    assert list(tmp_path.iterdir()) == []


def test_a_png_without_its_package_names_the_extra_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "answer.png"
    target.write_bytes(b"old")
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'kg_reason\[audit\]'"):
        write_picture(cases.violin(), target)
    assert target.read_bytes() == b"old"
    with pytest.raises(KGReasonError, match="there is no folder"):
        write_picture(cases.violin(), tmp_path / "nowhere" / "answer.svg")


def test_an_answer_of_a_reasoner_can_be_drawn(make_reasoner) -> None:
    (prediction,) = make_reasoner().predict([("A man plays a violin.", "A person plays an instrument.")])
    assert prediction.evidence
    root = ElementTree.fromstring(draw_svg(prediction))
    assert root.findtext(f"{SVG}title", "").startswith(str(prediction.label))


def test_a_png_is_drawn_without_the_minus_sign_that_few_fonts_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    renderer = SimpleNamespace(svg_to_bytes=lambda *, svg_string, zoom: drawn.append(svg_string) or b"")
    monkeypatch.setitem(sys.modules, "resvg_py", renderer)
    write_picture(cases.violin(), tmp_path / "answer.png")
    assert "\u2212" in draw_svg(cases.violin())
    assert "\u2212" not in drawn[0]
    assert ">\u20130.60</text>" in drawn[0]


def test_what_is_written_as_zero_has_no_sign() -> None:
    assert [signed(value) for value in (0.004, -0.004, 0.0)] == ["0.00"] * 3
    assert [signed(value) for value in (0.006, -1.5)] == ["+0.01", "\u22121.50"]


def test_thin_lines_can_be_pointed_at_from_beside_them() -> None:
    root = ElementTree.fromstring(draw_svg(cases.violin()))
    for group in root.iter(f"{SVG}g"):
        lines = [float(path.get("stroke-width")) for path in group.iter(f"{SVG}path") if path.get("fill") == "none"]
        for felt, seen in zip(lines[::2], lines[1::2], strict=True):
            assert felt > seen
