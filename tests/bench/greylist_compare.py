# SPDX-License-Identifier: GPL-2.0-or-later
"""The comparison of tests/bench/greylist."""

import argparse
import collections
import concurrent.futures
import heapq
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import greylist_trace
from greylist_trace import DAY, START

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(SOURCE / "tests" / "support"))

import postgrey as postgrey_server  # pylint: disable=wrong-import-position


class Mxfeed:
    """bench_greylist_decider: one decision for each message."""

    def __init__(self, build, when):
        self.process = subprocess.Popen([build / "bin" / "bench_greylist_decider", when],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("bench_greylist_decider has ended")
        return answer.decode().rstrip("\n")

    def attempt(self, now, message, client, recipients):
        """For each recipient whether it is taken; a call-out sees only the answer to RCPT."""
        _, address, name, spf = client
        word = self.ask("\t".join((str(now), address, name, spf, message.spf_domain,
                                   message.sender, ",".join(recipients)))).split(" ")[0]
        taken = {"accept": True, "defer": False, "defer-data": message.callout}[word]
        return [taken] * len(recipients)

    def lose_store(self):
        self.ask("")

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Postgrey:
    """A postgrey as Debian sets it up, asked as by Postfix: once for each recipient."""

    def __init__(self, root, *options):
        self.root, self.options = root, options
        self.start()

    def start(self):
        # In memory: it syncs its database with each answer.
        self.directory = tempfile.TemporaryDirectory(prefix="postgrey-", dir="/dev/shm")
        path = pathlib.Path(self.directory.name)
        lists = self.root / "usr/share/postgrey"
        if not lists.exists():
            lists = pathlib.Path("/etc/postgrey")
        self.server = postgrey_server.Postgrey(
            self.root / "usr/sbin/postgrey", path,
            f"--whitelist-recipients={lists}/whitelist_recipients",
            *(self.options if any("clients=" in one for one in self.options) else
              (f"--whitelist-clients={lists}/whitelist_clients", *self.options)))
        self.instance = 0

    def attempt(self, now, message, client, recipients):
        _, address, name, _ = client
        self.instance += 1
        return [self.server.ask(now, address, name, message.sender, recipient, self.instance)
                for recipient in recipients]

    def stop(self):
        self.server.stop()
        self.directory.cleanup()

    def lose_store(self):
        self.stop()
        self.start()


def follow(messages, decider, lose_store_on):
    """Brings each message until it is let through or its sender gives up.  Returns for each
    message the waits of its recipients in seconds, None for one that is lost."""
    waits = [dict.fromkeys(one.recipients) for one in messages]
    events = [(one.start, n, 0) for n, one in enumerate(messages)]
    heapq.heapify(events)
    loss = None if lose_store_on is None else START + (lose_store_on - 1) * DAY
    while events:
        now, n, at = heapq.heappop(events)
        if loss is not None and now >= loss:
            decider.lose_store()
            loss = None
        message = messages[n]
        waiting = [to for to, wait in waits[n].items() if wait is None]
        taken = decider.attempt(now, message, message.attempts[at], waiting)
        for to, let_through in zip(waiting, taken):
            if let_through:
                waits[n][to] = now - message.start
        if not all(taken) and at + 1 < len(message.attempts):
            heapq.heappush(events, (message.start + message.attempts[at + 1][0], n, at + 1))
    return [list(one.values()) for one in waits]


WORK = {}  # what the processes that run the deciders share


def follow_with(name):
    decider = WORK["deciders"][name]()
    try:
        return follow(WORK["messages"], decider, WORK["lose_store_on"])
    finally:
        decider.stop()


class Tally:
    """What happened to the recipients of one kind in one period."""

    def __init__(self):
        self.recipients = self.lost = self.passed = self.refused = 0
        self.waits = []

    def add(self, message, waits):
        for wait in waits:
            self.recipients += 1
            self.passed += wait is not None
            self.lost += wait is None
            self.refused += wait != 0
            if wait:
                self.waits.append(wait)

    def share(self, count):
        return f"{100 * count / self.recipients:5.1f}%" if self.recipients else "     -"

    def legitimate(self):
        waits = sorted(self.waits)
        if not waits:
            return f"{self.share(self.refused)}      -      - {self.lost:4}"
        mean, p95 = sum(waits) / len(waits) / 60, waits[int(len(waits) * 0.95)] / 60
        return f"{self.share(self.refused)} {mean:6.0f} {p95:6.0f} {self.lost:4}"

    def spam(self):
        return f"{self.share(self.passed)} {self.passed:6}            "

    def callout(self):
        return f"{self.share(self.refused)} {self.refused:6}            "


def tallies(messages, waits, first, last):
    """By kind and in total, of the messages that began on the days first..last."""
    found = collections.defaultdict(Tally)
    for message, of_message in zip(messages, waits):
        if not first <= (message.start - START) // DAY + 1 <= last:
            continue
        group = "call-out" if message.callout else "legitimate" if message.legitimate else "spam"
        for kind in (message.kind, "total"):
            found[group, kind].add(message, of_message)
    return found


def print_table(title, columns):
    """`columns`: name of the decider -> its tallies."""
    print(f"\n{title}\n{'':24} {'rcpts':>7} " +
          " ".join(f"| {name:24}" for name in columns))
    heads = {"legitimate": "delayed mean m  p95 m lost", "call-out": "refused  count            ",
             "spam": "passed   count            "}
    one = next(iter(columns.values()))
    for group, head in heads.items():
        print(f"{group:24} {'':7} " + " ".join(f"| {head:24}"[:28] for _ in columns))
        kinds = sorted((kind for where, kind in one if where == group),
                       key=lambda kind: (kind == "total", kind))
        for kind in kinds:
            if group == "call-out" and kind == "total":
                continue
            print(f"  {kind:22} {one[group, kind].recipients:7} " +
                  " ".join("| " + getattr(found[group, kind], group.replace("-", ""))()
                           for found in columns.values()))


def verdict(columns, name):
    """Prints the comparison that issue 9 asks for; returns whether it is met."""
    theirs, ours = columns["postgrey"], columns[name]
    delayed = ours["legitimate", "total"].refused / max(1, theirs["legitimate", "total"].refused)
    passed = [found["spam", "total"].passed for found in (ours, theirs)]
    met = delayed <= 1 / 3 and passed[0] <= passed[1]
    print(f"{name}: delays {delayed:.2f} of postgrey's legitimate mail (limit 0.33), "
          f"spam passed {passed[0]} : {passed[1]}: {'met' if met else 'MISSED'}")
    return met


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--lose-store-on", type=int, metavar="DAY")
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build")
    options = parser.parse_args()
    began = time.monotonic()
    postgrey = SOURCE / "build" / "aside" / "postgrey"
    if not postgrey.exists():
        postgrey = pathlib.Path("/")
    deciders = {
        "postgrey": lambda: Postgrey(postgrey),
        "postgrey, no client list": lambda: Postgrey(postgrey, "--whitelist-clients=/dev/null"),
        "postgrey --delay=180": lambda: Postgrey(postgrey, "--delay=180"),
        "mxfeed always": lambda: Mxfeed(options.build, "always"),
        "mxfeed suspicious": lambda: Mxfeed(options.build, "suspicious"),
    }
    messages = greylist_trace.generate(options.seed, options.days)

    # The processes inherit the messages.
    WORK.update(messages=messages, deciders=deciders, lose_store_on=options.lose_store_on)
    with concurrent.futures.ProcessPoolExecutor(
            os.cpu_count(), mp_context=multiprocessing.get_context("fork")) as pool:
        waits = dict(zip(deciders, pool.map(follow_with, deciders)))

    periods = [("all days", 1, options.days), ("first day", 1, 1),
               ("from day 8", 8, options.days)]
    if options.lose_store_on:
        periods.append(("day of the loss", options.lose_store_on, options.lose_store_on))
    tables = {}
    for title, first, last in periods:
        tables[title] = {name: tallies(messages, of_one, first, last)
                         for name, of_one in waits.items()}
        print_table(title, tables[title])
    print(f"\nseed {options.seed}, {len(messages)} messages, {options.days} days, "
          f"{time.monotonic() - began:.0f} s")
    met = [verdict(tables["all days"], name) for name in ("mxfeed always", "mxfeed suspicious")]
    sys.exit(0 if met[0] else 1)


if __name__ == "__main__":
    main()
