# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrappings that sign, compress as CMS, or encrypt: S/MIME, OpenPGP, archives, documents."""

import atexit
import base64
import functools
import io
import pathlib
import random
import struct
import subprocess
import tempfile
import zipfile
import zlib

import archives
import compound
from formats import CRLF, NotApplicable, fields, lines_of
from multiparts import TEXT, free_boundary, multipart
from programs import packed, run

PASSWORD = "secret"


@functools.lru_cache
def identity():
    """The directory with a key and a certificate, made once for each run."""
    directory = tempfile.TemporaryDirectory(prefix="evade")  # pylint: disable=consider-using-with
    atexit.register(directory.cleanup)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
                    "-subj", "/CN=a@sender.example", "-keyout", "key.pem", "-out", "cert.pem"],
                   cwd=directory.name, check=True, capture_output=True)
    return pathlib.Path(directory.name)


def cms(content, *options):
    """What `openssl cms` makes of the content, as DER."""
    status, output = run(["openssl", "cms", "-binary", "-outform", "DER", *options], identity(),
                         content)
    if status != 0 or not output:
        raise NotApplicable(f"openssl cms: status {status}")
    return output


def signed(content, *options):
    return cms(content, "-sign", "-nodetach", "-signer", "cert.pem", "-inkey", "key.pem", *options)


def streamed(content):
    """With indefinite lengths (BER), as programs write that do not know the size."""
    return signed(content, "-stream")


def data(content):
    return cms(content, "-data_create")


def digested(content):
    return cms(content, "-digest_create")


def der(tag, *contents):
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(length)]) + length + content


OID_COMPRESSED = bytes.fromhex("060b2a864886f70d0109100109")
OID_ZLIB = bytes.fromhex("060b2a864886f70d0109100308")
OID_DATA = bytes.fromhex("06092a864886f70d010701")


def compressed(content):
    """RFC 3274; Debian's openssl cannot make it."""
    inner = der(0x30, OID_DATA, der(0xa0, der(4, zlib.compress(content))))
    return der(0x30, OID_COMPRESSED, der(0xa0, der(
        0x30, der(2, b"\0"), der(0x30, OID_ZLIB), inner)))


def in_pieces(content):
    """CMS data whose octet string is constructed of pieces of 10 bytes."""
    pieces = b"".join(der(4, content[i:i + 10]) for i in range(0, len(content), 10))
    return der(0x30, OID_DATA, der(0xa0, der(0x24, pieces)))


def indefinite(content):
    pieces = b"".join(der(4, content[i:i + 700]) for i in range(0, len(content), 700))
    return b"0\x80" + OID_DATA + b"\xa0\x80\x24\x80" + pieces + b"\0\0" * 3


def enveloped(content):
    return cms(content, "-encrypt", "-aes256", "cert.pem")


def auth_enveloped(content):
    return cms(content, "-encrypt", "-aes-256-gcm", "cert.pem")


def pem(content, label=b"PKCS7"):
    return (b"-----BEGIN " + label + b"-----\n" +
            b"\n".join(lines_of(base64.b64encode(content), 64)) +
            b"\n-----END " + label + b"-----\n")


MIME = b'Content-Type: application/pkcs7-mime; smime-type=%s; name="smime.p7m"'
OCTETS = b'Content-Type: application/octet-stream; name="smime.p7m"'


def as_part(header, make, encode=True):
    """An entity that is the CMS of the entity."""
    def wrap(entity):
        content = make(entity)
        if not encode:
            return fields(header, b"Content-Transfer-Encoding: binary") + content + CRLF
        return (fields(header, b"Content-Transfer-Encoding: base64") +
                CRLF.join(lines_of(base64.b64encode(content), 64)) + CRLF)
    return wrap


