"""AdaLoRA's ranks: how many are left, which ones, and that a budget survives a checkpoint."""

from __future__ import annotations

import copy

import pytest
import torch

from kg_reason.config import ModelConfig
from kg_reason.errors import ConfigError
from kg_reason.model.adapter import add_adapter
from kg_reason.model.encoder import load_encoder
from kg_reason.training.rank_allocation import RankAllocation

RANK = 2
IDS = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 9, 10, 3]])


def make(tiny_encoder, num_steps=20):
    config = ModelConfig(encoder=str(tiny_encoder), adapter="adalora", adapter_rank=RANK)
    encoder = load_encoder(config).eval()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        add_adapter(encoder, config)
    optimizer = torch.optim.AdamW([value for name, value in encoder.named_parameters() if ".lora_" in name], lr=0.01)
    return encoder, optimizer, RankAllocation(encoder, optimizer, config, num_steps)


def work(encoder, optimizer, ranks, steps):
    for step in steps:
        optimizer.zero_grad()
        loss = encoder(input_ids=IDS).last_hidden_state[:, 0, :4].square().sum() + ranks.penalty()
        loss.backward()
        optimizer.step()
        ranks.allocate(step)
    return [value.detach().clone() for name, value in encoder.named_parameters() if ".lora_" in name]


def num_ranks(encoder):
    return sum(int((value != 0).sum()) for name, value in encoder.named_parameters() if ".lora_E." in name)


def test_all_ranks_are_there_at_first_and_the_budget_at_last(tiny_encoder):
    encoder, optimizer, ranks = make(tiny_encoder)
    work(encoder, optimizer, ranks, [1, 2])
    assert num_ranks(encoder) == 4 * (RANK + 1)  # query and value of two layers
    work(encoder, optimizer, ranks, range(3, 11))
    assert num_ranks(encoder) == 4 * RANK
    kept = [value != 0 for name, value in encoder.named_parameters() if ".lora_E." in name]
    work(encoder, optimizer, ranks, range(11, 21))
    assert all(
        torch.equal(value != 0, mask)
        for value, mask in zip((v for n, v in encoder.named_parameters() if ".lora_E." in n), kept, strict=True)
    )


@pytest.mark.parametrize("num_done", [1, 6, 10, 15])
def test_a_budget_goes_on_from_the_optimizers_state(tiny_encoder, num_done):
    encoder, optimizer, ranks = make(tiny_encoder)
    work(encoder, optimizer, ranks, range(1, num_done + 1))
    other, other_optimizer, other_ranks = make(tiny_encoder)
    other.load_state_dict(encoder.state_dict())
    other_optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    rest = range(num_done + 1, 21)
    expected, found = work(encoder, optimizer, ranks, rest), work(other, other_optimizer, other_ranks, rest)
    assert all(torch.equal(*pair) for pair in zip(found, expected, strict=True))


def test_the_penalty_is_nothing_for_orthogonal_vectors(tiny_encoder):
    encoder, _, ranks = make(tiny_encoder)
    assert float(ranks.penalty().detach()) > 0.01
    with torch.no_grad():
        for name, value in encoder.named_parameters():
            if ".lora_A." in name or ".lora_B." in name:
                torch.nn.init.orthogonal_(value)
    assert float(ranks.penalty().detach()) < 1e-4


def test_a_run_too_short_for_a_budget_is_refused(tiny_encoder):
    with pytest.raises(ConfigError, match="adapter: adalora shares out ranks in 10 steps or more, found 9"):
        make(tiny_encoder, num_steps=9)
