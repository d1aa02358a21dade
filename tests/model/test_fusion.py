from __future__ import annotations

import pytest
import torch

from kg_reason.model.fusion import PathCounts, PathJudge, PathReader
from kg_reason.model.gnn import SubgraphStates
from tests.model.toy_groundings import toy_pairs

GRAPH_DIM = 16


@pytest.fixture
def batch(make_model, toy_graph):
    _, collator = make_model()
    return collator(*toy_pairs(toy_graph))


@pytest.fixture
def states(batch):
    torch.manual_seed(2)
    return SubgraphStates(torch.randn(len(batch.node_role), GRAPH_DIM), torch.randn(3, 2, GRAPH_DIM))


@pytest.fixture
def reader():
    torch.manual_seed(3)
    return PathReader(GRAPH_DIM)


def test_the_reader_is_a_gru(reader, batch, states):
    gru = torch.nn.GRUCell(GRAPH_DIM, GRAPH_DIM)
    gru.load_state_dict(
        {
            "weight_ih": reader.from_node.weight,
            "bias_ih": reader.from_node.bias,
            "weight_hh": reader.from_state.weight,
            "bias_hh": reader.from_state.bias,
        }
    )
    torch.nn.init.zeros_(reader.from_relation.weight)
    expected = torch.zeros(1, GRAPH_DIM)
    for node in batch.path_nodes[0]:
        expected = gru(states.nodes[node][None], expected)
    assert torch.allclose(reader(batch, states)[0], expected[0], atol=1e-6)


def test_what_stands_behind_the_end_of_a_path_is_not_read(reader, batch, states):
    read = reader(batch, states)
    short = batch.path_length < batch.path_length.max()
    noise = batch._replace(
        path_nodes=torch.where(batch.path_nodes < 0, 5, batch.path_nodes),
        path_relation=torch.where(batch.path_relation < 0, 2, batch.path_relation),
    )
    assert bool(short.any())
    assert torch.equal(reader(noise, states), read)


def test_a_path_of_no_steps_is_its_node(reader, batch, states):
    row = int((batch.path_length == 0).nonzero()[0])
    before = reader(batch, states)[row]
    other = states._replace(relations=states.relations + 1)
    assert torch.equal(reader(batch, other)[row], before)
    other = states._replace(nodes=states.nodes + 1)
    assert not torch.allclose(reader(batch, other)[row], before)


@pytest.mark.parametrize("field", ["path_forward", "path_relation", "path_nodes"])
def test_a_path_is_read_with_its_directions_relations_and_nodes(reader, batch, states, field):
    values = getattr(batch, field)
    changed = values.clone()
    changed[0, 0] = ~values[0, 0] if field == "path_forward" else (values[0, 0] + 1) % 3
    read, reread = reader(batch, states), reader(batch._replace(**{field: changed}), states)
    assert not torch.allclose(reread[0], read[0])
    assert torch.equal(reread[1:], read[1:])


def test_gates_lie_between_0_and_1_and_votes_sum_to_0():
    torch.manual_seed(4)
    judge = PathJudge(GRAPH_DIM, 3, dropout=0.0, gate_bias=-1.0)
    gates, votes = judge(torch.randn(100, GRAPH_DIM))
    assert 0 < gates.min() < gates.max() < 1
    assert votes.shape == (100, 3)
    assert votes.sum(dim=1).abs().max() < 1e-6


def test_a_lower_gate_bias_starts_nearer_to_the_text():
    states = torch.randn(100, GRAPH_DIM)
    means = []
    for bias in (-3.0, 0.0):
        torch.manual_seed(5)
        means.append(PathJudge(GRAPH_DIM, 3, dropout=0.0, gate_bias=bias)(states).gates.mean())
    assert means[0] < 0.2 < means[1]


def test_counts_know_relations_directions_and_roles_but_not_their_order(batch):
    torch.manual_seed(6)
    counts = PathCounts(GRAPH_DIM, 2, 3, dropout=0.0, gate_bias=-1.0)
    row = 4  # violin hypernym bowed instrument, walked back to cello
    reordered = batch._replace(path_relation=batch.path_relation.clone(), path_forward=batch.path_forward.clone())
    reordered.path_relation[row, :2] = batch.path_relation[row, :2].flip(0)
    reordered.path_forward[row, :2] = batch.path_forward[row, :2].flip(0)
    votes = counts(batch).votes[row]
    assert torch.allclose(counts(reordered).votes[row], votes, atol=1e-6)
    turned = batch._replace(path_forward=~batch.path_forward)
    assert not torch.allclose(counts(turned).votes[0], counts(batch).votes[0])
    roles = batch._replace(node_role=(batch.node_role + 1) % 4)
    assert not torch.allclose(counts(roles).votes[row], votes)
