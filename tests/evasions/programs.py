# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the programs that make and open archives, each within a time limit."""

import pathlib
import subprocess
import tempfile

from formats import NotApplicable, file_name

SECONDS = 20


def run(command, directory, stdin=b"", seconds=SECONDS):
    """(exit status, standard output); -1 and nothing if it did not end in time."""
    try:
        done = subprocess.run(command, cwd=directory, input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return -1, b""
    return done.returncode, done.stdout


def packed(content, command, out="out", name=None, stdin=b"", more=()):
    """The archive that the command makes of the content in {file}: {out}, or its output.

    `more` are the names and contents of other files in the directory.
    """
    with tempfile.TemporaryDirectory(prefix="evade") as directory:
        directory = pathlib.Path(directory)
        name = name or file_name(content)
        (directory / name).write_bytes(content)
        for other, text in more:
            (directory / other).write_bytes(text)
        filled = [part.format(file=name, out=out) for part in command]
        status, output = run(filled, directory, stdin)
        if status != 0:
            raise NotApplicable(f"{' '.join(filled)}: status {status}")
        if "{out}" in " ".join(command):
            return next(directory.glob(out + "*")).read_bytes()
        return output