def clear_signed(entity):
    """multipart/signed with a signature by itself."""
    status, signature = run(["openssl", "cms", "-sign", "-binary", "-signer", "cert.pem", "-inkey",
                             "key.pem", "-outform", "DER"], identity(), entity)
    if status != 0:
        raise NotApplicable("openssl cms")
    boundary = free_boundary(entity, b"sig")
    second = fields(b'Content-Type: application/pkcs7-signature; name="smime.p7s"',
                    b"Content-Transfer-Encoding: base64") + CRLF.join(
                        lines_of(base64.b64encode(signature), 64)) + CRLF
    return (b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; '
            b'micalg=sha-256; boundary="' + boundary + b'"\r\n\r\n--' + boundary + CRLF +
            entity + b"\r\n--" + boundary + CRLF + second + b"--" + boundary + b"--\r\n")


# OpenPGP ---------------------------------------------------------------------------------


def pgp_message(content):
    """A message for a password (RFC 4880, 5.3 and 5.13), as one sees it who has none."""
    noise = random.Random(zlib.crc32(content)).randbytes(len(content) + 40)
    salt = bytes([0xc3, 13, 4, 9, 3, 8]) + noise[:8] + b"\x60"
    body = b"\1" + noise
    return salt + b"\xd2\xff" + struct.pack(">I", len(body)) + body


def armored(content):
    crc = 0xb704ce
    for byte in content:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864cfb
    return (b"-----BEGIN PGP MESSAGE-----\r\n\r\n" +
            CRLF.join(lines_of(base64.b64encode(content), 64)) + b"\r\n=" +
            base64.b64encode((crc & 0xffffff).to_bytes(3, "big")) +
            b"\r\n-----END PGP MESSAGE-----\r\n")


def pgp_mime(entity):
    return multipart(
        fields(b'Content-Type: application/octet-stream; name="encrypted.asc"') +
        armored(pgp_message(entity)),
        b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary="@"',
        text=fields(b"Content-Type: application/pgp-encrypted") + b"Version: 1\r\n", stem=b"pgp")


def pgp_inline(entity):
    return fields(b"Content-Type: text/plain") + armored(pgp_message(entity))


# Archives and documents ------------------------------------------------------------------


def office(content):
    """As Office writes a document with a password (MS-OFFCRYPTO): nobody can open it."""
    noise = random.Random(zlib.crc32(content)).randbytes(len(content) + 4096)
    info = struct.pack("<HHI", 4, 4, 0x40) + (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        b'<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption">'
        b'<keyData cipherAlgorithm="AES"/></encryption>')
    return compound.compound_file({
        "EncryptionInfo": info,
        "EncryptedPackage": struct.pack("<Q", len(content)) + noise})


def open_document(content):
    buffer = io.BytesIO()
    noise = random.Random(zlib.crc32(content)).randbytes(len(content) + 16)
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", noise)
        archive.writestr("META-INF/manifest.xml", (
            '<?xml version="1.0"?><manifest:manifest xmlns:manifest='
            '"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
            'manifest:full-path="content.xml" manifest:size="100"><manifest:encryption-data '
            'manifest:checksum="x"><manifest:algorithm manifest:algorithm-name="AES"/>'
            "</manifest:encryption-data></manifest:file-entry></manifest:manifest>"))
    return buffer.getvalue()


def locked_pdf(user, owner):
    return lambda c: packed(compound.pdf(c), [
        "qpdf", "--encrypt", user, owner, "256", "--", "{file}", "{out}"], out="out.pdf",
                            name="in.pdf")


def rar5_headers(content):
    """RAR 5 with encrypted headers: only the block that says so is readable."""
    noise = random.Random(zlib.crc32(content)).randbytes(len(content) + 64)
    return (b"Rar!\x1a\x07\1\0" + archives.rar5_block(4, 0, b"\0\0\x0f" + noise[:16]) + noise)


