import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.config import BuildConfig, LinkerConfig
from kg_reason.errors import ConfigError, UnknownEntityError
from kg_reason.kg.builder import build_blocks
from kg_reason.kg.editing import edit_graph
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.lemmas import ADVERB, NOUN, VERB
from kg_reason.kg.linker import MAX_TEXT_LENGTH, EntityLinker
from kg_reason.kg.storage import save_graph
from kg_reason.kg.triples import Source, Triple, triples_to_blocks

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"

# entity, label, rank, language, part of speech
LABELS = [
    ("dog.n", "dog", 1, "en", "n"), ("dog.v", "dog", 1, "en", "v"), ("cad.n", "dog", 2, "en", "n"),
    ("hot.a", "hot", 1, "en", "a"), ("hotdog.n", "hot dog", 1, "en", "n"), ("icecream.n", "ice cream", 1, "en", "n"),
    ("ice.n", "ice", 1, "en", "n"), ("play.n", "play", 1, "en", "n"), ("play.v", "play", 1, "en", "v"),
    ("man.n", "man", 1, "en", "n"), ("woman.n", "woman", 1, "en", "n"), ("violin.n", "violin", 1, "en", "n"),
    ("little.a", "little", 1, "en", "a"), ("alittle.r", "a little", 1, "en", "r"), ("street.n", "street", 1, "en", "n"),
    ("wallstreet.n", "the street", 1, "en", "n"), ("beatles.n", "The Beatles", 1, "en", "n"),
    ("indiana.n", "IN", 1, "en", "n"), ("usa.n", "US", 1, "en", "n"), ("be.v", "be", 1, "en", "v"),
    ("have.v", "have", 1, "en", "v"), ("beon.v", "be on", 1, "en", "v"), ("at.n", "at", 1, "en", "n"),
    ("angstrom.n", "an", 1, "en", "n"), ("it.n", "it", 1, "en", "n"), ("a.n", "A", 1, "en", "n"),
    ("sit.v", "sit", 1, "en", "v"), ("sitin.v", "sit in", 1, "en", "v"), ("puton.v", "put on", 1, "en", "v"),
    ("chair.n", "chair", 1, "en", "n"), ("shirt.n", "shirt", 1, "en", "n"), ("tshirt.n", "T-shirt", 1, "en", "n"),
    ("leave.v", "leave", 1, "en", "v"), ("left.a", "left", 1, "en", "a"), ("leaf.n", "leaf", 1, "en", "n"),
    ("turkey.n", "turkey", 1, "en", "n"), ("turkeyland.n", "Turkey", 1, "en", "n"),
    ("cafe.n", "caf\u00e9", 1, "en", "n"),
    ("email.n", "e-mail", 1, "en", "n"), ("inside.r", "inside", 1, "en", "r"), ("see.v", "see", 1, "en", "v"),
    ("saw.v", "saw", 1, "en", "v"), ("saw.n", "saw", 1, "en", "n"), ("paris.n", "Paris", 1, "en", "n"),
    ("paristx.n", "Paris, Texas", 1, "en", "n"), ("license.n", "driver's license", 1, "en", "n"),
    ("hund.n", "Hund", 1, "de", "n"), ("chien.n", "chien", 1, "fr", "n"), ("widget", "widget", 0, "", ""),
    ("kiln", "bank", 0, "", ""), ("bankmoney.n", "bank", 1, "en", "n"), ("bankriver.n", "bank", 2, "en", "n"),
    ("river.n", "river", 1, "en", "n"), ("violin.zh", "\u5c0f\u63d0\u7434", 1, "zh", "n"),
    ("fiddle.e", "\U0001f3bb", 1, "", ""),
    ("first.a", "first", 1, "en", "a"), ("time.n", "time", 1, "en", "n"), ("close.a", "close", 1, "en", "a"),
    ("firsttime.r", "for the first time", 1, "en", "r"), ("closeto.r", "close to", 1, "en", "r"),
    ("near.r", "down the street", 1, "en", "r"), ("attend.v", "go to", 1, "en", "v"), ("go.v", "go", 1, "en", "v"),
    ("white.a", "white", 1, "en", "a"), ("house.n", "house", 1, "en", "n"), ("seat.n", "White House", 1, "en", "n"),
    ("can.n", "can", 1, "en", "n"), ("canopener.n", "can opener", 1, "en", "n"), ("like.v", "like", 1, "en", "v"),
    ("may.n", "May", 1, "en", "n"), ("calcium.n", "Ca", 1, "en", "n"), ("yorknew.n", "New York", 1, "en", "n"),
    ("new.a", "new", 1, "en", "a"),
    ("run.v", "run", 1, "en", "v"), ("run.n", "run", 1, "en", "n"), ("field.n", "field", 1, "en", "n"),
]  # fmt: skip
EDGES = [
    ("bankriver.n", "ex:near", "river.n"),
    ("violin.n", "ex:made", '"1721"^^<http://www.w3.org/2001/XMLSchema#gYear>'),
]


