from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kg_reason.errors import ConfigError
from kg_reason.kg.relation_kinds import RelationName
from kg_reason.model import collator as room
from kg_reason.model.batch import slots
from kg_reason.model.collator import verbalise
from kg_reason.nli import Label, NLIExample
from tests.model.toy_groundings import RELATIONS, ToyPath, ground, toy_pairs


def pieces_of(collator, batch, mention):
    first = int(batch.mention_start[mention])
    last = int(batch.mention_start[mention + 1]) if mention + 1 < len(batch.mention_start) else None
    ids = batch.input_ids.flatten()[batch.mention_pieces[first:last]]
    return collator.tokenizer.convert_ids_to_tokens(ids.tolist())


def label_of(collator, batch, row):
    bounds = [*batch.text_start.tolist(), len(batch.text_pieces)]
    return collator.tokenizer.decode(batch.text_pieces[bounds[row] : bounds[row + 1]].tolist())


def test_a_path_ends_in_the_word_pieces_of_its_mentions(make_model, toy_graph):
    _, collator = make_model()
    examples, groundings = toy_pairs(toy_graph)
    batch = collator(examples, groundings)
    ends = [
        (pieces_of(collator, batch, start), pieces_of(collator, batch, end))
        for start, end in zip(batch.path_start.tolist(), batch.path_end.tolist(), strict=True)
    ]
    assert ends == [
        (["fiddle"], ["instrument"]),
        (["man"], ["man"]),
        (["man"], ["instrument"]),
        (["hot"], ["cold"]),
        (["violin"], ["cello"]),
        (["violin"], ["cello"]),
    ]


def test_a_mention_of_several_word_pieces_has_all_of_them(make_model, toy_graph):
    _, collator = make_model()
    example = NLIExample("two dogs", "the man")
    grounding = ground(toy_graph, example, (["dogs"], ["man"]), [ToyPath(0, 1, ("dog",))])
    batch = collator([example], [grounding])
    assert pieces_of(collator, batch, 0) == ["dog", "##s"]


def test_a_mention_that_is_cut_off_is_read_from_cls(make_model, toy_graph):
    _, collator = make_model(max_tokens=8)
    example = NLIExample("a man", "the dog is not in a cold instrument")
    grounding = ground(toy_graph, example, (["man"], ["instrument"]), [ToyPath(0, 1, ("man", "woman"), ("antonym",))])
    batch = collator([example], [grounding])
    assert batch.input_ids.shape == (1, 8)
    assert pieces_of(collator, batch, int(batch.path_end[0])) == ["[CLS]"]


def test_bridge_nodes_and_relations_carry_their_labels_each_once(make_model, toy_graph):
    _, collator = make_model()
    examples, groundings = toy_pairs(toy_graph)
    batch = collator(examples, groundings)
    num_relations = len(batch.relation_number)
    rows = range(1, 1 + num_relations)
    assert {label_of(collator, batch, row) for row in rows} == {"hypernym", "antonym", "part of"}
    bridges = batch.node_text[batch.node_role == room.BRIDGE].tolist()
    assert sorted(label_of(collator, batch, row) for row in bridges) == [
        "bowed instrument",
        "bowed instrument",
        "string instrument",
    ]
    assert len(set(bridges)) == 2
    assert batch.node_text[batch.node_role != room.BRIDGE].unique().tolist() == [0]


def test_relations_seen_in_training_have_their_number_and_all_others_the_last(make_model, toy_graph):
    _, collator = make_model()
    batch = collator(*toy_pairs(toy_graph))
    numbers = {
        label_of(collator, batch, row): number for row, number in enumerate(batch.relation_number.tolist(), start=1)
    }
    assert numbers == {"hypernym": 0, "antonym": 1, "part of": len(RELATIONS)}


