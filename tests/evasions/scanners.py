# SPDX-License-Identifier: GPL-2.0-or-later
"""The scanners that are asked: a real mxfeed-scan of its own, and clamscan."""

import concurrent.futures
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "dialogs"), str(TESTS / "support")]

# pylint: disable=wrong-import-position
import daemons
import scan_service

# A verdict that is none: the worker died, or refused to answer.
NO_ANSWER = ("none", "error")
NAME = re.compile(r"[^A-Za-z0-9]+")


def write_signatures(directory, payloads, variant):
    """A database that knows the payloads: as whole files ("hash") or anywhere ("pattern")."""
    directory.mkdir()
    lines = []
    for name, content in payloads.items():
        label = "Evasion." + NAME.sub("-", name)
        if variant == "hash":
            lines.append(f"{hashlib.sha256(content).hexdigest()}:{len(content)}:{label}\n")
        else:
            lines.append(f"{label}:0:*:{_pattern(content)}\n")
    suffix = "hsb" if variant == "hash" else "ndb"
    (directory / f"evasions.{suffix}").write_text("".join(lines))


def _pattern(content):
    """The bytes by which the payload is known: EICAR whole, of larger files a part."""
    if len(content) < 100:
        return content.hex()
    at = max(range(0, len(content) - 64, 64), key=lambda i: len(set(content[i:i + 64])))
    return content[at:at + 64].hex()


class Service:
    """mxfeed-scan with signatures of its own; ended by close()."""

    def __init__(self, payloads, variant, workers=2):
        self.workers = workers
        self._directory = tempfile.TemporaryDirectory(prefix="mxf")  # pylint: disable=R1732
        directory = pathlib.Path(self._directory.name)
        write_signatures(directory / "db", payloads, variant)
        self.database = directory / "db"
        state = directory / "state"
        daemons.apply(state, daemons.feed("acme.example"),
                      f'\n[virus]\ndatabase = "{self.database}"\nworkers = {workers}\n')
        self._daemon = daemons.Daemon("scan", state, directory, milter=False)
        self._daemon.start()
        self._socket = str(state / "scan" / "scan.sock")

    def ask(self, mail):
        """(verdict, name)"""
        try:
            return scan_service.Asked(self._socket, mail).result()
        except TimeoutError:
            return "none", "timed out"

    def kinds(self, mail):
        """The kinds of its attachments; None without a list of them."""
        asked = scan_service.Asked(self._socket, mail, lists_attachments=True)
        asked.result()
        return asked.attachments and asked.attachments["kinds"]

    def ask_all(self, mails, question=None):
        """The answers in the order of the mails, some of them asked at once."""
        with concurrent.futures.ThreadPoolExecutor(self.workers + 1) as pool:
            return list(pool.map(question or self.ask, mails))

    def close(self):
        try:
            self._daemon.stop()
        finally:
            self._daemon.kill()
            self._directory.cleanup()


def clamscan_program():
    """Debian's clamscan, installed or unpacked aside; None if it is neither."""
    aside = daemons.SOURCE / "build" / "aside" / "clamav" / "usr/bin/clamscan"
    return str(aside) if aside.exists() else shutil.which("clamscan")


def clamscan(mails, database):
    """"infected" or "clean" of each mail, as clamscan answers with its alerts switched on."""
    program = clamscan_program()
    if program is None:
        return ["-"] * len(mails)
    with tempfile.TemporaryDirectory(prefix="evade") as directory:
        for number, mail in enumerate(mails):
            (pathlib.Path(directory) / str(number)).write_bytes(mail)
        done = subprocess.run(
            [program, "--database", database, "--no-summary", "--infected", "--recursive",
             "--alert-encrypted", "--alert-exceeds-max", "--max-scantime=20000", directory],
            capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    found = {}
    for line in done.stdout.splitlines():
        file, _, what = line.rpartition(": ")
        if what.endswith(" FOUND"):
            found[int(os.path.basename(file))] = what.removesuffix(" FOUND")
    answers = []
    for number in range(len(mails)):
        name = found.get(number)
        answers.append("clean" if name is None else
                       "encrypted" if name.startswith("Heuristics.Encrypted") else
                       "unscannable" if name.startswith("Heuristics.Limits") else "infected")
    return answers
