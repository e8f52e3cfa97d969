# SPDX-License-Identifier: GPL-2.0-or-later
"""A DKIM key and signatures with it, as a sending site makes them (RFC 6376, relaxed/relaxed).
Needs openssl(1)."""

import base64
import hashlib
import re
import subprocess
import tempfile

SIGNED = ("From", "To", "Subject", "Date", "Message-ID")


def _openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True,
                          check=True).stdout


class Key:
    """An RSA key of a domain, made when it is first needed."""

    def __init__(self, domain, selector="mail"):
        self.domain = domain
        self.selector = selector
        self.private = _openssl("genrsa", "2048").decode()

    @property
    def name(self):
        """Where the DNS has the record."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self):
        """The line of a zone file."""
        public = base64.b64encode(_openssl("rsa", "-pubout", "-outform", "DER",
                                           given=self.private.encode())).decode()
        text = f"v=DKIM1; k=rsa; p={public}"
        strings = " ".join(f'"{text[i:i + 200]}"' for i in range(0, len(text), 200))
        return f"{self.name}. TXT {strings}"

    def sign(self, message):
        """The message, CRLF line ends, with a signature at its top.  It is the same each time."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = re.findall(rb"(?ms)^([^\s:]+):(.*?)(?=^\S|\Z)", head + b"\r\n")
        signed = b"".join(_relaxed(name, value) for wanted in SIGNED for name, value in fields
                          if name.lower() == wanted.lower().encode())
        body_hash = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode()
        value = (f" v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain};"
                 f" s={self.selector};\r\n\th={':'.join(SIGNED)};\r\n\tbh={body_hash};\r\n\tb=")
        given = signed + _relaxed(b"DKIM-Signature", value.encode()).removesuffix(b"\r\n")
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(self.private.encode())
            file.flush()
            signature = _openssl("dgst", "-sha256", "-sign", file.name, given=given)
        text = base64.b64encode(signature).decode()
        folded = "\r\n\t ".join(text[i:i + 64] for i in range(0, len(text), 64))
        return f"DKIM-Signature:{value}{folded}\r\n".encode() + message


def _relaxed(name, value):
    """RFC 6376, 3.4.2."""
    return name.lower() + b":" + re.sub(rb"\s+", b" ", value).strip() + b"\r\n"


def _relaxed_body(body):
    """RFC 6376, 3.4.4."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip() for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)
