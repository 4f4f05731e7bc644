"""A segmentation in a real archive, in the study of the images that it refers to."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from pydicom import dcmread

from core.archive import archive_of, send_files
from core.io.dicom_output import DicomChoices, read_dicom_source
from core.io.volumes import list_series, load_study_volume
from core.progress import NullProgress
from core.regions import MeasuredSource, MeasuredSources, SphereRegion, measure_region
from core.regions.files import write_regions_segmentation
from tests.core.io.studies import write_pet
from tests.orthanc import start_orthanc


@pytest.mark.parametrize("way", ["dicom", "web"])
def test_orthanc_takes_it_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))
    write_pet(tmp_path / "PT")
    (header,) = list_series(tmp_path / "PT").series
    sources = MeasuredSources(MeasuredSource(load_study_volume(header)))
    region = SphereRegion("Lesion", (16.5, 16.5, 10.5), 9.0)
    refers = read_dicom_source(header, 0, DicomChoices(keep_identity=True))
    write_regions_segmentation(tmp_path / "s.dcm", [region], sources, "a", refers)
    server = start_orthanc(tmp_path / "orthanc")
    try:
        server.put(list(header.files))
        archive = archive_of(server.dicom() if way == "dicom" else server.web())
        (sent,) = send_files(archive, [tmp_path / "s.dcm"], NullProgress())
        assert sent.state == "stored"
        assert len(server.get("/studies")) == 1
        series = [server.get(f"/series/{one}") for one in server.get("/series")]
        by_modality = {one["MainDicomTags"]["Modality"]: one for one in series}
        assert sorted(by_modality) == ["PT", "SEG"]
        (stored,) = by_modality["SEG"]["Instances"]
        given_back = dcmread(io.BytesIO(server.get(f"/instances/{stored}/file")))
        known = {
            server.get(f"/instances/{one}")["MainDicomTags"]["SOPInstanceUID"]
            for one in by_modality["PT"]["Instances"]
        }
    finally:
        server.stop()
    found = measure_region(region, sources, "a")
    assert given_back.pixel_array.sum() == found.voxels
    for groups in given_back.PerFrameFunctionalGroupsSequence:
        (image,) = groups.DerivationImageSequence[0].SourceImageSequence
        assert image.ReferencedSOPInstanceUID in known
