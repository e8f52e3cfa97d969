# SPDX-License-Identifier: GPL-2.0-or-later
"""Honest mails of odd forms: signed, newsletters, calendars, reports, forwards, documents,
archives.  None of them may be called anything but clean."""

import base64
import gzip
import io
import quopri
import tarfile
import zipfile

import compound
import encodings_of_files as encodings
import scanners
import secured
from formats import CRLF, ENVELOPE, fields, lines_of, message
from programs import packed
from wrappings import as_postfix

TEXT = ("Sehr geehrte Damen und Herren,\r\n\r\nwie besprochen.\r\n-- \r\n"
        "Mit freundlichen Grüßen\r\n")
PAGE = "<html><body><h1>Größe &amp; Preis</h1><p>A = B, 100 %</p></body></html>\r\n"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
                       "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
REPORT = "\r\n".join(f"{day}.01.2026;{day * 17};{day * 3.5:.2f}" for day in range(1, 29)).encode()


def b64(content):
    return CRLF.join(lines_of(base64.b64encode(content), 76)) + CRLF


def text(content=TEXT, kind="plain", charset="utf-8", encoding="quoted-printable"):
    data = content.encode(charset, "replace")
    if encoding == "base64":
        data = b64(data)
    elif encoding == "quoted-printable":
        data = quopri.encodestring(data.replace(CRLF, b"\n")).replace(b"\n", CRLF)
    return fields(f"Content-Type: text/{kind}; charset={charset}".encode(),
                  f"Content-Transfer-Encoding: {encoding}".encode()) + data


def attachment(content, name, kind="application/octet-stream"):
    return fields(f'Content-Type: {kind}; name="{name}"'.encode(),
                  f'Content-Disposition: attachment; filename="{name}"'.encode(),
                  b"Content-Transfer-Encoding: base64") + b64(content)


def multi(subtype, *parts, parameters="", boundary=None, preamble=b"", epilogue=b""):
    boundary = (boundary or b"----=_Part_%d" % len(b"".join(parts)))
    head = b"Content-Type: multipart/" + subtype.encode() + b"; " + parameters.encode() + \
        b'boundary="' + boundary + b'"\r\n\r\n' + preamble
    body = b"".join(b"--" + boundary + CRLF + part.removesuffix(CRLF) + CRLF for part in parts)
    return head + body + b"--" + boundary + b"--\r\n" + epilogue


def mixed(*parts):
    return multi("mixed", text(), *parts)


# Texts and newsletters ----------------------------------------------------------------------

CHARSETS = (("utf-8", "quoted-printable"), ("utf-8", "base64"), ("utf-8", "8bit"),
            ("iso-8859-1", "quoted-printable"), ("windows-1252", "8bit"), ("koi8-r", "base64"),
            ("iso-2022-jp", "7bit"), ("gb18030", "base64"), ("utf-16", "base64"),
            ("us-ascii", "7bit"))


def newsletters():
    for charset, encoding in CHARSETS:
        name = f"{charset}-{encoding}"
        plain = text(charset=charset, encoding=encoding)
        page = text(PAGE, "html", charset, encoding)
        yield f"text-{name}", plain
        yield f"newsletter-{name}", multi("alternative", plain, page)
        image = fields(b'Content-Type: image/png; name="logo.png"', b"Content-ID: <logo@x>",
                       b"Content-Transfer-Encoding: base64") + b64(PNG)
        yield f"newsletter-with-image-{name}", multi("alternative", plain, multi(
            "related", page, image, parameters='type="text/html"; '))


PROSE = {
    "signature": "Hello,\r\n--\r\nAnna\r\n-- \r\nBernd\r\n---\r\n",
    "begin": "begin 5 minutes before the talk\r\nbegin the work\r\nend\r\nbegin 644 is octal\r\n",
    "mime": "Look at this source:\r\n--bb\r\nContent-Type: text/plain\r\n\r\nhello\r\n--bb--\r\n",
    "quoted-mail": "> From: a@b.example\r\n> Subject: x\r\n> begin 644 e.com\r\n>\r\n> hello\r\n",
    "from-lines": "hello\r\n\r\nFrom here on it is easy.\r\n>From there too.\r\n",
    "patch": "diff --git a/x.c b/x.c\r\n--- a/x.c\r\n+++ b/x.c\r\n@@ -1 +1 @@\r\n-a\r\n"
             "+b\r\n-- \r\n2.39.2\r\n",
    "yenc-talk": "A line =ybegin starts a file, =yend ends it.\r\n",
    "binhex-talk": "It said: (This file must be converted with BinHex 4.0) and no more.\r\n",
    "pgp-talk": "Search for -----BEGIN PGP MESSAGE----- in the text.\r\n",
    "long-line": "word " * 180 + "\r\n",
    "empty": "",
    "dashes": "-" * 70 + "\r\n--\r\n----\r\n",
    "base64-like": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\r\n",
    "eicar-talk": "The test file of EICAR is called EICAR-STANDARD-ANTIVIRUS-TEST-FILE.\r\n",
}