def test_a_relation_under_a_turned_name_is_an_unknown_one_that_leads_the_other_way(make_model, toy_graph):
    _, collator = make_model()
    examples, groundings = toy_pairs(toy_graph)
    plain = collator(examples, groundings)
    hypernym = toy_graph.relation("ex:hypernym")
    row = [label_of(collator, plain, row) for row in range(1, 4)].index("hypernym")
    turned = collator(examples, groundings, relation_names={hypernym: RelationName("has subtype", turned=True)})
    assert label_of(collator, turned, 1 + row) == "has subtype"
    assert turned.relation_number[row] == len(RELATIONS)
    assert turned.relation_kind[row] == -plain.relation_kind[row]
    is_turned = plain.edge_relation == row
    assert is_turned.any()
    assert torch.equal(turned.edge_index[:, is_turned], plain.edge_index[:, is_turned].flip(0))
    assert torch.equal(turned.edge_index[:, ~is_turned], plain.edge_index[:, ~is_turned])
    steps = plain.path_relation == row
    assert torch.equal(turned.path_forward, plain.path_forward ^ steps)
    taxonomic = turned.path_features[:, room.TAXONOMIC]
    only = steps.any(dim=1) & (steps | (plain.path_relation < 0)).all(dim=1)
    assert only.any()
    assert (taxonomic[only] == 0).all()
    assert torch.equal(taxonomic[~steps.any(dim=1)], plain.path_features[~steps.any(dim=1), room.TAXONOMIC])


def test_a_relation_has_the_label_of_its_inverse_beside_its_own(make_model, toy_graph):
    _, plain = make_model()
    hypernym, antonym = toy_graph.relation("ex:hypernym"), toy_graph.relation("ex:antonym")
    inverse = np.full(toy_graph.num_relations, -1, dtype=np.int32)
    inverse[hypernym] = antonym
    collator = room.Collator(plain.tokenizer, toy_graph, plain.config, plain.labels, RELATIONS, inverse=inverse)
    examples, groundings = toy_pairs(toy_graph)
    batch = collator(examples, groundings)
    rows = {label_of(collator, batch, row): row - 1 for row in range(1, 4)}
    assert label_of(collator, batch, int(batch.relation_inverse[rows["hypernym"]])) == "antonym"
    assert batch.relation_inverse[rows["antonym"]] == batch.relation_inverse[rows["part of"]] == 0
    bridges = {label_of(collator, batch, row) for row in batch.node_text[batch.node_role == room.BRIDGE].tolist()}
    assert bridges == {"bowed instrument", "string instrument"}
    name = RelationName("has subtype", turned=True, inverse="subtype of")
    batch = collator(examples, groundings, relation_names={hypernym: name})
    row = [label_of(collator, batch, row) for row in range(1, 4)].index("has subtype")
    assert label_of(collator, batch, int(batch.relation_inverse[row])) == "subtype of"


def test_a_path_of_several_relations_climbs_by_those_under_their_own_names_only(make_model, toy_graph):
    _, plain = make_model()
    hypernym, part_of = toy_graph.relation("ex:hypernym"), toy_graph.relation("ex:partOf")
    climbs = np.zeros(toy_graph.num_relations, dtype=np.uint8)
    climbs[[hypernym, part_of]] = 1
    collator = room.Collator(plain.tokenizer, toy_graph, plain.config, plain.labels, RELATIONS, climbs=climbs)
    path = ToyPath(0, 1, ("string", "violin", "bowedInstrument"), ("partOf", "hypernym"))
    example = NLIExample("A string.", "A bowed instrument.", Label.NEUTRAL)
    grounding = ground(toy_graph, example, (("string",), ("bowed instrument",)), (path,))
    own = grounding.paths.features[0, room.TAXONOMIC]
    for renamed, expected in ((hypernym, 0.5), (part_of, 0.5), (toy_graph.relation("ex:antonym"), own)):
        batch = collator([example], [grounding], relation_names={renamed: RelationName("falls under")})
        assert batch.path_features[0, room.TAXONOMIC] == expected


