# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrapped: EICAR, a text that begins with it, both made at run time, and the files of
Debian's clamav-testfiles."""

import pathlib

TESTFILES = pathlib.Path("/usr/share/clamav-testfiles")
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"-".join(
    (b"EICAR", b"STANDARD", b"ANTIVIRUS", b"TEST", b"FILE!$H+H*"))
# Long enough to be compressed, and to be recognised by uudeview.
PAGE = EICAR + b"\r\n" + b"".join(b"Line %d of a page with some text.\r\n" % i for i in range(60))


def payloads():
    """{name: content}"""
    return {"eicar": EICAR, "page": PAGE}


def testfiles():
    """{name: content} of Debian's clamav-testfiles; empty if they are not installed."""
    return {file.name: file.read_bytes() for file in sorted(TESTFILES.glob("clam*"))}
