"""Identifies image formats by their first bytes; requires the standard library only."""

from __future__ import annotations

import re
import struct
import zlib

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# After the number come white space or a comment, and then the width.
_NETPBM = re.compile(rb"P[1-6][ \t\r\n]+(?:#|\d)")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_JXL_BOX = b"\0\0\0\x0cJXL \r\n\x87\n"
_JP2_BOX = b"\0\0\0\x0cjP  \r\n\x87\n"
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_AVIF_BRANDS = (b"avif", b"avis")
_GENERIC_BRANDS = (b"mif1", b"msf1", b"miaf")
# Without a preamble the first element is of group 0002 or 0008: with its kind, or with a length
# below 256 (of a group length: 4).
_LOW = rb"[\x00\x01\x02\x03\x05\x08\x10\x12\x14\x16\x18]"
_BARE_DICOM = re.compile(
    rb"[\x02\x08]\0" + _LOW + rb"\0(?:UL|CS|UI|OB)"
    rb"|\0[\x02\x08]\0" + _LOW + rb"(?:UL|CS|UI|OB)"
    rb"|\x08\0(?:\0\0\x04|[\x01\x05\x08\x12\x14\x16\x18]\0[^\0])\0\0\0",
    re.DOTALL,
)


def is_png(head: bytes) -> bool:
    """True for the first bytes of a PNG file."""
    return head.startswith(PNG_SIGNATURE)


def is_jpeg(head: bytes) -> bool:
    """True for the first bytes of a JPEG file of any coding except JPEG-LS."""
    return head.startswith(b"\xff\xd8\xff") and not is_jpegls(head)


def is_jpegls(head: bytes) -> bool:
    """True for the first bytes of a JPEG-LS file."""
    return head.startswith(b"\xff\xd8\xff") and _first_frame(head) == 0xF7


def _first_frame(head: bytes) -> int:
    """Marker of the frame header if it lies within ``head``; otherwise 0."""
    at = 2
    while at + 4 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            return marker
        at += 2 + int(struct.unpack(">H", head[at + 2 : at + 4])[0])
    return 0


def is_bmp(head: bytes) -> bool:
    """True for the first bytes of a Windows bitmap (also called DIB)."""
    if not head.startswith(b"BM") or len(head) < 18:
        return False
    return struct.unpack("<I", head[14:18])[0] in _BMP_HEADERS


def is_webp(head: bytes) -> bool:
    """True for the first bytes of a WebP file."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def is_gif(head: bytes) -> bool:
    """True for the first bytes of a GIF file."""
    return head.startswith((b"GIF87a", b"GIF89a"))


def is_tiff(head: bytes) -> bool:
    """True for the first bytes of a TIFF or BigTIFF file.

    A DICOM file may start like a TIFF file, because its preamble is arbitrary; it is excluded.
    """
    return head.startswith(_TIFF_MAGICS) and not is_dicom(head)


def is_netpbm(head: bytes) -> bool:
    """True for the first bytes of a PBM, PGM or PPM file."""
    return _NETPBM.match(head) is not None


def is_jpeg2000(head: bytes) -> bool:
    """True for the first bytes of a JP2 file or a bare JPEG 2000 code stream."""
    return head.startswith((_JP2_BOX, b"\xff\x4f\xff\x51"))


def is_jpegxl(head: bytes) -> bool:
    """True for the first bytes of a JPEG XL file or bare code stream."""
    return head.startswith(_JXL_BOX) or (head.startswith(b"\xff\x0a") and len(head) > 2)


def is_jpegxr(head: bytes) -> bool:
    """True for the first bytes of a JPEG XR file."""
    return head.startswith((b"II\xbc\x01", b"II\xbc\x00"))


def is_avif(head: bytes) -> bool:
    """True for the first bytes of an AVIF file."""
    return any(brand in _AVIF_BRANDS for brand in _brands(head))


def is_heif(head: bytes) -> bool:
    """True for the first bytes of a HEIC or HEIF file other than AVIF."""
    brands = _brands(head)
    return not is_avif(head) and any(b in _HEIF_BRANDS + _GENERIC_BRANDS for b in brands)


def _brands(head: bytes) -> list[bytes]:
    """Brands declared by an ISO base media file, the major one first; empty for other files."""
    if head[4:8] != b"ftyp":
        return []
    end = min(int(struct.unpack(">I", head[:4])[0]), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]


def is_dicom(head: bytes) -> bool:
    """True for the first bytes of a DICOM file, also of one without preamble."""
    return head[128:132] == b"DICM" or _BARE_DICOM.match(head) is not None


def is_nifti(head: bytes) -> bool:
    """True for the first bytes of a NIfTI-1 or NIfTI-2 file, plain or compressed (gzip)."""
    if head.startswith(b"\x1f\x8b"):
        head = _inflated(head)
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def _inflated(head: bytes) -> bytes:
    """The beginning of what a gzip file holds, as far as it can be told."""
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, 1024)
    except zlib.error:
        return b""
