"""The libraries of the network write no log: their lines would quote names and addresses."""

from __future__ import annotations

import logging

from core.io.readers import gdcm_import  # noqa: F401  # pydicom imports gdcm

_TALKATIVE = ("pynetdicom", "dicomweb_client", "urllib3", "requests", "retrying")


def silence() -> None:
    """Switch their logging off, whatever the program that uses this engine has set up."""
    for name in _TALKATIVE:
        root = logging.getLogger(name)
        root.disabled = True
        # Loggers of modules look at the level of the nearest one above that has any.
        root.setLevel(logging.CRITICAL + 1)
        for known in list(logging.Logger.manager.loggerDict):
            if known.startswith(f"{name}."):
                logging.getLogger(known).setLevel(logging.CRITICAL + 1)
