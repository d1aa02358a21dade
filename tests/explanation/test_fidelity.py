"""Fidelity is what removing paths really does, by the definitions that others use."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import kendalltau
from torch_geometric.explain import DummyExplainer, Explainer, Explanation
from torch_geometric.explain.metric import fidelity

from kg_reason import NLIExample
from kg_reason.explanation.fidelity import PATHS_SHOWN, SIZES, TABLES, figures, kendall_tau, measure_fidelity
from kg_reason.explanation.rankings import METHODS, METHODS_OF, by_size, margin, rank_paths
from kg_reason.prediction import Prediction

MANY = NLIExample("A man plays a violin and a guitar.", "A woman plays a cello and a drum.")
SOME = NLIExample("A man plays a violin.", "A woman plays an instrument.")
FEW = NLIExample("A dog is hot.", "A cat is cold.")
ONE = NLIExample("A dog.", "An animal.")
NONE = NLIExample("A dog.", "Every dog.")
PAIRS = [MANY, SOME, FEW, ONE, NONE]


@pytest.fixture
def reasoner(make_reasoner):
    """A reasoner whose text cannot tell, so that its paths decide, each another amount."""
    reasoner = make_reasoner(seed=3)
    with torch.no_grad():
        reasoner.model.text_head[4].weight.zero_()
        reasoner.model.text_head[4].bias.zero_()
        for weight in reasoner.model.path_fusion.judge.parameters():
            weight.mul_(3.0)
    return reasoner


def keep(grounding, rows):
    return replace(grounding, paths=grounding.paths.take(np.sort(np.asarray(rows, dtype=np.int64))))


def test_the_pairs_have_the_paths_that_these_tests_speak_of(reasoner):
    counts = [grounding.paths.num_paths for grounding in reasoner.ground_all(PAIRS)]
    assert counts[0] > PATHS_SHOWN
    assert 3 <= counts[1] <= PATHS_SHOWN
    assert counts[2:] == [2, 1, 0]


def test_only_answers_with_two_paths_count(reasoner):
    report = measure_fidelity(reasoner, PAIRS, methods=["contribution"])
    assert (report.num_examples, report.num_counted) == (5, 3)
    found = report.of("contribution").figures
    assert found["deleted_top"].num_examples == 3
    assert found["comprehensiveness_2"].num_examples == found["tau"].num_examples == 2
    assert found["label_kept_of_many"].num_examples == found["sufficiency_5"].num_examples == 1


@pytest.mark.parametrize("method", ["contribution", "gate", "leave-one-out"])
def test_figures_are_those_of_answers_asked_again(reasoner, method):
    (grounding,) = reasoner.ground_all([MANY])
    rankings = rank_paths(reasoner, MANY, grounding)
    order, rows = rankings.order(method), np.arange(grounding.paths.num_paths)

    def ask(kept):
        return softmax(reasoner.score([MANY], [keep(grounding, kept)]).logits[0])

    whole = ask(rows)
    best = int(whole.argmax())
    change = np.array([abs(ask(rows[rows != row])[best] - whole[best]) for row in rows])
    expected = {
        "deleted_top": change[order[0]],
        "deleted_any": change.mean(),
        "deleted_other": change[rows != order[0]].mean(),
        "deletion_ratio": change[order[0]] / change[rows != order[0]].mean(),
        "deletion_ratio_any": change[order[0]] / change.mean(),
        "label_kept": float(ask(order[:PATHS_SHOWN]).argmax() == best),
    }
    for size in SIZES:
        expected[f"comprehensiveness_{size}"] = whole[best] - ask(order[size:])[best]
        expected[f"sufficiency_{size}"] = whole[best] - ask(order[:size])[best]
    for size in (1, PATHS_SHOWN):
        expected[f"fidelity_plus_{size}"] = float(ask(order[size:]).argmax() != best)
        expected[f"fidelity_minus_{size}"] = float(ask(order[:size]).argmax() != best)
    without = [reasoner.score([MANY], [keep(grounding, rows[rows != row])]).logits[0] for row in rows]
    removed = margin(rankings.logits, best) - margin(np.array(without), best)
    expected["tau"] = kendalltau(rankings.scores[method], removed).statistic
    found = measure_fidelity(reasoner, [MANY], methods=[method]).of(method).figures
    assert change.max() > 0.01
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=2e-3, rel=1e-2), name


def test_fidelity_is_that_of_torch_geometric(reasoner):
    class Asked(torch.nn.Module):
        """The reasoner as a model whose nodes are the paths of one pair: a node of value 0 is a path removed."""

        def __init__(self, example, grounding):
            super().__init__()
            self.example, self.grounding = example, grounding

        def forward(self, x, edge_index):
            kept = torch.nonzero(x[:, 0]).flatten().numpy()
            return torch.tensor(reasoner.score([self.example], [keep(self.grounding, kept)]).logits)

    examples = [MANY, SOME, FEW]
    for size in (1, PATHS_SHOWN):
        found = []
        for example, grounding in zip(examples, reasoner.ground_all(examples), strict=True):
            model, num_paths = Asked(example, grounding), grounding.paths.num_paths
            settings = {"mode": "multiclass_classification", "task_level": "graph", "return_type": "raw"}
            explainer = Explainer(
                model, DummyExplainer(), explanation_type="model", node_mask_type="object", model_config=settings
            )
            nodes, edges = torch.ones(num_paths, 1), torch.empty(2, 0, dtype=torch.int64)
            mask = torch.zeros(num_paths, 1)
            mask[by_size(rank_paths(reasoner, example, grounding).scores["contribution"])[:size].tolist()] = 1.0
            explanation = Explanation(
                x=nodes, edge_index=edges, node_mask=mask, target=model(nodes, edges).argmax(dim=1), _model_args=[]
            )
            found.append(fidelity(explainer, explanation))
        plus, minus = np.mean(found, axis=0)
        ours = measure_fidelity(reasoner, examples, methods=["contribution"]).of("contribution").figures
        assert ours[f"fidelity_plus_{size}"].value == pytest.approx(plus)
        assert ours[f"fidelity_minus_{size}"].value == pytest.approx(minus)
        assert plus > minus  # so that the two cannot have been exchanged


def test_paths_that_do_nothing_have_neither_a_ratio_nor_an_order(make_reasoner):
    reasoner = make_reasoner()
    with torch.no_grad():
        for weight in reasoner.model.path_fusion.judge.vote.parameters():
            weight.zero_()
    report = measure_fidelity(reasoner, [MANY, SOME])
    assert report.decided.value == 0.0
    for method in METHODS:
        found = report.of(method).figures
        assert found["deleted_top"].value == 0.0
        assert found["label_kept"].value == 1.0
        assert {"deletion_ratio", "tau"} & set(found) == set()


def test_explanations_find_the_path_that_moved_the_answer_more_often_than_chance(reasoner):
    report = measure_fidelity(reasoner, [MANY, SOME])
    told, chance = report.of("contribution").figures, report.of("random").figures
    assert told["deletion_ratio"].value > 1.5 * chance["deletion_ratio"].value
    assert told["tau"].value > 0.5 > abs(chance["tau"].value)
    assert report.of("leave-one-out").figures["tau"].value == pytest.approx(1.0)


@pytest.mark.parametrize("evidence", ["counts", "tokens", "verbalised"])
def test_other_models_are_measured_by_the_rankings_they_allow(make_reasoner, evidence):
    report = measure_fidelity(make_reasoner(evidence=evidence), [MANY, SOME])
    assert tuple(item.method for item in report.methods) == METHODS_OF[evidence]


def test_a_model_that_reads_no_path_has_no_figures(make_reasoner):
    report = measure_fidelity(make_reasoner(evidence="text"), PAIRS)
    assert report.to_json() == {"num_examples": 5, "num_counted": 0, "num_paths": 0.0, "decided": None, "methods": {}}


def test_pairs_without_two_paths_have_no_figures(reasoner):
    assert measure_fidelity(reasoner, [ONE, NONE]).methods == ()


def test_the_same_seed_gives_the_same_report_and_another_other_draws(reasoner):
    examples = [MANY, SOME, FEW]
    first, again, other = (measure_fidelity(reasoner, examples, seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert first.of("random") != other.of("random")
    assert first.of("gate").figures["tau"].value == other.of("gate").figures["tau"].value


@pytest.mark.parametrize("seed", range(20))
def test_kendalls_tau_is_that_of_scipy_ties_included(seed):
    rng = np.random.default_rng(seed)
    scores, removed = rng.integers(0, 4, 8).astype(float), rng.integers(0, 4, 8).astype(float)
    assert kendall_tau(scores, removed) == pytest.approx(kendalltau(scores, removed).statistic)


def test_equal_scores_agree_with_nothing_and_nothing_agrees_with_no_order():
    assert kendall_tau(np.ones(3), np.arange(3.0)) == 0.0
    assert kendall_tau(np.arange(3.0), np.ones(3)) is None


def test_figures_are_means_of_those_that_count_and_ratios_of_means():
    values = [{"deleted_top": 0.6, "deleted_other": 0.1, "tau": 1.0}, {"deleted_top": 0.2, "deleted_other": 0.3}]
    found = figures(values, np.array([[2, 0], [1, 1], [0, 2]]))
    assert (found["tau"].value, found["tau"].low, found["tau"].high, found["tau"].num_examples) == (1.0, 1.0, 1.0, 1)
    assert found["deleted_top"].value == pytest.approx(0.4)
    assert found["deletion_ratio"].value == pytest.approx(2.0)
    low, high = np.percentile([2.0, 6.0, 2.0, 2 / 3], (2.5, 97.5))
    assert (found["deletion_ratio"].low, found["deletion_ratio"].high) == pytest.approx((low, high))


def test_an_answer_shows_as_many_paths_as_are_measured():
    assert Prediction.to_text.__defaults__ == (PATHS_SHOWN,)


def test_the_report_reads_as_a_table_for_each_question(reasoner):
    text = measure_fidelity(reasoner, PAIRS).to_text(TABLES)
    assert text.startswith("3 of 5 answers have at least two paths, ")
    for title in TABLES:
        assert title in text
    assert text.count("\n  contribution ") == len(TABLES)
