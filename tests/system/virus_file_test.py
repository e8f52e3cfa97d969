# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed virus scan FILE` scans the bytes that are scanned when Postfix takes the mail."""

import re
import socket
import subprocess
import threading

import rig
import service

RECIPIENT = "info@acme.example"
# Of several first lines "From " Postfix 3.7 makes fields of all, Postfix 3.10 of the first
# alone, and a folded line after it belongs to that field.  The command does as 3.7.
AS_POSTFIX_3_7 = ("a quoted mailbox", "a mailbox and a folded line")
# What Postfix 3.7 leaves of a header field while there are milters.
HEADER_LIMIT = 60000

MAILS = {
    "plain": b"From: a@b.example\r\nSubject: x\r\n\r\nbody\r\n",
    "LF": b"From: a@b.example\nSubject: x\n folded\n\nbody\n\n\nmore\n",
    "no line end at the end": b"From: a@b.example\r\n\r\nbody",
    "CR in a body line": b"Subject: x\r\n\r\none\rtwo\r\n\rthree\r\nfour\r\r\n\r\n",
    "CR in the header": b"Subject: one\rtwo\r\nX: a\r\r\nY:\rb\r\n\r\nbody\r\n",
    "CR alone before the body": b"Subject: x\r\n\r\r\n\r\nbody\r\n",
    "CR as line end": b"Subject: x\rTo: y\r\rbody\r",
    "no body": b"Subject: x\r\n",
    "no body but the separator": b"Subject: x\r\n\r\n",
    "no header": b"\r\nbody\r\n",
    "no separator": b"Subject: x\r\nThis is no field\r\nX: y\r\n\r\nbody\r\n",
    "no separator, a boundary": b"Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\nx\r\n",
    "text from the first line": b"just text\r\nX: y\r\n\r\nbody\r\n",
    "a field without a name": b": x\r\nSubject: y\r\n\r\nbody\r\n",
    "a blank before the colon": b"Subject : x\r\nTo\t: y\r\n\r\nbody\r\n",
    "a blank in the name": b"Sub ject: x\r\n\r\nbody\r\n",
    "an empty value": b"Subject:\r\nX: \r\nY:   z\r\nZ:\ta\r\n\r\nbody\r\n",
    "folded": b"Subject: a\r\n\tb\r\n \r\n  c\r\nX:\r\n y\r\n\r\nbody\r\n",
    "a folded line first": b" folded\r\nSubject: x\r\n\r\nbody\r\n",
    "a mailbox": b"From a@b.example Thu Jan  1 00:00:00 1970\r\nSubject: x\r\n\r\nbody\r\n",
    "a quoted mailbox": b">From a@b.example Thu Jan  1\r\n>>From x\r\nSubject: x\r\n\r\nb\r\n",
    "From in the body": b"Subject: x\r\n\r\nFrom here\r\n.\r\n..\r\n.x\r\n",
    "From after a field": b"Subject: x\r\nFrom a@b.example\r\n\r\nbody\r\n",
    "nothing": b"",
    "an empty line": b"\r\n",
    "CR first": b"\rSubject: x\r\n\r\nbody\r\n",
    "CR before a mailbox": b"\rFrom x\r\nSubject: x\r\n\r\nbody\r\n",
    "a mailbox and a folded line": b"From x\r\n folded\r\nSubject: x\r\n\r\nbody\r\n",
    "a mailbox alone": b"From x\r\n",
    "fields that are dropped": b"Return-Path: <a@b>\r\nBCC: x,\r\n y\r\nContent-Length: 5\r\n"
                               b"Resent-Bcc : x\r\nBccs: x\r\nTo: y\r\n\r\nbody\r\n",
    "fields of our own and of filters": b"X-Mxfeed-Virus: clean\r\nReceived: x\r\n"
                                        b"DKIM-Signature: v=1;\r\n\tb=\r\n\r\nbody\r\n",
    "no field but NUL": b"Subject: x\r\n\0\r\nY: z\r\n\r\nbody\r\n",
    "a NUL in a folded line": b"Subject: a\r\n b\0c\r\n \0d\r\nTo: x\r\n\r\nbody\r\n",
    "a NUL in a long field": b"Subject: " + b"y" * 3000 + b"\0" + b"z" * 3000 + b"\r\n\r\nb\r\n",
    "a field at the limit": b"X: " + b"y" * (HEADER_LIMIT - 3) + b"\r\nY: z\r\n\r\nb\r\n",
    "a long blank before the colon": b"X" + b" " * 3000 + b": y\r\nSubject: x\r\n\r\nbody\r\n",
    "NUL": b"Subject: a\0b\r\nX\0: y\r\n\r\none\0two\r\n",
    "8 bits": b"Subject: \xff\xfe \xc3\xa9\r\nX\xe9: y\r\n\r\n\x80\xff\r\n",
    "control bytes": b"Subject: \x01\x0b\x0c\x7f\r\nX\x01: y\r\n\r\n\x0b\x0c\x1a\r\n",
    "a long body line": b"Subject: x\r\n\r\n" + b"y" * 10000 + b"\r\nz\r\n",
    "a long body line with CR": b"Subject: x\r\n\r\n" + b"y" * 2047 + b"\r" + b"z" * 5000 +
                                b"\r\n",
    "CR at the end of a piece": b"Subject: x\r\n\r\n" + b"".join(
        b"y" * n + b"\r" + b"z\r\n" for n in range(2040, 2056)),
    "a long line that ends in a piece": b"Subject: x\r\n\r\n" + b"".join(
        b"y" * n + b"\r\n" for n in range(2040, 2056)) + b"z\r\n",
    "a long field": b"Subject: " + b"y" * 10000 + b"\r\nX: z\r\n\r\nbody\r\n",
    "a long folded field": b"X: " + b"\r\n ".join([b"y" * 900] * 20) + b"\r\n\r\nbody\r\n",
    "a field above the limit": b"X: " + b"y" * (HEADER_LIMIT + 5000) + b"\r\nY: z\r\n\r\nb\r\n",
    "a folded field above the limit":
        b"X: " + b"\r\n ".join([b"y" * 900] * 100) + b"\r\nY: z\r\n\r\nb\r\n",
    "a long line that is no field": b"Subject: x\r\n" + b"y" * 5000 + b"\r\n\r\nbody\r\n",
    "a long name": b"X" * 3000 + b": y\r\nSubject: x\r\n\r\nbody\r\n",
    "a long quoted mailbox": b"From " + b"y" * 5000 + b"\r\nSubject: x\r\n\r\nb\r\n",
}


