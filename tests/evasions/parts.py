# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrappings of a file into an entity: transfer encodings, their fields, inline encodings."""

import base64
import quopri

from encodings_of_files import binhexed, tnef, uuencoded, xxencoded, yencoded
from formats import CRLF, NotApplicable, attached, fields, file_name, lines_of, text_only


def b64_text(content):
    return base64.b64encode(content)


def b64_lines(content, width=76, end=CRLF):
    return end.join(lines_of(b64_text(content), width)) + end


def _cut(content):
    """Two pieces, the first of a length that base64 pads."""
    return content[:len(content) // 6 * 3 + 1], content[len(content) // 6 * 3 + 1:]


# How base64 is written; the name of each follows "b64-".
BASE64 = {
    "lines": b64_lines,
    "one-line": lambda c: b64_text(c) + CRLF,
    "four-a-line": lambda c: b64_lines(c, 4),
    "seven-a-line": lambda c: b64_lines(c, 7),
    "blanks": lambda c: b" ".join(lines_of(b64_text(c), 10)) + CRLF,
    "tabs": lambda c: b"\t".join(lines_of(b64_text(c), 11)) + CRLF,
    "blank-lines": lambda c: b64_lines(c, 20, b"\r\n\r\n"),
    "indented": lambda c: b" " + b64_lines(c, 40, b"\r\n "),
    "junk": lambda c: b"*!".join(lines_of(b64_text(c), 9)) + CRLF,
    "dots": lambda c: b".".join(lines_of(b64_text(c), 5)) + CRLF,
    "8bit-junk": lambda c: b"\xff\xe4".join(lines_of(b64_text(c), 13)) + CRLF,
    "nul": lambda c: b"\0".join(lines_of(b64_text(c), 17)) + CRLF,
    "bare-cr": lambda c: b64_lines(c, 30, b"\r"),
    "bare-lf": lambda c: b64_lines(c, 30, b"\n"),
    "padded-twice": lambda c: b"".join(map(b64_text, _cut(c))) + CRLF,
    "padded-twice-lines": lambda c: CRLF.join(map(b64_text, _cut(c))) + CRLF,
    "after-padding": lambda c: b64_text(c + b"\n" * (2 - len(c) % 3 + 3)) + b"QUJDREVG" + CRLF,
    "text-after": lambda c: b64_lines(c) + b"\r\nThis is a footer of a list\r\n",
    "text-after-pad": lambda c: b64_text(c).rstrip(b"=") + b"==\r\nabcdefgh\r\n",
    "no-padding": lambda c: b64_text(c).rstrip(b"=") + CRLF,
    "more-padding": lambda c: b64_text(c).rstrip(b"=") + b"=====" + CRLF,
    "padding-first": lambda c: b"=" + CRLF + b64_lines(c),
    "padding-line-first": lambda c: b"====" + CRLF + b64_lines(c),
    "no-last-end": lambda c: b64_lines(c).rstrip(),
    "crc-line": lambda c: b64_lines(c) + b"=abcd\r\n",
    "dashes": lambda c: b64_lines(c, 36, b"\r\n--\r\n"),
    "comment-lines": lambda c: b64_lines(c, 36, b"\r\n#=\r\n"),
    "url-alphabet": lambda c: base64.urlsafe_b64encode(c) + CRLF,
    "empty-lines-first": lambda c: CRLF * 5 + b64_lines(c),
    "wide": lambda c: b64_lines(c, 900),
    "quote-marks": lambda c: b"> " + b64_lines(c, 60, b"\r\n> "),
}

# Content-Transfer-Encoding lines over base64; "@" is the name of the field.
FIELDS = {
    "upper": [b"@: BASE64"],
    "mixed-case": [b"@: BaSe64"],
    "blank-after": [b"@: base64 \t"],
    "comment-after": [b"@: base64 (a comment)"],
    "comment-before": [b"@: (a comment) base64"],
    "comment-nested": [b"@: (a (b) c)base64"],
    "quoted": [b'@: "base64"'],
    "single-quoted": [b"@: 'base64'"],
    "folded": [b"@:", b" base64"],
    "folded-twice": [b"@:", b" ", b"\tbase64"],
    "semicolon": [b"@: base64;"],
    "parameter": [b"@: base64; x=y"],
    "no-blank": [b"@:base64"],
    "blank-before-colon": [b"@ : base64"],
    "tab-before-colon": [b"@\t: base64"],
    "lower-name": [b"content-transfer-encoding: base64"],
    "first-of-two": [b"@: base64", b"@: 7bit"],
    "last-of-two": [b"@: 7bit", b"@: base64"],
    "middle-of-three": [b"@: 8bit", b"@: base64", b"@: binary"],
    "unknown-first": [b"@: x-unknown", b"@: base64"],
    "unknown-last": [b"@: base64", b"@: x-unknown"],
    "qp-first": [b"@: quoted-printable", b"@: base64"],
    "qp-last": [b"@: base64", b"@: quoted-printable"],
    "list": [b"@: 7bit, base64"],
    "list-first": [b"@: base64, 7bit"],
    "two-words": [b"@: base64 7bit"],
    "junk-after": [b"@: base64!"],
    "nul-after": [b"@: base64\0x"],
    "encoded-word": [b"@: =?us-ascii?q?base64?="],
    "empty-first": [b"@:", b"@: base64"],
    "stray-line-before": [b"this is no field", b"@: base64"],
    "blank-line-like": [b" ", b"@: base64"],
    "long-comment": [b"@: (" + b"x" * 900 + b")", b" base64"],
    "cr-in-value": [b"@:\rbase64"],
}


def _qp_all(content, form=b"=%02X", width=25, soft=b"=\r\n"):
    return soft.join(b"".join(form % byte for byte in row) for row in
                     lines_of(content, width)) + CRLF


QUOTED = {
    "ordinary": lambda c: quopri.encodestring(c, quotetabs=True).replace(b"\n", CRLF),
    "all": lambda c: _qp_all(c)[:-2],
    "lower": lambda c: _qp_all(c, b"=%02x")[:-2],
    "one-a-line": lambda c: _qp_all(c, width=1)[:-2],
    "soft-with-blanks": lambda c: _qp_all(c, soft=b"= \t\r\n")[:-2],
    "soft-lf": lambda c: _qp_all(c, soft=b"=\n")[:-2],
    "soft-cr": lambda c: _qp_all(c, soft=b"=\r")[:-2],
    "soft-at-end": lambda c: _qp_all(c)[:-2] + b"=\r\n",
    "equals-at-end": lambda c: _qp_all(c)[:-2] + b"=",
    "one-line": lambda c: _qp_all(c, width=len(c))[:-2],
    "blanks-at-end": lambda c: _qp_all(c, width=20, soft=b"=\r\n")[:-2] + b"=  \r\n",
}

UU = {
    "ordinary": uuencoded,
    "blanks": lambda c: uuencoded(c, backtick=False, last=(b" ", b"end")),
    "blanks-lost": lambda c: uuencoded(c, backtick=False, last=(b"", b"end"),
                                       change=lambda line: line.rstrip(b" ")),
    "two-blanks": lambda c: uuencoded(c, b"begin  644 %s"),
    "blanks-before-name": lambda c: uuencoded(c, b"begin 644   %s"),
    "tab": lambda c: uuencoded(c, b"begin\t644\t%s"),
    "four-digits": lambda c: uuencoded(c, b"begin 0644 %s"),
    "six-digits": lambda c: uuencoded(c, b"begin 100644 %s"),
    "one-digit": lambda c: uuencoded(c, b"begin 6 %s"),
    "mode-999": lambda c: uuencoded(c, b"begin 999 %s"),
    "no-name": lambda c: uuencoded(c, b"begin 644 "),
    "name-with-blanks": lambda c: uuencoded(c, b"begin 644 my file.com"),
    "blank-at-end": lambda c: uuencoded(c, b"begin 644 %s   "),
    "no-end": lambda c: uuencoded(c, last=()),
    "no-last-line": lambda c: uuencoded(c, last=(b"end",)),
    "end-only-zero": lambda c: uuencoded(c, last=(b"`",)),
    "end-text": lambda c: uuencoded(c, last=(b"`", b"end of file")),
    "blanks-after": lambda c: uuencoded(c, change=lambda line: line + b"  "),
    "checksum": lambda c: uuencoded(c, change=lambda line: line + b"M"),
    "empty-lines": lambda c: uuencoded(c, change=lambda line: line + CRLF),
    "empty-after-begin": lambda c: uuencoded(c, b"begin 644 %s\r\n"),
    "upper-begin": lambda c: uuencoded(c, b"BEGIN 644 %s"),
    "base64": lambda c: b"begin-base64 644 " + file_name(c).encode() + CRLF + b64_lines(c) +
                        b"====\r\n",
    "indented-begin": lambda c: uuencoded(c, b" begin 644 %s"),
    "quoted-mail": lambda c: uuencoded(c, b"> begin 644 %s", (b"> `", b"> end"),
                                       change=lambda line: b"> " + line),
    "two": lambda c: uuencoded(b"harmless") + uuencoded(c),
    "after-text": lambda c: b"Hello,\r\nhere is the file:\r\n" + uuencoded(c),
    "xx": xxencoded,
}

YENC = {
    "ordinary": yencoded,
    "part": lambda c: yencoded(c, part=True),
    "no-crc": lambda c: yencoded(c, end=b"=yend size=%d" % len(c)),
    "wrong-crc": lambda c: yencoded(c, end=b"=yend size=%d crc32=00000000" % len(c)),
    "no-end": lambda c: yencoded(c, end=b""),
    "order": lambda c: yencoded(c, begin=b"=ybegin size=%d line=128 name=e.com" % len(c)),
    "no-line": lambda c: yencoded(c, begin=b"=ybegin size=%d name=e.com" % len(c)),
    "two-blanks": lambda c: yencoded(
        c, begin=b"=ybegin  line=128  size=%d  name=e.com" % len(c)),
    "wrong-size": lambda c: yencoded(c, begin=b"=ybegin line=128 size=9 name=e.com"),
}

BINHEX = {
    "ordinary": binhexed,
    "no-preamble": lambda c: binhexed(c, None),
    "upper-preamble": lambda c: binhexed(
        c, b"(THIS FILE MUST BE CONVERTED WITH BINHEX 4.0)"),
    "other-preamble": lambda c: binhexed(c, b"(Convert with BinHex 4.0)"),
    "wide": lambda c: binhexed(c, width=900),
    "narrow": lambda c: binhexed(c, width=10),
}

INLINE_TYPES = {
    "text": b"text/plain",
    "html": b"text/html",
    "file": b'application/octet-stream; name="x.txt"',
}

# The declared types and names of a file in ordinary base64.
TYPES = {
    "none": [],
    "text-attached": [b"Content-Type: text/plain", b"Content-Disposition: attachment"],
    "text-inline": [b"Content-Type: text/plain"],
    "html": [b"Content-Type: text/html"],
    "image": [b'Content-Type: image/gif; name="e.gif"'],
    "bogus": [b"Content-Type: foo"],
    "empty": [b"Content-Type:"],
    "rfc2231": [b"Content-Type: application/octet-stream; name*0*=us-ascii''e; name*1=.com"],
    "encoded-name": [b'Content-Type: application/octet-stream; name="=?utf-8?b?ZS5jb20=?="'],
    "open-quote": [b'Content-Type: application/octet-stream; name="e.com'],
    "two-types": [b"Content-Type: text/plain", b"Content-Type: application/octet-stream"],
    "multipart-no-boundary": [b"Content-Type: multipart/mixed"],
    "rfc822": [b"Content-Type: message/rfc822"],
    "pkcs7": [b'Content-Type: application/pkcs7-mime; name="smime.p7m"'],
    "tnef": [b'Content-Type: application/ms-tnef; name="winmail.dat"'],
    "delivery-status": [b"Content-Type: message/delivery-status"],
    "external": [b"Content-Type: message/external-body; access-type=local-file; name=x"],
}

CHARSETS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-7")


def _field_part(lines):
    given = [line.replace(b"@", b"Content-Transfer-Encoding", 1) for line in lines]
    return lambda c: attached(c, None, *given) + b64_lines(c)


def _qp_under(lines):
    """Quoted-printable content below two fields."""
    given = [line.replace(b"@", b"Content-Transfer-Encoding", 1) for line in lines]
    return lambda c: attached(c, None, *given) + QUOTED["all"](c) + CRLF


def _inline(encode, kind, encoding=b"8bit"):
    return lambda c: fields(b"Content-Type: " + kind,
                            b"Content-Transfer-Encoding: " + encoding) + encode(c)


def _charset(charset, kind, encoding):
    def wrap(content):
        text = text_only(content)
        data = ("\ufeff" if charset in ("utf-16-le", "utf-32-be") else "") + text
        if charset == "utf-7":  # everything that may be, in its base64
            encoded = b"".join(b"+" + b64_text(c.encode("utf-16-be")).rstrip(b"=") + b"-"
                               for c in text)
        else:
            encoded = data.encode(charset)
        body = b64_lines(encoded) if encoding == b"base64" else encoded + CRLF
        if encoding != b"base64" and charset != "utf-7":
            raise NotApplicable("not in lines")
        return fields(b"Content-Type: " + kind + b"; charset=" + charset.replace(
            "-le", "le").replace("-be", "be").encode(),
                      b"Content-Transfer-Encoding: " + encoding) + body
    return wrap


def _marked(charset, kind):
    """The charset is known by the mark at the beginning only."""
    return lambda c: fields(b"Content-Type: " + kind,
                            b"Content-Transfer-Encoding: base64") + b64_lines(
                                text_only(c).encode(charset))


def _raw(encoding):
    return lambda c: attached(c, encoding) + c + CRLF


def _named(lines):
    return lambda c: fields(*lines, b"Content-Transfer-Encoding: base64") + b64_lines(c)


def _mac(content):
    return fields(b'Content-Type: application/mac-binhex40; name="e.hqx"') + binhexed(content)


def _tnef(content):
    return fields(b'Content-Type: application/ms-tnef; name="winmail.dat"',
                  b"Content-Transfer-Encoding: base64") + b64_lines(tnef(content))


def table():
    """(name, function) of each."""
    yield from ((f"b64-{name}", lambda c, encode=encode: attached(c, b"base64") + encode(c))
                for name, encode in BASE64.items())
    yield from ((f"cte-{name}", _field_part(lines)) for name, lines in FIELDS.items())
    yield "cte-qp-real-b64-last", _qp_under([b"@: quoted-printable", b"@: base64"])
    yield "cte-qp-real-7bit-last", _qp_under([b"@: quoted-printable", b"@: 7bit"])
    for encoding in b"x-uuencode", b"x-uue", b"uuencode", b"X-UU":
        yield (f"cte-{encoding.decode()}",
               lambda c, e=encoding: attached(c, e) + uuencoded(c))
    yield "cte-x-yencode", lambda c: attached(c, b"x-yencode") + yencoded(c)
    yield "cte-binhex", lambda c: attached(c, b"mac-binhex40") + binhexed(c)
    for encoding in None, b"7bit", b"8bit", b"binary":
        yield f"raw-{(encoding or b'no-field').decode()}", _raw(encoding)
    yield from ((f"qp-{name}",
                 lambda c, encode=encode: attached(c, b"quoted-printable") + encode(c) + CRLF)
                for name, encode in QUOTED.items())
    for family, encoders in (("uu", UU), ("yenc", YENC), ("binhex", BINHEX)):
        for name, encode in encoders.items():
            yield f"{family}-{name}", _inline(encode, b"text/plain")
        for where in "html", "file":
            yield f"{family}-in-{where}", _inline(encoders["ordinary"], INLINE_TYPES[where])
        yield f"{family}-in-base64-text", _inline(
            lambda c, encode=encoders["ordinary"]: b64_lines(encode(c)), b"text/plain", b"base64")
        yield f"{family}-in-base64-file", _inline(
            lambda c, encode=encoders["ordinary"]: b64_lines(encode(c)),
            b'application/octet-stream; name="e.uue"', b"base64")
    yield "binhex-mac-type", _mac
    yield from ((f"type-{name}", _named(lines)) for name, lines in TYPES.items())
    yield "tnef", _tnef
    for charset in CHARSETS:
        for kind in b"text/html", b"text/plain":
            yield (f"charset-{charset}-{kind[5:].decode()}", _charset(charset, kind, b"base64"))
    yield "charset-utf-7-7bit", _charset("utf-7", b"text/html", b"7bit")


def stopped():
    """Those that mail programs open, but none of the programs that are tried here."""
    yield "cte-qp-real-b64-first", _qp_under([b"@: base64", b"@: quoted-printable"])
    for charset in "utf-16", "utf-32":
        for kind in b"text/html", b"text/plain":
            yield f"charset-mark-{charset}-{kind[5:].decode()}", _marked(charset, kind)
