# SPDX-License-Identifier: GPL-2.0-or-later
"""A small Internet on the loopback interface of a network namespace, and a gateway in it.

    class FlowTest(rig.TestCase):
        domains = rig.feed("acme.example")

        def test_mail_reaches_the_customer(self):
            ...

    if __name__ == "__main__":
        rig.main()

192.0.2.10 is the gateway, 192.0.2.53 the resolver, 203.0.113.0/24 are customers' servers,
198.51.100.0/24 senders.  Every address of the latter two can be used without more.  The
resolver knows NAMES, RECORDS and nothing else, so no query ever leaves.  Run through in-namespaces;
refuses to run anywhere else.
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import gateway as gateways
import smtp_client
import smtp_sink
from messages import GTUBE, infected, mail
from service import SOURCE, eventually

GATEWAY = "192.0.2.10"
RESOLVER = "192.0.2.53"
CUSTOMER = "203.0.113.7"
SECOND_HOST = "203.0.113.8"
OTHER_CUSTOMER = "203.0.113.20"
STRANGER = "203.0.113.250"  # whose domains are not relayed
SENDER = "198.51.100.7"

# name -> address, both ways.
NAMES = {
    "mx1.gateway.example": GATEWAY,
    "mail.acme.example": CUSTOMER,
    "mail2.acme.example": SECOND_HOST,
    "mail.other.example": OTHER_CUSTOMER,
    "stranger.example": STRANGER,
    "mail.sender.example": SENDER,
    "sender.example": SENDER,
}

# More records, a line each: "acme.example. MX 10 mx1.gateway.example.".
RECORDS = []


def aside(package, path):
    """A program of a package that is installed or unpacked aside; a skip if it is neither."""
    for candidate in (SOURCE / "build" / "aside" / package / path, pathlib.Path("/") / path):
        if candidate.exists():
            return str(candidate)
    raise unittest.SkipTest(f"{package} is neither installed nor unpacked (tests/run does it)")


class World:
    """The network, the resolver, a directory on tmpfs; made once a process."""

    _made = None
    _serial = 7  # of the resolver's records

    @classmethod
    def get(cls):
        if cls._made is None:
            cls._made = cls()
        return cls._made

    def __init__(self):
        if os.getpid() != 1 or len(socket.if_nameindex()) != 1 or "MXFEED_RIG" not in os.environ:
            raise RuntimeError("not in namespaces of its own: run it through in-namespaces")
        self._network()
        self.directory = pathlib.Path(os.environ["MXFEED_RIG"])
        self._run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self.directory)
        self._resolver()

    def _network(self):
        self._run("ip", "link", "set", "lo", "up")
        for address in (GATEWAY, RESOLVER, SENDER):
            self._run("ip", "address", "add", f"{address}/32", "dev", "lo")
        for network in ("198.51.100.0/24", "203.0.113.0/24"):
            self._run("ip", "route", "add", "local", network, "dev", "lo")

    def _resolver_config(self):
        lines = ["server:", 'directory: ""', 'chroot: ""', 'username: ""', 'pidfile: ""',
                 f"interface: {RESOLVER}", "access-control: 0.0.0.0/0 allow",
                 "do-daemonize: no", "use-syslog: no", 'module-config: "iterator"',
                 'local-zone: "." static',
                 'local-data: ". 60 SOA ns.example. hostmaster.example. 1 3600 600 86400 60"']
        # A reverse zone that is not static would be asked for elsewhere.
        for zone in ("2.0.192", "100.51.198", "113.0.203"):
            lines.append(f'local-zone: "{zone}.in-addr.arpa." static')
        first_names = {}  # of an address: its only PTR record
        for name, address in NAMES.items():
            lines.append(f'local-data: "{name}. 60 A {address}"')
            first_names.setdefault(address, name)
        lines += [f'local-data-ptr: "{address} 60 {name}."'
                  for address, name in first_names.items()]
        lines += [f"local-data: '{record}'" for record in RECORDS]
        lines.append(f'local-data: "serial.example. 0 A 0.0.0.{self._serial}"')
        config = self.directory / "unbound.conf"
        config.write_text("\n".join(lines) + "\n")
        return config

    def _resolver(self):
        program = aside("unbound", "usr/sbin/unbound")
        config = self._resolver_config()
        with open(self.directory / "unbound.log", "wb") as log:
            self.resolver = subprocess.Popen(
                [program, "-d", "-c", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        resolv = self.directory / "resolv.conf"
        resolv.write_text(f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n")
        self._run("mount", "--bind", resolv, os.path.realpath("/etc/resolv.conf"))

        eventually(self._has_serial, "the resolver answers")

    def _has_serial(self):
        """Whether the resolver has the records of the last _resolver_config()."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as query:
            query.settimeout(0.2)
            query.connect((RESOLVER, 53))
            try:
                query.send(b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\6serial\7example\0\0\1\0\1")
                return bytes((0, 0, 0, self._serial)) in query.recv(512)[12:]
            except OSError:
                return False  # not yet

    def change_records(self, old, new):
        """Replaces RECORDS: those in `old` by those in `new`; the resolver has them when this
        returns."""
        for record in old:
            RECORDS.remove(record)
        RECORDS.extend(new)
        self._serial += 1
        self._resolver_config()
        os.kill(self.resolver.pid, signal.SIGHUP)
        eventually(self._has_serial, "the resolver has the new records")

    @staticmethod
    def _run(*command):
        subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL)


