"""Main program of the process that decodes risky files, see :mod:`core.io.readers.isolated`.

Reads requests as lines of JSON from standard input and writes, for each, a line of JSON and the
bytes of the samples to standard output. Ends at the end of its input.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import PIL.Image

from core.errors import InputError, Message
from core.io.readers import jpeg
from core.io.readers.decoding import SampleArray, damaged
from core.messages import to_data

DecodedFacts = dict[str, Any]
Codec = Callable[[Path, Mapping[str, Any]], tuple[SampleArray, DecodedFacts]]

_SPARE, _BYTES_PER_PIXEL = 512 << 20, 40
_HEIF = "heif"
_LOSSLESS, _BEYOND, _FILLS = 0xC3, 4096, (b"\0", b"\xa5")


def _whole(decode: Callable[[bytes], SampleArray]) -> Codec:
    return lambda path, request: (decode(path.read_bytes()), {})


def _deep_jpeg(path: Path, request: Mapping[str, Any]) -> tuple[SampleArray, DecodedFacts]:
    content = path.read_bytes()
    found = jpeg.structure(path, content)
    if found.frame != _LOSSLESS:
        return imagecodecs.jpeg_decode(content), {}
    # This decoder ignores missing data and would read what follows it.
    data, end = content[: found.end], content[found.end : found.end + 2]
    one, other = (imagecodecs.jpeg_decode(data + fill * _BEYOND + end) for fill in _FILLS)
    if not np.array_equal(one, other):
        raise damaged(path, Message("it is cut short"))
    return one, {}


def _by_pillow(path: Path, request: Mapping[str, Any]) -> tuple[SampleArray, DecodedFacts]:
    if request["codec"] == _HEIF:
        try:
            import pillow_heif
        except ImportError as error:
            raise InputError(
                str(path),
                Message("HEIC pictures need a decoder that is not part of this program"),
                Message("Export it as JPEG or TIFF, or install the Python package pillow-heif."),
            ) from error
        pillow_heif.register_heif_opener()
    content = io.BytesIO(path.read_bytes())
    image: PIL.Image.Image
    with PIL.Image.open(content, formats=[request["codec"].upper()]) as image:
        facts: DecodedFacts = {"frames": int(getattr(image, "n_frames", 1))}
        profile = image.info.get("icc_profile")
        facts["profile"] = profile.hex() if isinstance(profile, bytes) else ""
        facts["orientation"] = int(image.getexif().get(0x0112, 1))
        if image.mode not in ("L", "LA", "RGB", "RGBA"):
            image = image.convert("RGBA" if "A" in image.mode else "RGB")
        return np.asarray(image), facts


def _tiff_page(path: Path, request: Mapping[str, Any]) -> tuple[SampleArray, DecodedFacts]:
    from core.io.readers.tiff import page_samples

    return page_samples(path, int(request["offset"])), {}


def _dicom(path: Path, request: Mapping[str, Any]) -> tuple[SampleArray, DecodedFacts]:
    # Its codecs are heavy, and most processes never need them.
    from core.io.readers.dicom.pixels import decoded_here

    return decoded_here(path, int(request["index"])), {}


CODECS: dict[str, Codec] = {
    "dicom": _dicom,
    "jpeg": _deep_jpeg,
    "jpegls": _whole(imagecodecs.jpegls_decode),
    "jpeg2000": _whole(imagecodecs.jpeg2k_decode),
    "jpegxl": _whole(imagecodecs.jpegxl_decode),
    "avif": _by_pillow,
    _HEIF: _by_pillow,
    "tiff": _tiff_page,
}


def main() -> None:
    """Process requests until the end of the input."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is handled by the parent process
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output printed by libraries must not mix with the answers
    PIL.Image.MAX_IMAGE_PIXELS = None
    _send(answers, {"ready": True})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        # Ends a hang even if the parent process no longer exists.
        faulthandler.dump_traceback_later(request["seconds"] + 5, exit=True)
        _answer(answers, request)
        faulthandler.cancel_dump_traceback_later()


def _answer(answers: BinaryIO, request: Mapping[str, Any]) -> None:
    path = Path(os.fsdecode(bytes.fromhex(request["path"])))
    try:
        with _memory_limited(int(request["pixels"])):
            samples, facts = CODECS[request["codec"]](path, request)
            samples = np.ascontiguousarray(samples)
    except MemoryError:
        _send(answers, {"error": "memory"})
    except InputError as error:
        _send(answers, {"error": [to_data(error.why), to_data(error.remedy)]})
    except Exception as error:  # decoders raise exceptions of any type
        _send(answers, {"error": str(error) or type(error).__name__})
    else:
        shape, dtype = list(samples.shape), samples.dtype.str
        header = {"shape": shape, "dtype": dtype, "bytes": samples.nbytes, "facts": facts}
        _send(answers, header, samples)


def _send(answers: BinaryIO, header: Mapping[str, Any], samples: SampleArray | None = None) -> None:
    answers.write(json.dumps(header).encode() + b"\n")
    if samples is not None:
        answers.write(samples.reshape(-1).view(np.uint8).data)
    answers.flush()


@contextlib.contextmanager
def _memory_limited(pixels: int) -> Iterator[None]:
    """Limit the address space to what such an image can need, where the system supports it."""
    try:
        import resource

        statm = Path("/proc/self/statm").read_text().split()
    except (ImportError, OSError):
        yield
        return
    now = int(statm[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = now + _SPARE + _BYTES_PER_PIXEL * pixels
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


if __name__ == "__main__":
    main()