def texts():
    for name, content in PROSE.items():
        yield f"prose-{name}", text(content, encoding="7bit", charset="us-ascii")
    yield "no-content-type", CRLF + b"hello\r\n"
    yield "raw-8bit", b"\r\nGr\xfc\xdfe\r\n"
    yield "html-only", text(PAGE, "html")
    yield "markdown", text("# Title\r\n* one\r\n", "markdown")
    yield "flowed", fields(b"Content-Type: text/plain; format=flowed; delsp=yes") + \
        b"hello \r\nyou\r\n"
    yield "enriched", text("<bold>x</bold>", "enriched")
    yield "uuencoded-file", text("hello\r\n", encoding="7bit") + encodings.uuencoded(REPORT)
    yield "yenc-file", fields(b"Content-Type: text/plain") + encodings.yencoded(REPORT)
    yield "binhex-file", fields(b"Content-Type: text/plain") + encodings.binhexed(REPORT)
    yield "tnef", mixed(attachment(encodings.tnef(REPORT), "winmail.dat", "application/ms-tnef"))
    yield "footer-after-base64", attachment(REPORT, "a.csv", "text/csv") + \
        b"_______________________________________________\r\nlist mailing list\r\n"
    yield "preamble-and-epilogue", multi(
        "mixed", text(), attachment(REPORT, "a.csv"), preamble=b"This is a MIME message.\r\n",
        epilogue=b"\r\n_____________\r\nA footer of the list\r\n")
    yield "no-end", multi("mixed", text(), attachment(REPORT, "a.csv"))[:-30]
    yield "one-part", multi("mixed", text())
    yield "empty-attachment", mixed(attachment(b"", "empty.txt"))
    yield "prefix-boundaries", multi("mixed", multi(
        "alternative", text(), text(PAGE, "html"), boundary=b"----=_NextPart_000_0001"),
        attachment(REPORT, "a.csv"), boundary=b"----=_NextPart_000")
    yield "prefix-boundaries-inverse", multi("mixed", multi(
        "alternative", text(), text(PAGE, "html"), boundary=b"----=_NextPart_000"),
        attachment(REPORT, "a.csv"), boundary=b"----=_NextPart_000_0001")
    yield "apple", multi("alternative", text(), multi(
        "mixed", text(PAGE, "html"), attachment(REPORT, "a.csv"), text("<br>", "html"),
        boundary=b"Apple-Mail=_A-2"), boundary=b"Apple-Mail=_A-1")


# Reports, calendars, forwards ---------------------------------------------------------------

CALENDAR = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nMETHOD:{method}\r\n"
            "BEGIN:VEVENT\r\nUID:1@x\r\nDTSTART:20260101T100000Z\r\nSUMMARY:Größe\r\n"
            "ORGANIZER:mailto:a@sender.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
STATUS = (b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
          b"Final-Recipient: rfc822; x@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
          b"Diagnostic-Code: smtp; 550 no such user\r\n")
DISPOSITION = (b"Content-Type: message/disposition-notification\r\n\r\nReporting-UA: x\r\n"
               b"Final-Recipient: rfc822; x@y.example\r\nDisposition: manual-action/"
               b"MDN-sent-manually; displayed\r\n")
FEEDBACK = (b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
            b"User-Agent: x\r\nVersion: 1\r\n")
RFC822 = b"Content-Type: message/rfc822\r\n\r\n"


