#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A made-up signature set of the size of a real one: 940 000 signatures that match nothing,
and the EICAR test file.

    tests/bench/signatures.py [DIRECTORY]

Most are hashes, which cost memory.  The time of a scan goes into the 40 000 logical
signatures: libclamav evaluates all those of a target for each object that it scans.  The
set is the same each time; it is made once and kept in the user's cache.
"""

import os
import pathlib
import random
import subprocess
import sys

VERSION = 1  # of the set: another one gets another directory
HASHES = {"hdb": (250_000, 32), "hsb": (250_000, 64)}
SECTION_HASHES = 300_000
BODIES = 100_000
LOGICAL = 40_000
# Of the logical signatures: any file, PE, OLE2, HTML, mail, ASCII text, ELF, PDF.
TARGETS = {0: 10, 1: 68, 2: 8, 3: 4, 4: 1, 7: 5, 6: 2, 10: 2}


def hexadecimal(rng, digits):
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def logical(rng, i):
    target = rng.choices(list(TARGETS), TARGETS.values())[0]
    count = rng.choice((1, 2, 2, 3, 3, 4, 6))
    parts = ";".join(hexadecimal(rng, 2 * rng.randint(8, 24)) for _ in range(count))
    terms = [str(n) for n in range(count)]
    expression = rng.choice(("&", "|")).join(terms) if count < 4 else \
        f"({'|'.join(terms[:-1])})>{rng.randint(1, count - 2)}&{terms[-1]}"
    return f"Bench.Logical-{i};Engine:51-255,Target:{target};{expression};{parts}\n"


def write(directory):
    rng = random.Random(7)
    for kind, (count, digits) in HASHES.items():
        with open(directory / f"bench.{kind}", "w", encoding="ascii") as out:
            for i in range(count):
                out.write(f"{hexadecimal(rng, digits)}:{rng.randint(500, 3_000_000)}:"
                          f"Bench.Hash.{kind}-{i}\n")
    with open(directory / "bench.mdb", "w", encoding="ascii") as out:
        for i in range(SECTION_HASHES):
            out.write(f"{rng.randint(1, 4000) * 512}:{hexadecimal(rng, 32)}:Bench.Section-{i}\n")
    with open(directory / "bench.ndb", "w", encoding="ascii") as out:
        for i in range(BODIES):
            target = rng.choice((0, 0, 1, 1, 1, 1, 1, 3, 4, 7))
            out.write(f"Bench.Body-{i}:{target}:*:{hexadecimal(rng, 2 * rng.randint(16, 60))}\n")
    with open(directory / "bench.ldb", "w", encoding="ascii") as out:
        out.writelines(logical(rng, i) for i in range(LOGICAL))
    test_database = pathlib.Path(__file__).resolve().parents[1] / "support/test-database"
    subprocess.run([test_database, directory], check=True)


def directory():
    """Where the set is; made if it is not there yet."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    made = cache / "mxfeed" / f"signatures-{VERSION}"
    if not made.is_dir():
        unfinished = made.with_name(f"{made.name}.{os.getpid()}")
        unfinished.mkdir(parents=True)
        write(unfinished)
        unfinished.rename(made)
    return made


if __name__ == "__main__":
    if len(sys.argv) > 1:
        pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
        write(pathlib.Path(sys.argv[1]))
    else:
        print(directory())
