from __future__ import annotations

from itertools import combinations

import pytest

from kg_reason.explanation.layout import Layout, lay_out
from kg_reason.explanation.picture_graph import join_paths
from kg_reason.explanation.picture_layers import Item, Link, place_items
from kg_reason.explanation.picture_shapes import ENTITY, UNKNOWN_WORD, WORD, Box, Text
from kg_reason.explanation.picture_text import elide, runs_right_to_left, shown, text_width, wrap
from tests.explanation import picture_cases as cases

ALL = {
    "violin": cases.violin(), "claim": cases.claim(), "turning": cases.turning(), "hostile": cases.hostile(),
    "hebrew": cases.hebrew(), "chinese": cases.chinese(), "silent": cases.silent(),
    **{f"crowded-{seed}": cases.crowded(seed) for seed in range(2)},
}  # fmt: skip
Area = tuple[float, float, float, float]  # left, upper, right and lower end


def area(shape: Box | Text) -> Area:
    if isinstance(shape, Box):
        return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    width = text_width(shape.text, shape.size, bold=shape.bold)
    left = shape.x - {"start": 0.0, "middle": width / 2, "end": width}[shape.anchor]
    return left, shape.y - 0.75 * shape.size, left + width, shape.y + 0.2 * shape.size


def overlap(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def draw_all(name: str) -> Layout:
    return lay_out(ALL[name], max_paths=24)


def curve_points(commands: tuple[tuple[str, tuple[float, ...]], ...]) -> list[tuple[float, float]]:
    """Points along a line, close to each other."""
    points = [(commands[0][1][0], commands[0][1][1])]
    for letter, values in commands[1:]:
        x, y = points[-1]
        controls = [(x, y), *zip(values[::2], values[1::2], strict=True)]
        for step in range(1, 41):
            t = step / 40
            weights = (1 - t, t) if letter == "L" else ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append(tuple(sum(w * c[axis] for w, c in zip(weights, controls, strict=True)) for axis in (0, 1)))
    return points


@pytest.mark.parametrize("name", ALL)
def test_no_two_boxes_and_no_two_texts_overlap(name: str) -> None:
    shapes = draw_all(name).shapes
    free = [*shapes.boxes, *shapes.texts]
    assert [(one, other) for one, other in combinations(free, 2) if overlap(area(one), area(other))] == []
    inside = [text for box in shapes.boxes for text in box.texts]
    assert [(one, other) for one, other in combinations(inside, 2) if overlap(area(one), area(other))] == []


@pytest.mark.parametrize("name", ALL)
def test_everything_is_on_the_canvas_and_the_text_of_a_box_within_it(name: str) -> None:
    layout = draw_all(name)
    for shape in (*layout.shapes.boxes, *layout.shapes.texts):
        left, top, right, bottom = area(shape)
        assert left >= 0 <= top, shape
        assert right <= layout.width, shape
        assert bottom <= layout.height, shape
    for box in layout.shapes.boxes:
        for text in box.texts:
            left, top, right, bottom = area(text)
            assert box.x <= left, text
            assert right <= box.x + box.width, text
            assert box.y <= top, text
            assert bottom <= box.y + box.height, text


@pytest.mark.parametrize("name", ALL)
def test_no_line_crosses_a_box_or_a_text(name: str) -> None:
    shapes = draw_all(name).shapes
    areas = [area(shape) for shape in (*shapes.boxes, *shapes.texts)]
    points = [point for stroke in shapes.strokes for point in curve_points(stroke.commands)]
    inside = [
        (point, one)
        for point in points
        for one in areas
        if one[0] + 0.5 < point[0] < one[2] - 0.5 and one[1] + 0.5 < point[1] < one[3] - 0.5
    ]
    assert inside == []


def test_a_crowded_picture_shows_all_forty_entities_and_grows_in_height() -> None:
    crowded = cases.crowded(1, num_paths=30, num_entities=40)
    tall, short = lay_out(crowded, max_paths=30), lay_out(crowded, max_paths=4)
    assert sum(box.kind == ENTITY for box in tall.shapes.boxes) >= 35
    assert tall.height > short.height * 1.5
    assert min(text.size for text in tall.shapes.texts) >= 9.0


def test_an_entity_of_two_paths_is_one_node_and_their_edge_one_edge_with_two_lines() -> None:
    premise, hypothesis = "A violin.", "An instrument."
    start, end = cases.place("premise", premise, "violin"), cases.place("hypothesis", hypothesis, "instrument")
    paths = [cases.evidence(start, end, ["violin", "a", "b", "instrument"]),
             cases.evidence(start, end, ["violin", "c", "b", "instrument"])]  # fmt: skip
    graph = join_paths(paths, is_claim=False)
    assert sorted(node.label for node in graph.columns) == ["a", "b", "c"]
    assert [edge.paths for edge in graph.edges] == [(0,), (0,), (0, 1), (1,), (1,)]
    shapes = lay_out(cases.prediction(premise, hypothesis, paths)).shapes
    assert len(shapes.strokes) == 6
    assert [text.text for text in shapes.texts].count("hypernym") == 5


def test_a_shared_entity_that_would_bend_a_path_back_gets_a_second_node() -> None:
    start = cases.place("premise", "A violin.", "violin")
    end = cases.place("hypothesis", "An instrument.", "instrument")
    paths = [cases.evidence(start, end, ["violin", "a", "b", "instrument"]),
             cases.evidence(start, end, ["violin", "b", "a", "instrument"])]  # fmt: skip
    graph = join_paths(paths, is_claim=False)
    assert sorted(node.label for node in graph.columns) == ["a", "a", "b", "b"]
    for edge in graph.edges:
        assert graph.column(edge.left) < graph.column(edge.right)


def test_the_words_stand_in_reading_order_with_linked_ones_in_boxes_and_unknown_ones_marked() -> None:
    shapes = lay_out(cases.claim()).shapes
    right = max(box.x for box in shapes.boxes)
    column = sorted((box for box in shapes.boxes if box.x == right), key=lambda box: box.y)
    assert [(box.texts[0].text, box.kind) for box in column] == [
        ("whale", "known-word"), ("mammal", WORD), ("gavorn", UNKNOWN_WORD), ("plant", WORD),
    ]  # fmt: skip


def test_a_line_is_wider_the_more_its_path_moved_and_has_the_label_it_speaks_for() -> None:
    layout = lay_out(cases.violin())
    widths = {stroke.path: stroke.width for stroke in layout.shapes.strokes}
    assert widths[0] > widths[1] > widths[2]
    assert {stroke.path: str(stroke.label) for stroke in layout.shapes.strokes} == {
        0: "entailment", 1: "entailment", 2: "contradiction",
    }  # fmt: skip


def test_arrows_point_as_the_triples_were_stated() -> None:
    layout = lay_out(cases.violin())
    backward = [stroke.points_right for stroke in layout.shapes.strokes if stroke.path == 2]
    assert sorted(backward) == [False, True]
    assert all(stroke.points_right for stroke in layout.shapes.strokes if stroke.path == 0)


def test_only_the_strongest_paths_are_drawn_and_the_others_summed_up() -> None:
    layout = lay_out(cases.violin(), max_paths=1)
    assert {stroke.path for stroke in layout.shapes.strokes} == {0}
    texts = [text.text for text in layout.shapes.texts]
    row = texts.index("2 more paths, together")
    assert texts[row + 1 : row + 4] == ["+0.90", "\u22120.50", "\u22120.40"]


def test_paths_that_moved_nothing_are_said_not_drawn() -> None:
    start, end = cases.place("premise", "A dog.", "dog"), cases.place("hypothesis", "A cat.", "cat")
    weak = cases.prediction("A dog.", "A cat.", [cases.evidence(start, end, ["dog", "cat"], (0.001, 0.0, 0.0))])
    layout = lay_out(weak)
    assert layout.shapes.strokes == ()
    assert "1 path was found, none moved the answer" in [text.text for text in layout.shapes.texts]


def test_senses_of_one_name_are_told_apart_by_their_identifiers() -> None:
    start, end = cases.place("premise", "A bow.", "bow"), cases.place("hypothesis", "A tool.", "tool")
    paths = [cases.evidence(start, end, [f"{sense}bow", "x", "tool"], relation=sense) for sense in ("", " ")]
    boxes = lay_out(cases.prediction("A bow.", "A tool.", paths)).shapes.boxes
    texts = [text.text for box in boxes for text in box.texts]
    assert texts.count("bow") == 3  # the word and its two meanings
    assert {"ex:bow", "ex: bow"} <= set(texts)


def test_the_same_answer_is_laid_out_the_same() -> None:
    assert lay_out(cases.crowded(2)) == lay_out(cases.crowded(2))


def test_lines_that_need_not_cross_do_not() -> None:
    layers = [[Item(1, 5, 5), Item(2, 5, 5)], [Item(3, 5, 5), Item(4, 5, 5)], [Item(5, 5, 5), Item(6, 5, 5)]]
    links = [Link(1, 4, 0, 0), Link(2, 3, 0, 0), Link(4, 5, 0, 0), Link(3, 6, 0, 0)]
    heights = place_items(layers, links, {1: 0.0, 2: 50.0, 5: 0.0, 6: 50.0}, 5.0)
    assert heights[4] == pytest.approx(0.0)
    assert heights[3] == pytest.approx(50.0)


def test_things_keep_their_distance_where_they_want_one_place() -> None:
    layers = [[Item(1, 5, 5)], [Item(2, 5, 5), Item(3, 5, 5), Item(4, 5, 5)], [Item(5, 5, 5)]]
    links = [Link(1, key, 0, 0) for key in (2, 3, 4)] + [Link(key, 5, 0, 0) for key in (2, 3, 4)]
    heights = place_items(layers, links, {1: 30.0, 5: 30.0}, 6.0)
    assert sorted(heights[key] for key in (2, 3, 4)) == pytest.approx([14.0, 30.0, 46.0])


def test_text_breaks_at_blanks_within_long_words_and_between_ideographs() -> None:
    assert wrap("one two three", 10.0, text_width("one two ", 10.0), max_lines=3) == ("one two", "three")
    assert "".join(wrap("unbreakableword", 10.0, 40.0, max_lines=9)) == "unbreakableword"
    assert wrap("\u4e00\u4e8c\u4e09\u56db", 10.0, 20.0, max_lines=2) == ("\u4e00\u4e8c", "\u4e09\u56db")
    assert wrap("", 10.0, 40.0, max_lines=2) == ("",)


@pytest.mark.parametrize("text", ["a long label of many words", "e\u0301" * 30, "\u4e00" * 30, "x" * 80])
def test_what_is_shortened_fits_and_says_so(text: str) -> None:
    lines = wrap(text, 12.0, 60.0, max_lines=2)
    assert len(lines) == 2
    assert lines[-1].endswith("\u2026")
    assert all(text_width(line, 12.0) <= 60.0 for line in lines)
    assert not lines[-1].startswith("\u0301")
    assert elide("folder/name:12345", 9.0, 50.0, keep_end=True).endswith("12345")


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("(\u05e9\u05dc\u05d5\u05dd abc)", True),
        ("12 \u0645\u0631\u062d\u0628\u0627", True),
        ("abc \u05e9\u05dc\u05d5\u05dd, \u05e9\u05dc\u05d5\u05dd", True),
        ("\u05e9\u05dc\u05d5\u05dd is a kind of word", False),
        ("123", False),
        ("", False),
    ],
)
def test_most_letters_decide_the_direction(text: str, turned: bool) -> None:
    assert runs_right_to_left(text) == turned


