import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg_reason.kg.words import (
    ACCENT_BIT,
    BREAK_BIT,
    CAPITALISED,
    GLUED_BIT,
    MAX_TOKENIZER_RUN,
    UPPER,
    joined_text,
    normal_form,
    primary_language,
    split_chunk,
    split_text,
)


def words_of(text, language="en"):
    return [word.text for word in split_text(text, language)]


@pytest.mark.parametrize("spelling", ["ice-cream", "ice_cream", "ice cream", "Ice\u2011Cream", "ICE CREAM"])
def test_hyphens_underscores_and_spaces_give_the_same_words(spelling):
    assert words_of(spelling) == ["ice", "cream"]


@pytest.mark.parametrize(
    "spelling", ["caf\u00e9", "cafe\u0301", "CAF\u00c9", "caf\u00e9\u200b", "\uff43\uff41\uff46\u00e9"]
)
def test_accents_composed_or_not_width_and_invisible_characters_do_not_change_the_normal_form(spelling):
    assert words_of(spelling) == ["cafe"]


def test_letters_whose_mark_is_their_own_keep_it():
    assert normal_form("чай") == "чай"
    assert normal_form("नमस्ते") == unicodedata.normalize("NFC", "नमस्ते")
    assert normal_form("が") == "が"


def test_possessive_is_no_word_of_its_own():
    words = split_text("the dog's bone and the dog\u2019s tail", "en")
    assert [word.text for word in words] == ["the", "dog", "bone", "and", "the", "dog", "tail"]
    assert [word.possessive for word in words].count(True) == 2


def test_negation_is_cut_off_and_reads_not():
    assert words_of("They don't swim, isn\u2019t it?") == ["they", "do", "not", "swim", "is", "not", "it"]


def test_a_verb_cut_short_before_a_negation_reads_whole():
    for chunk, verb in (("can't", "can"), ("won't", "will"), ("Shan\u2019t", "shall"), ("isn't", "is")):
        assert [word.text for word in split_chunk(chunk, "en")] == [verb, "not"]
    assert [word.text for word in split_chunk("CA", "en")] == ["ca"]


def test_abbreviations_keep_their_last_full_stop_in_the_text_only():
    words = split_text("in the U.S. today", "en")
    assert [word.text for word in words] == ["in", "the", "u", "s", "today"]
    assert words[3].end - words[3].start == 2


def test_numbers_lose_thousands_separators_and_keep_decimals():
    assert words_of("1,000 and 3.5 and 10km") == ["1000", "and", "3.5", "and", "10", "km"]


def test_characters_of_scripts_without_spaces_are_words():
    assert words_of("小提琴", "zh") == ["小", "提", "琴"]
    assert words_of("日本", "ja") == ["日", "本"]


def test_emoji_are_words_and_punctuation_is_not():
    assert words_of("a \U0001f3bb, ... -- !") == ["a", "\U0001f3bb"]


def test_web_and_mail_addresses_stay_whole():
    assert words_of("see www.dogs.com or ann@dogs.com") == ["see", "www.dogs.com", "or", "ann@dogs.com"]


def test_shape_tells_case_accents_glue_and_breaks():
    (plain,), (capital,), (upper,) = split_chunk("dog", "en"), split_chunk("Dog", "en"), split_chunk("DOG", "en")
    assert (plain.shape, capital.shape, upper.shape) == (0, CAPITALISED, UPPER)
    assert split_chunk("caf\u00e9", "en")[0].shape == ACCENT_BIT
    assert split_chunk("e-mail", "en")[1].shape == GLUED_BIT
    assert split_text("dog, cat", "en")[1].shape == BREAK_BIT


def test_a_full_stop_ends_a_sentence_and_a_comma_a_phrase():
    assert [word.break_after for word in split_text("Dogs run, cats sleep.", "en")] == [0, 1, 0, 2]


def test_joined_text_is_made_of_letters_only():
    assert joined_text(split_chunk("e-mail", "en")) == "email"
    assert joined_text(split_chunk("2024-05-01", "en")) == ""


def test_a_language_that_spacy_cannot_cut_uses_the_tokeniser_of_any_language():
    assert words_of("Hunde, Katzen!", "qq") == ["hunde", "katzen"]


def test_region_and_script_are_no_part_of_the_primary_language():
    assert [primary_language(tag) for tag in ("en-GB", "zh_Hant", "DE", "")] == ["en", "zh", "de", ""]


def test_a_very_long_run_is_cut_without_the_tokeniser():
    assert len(split_chunk("http://a/" + "\u2603" * 5000, "en")) == 1
    assert len(split_chunk("ab." * MAX_TOKENIZER_RUN, "en")) == MAX_TOKENIZER_RUN


@given(st.text(max_size=60))
def test_places_of_words_lie_in_the_text_in_order(text):
    end = 0
    for word in split_text(text, "en"):
        assert end <= word.start < word.end <= len(text)
        assert word.text
        end = word.end


@given(st.text(alphabet=st.characters(categories=["Ll", "Lu", "Mn", "Nd", "Pd", "Po", "Zs", "Cf"]), max_size=40))
def test_words_of_a_text_are_its_chunks_words(text):
    assert words_of(text) == [word.text for chunk in text.split() for word in split_chunk(chunk, "en")]
