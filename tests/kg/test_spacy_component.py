import pytest
import spacy
from spacy.tokens import Doc, DocBin

from kg_reason.config import BuildConfig
from kg_reason.errors import ConfigError, GraphError
from kg_reason.kg.builder import build_blocks
from kg_reason.kg.spacy_component import create_kg_linker  # noqa: F401  registers the component
from kg_reason.kg.storage import save_graph
from kg_reason.kg.triples import Source, Triple, triples_to_blocks

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


@pytest.fixture(scope="module")
def graph_folder(tmp_path_factory):
    names = [
        ("ex:dog", "dog", "n"), ("ex:hotdog", "hot dog", "n"), ("ex:play.v", "play", "v"), ("ex:play.n", "play", "n")
    ]  # fmt: skip
    triples = [
        Triple(entity, LABEL, text, Source("names.tsv", line), language="en", pos=pos)
        for line, (entity, text, pos) in enumerate(names, start=1)
    ]
    folder = tmp_path_factory.mktemp("graph") / "kg"
    blocks = [(block, True) for block in triples_to_blocks(triples)]
    save_graph(build_blocks(blocks, ["names.tsv"], BuildConfig()), folder)
    return folder


@pytest.fixture(scope="module")
def nlp(graph_folder):
    pipeline = spacy.blank("en")
    pipeline.add_pipe("kg_linker", config={"graph": str(graph_folder)})
    return pipeline


def test_entities_of_the_document_carry_entity_ids(nlp):
    doc = nlp("The dog ate two hot dogs.")
    assert [(span.text, span.kb_id_) for span in doc.ents] == [("dog", "ex:dog"), ("hot dogs", "ex:hotdog")]
    assert doc.ents[0]._.kg_candidates[0] == ("ex:dog", 1.0)


def test_all_mentions_are_on_the_document_unknown_words_too(nlp):
    doc = nlp("The gavorn and the dog")
    known = {mention.text: bool(mention.candidates) for mention in doc._.kg_mentions}
    assert known == {"gavorn": False, "dog": True}


def test_tags_of_the_document_are_used(nlp):
    words = ["the", "play"]
    tagged = {pos: Doc(nlp.vocab, words=words, pos=["DET", pos]) for pos in ("NOUN", "VERB")}
    linker = nlp.get_pipe("kg_linker")
    best = {pos: linker(doc).ents[0].kb_id_ for pos, doc in tagged.items()}
    assert best == {"NOUN": "ex:play.n", "VERB": "ex:play.v"}


def test_batches_give_what_single_documents_give(nlp):
    texts = ["A dog.", "", "Hot dogs play."]
    assert [doc._.kg_mentions for doc in nlp.pipe(texts)] == [nlp(text)._.kg_mentions for text in texts]


def test_linked_documents_can_be_stored_and_passed_between_processes(nlp):
    docs = [nlp("The gavorn and the dog"), nlp("Hot dogs play.")]
    stored = DocBin(docs=docs, store_user_data=True).to_bytes()
    for doc, again in zip(docs, DocBin().from_bytes(stored).get_docs(nlp.vocab), strict=True):
        assert again._.kg_mentions == doc._.kg_mentions != ()
        assert [span._.kg_candidates for span in again.ents] == [span._.kg_candidates for span in doc.ents]
        assert [span.kb_id_ for span in again.ents] == [span.kb_id_ for span in doc.ents]


def test_what_was_not_linked_has_no_mentions_and_no_candidates(nlp):
    doc = nlp.make_doc("The dog")
    assert doc._.kg_mentions == doc[0:1]._.kg_candidates == ()


def test_a_pipeline_written_to_disk_links_again(nlp, tmp_path):
    nlp.to_disk(tmp_path / "pipeline")
    doc = spacy.load(tmp_path / "pipeline")("The dog")
    assert [span.kb_id_ for span in doc.ents] == ["ex:dog"]


def test_a_missing_graph_is_named():
    with pytest.raises(ConfigError, match="graph: found nothing, expected"):
        spacy.blank("en").add_pipe("kg_linker")


def test_entities_found_earlier_stay_where_no_mention_overlaps(nlp):
    doc = Doc(nlp.vocab, words=["Rex", "the", "dog"])
    doc.set_ents([doc.char_span(0, 3, label="PERSON")])
    assert [span.label_ for span in nlp.get_pipe("kg_linker")(doc).ents] == ["PERSON", "KG"]


def test_settings_reach_the_linker(graph_folder):
    pipeline = spacy.blank("en")
    pipeline.add_pipe("kg_linker", config={"graph": str(graph_folder), "settings": {"max_mention_words": 1}})
    assert [span.text for span in pipeline("hot dogs").ents] == ["dogs"]
    with pytest.raises(ConfigError, match="unknown setting 'max_words'"):
        spacy.blank("en").add_pipe("kg_linker", config={"graph": str(graph_folder), "settings": {"max_words": 1}})


def test_a_folder_without_a_graph_is_refused(tmp_path):
    with pytest.raises(GraphError, match="no graph found here"):
        spacy.blank("en").add_pipe("kg_linker", config={"graph": str(tmp_path)})
