"""The mean of two packs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.errors import InputError
from core.packs.format import read_pack
from tests.tiny import tiny_pack
from tools.packs.average import average_packs


def test_every_tensor_is_the_weighted_mean_and_the_record_says_so(tmp_path: Path) -> None:
    one, two, out = (tmp_path / f"{name}.safetensors" for name in ("one", "two", "mean"))
    first, second = tiny_pack(one, seed=1), tiny_pack(two, seed=2)
    manifest = average_packs(one, two, 0.7, out)
    networks = [read_pack(path)[0].state_dict() for path in (one, two, out)]
    for name, got in networks[2].items():
        torch.testing.assert_close(got, 0.3 * networks[0][name] + 0.7 * networks[1][name])
    assert manifest.name == "mean"
    assert first.weights_sha256[:12] in manifest.training.parent
    assert second.weights_sha256[:12] in manifest.training.parent


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_a_weight_out_of_range_is_refused(tmp_path: Path, weight: float) -> None:
    one = tmp_path / "one.safetensors"
    tiny_pack(one)
    with pytest.raises(InputError, match="between 0 and 1"):
        average_packs(one, one, weight, tmp_path / "out.safetensors")
