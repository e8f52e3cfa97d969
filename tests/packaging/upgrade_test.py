# SPDX-License-Identifier: GPL-2.0-or-later
"""Upgrades and restarts of a gateway in use."""

import collections
import concurrent.futures
import itertools
import shutil
import threading
import time

import packages
import rig
import smtp_client
from messages import mail
from service import SOURCE, eventually

RATE = 50  # messages a second


class Load:
    """Sends at a fixed rate, a message a connection, from many threads; keeps each answer."""

    def __init__(self, rate=RATE):
        self.interval = 1 / rate
        self.outcomes = []  # (subject, Outcome or the error)
        self.begin = self.end = 0.0  # of the sending
        self.longest = 0.0  # seconds that a message took
        self._stop = threading.Event()
        self._threads = concurrent.futures.ThreadPoolExecutor(200)
        self._pacer = threading.Thread(target=self._pace)

    def __enter__(self):
        self._pacer.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._pacer.join()
        self.end = time.monotonic()
        self._threads.shutdown()

    def _pace(self):
        self.begin = time.monotonic()
        for number in itertools.count():
            if self._stop.wait(max(0, self.begin + number * self.interval - time.monotonic())):
                return
            self._threads.submit(self._send, f"load {number}")

    def _send(self, subject):
        begin = time.monotonic()
        try:
            with smtp_client.Session(rig.GATEWAY, 25, source=rig.SENDER) as session:
                outcome = session.send("anna@sender.example", ["info@acme.example"],
                                       mail(subject))
        except OSError as error:
            outcome = error
        self.longest = max(self.longest, time.monotonic() - begin)
        self.outcomes.append((subject, outcome))

    def answers(self):
        """How many got which last answer."""
        return collections.Counter(
            repr(outcome) if isinstance(outcome, OSError) else outcome.last.code
            for _, outcome in self.outcomes)


