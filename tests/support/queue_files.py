# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes files in the queue of a Postfix instance of a test, so that no test has to wait for
days.  A queue file has records: a letter, a length, text (record(3), rec_type(3))."""

import os
import re


def path_of(postfix, queue, queue_id):
    """The file of the message in deferred, defer or hold."""
    (path,) = (postfix.spool / queue).rglob(queue_id)
    return path


def set_age(postfix, queue_id, seconds, queue="deferred"):
    """Makes the message have arrived that long before it did."""
    path = path_of(postfix, queue, queue_id)
    before = path.stat()
    data = bytearray(path.read_bytes())
    at = 0
    while at < len(data):
        kind, at = data[at:at + 1], at + 1
        length = shift = 0
        while True:
            byte, at = data[at], at + 1
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                break
        if kind == b"T":
            text = bytes(data[at:at + length])
            time, blank, rest = text.partition(b" ")
            aged = str(int(time) - seconds).encode() + blank + rest
            assert len(aged) == length, text
            data[at:at + length] = aged
            break
        at += length
    else:
        raise AssertionError(f"{path}: no time")
    with open(path, "r+b") as file:
        file.write(data)
    # When Postfix tries it again.
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def set_last_attempt(postfix, queue_id, seconds_ago):
    """Makes the defer log that old."""
    path = path_of(postfix, "defer", queue_id)
    time = path.stat().st_mtime - seconds_ago
    os.utime(path, (time, time))


def forget_in_defer_log(postfix, queue_id, address):
    """Removes a recipient from the defer log, as after a crash."""
    path = path_of(postfix, "defer", queue_id)
    before = path.stat()
    entries = re.split(r"(?<=\n)\n", path.read_text())
    kept = [entry for entry in entries if address not in entry]
    assert len(kept) == len(entries) - 1, entries
    with open(path, "r+", encoding="utf-8") as file:
        file.write("\n".join(kept))
        file.truncate()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