def feed(name, *settings, deliver_to=(CUSTOMER,), tables=""):
    """The text of a [[domain]]: `settings` are lines, `tables` its sub-tables."""
    hosts = ", ".join(f'"{host}"' for host in deliver_to)
    lines = ["[[domain]]", f'name = "{name}"', 'service = "feed"', f"deliver_to = [{hosts}]"]
    return "\n".join([*lines, *settings, tables]) + "\n"


class TestCase(unittest.TestCase):
    """Tests that share a gateway with `domains`; customers' servers are up at the beginning
    of each and have received nothing."""

    domains = ""
    gateway_settings = ""
    transport = "unix"
    dedicated = True  # the Postfix has no other use
    daemons = ("scan", *gateways.MILTERS)

    @classmethod
    def setUpClass(cls):
        cls.world = World.get()
        cls.gateway = gateways.Gateway(
            tempfile.mkdtemp(prefix=f"{cls.__name__[:8]}-", dir=cls.world.directory),
            f"{GATEWAY}:25", transport=cls.transport, dedicated=cls.dedicated)
        cls.addClassCleanup(cls.gateway.stop)
        cls.gateway.configure(cls.domains, cls.gateway_settings)
        cls.gateway.start(daemons=cls.daemons)
        cls.customer = cls.sink(CUSTOMER)

    @classmethod
    def sink(cls, address, port=25):
        """A customer's server, up."""
        sink = smtp_sink.Sink(address, port, name=f"{address}:{port}").up()
        cls.addClassCleanup(sink.down)
        return sink

    def setUp(self):
        self.addCleanup(self._tell_if_failed)
        self.at_rest()
        self.customer.clear()

    def at_rest(self):
        """Waits until nothing is on its way any more: what is left waits or is held."""
        eventually(lambda: all(message["queue_name"] in ("deferred", "hold")
                               for message in self.gateway.postfix.queue()),
                   "nothing is on its way")

    def session(self, source=SENDER, **options):
        session = smtp_client.Session(GATEWAY, 25, source=source, **options)
        self.addCleanup(session.abort)
        return session

    def send(self, recipients, message, sender="anna@sender.example", source=SENDER):
        """One message over one connection; the outcome."""
        if isinstance(recipients, str):
            recipients = [recipients]
        with smtp_client.Session(GATEWAY, 25, source=source) as session:
            return session.send(sender, recipients, message)

    def accept(self, recipients, message, **options):
        """Sends what must be taken."""
        outcome = self.send(recipients, message, **options)
        self.assertTrue(outcome.accepted, f"not accepted: {outcome.last}")
        return outcome

    def _tell_if_failed(self):
        failed = self._outcome.result.failures + self._outcome.result.errors
        if any(test is self for test, _ in failed):
            print(self.gateway.tail(), file=sys.stderr)
            for message in self.gateway.postfix.queue():
                print("---", message, file=sys.stderr)
                print(*self.gateway.log_lines(message["queue_id"]), sep="\n", file=sys.stderr)


def main():
    """unittest.main(), but a skip is a failure where MXFEED_NO_SKIP is set, and a skip of
    everything is one for ctest."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.skipped:
        strict = os.environ.get("MXFEED_NO_SKIP", "0") != "0"
        sys.exit(1 if strict else 77 if len(result.skipped) >= result.testsRun else 0)
    sys.exit(0)