class UpgradeTest(packages.TestCase):
    def assert_nothing_lost(self, load):
        """What was accepted arrives, once; nothing was refused for good."""
        answers = load.answers()
        self.assertFalse([answer for answer in answers
                          if not isinstance(answer, int) or answer >= 500], answers)
        accepted = {subject for subject, outcome in load.outcomes if outcome.accepted}
        print(f"{len(load.outcomes)} messages in {load.end - load.begin:.1f} s, the longest took "
              f"{load.longest:.1f} s, answers: {dict(answers)}")
        self.assertGreater(len(load.outcomes) / (load.end - load.begin), 0.9 * RATE)

        def arrived():
            return collections.Counter(
                d.header("Subject")[0].decode().strip() for d in self.customer.received())
        eventually(lambda: accepted <= set(arrived()), "all accepted mail arrives", 90)
        self.assertEqual([], [s for s, n in arrived().items() if n > 1 and s in accepted])
        for delivery in self.customer.received():
            self.assertEqual([b" clean"], delivery.header("X-Mxfeed-Virus"))
        return answers

    def test_restarts_defer_no_new_connection(self):
        self.gateway()
        with Load() as load:
            eventually(lambda: len(load.outcomes) > 50, "load")
            for name in packages.SERVICES * 3:
                before = len(load.outcomes)
                self.machine.run("systemctl", "restart", f"mxfeed-{name}")
                eventually(lambda: len(load.outcomes) > before + 50, "load after it", 60)
        self.assertEqual({250}, set(self.assert_nothing_lost(load)))

    def test_open_sessions_are_deferred_by_the_virus_filter_and_passed_by_the_others(self):
        self.gateway()
        for name in ("greylist", "spam", "virus"):
            with self.subTest(name), smtp_client.Session(rig.GATEWAY, 25,
                                                         source=rig.SENDER) as session:
                first = session.send("anna@sender.example", ["info@acme.example"], mail("first"))
                self.assertTrue(first.accepted)
                self.machine.run("systemctl", "restart", f"mxfeed-{name}")
                second = session.send("anna@sender.example", ["info@acme.example"],
                                      mail("second"))
                self.assertEqual(451 if name == "virus" else 250, second.last.code)
        self.assert_relays()

    def later(self, version="99.0", change=None):
        packages.later(self.shared / "repo", self.shared / "later", version, change)
        return "sh", "-c", ("apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0"
                            " --allow-downgrades install /srv/shared/later/*.deb")

    def versions(self):
        return set(self.machine.run("dpkg-query", "-W", "-f", "${Version}\n",
                                    *packages.PACKAGES).stdout.split())

    def test_an_upgrade_under_load_loses_nothing(self):
        self.gateway()
        upgrade = self.later()
        sockets = self.machine.sh("stat -c %i /var/spool/postfix/mxfeed/*").stdout
        main_pids = [self.machine.property(f"mxfeed-{name}", "MainPID")
                     for name in packages.SERVICES]
        with Load() as load:
            eventually(lambda: len(load.outcomes) > 50, "load")
            self.machine.run(*upgrade)
            before = len(load.outcomes)
            eventually(lambda: len(load.outcomes) > before + 50, "load after it", 60)
        self.assertEqual({"99.0"}, self.versions())
        self.assertEqual({250}, set(self.assert_nothing_lost(load)))
        self.assertEqual(sockets, self.machine.sh("stat -c %i /var/spool/postfix/mxfeed/*").stdout)
        for name, pid in zip(packages.SERVICES, main_pids):
            self.assertNotEqual(pid, self.machine.property(f"mxfeed-{name}", "MainPID"))

    def test_an_upgrade_compiles_the_policy_before_it_restarts_the_filters(self):
        # This host has another name than its [[host]].
        self.gateway(packages.GATEWAY.replace('name = "mx1.', 'name = "in1.')
                     .replace("192.0.2.10", "192.0.2.11"), "--host", "in1.gateway.example")
        self.machine.sh("printf '\\n[greylist]\\ndelay = \"4m\"\\n' >>/etc/mxfeed/mxfeed.toml")
        done = self.machine.run(*self.later())
        self.assertIn("generation 2", done.stdout)
        for name in ("greylist", "virus", "spam"):
            self.assertIn("generation: 2", self.ask(name, "status"))
        first = done.stdout.index("generation 2")
        self.assertLess(first, done.stdout.index("Setting up mxfeed-greylist"))
        self.assertIn("smtp_bind_address=192.0.2.11", self.machine.run(
            "cat", "/var/lib/mxfeed/current-postfix/master.cf").stdout)
        self.assertEqual(0, self.machine.run("mxfeed", "status", check=False).returncode)

    def test_a_configuration_that_the_new_version_rejects_stops_nothing(self):
        def reject(name, unpacked):
            if name == "mxfeed":
                program = unpacked / "usr/sbin/mxfeed"
                program.write_text("#!/bin/sh\necho '/etc/mxfeed/mxfeed.toml:1: mx: cause' >&2\n"
                                   "exit 1\n")
        self.gateway()
        self.machine.sh("echo '# by the postmaster' >>/etc/mxfeed/mxfeed.toml")
        done = self.machine.run(*self.later(change=reject))
        self.assertIn("generations/1 stays in force", done.stdout)
        self.assertEqual({"99.0"}, self.versions())
        for name in ("greylist", "virus", "spam"):
            self.assertIn("generation: 1", self.ask(name, "status"))
        eventually(self.is_scanning, "the scan service has signatures")
        self.assert_relays()
        self.machine.sh("grep 'by the postmaster' /etc/mxfeed/mxfeed.toml")

    def test_state_of_an_earlier_version_is_taken_up(self):
        earlier = SOURCE / "tests/golden/earlier/0.1.0"
        shutil.copytree(earlier / "state", self.machine.path("/var/lib/mxfeed"), symlinks=True)
        shutil.copytree(earlier / "config", self.machine.path("/etc/mxfeed"))
        self.make_signatures()
        done = self.install()
        self.assertIn("generation 3: ", done.stdout)
        for name in ("greylist", "virus", "spam"):
            self.assertIn("generation: 3", self.ask(name, "status"))

    def test_back_to_the_former_version(self):
        self.gateway()
        self.machine.run(*self.later())
        self.machine.sh("printf '\\n[greylist]\\ndelay = \"4m\"\\n' >>/etc/mxfeed/mxfeed.toml")
        self.machine.run("mxfeed", "apply")
        self.machine.sh("apt-get -q -y --allow-downgrades --no-install-recommends install " +
                        " ".join(f"{name}/{self.release}" for name in packages.PACKAGES))
        self.assertNotIn("99.0", self.versions())
        self.machine.run("mxfeed", "rollback")
        eventually(self.is_scanning, "the scan service has signatures")
        self.assert_relays()


if __name__ == "__main__":
    rig.main()
