from __future__ import annotations

import pytest
import torch

from kg_reason.model import gnn as room
from kg_reason.model.gnn import RelationEncoder, SubgraphEncoder
from tests.model.toy_groundings import RELATIONS, toy_pairs

TEXT_DIM, GRAPH_DIM = 32, 16


@pytest.fixture
def batch(make_model, toy_graph):
    _, collator = make_model()
    return collator(*toy_pairs(toy_graph))


@pytest.fixture
def encode():
    torch.manual_seed(1)
    encoder = SubgraphEncoder(TEXT_DIM, TEXT_DIM, GRAPH_DIM, num_relations=len(RELATIONS), num_layers=2, dropout=0.0)
    labels, mentions = torch.randn(50, TEXT_DIM), torch.randn(50, TEXT_DIM)

    def run(batch):
        encoder.eval()
        return encoder(batch, labels[: len(batch.text_start)], mentions[: len(batch.mention_start)])

    return run


def test_there_is_a_state_for_every_node_and_for_both_ways_of_every_relation(encode, batch):
    states = encode(batch)
    assert states.nodes.shape == (len(batch.node_role), GRAPH_DIM)
    assert states.relations.shape == (3, 2, GRAPH_DIM)
    assert not torch.allclose(states.relations[:, 0], states.relations[:, 1])


def test_a_node_hears_its_neighbours_but_not_other_examples(encode, batch):
    before = encode(batch).nodes
    role = batch.node_role.clone()
    bridge = int((role == room.BRIDGE).nonzero()[0])
    role[bridge] = 0
    changed = (encode(batch._replace(node_role=role)).nodes != before).any(dim=1)
    first_example = {node for node in batch.path_nodes[batch.path_example == 0].flatten().tolist() if node >= 0}
    changed_nodes = set(changed.nonzero().flatten().tolist())
    assert len(changed_nodes) > 1
    assert changed_nodes < first_example


def test_the_direction_of_an_edge_matters(encode, batch):
    turned = batch._replace(edge_index=batch.edge_index.flip(0))
    assert not torch.allclose(encode(turned).nodes, encode(batch).nodes)


def test_the_relation_of_an_edge_matters(encode, batch):
    swapped = batch._replace(edge_relation=(batch.edge_relation + 1) % 3)
    assert not torch.allclose(encode(swapped).nodes, encode(batch).nodes)


def test_the_order_of_edges_does_not_matter(encode, batch):
    order = torch.randperm(batch.edge_index.shape[1])
    shuffled = batch._replace(edge_index=batch.edge_index[:, order], edge_relation=batch.edge_relation[order])
    assert torch.allclose(encode(shuffled).nodes, encode(batch).nodes, atol=1e-6)


def test_relations_that_training_never_saw_differ_by_their_labels():
    torch.manual_seed(0)
    encoder = RelationEncoder(TEXT_DIM, GRAPH_DIM, 2).eval()
    labels = torch.randn(2, TEXT_DIM)
    none, unseen, no_kind = torch.zeros(2, TEXT_DIM), torch.tensor([2, 2]), torch.tensor([0, 0])
    states = encoder(labels, none, unseen, no_kind)
    assert not torch.allclose(states[0], states[1])
    assert torch.equal(encoder(labels.flip(0), none, unseen, no_kind), states.flip(0))


def test_a_relation_and_its_inverse_have_each_others_states_turned():
    torch.manual_seed(0)
    encoder = RelationEncoder(TEXT_DIM, GRAPH_DIM, 2).eval()
    with torch.no_grad():
        encoder.residual.weight.zero_()
    labels = torch.randn(2, TEXT_DIM)
    unseen, no_kind = torch.tensor([2, 2]), torch.tensor([0, 0])
    named = encoder(labels, torch.zeros_like(labels), unseen, no_kind)
    both = encoder(labels, labels.flip(0), unseen, no_kind)
    assert torch.allclose(both[0], both[1].flip(0), atol=1e-6)
    assert torch.allclose(both[0], (named[0] + named[1].flip(0)) / 2, atol=1e-6)


def test_relations_of_one_name_differ_by_their_kinds_and_an_inverse_kind_swaps_the_directions():
    torch.manual_seed(0)
    encoder = RelationEncoder(TEXT_DIM, GRAPH_DIM, 2).eval()
    labels, unseen = torch.zeros(4, TEXT_DIM), torch.tensor([2, 2, 2, 2])
    states = encoder(labels, labels, unseen, torch.tensor([0, 1, -1, 2]))
    plain, kind, inverse, other = states
    assert torch.allclose((kind - plain).flip(0), inverse - plain, atol=1e-6)
    assert not torch.allclose(kind, other)


def test_training_treats_known_relations_as_unseen_now_and_then():
    torch.manual_seed(0)
    encoder = RelationEncoder(TEXT_DIM, GRAPH_DIM, 1)
    labels = torch.zeros(4000, TEXT_DIM)
    number = torch.zeros(4000, dtype=torch.long)
    unseen = encoder.eval()(labels[:1], labels[:1], torch.tensor([1]), torch.tensor([0]))
    states = encoder.train()(labels, labels, number, number)
    share = (states == unseen).all(dim=-1).all(dim=-1).float().mean()
    assert share == pytest.approx(room.RESIDUAL_DROPOUT, abs=0.03)


def test_training_hides_the_kind_of_relations_now_and_then():
    torch.manual_seed(0)
    encoder = RelationEncoder(TEXT_DIM, GRAPH_DIM, 1)
    labels, unseen = torch.zeros(4000, TEXT_DIM), torch.ones(4000, dtype=torch.long)
    without = encoder.eval()(labels[:1], labels[:1], unseen[:1], torch.tensor([0]))
    states = encoder.train()(labels, labels, unseen, unseen)
    share = (states == without).all(dim=-1).all(dim=-1).float().mean()
    assert share == pytest.approx(room.KIND_DROPOUT, abs=0.03)


def test_nothing_is_learned_about_single_entities(make_model, toy_graph):
    model, _ = make_model()
    sizes = {size for name, value in model.named_parameters() if "encoder." not in name for size in value.shape}
    assert toy_graph.num_entities not in sizes
    assert {name for name, _ in model.named_parameters() if "residual" in name or "role" in name} == {
        "subgraph_encoder.relation_encoder.residual.weight",
        "subgraph_encoder.role.weight",
    }
