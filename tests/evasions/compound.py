# SPDX-License-Identifier: GPL-2.0-or-later
"""Files with an inner structure: OLE compound files (MS-CFB) and PDF."""

import struct
import zlib

FREE, END, FAT = 0xffffffff, 0xfffffffe, 0xfffffffd
SECTOR = 512


def compound_file(streams):
    """A compound file with these streams (name -> content) in its root.

    Streams are kept out of the mini stream by padding them to its limit.
    """
    streams = {name: content.ljust(4096, b"\0") for name, content in streams.items()}
    sectors, chains = [], []

    def add(content):
        """The first sector of the content."""
        first = len(sectors)
        pieces = [content[i:i + SECTOR].ljust(SECTOR, b"\0")
                  for i in range(0, len(content), SECTOR)]
        sectors.extend(pieces)
        chains.extend([*range(first + 1, first + len(pieces)), END])
        return first

    starts = {name: add(content) for name, content in streams.items()}
    names = sorted(streams, key=lambda name: (len(name), name.upper()))

    def entry(name, kind, right, child, start, size):
        text = (name + "\0").encode("utf-16-le")
        return (text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, FREE, right,
                                                    child) + b"\0" * 36 +
                struct.pack("<IQ", start, size))

    directory = entry("Root Entry", 5, FREE, 1, END, 0)
    for number, name in enumerate(names):
        right = number + 2 if number + 1 < len(names) else FREE
        directory += entry(name, 2, right, FREE, starts[name], len(streams[name]))
    while len(directory) % SECTOR:
        directory += b"\0" * 64 + struct.pack("<HBBIII", 0, 0, 0, FREE, FREE, FREE) + b"\0" * 48
    directory_at = add(directory)
    count = 1
    while count * 128 < len(sectors) + count:
        count += 1
    fat_at = len(sectors)
    table = chains + [FAT] * count
    table += [FREE] * (count * 128 - len(table))
    difat = [*range(fat_at, fat_at + count)]
    difat += [FREE] * (109 - len(difat))
    header = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 +
              struct.pack("<HHHHH", 0x3e, 3, 0xfffe, 9, 6) + b"\0" * 6 +
              struct.pack("<IIIIIIIII", 0, count, directory_at, 0, 4096, END, 0, END, 0) +
              struct.pack("<109I", *difat[:109]))
    return header + b"".join(sectors) + struct.pack(f"<{count * 128}I", *table)


def ole(content):
    """A stream of a compound file, as large as it is."""
    # Padded to 4096 bytes, a hash would not fit: so the size is set to the real one, in a
    # file whose limit of the mini stream is 0.
    data = bytearray(compound_file({"Contents": content}))
    struct.pack_into("<I", data, 56, 0)
    at = data.find("Contents\0".encode("utf-16-le"))
    struct.pack_into("<Q", data, at + 120, len(content))
    return bytes(data)


def pdf(content, extra=b""):
    """A PDF of one empty page with an embedded file."""
    packed = zlib.compress(content)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(e.com)4 0 R]>>>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
        b"<</Type/Filespec/F(e.com)/EF<</F 5 0 R>>>>",
        b"<</Type/EmbeddedFile/Filter/FlateDecode/Length %d>>stream\n" % len(packed) + packed +
        b"\nendstream"]
    data, offsets = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n" % number + text + b"\nendobj\n"
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % at for at in offsets)
    return data + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, start) + extra
