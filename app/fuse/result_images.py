"""The images of a fusion result: fused image, reconstructions, feature maps."""

from __future__ import annotations

from collections.abc import Mapping

from app.viewer.display_state import AdapterName, FeatureView
from app.viewer.pyramid import RenderedImage, rendered_image
from core.fusion.feature_maps import PcaBasis, common_basis, feature_pixels
from core.types import FloatArray, FusionResult


def features_of(result: FusionResult, adapter: AdapterName) -> FloatArray | None:
    """The feature map of adapter A or B."""
    return result.features_a if adapter == "a" else result.features_b


def feature_image(result: FusionResult, view: FeatureView, basis: PcaBasis) -> RenderedImage | None:
    """The image of the feature pane, scaled to the size of the fused image, if there is one."""
    features = features_of(result, view.adapter)
    if features is None:
        return None
    size = _feature_extent(features, result.fused)
    return rendered_image(feature_pixels(features, basis, view.mode, view.channel), size)


def _feature_extent(features: FloatArray, fused: FloatArray) -> tuple[int, int]:
    """The size, in source pixels, that a map covers.

    Each cell covers a whole number of pixels; the last ones may extend beyond the image.
    """
    rows, columns = features.shape[1:]
    height, width = fused.shape[:2]
    longer = height / rows if height >= width else width / columns
    stride = max(1, round(longer))
    return columns * stride, rows * stride


def basis_of(result: FusionResult) -> PcaBasis | None:
    """The common PCA basis of a result's two feature maps; None if it has none."""
    if result.features_a is None or result.features_b is None:
        return None
    return common_basis(result.features_a, result.features_b)


_PANES = {"reconstruction_a": "recon_a", "reconstruction_b": "recon_b"}


def result_images(
    result: FusionResult, view: FeatureView, basis: PcaBasis | None
) -> Mapping[str, RenderedImage]:
    """The images of a result, by pane: fused, recon_a, recon_b, features."""
    depth = result.bit_depth
    found = {
        _PANES.get(name, name): rendered_image(image, depth=depth)
        for name, image in result.images.items()
    }
    features = feature_image(result, view, basis) if basis is not None else None
    if features is not None:
        found["features"] = features
    return found
