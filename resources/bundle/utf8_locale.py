"""Run by the frozen program before anything else: give Qt the UTF-8 locale it asks for.

Python is set to UTF-8 by the program itself (see build.spec); Qt looks at the environment and
prints four lines of complaint when it names no locale, as under cron or in a container.
"""

import os
import sys

if sys.platform.startswith("linux") and not any(
    os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")
):
    os.environ["LC_CTYPE"] = "C.UTF-8"