def make_triples():
    labels = [
        Triple(entity, LABEL, text, Source("all.tsv", line), rank=rank, language=language, pos=pos)
        for line, (entity, text, rank, language, pos) in enumerate(LABELS, start=1)
    ]
    edges = [Triple(*edge, Source("all.tsv", line)) for line, edge in enumerate(EDGES, start=len(labels) + 1)]
    return [*labels, *edges]


def make_graph():
    return KnowledgeGraph.from_triples(make_triples())


@pytest.fixture(scope="module")
def graph():
    return make_graph()


@pytest.fixture(scope="module")
def linker(graph):
    return EntityLinker(graph)


def senses(linker, mention):
    return [linker.graph.entity_id(candidate.entity) for candidate in mention.candidates]


def linked(linker, text, **settings):
    """Mention text -> best entity, or None where there is no candidate."""
    return {mention.text: (senses(linker, mention) or [None])[0] for mention in linker.link(text, **settings)}


def test_longest_mention_wins_over_a_shorter_one_inside_it(linker):
    assert linked(linker, "a hot dog") == {"hot dog": "hotdog.n"}
    assert linked(linker, "ice cream on the ice") == {"ice cream": "icecream.n", "ice": "ice.n"}


@pytest.mark.parametrize("text", ["hot dogs", "Hot Dog", "HOT DOG", "hot-dog", "hot\u2011dogs", "hot   dog", "hot_dog"])
def test_case_plural_and_hyphen_variants_are_linked(linker, text):
    assert linked(linker, text) == {text: "hotdog.n"}


@pytest.mark.parametrize("text", ["caf\u00e9", "cafe", "cafe\u0301", "CAFES", "caf\u00e9s"])
def test_accent_variants_are_linked(linker, text):
    assert linked(linker, text) == {text: "cafe.n"}


@pytest.mark.parametrize("text", ["e-mail", "email", "E-Mails", "e mail"])
def test_hyphenated_labels_are_linked_also_when_written_together(linker, text):
    assert linked(linker, text) == {text: "email.n"}


@pytest.mark.parametrize("text", ["driver's license", "driver\u2019s licenses", "driver license"])
def test_possessive_inside_a_label_may_be_missing(linker, text):
    assert linked(linker, text) == {text: "license.n"}


@pytest.mark.parametrize("text", ["in", "be at it", "An A is on it.", "have it", "is in", "It is at an in", "be on"])
def test_labels_made_of_function_words_or_one_letter_make_no_mention(linker, text):
    assert linker.link(text) == ()


def test_a_label_with_a_determiner_swallows_no_content_word(linker):
    assert linked(linker, "a little dog in the street") == {"little": "little.a", "dog": "dog.n", "street": "street.n"}


def test_a_name_with_a_determiner_is_linked_where_it_is_written_as_a_name(linker):
    assert linked(linker, "we saw The Beatles") == {"saw": "see.v", "The Beatles": "beatles.n"}
    assert linked(linker, "the Beatles") == {"the Beatles": "beatles.n"}
    assert linked(linker, "Beatles") == {"Beatles": "beatles.n"}


def test_an_acronym_in_capitals_is_linked_though_it_spells_a_function_word(linker):
    assert linked(linker, "a man in the US") == {"man": "man.n", "US": "usa.n"}
    assert linked(linker, "A MAN IN THE STREET") == {"MAN": "man.n", "STREET": "street.n"}


def test_a_preposition_of_place_stays_with_what_follows(linker):
    assert linked(linker, "She sits in a chair.") == {"sits": "sit.v", "chair": "chair.n"}
    assert linked(linker, "They will sit in.") == {"sit in": "sitin.v"}
    assert linked(linker, "She puts on a shirt.") == {"puts on": "puton.v", "shirt": "shirt.n"}


def test_a_label_with_a_preposition_and_a_determiner_gives_way_to_its_content_words(linker):
    assert linked(linker, "for the first time") == {"first": "first.a", "time": "time.n"}
    assert linked(linker, "She runs down the street.") == {"runs": "run.v", "street": "street.n"}


def test_a_preposition_after_an_adjective_stays_with_the_noun_phrase_that_follows(linker):
    assert linked(linker, "close to the street") == {"close": "close.a", "street": "street.n"}
    assert linked(linker, "close to fifty dogs")["close to"] == "closeto.r"
    assert linked(linker, "He went to the river") == {"went": "go.v", "river": "river.n"}