def reports():
    original = ENVELOPE + mixed(attachment(REPORT, "a.csv"))
    header = b"Content-Type: text/rfc822-headers\r\n\r\n" + ENVELOPE
    for name, kind, status in (("bounce", "delivery-status", STATUS),
                               ("receipt", "disposition-notification", DISPOSITION),
                               ("abuse", "feedback-report", FEEDBACK)):
        for what, last in ("whole", RFC822 + original), ("header", header), ("none", b""):
            parts = [text(), status] + ([last] if last else [])
            yield f"{name}-{what}", multi("report", *parts, parameters=f"report-type={kind}; ")
    yield "bounce-in-text", text("This message was created automatically.\r\n\r\n------ This is a "
                                 "copy of the message ------\r\n\r\n" + original.decode("latin-1"),
                                 charset="latin-1", encoding="8bit")
    yield "dmarc-gzip", mixed(attachment(gzip.compress(b"<feedback/>"), "x!y!1!2.xml.gz",
                                         "application/gzip"))
    yield "dmarc-zip", attachment(zipped({"x.xml": b"<feedback/>"}), "x.zip", "application/zip")
    yield "tls-report", multi("report", text(), attachment(
        gzip.compress(b"{}"), "x.json.gz", "application/tlsrpt+gzip"),
        parameters='report-type="tlsrpt"; ')
    for method in "REQUEST", "REPLY", "CANCEL":
        content = CALENDAR.format(method=method)
        part = text(content, f"calendar; method={method}")
        yield f"calendar-{method}", multi("alternative", text(), text(PAGE, "html"), part)
        yield f"calendar-alone-{method}", part
        yield f"calendar-file-{method}", mixed(attachment(content.encode(), "invite.ics",
                                                          "application/ics"))
    yield "digest", multi("digest", *(CRLF + ENVELOPE + text() for _ in range(4)))
    yield "two-forwards", mixed(RFC822 + original, RFC822 + ENVELOPE + text())
    yield "card", mixed(attachment(b"BEGIN:VCARD\r\nFN:Anna\r\nEND:VCARD\r\n", "a.vcf",
                                   "text/vcard"))


# Files ---------------------------------------------------------------------------------------


