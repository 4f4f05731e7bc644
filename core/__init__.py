"""UniFusion's fusion engine: no Qt, no trainer, scriptable by anyone.

Start at :class:`core.fusion.engine.FusionEngine`, or at ``ARCHITECTURE.md`` for the map.
"""

__version__ = "0.1.0"