def test_a_name_in_lower_case_gives_way_to_its_words_where_names_have_capitals(linker):
    assert linked(linker, "a white house in Paris") == {"white": "white.a", "house": "house.n", "Paris": "paris.n"}
    assert linked(linker, "a dog of the White House")["White House"] == "seat.n"
    assert linked(linker, "the white house") == {"white house": "seat.n"}
    assert linked(linker, "from new york to Paris")["new york"] == "yorknew.n"


def test_a_word_with_the_capital_of_a_name_is_the_name_inside_a_sentence(linker):
    assert linked(linker, "a dog in Turkey")["Turkey"] == "turkeyland.n"
    (mention,) = [mention for mention in linker.link("a dog in Turkey") if mention.text == "Turkey"]
    assert mention.candidates[0].score == 1.0
    assert mention.candidates[1].score < 0.7
    assert linked(linker, "Turkey is hot")["Turkey"] == "turkey.n"


@pytest.mark.parametrize(
    ("text", "word", "entity"),
    [
        ("She can open the can.", "can", "can.n"), ("a can opener", "can opener", "canopener.n"),
        ("They like dogs.", "like", "like.v"), ("He does not like dogs.", "like", "like.v"),
        ("The dog is hot in May.", "May", "may.n"),
    ],
)  # fmt: skip
def test_function_words_are_content_words_where_their_neighbours_say_so(linker, text, word, entity):
    assert linked(linker, text)[word] == entity


@pytest.mark.parametrize("text", ["He can run.", "May dogs run?", "dogs like him", "It can't be", "a field like it"])
def test_elsewhere_they_are_function_words(linker, text):
    assert {"can", "May", "like", "ca"}.isdisjoint(linked(linker, text))


def test_tags_tell_function_words_from_content_words(linker):
    (noun,) = linker.link_tagged("can", {0: NOUN})
    assert senses(linker, noun) == ["can.n"]
    assert linker.link_tagged("They like", {0: NOUN, 5: ADVERB}) == ()


def test_a_match_does_not_run_over_punctuation_unless_the_label_has_it(linker):
    assert linked(linker, "It is hot, dog!") == {"hot": "hot.a", "dog": "dog.n"}
    assert linked(linker, "born in Paris, Texas") == {"born": None, "Paris, Texas": "paristx.n"}


def test_single_letters_belong_to_hyphenated_labels(linker):
    assert linked(linker, "a T-shirt") == {"T-shirt": "tshirt.n"}


@pytest.mark.parametrize(
    ("text", "word", "entity"),
    [
        ("the dog", "dog", "dog.n"), ("they dog him", "dog", "dog.v"), ("to dog him", "dog", "dog.v"),
        ("A man plays the violin.", "plays", "play.v"), ("A man is playing a violin.", "playing", "play.v"),
        ("The play is hot.", "play", "play.n"), ("He can play.", "play", "play.v"), ("She left.", "left", "leave.v"),
        ("the left chair", "left", "left.a"), ("leaves on the street", "leaves", "leaf.n"),
        ("She leaves him.", "leaves", "leave.v"), ("a saw", "saw", "saw.n"), ("He wants to saw it", "saw", "saw.v"),
        ("Two dogs run.", "dogs", "dog.n"), ("Two dogs run.", "run", "run.v"), ("a run", "run", "run.n"),
    ],
)  # fmt: skip
def test_words_around_a_mention_choose_its_part_of_speech(linker, text, word, entity):
    assert linked(linker, text)[word] == entity


def test_tags_of_a_pipeline_take_the_place_of_cues(linker):
    for tag, entity in ((NOUN, "play.n"), (VERB, "play.v")):
        (mention,) = linker.link_tagged("the play", {4: tag})
        assert senses(linker, mention)[0] == entity


