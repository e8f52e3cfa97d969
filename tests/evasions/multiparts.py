# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrappings of an entity into a multipart: boundaries, delimiters, the end of the header."""

from formats import CRLF, NotApplicable, fields

TEXT = fields(b"Content-Type: text/plain") + b"hello\r\n"


def free_boundary(entity, stem=b"bb"):
    """A boundary that the entity does not have."""
    number = 0
    boundary = stem
    while boundary in entity:
        number += 1
        boundary = b"%s%d" % (stem, number)
    return boundary


def multipart(entity, header=b'Content-Type: multipart/mixed; boundary="@"',
              begin=b"--@\r\n", end=b"--@--\r\n", boundary=None, text=TEXT, preamble=b"",
              stem=b"bb"):
    """A multipart of a text and the entity; "@" stands for the boundary."""
    boundary = boundary or free_boundary(entity, stem)
    header, begin, end = (part.replace(b"@", boundary) for part in (header, begin, end))
    if not entity.endswith(b"\n"):
        entity += CRLF
    return header + CRLF * 2 + preamble + begin + text + begin + entity + end


MIXED = b"Content-Type: multipart/mixed; "
# The Content-Type of an otherwise ordinary multipart, with "@" for the boundary.
BOUNDARIES = {
    "quoted": MIXED + b'boundary="@"',
    "unquoted": MIXED + b"boundary=@",
    "upper-parameter": MIXED + b'BOUNDARY="@"',
    "no-blank": b'Content-Type: multipart/mixed;boundary="@"',
    "blanks-at-equals": MIXED + b'boundary = "@"',
    "tab-at-equals": MIXED + b"boundary\t=\t@",
    "no-end-quote": MIXED + b'boundary="@',
    "no-begin-quote": MIXED + b'boundary=@"',
    "single-quoted": MIXED + b"boundary='@'",
    "leading-blank": MIXED + b'boundary=" @"',
    "trailing-blank": MIXED + b'boundary="@ "',
    "nul-after": MIXED + b'boundary="@\0x"',
    "nul-after-unquoted": MIXED + b"boundary=@\0x",
    "junk-after-quote": MIXED + b'boundary="@"junk',
    "quotes-twice": MIXED + b'boundary="@""x"',
    "empty-quotes-first": MIXED + b'boundary="""@"',
    "comment-after": MIXED + b'boundary="@" (a comment)',
    "comment-before": MIXED + b'boundary=(a comment)"@"',
    "comment-in-type": b'Content-Type: multipart/(x)mixed; boundary="@"',
    "comment-first": b'Content-Type: (x) multipart/mixed; boundary="@"',
    "quoted-pair": MIXED + b'boundary="\\@"',
    "folded": b'Content-Type: multipart/mixed;\r\n boundary="@"',
    "folded-at-equals": MIXED + b'boundary=\r\n "@"',
    "folded-first": b'Content-Type:\r\n multipart/mixed;\r\n\tboundary="@"',
    "two-first": MIXED + b"boundary=@; boundary=z1",
    "two-last": MIXED + b"boundary=z1; boundary=@",
    "three-middle": MIXED + b"boundary=z1; boundary=@; boundary=z2",
    "four-last": MIXED + b"boundary=z1; boundary=z2; boundary=z3; boundary=@",
    "five-fourth": MIXED + b"boundary=z1; boundary=z2; boundary=z3; boundary=@; boundary=z4",
    "nine-last": MIXED + b"boundary=z; " * 8 + b"boundary=@",
    "empty-first": MIXED + b'boundary=""; boundary="@"',
    "empty-last": MIXED + b'boundary="@"; boundary=""',
    "rfc2231": MIXED + b"boundary*=us-ascii''@",
    "rfc2231-pieces": MIXED + b'boundary*0="@"; boundary*1=""',
    "rfc2231-last": MIXED + b"boundary=z1; boundary*=us-ascii''@",
    "rfc2231-first": MIXED + b"boundary*=us-ascii''z1; boundary=@",
    "rfc2231-pieces-last": MIXED + b"boundary=z1; boundary*0=@",
    "encoded-word": MIXED + b'boundary="=?us-ascii?q?@?="',
    "in-other-parameter": MIXED + b'x="; boundary=z1; y="; boundary=@',
    "after-open-quote": MIXED + b'x="a; boundary=@',
    "no-semicolon": b'Content-Type: multipart/mixed boundary="@"',
    "comma": b'Content-Type: multipart/mixed, boundary="@"',
    "two-semicolons": b'Content-Type: multipart/mixed;; boundary="@"',
    "semicolon-after": MIXED + b'boundary="@";',
    "unquoted-semicolon": MIXED + b"boundary=@;x",
    "type-upper": b'Content-Type: MULTIPART/MIXED; boundary="@"',
    "type-unknown": b'Content-Type: multipart/x-other; boundary="@"',
    "type-no-subtype": b'Content-Type: multipart; boundary="@"',
    "type-empty-subtype": b'Content-Type: multipart/; boundary="@"',
    "type-blanks": b'Content-Type: multipart / mixed; boundary="@"',
    "type-related": b'Content-Type: multipart/related; boundary="@"',
    "type-alternative": b'Content-Type: multipart/alternative; boundary="@"',
    "type-signed": b'Content-Type: multipart/signed; boundary="@"',
    "type-report": b'Content-Type: multipart/report; boundary="@"',
    "type-form": b'Content-Type: multipart/form-data; boundary="@"',
    "type-quoted": b'Content-Type: "multipart/mixed"; boundary="@"',
    "blank-before-colon": b'Content-Type : multipart/mixed; boundary="@"',
    "lower-field": b'content-type: multipart/mixed; boundary="@"',
    "field-first-of-two": MIXED + b'boundary="@"\r\n' + MIXED + b"boundary=z1",
    "field-last-of-two": MIXED + b'boundary=z1\r\n' + MIXED + b'boundary="@"',
    "field-after-text": b"Content-Type: text/plain\r\n" + MIXED + b'boundary="@"',
    "field-before-text": MIXED + b'boundary="@"\r\nContent-Type: text/plain',
    "field-after-file": b"Content-Type: application/octet-stream\r\n" + MIXED + b'boundary="@"',
    "field-after-empty": b"Content-Type:\r\n" + MIXED + b'boundary="@"',
    "field-stray-before": b"no field here\r\n" + MIXED + b'boundary="@"',
    "none": b"Content-Type: multipart/mixed",
    "cte-base64": MIXED + b'boundary="@"\r\nContent-Transfer-Encoding: base64',
    "cte-qp": MIXED + b'boundary="@"\r\nContent-Transfer-Encoding: quoted-printable',
    "cte-uu": MIXED + b'boundary="@"\r\nContent-Transfer-Encoding: x-uuencode',
    "long-parameter-before": MIXED + b'x="' + b"y" * 900 + b'";\r\n boundary="@"',
    "many-parameters": MIXED + b"".join(b"p%d=v;\r\n " % i for i in range(60)) + b'boundary="@"',
}

