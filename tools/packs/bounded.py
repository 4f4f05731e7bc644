"""A pack whose output is kept within what its sources show, without training.

    python -m tools.packs.bounded PACK OUT

The head ``blend`` of the pack becomes ``bounded_blend``: what it draws beyond the bounds of both
sources (:func:`core.models.bounding.bounds`) is cut off. No weight changes.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from core.errors import InputError, Message
from core.models.network import UniFusionNet
from core.packs.format import PackManifest, read_pack, write_pack


def keep_within_bounds(pack: Path, out: Path) -> PackManifest:
    """Write the pack with a head that stays within the bounds of the sources.

    Args:
        pack: with the head ``blend``.
        out: the pack to write; its file name becomes the name of the pack.

    Raises:
        InputError: the pack has another head.
        PackError: the pack cannot be used. OutputError: ``out`` cannot be written.
    """
    network, manifest = read_pack(pack)
    if network.config.head != "blend":
        raise InputError(
            pack.name,
            Message("its head is “{0}”, not “blend”", network.config.head),
            Message("Choose a pack with the head “blend”."),
        )
    kept = UniFusionNet(replace(network.config, head="bounded_blend")).eval()
    kept.load_state_dict(network.state_dict())
    before = f"{manifest.name} {manifest.weights_sha256[:12]}"
    parent = manifest.training.parent
    record = replace(manifest.training, parent=before + (f" ({parent})" if parent else ""))
    return write_pack(
        out, kept, replace(manifest, name=out.stem, network=kept.config, training=record)
    )


def main() -> None:
    """Convert a pack."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    written = keep_within_bounds(options.pack, options.out)
    print(written.name, written.weights_sha256)


if __name__ == "__main__":
    main()