def wire(mail):
    """The lines of the mail as SMTP sends them."""
    lines = re.sub(rb"(?<!\r)\n", b"\r\n", mail)
    if lines and not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines)


class Capture:
    """Stands where mxfeed-scan is: keeps each message, finds it clean."""

    def __init__(self, path):
        self.messages = []
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        path.chmod(0o666)
        self._listener.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            client, _ = self._listener.accept()
            with client:
                _, descriptors, _, _ = socket.recv_fds(client, 4096, 4)
                with open(descriptors[0], "rb") as message:
                    message.seek(0)
                    self.messages.append(message.read())
                client.send(b"MXSR\1\1\0\0")

    def take(self):
        """The message that came last; without the field of ours before it."""
        [message] = self.messages
        self.messages.clear()
        first, _, rest = message.partition(b"\r\n")
        assert first.startswith(b"Received: from localhost"), first
        return rest


class VirusFileTest(rig.TestCase):
    domains = rig.feed("acme.example", "greylist = false")

    def test_a_file_is_read_as_postfix_hands_it_over(self):
        gateway = self.gateway
        gateway.daemons.pop("scan").stop()
        capture = Capture(gateway.state / "scan" / "scan.sock")
        file = gateway.state / "mail"
        version = tuple(map(int, gateway.postfix.parameter("mail_version").split(".")[:2]))
        for name, mail in MAILS.items():
            if name in AS_POSTFIX_3_7 and version >= (3, 10):
                continue
            with self.subTest(name):
                with self.session() as session:
                    final = session.send_raw("a@sender.example", RECIPIENT, wire(mail))
                    self.assertTrue(final.positive, final)
                on_the_path = capture.take()
                file.write_bytes(mail)
                done = subprocess.run(
                    [service.program("mxfeed"), "virus", "scan", "--state", gateway.state, file],
                    capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(capture.take(), on_the_path)


if __name__ == "__main__":
    rig.main()
