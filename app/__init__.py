"""UniFusion Studio: the window and the command line."""

import os

from core.available_memory import retain_freed_memory

# Torch's threads else spin while they wait for each other. Beside a window, reading and writing
# threads or another program that turns a fusion of 0.2 s into one of several seconds; on an idle
# machine it costs up to a tenth at 512×512. It must stand here before libgomp is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Before any thread is started, and before libraries allocate.
retain_freed_memory()