def test_several_senses_are_kept_best_first(linker):
    (mention,) = linker.link("the dog")
    assert senses(linker, mention)[:2] == ["dog.n", "cad.n"]
    scores = [candidate.score for candidate in mention.candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_max_candidates_limits_senses_but_keeps_each_plausible_part_of_speech(graph):
    dogs = {}
    for most in (1, 2):
        linker = EntityLinker(graph, LinkerConfig(max_candidates=most))
        (mention,) = linker.link("dogs")
        dogs[most] = senses(linker, mention)
    assert dogs == {1: ["dog.n"], 2: ["dog.n", "dog.v"]}


def test_exact_surface_scores_above_case_folded_above_lemma(linker):
    def score(text):
        return next(c.score for m in linker.link(text) if m.text != "man" for c in m.candidates)

    assert score("the man violin") > score("the man Violin") > score("the man violins")


def test_capitals_tell_names_from_common_words(linker):
    assert linked(linker, "the man in Turkey")["Turkey"] == "turkeyland.n"
    assert linked(linker, "the man and the turkey")["turkey"] == "turkey.n"


def test_a_neighbour_among_the_other_mentions_raises_a_sense_above_its_rivals(graph):
    def best_bank(weight, text):
        linker = EntityLinker(graph, LinkerConfig(context_weight=weight))
        mention = next(mention for mention in linker.link(text) if mention.text == "bank")
        return graph.entity_id(mention.candidates[0].entity)

    assert best_bank(1.0, "the bank of the river") == "bankriver.n"
    assert best_bank(1.0, "the bank") != "bankriver.n"
    assert best_bank(0.0, "the bank of the river") == best_bank(0.0, "the bank")


def test_unknown_content_words_are_mentions_without_candidates(linker):
    mentions = linker.link("The gavorns flurbled, but 42 were zorply pre-baked.")
    assert [(m.text, m.key, m.candidates) for m in mentions] == [
        ("gavorns", "gavorn", ()), ("flurbled", "flurbled", ()), ("42", "42", ()), ("zorply", "zorply", ()),
        ("pre-baked", "pre baked", ()),
    ]  # fmt: skip


def test_forms_of_a_word_share_a_key(linker):
    assert linker.link("dogs")[0].key == linker.link("The Dog")[0].key == "dog"
    assert linker.link("He is playing")[0].key == linker.link("He plays")[0].key == "play"


def test_names_win_over_the_graph_in_any_case_and_as_plural(linker):
    names = {"gavorn": "violin.n", "Hot": "ice.n", "big pelit": "man.n"}
    text = "Gavorns and a hot dog and big pelits"
    assert linked(linker, text, names=names) == {
        "Gavorns": "violin.n", "hot": "ice.n", "dog": "dog.n", "big pelits": "man.n"
    }  # fmt: skip
    gavorn = linker.link(text, names=names)[0]
    assert (gavorn.key, gavorn.candidates[0].score, gavorn.candidates[0].alias) == ("gavorn", 1.0, -1)


def test_a_name_for_an_unknown_entity_is_refused(linker):
    with pytest.raises(UnknownEntityError, match=r"no entity 'ex:nothing'"):
        linker.link("a gavorn", names={"gavorn": "ex:nothing"})


def test_language_picks_labels_of_that_language_and_untagged_ones(graph):
    found = {}
    for language in ("en", "de", "fr", ""):
        linker = EntityLinker(graph, LinkerConfig(language=language))
        found[language] = [text for text, entity in linked(linker, "dog Hund chien widget").items() if entity]
    assert found == {
        "en": ["dog", "widget"], "de": ["Hund", "widget"], "fr": ["chien", "widget"],
        "": ["dog", "Hund", "chien", "widget"],
    }  # fmt: skip


def test_stop_words_of_other_languages_are_no_mentions(graph):
    linker = EntityLinker(graph, LinkerConfig(language="de"))
    assert linked(linker, "der Hund und das Pferd") == {"Hund": "hund.n", "Pferd": None}


def test_chinese_labels_are_matched_by_character(graph):
    linker = EntityLinker(graph, LinkerConfig(language="zh"))
    mentions = linker.link("\u7537\u4eba\u5f39\u5c0f\u63d0\u7434")
    assert [(mention.start, mention.text) for mention in mentions][-1] == (3, "\u5c0f\u63d0\u7434")
    assert [bool(mention.candidates) for mention in mentions][-1]


def test_chinese_measure_words_are_no_mentions_unless_they_have_a_label(graph):
    linker = EntityLinker(graph, LinkerConfig(language="zh"))
    assert [mention.text for mention in linker.link("\u4e00\u628a\u5c0f\u63d0\u7434")] == ["\u5c0f\u63d0\u7434"]
    assert [mention.text for mention in linker.link("3\u628a")] == ["3"]
    assert [mention.text for mention in linker.link("\u628a\u5c0f\u63d0\u7434")][-1] == "\u5c0f\u63d0\u7434"


def test_values_are_linked_only_where_wanted(graph):
    for wanted in (True, False):
        linker = EntityLinker(graph, LinkerConfig(link_values=wanted))
        (mention,) = linker.link("in 1721")
        assert bool(mention.candidates) is wanted


def test_max_mention_words_bounds_a_match(graph):
    linker = EntityLinker(graph, LinkerConfig(max_mention_words=1))
    assert linked(linker, "a hot dog") == {"hot": "hot.a", "dog": "dog.n"}


def test_labels_added_and_removed_by_an_edit_are_followed(tmp_path):
    blocks = [(block, True) for block in triples_to_blocks(make_triples())]
    save_graph(build_blocks(blocks, ["all.tsv"], BuildConfig()), tmp_path)
    edit_graph(tmp_path, "add", "violin.n", LABEL, "gavorn box")
    edit_graph(tmp_path, "remove", "widget", LABEL, "widget")
    edit_graph(tmp_path, "add", "widget", LABEL, "gizmo")
    linker = EntityLinker(KnowledgeGraph.open(tmp_path))
    found = linked(linker, "gavorn boxes, widgets and gizmos")
    assert found == {"gavorn boxes": "violin.n", "widgets": None, "gizmos": "widget"}
    assert linker.link("a Gavorn-Box")[0].key == "gavorn box"


def test_particles_with_a_label_are_linked_and_unknown_ones_are_not(linker):
    assert linked(linker, "a dog inside") == {"dog": "dog.n", "inside": "inside.r"}
    assert linked(linker, "a dog outside") == {"dog": "dog.n"}


def test_an_emoji_label_is_linked_and_other_emoji_are_passed_over(linker):
    assert linked(linker, "I \U0001f600 my \U0001f3bb!") == {"\U0001f3bb": "fiddle.e"}


def test_text_beyond_the_limit_is_refused(linker):
    with pytest.raises(ConfigError, match=r"text: found 100,001 characters, expected at most 100,000"):
        linker.link("a" * (MAX_TEXT_LENGTH + 1))


LONG_TEXTS = [
    "a" * 100_000, "dog-" * 25_000, "http://x.y/" + "\u2603" * 13_200, "!" * 100_000, "a\u0301" * 50_000,
    "dog " * 25_000,
]  # fmt: skip


@pytest.mark.parametrize("text", LONG_TEXTS, ids=range(len(LONG_TEXTS)))
def test_long_and_unbroken_texts_are_linked_in_bounds(linker, text):
    for mention in linker.link(text):
        assert text[mention.start : mention.end] == mention.text


def test_no_text_has_no_mentions(linker):
    assert linker.link("") == linker.link(" \n\t") == linker.link("... !?") == ()


PIECES = st.sampled_from([
    "dog", "dogs", "hot", "Ice", "cream", "caf\u00e9", "cafe\u0301", "\U0001f3bb", "\U0001f469\u200d\U0001f373",
    "\u0627\u0644\u0643\u0644\u0628", "\u05db\u05dc\u05d1", "zero\u200bwidth", "so\u00adft", "\u202edog",
    "\ud800", "\x00",
    "\u5c0f\u63d0\u7434", "US", "T-shirt", "driver's", "the", "in", "1,000", "a", "widget", "saw", "up",
    ",", ".", "'", "-", " ", "\n", "",
])  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=50), st.lists(PIECES, max_size=12).map(" ".join), st.lists(PIECES, max_size=8).map("".join)
)


