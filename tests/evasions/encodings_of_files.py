# SPDX-License-Identifier: GPL-2.0-or-later
"""Encoders that the standard library lacks: uuencode, xxencode, yEnc, BinHex, TNEF."""

import binascii
import struct
import zlib

from formats import CRLF, file_name, lines_of

XX = b"+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HQX = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"


def uu_lines(content, backtick=True, width=45):
    return [binascii.b2a_uu(piece, backtick=backtick).rstrip(b"\n")
            for piece in lines_of(content, width)]


def uuencoded(content, begin=b"begin 644 %s", last=(b"`", b"end"), backtick=True,
              change=lambda line: line):
    if b"%s" in begin:
        begin = begin % file_name(content).encode()
    rows = [begin, *map(change, uu_lines(content, backtick)), *last]
    return CRLF.join(rows) + CRLF


def xxencoded(content):
    rows = []
    for piece in lines_of(content, 45):
        row = bytes([XX[len(piece)]])
        for three in lines_of(piece.ljust((len(piece) + 2) // 3 * 3, b"\0"), 3):
            number = int.from_bytes(three, "big")
            row += bytes(XX[number >> shift & 63] for shift in (18, 12, 6, 0))
        rows.append(row)
    begin = b"begin 644 " + file_name(content).encode()
    return CRLF.join([begin, *rows, b"+", b"end"]) + CRLF


def yenc_lines(content, width=128):
    rows, row = [], bytearray()
    for byte in content:
        byte = (byte + 42) & 255
        if byte in (0, 10, 13, 61) or (not row and byte == 46):
            row += bytes([61, (byte + 64) & 255])
        else:
            row.append(byte)
        if len(row) >= width:
            rows.append(bytes(row))
            row = bytearray()
    return rows + ([bytes(row)] if row else [])


def yencoded(content, part=False, begin=None, end=None):
    name = file_name(content).encode()
    size = len(content)
    if begin is None:
        begin = (b"=ybegin part=1 line=128 size=%d name=%s" if part else
                 b"=ybegin line=128 size=%d name=%s") % (size, name)
    if end is None:
        end = b"=yend size=%d crc32=%08x" % (size, zlib.crc32(content))
    between = [b"=ypart begin=1 end=%d" % size] if part else []
    return CRLF.join([begin, *between, *yenc_lines(content), end]) + CRLF


def _crc_ccitt(data):
    return binascii.crc_hqx(data, 0)


def binhexed(content, preamble=b"(This file must be converted with BinHex 4.0)", width=64):
    name = file_name(content).encode()
    header = struct.pack(">B", len(name)) + name + b"\0????????" + struct.pack(
        ">HII", 0, len(content), 0)
    raw = b"".join(part + struct.pack(">H", _crc_ccitt(part + b"")) for part in
                   (header, content, b""))
    raw = raw.replace(b"\x90", b"\x90\0")
    padded = raw.ljust((len(raw) + 2) // 3 * 3, b"\0")
    text = bytearray()
    for three in lines_of(padded, 3):
        number = int.from_bytes(three, "big")
        text += bytes(HQX[number >> shift & 63] for shift in (18, 12, 6, 0))
    text = text[:(len(raw) * 8 + 5) // 6]
    rows = lines_of(b":" + bytes(text) + b":", width)
    return CRLF.join(([preamble, b""] if preamble else []) + rows) + CRLF


def tnef(content):
    """winmail.dat with one attachment (MS-OXTNEF)."""
    def attribute(level, number, data):
        return struct.pack("<BII", level, number, len(data)) + data + struct.pack(
            "<H", sum(data) & 0xffff)
    name = file_name(content).encode() + b"\0"
    return (struct.pack("<IH", 0x223E9F78, 1) +
            attribute(1, 0x00089006, struct.pack("<I", 0x00010000)) +
            attribute(1, 0x00069007, struct.pack("<II", 1252, 0)) +
            attribute(2, 0x00069002, struct.pack("<HIHHII", 1, 0xffffffff, 32, 32, 0, 0)[:14]) +
            attribute(2, 0x00018010, name) +
            attribute(2, 0x0006800f, content))
