"""Results of audits in a model card: where they stand, and that making them again changes only them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kg_reason.audits.card import card_with_audits, write_card
from kg_reason.audits.result import AuditResult
from kg_reason.errors import CheckpointError

CARD = """---
library_name: kg_reason
---

# first

## Use

```sh
## Limits
kg-reason query first
```

## Results

Fine.

## Limits

- Some.
"""
ONE = AuditResult("calibration", "Is it sure?", "Often | too\nsure.", {"ece": 0.0721, "pairs": 1200.0, "share": 1.0})
TWO = AuditResult("bias", "Is it fair?", "Mostly.", {"gap": 0.25})


def test_the_section_stands_before_the_limits_with_a_row_for_each_measure():
    card = card_with_audits(CARD, [ONE, TWO], data=["some/where/dev.jsonl", "hf:snli"], date="2024-05-06")
    assert card.index("## Results") < card.index("## Audits") < card.rindex("## Limits")
    before, after = card.split("## Audits")
    assert before == CARD[: CARD.rindex("## Limits")]
    assert after.endswith("## Limits\n\n- Some.\n")
    assert "### calibration\n\nIs it sure? Often | too sure. Measured on `dev.jsonl`, `hf:snli` (2024-05-06)." in card
    assert "| `ece` | 0.072 |\n| `pairs` | 1,200 |\n| `share` | 1.000 |\n\n### bias" in card
    assert "some/where" not in card


def test_the_same_results_change_nothing_the_second_time():
    card = card_with_audits(CARD, [ONE, TWO], date="2024-05-06")
    assert card_with_audits(card, [ONE, TWO], date="2024-05-06") == card
    assert card_with_audits(card, [TWO], date="2024-05-06") == card
    assert card_with_audits(card, []) == card


def test_an_audit_made_again_replaces_its_own_part_and_no_other():
    card = card_with_audits(CARD, [ONE, TWO], date="2024-05-06")
    again = card_with_audits(card, [replace(ONE, measures={"ece": 0.5})], date="2025-01-01")
    assert again.count("## Audits\n") == 1
    assert "| `ece` | 0.500 |" in again
    assert "0.072" not in again
    assert again.index("### calibration") < again.index("### bias")
    assert "Mostly. Measured on 2024-05-06." in again
    assert "| `gap` | 0.250 |" in again


def test_a_card_without_limits_gets_the_section_at_its_end():
    card = card_with_audits("# Mine\n", [TWO])
    assert card.startswith("# Mine\n\n## Audits\n")
    assert card.endswith("Is it fair? Mostly.\n\n| measure | value |\n| --- | --- |\n| `gap` | 0.250 |\n")
    assert card_with_audits(card, [TWO]) == card


def test_headings_inside_code_are_none():
    card = card_with_audits("# Mine\n\n```\n## Audits\n```\n\n~~~\n# no\n~~~\n", [TWO])
    assert card.count("## Audits\n") == 2
    assert card.endswith("| `gap` | 0.250 |\n")


def test_the_card_of_a_run_is_updated_in_one_step(tmp_path):
    (tmp_path / "README.md").write_text(CARD)
    write_card(tmp_path, [ONE], data=["dev.jsonl"])
    text = (tmp_path / "README.md").read_text()
    assert "### calibration" in text
    write_card(tmp_path, [ONE], data=["dev.jsonl"])
    assert (tmp_path / "README.md").read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_run_without_a_card_is_told(tmp_path):
    with pytest.raises(CheckpointError, match=r"README\.md: missing, expected the model card"):
        write_card(tmp_path, [ONE])
    (tmp_path / "README.md").write_bytes(b"\xff")
    with pytest.raises(CheckpointError, match=r"README\.md: found a byte that is not UTF-8"):
        write_card(tmp_path, [ONE])
