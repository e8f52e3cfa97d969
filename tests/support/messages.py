# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages to send: harmless ones, and those that every filter knows."""

import base64
import os

from smtp_client import crlf

# EICAR's test file, which every scanner knows; not written out, or scanners would find it here.
EICAR = base64.b64decode(
    b"WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=")
# The body line that every spam filter knows.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def mail(subject="hello", body="Hello,\n\nall is well.\n", **headers):
    """A small mail; `headers` are more fields, "_" for "-" in their names."""
    fields = {"From": "Anna <anna@sender.example>", "To": "info@acme.example",
              "Subject": subject, "Date": "Mon, 02 Nov 2026 09:00:00 +0000",
              "Message-ID": f"<{os.urandom(8).hex()}@sender.example>"}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return crlf(text + "\n" + body)


def infected(subject="invoice", text="See the attachment.\n"):
    """A mail with EICAR's test file as an attachment."""
    return mail(
        subject, MIME_Version="1.0", Content_Type='multipart/mixed; boundary="frontier"',
        body=f"--frontier\nContent-Type: text/plain\n\n{text}"
             "--frontier\nContent-Type: application/octet-stream\n"
             'Content-Disposition: attachment; filename="invoice.com"\n'
             "Content-Transfer-Encoding: base64\n\n"
             f"{base64.encodebytes(EICAR).decode()}--frontier--\n")
