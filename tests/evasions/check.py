# SPDX-License-Identifier: GPL-2.0-or-later
"""Wraps, asks mxfeed-scan, and says what it calls clean though a program gets it out."""

import collections
import concurrent.futures
import dataclasses
import os
import pathlib

import extract
import scanners
import wrappings

HERE = pathlib.Path(__file__).resolve().parent
KNOWN = HERE / "known.tsv"
VARIANTS = ("hash", "pattern")
# What is tried for every change.
TRIPLES, SEED = 500, 10
THREADS = os.cpu_count() or 2


@dataclasses.dataclass
class Case:
    """One mail, and what was found out about it."""
    names: tuple
    payload: str
    wrapped: wrappings.Wrapped
    answers: dict = dataclasses.field(default_factory=dict)  # variant -> (verdict, name)
    ways: dict = dataclasses.field(default_factory=dict)     # variant -> "python+7z"

    @property
    def label(self):
        return "+".join(self.names)

    def failures(self):
        """The variants in which it passes, each with the way in which a program opens it."""
        found = {}
        for variant, (verdict, _) in self.answers.items():
            if verdict in scanners.NO_ANSWER:
                found[variant] = f"no answer: {verdict}"
            elif verdict == "clean" and self.must_stop():
                found[variant] = "must be stopped"
            elif verdict == "clean" and self.ways.get(variant):
                found[variant] = self.ways[variant]
        return found

    def must_stop(self):
        """Whether "clean" is wrong even if no program opens it."""
        return len(self.names) == 1 and self.wrapped.right != wrappings.OPEN


def make_cases(chains, payloads):
    """The cases; a chain that cannot be is left out."""
    def make(names, payload):
        try:
            return Case(names, payload, wrappings.chain(names, payloads[payload]))
        except wrappings.NotApplicable:
            return None
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        made = pool.map(lambda both: make(*both),
                        [(names, payload) for names in chains for payload in payloads])
        return [case for case in made if case]


def ask(cases, payloads, variants=VARIANTS, clamscan=None):
    """Fills in the answers; and into `clamscan`, if it is a dictionary, those of clamscan."""
    for variant in variants:
        service = scanners.Service(payloads, variant, THREADS)
        try:
            mails = [case.wrapped.mail for case in cases]
            for case, answer in zip(cases, service.ask_all(mails)):
                case.answers[variant] = answer
            if clamscan is not None:
                clamscan[variant] = scanners.clamscan(mails, service.database)
        finally:
            service.close()


def find_ways(cases, excused=lambda case: False):
    """Looks for a program that opens what was called clean."""
    def find(case):
        wanted = {variant for variant, (verdict, _) in case.answers.items()
                  if verdict == "clean" and not case.must_stop() and not excused(case)}
        if not wanted:
            return
        for way, content in extract.walk(case.wrapped.mail):
            for variant in list(wanted):
                if is_goal(case, variant, content):
                    case.ways[variant] = "+".join(way)
                    wanted.remove(variant)
            if not wanted:
                return
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(find, cases))


def is_goal(case, variant, content):
    """Whether the goal came out: anywhere in a file, or for a hash as the whole file.  What is
    locked must come out of what it is stored in, to ask anybody for a password."""
    goal = case.wrapped.goal
    if case.wrapped.right == wrappings.LOCKED:
        return content.strip() == goal.strip()
    return goal in content if variant == "pattern" else goal == content


def all_programs(cases, variant):
    """For each case the last programs of all ways, for the report."""
    def find(case):
        return sorted({way[-1] for way, content in extract.walk(case.wrapped.mail)
                       if is_goal(case, variant, content)})
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(find, cases))


def known():
    """{wrapping, or several joined by "+": what is still wrong}"""
    lines = KNOWN.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines if line and not line.startswith("#"))


def write_known(labels):
    """Writes the table of these, with the reasons that it has for them now."""
    reasons, order = known(), list(wrappings.TABLE)
    comments = [line for line in KNOWN.read_text(encoding="utf-8").splitlines()
                if line.startswith("#")]
    rows = [f"{label}\t{reasons.get(label, 'not examined yet')}" for label in sorted(
        labels, key=lambda label: [order.index(name) for name in reversed(label.split("+"))])]
    # The wrappings alone come first.
    rows.sort(key=lambda row: "+" in row.split("\t")[0])
    KNOWN.write_text("\n".join(comments + rows) + "\n", encoding="utf-8")


def is_known(names, table):
    """Whether a wrapping of the chain, or the chain itself, is in the table."""
    return "+".join(names) in table or any(name in table for name in names)


def summary(cases):
    """One line: how often each answer was given."""
    counts = collections.Counter(
        (variant, verdict) for case in cases for variant, (verdict, _) in case.answers.items())
    return "; ".join(f"{variant} {verdict} {count}"
                     for (variant, verdict), count in sorted(counts.items()))
