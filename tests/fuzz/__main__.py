"""Mutated files through all readers, and a table of what came of them.

    python -m tests.fuzz --count 50000 [--hostile DIR] [--keep DIR]

Ends with 1 when a file made a reader crash, hang over 10 s, take over 1 GB, raise anything but an
InputError, or when damage that can be known was accepted: a file cut short, or one whose checksums
cannot be right.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz.campaign import Report, run
from tests.fuzz.seeds import seeds

_OUTCOMES = ("refused", "same", "different", "crash", "hang", "escaped")


def _tell(done: int, report: Report) -> None:
    print(f"{done} files, {len(report.faults)} faults", flush=True)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=50000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--hostile", type=Path)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    report = run(seeds(options.hostile), options.count, options.start, options.keep, _tell)
    print(f"| kind | {' | '.join(_OUTCOMES)} |\n| --- |{' --- |' * len(_OUTCOMES)}")
    for name in sorted({name for name, _ in report.counts}):
        figures = (str(report.counts[name, outcome]) for outcome in _OUTCOMES)
        print(f"| {name} | {' | '.join(figures)} |")
    print(f"slowest: {report.slowest[0]:.2f} s ({report.slowest[1]})")
    print(f"largest: {report.largest[0]} MB ({report.largest[1]})")
    print("\n".join(report.faults) or "no faults")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
