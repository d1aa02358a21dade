"""AdaLoRA's budget during training: which ranks of which matrices are kept (Zhang et al., 2023).

Every matrix starts with more ranks than it may keep; the least important ones of the whole encoder are switched off
step by step. How important a weight is, is kept in the optimizer's state of that weight, so it is saved and resumed
with it. What AdaLoRA puts into the encoder is `model/adapter.py`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from kg_reason.config import ModelConfig
from kg_reason.errors import ConfigError
from kg_reason.model.adapter import ADAPTER_NAME, initial_rank

ADAPTER = ".lora_"
SINGULAR_VALUES, RIGHT_VECTORS, LEFT_VECTORS = ".lora_E.", ".lora_A.", ".lora_B."
WARMUP_SHARE, FINAL_SHARE = 0.1, 0.5  # of the steps: all ranks at first, the kept ones at last; the paper's are alike
NUM_ALLOCATIONS = 1_000  # in a run of that many steps or more
MIN_STEPS = 10
ORTHOGONALITY_WEIGHT = 0.1  # the paper's gamma on GLUE
IMPORTANCE, UNCERTAINTY, KEPT = "importance", "uncertainty", "kept"  # in the optimizer's state


class RankAllocation:
    """Shares out the ranks of an encoder with AdaLoRA.

    Args:
        encoder: with AdaLoRA's layers.
        optimizer: of a model that holds the encoder; its state is read and written.
        config: `adapter_rank` is read, the mean rank that is left.
        num_steps: of the whole run.

    Raises:
        ConfigError: the run is too short to learn which ranks matter.
    """

    def __init__(
        self, encoder: nn.Module, optimizer: torch.optim.Optimizer, config: ModelConfig, num_steps: int
    ) -> None:
        from peft import AdaLoraConfig
        from peft.tuners.adalora import RankAllocator

        if num_steps < MIN_STEPS:
            raise ConfigError(f"adapter: adalora shares out ranks in {MIN_STEPS} steps or more, found {num_steps}")
        self.encoder = encoder
        self.optimizer = optimizer
        self.last_allocation = num_steps - round(FINAL_SHARE * num_steps)
        settings = AdaLoraConfig(
            init_r=initial_rank(config.adapter_rank),
            target_r=config.adapter_rank,
            tinit=round(WARMUP_SHARE * num_steps),
            tfinal=num_steps - self.last_allocation,
            deltaT=max(num_steps // NUM_ALLOCATIONS, 1),
            total_step=num_steps,
        )
        self.allocator: Any = RankAllocator(encoder, settings, ADAPTER_NAME)

    def penalty(self) -> Tensor:
        """Return how far the singular vectors are from orthogonal, weighted, to be added to the mean loss of a step."""
        distances = []
        for name, vectors in self.encoder.named_parameters():
            if RIGHT_VECTORS in name or LEFT_VECTORS in name:
                gram = vectors @ vectors.T if RIGHT_VECTORS in name else vectors.T @ vectors  # [rank, rank]
                distances.append(torch.linalg.norm(gram - torch.eye(len(gram), device=gram.device)))
        return ORTHOGONALITY_WEIGHT * torch.stack(distances).mean()

    @torch.no_grad()
    def allocate(self, step: int) -> None:
        """Weigh the ranks by the gradients of a step and switch off those beyond the budget.

        Args:
            step: optimizer steps done, this one included; its gradients are still there.
        """
        states = {
            name: self.optimizer.state[parameter]
            for name, parameter in self.encoder.named_parameters()
            if ADAPTER in name
        }
        values = {name: value for name, value in self.encoder.named_parameters() if SINGULAR_VALUES in name}
        if step > self.last_allocation and all(KEPT in states[name] for name in values):
            for name, value in values.items():
                value.mul_(states[name][KEPT])
            return
        # peft's allocator keeps its averages in two dictionaries; the optimizer's state is where they last
        allocator, is_last = self.allocator, step >= self.last_allocation
        if IMPORTANCE in next(iter(states.values())):
            allocator.ipt = dict.fromkeys(states)
            allocator.exp_avg_ipt = {name: state[IMPORTANCE] for name, state in states.items()}
            allocator.exp_avg_unc = {name: state[UNCERTAINTY] for name, state in states.items()}
        _, kept = allocator.update_and_allocate(self.encoder, step, force_mask=is_last)
        for name, state in states.items():
            state[IMPORTANCE], state[UNCERTAINTY] = allocator.exp_avg_ipt[name], allocator.exp_avg_unc[name]
            if is_last and name in values:
                state[KEPT] = torch.tensor(kept[name], device=state[IMPORTANCE].device).float()[:, None]  # [rank, 1]
