"""Model packs: format, registry, the user's library, download of DINOv3."""
