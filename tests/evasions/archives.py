# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrappings of a file into archives and compressed files other than ZIP."""

import bz2
import gzip
import lzma
import struct
import zlib

import compound
from encodings_of_files import binhexed, tnef, uuencoded, yencoded
from formats import file_name
from programs import packed

CLEAN = b"harmless text\r\n"


def by(*command, **more):
    """A wrapping by a program; "{file}" and "{out}" are its operands."""
    return lambda c: packed(c, list(command), **more)


def halves(content):
    return content[:len(content) // 2], content[len(content) // 2:]


def seven(*options):
    return by("7z", "a", "-t7z", *options, "{out}", "{file}", out="e.7z")


def tar(form, *options):
    return by("bsdtar", f"--format={form}", *options, "-cf", "{out}", "{file}")


GZIP_HEADER = b"\x1f\x8b\x08"


def gzip_with(content, flags, more):
    """A member with optional fields in its header (RFC 1952, 2.3)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(content) + packer.flush()
    return (GZIP_HEADER + bytes([flags]) + b"\0\0\0\0\0\3" + more + data +
            struct.pack("<II", zlib.crc32(content), len(content)))


def joined(pack):
    """Both halves packed one after the other: programs give them as one file."""
    return lambda c: b"".join(map(pack, halves(c)))


def gzip_header_crc(content):
    start = GZIP_HEADER + b"\2\0\0\0\0\0\3"
    return gzip_with(content, 2, struct.pack("<H", zlib.crc32(start) & 0xffff))


def xz_filters(*filters, check=lzma.CHECK_CRC64):
    chain = [*filters, {"id": lzma.FILTER_LZMA2, "preset": 6}]
    return lambda c: lzma.compress(c, check=check, filters=chain)


def zstd_skippable(content):
    return b"\x50\x2a\x4d\x18" + struct.pack("<I", 8) + b"skipped!" + zstd(content)


def lz4_skippable(content):
    return b"\x50\x2a\x4d\x18" + struct.pack("<I", 8) + b"skipped!" + lz4(content)


zstd = by("zstd", "-q", "-c", "{file}")
lz4 = by("lz4", "-q", "-c", "{file}")


def cab(content, packed_blocks=False):
    """A cabinet of one folder (MS-CAB): stored, or MSZIP."""
    name = file_name(content).encode() + b"\0"
    blocks = b""
    pieces = [content[i:i + 32768] for i in range(0, len(content), 32768)]
    for piece in pieces:
        data = piece
        if packed_blocks:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            data = b"CK" + packer.compress(piece) + packer.flush()
        blocks += struct.pack("<IHH", 0, len(data), len(piece)) + data
    file_at = 36 + 8
    data_at = file_at + 16 + len(name)
    folder = struct.pack("<IHH", data_at, len(pieces), 1 if packed_blocks else 0)
    entry = struct.pack("<IIHHHH", len(content), 0, 0, 0x5a21, 0, 0x20) + name
    head = b"MSCF" + struct.pack("<IIIIIBBHHHHH", 0, data_at + len(blocks), 0, file_at, 0, 3, 1,
                                 1, 1, 0, 1, 0)
    return head + folder + entry + blocks


def rar4(content, flags=0):
    """RAR 2.9, stored."""
    name = file_name(content).encode()
    def block(kind, flags, fields, data=b""):
        body = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
        return struct.pack("<H", zlib.crc32(body) & 0xffff) + body + data
    file = struct.pack("<IIBIIBBHI", len(content), len(content), 2, zlib.crc32(content), 0x5a210000,
                       20, 0x30, len(name), 0x20) + name
    return (b"Rar!\x1a\x07\0" + block(0x73, 0, b"\0" * 6) +
            block(0x74, 0x8000 | flags, file, content) + block(0x7b, 0x4000, b""))


def _vint(number):
    out = bytearray()
    while True:
        out.append(number & 127 | (128 if number > 127 else 0))
        number >>= 7
        if not number:
            return bytes(out)


def rar5_block(kind, flags, fields, data=None):
    body = _vint(kind) + _vint(flags | (2 if data is not None else 0))
    if data is not None:
        body += _vint(len(data))
    body += fields
    body = _vint(len(body)) + body
    return struct.pack("<I", zlib.crc32(body)) + body + (data or b"")


def rar5(content):
    """RAR 5, stored."""
    name = file_name(content).encode()
    file = (_vint(4) + _vint(len(content)) + _vint(0x20) +
            struct.pack("<I", zlib.crc32(content)) + _vint(0) + _vint(1) +
            _vint(len(name)) + name)
    return (b"Rar!\x1a\x07\1\0" + rar5_block(1, 0, _vint(0)) + rar5_block(2, 0, file, content) +
            rar5_block(5, 0, _vint(0)))


def lha(content):
    """LHA, level 0, stored."""
    name = file_name(content).encode()
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xa001 if crc & 1 else 0)
    head = (b"-lh0-" + struct.pack("<III", len(content), len(content), 0x5a210000) + b"\x20\0" +
            bytes([len(name)]) + name + struct.pack("<H", crc))
    return bytes([len(head), sum(head) & 255]) + head + content + b"\0"


def szdd(content):
    """Microsoft's compress, literals only."""
    data = b"".join(b"\xff" + content[i:i + 8] for i in range(0, len(content), 8))
    return b"SZDD\x88\xf0\x27\x33A\0" + struct.pack("<I", len(content)) + data


def tar_of_two(content):
    """A tar with a second tar behind its end."""
    clean = packed(CLEAN, ["bsdtar", "--format=ustar", "-cf", "{out}", "{file}"])
    return clean + tar("ustar")(content)


def pdf(content):
    """A PDF with the file embedded."""
    return compound.pdf(content)


def fat_image(content):
    """A floppy disk of FAT12 with the file."""
    clusters = max(1, (len(content) + 511) // 512)
    sectors = 2880 if clusters < 2800 else clusters + 200
    fat_sectors = (clusters + 10) * 3 // 2 // 512 + 1 if clusters >= 2800 else 9
    boot = bytearray(512)
    boot[0:11] = b"\xeb\x3c\x90MSDOS5.0"
    struct.pack_into("<HBHBHHBHHHII", boot, 11, 512, 1, 1, 2, 224, sectors, 0xf0, fat_sectors,
                     18, 2, 0, 0)
    boot[36:62] = b"\0\0\x29\1\2\3\4NO NAME    FAT12   "
    boot[510:] = b"\x55\xaa"
    entries = [0xff0, 0xfff] + [i + 3 for i in range(clusters - 1)] + [0xfff]
    fat = bytearray(fat_sectors * 512)
    for i, value in enumerate(entries):
        at = i * 3 // 2
        word = int.from_bytes(fat[at:at + 2], "little")
        word = word & 0xf | value << 4 if i & 1 else word & 0xf000 | value
        fat[at:at + 2] = word.to_bytes(2, "little")
    root = (b"E       COM\x20" + b"\0" * 10 + struct.pack("<HHHI", 0, 0x5a21, 2, len(content)))
    disk = bytes(boot) + bytes(fat) * 2 + root.ljust(224 * 32, b"\0") + content
    return disk.ljust(sectors * 512, b"\0")


SEVEN = {
    "lzma2": (), "lzma": ("-m0=lzma",), "ppmd": ("-m0=ppmd",), "bzip2": ("-m0=bzip2",),
    "deflate": ("-m0=deflate",), "deflate64": ("-m0=deflate64",), "copy": ("-m0=copy",),
    "bcj": ("-m0=bcj", "-m1=lzma"), "bcj2": ("-m0=bcj2", "-m1=lzma:d22", "-m2=lzma:d19",
                                             "-m3=lzma:d19", "-mb0:1", "-mb0s1:2", "-mb0s2:3"),
    "delta": ("-m0=delta:4", "-m1=lzma"), "arm": ("-m0=arm", "-m1=lzma"),
    "arm64": ("-m0=arm64", "-m1=lzma2"), "swap2": ("-m0=swap2", "-m1=lzma"),
    "ppc": ("-m0=ppc", "-m1=lzma"), "delta-copy": ("-m0=delta:1", "-m1=copy"),
    "plain-header": ("-mhc=off",), "not-solid": ("-ms=off",),
}


def table():
    """(name, function) of each."""
    yield from ((f"7z-{name}", seven(*options)) for name, options in SEVEN.items())
    yield "7z-prefix-program", lambda c: b"MZ" + b"\0" * 600 + seven()(c)
    yield "7z-suffix", lambda c: seven()(c) + b"text behind" * 10
    for form in "ustar", "pax", "gnutar", "v7tar":
        yield f"tar-{form}", tar(form)
    for option in "gzip", "bzip2", "xz", "lzma", "zstd", "lz4", "compress", "lzip":
        yield f"tar-{option}", tar("ustar", f"--{option}")
    yield "tar-b64encode", tar("ustar", "--b64encode")
    yield "tar-uuencode", tar("ustar", "--uuencode")
    yield "tar-gnu-program", by("tar", "-cf", "{out}", "{file}")
    yield "tar-two", tar_of_two
    yield "tar-no-end", lambda c: tar("ustar")(c)[:512 + (len(c) + 511) // 512 * 512]
    for form in "cpio", "newc", "odc", "bin", "pwb":
        yield f"cpio-{form}", tar(form)
    for form in "ar", "arbsd", "iso9660", "xar", "shar", "shardump", "warc", "mtree", "raw":
        if form not in ("mtree", "raw"):
            yield form, tar(form)
    yield "iso-no-extensions", tar("iso9660", "--options=!joliet,!rockridge")
    yield "iso-compressed", tar("iso9660", "--options=zisofs")
    yield "wim", by("7z", "a", "-twim", "{out}", "{file}", out="e.wim")
    yield "cpio-program", lambda c: packed(
        c, ["cpio", "-o", "--quiet"], stdin=file_name(c).encode() + b"\n")
    yield "ar-program", by("ar", "rc", "{out}", "{file}", out="e.a")
    yield "gzip", gzip.compress
    yield "gzip-name", lambda c: gzip_with(c, 8, b"e.com\0")
    yield "gzip-comment", lambda c: gzip_with(c, 16, b"a comment\0")
    yield "gzip-extra", lambda c: gzip_with(c, 4, struct.pack("<H", 40) + b"x" * 40)
    yield "gzip-header-crc", gzip_header_crc
    yield "gzip-text-flag", lambda c: gzip_with(c, 1, b"")
    yield "gzip-concat-clean-first", lambda c: gzip.compress(b"") + gzip.compress(c)
    yield "gzip-halves", joined(gzip.compress)
    yield "gzip-suffix", lambda c: gzip.compress(c) + b"text behind"
    yield "gzip-no-trailer", lambda c: gzip.compress(c)[:-8]
    yield "gzip-crc-wrong", lambda c: gzip.compress(c)[:-8] + b"\1\2\3\4" + struct.pack(
        "<I", len(c))
    yield "bzip2", bz2.compress
    yield "bzip2-halves", joined(bz2.compress)
    yield "bzip2-empty-first", lambda c: bz2.compress(b"") + bz2.compress(c)
    yield "bzip2-suffix", lambda c: bz2.compress(c) + b"text behind"
    yield "xz", lzma.compress
    yield "xz-halves", joined(lzma.compress)
    yield "xz-padding", lambda c: lzma.compress(c) + b"\0" * 16
    yield "xz-padding-between", lambda c: lzma.compress(b"") + b"\0" * 8 + lzma.compress(c)
    yield "xz-no-check", xz_filters(check=lzma.CHECK_NONE)
    yield "xz-sha256", xz_filters(check=lzma.CHECK_SHA256)
    yield "xz-delta", xz_filters({"id": lzma.FILTER_DELTA, "dist": 4})
    yield "xz-bcj", xz_filters({"id": lzma.FILTER_X86})
    yield "xz-arm", xz_filters({"id": lzma.FILTER_ARM})
    yield "xz-suffix", lambda c: lzma.compress(c) + b"text behind"
    yield "lzma", lambda c: lzma.compress(c, lzma.FORMAT_ALONE)
    yield "lzma-size-known", lambda c: (
        lambda a: a[:5] + struct.pack("<Q", len(c)) + a[13:])(
            lzma.compress(c, lzma.FORMAT_ALONE))
    yield "zstd", zstd
    yield "zstd-halves", joined(zstd)
    yield "zstd-skippable", zstd_skippable
    yield "zstd-level-19", by("zstd", "-q", "-19", "-c", "{file}")
    yield "lz4", lz4
    yield "lz4-halves", joined(lz4)
    yield "lz4-skippable", lz4_skippable
    yield "lz4-legacy", by("lz4", "-q", "-l", "-c", "{file}")
    yield "lzip", by("bsdtar", "--format=raw", "--lzip", "-cf", "{out}", "{file}")
    yield "compress", by("bsdtar", "--format=raw", "--compress", "-cf", "{out}", "{file}")
    yield "cab-stored", cab
    yield "cab-mszip", lambda c: cab(c, True)
    yield "cab-prefix-program", lambda c: b"MZ" + b"\0" * 600 + cab(c)
    yield "rar4-stored", rar4
    yield "rar5-stored", rar5
    yield "lha-stored", lha
    yield "szdd", szdd
    yield "fat-image", fat_image
    yield "compound", compound.ole
    yield "pdf-embedded", pdf
    yield "tnef-file", tnef
    yield "uu-file", uuencoded
    yield "yenc-file", yencoded
    yield "binhex-file", binhexed
