#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long `mxfeed greylist simulate` takes for a long log of Postfix, and how much memory.

    tests/bench/greylist_log.py [--messages 1000000] [--days 30] [--new 0.3] [PROGRAM]

Of the senders some are regular ones, the others write once.  The site greylists a fifth of the
messages, and half of those never come back.
PROGRAM is build/bin/mxfeed.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time

BEGIN = 1_795_000_000
REGULARS = 20_000


def lines(messages, days, new):
    """Of the log, in order of time."""
    dice = random.Random(1)
    for number in range(messages):
        at = BEGIN + number * days * 86_400 // messages
        clock = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{number % 1000:03}+00:00"
        who = f"n{number}" if dice.random() < new else f"r{dice.randrange(REGULARS)}"
        host = hash_of(who)
        client = f"mx.{who}.example[198.{18 + host % 2}.{host // 2 % 256}.{host // 512 % 256}]"
        sender, recipient = f"{who}@{who}.example", f"u{dice.randrange(5000)}@acme.example"
        smtpd = f"{clock} mx1 postfix/smtpd[{number % 100}]: "
        yield f"{smtpd}connect from {client}\n"
        kind = dice.random()
        if kind < 0.2:
            yield (f"{smtpd}NOQUEUE: reject: RCPT from {client}: 450 4.7.1 <{recipient}>: "
                   f"Greylisted; from=<{sender}> to=<{recipient}> proto=ESMTP helo=<mx>\n")
        if kind >= 0.1:
            name = f"{number:010X}"
            yield f"{smtpd}{name}: client={client}\n"
            yield f"{clock} mx1 postfix/cleanup[7]: {name}: message-id=<{name}@{who}.example>\n"
            yield (f"{clock} mx1 postfix/qmgr[8]: {name}: from=<{sender}>, size=900, nrcpt=1 "
                   "(queue active)\n")
            yield (f"{clock} mx1 postfix/smtp[9]: {name}: to=<{recipient}>, relay=x[192.0.2.1]:25,"
                   " delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n")
            yield f"{clock} mx1 postfix/qmgr[8]: {name}: removed\n"
        yield f"{smtpd}disconnect from {client} ehlo=1 mail=1 rcpt=1 quit=1\n"


def hash_of(who):
    return int(who[1:]) * 2_654_435_761 % 131_072


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=1_000_000)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--new", type=float, default=0.3, help="share of senders that write once")
    options.add_argument("program", nargs="?", default=pathlib.Path(__file__).resolve().parents[2] /
                         "build" / "bin" / "mxfeed")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        state = pathlib.Path(directory)
        (state / "greylist").mkdir()
        log = state / "mail.log"
        with open(log, "w", encoding="ascii") as file:
            file.writelines(lines(given.messages, given.days, given.new))
        begin = time.monotonic()
        with subprocess.Popen(
                [given.program, "greylist", "simulate", "--json", "--all-domains", "--state", state,
                 log], stdout=subprocess.PIPE, text=True) as simulating:
            told = json.load(simulating.stdout)
            _, status, used = os.wait4(simulating.pid, 0)
            simulating.returncode = os.waitstatus_to_exitcode(status)
        print(f"{told['lines']} lines, {log.stat().st_size / 1e6:.0f} MB, {given.days} days: "
              f"{time.monotonic() - begin:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of CPU, "
              f"at most {used.ru_maxrss / 1024:.0f} MB of memory; {told['messages']} messages, "
              f"{100 * told['delayed_share']:.2f} % delayed")


if __name__ == "__main__":
    main()