# Other boundaries: what stands in the field, and what in the delimiters.
NAMED = {
    "quotes-in-delimiter": (b"boundary='@'", b"'@'"),
    "blank-in-delimiter": (b'boundary=" @"', b" @"),
    "trailing-blank-in-delimiter": (b'boundary="@ "', b"@ "),
    "inner-blank": (b'boundary="@ x"', b"@ x"),
    "inner-blank-unquoted": (b"boundary=@ x", b"@ x"),
    "inner-blank-cut": (b"boundary=@ x", b"@"),
    "slash-unquoted": (b"boundary=@/x=?:", b"@/x=?:"),
    "backslash-kept": (b'boundary="\\@"', b"\\@"),
    "percent": (b"boundary*=us-ascii''%40@", b"@@"),
    "8bit": (b'boundary="@\xe4"', b"@\xe4"),
    "utf-8": (b'boundary="@\xc3\xa4"', b"@\xc3\xa4"),
    "long": (b'boundary="@' + b"x" * 200 + b'"', b"@" + b"x" * 200),
    "longer": (b'boundary="@' + b"x" * 900 + b'"', b"@" + b"x" * 900),
    "dashes": (b'boundary="--@--"', b"--@--"),
    "only-dashes": (b'boundary="----"', b"----"),
    "one-letter": (b"boundary=Q", b"Q"),
    "specials": (b'boundary="\'()+_,-./:=?@"', b"'()+_,-./:=?@"),
    "upper-in-delimiter": (b'boundary="@x"', b"@X"),
    "prefix-in-delimiter": (b'boundary="@"', b"@tail"),
    "comment-kept": (b"boundary=@(x)", b"@(x)"),
    "comment-cut": (b"boundary=@(x)", b"@"),
    "encoded-word-kept": (b'boundary="=?us-ascii?q?@?="', b"=?us-ascii?q?@?="),
    "pieces": (b"boundary*0=@; boundary*1=x", b"@x"),
    "pieces-reversed": (b"boundary*1=x; boundary*0=@", b"@x"),
}

# Delimiters: before a part, and at the end.
DELIMITERS = {
    "ordinary": (b"--@\r\n", b"--@--\r\n"),
    "blanks-after": (b"--@ \t\r\n", b"--@--\r\n"),
    "text-after": (b"--@ x\r\n", b"--@--\r\n"),
    "lf": (b"--@\n", b"--@--\n"),
    "cr": (b"--@\r", b"--@--\r"),
    "nul-after": (b"--@\0\r\n", b"--@--\r\n"),
    "no-end": (b"--@\r\n", b""),
    "end-no-dashes": (b"--@\r\n", b"--@\r\n"),
    "end-one-dash": (b"--@\r\n", b"--@-\r\n"),
    "end-text-after": (b"--@\r\n", b"--@-- x\r\n"),
    "all-final": (b"--@--\r\n", b"--@--\r\n"),
    "twice": (b"--@\r\n\r\n--@\r\n", b"--@--\r\n"),
    "blank-before": (b" --@\r\n", b" --@--\r\n"),
    "three-dashes": (b"---@\r\n", b"---@--\r\n"),
    "comment-after": (b"--@ (x)\r\n", b"--@--\r\n"),
}


