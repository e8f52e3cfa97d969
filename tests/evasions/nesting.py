# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrappings of an entity into a message in a message, an encoded multipart, a piece of a
message; and what stands before the header of the mail."""

import base64
import quopri

from formats import CRLF, ENVELOPE, lines_of
from multiparts import TEXT, multipart


def as_message(entity, header=b"Content-Type: message/rfc822", encode=None, before=ENVELOPE,
               encoding=b"base64"):
    """A part that is a message with the entity in it."""
    content = before + entity
    if encode:
        content = encode(content)
        header += b"\r\nContent-Transfer-Encoding: " + encoding
    return multipart(header + CRLF * 2 + content)


def b64(content):
    return CRLF.join(lines_of(base64.b64encode(content), 76)) + CRLF


def qp(content):
    return quopri.encodestring(content).replace(b"\r\n", b"\n").replace(b"\n", CRLF)


def encoded_multipart(encode, encoding):
    def wrap(entity):
        header, _, body = multipart(entity).partition(CRLF * 2)
        return multipart(header + b"\r\nContent-Transfer-Encoding: " + encoding + CRLF * 2 +
                         encode(body))
    return wrap


def deep(count, step):
    def wrap(entity):
        for _ in range(count):
            entity = step(entity)
        return entity
    return wrap


OCTETS = b"Content-Type: application/octet-stream"
NAMED_EML = OCTETS + b'; name="e.eml"\r\nContent-Disposition: attachment; filename="e.eml"'

# A message as a part: its header, how it is encoded, what stands before its entity.
MESSAGES = {
    "rfc822": {},
    "rfc822-b64": {"encode": b64},
    "rfc822-qp": {"encode": qp, "encoding": b"quoted-printable"},
    "global": {"header": b"Content-Type: message/global"},
    "global-b64": {"header": b"Content-Type: message/global", "encode": b64},
    "news": {"header": b"Content-Type: message/news"},
    "x-message": {"header": b"Content-Type: message/x-other"},
    "upper": {"header": b"Content-Type: MESSAGE/RFC822"},
    "eml": {"header": NAMED_EML, "encode": b64},
    "eml-plain": {"header": NAMED_EML},
    "eml-upper": {"header": OCTETS + b'; name="E.EML"', "encode": b64},
    "eml-text": {"header": b'Content-Type: text/plain; name="e.eml"', "encode": b64},
    "eml-x-field-first": {"header": NAMED_EML, "encode": b64,
                          "before": b"X-Some: 1\r\n" + ENVELOPE},
    "eml-odd-field-first": {"header": NAMED_EML, "encode": b64, "before": b"Zeta: 1\r\n"},
    "eml-lower": {"header": NAMED_EML, "encode": b64,
                  "before": b"from: a@b.example\r\nmime-version: 1.0\r\n"},
    "eml-upper-fields": {"header": NAMED_EML, "encode": b64,
                         "before": b"FROM: a@b.example\r\nMIME-VERSION: 1.0\r\n"},
    "eml-lf": {"header": NAMED_EML, "before": ENVELOPE.replace(CRLF, b"\n"),
               "encode": lambda c: b64(c.replace(CRLF, b"\n"))},
    "eml-bom": {"header": NAMED_EML, "encode": b64, "before": b"\xef\xbb\xbf" + ENVELOPE},
    "eml-empty-lines-first": {"header": NAMED_EML, "encode": b64, "before": CRLF * 2 + ENVELOPE},
    "eml-from-line": {"header": NAMED_EML, "encode": b64,
                      "before": b"From a@b Thu Jan  1 00:00:00 1970\r\n" + ENVELOPE},
    "eml-quoted-from-line": {"header": NAMED_EML, "encode": b64,
                             "before": b">From a@b Thu Jan  1 00:00:00 1970\r\n" + ENVELOPE},
    "eml-only-entity": {"header": NAMED_EML, "encode": b64, "before": b""},
    "eml-no-name": {"header": OCTETS, "encode": b64},
    "mht": {"header": OCTETS + b'; name="e.mht"', "encode": b64},
    "mbox": {"header": OCTETS + b'; name="mbox"', "encode": b64,
             "before": b"From a@b Thu Jan  1 00:00:00 1970\r\nSubject: y\r\n\r\nx\r\n\r\n"
                       b"From a@b Thu Jan  1 00:00:00 1970\r\n" + ENVELOPE},
    "from-line": {"before": b"From a@b Thu Jan  1 00:00:00 1970\r\n" + ENVELOPE},
    "empty-line-first": {"before": CRLF + ENVELOPE},
    "mz-first": {"before": b"MZ: 1\r\n" + ENVELOPE},
    "eml-mz-first": {"header": NAMED_EML, "encode": b64, "before": b"MZ: 1\r\n" + ENVELOPE},
    "delivery-report": {"header": b"Content-Type: text/rfc822"},
    "headers-only-type": {"header": b"Content-Type: text/rfc822-headers"},
}

PARTIAL = b'message/partial; id="a"; number=1; total=1'
# Only a piece of a message: to be refused in every disguise.
PARTIALS = {
    "ordinary": b"Content-Type: " + PARTIAL,
    "upper": b"Content-Type: MESSAGE/PARTIAL; id=a; number=1; total=1",
    "comment": b"Content-Type: message/(x)partial; id=a; number=1; total=1",
    "comment-first": b"Content-Type: (x) message/partial; id=a; number=1; total=1",
    "blanks": b"Content-Type: message / partial; id=a; number=1; total=1",
    "folded": b"Content-Type:\r\n message/partial;\r\n id=a; number=1; total=1",
    "quoted": b'Content-Type: "message/partial"; id=a; number=1; total=1',
    "before-text": b"Content-Type: " + PARTIAL + b"\r\nContent-Type: text/plain",
    "after-text": b"Content-Type: text/plain\r\nContent-Type: " + PARTIAL,
    "before-multipart": b"Content-Type: " + PARTIAL +
                        b"\r\nContent-Type: multipart/mixed; boundary=zz",
    "after-multipart": b"Content-Type: multipart/mixed; boundary=zz\r\nContent-Type: " + PARTIAL,
    "blank-before-colon": b"Content-Type : " + PARTIAL,
    "no-parameters": b"Content-Type: message/partial",
    "base64": b"Content-Type: " + PARTIAL + b"\r\nContent-Transfer-Encoding: base64",
}


def _partial(header):
    def wrap(entity):
        content = ENVELOPE + entity
        return header + CRLF * 2 + (b64(content) if b"base64" in header else content)
    return wrap


# The first line of the whole mail, which the engine takes for its format.
FIRST_LINES = {
    "from": b"From a@b Thu Jan  1 00:00:00 1970\r\n",
    "x-first": b"X-First: 1\r\n",
    "mz": b"MZ: 1\r\n",
    "gif": b"GIF89a: x\r\n",
    "zip": b"PK: 3\r\n",
    "bzip2": b"BZh91AY: x\r\n",
    "pdf": b"%PDF-1.4: x\r\n",
}


def digest(entity):
    """The entity as a message of the type that is the default in a digest."""
    return multipart(CRLF + ENVELOPE + entity,
                     b'Content-Type: multipart/digest; boundary="@"', text=CRLF + TEXT)


def alone(entity):
    """Not in a multipart at all."""
    return entity


def table():
    """(name, function) of each."""
    yield "alone", alone
    yield from ((f"message-{name}", lambda e, how=how: as_message(e, **how))
                for name, how in MESSAGES.items())
    yield "digest", digest
    yield "deep-multiparts-5", deep(5, multipart)
    yield "deep-multiparts-30", deep(30, multipart)
    yield "deep-multiparts-100", deep(100, multipart)
    yield "deep-messages-5", deep(5, as_message)
    yield "deep-messages-20", deep(20, as_message)
    yield "deep-encoded-messages-4", deep(4, lambda e: as_message(e, encode=b64))
    yield "deep-encoded-messages-10", deep(10, lambda e: as_message(e, encode=b64))
    yield from ((f"first-line-{name}", lambda e, line=line: line + ENVELOPE + multipart(e))
                for name, line in FIRST_LINES.items())
    yield "no-mime-version", lambda e: b"X-First: 1\r\nFrom: a@b.example\r\n" + multipart(e)


def stopped():
    """(name, function) of those that must not pass, whether a program opens them or not."""
    yield "multipart-b64", encoded_multipart(b64, b"base64")
    yield "multipart-qp", encoded_multipart(qp, b"quoted-printable")
    yield from ((f"partial-{name}", _partial(header)) for name, header in PARTIALS.items())
