# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration behind packaging/quickstart: real parts, one mail of each kind, a table of
what became of them.  Every row is proved by the copies that the customers' servers got and the
answers that the senders got."""

import pathlib
import shutil
import socket
import sys
import tempfile
import textwrap
import time

import gateway as gateways
import smtp_client
import smtp_sink
from messages import GTUBE, infected, mail
from service import eventually

DOMAINS = """\
[customer]
id = "acme"
contacts = ["postmaster@acme.example"]
[[domain]]
name = "acme.example"
service = "feed"
deliver_to = ["[127.0.0.2]:{acme}"]
greylist = {{ when = "always", delay = "1s", unverified_delay = "1s" }}

[[domain]]
name = "shop.example"
service = "feed"
deliver_to = ["[127.0.0.2]:{acme}"]
greylist = false
  [domain.spam]
  enabled = true
  high = {{ action = "subject", text = "[SPAM: high] " }}

[[domain]]
name = "club.example"
service = "feed"
deliver_to = ["[127.0.0.3]:{club}"]
greylist = false
  [domain.virus]
  infected = "reject"
  [domain.spam]
  enabled = true
  high = {{ action = "delete" }}
  immature = "act"

[[domain]]
name = "plain.example"
service = "feed"
deliver_to = ["[127.0.0.3]:{club}"]
greylist = false
"""

# The demonstration asks no DNS, and its clients come from addresses of their own.
POSTFIX = {
    "smtpd_peername_lookup": "no",
    "smtp_dns_support_level": "disabled",
    "smtp_host_lookup": "native",
    "smtpd_authorized_xclient_hosts": "127.0.0.1",
}


def promise(kept, otherwise):
    """Says what went otherwise."""
    if not kept:
        raise AssertionError(otherwise)


SPAM = f"Buy now.\n\n{GTUBE}\n"


class Demonstration:
    """The gateway, two customers' servers, and the rows of the table."""

    def __init__(self, directory):
        self.acme = smtp_sink.Sink("127.0.0.2", 0, "acme's server").up()
        self.club = smtp_sink.Sink("127.0.0.3", 0, "club's server").up()
        self.gateway = gateways.Gateway(directory, f"127.0.0.1:{free_port()}")
        self.gateway.configure(DOMAINS.format(acme=self.acme.port, club=self.club.port),
                               'allow_private = ["127.0.0.0/8"]')
        self.failed = 0
        self.last_client = 1

    def start(self):
        self.gateway.start(POSTFIX)

    def stop(self):
        self.gateway.stop()
        self.acme.down()
        self.club.down()

    def send(self, recipients, message, client="198.51.100.7"):
        address, _, port = self.gateway.listen.rpartition(":")
        with smtp_client.Session(address, int(port), xclient=client) as session:
            return session.send("anna@sender.example", recipients, message)

    def copies(self, recipient):
        """What the customers' servers have got for the recipient."""
        return [d for sink in (self.acme, self.club) for d in sink.received(recipient)]

    def copy(self, recipient):
        """The one copy that arrived, once nothing is on its way any more."""
        eventually(lambda: self.copies(recipient), f"a copy for {recipient}", 30)
        self.nothing_on_its_way()
        (delivery,) = self.copies(recipient)
        return delivery

    def nothing_on_its_way(self):
        eventually(lambda: all(m["queue_name"] == "deferred" for m in self.gateway.postfix.queue()),
                   "the queue is at rest", 30)

    # ... one mail each; returns what happened, raises AssertionError if it is not as promised

    def clean_mail(self):
        """a clean mail"""
        message = mail("lunch")
        outcome = self.send(["anna@plain.example"], message)
        promise(outcome.accepted, f"not accepted: {outcome.last}")
        got = self.copy("anna@plain.example")
        headers, body = smtp_sink.split_headers(message)
        promise(got.body == body and [h for h in got.headers if h in headers] == headers,
                "it arrived changed")
        return f"accepted, delivered unchanged to {got.server}"

    def virus_deleted(self):
        """EICAR, to a domain that has it deleted"""
        outcome = self.send(["virus@shop.example"], infected())
        promise(outcome.final and outcome.final.code == 250, f"answered {outcome.last}")
        return self.vanished("virus@shop.example", "accepted and deleted")

    def virus_rejected(self):
        """EICAR, to a domain that has it rejected"""
        outcome = self.send(["virus@club.example"], infected())
        promise(outcome.final and outcome.final.code == 550, f"answered {outcome.last}")
        return self.vanished("virus@club.example", f"rejected ({outcome.final.code})")

    def spam_tagged(self):
        """GTUBE, high, to a domain that has it tagged"""
        outcome = self.send(["spam@shop.example"], mail("cheap", SPAM))
        promise(outcome.accepted, f"not accepted: {outcome.last}")
        got = self.copy("spam@shop.example")
        (subject,) = got.header("Subject")
        promise(subject == b" [SPAM: high] cheap", f"the subject is{subject.decode()}")
        return f"accepted, tagged \"{subject.decode().strip()}\", delivered to {got.server}"

    def spam_deleted(self):
        """GTUBE, high, to a domain that has it deleted"""
        outcome = self.send(["spam@club.example"], mail("cheap", SPAM))
        promise(outcome.final and outcome.final.code == 250, f"answered {outcome.last}")
        return self.vanished("spam@club.example", "accepted and deleted")

    def spam_untouched(self):
        """GTUBE, to a domain with the filter off"""
        outcome = self.send(["spam@plain.example"], mail("cheap", SPAM))
        promise(outcome.accepted, f"not accepted: {outcome.last}")
        got = self.copy("spam@plain.example")
        promise(got.header("Subject") == [b" cheap"], "it was touched")
        return f"accepted, delivered untouched to {got.server}"

    def forged(self):
        """a mail with a forged X-Mxfeed-Virus"""
        outcome = self.send(["forged@plain.example"],
                            mail("trust me", X_Mxfeed_Virus="forged"))
        promise(outcome.accepted, f"not accepted: {outcome.last}")
        ours = self.copy("forged@plain.example").header("X-Mxfeed-Virus")
        promise(len(ours) == 1 and ours[0].strip() != b"forged", f"arrived with {ours}")
        return f"accepted, replaced by \"X-Mxfeed-Virus:{ours[0].decode()}\", delivered"

    def greylisted(self):
        """an unknown sender, who tries again"""
        recipient = "new@acme.example"
        first = self.send([recipient], mail("hello"), "198.51.100.99").replies[recipient]
        promise(first.code == 450, f"answered {first}")
        eventually(lambda: self.send([recipient], mail("hello"), "198.51.100.99").accepted,
                   "the retry is accepted", 30)
        return f"greylisted ({first.code}), retry accepted, delivered to " + \
            self.copy(recipient).server

    def mixed(self):
        """one mail to three domains of different policy"""
        recipients = [f"mixed{i}@{domain}"
                      for domain in ("shop.example", "club.example", "plain.example")
                      for i in (1, 2)]
        address, _, port = self.gateway.listen.rpartition(":")
        with smtp_client.Session(address, int(port), xclient="198.51.100.7") as session:
            outcomes = session.send_all("anna@sender.example", recipients, mail("to all"))
        promise([len(o.accepted) for o in outcomes] == [2, 2, 2],
                f"accepted {[o.accepted for o in outcomes]}")
        for recipient in recipients:
            self.copy(recipient)
        return "split by 452 into 3 transactions, 6 copies delivered, none twice"

    def customer_down(self):
        """a mail while the customer's server is down"""
        self.club.down()
        outcome = self.send(["down@plain.example"], mail("patience"))
        promise(outcome.accepted, f"not accepted: {outcome.last}")
        eventually(lambda: any(m["queue_name"] == "deferred" for m in self.gateway.postfix.queue()),
                   "the mail waits", 30)
        promise(not self.copies("down@plain.example"), "it arrived nevertheless")
        self.club.up()
        self.gateway.postfix.flush()
        got = self.copy("down@plain.example")
        return f"accepted, queued; the server is up again: delivered to {got.server}"

    def vanished(self, recipient, what):
        """No copy, though a mail that was sent later has arrived and the queue is at rest."""
        self.last_client += 1
        later = f"later{self.last_client}@plain.example"
        outcome = self.send([later], mail("later"))
        promise(outcome.accepted, f"not accepted: {outcome.last}")
        self.copy(later)
        promise(not self.copies(recipient), "a copy was delivered")
        return f"{what}, no copy delivered"

    ROWS = (clean_mail, virus_deleted, virus_rejected, spam_tagged, spam_deleted, spam_untouched,
            forged, greylisted, mixed, customer_down)

    def show(self):
        width = max(len(row.__doc__) for row in self.ROWS)
        print(f"{'mail':{width}}  what happened")
        print(f"{'-' * width}  {'-' * 70}")
        for row in self.ROWS:
            try:
                what = row(self)
            except (AssertionError, OSError, ValueError) as error:
                self.failed += 1
                what = f"NOT AS PROMISED: {error}"
            lines = textwrap.wrap(what, 76)
            print(f"{row.__doc__:{width}}  {lines[0]}")
            for line in lines[1:]:
                print(f"{'':{width}}  {line}")
            sys.stdout.flush()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="mxfeed-quickstart."))
    start = time.monotonic()
    demonstration = Demonstration(directory)
    try:
        print("starting Postfix and the daemons", file=sys.stderr)
        demonstration.start()
        demonstration.show()
        if demonstration.failed:
            print(demonstration.gateway.tail(), file=sys.stderr)
    finally:
        demonstration.stop()
        shutil.rmtree(directory)
    rows = len(demonstration.ROWS)
    print(f"\n{rows - demonstration.failed} of {rows} as promised, in "
          f"{time.monotonic() - start:.0f} s")
    return 1 if demonstration.failed else 0


if __name__ == "__main__":
    sys.exit(main())
