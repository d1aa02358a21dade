"""Examples and their groundings as tensors: the one door through which text and ids enter the model.

The collator tokenises the pairs, maps mentions to word pieces, joins the subgraphs of a batch into one and gives every
relation and every bridge entity the word pieces of its readable label, so that nothing behind it knows an entity id.
Nothing in it loops over paths or nodes. The tensors are those of `batch.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BatchEncoding, PreTrainedTokenizerBase

from kg_reason.config import ModelConfig
from kg_reason.kg.graph import KnowledgeGraph
from kg_reason.kg.grounding import Grounding
from kg_reason.kg.paths import PATH_FEATURES
from kg_reason.kg.relation_kinds import Groups, RelationName, names_of_kind, relation_kinds
from kg_reason.kg.subgraph import BRIDGE, Subgraph, subgraph
from kg_reason.model.batch import UNKNOWN_LABEL, Batch, Ints, joined, slots, starts
from kg_reason.nli import Label, NLIExample, fit_label

MAX_LABEL_PIECES = 16  # the rest of a longer label adds little to the mean of its word pieces
MAX_CACHED_LABELS = 200_000
TAXONOMIC = PATH_FEATURES.index("taxonomic")


class Collator:
    """Makes batches for one model over one graph.

    Args:
        tokenizer: the fast tokenizer of the encoder.
        graph: gives labels to the entities and relations of the groundings.
        config: of the model.
        labels: of the task, in the order of the logits.
        relations: labels of the relations seen in training; position = number of the learned residual.
        language: of the entities' labels, where there is a choice.
        groups: kinds of relations and the names that they have, see `relation_kinds.py`.
        inverse: [num_relations], the inverse of each relation, -1 for none: it lends its name; None: none has one.
        climbs: [num_relations], 1 for taxonomic relations; None: none is.

    Raises:
        ConfigError: `config.relation_kinds` declares a kind that does not exist.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        graph: KnowledgeGraph,
        config: ModelConfig,
        labels: tuple[Label, ...],
        relations: Sequence[str],
        *,
        language: str = "",
        groups: Groups | None = None,
        inverse: NDArray[np.int32] | None = None,
        climbs: NDArray[np.uint8] | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.graph = graph
        self.config = config
        self.labels = labels
        self.language = language
        self.relation_numbers = {relation: number for number, relation in enumerate(relations)}
        self._unseen = len(relations)
        self._groups = groups or {}
        self.relation_kinds = relation_kinds(graph, self._groups, config.relation_kinds)
        self._inverse = np.full(graph.num_relations, -1, dtype=np.int32) if inverse is None else inverse
        self._climbs = np.zeros(graph.num_relations, dtype=np.uint8) if climbs is None else climbs
        self._label_pieces: dict[str, list[int]] = {}

    def names_of_kind(self, relation: int) -> tuple[RelationName, ...]:
        """Return the table's names for relations of this one's kind; none for no kind."""
        return names_of_kind(int(self.relation_kinds[relation]), self._groups)

    def __call__(
        self,
        examples: Sequence[NLIExample],
        groundings: Sequence[Grounding],
        *,
        relation_names: Mapping[int, RelationName] | None = None,
        needs_graph: Sequence[bool] | None = None,
    ) -> Batch:
        """Join examples and their groundings, in the given order.

        Args:
            examples: B pairs.
            groundings: one for each.
            relation_names: relations that are shown under another name, as ones that training has not seen; edges and
                steps of a turned name are turned.
            needs_graph: for each pair, whether only the graph can tell its label, as with invented words; None: all
                texts can.

        Raises:
            ValueError: there is not one grounding for each example.
            ConfigError: an example's label is not one of the task's.
        """
        if len(examples) != len(groundings):
            raise ValueError(f"found {len(groundings)} groundings, expected one for each of {len(examples)} examples")
        encoding = self._encode(examples, groundings)
        input_ids = np.asarray(encoding["input_ids"])
        labels = [
            UNKNOWN_LABEL if example.label is None else self.labels.index(fit_label(example.label, self.labels))
            for example in examples
        ]
        hidden = needs_graph or [False] * len(labels)
        text_labels = [UNKNOWN_LABEL if hides else label for label, hides in zip(labels, hidden, strict=True)]
        arrays = {
            "input_ids": input_ids,
            "attention_mask": np.asarray(encoding["attention_mask"]),
            "token_type_ids": np.asarray(encoding.get("token_type_ids", np.zeros_like(input_ids))),
            "labels": np.array(labels, dtype=np.int64),
            "text_labels": np.array(text_labels, dtype=np.int64),
            **self._ground(encoding, groundings, relation_names or {}),
        }
        return Batch(**{name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()})

    def _encode(self, examples: Sequence[NLIExample], groundings: Sequence[Grounding]) -> BatchEncoding:
        """Tokenise the pairs, and with verbalised evidence the paths behind the hypothesis."""
        hypotheses = [example.hypothesis for example in examples]
        if self.config.evidence == "verbalised":
            hypotheses = [
                f"{hypothesis} {verbalise(grounding, self.graph, self.language)}".rstrip()
                for hypothesis, grounding in zip(hypotheses, groundings, strict=True)
            ]
        encoding: BatchEncoding = self.tokenizer(
            [example.premise for example in examples],
            hypotheses,
            truncation="longest_first",
            max_length=self.config.max_tokens,
            padding=True,
            padding_side="right",
            return_attention_mask=True,
            return_offsets_mapping=True,
            return_tensors="np",
        )
        return encoding

    def _ground(
        self, encoding: BatchEncoding, groundings: Sequence[Grounding], relation_names: Mapping[int, RelationName]
    ) -> dict[str, NDArray[np.generic]]:
        """Join the subgraphs and paths of a batch; node, mention and relation numbers become the batch's own."""
        subgraphs = [subgraph(grounding.paths, len(grounding.premise_mentions)) for grounding in groundings]
        num_paths = np.array([len(grounding.paths.length) for grounding in groundings], dtype=np.int64)
        num_nodes = np.array([len(part.entity_ids) for part in subgraphs], dtype=np.int64)
        num_mentions = [len(item.premise_mentions) + len(item.hypothesis_mentions) for item in groundings]
        node_offset = starts(num_nodes)
        path_example = np.repeat(np.arange(len(groundings)), num_paths)
        mention_offset = starts(np.array(num_mentions, dtype=np.int64))

        length = joined([grounding.paths.length for grounding in groundings])
        num_steps = int(length.max(initial=0))
        path_relation = joined([grounding.paths.relations for grounding in groundings])[:, :num_steps]
        path_nodes = joined([part.path_nodes for part in subgraphs])[:, : num_steps + 1]
        path_ends = np.stack(
            [joined([item.paths.start for item in groundings]), joined([item.paths.end for item in groundings])]
        ) + mention_offset[path_example]  # [2, K]
        links = joined([part.node_mention.reshape(-1, 2) for part in subgraphs])  # [num_node_mentions, 2]
        link_example = np.repeat(np.arange(len(groundings)), [len(part.node_mention) for part in subgraphs])
        link_node = links[:, 0] + node_offset[link_example]
        order = np.argsort(link_node, kind="stable")
        link_mention = (links[:, 1] + mention_offset[link_example])[order]
        mentions = np.unique(np.concatenate([path_ends.ravel(), link_mention]))  # [M]
        edge_relation = joined([part.edge_type for part in subgraphs])
        relations = np.unique(np.concatenate([edge_relation, path_relation[path_relation >= 0]]))  # [R]
        arrays = {
            **self._find_pieces(encoding, groundings, mentions),
            **self._describe(subgraphs, relations, relation_names),
            "node_mentions": np.searchsorted(mentions, link_mention),
            "node_start": np.searchsorted(link_node[order], np.arange(num_nodes.sum())),
            "edge_index": np.concatenate(
                [part.edge_index + offset for part, offset in zip(subgraphs, node_offset, strict=True)], axis=1
            ),
            "edge_relation": np.searchsorted(relations, edge_relation),
            "path_nodes": np.where(path_nodes < 0, -1, path_nodes + node_offset[path_example][:, None]),
            "path_relation": np.where(path_relation < 0, -1, np.searchsorted(relations, path_relation)),
            "path_length": length,
            "path_start": np.searchsorted(mentions, path_ends[0]),
            "path_end": np.searchsorted(mentions, path_ends[1]),
            "path_example": path_example,
            "path_slots": slots(num_paths),
        }
        path_forward = np.concatenate([item.paths.forward for item in groundings])[:, :num_steps].astype(np.bool_)
        path_features = np.concatenate([item.paths.features for item in groundings]).astype(np.float32)
        if relation_names:
            turned = np.array([number for number, name in relation_names.items() if name.turned], dtype=np.int64)
            path_forward ^= np.isin(path_relation, turned)
            turned_edges = np.isin(edge_relation, turned)
            arrays["edge_index"] = np.where(turned_edges, arrays["edge_index"][::-1], arrays["edge_index"])
            # A relation of unknown name is none that climbs.
            renamed = np.isin(path_relation, np.fromiter(relation_names, dtype=np.int64))
            climbing = (path_relation >= 0) & (self._climbs[path_relation] > 0) & ~renamed
            known = climbing.sum(axis=1) / np.maximum(length, 1)
            path_features[:, TAXONOMIC] = np.where(renamed.any(axis=1), known, path_features[:, TAXONOMIC])
        return {
            **{name: array.astype(np.int64, copy=False) for name, array in arrays.items()},
            "path_forward": path_forward,
            "path_features": path_features,
        }

    def _find_pieces(self, encoding: BatchEncoding, groundings: Sequence[Grounding], mentions: Ints) -> dict[str, Ints]:
        """Map mentions, numbered through the batch, to the word pieces that overlap them."""
        spans = np.array(
            [
                (example, side, mention.start, mention.end)
                for example, grounding in enumerate(groundings)
                for side, found in enumerate((grounding.premise_mentions, grounding.hypothesis_mentions))
                for mention in found
            ],
            dtype=np.int64,
        ).reshape(-1, 4)[mentions]
        example, side, start, end = spans.T[:, :, None]  # each [M, 1]
        offsets = np.asarray(encoding["offset_mapping"])  # [B, T, 2]
        sides = [item.sequence_ids for item in encoding.encodings or ()]
        piece_side = np.array(sides, dtype=np.float32)  # [B, T], NaN at [CLS], [SEP] and padding
        piece_start, piece_end = np.moveaxis(offsets[example[:, 0]], 2, 0)  # each [M, T]
        covered = (piece_side[example[:, 0]] == side) & (piece_start < end) & (piece_end > start)
        covered[:, 0] = ~covered.any(axis=1)  # a mention behind the truncation is read from [CLS]
        mention, piece = np.nonzero(covered)
        return {
            "mention_pieces": example[mention, 0] * offsets.shape[1] + piece,
            "mention_start": np.searchsorted(mention, np.arange(len(mentions))),
        }

    def _describe(
        self, subgraphs: Sequence[Subgraph], relations: Ints, relation_names: Mapping[int, RelationName]
    ) -> dict[str, Ints]:
        """Give relations and bridge nodes the word pieces of their labels, each label once."""
        role = joined([part.node_role for part in subgraphs])
        is_bridge = role == BRIDGE
        bridges, bridge_row = np.unique(joined([part.entity_ids for part in subgraphs])[is_bridge], return_inverse=True)
        relation_labels = [
            relation_names[relation].text if relation in relation_names else self.graph.relation_label(relation)
            for relation in relations.tolist()
        ]
        turned = [relation in relation_names and relation_names[relation].turned for relation in relations.tolist()]
        inverse_labels = [self._inverse_label(relation, relation_names) for relation in relations.tolist()]
        has_inverse = np.array([bool(label) for label in inverse_labels], dtype=np.bool_)
        others = [label for label in inverse_labels if label]
        first_bridge = 1 + len(relations) + len(others)
        pieces = [[], *self._pieces([*relation_labels, *others, *(self._label(entity) for entity in bridges.tolist())])]
        node_text = np.zeros(len(role), dtype=np.int64)
        node_text[is_bridge] = first_bridge + bridge_row
        numbers = [
            self._unseen if relation in relation_names else self.relation_numbers.get(label, self._unseen)
            for relation, label in zip(relations.tolist(), relation_labels, strict=True)
        ]
        return {
            "text_pieces": np.fromiter(chain.from_iterable(pieces), dtype=np.int64),
            "text_start": starts(np.array([len(item) for item in pieces], dtype=np.int64)),
            "relation_number": np.array(numbers, dtype=np.int64),
            "relation_kind": np.where(turned, -self.relation_kinds[relations], self.relation_kinds[relations]),
            "relation_inverse": np.where(has_inverse, len(relations) + np.cumsum(has_inverse), 0),
            "node_role": role,
            "node_text": node_text,
        }

    def _inverse_label(self, relation: int, relation_names: Mapping[int, RelationName]) -> str:
        """Return the label of a relation's inverse, or the one that goes with its other name; empty for none."""
        if relation in relation_names:
            return relation_names[relation].inverse
        return self.graph.relation_label(int(self._inverse[relation])) if self._inverse[relation] >= 0 else ""

    def _label(self, entity: int) -> str:
        return self.graph.entity_label(entity, self.language)

    def _pieces(self, labels: Sequence[str]) -> list[list[int]]:
        """Return the vocabulary ids of each label, [num_labels][at most MAX_LABEL_PIECES]."""
        known = self._label_pieces
        missing = sorted({label for label in labels if label not in known})
        if missing:
            if len(known) + len(missing) > MAX_CACHED_LABELS:
                known = {label: known[label] for label in labels if label in known}
            encoded = self.tokenizer(
                missing, add_special_tokens=False, truncation=True, max_length=MAX_LABEL_PIECES, padding=False
            )
            known.update(zip(missing, encoded["input_ids"], strict=True))
            self._label_pieces = known
        return [known[label] for label in labels]


def verbalise(grounding: Grounding, graph: KnowledgeGraph, language: str = "") -> str:
    """Write the paths of a grounding as text, best first: "violin hypernym instrument; ...".

    Every step is read from head to tail as in the graph, whatever the direction in which the path walks it.
    """
    paths = grounding.paths
    mentions = (*grounding.premise_mentions, *grounding.hypothesis_mentions)
    sentences = []
    for path, length in enumerate(paths.length.tolist()):
        names = [graph.entity_label(entity, language) for entity in paths.entities[path, : length + 1].tolist()]
        steps = []
        for step, relation in enumerate(paths.relations[path, :length].tolist()):
            walked = names[step], names[step + 1]
            head, tail = walked if paths.forward[path, step] else walked[::-1]
            steps.append(f"{head} {graph.relation_label(relation)} {tail}")
        same = f"{mentions[paths.start[path]].text} synonym {mentions[paths.end[path]].text}"
        sentences.append(", ".join(steps) or same)
    return "; ".join(dict.fromkeys(sentences))
