#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs get out of a mail: Python's email package, munpack, ripmime, uudeview, unzip,
7z, bsdtar and openssl.

Each is tried on the mail and, as a user would, on the files that came out, within bounds.

    python3 extract.py MAIL [DIRECTORY]    lists the files, and writes them
"""

import collections
import email
import email.policy
import functools
import hashlib
import pathlib
import re
import shutil
import sys
import tempfile
import unicodedata

from formats import HEADER_LIKE, file_name
from programs import run

DEPTH = 8
MOST_FILES = 60          # of all programs together
MOST_BYTES = 32 << 20
MOST_REMEMBERED = 20_000
SECONDS = 10
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"LZIP",
              b"\x1f\x9d", b"\x5d\0\0", b"\x02\x21\x4c\x18", b"\x50\x2a\x4d\x18")
# A SEQUENCE with an object identifier of PKCS #7 or #9.
CMS = re.compile(rb"\A0(?:[\0-\x7f]|[\x80-\x84].{0,4}?)\x06[\x09\x0b]"
                 rb"\x2a\x86\x48\x86\xf7\x0d\x01", re.DOTALL)
PEM = re.compile(rb"-----BEGIN (?:PKCS7|CMS)-----")
TEXT_CODE = re.compile(rb"^begin|^=ybegin|BinHex", re.MULTILINE | re.IGNORECASE)


def python_email(content, _):
    """Each leaf, decoded; a text also as UTF-8."""
    found = []
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    for part in parsed.walk():
        if part.is_multipart():
            continue
        try:
            data = part.get_payload(decode=True)
            if data:
                found.append(data)
            if part.get_content_maintype() == "text" and data:
                text = data.decode(part.get_content_charset("us-ascii"))
                found.append(text.removeprefix("\ufeff").encode())
        except (LookupError, UnicodeError, ValueError, AttributeError, TypeError, IndexError):
            pass
    return found


def _safe_python_email(content, directory):
    try:
        return python_email(content, directory)
    except Exception:  # pylint: disable=broad-exception-caught
        return []  # its own faults (it has some) are no reading


def _files_of(command):
    """Runs a program that writes files; `command` gets the name of its input."""
    def extract(content, directory):
        source = directory / file_name(content)
        source.write_bytes(content)
        target = directory / "out"
        target.mkdir()
        run([part.format(file=str(source), out=str(target)) for part in command], target,
            seconds=SECONDS)
        found, total = [], 0
        for path in sorted(target.rglob("*")):
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_size
                if total > MOST_BYTES or len(found) > MOST_FILES:
                    break
                found.append(path.read_bytes())
        return found
    return extract


def _output_of(command):
    def extract(content, directory):
        source = directory / file_name(content)
        source.write_bytes(content)
        _, output = run([part.format(file=str(source)) for part in command], directory,
                        seconds=SECONDS)
        return [output[:MOST_BYTES]] if output else []
    return extract


def openssl(content, directory):
    """The content of signed, plain and digested data, verified or not."""
    form = "PEM" if PEM.search(content) else "DER"
    source = directory / "in"
    source.write_bytes(content)
    for options in (["-verify", "-noverify", "-nosigs"], ["-data_out"], ["-digest_verify"],
                    ["-uncompress"]):
        status, output = run(["openssl", "cms", *options, "-binary", "-inform", form, "-in",
                              str(source)], directory, seconds=SECONDS)
        if output and (status == 0 or options[0] == "-verify"):
            return [output]
    return []


def _uudeview(content, directory):
    # It recognises a short file in a mail only.
    if not _is_mail(content):
        content = b"From: a@b.example\r\nSubject: x\r\n\r\n" + content
    return _files_of(["uudeview", "-i", "-q", "-d", "-p", "{out}", "{file}"])(content, directory)


Program = collections.namedtuple("Program", "name package extract takes")


def _is_mail(content):
    return bool(HEADER_LIKE.match(content)) or content[:2] in (b"\r\n", b"\n")


def _is_archive(content):
    return not _is_mail(content) and len(content) > 20


PROGRAMS = (
    Program("python", "", _safe_python_email, _is_mail),
    Program("munpack", "mpack", _files_of(["munpack", "-q", "-t", "-f", "{file}"]), _is_mail),
    Program("ripmime", "ripmime", _files_of(
        ["ripmime", "-i", "{file}", "-d", "{out}", "--overwrite"]), _is_mail),
    Program("uudeview", "uudeview", _uudeview,
            lambda c: _is_mail(c) or bool(TEXT_CODE.search(c[:4096]))),
    Program("unzip", "unzip", _files_of(
        ["unzip", "-q", "-o", "-P", "none", "-d", "{out}", "{file}"]),
            lambda c: b"PK\3\4" in c and not _is_mail(c)),
    Program("7z", "p7zip-full", _files_of(
        ["7z", "x", "-y", "-bd", "-pnone", "-o{out}", "{file}"]), _is_archive),
    Program("bsdtar", "libarchive-tools", _files_of(
        ["bsdtar", "--passphrase", "none", "-xf", "{file}"]), _is_archive),
    Program("bsdcat", "libarchive-tools", _output_of(["bsdcat", "{file}"]),
            lambda c: c.startswith(COMPRESSED)),
    Program("openssl", "openssl", openssl, lambda c: bool(CMS.match(c) or PEM.search(c[:99]))),
)
COMMANDS = {"python": "python3"}


def missing():
    """The programs that are not installed."""
    return [p.name for p in PROGRAMS if not shutil.which(COMMANDS.get(p.name, p.name))]


def _opened(program, content):
    with tempfile.TemporaryDirectory(prefix="evade") as directory:
        return tuple(program.extract(content, pathlib.Path(directory)))


# Many mails have the same files inside.
_remembered = functools.lru_cache(maxsize=8192)(_opened)


def walk(mail):
    """Yields (programs, content) of each file that comes out: ("ripmime", "7z")."""
    seen = {hashlib.sha1(mail).digest()}
    waiting = collections.deque([((), mail)])
    taken = 0
    while waiting and taken < MOST_FILES:
        path, content = waiting.popleft()
        taken += 1
        if len(path) >= DEPTH:
            continue
        for program in PROGRAMS:
            if not program.takes(content):
                continue
            small = len(content) <= MOST_REMEMBERED
            for out in (_remembered if small else _opened)(program, content):
                yield (*path, program.name), out
                digest = hashlib.sha1(out).digest()
                if digest not in seen:
                    seen.add(digest)
                    waiting.append(((*path, program.name), out))


def main():
    mail = pathlib.Path(sys.argv[1]).read_bytes()
    for number, (path, content) in enumerate(walk(mail)):
        shown = "".join(c for c in content[:40].decode("latin-1")
                        if not unicodedata.category(c).startswith("C"))
        print(f"{number:3} {'+'.join(path):40} {len(content):8} {shown}")
        if len(sys.argv) > 2:
            target = pathlib.Path(sys.argv[2])
            target.mkdir(exist_ok=True)
            (target / str(number)).write_bytes(content)


if __name__ == "__main__":
    main()
