# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways installed from packages: a machine, the repository, a domain, mail.

What is tested with is told by the environment (tests/packaging/run):
  MXFEED_BASE     root directory of a Debian with systemd and nothing else
  MXFEED_REPO     what packaging/build-repo made
  MXFEED_RELEASE  bookworm or trixie
  MXFEED_INSTALLED, MXFEED_NEXT_REPO, MXFEED_NEXT
                  a Debian 12 with the packages, ready to be upgraded; the repository of
                  Debian 13, and its name
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

import machine as machines
import rig
import smtp_client
from messages import mail
from service import SOURCE, eventually

PACKAGES = ("mxfeed", "mxfeed-greylist", "mxfeed-virus", "mxfeed-spam",
            "mxfeed-recipients", "mxfeed-quarantine")
SERVICES = ("greylist", "virus", "scan", "spam", "recipients", "quarantine")
DOMAINS = """\
[customer]
id = "acme"
contacts = ["postmaster@acme.example"]
[[domain]]
name = "acme.example"
deliver_to = ["203.0.113.7"]
greylist = false
  [domain.spam]
  enabled = true
  high = { action = "subject", text = "[SPAM: high] " }
[[domain]]
name = "slow.example"
deliver_to = ["203.0.113.7"]
"""
GATEWAY = """\
mx = ["mx1.gateway.example"]
[[host]]
name = "mx1.gateway.example"
addresses = ["192.0.2.10"]
[postfix]
dedicated = true
"""


def later(repository, target, version, change=None):
    """Writes the packages of the repository anew as those of a later version; `change` gets
    the name and the unpacked directory of each."""
    target.mkdir()
    for deb in sorted(pathlib.Path(repository).glob("pool/*/*.deb")):
        if "-dbgsym_" in deb.name:
            continue
        name = deb.name.partition("_")[0]
        with tempfile.TemporaryDirectory() as unpacked:
            subprocess.run(["dpkg-deb", "-R", deb, unpacked], check=True)
            control = pathlib.Path(unpacked) / "DEBIAN/control"
            old = re.search(r"(?m)^Version: (.*)$", control.read_text()).group(1)
            control.write_text(control.read_text().replace(old, version))
            if change:
                change(name, pathlib.Path(unpacked))
            subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", unpacked, target],
                           check=True, stdout=subprocess.DEVNULL)
    return target


class TestCase(unittest.TestCase):
    """Each test has a machine of its own, booted; customers' server and clients are rig's."""

    variables = ("MXFEED_BASE", "MXFEED_REPO", "MXFEED_RELEASE")

    def setUp(self):
        for name in self.variables:
            if name not in os.environ:
                self.skipTest(f"{name} is not set (tests/packaging/run does it)")
        base, repo, self.release = (os.environ[name] for name in self.variables)
        self.world = rig.World.get()
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=self.world.directory))
        shared = self.directory / "shared"
        shutil.copytree(repo, shared / "repo")
        self.shared = shared
        self.machine = machines.Machine(
            base, self.directory / "machine", shared, {
                "etc/hostname": "mx1\n",
                "etc/hosts": "127.0.0.1 localhost\n192.0.2.10 mx1.gateway.example mx1\n",
                "etc/mailname": "mx1.gateway.example\n",
                "etc/resolv.conf": f"nameserver {rig.RESOLVER}\n",
                "etc/apt/sources.list.d/mxfeed.list":
                    f"deb [trusted=yes] file:/srv/shared/repo {self.release} main\n",
            })
        self.addCleanup(self.machine.stop)
        self.addCleanup(self._tell_if_failed)
        self.machine.boot()
        # Not before Postfix has its address: freshly installed it wants port 25 of all.
        self.customer = rig.smtp_sink.Sink(rig.CUSTOMER, 25)
        self.addCleanup(self.customer.down)

    # ... steps of an installation

    def update(self):
        """Reads the repository; nothing else can be reached."""
        self.machine.sh(
            "apt-get -q update -o Dir::Etc::sourcelist=sources.list.d/mxfeed.list"
            " -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0")

    def install(self, *packages, check=True):
        """From the repository; what they depend on was downloaded before."""
        self.update()
        return self.apt("install", *(packages or PACKAGES), check=check)

    def apt(self, *words, **options):
        return self.machine.run(
            "apt-get", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", *words,
            **options)

    def make_signatures(self):
        subprocess.run([SOURCE / "tests/support/test-database",
                        self.machine.path("/var/lib/clamav")], check=True)

    def configure(self, domains=DOMAINS, gateway=GATEWAY):
        self.machine.write("/etc/mxfeed/mxfeed.toml", gateway)
        self.machine.write("/etc/mxfeed/domains.d/acme.toml", domains)

    def prepare_postfix(self):
        """Postfix as `Internet site` sets it up, at the gateway's address."""
        self.machine.sh("""
            [ -e /etc/postfix/main.cf ] || cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
            postconf -e myhostname=mx1.gateway.example mydestination='$myhostname' \\
              inet_interfaces=192.0.2.10 inet_protocols=ipv4 mynetworks=127.0.0.0/8 \\
              smtp_bind_address=192.0.2.10 alias_maps= alias_database= \\
              maillog_file=/var/log/postfix.log
            systemctl restart postfix@- 2>/dev/null || systemctl restart postfix
            """)
        self.customer.up()

    def attach(self):
        # 6: mxfeed-scan may still load its signatures.
        self.machine.sh("mxfeed postfix attach || [ $? = 6 ]")
        eventually(self.is_scanning, "the scan service has signatures", 60)

    def is_scanning(self):
        return "state: running" in self.ask("scan", "status")

    def gateway(self, configuration=GATEWAY, *options):
        """From bare Debian to a gateway that relays; `options` are those of apply."""
        self.make_signatures()
        self.install()
        self.configure(gateway=configuration)
        self.prepare_postfix()
        self.machine.run("mxfeed", "apply", *options)
        self.attach()

    # ... looking at it

    def ask(self, daemon, command):
        """What the status socket answers; empty if nobody does."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(10)
                client.connect(str(self.machine.path(f"/var/lib/mxfeed/{daemon}/status.sock")))
                client.sendall(command.encode() + b"\n")
                return b"".join(iter(lambda: client.recv(65536), b"")).decode()
        except OSError:
            return ""

    def metric(self, daemon, name):
        values = dict(line.rpartition(" ")[::2] for line in
                      self.ask(daemon, "metrics").splitlines())
        return float(values.get(name, 0))

    def send(self, recipient="info@acme.example", message=None, source=rig.SENDER):
        with smtp_client.Session(rig.GATEWAY, 25, source=source) as session:
            return session.send("anna@sender.example", [recipient], message or mail())

    def assert_relays(self):
        """A mail arrives, and all filters have seen it."""
        before = len(self.customer.received())
        outcome = self.send()
        self.assertTrue(outcome.accepted, str(outcome.last))
        self.customer.wait_for(lambda: len(self.customer.deliveries) > before, "the mail")
        got = self.customer.received()[before]
        self.assertEqual([b" clean"], got.header("X-Mxfeed-Virus"))
        self.assertTrue(got.header("X-Mxfeed-Spam-Status"))

    def _tell_if_failed(self):
        failed = self._outcome.result.failures + self._outcome.result.errors
        if any(test is self for test, _ in failed):
            print(self.machine.journal("-n", "150"))
            print(self.machine.run("tail", "-n", "40", "/var/log/postfix.log", check=False).stdout)