def zipped(members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def zipped_streamed(content):
    """As Python writes to a pipe: sizes behind the data."""
    class Pipe(io.RawIOBase):
        data = b""

        def writable(self):
            return True

        def write(self, piece):
            self.data += bytes(piece)
            return len(piece)
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return pipe.data


def tarred(content, mode="w:gz"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def office(kind):
    main = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml",
            "pptx": "ppt/presentation.xml"}[kind]
    return zipped({"[Content_Types].xml": b'<?xml version="1.0"?><Types/>',
                   "_rels/.rels": b'<?xml version="1.0"?><Relationships/>',
                   main: b"<document>text</document>" * 50, "docProps/core.xml": b"<core/>",
                   "media/image1.png": PNG})


def open_document(kind):
    return zipped({"mimetype": f"application/vnd.oasis.opendocument.{kind}".encode(),
                   "content.xml": b"<office/>" * 40, "styles.xml": b"<styles/>",
                   "META-INF/manifest.xml": b'<?xml version="1.0"?><manifest:manifest '
                                            b'xmlns:manifest="x"/>'})


# Programs and the archives that they make of {file}; the name of each result.
ARCHIVERS = {
    "a.zip": ["zip", "-q", "{out}", "{file}"],
    "stored.zip": ["zip", "-q", "-0", "{out}", "{file}"],
    "piped.zip": ["zip", "-q", "-", "{file}"],
    "entered.zip": ["zip", "-q", "-fz", "{out}", "{file}"],
    "seven.zip": ["7z", "a", "-tzip", "{out}", "{file}"],
    "a.7z": ["7z", "a", "{out}", "{file}"],
    "fast.7z": ["7z", "a", "-mx=1", "{out}", "{file}"],
    "best.7z": ["7z", "a", "-mx=9", "{out}", "{file}"],
    "seven.tar": ["7z", "a", "-ttar", "{out}", "{file}"],
    "seven.gz": ["7z", "a", "-tgzip", "{out}", "{file}"],
    "seven.bz2": ["7z", "a", "-tbzip2", "{out}", "{file}"],
    "seven.xz": ["7z", "a", "-txz", "{out}", "{file}"],
    "bsd.zip": ["bsdtar", "--format=zip", "-cf", "{out}", "{file}"],
    "bsd.7z": ["bsdtar", "--format=7zip", "-cf", "{out}", "{file}"],
    "bsd.tgz": ["bsdtar", "-czf", "{out}", "{file}"],
    "bsd.tar.xz": ["bsdtar", "-cJf", "{out}", "{file}"],
    "a.cpio": ["bsdtar", "--format=newc", "-cf", "{out}", "{file}"],
    "a.iso": ["bsdtar", "--format=iso9660", "-cf", "{out}", "{file}"],
    "a.tar": ["tar", "-cf", "{out}", "{file}"],
    "a.tar.gz": ["tar", "-czf", "{out}", "{file}"],
    "a.tar.bz2": ["tar", "-cjf", "{out}", "{file}"],
    "a.tar.xz": ["tar", "-cJf", "{out}", "{file}"],
    "a.gz": ["gzip", "-c", "{file}"],
    "a.bz2": ["bzip2", "-c", "{file}"],
    "a.xz": ["xz", "-c", "{file}"],
}


def files():
    """(name, content) of documents and archives."""
    yield "report.csv", REPORT
    yield "logo.png", PNG
    yield "page.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    yield "notes.txt", TEXT.encode("utf-16")
    yield "document.pdf", compound.pdf(REPORT)
    yield "letter.rtf", rb"{\rtf1\ansi Sehr geehrte Damen}"
    yield "table.xls", compound.compound_file({"Workbook": b"\x09\x08\x10\0\0\6\5\0" + b"\0" * 500})
    for kind in "docx", "xlsx", "pptx":
        yield f"office.{kind}", office(kind)
    for kind, extension in ("text", "odt"), ("spreadsheet", "ods"):
        yield f"open.{extension}", open_document(kind)
    yield "python.zip", zipped({"a.csv": REPORT, "b/c.txt": b"x", "b/": b""})
    yield "python-streamed.zip", zipped_streamed(REPORT)
    yield "empty.zip", zipped({})
    yield "nested.zip", zipped({"office.docx": office("docx"), "inner.zip": zipped({"a": b"x"})})
    yield "sfx.exe", b"MZ" + b"\0" * 1000 + zipped({"a.csv": REPORT})
    for mode in "w", "w:gz", "w:bz2", "w:xz":
        yield f"python.tar{mode[1:].replace(':', '.')}", tarred(REPORT, mode)
    for name, command in ARCHIVERS.items():
        yield name, packed(REPORT, command, out=name, name="report.csv")
    yield "cert.p7b", secured.cms(b"", "-data_create")
    yield "signed.p7m", secured.signed(REPORT)
    yield "key.asc", (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\n" + b64(REPORT) +
                      b"-----END PGP PUBLIC KEY BLOCK-----\r\n")
    yield "mail.eml", ENVELOPE + mixed(attachment(REPORT, "a.csv"))
    yield "page.mht", ENVELOPE + multi("related", text(PAGE, "html"))
    yield "box.mbox", b"From a@b Thu Jan  1 00:00:00 1970\r\n" + ENVELOPE + text()


PGP_SIGNATURE = (b'Content-Type: application/pgp-signature; name="signature.asc"\r\n\r\n'
                 b"-----BEGIN PGP SIGNATURE-----\r\n\r\niQ" + b64(REPORT[:90]) +
                 b"=abcd\r\n-----END PGP SIGNATURE-----\r\n")


def pgp_signed(entity):
    return multi("signed", entity, PGP_SIGNATURE, boundary=b"pgp-signed-1", parameters=
                 'protocol="application/pgp-signature"; micalg=pgp-sha256; ')


def forwarded(entity):
    return multi("mixed", text(), RFC822 + ENVELOPE + entity, boundary=b"forwarded-1")


def forwarded_file(entity):
    return multi("mixed", text(), attachment(ENVELOPE + entity, "forwarded.eml"),
                 boundary=b"forwarded-2")


def listed(entity):
    """With the footer of a mailing list."""
    return multi("mixed", entity, text("A list\r\nunsubscribe\r\n"), boundary=b"=====list==1")


# What becomes of a mail on its way; each of them is applied to some of the mails.
FORMS = {
    "as-it-is": lambda entity: entity,
    "forwarded": forwarded,
    "forwarded-file": forwarded_file,
    "listed": listed,
    "smime-signed": secured.clear_signed,
    "smime-opaque": secured.as_part(secured.MIME % b"signed-data", secured.signed),
    "pgp-signed": pgp_signed,
}


def entities():
    for source in newsletters, texts, reports:
        yield from source()
    for name, content in files():
        yield f"file-{name}", mixed(attachment(content, name))


def mails():
    """{name: mail}: each entity as it is and in two other forms, by turns."""
    forms = list(FORMS)
    found = {}
    for number, (name, entity) in enumerate(entities()):
        for form in ("as-it-is", forms[1 + number % 6], forms[1 + (number + 2) % 6]):
            found[f"{name} {form}"] = as_postfix(message(FORMS[form](entity)))
    return found


def ask(given, question=scanners.Service.ask):
    """{name: answer} of mxfeed-scan: (verdict, found), or the answer to another question."""
    service = scanners.Service({"nothing": b"no mail has this content"}, "pattern")
    try:
        return dict(zip(given, service.ask_all(given.values(),
                                               lambda mail: question(service, mail))))
    finally:
        service.close()
