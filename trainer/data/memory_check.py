"""Checks that a run fits into memory before its images are read."""

from __future__ import annotations

from collections.abc import Sequence

from core.available_memory import available_bytes
from core.errors import DeviceMemoryError, InputError, Message
from core.fusion.slices import volume_pair_bytes
from core.io import probe_image
from core.memory_model import decoding_bytes, pair_bytes, training_bytes
from core.pairing.plan import Match
from trainer.config.config import TrainConfig
from trainer.data.pair_reader import slice_size

_BYTES_PER_SAMPLE = 2
"""Bytes per sample of an image in memory (:class:`trainer.data.sampler.TrainingPair`)."""
_READ_OVERHEAD = 16
"""Temporary bytes per pixel while a pair is converted."""


def check_memory(config: TrainConfig, matches: Sequence[Match], device: str, batch: int) -> None:
    """Refuse a run whose images and steps exceed the available memory.

    Args:
        matches: all pairs to be held in memory, including those for validation.
        device: device of the training steps; a GPU has its own memory for them.
        batch: smallest number of crops per step.

    Raises:
        DeviceMemoryError: too little memory; the message says which setting to reduce.
    """
    held, reading = _images(config, matches)
    step = training_bytes(config.network, batch, config.crop)
    free = available_bytes(wanted=held + max(reading, step))
    if free is None:
        return
    if held + reading > free:
        raise DeviceMemoryError(
            Message.plural(
                "The pictures of {0} pair to train on",
                "The pictures of {0} pairs to train on",
                len(matches),
            ),
            Message(
                "reading and keeping them takes about {0} MB, and {1} MB are free",
                (held + reading) // 10**6,
                free // 10**6,
            ),
            Message("Use fewer or smaller pictures, or close other programs."),
        )
    if device == "cpu" and held + step > free:
        raise DeviceMemoryError(
            Message.plural(
                "Training with {0} crop of {1}×{1}",
                "Training with {0} crops of {1}×{1}",
                batch,
                config.crop,
            ),
            Message(
                "a step takes about {0} MB beside the pictures, and {1} MB are free",
                step // 10**6,
                max(0, free - held) // 10**6,
            ),
            Message("Use a smaller batch or crop, or close other programs."),
        )


def _images(config: TrainConfig, matches: Sequence[Match]) -> tuple[int, int]:
    """Bytes of all images in memory, and peak bytes while one pair is read."""
    held = reading = 0
    for match in matches:
        if match.study is not None:
            width, height = slice_size(match.study)
            held += 2 * width * height * config.network.in_channels * _BYTES_PER_SAMPLE
            reading = max(reading, volume_pair_bytes(match.study))
            continue
        try:
            a, b = probe_image(match.a), probe_image(match.b)
        except InputError:  # reported when the pair is read
            continue
        pixels = a.width * a.height * config.network.in_channels
        held += pixels * _BYTES_PER_SAMPLE * (3 if config.truth else 2)
        # The decoded images, the images made of them, and temporary arrays.
        converted = pair_bytes(a, b) + _READ_OVERHEAD * pixels
        reading = max(reading, decoding_bytes(a) + decoding_bytes(b), converted)
    return held, reading