def in_body(entity, line, where=0.5):
    """The entity with a line put into its body."""
    header, mark, body = entity.partition(CRLF * 2)
    lines = body.split(CRLF)
    if not mark or len(lines) < 3 and len(body) < 40:
        raise NotApplicable("a short body")
    if len(lines) < 3:
        half = len(body) // 8 * 4
        lines = [body[:half], body[half:]]
    at = max(1, int(len(lines) * where))
    return header + mark + CRLF.join(lines[:at] + [line] + lines[at:])


# Lines in the middle of the content that divide for some programs only.  For the others
# they are no part of the content: none of their characters is one of base64.
DIVIDERS = {
    "end-tail": b"--@--~",
    "tail": b"--@~",
    "blank-tail": b"--@ ~",
    "blank-before": b" --@",
    "one-dash": b"-@",
    "three-dashes": b"---@",
    "end-blanks": b"--@-- \t",
    "end-one-dash": b"--@-",
    "bare-dashes": b"--",
    "end-of-other": b"--_~--",
    "cr-around": b"\r--@\r",
    "nul": b"--@\0",
    "quoted": b'--"@"',
}


def _divided(line):
    def wrap(entity):
        boundary = b"_._"
        while boundary in entity:
            boundary += b"._"
        return multipart(in_body(entity, line.replace(b"@", boundary)), boundary=boundary)
    return wrap


def _named(parameter, delimiter):
    def wrap(entity):
        stem = free_boundary(entity)
        written, used = parameter.replace(b"@", stem), delimiter.replace(b"@", stem)
        if b"\n--" + used in entity:
            raise NotApplicable("the boundary is in use")
        return multipart(entity, MIXED + written, b"--" + used + CRLF,
                         b"--" + used + b"--\r\n")
    return wrap


def after_end(entity):
    """Behind the last delimiter, another part."""
    boundary = free_boundary(entity)
    return multipart(TEXT, boundary=boundary) + b"--" + boundary + CRLF + entity + CRLF


def in_preamble(entity):
    return multipart(TEXT, preamble=entity + CRLF, boundary=free_boundary(entity))


def same_boundary(entity):
    """A multipart in a multipart, both with the same boundary."""
    boundary = free_boundary(entity)
    inner = multipart(entity, boundary=boundary)
    return multipart(inner, boundary=boundary, text=TEXT)


def prefix_boundary(entity, outer_longer):
    short = free_boundary(entity)
    names = (short, short + b"x") if outer_longer else (short + b"x", short)
    return multipart(multipart(entity, boundary=names[0]), boundary=names[1])


# How the header of the part, or of the whole, is written.
def _header_end(mark):
    def wrap(entity):
        header, found, body = entity.partition(CRLF * 2)
        if not found:
            raise NotApplicable("no body")
        return multipart(header + mark + body)
    return wrap


HEADER_ENDS = {
    "blank-line": b"\r\n \r\n",
    "tab-line": b"\r\n\t\r\n\r\n",
    "lf": b"\n\n",
    "crlf-lf": b"\r\n\n",
    "cr": b"\r\r",
    "stray-line": b"\r\nthis is no field\r\n\r\n",
    "stray-colon": b"\r\n: x\r\n\r\n",
    "from-line": b"\r\nFrom a@b Thu Jan  1 00:00:00 1970\r\n\r\n",
    "long-field": b"\r\nX-Long: " + b"x" * 900 + b"\r\n" + b" y\r\n" * 400 + CRLF,
    "many-fields": CRLF + b"".join(b"X-%d: y\r\n" % i for i in range(1500)) + CRLF,
    "nul-field": b"\r\nX\0: y\r\n\r\n",
}


def table():
    """(name, function) of each."""
    yield from ((f"boundary-{name}", lambda e, header=header: multipart(e, header))
                for name, header in BOUNDARIES.items())
    yield from ((f"boundary-{name}", _named(*how)) for name, how in NAMED.items())
    yield from ((f"delimiter-{name}", lambda e, how=how: multipart(e, begin=how[0], end=how[1]))
                for name, how in DELIMITERS.items())
    yield from ((f"divider-{name}", _divided(line)) for name, line in DIVIDERS.items())
    yield "after-end", after_end
    yield "in-preamble", in_preamble
    yield "same-boundary", same_boundary
    yield "boundary-prefix-of-outer", lambda e: prefix_boundary(e, True)
    yield "boundary-prefix-of-inner", lambda e: prefix_boundary(e, False)
    yield from ((f"header-end-{name}", _header_end(mark)) for name, mark in HEADER_ENDS.items())
