"""UniFusion's fusion engine. Depends on neither Qt nor the trainer.

The entry point is :class:`core.fusion.engine.FusionEngine`; ``ARCHITECTURE.md`` describes the rest.
"""

__version__ = "0.1.0"
