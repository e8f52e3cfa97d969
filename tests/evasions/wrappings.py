# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of the wrappings, and how they are put around one another.

A wrapping is a function of bytes that gives bytes.  Its kind says what they are:

    archive   file -> file        zip, gzip, a signed file
    part      file -> entity      base64, uuencode, a charset
    frame     entity -> entity    a multipart, a forwarded message, S/MIME

So any of them can stand around any other: an entity becomes a file as an .eml, a file
becomes an entity as an ordinary attachment.
"""

import dataclasses
import email
import functools
import hashlib
import random
import re
import struct
from collections.abc import Callable

import archives
import multiparts
import nesting
import parts
import secured
import zips
from formats import NotApplicable, message

# What mxfeed-scan may answer if the wrapping is around something.
OPEN = "open"        # anything but clean if a program gets the content out
LOCKED = "locked"    # a password is needed: never clean
STOPPED = "stopped"  # opened by mail programs that are not at hand: never clean


@dataclasses.dataclass(frozen=True)
class Wrapping:
    name: str
    kind: str
    wrap: Callable[[bytes], bytes]
    right: str = OPEN


@dataclasses.dataclass(frozen=True)
class Wrapped:
    """A mail, and what must not come out of it unseen."""
    mail: bytes
    goal: bytes  # the payload, or the outermost thing with a password
    right: str   # OPEN, unless one of the wrappings is not


def _all():
    for kind, right, tables in (
            ("archive", OPEN, (zips.table, archives.table, secured.file_table)),
            ("archive", LOCKED, (secured.locked_files,)),
            ("part", OPEN, (parts.table,)),
            ("part", STOPPED, (parts.stopped,)),
            ("frame", OPEN, (multiparts.table, nesting.table, secured.table)),
            ("frame", LOCKED, (secured.locked_entities,)),
            ("frame", STOPPED, (nesting.stopped, secured.stopped_entities))):
        for table in tables:
            for name, wrap in table():
                yield Wrapping(name, kind, wrap, right)


TABLE = {wrapping.name: wrapping for wrapping in _all()}
ATTACH = TABLE["b64-lines"].wrap
MIXED = TABLE["boundary-quoted"].wrap


@functools.lru_cache(maxsize=4096)
def _wrap(name, content):
    try:
        return TABLE[name].wrap(content)
    except (NotApplicable, struct.error):  # the content is too long for a field of the format
        return None


def chain(names, payload):
    """The mail with the wrappings around the payload, the first one innermost.

    Raises NotApplicable.
    """
    content, is_file, goal, right = payload, True, payload, OPEN
    for name in names:
        wrapping = TABLE[name]
        if wrapping.kind == "frame" and is_file:
            content, is_file = ATTACH(content), False
        elif wrapping.kind != "frame" and not is_file:
            content, is_file = message(content), True
        content = _wrap(name, content)
        if content is None:
            raise NotApplicable(name)
        is_file = wrapping.kind == "archive"
        if wrapping.right == LOCKED:
            goal = content if is_file else leaf_of(content)
        if wrapping.right != OPEN:
            right = wrapping.right
    if is_file:
        content = ATTACH(content)
    if TABLE[names[-1]].kind != "frame":
        content = MIXED(content)
    return Wrapped(as_postfix(message(content)), goal, right)


def leaf_of(entity):
    """The largest leaf of the entity, decoded."""
    parsed = email.message_from_bytes(message(entity))
    return max((part.get_payload(decode=True) or b"" for part in parsed.walk()), key=len)


def as_postfix(mail):
    """As a milter gets the mail from Postfix, and a reader after that: what is no CR LF is
    made so by the client, and a bare CR becomes a blank in cleanup(8)."""
    mail = re.sub(rb"(?<!\r)\n", b"\r\n", mail)
    return re.sub(rb"\r(?!\n)", b" ", mail)


def singles():
    return [(name,) for name in TABLE]


def pairs():
    return [(inner, outer) for inner in TABLE for outer in TABLE]


def triples(count, seed):
    """Drawn at random, so that a new wrapping changes only the few triples that it is in."""
    draw = random.Random(seed)
    marks = [(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"), name)
             for name in TABLE]

    def one():
        key = draw.getrandbits(64)
        return max(marks, key=lambda mark: (mark[0] ^ key) * 0x9e3779b97f4a7c15 % 2**64)[1]
    return [(one(), one(), one()) for _ in range(count)]
