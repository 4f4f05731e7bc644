"""Model packs: format, registry, library, download of DINOv3."""