@given(TEXTS)
def test_text_between_start_and_end_is_the_mention(linker, text):
    end = 0
    for mention in linker.link(text):
        assert text[mention.start : mention.end] == mention.text
        assert end <= mention.start < mention.end
        assert mention.text.strip() == mention.text
        assert all(0 <= candidate.score <= 1 for candidate in mention.candidates)
        assert len(mention.candidates) <= linker.config.max_candidates
        end = mention.end


@given(st.lists(PIECES, max_size=10).map(" ".join))
def test_the_same_text_gives_the_same_mentions_whatever_was_linked_before(graph, linker, text):
    assert linker.link(text) == EntityLinker(graph).link(text)


SENTENCES = (
    "For the first time a white house close to the White House in Turkey.",
    "They like the can opener in May, can't they?",
    "A man plays a violin in the US.",
    "Two dogs saw hot dogs, not e-mail.",
    "the bank of the river",
    "gavorn \U0001f3bb caf\u00e9s",
)


def plain(linker):
    return [
        [mention.start, mention.end, mention.key, candidate.entity, candidate.alias, round(candidate.score, 6)]
        for text in SENTENCES
        for mention in linker.link(text)
        for candidate in mention.candidates
    ]


def test_interpreted_kernels_give_the_mentions_of_compiled_ones(linker):
    code = (
        "import json; from tests.kg.test_linker import make_graph, plain; from kg_reason.kg.linker import EntityLinker;"
        "print(json.dumps(plain(EntityLinker(make_graph()))))"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert json.loads(result.stdout) == plain(linker)
