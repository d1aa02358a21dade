from __future__ import annotations

import numpy as np
import pytest

from kg_reason.kg.stored_arrays import StoredArrays, array_path


@pytest.fixture
def arrays(tmp_path):
    return StoredArrays(tmp_path / "arrays")


def test_an_array_lies_in_a_file_and_comes_back_as_it_was(arrays):
    arrays["edges"] = np.arange(6, dtype=np.int32).reshape(3, 2)
    arrays["none"] = np.empty(0, dtype=np.uint8)
    assert list(arrays) == ["edges", "none"]
    assert array_path(arrays.folder, "edges").is_file()
    assert arrays["edges"].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert (arrays["none"].dtype, len(arrays["none"])) == (np.uint8, 0)


def test_what_was_asked_for_cannot_be_written_and_outlives_its_replacement(arrays):
    arrays["edges"] = np.arange(100_000)
    held = arrays["edges"]
    arrays["edges"] = np.zeros(2)
    assert not held.flags.writeable
    assert held.sum() == 99_999 * 50_000
    assert arrays["edges"].tolist() == [0.0, 0.0]


def test_an_array_that_is_not_there_is_missing_as_in_any_mapping(arrays):
    arrays["edges"] = np.arange(2)
    del arrays["edges"]
    assert "edges" not in arrays
    assert not array_path(arrays.folder, "edges").exists()
    with pytest.raises(KeyError, match="edges"):
        arrays["edges"]