def table():
    """(name, function) of those that open without a password: entity to entity."""
    yield "smime-signed", as_part(MIME % b"signed-data", signed)
    yield "smime-signed-x", as_part(
        b'Content-Type: application/x-pkcs7-mime; name="smime.p7m"', signed)
    yield "smime-signed-octets", as_part(OCTETS, signed)
    yield "smime-signed-text", as_part(b'Content-Type: text/plain; name="smime.p7m"', signed)
    yield "smime-signed-declared-enveloped", as_part(MIME % b"enveloped-data", signed)
    yield "smime-signed-binary", as_part(MIME % b"signed-data", signed, encode=False)
    yield "smime-signed-streamed", as_part(MIME % b"signed-data", streamed)
    yield "smime-signed-twice", as_part(
        MIME % b"signed-data", lambda e: signed(as_part(MIME % b"signed-data", signed)(e)))
    yield "smime-signed-in-cms", as_part(MIME % b"signed-data", lambda e: signed(
        signed(e), "-econtent_type", "pkcs7-signedData"))
    yield "smime-signed-p7s-name", as_part(
        b'Content-Type: application/pkcs7-signature; name="smime.p7s"', signed)
    yield "smime-data", as_part(MIME % b"data", data)
    yield "smime-data-pieces", as_part(MIME % b"data", in_pieces)
    yield "smime-data-indefinite", as_part(MIME % b"data", indefinite)
    yield "smime-digested", as_part(MIME % b"digested-data", digested)
    yield "smime-multipart-signed", clear_signed
    yield "smime-in-multipart", lambda e: multipart(as_part(MIME % b"signed-data", signed)(e))
    yield "smime-text-only", lambda e: as_part(MIME % b"signed-data", signed)(
        multipart(TEXT + e))


def stopped_entities():
    """Those that mail programs open, but none of the programs that are tried here."""
    yield "smime-compressed", as_part(MIME % b"compressed-data", compressed)
    yield "smime-compressed-signed", as_part(
        MIME % b"compressed-data",
        lambda e: compressed(as_part(MIME % b"signed-data", signed)(e)))


def file_table():
    """The same: file to file."""
    yield "cms-signed-file", signed
    yield "cms-signed-streamed-file", streamed
    yield "cms-data-file", data
    yield "cms-compressed-file", compressed
    yield "cms-pem-file", lambda c: pem(signed(c))
    yield "pdf-owner-password", locked_pdf("", "owner")


def locked_files():
    """Those that need a password: file to file."""
    yield "locked-zip", lambda c: packed(c, ["zip", "-q", "-P", PASSWORD, "{out}", "{file}"],
                                         "e.zip")
    yield "locked-zip-aes", lambda c: packed(c, [
        "7z", "a", "-tzip", "-mem=AES256", f"-p{PASSWORD}", "{out}", "{file}"], "e.zip")
    yield "locked-7z", lambda c: packed(c, ["7z", "a", f"-p{PASSWORD}", "{out}", "{file}"], "e.7z")
    yield "locked-7z-headers", lambda c: packed(c, [
        "7z", "a", "-mhe=on", f"-p{PASSWORD}", "{out}", "{file}"], "e.7z")
    yield "locked-rar4", lambda c: archives.rar4(c, flags=4)
    yield "locked-rar5-headers", rar5_headers
    yield "locked-office", office
    yield "locked-opendocument", open_document
    yield "locked-pdf", locked_pdf(PASSWORD, "owner")
    yield "locked-cms", enveloped
    yield "locked-cms-gcm", auth_enveloped
    yield "locked-cms-pem", lambda c: pem(enveloped(c))
    yield "locked-pgp", pgp_message
    yield "locked-pgp-armored", lambda c: armored(pgp_message(c))


def locked_entities():
    """The same: entity to entity."""
    yield "locked-smime", as_part(MIME % b"enveloped-data", enveloped)
    yield "locked-smime-gcm", as_part(MIME % b"authEnveloped-data", auth_enveloped)
    yield "locked-smime-octets", as_part(OCTETS, enveloped)
    yield "locked-smime-declared-signed", as_part(MIME % b"signed-data", enveloped)
    yield "locked-smime-in-signed", as_part(MIME % b"signed-data", lambda e: signed(
        as_part(MIME % b"enveloped-data", enveloped)(e)))
    yield "locked-pgp-mime", pgp_mime
    yield "locked-pgp-inline", pgp_inline