def test_all_lines_of_a_sentence_have_its_direction() -> None:
    hebrew = "\u05d4\u05d0\u05d9\u05e9 \u05de\u05e0\u05d2\u05df \u05d1\u05db\u05d9\u05e0\u05d5\u05e8 "
    text = f"{hebrew * 8}{'violin ' * 12}{hebrew * 8}"
    lines = [text for text in lay_out(cases.prediction(text, "b.", [])).shapes.texts if text.turned]
    assert len(lines) > 2
    assert any("\u05d0" not in line.text for line in lines)
    assert len({(line.x, line.anchor) for line in lines}) == 1


def test_without_panels_only_words_and_paths_are_placed() -> None:
    whole, bare = lay_out(cases.violin()), lay_out(cases.violin(), panels=False)
    assert (bare.width, len(bare.shapes.strokes), len(bare.shapes.boxes)) == (
        whole.width, len(whole.shapes.strokes), len(whole.shapes.boxes)
    )  # fmt: skip
    assert bare.height < whole.height
    assert bare.shapes.bars == ()
    assert bare.shapes.swatches == ()


def test_control_characters_are_written_out_and_white_space_is_one_blank() -> None:
    assert shown("a\x1bb\u202ec\ufffed\t\n e") == "a\\x1bb\\u202ec\\ufffed e"
