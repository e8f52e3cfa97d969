# SPDX-License-Identifier: GPL-2.0-or-later
"""Real mail passes the gateway untouched."""

import os
import pathlib
import random
import re
import unittest

import rig
import smtp_client
import smtp_sink

# Postfix's message_drop_headers, which never pass any Postfix.
DROPPED = {b"bcc", b"content-length", b"resent-bcc", b"return-path"}


def corpus():
    directory = os.environ.get("MXFEED_CORPUS")
    if not directory:
        raise unittest.SkipTest("MXFEED_CORPUS is not set (tests/run fetches the corpus)")
    return pathlib.Path(directory)


def choose(files):
    """60 mails: those with something odd about them first, then a draw."""
    oddities = {
        "8-bit header": lambda mail: re.search(rb"[\x80-\xff]", mail.split(b"\n\n")[0]),
        "8-bit body": lambda mail: re.search(rb"[\x80-\xff]", mail),
        "long line": lambda mail: re.search(rb"[^\n]{999}", mail),
        "bare CR": lambda mail: re.search(rb"\r[^\n]", mail),
        "dot first": lambda mail: re.search(rb"(?m)^\.", mail),
        "From in the body": lambda mail: re.search(rb"\n\nFrom ", mail),
        "large": lambda mail: len(mail) > 100_000,
    }
    found = {name: [] for name in oddities}
    for file in files:
        content = file.read_bytes()
        for name, is_odd in oddities.items():
            if len(found[name]) < 5 and is_odd(content):
                found[name].append(file)
    for name, some in found.items():
        assert some, f"no mail with this oddity: {name}"
    chosen = dict.fromkeys(file for some in found.values() for file in some)
    rest = [file for file in files if file not in chosen]
    return list(chosen) + random.Random(2026).sample(rest, 60 - len(chosen))


def wire(file):
    """The mail as a client sends it: without the mbox line, with CRLF line ends."""
    content = re.sub(rb"\AFrom [^\n]*\n", b"", file.read_bytes())
    content = smtp_client.crlf(content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def past_postfix(data):
    """The message as Postfix alone would pass it on: a CR within a line becomes a blank, as a
    server may take it for the end of the line (cleanup_replace_stray_cr_lf)."""
    return re.sub(rb"\r(?!\n)", b" ", data)


def rejoin(data):
    """Takes back what smtp(8) does to a line of more than 998 bytes, which no mail server has
    to take (RFC 5321, 4.5.3.1.6): CRLF and a blank after each 998."""
    return re.sub(rb"([^\r\n]{997,998})\r\n ", rb"\1", data)


class CleanMailTest(rig.TestCase):
    domains = rig.feed("acme.example", "greylist = false")

    def test_60_real_mails_arrive_byte_for_byte(self):
        files = choose(sorted(corpus().glob("*ham*/*.txt")) + sorted(corpus().glob("spam-2/*.txt")))
        sent = {f"user{i}@acme.example": (file, wire(file)) for i, file in enumerate(files)}
        with self.session() as session:
            for recipient, (file, message) in sent.items():
                outcome = session.send("list@sender.example", [recipient], message,
                                       " BODY=8BITMIME")
                self.assertEqual(outcome.accepted, [recipient], f"{file}: {outcome.last}")
        self.customer.wait_for_count(len(sent))
        for delivery in self.customer.received():
            file, message = sent.pop(delivery.recipients[0])
            with self.subTest(mail=f"{file.parent.name}/{file.name}"):
                self.assertEqual(delivery.sender, "list@sender.example")
                headers, body = smtp_sink.split_headers(rejoin(past_postfix(message)))
                got_headers, got_body = smtp_sink.split_headers(rejoin(delivery.data))
                # Postfix puts its Received on top; ours are named X-Mxfeed-.
                kept = [field for field in got_headers
                        if not field[0].lower().startswith(b"x-mxfeed-")]
                self.assertEqual(kept[0][0], b"Received")
                self.assertIn(b"mx1.gateway.example", kept[0][1])
                self.assertEqual(
                    kept[1:], [field for field in headers if field[0].lower() not in DROPPED])
                self.assertEqual(got_body, body)
        self.assertEqual(sent, {}, "arrived twice, or not at all")

    def test_a_scanned_mail_says_so(self):
        self.accept("info@acme.example", rig.mail("scanned"))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(len(delivery.header("X-Mxfeed-Virus")), 1)

    def test_the_sender_may_be_null(self):
        self.accept("info@acme.example", rig.mail("bounce"), sender="")
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.sender, "")

    def test_the_customer_sees_the_gateways_address(self):
        self.accept("info@acme.example", rig.mail("who are you"))
        (delivery,) = self.customer.wait_for_count(1)
        self.assertEqual(delivery.peer, rig.GATEWAY)


if __name__ == "__main__":
    rig.main()
