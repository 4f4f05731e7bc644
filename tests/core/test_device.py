"""Where the network runs, why, and what counts as out of memory."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest
import torch

from core.device import (
    choose_device,
    is_device_fault,
    is_out_of_memory,
    limit_to_one_core,
    memory_error,
)
from core.errors import DeviceUnavailable
from core.types import DeviceChoice


def _cuda(monkeypatch: pytest.MonkeyPatch, count: int, built: bool = True) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0" if built else None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: f"GPU {i}")


def test_the_cpu_can_always_be_asked_for() -> None:
    choice = choose_device(" CPU ")
    assert choice.name == "cpu"
    assert "asked for" in choice.reason
    assert "CPU" in choice.label


@pytest.mark.parametrize(
    ("built", "words"), [(True, "no usable CUDA GPU"), (False, "build of torch has no CUDA")]
)
def test_auto_falls_back_to_the_cpu_and_says_why(
    monkeypatch: pytest.MonkeyPatch, built: bool, words: str
) -> None:
    _cuda(monkeypatch, 0, built)
    for wanted in ("auto", "", " Auto"):
        choice = choose_device(wanted)
        assert choice.name == "cpu"
        assert words in choice.reason
    with pytest.raises(DeviceUnavailable, match=words) as caught:
        choose_device("cuda")
    assert "cpu" in caught.value.remedy


def test_cuda_is_taken_when_there(monkeypatch: pytest.MonkeyPatch) -> None:
    _cuda(monkeypatch, 2)
    assert choose_device("auto") == DeviceChoice("cuda:0", "GPU 0", "a CUDA GPU is present")
    assert choose_device("cuda").name == "cuda:0"
    assert choose_device("CUDA:1").label == "GPU 1"
    with pytest.raises(DeviceUnavailable, match=r"cuda:2.*2 CUDA device"):
        choose_device("cuda:2")


@pytest.mark.parametrize("name", ["mps", "gpu", "cuda:x", "cuda:-1", "cuda0", "cuda:1:2"])
def test_unknown_names_are_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _cuda(monkeypatch, 1)
    with pytest.raises(DeviceUnavailable, match="Unknown device") as caught:
        choose_device(name)
    assert "auto" in caught.value.remedy


def test_all_ways_to_run_out_of_memory_are_known() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"))
    assert is_out_of_memory(cv2.error("(-4:Insufficient memory) Failed to allocate 9 bytes"))
    assert not is_out_of_memory(RuntimeError("size mismatch"))
    assert is_device_fault(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert not is_device_fault(RuntimeError("CUDA error: out of memory"))
    assert not is_device_fault(RuntimeError("size mismatch"))
    assert not is_device_fault(ValueError("CUDA error: unspecified launch failure"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_the_real_allocators_are_recognised() -> None:
    with pytest.raises(RuntimeError) as from_torch:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(from_torch.value)
    with pytest.raises(MemoryError) as from_numpy:
        np.empty(2**60, dtype=np.uint8)
    assert is_out_of_memory(from_numpy.value)


def test_the_error_names_picture_device_and_remedy() -> None:
    gpu = DeviceChoice("cuda:0", "GPU 0", "")
    assert "--tiles" in memory_error(gpu, (640, 480)).remedy
    error = memory_error(gpu, (640, 480), tiled=True)
    assert "640×480" in str(error)
    assert "GPU 0" in str(error)
    assert "--device cpu" in error.remedy
    cpu = DeviceChoice("cpu", "CPU", "")
    assert "--device cpu" not in memory_error(cpu, (640, 480), tiled=True).remedy


def _threads_of_another(first: object = None) -> int:
    """How many threads torch has for a thread that begins now, after it called ``first``."""
    seen: list[int] = []

    def look() -> None:
        if callable(first):
            first()
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return seen[0]


def test_keeping_to_one_core_binds_the_calling_thread_alone() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert _threads_of_another(limit_to_one_core) == 1
        assert torch.get_num_threads() == 3
        assert _threads_of_another() == 3
    finally:
        torch.set_num_threads(before)
