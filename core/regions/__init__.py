"""Regions, distances and angles on a study, and the figures of both sources in them.

Without Qt and torch; numpy alone, so that the window may import it. What there is:

* :mod:`core.regions.shapes`: frozen values in patient mm, each with a name and a frame of
  reference. On a :class:`DrawingPlane` (``DrawingPlane.of_slice`` makes that of a slice on show):
  :class:`EllipseRegion`, :class:`RectangleRegion`, :class:`PolygonRegion` (freehand). In space:
  :class:`SphereRegion` and :class:`ThresholdRegion` (a :class:`Threshold` within a sphere). Besides
  them :class:`DistanceLine` (``length``) and :class:`AngleMark` (``degrees``). ``Region`` is what
  has voxels, ``Annotation`` any of them. ``dataclasses.replace`` moves and renames.
* :mod:`core.regions.data`: :func:`regions_data` and :func:`regions_from_data`, for JSON.
* :mod:`core.regions.sources`: :class:`MeasuredSources`, the native volumes (as
  ``load_study_volume`` gives them, not the one that was resampled) and the pair's transform.
  :func:`find_voxels` gives the :class:`RegionMask` of a region on one of them, for an outline.
* :mod:`core.regions.figures`: :func:`measure_regions`, for a worker: a :class:`RegionFigures` for
  each region and source. A figure that is not defined has a reason instead of a value, and a region
  that cannot be measured has ``problem``; nothing is raised but ``Cancelled``.
* :mod:`core.regions.files`, to be imported late (it brings the writers): regions as JSON, figures
  as CSV (``figures_table`` gives the rows), masks as DICOM SEG.
"""

from core.regions.data import regions_data, regions_from_data
from core.regions.figures import (
    FIGURE_NAMES,
    FIGURES,
    Figure,
    RegionFigures,
    measure_region,
    measure_regions,
)
from core.regions.marks import AngleMark, DistanceLine
from core.regions.masks import RegionMask, rasterised
from core.regions.parts import PatientPoint, PlanePoint
from core.regions.shapes import (
    Annotation,
    DrawingPlane,
    EllipseRegion,
    FlatRegion,
    PolygonRegion,
    RectangleRegion,
    Region,
    SphereRegion,
    Threshold,
    ThresholdRegion,
    free_name,
    is_region,
)
from core.regions.sources import FoundVoxels, MeasuredSource, MeasuredSources, find_voxels

__all__ = [
    "FIGURES",
    "FIGURE_NAMES",
    "AngleMark",
    "Annotation",
    "DistanceLine",
    "DrawingPlane",
    "EllipseRegion",
    "Figure",
    "FlatRegion",
    "FoundVoxels",
    "MeasuredSource",
    "MeasuredSources",
    "PatientPoint",
    "PlanePoint",
    "PolygonRegion",
    "RectangleRegion",
    "Region",
    "RegionFigures",
    "RegionMask",
    "SphereRegion",
    "Threshold",
    "ThresholdRegion",
    "find_voxels",
    "free_name",
    "is_region",
    "measure_region",
    "measure_regions",
    "rasterised",
    "regions_data",
    "regions_from_data",
]