def test_nodes_edges_and_paths_of_an_example_stay_with_it(make_model, toy_graph):
    _, collator = make_model()
    examples, groundings = toy_pairs(toy_graph)
    joined = collator(examples[:2], groundings[:2])
    alone = [collator(examples[i : i + 1], groundings[i : i + 1]) for i in range(2)]
    num_nodes = len(alone[0].node_role)
    num_edges = alone[0].edge_index.shape[1]
    assert torch.equal(joined.edge_index[:, :num_edges], alone[0].edge_index)
    assert torch.equal(joined.edge_index[:, num_edges:], alone[1].edge_index + num_nodes)
    second = alone[1].path_nodes
    width = second.shape[1]
    assert torch.equal(joined.path_nodes[3:, :width], torch.where(second < 0, -1, second + num_nodes))
    assert joined.path_example.tolist() == [0, 0, 0, 1, 1, 1]
    assert joined.path_slots.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert joined.path_length.tolist() == [3, 0, 1, 1, 2, 1]


def test_pairs_without_mentions_or_paths_are_a_valid_batch(make_model, toy_graph):
    _, collator = make_model()
    examples, groundings = toy_pairs(toy_graph)
    batch = collator(examples[2:], groundings[2:])
    assert batch.num_examples == 2
    assert batch.path_nodes.shape == (0, 1)
    assert batch.path_slots.shape == (2, 0)
    assert batch.mention_start.shape == (0,)
    assert batch.edge_index.shape == (2, 0)


def test_labels_become_columns_of_the_logits(make_model, toy_graph):
    examples, groundings = toy_pairs(toy_graph)
    _, collator = make_model()
    assert collator(examples, groundings).labels.tolist() == [0, 2, 1, -100]
    _, collator = make_model(task="two-way")
    assert collator(examples, groundings).labels.tolist() == [0, 1, 1, -100]


def test_a_label_of_another_task_is_refused(make_model, toy_graph):
    _, collator = make_model()
    examples, groundings = toy_pairs(toy_graph)
    wrong = replace(examples[0], label=Label.NOT_ENTAILMENT)
    with pytest.raises(ConfigError, match="not_entailment"):
        collator([wrong], groundings[:1])


def test_every_example_needs_its_grounding(make_model, toy_graph):
    _, collator = make_model()
    examples, groundings = toy_pairs(toy_graph)
    with pytest.raises(ValueError, match="found 1 groundings, expected one for each of 4"):
        collator(examples, groundings[:1])


def test_verbalised_evidence_stands_behind_the_hypothesis(make_model, toy_graph):
    _, collator = make_model(evidence="verbalised")
    examples, groundings = toy_pairs(toy_graph)
    batch = collator(examples, groundings)
    evidence = verbalise(groundings[1], toy_graph)
    assert evidence == (
        "hot antonym cold; violin hypernym bowed instrument, cello hypernym bowed instrument; string part of violin"
    )
    expected = collator.tokenizer.encode(examples[1].premise, f"{examples[1].hypothesis} {evidence}")
    assert batch.input_ids[1, : batch.attention_mask[1].sum()].tolist() == expected
    assert pieces_of(collator, batch, int(batch.path_end[3])) == ["cold"]


def test_two_names_of_one_entity_are_verbalised_as_synonyms(toy_graph):
    example = NLIExample("a fiddle", "a violin")
    grounding = ground(toy_graph, example, (["fiddle"], ["violin"]), [ToyPath(0, 1, ("violin",))])
    assert verbalise(grounding, toy_graph) == "fiddle synonym violin"


def test_a_full_cache_of_labels_changes_nothing(make_model, toy_graph, monkeypatch):
    _, collator = make_model()
    pairs = toy_pairs(toy_graph)
    expected = collator(*pairs)
    monkeypatch.setattr(room, "MAX_CACHED_LABELS", 1)
    _, small = make_model()
    for _ in range(2):
        assert all(torch.equal(*tensors) for tensors in zip(small(*pairs), expected, strict=True))


def test_a_batch_moves_as_a_whole(make_model, toy_graph):
    _, collator = make_model()
    moved = collator(*toy_pairs(toy_graph)).to("meta")
    assert {tensor.device.type for tensor in moved} == {"meta"}


def test_slots_lay_numbers_out_in_rows():
    sizes = torch.tensor([2, 0, 1]).numpy()
    assert slots(sizes).tolist() == [[0, 1], [-1, -1], [2, -1]]
