"""Conversion from embedded colour profiles to sRGB at the bit depth of the image."""

from __future__ import annotations

import io
from typing import Any, Literal

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import ImageCms

from core.messages import Message

_SPACES = {b"GRAY": ("gray", 1), b"RGB ": ("rgb", 3), b"CMYK": ("cmyk", 4)}
_UNUSABLE = Message("The embedded colour profile could not be used; colours are shown as stored.")


def to_srgb(
    pixels: npt.NDArray[Any], kind: Literal["grey", "rgb", "cmyk"], profile: bytes
) -> tuple[npt.NDArray[Any] | None, str]:
    """Convert ``pixels`` from ``profile`` to sRGB.

    Args:
        pixels: H×W×C unsigned 8- or 16-bit; C = 1, 3 or 4 for grey, RGB or CMYK.
        kind: meaning of the channels.
        profile: bytes of an ICC profile.

    Returns:
        The converted samples (C = 1 for grey, otherwise 3; same type), or None if no conversion is
        necessary or possible; and a note ("" for none).
    """
    name = _description(profile)
    if "srgb" in name.lower() and kind != "cmyk":
        return None, ""
    space, channels = _SPACES.get(profile[16:20], ("", 0))
    if kind == "grey" and space == "rgb":
        pixels = np.repeat(pixels, 3, axis=2)  # a grey image with an RGB profile
    if pixels.shape[2] != channels:
        return None, _UNUSABLE
    source = pixels[..., 0] if channels == 1 else pixels
    # lcms's optimised tables deviate by 4 % in dark tones, except those for 8-bit RGB (±1).
    quick = pixels.dtype == np.uint8 and channels > 1
    flags = None if quick else imagecodecs.CMS.FLAGS.NOOPTIMIZE
    try:
        converted = imagecodecs.cms_transform(
            np.ascontiguousarray(source),
            profile,
            imagecodecs.cms_profile("srgb"),
            colorspace=space,
            outcolorspace="rgb",
            outdtype=pixels.dtype,
            flags=flags,
        )
    except (imagecodecs.CmsError, ValueError, TypeError):
        return None, _UNUSABLE
    if kind == "grey":
        # Grey remains grey: the three channels differ by rounding at most.
        converted = converted[..., 1:2]
    if name:
        return converted, Message(
            "Colours were converted from the embedded profile “{0}” to sRGB.", name
        )
    return converted, Message("Colours were converted from the embedded profile to sRGB.")


def _description(profile: bytes) -> str:
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip()
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return ""


def cmyk_to_rgb(pixels: npt.NDArray[Any], top: int) -> npt.NDArray[Any]:
    """H×W×3 float32 in 0…``top`` from H×W×4 CMYK without a profile: (1 − ink)(1 − K) per ink."""
    ink = pixels.astype(np.float32) / np.float32(top)
    return (1 - ink[..., :3]) * (1 - ink[..., 3:]) * np.float32(top)
