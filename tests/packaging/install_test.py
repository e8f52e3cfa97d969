# SPDX-License-Identifier: GPL-2.0-or-later
"""From bare Debian to a gateway, and back."""

import os
import re
import shutil
import subprocess
import time

import packages
import rig
from messages import GTUBE, infected, mail
from service import SOURCE, eventually

# What an installed machine has and a bare one not: of Postfix and of dpkg.
FOREIGN = re.compile(
    r"/(var/(lib/(dpkg|apt|systemd|postfix|clamav|dbus)|cache|log|spool/postfix|mail)"
    r"|etc/(postfix|ssl|machine-id|resolvconf|ppp|network|insserv|ld\.so\.cache|.*-$)"
    r"|run|tmp|proc|sys|dev|srv|root)(/|$)")


class InstallTest(packages.TestCase):
    def files(self):
        """All files that are not Postfix's or the package manager's."""
        found = self.machine.run("find", "/", "-xdev").stdout.splitlines()
        return {name for name in found if not FOREIGN.match(name)}

    def test_a_gateway_relays_and_filters(self):
        begin = time.monotonic()
        self.gateway()
        self.assert_relays()
        minutes = (time.monotonic() - begin) / 60
        print(f"from bare Debian to the first mail without downloads: {minutes:.1f} minutes")
        self.assertLess(minutes, 5)
        outcome = self.send(message=infected())
        self.assertEqual(outcome.final.code, 250)
        self.assertTrue(self.send(message=mail("cheap", GTUBE + "\n")).accepted)
        self.customer.wait_for(
            lambda: any(d.header("Subject") == [b" [SPAM: high] cheap"]
                        for d in self.customer.deliveries), "the tagged mail")
        self.assertFalse([d for d in self.customer.received() if b"invoice.com" in d.data])
        status = self.machine.run("mxfeed", "status", check=False)
        self.assertEqual(0, status.returncode, status.stdout)
        self.assertEqual("", self.machine.run(
            "systemctl", "list-units", "--failed", "--plain", "--no-legend", "mxfeed*").stdout)

    def test_the_commands_of_the_readme(self):
        self.make_signatures()
        self.install()
        self.prepare_postfix()
        said = self.machine.run("mxfeed", "init").stdout
        self.assertIn("mxfeed postfix attach", said)
        written = self.machine.path("/etc/mxfeed/mxfeed.toml").read_text()
        self.assertIn('"mx1.gateway.example"', written)
        self.assertRegex(written, r"(?m)^dedicated += true")
        self.machine.write("/etc/mxfeed/domains.d/acme.toml", packages.DOMAINS)
        self.machine.run("mxfeed", "apply")
        self.attach()
        self.assert_relays()

    def test_services_run_confined(self):
        self.gateway()
        for name in packages.SERVICES:
            unit = f"mxfeed-{name}.service"
            with self.subTest(unit):
                pid = self.machine.property(unit, "MainPID")
                status = self.machine.run("cat", f"/proc/{pid}/status").stdout
                self.assertIn("Seccomp:\t2", status)
                self.assertIn("NoNewPrivs:\t1", status)
                self.assertRegex(status, r"CapEff:\t0+\n")
                self.assertEqual(f"mxfeed-{name}", self.machine.run(
                    "stat", "-c", "%U", f"/proc/{pid}").stdout.strip())
                self.assertLessEqual(self.exposure(unit), 1.0 if name == "scan" else 2.0)
                reloads = self.metric(name, 'mxfeed_reloads_total{result="done"}')
                self.machine.run("systemctl", "reload", unit)
                eventually(lambda: self.metric(name, 'mxfeed_reloads_total{result="done"}')
                           > reloads, "it has reloaded")
                self.assertEqual(pid, self.machine.property(unit, "MainPID"))
        verified = self.machine.sh(
            "systemd-analyze verify --man=no $(dpkg -L mxfeed-greylist mxfeed-virus mxfeed-spam"
            " mxfeed-recipients mxfeed-quarantine |"
            " grep -E '/mxfeed-.*[.](service|socket)$')")
        self.assertEqual("", verified.stdout)
        socket = self.machine.run("stat", "-c", "%U %G %a",
                                  *(f"/var/spool/postfix/mxfeed/{name}.sock"
                                    for name in ("greylist", "virus", "spam", "recipients",
                                                 "quarantine"))).stdout
        self.assertEqual(socket, "root postfix 660\n" * 5)
        self.assertIn("tmpfs", self.machine.sh(
            f"nsenter -t {self.machine.property('mxfeed-scan', 'MainPID')} -m "
            "stat -f -c %T /run/mxfeed-scan").stdout)

    def test_a_filter_gets_a_network_by_the_drop_in_only(self):
        self.gateway()

        def network(pid):
            return self.machine.run("readlink", f"/proc/{pid}/ns/net").stdout
        unit = "mxfeed-virus.service"
        self.assertNotEqual(network(1), network(self.machine.property(unit, "MainPID")))
        drop_in = self.machine.path(f"/etc/systemd/system/{unit}.d/network.conf")
        drop_in.parent.mkdir()
        shutil.copy(SOURCE / "packaging/examples/systemd/network.conf", drop_in)
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", unit)
        self.assertEqual(network(1), network(self.machine.property(unit, "MainPID")))
        self.assertLessEqual(self.exposure(unit), 2.0)
        self.assert_relays()

    def exposure(self, unit):
        security = self.machine.run("systemd-analyze", "security", unit).stdout
        exposure = float(re.search(r"exposure level .*: ([\d.]+)", security).group(1))
        print(f"{unit}: exposure {exposure}")
        return exposure

    def test_nothing_that_they_do_is_forbidden_to_them(self):
        # A call that the filter of system calls refuses ends the process here.
        for name in packages.SERVICES:
            self.machine.write(f"/etc/systemd/system/mxfeed-{name}.service.d/kill.conf",
                               "[Service]\nSystemCallErrorNumber=kill\n")
        self.gateway()
        self.assert_relays()
        self.assertEqual(450, self.send("info@slow.example").last.code)
        self.assertIn("slow.example", self.machine.run("mxfeed", "greylist", "list").stdout)
        self.send(message=infected())
        self.send(message=mail("cheap", GTUBE + "\n"))
        self.send(message=mail("large", "x" * 79 + "\n" + ("y" * 79 + "\n") * 100_000))
        self.assertIn("infected", self.machine.run(
            "mxfeed", "virus", "scan", "-", text=infected().decode(), check=False).stdout)
        # Another policy for the scan service.
        self.configure(gateway=packages.GATEWAY + "[virus]\nmax_files = 9000\n")
        self.machine.run("mxfeed", "apply")
        eventually(lambda: "generation: 2" in self.ask("scan", "status"), "a new engine", 60)
        self.assert_relays()
        for name in packages.SERVICES:
            unit = f"mxfeed-{name}"
            self.assertEqual("0", self.machine.property(unit, "NRestarts"), unit)
            self.machine.run("systemctl", "stop", f"{unit}.socket", f"{unit}.service")
            self.assertEqual("success", self.machine.property(unit, "Result"), unit)
        journal = self.machine.journal("-u", "mxfeed-*")
        self.assertEqual([], [line for line in journal.splitlines() if "fault=" in line])

    def test_removal_is_refused_while_attached_then_purge_leaves_nothing(self):
        before = None
        self.install("postfix-cdb", "procps")
        before = self.files()
        self.gateway()
        refused = self.apt("purge", *packages.PACKAGES, check=False)
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("Postfix uses it: /etc/postfix/main.cf", refused.stdout)
        self.assertEqual("installed " * len(packages.PACKAGES), self.machine.run(
            "dpkg-query", "-W", "-f", "${db:Status-Status} ", *packages.PACKAGES).stdout)
        self.assert_relays()

        self.machine.run("mxfeed", "postfix", "detach")
        self.apt("remove", *packages.PACKAGES)
        kept = ("/etc/mxfeed/mxfeed.toml", "/var/lib/mxfeed/current",
                "/var/lib/mxfeed/greylist/greylist.db")
        for name in kept:
            self.assertTrue(self.machine.sh(f"[ -e {name} ]"), name)
        self.install()
        self.attach()
        self.assert_relays()

        self.machine.run("mxfeed", "postfix", "detach")
        self.apt("purge", *packages.PACKAGES)
        # Else apt keeps libraries that other packages of Debian suggest.
        self.apt("autoremove", "--purge", "-o", "APT::AutoRemove::RecommendsImportant=false",
                 "-o", "APT::AutoRemove::SuggestsImportant=false")
        self.assertEqual(set(), self.files() - before)
        self.machine.sh("! ls -d /var/spool/postfix/mxfeed /var/lib/mxfeed /etc/mxfeed")
        self.assertEqual("", self.machine.sh(
            "systemctl list-units --all --plain --no-legend 'mxfeed*'").stdout)

    def test_a_signed_repository_is_trusted_and_an_altered_one_not(self):
        home = self.directory / "gpg"
        home.mkdir(mode=0o700)
        environment = {**os.environ, "GNUPGHOME": str(home)}

        def gpg(*words):
            return subprocess.run(["gpg", "--batch", "--passphrase", "", *words], check=True,
                                  env=environment, capture_output=True).stdout
        gpg("--quick-generate-key", "mxfeed@isp.example")
        repo = self.shared / "signed"
        subprocess.run([SOURCE / "packaging/build-repo", "--sign-with", "mxfeed@isp.example",
                        repo, *sorted((self.shared / "repo/pool" / self.release).iterdir())],
                       check=True, env=environment)
        self.machine.path("/etc/apt/keyrings").mkdir(exist_ok=True)
        self.machine.path("/etc/apt/keyrings/mxfeed.gpg").write_bytes(gpg("--export"))
        self.machine.write("/etc/apt/sources.list.d/mxfeed.list",
                           "deb [signed-by=/etc/apt/keyrings/mxfeed.gpg] "
                           f"file:/srv/shared/signed {self.release} main\n")
        self.update()
        self.assertIn("Inst mxfeed ", self.apt("install", "-s", "mxfeed").stdout)
        index = repo / f"dists/{self.release}/main/binary-amd64/Packages"
        index.write_text(index.read_text().replace("mxfeed-spam", "mxfeed-scam"))
        index.with_suffix(".gz").unlink()
        self.machine.sh("rm -rf /var/lib/apt/lists/*signed*")
        with self.assertRaises(AssertionError):
            self.update()

    def test_without_signatures_the_installation_ends_and_mail_waits(self):
        self.install()
        self.assertEqual("active", self.machine.property("mxfeed-scan", "ActiveState"))
        self.configure()
        self.prepare_postfix()
        self.machine.run("mxfeed", "apply")
        self.machine.sh("mxfeed postfix attach || [ $? = 6 ]")
        self.machine.sh("! mxfeed status")
        eventually(lambda: "no_engine" in self.ask("scan", "status"), "it has tried to load")


if __name__ == "__main__":
    rig.main()
