# SPDX-License-Identifier: GPL-2.0-or-later
"""What a file is called, and the two forms that a wrapping takes and gives.

A *file* is the content of an attachment.  An *entity* is what stands in a mail: header
fields, an empty line, a body.  A message is an entity with more fields.
"""

import re

CRLF = b"\r\n"
ENVELOPE = (b"From: a@sender.example\r\nTo: info@acme.example\r\nSubject: x\r\n"
            b"Date: Thu, 01 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n"
            b"MIME-Version: 1.0\r\n")
HEADER_LIKE = re.compile(rb"(?:From .*\r?\n)?[A-Za-z][A-Za-z0-9-]*[ \t]?:")
MAGIC = ((b"PK", "zip"), (b"7z\xbc\xaf", "7z"), (b"\x1f\x8b", "gz"), (b"BZh", "bz2"),
         (b"\xfd7zXZ", "xz"), (b"\x28\xb5\x2f\xfd", "zst"), (b"\x04\x22\x4d\x18", "lz4"),
         (b"!<arch>", "ar"), (b"MSCF", "cab"), (b"MZ", "exe"), (b"%PDF", "pdf"),
         (b"\xd0\xcf\x11\xe0", "doc"), (b"Rar!", "rar"), (b"xar!", "xar"), (b"LZIP", "lz"),
         (b"\x1f\x9d", "Z"), (b"0\x80", "p7m"), (b"0\x82", "p7m"), (b"\x78\x9f\x3e\x22", "dat"),
         (b"X5O", "com"), (b"SZDD", "ex_"), (b"MSWIM", "wim"), (b"07070", "cpio"))


class NotApplicable(Exception):
    """This content cannot be wrapped in this way."""


def file_name(content):
    """A name that fits the content, so that programs open it."""
    for magic, extension in MAGIC:
        if content.startswith(magic):
            return "e." + extension
    if content[257:262] == b"ustar":
        return "e.tar"
    if content[32769:32774] == b"CD001":
        return "e.iso"
    if HEADER_LIKE.match(content):
        return "e.eml"
    return "e.bin"


def fields(*lines):
    """Header fields and the empty line after them."""
    return b"".join(line + CRLF for line in lines) + CRLF


def attached(content, encoding, *more):
    """The header of an ordinary attachment."""
    name = file_name(content).encode()
    lines = [b'Content-Type: application/octet-stream; name="' + name + b'"',
             b'Content-Disposition: attachment; filename="' + name + b'"']
    if encoding:
        lines.append(b"Content-Transfer-Encoding: " + encoding)
    return fields(*lines, *more)


def message(entity):
    """The entity as a whole mail."""
    return entity if entity.startswith(TOP_MARKS) else ENVELOPE + entity


# Entities that begin with what must be the first line of a mail have their own envelope.
TOP_MARKS = (b"From ", b"X-First:", b"MZ:", b"GIF89a:", b"PK:", b"BZh91AY:", b"%PDF-1.4:")


def text_only(content):
    """The content, if it is text of ASCII."""
    if not content.isascii() or b"\0" in content:
        raise NotApplicable("not text")
    return content.decode("ascii")


def lines_of(text, width):
    return [text[i:i + width] for i in range(0, len(text), width)]
