"""The libraries of the network write no log: their lines would quote names and addresses."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from core.io.readers import gdcm_import  # noqa: F401  # pydicom imports gdcm

if TYPE_CHECKING:
    from pynetdicom.association import Association

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


def without_traceback(association: Association) -> None:
    """Let the thread of a connection end without a word where both sides end it at once.

    pynetdicom has no rule for, say, an abort while the other side's closing is awaited (event 15 in
    state 13 of PS3.8 9.2), and its thread ends with a traceback on the terminal.
    """
    from pynetdicom.fsm import InvalidEventError

    act = association.dul.state_machine.do_action

    def act_or_end(event: str) -> None:
        try:
            act(event)
        except InvalidEventError:
            association.dul.kill_dul()
            if association.dul.socket is not None:
                association.dul.socket.close()

    machine: Any = association.dul.state_machine
    machine.do_action = act_or_end
