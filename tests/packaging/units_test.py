# SPDX-License-Identifier: GPL-2.0-or-later
"""The units, users and directories that are installed fit each other and the programs.

`systemd-analyze` looks at them offline; that they work is shown by install_test.py.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))

# pylint: disable=wrong-import-position
from service import BUILD, SOURCE, program

UNITS = BUILD / "packaging/systemd"
PACKAGING = SOURCE / "packaging"
DAEMONS = ("greylist", "virus", "scan", "spam", "recipients", "quarantine")
MILTERS = ("greylist", "virus", "spam")
SESSIONS = 10_000


class Unit(dict):
    """{"Service": {"User": ["mxfeed-scan"], ...}, ...}"""

    def __init__(self, path):
        section = None
        super().__init__()
        for line in path.read_text().splitlines():
            if line.startswith("["):
                section = self.setdefault(line.strip("[]"), {})
            elif line and not line.startswith("#"):
                key, _, value = line.partition("=")
                section.setdefault(key, []).append(value)


def service(name):
    return Unit(UNITS / f"mxfeed-{name}.service")["Service"]


def socket(name):
    return Unit(UNITS / f"mxfeed-{name}.socket")["Socket"]


def words(folder):
    """The fields of all lines of the files in a folder of packaging."""
    return [line.split() for file in sorted((PACKAGING / folder).glob("*.conf"))
            for line in file.read_text().splitlines() if line and not line.startswith("#")]


class UnitsTest(unittest.TestCase):
    def test_there_are_a_service_and_a_socket_for_each_daemon(self):
        self.assertEqual(
            sorted([*(f"mxfeed-{name}.{kind}" for name in DAEMONS
                      for kind in ("service", "socket")),
                    "mxfeed-keeper.service", "mxfeed-keeper.timer",
                    "mxfeed-spam-exchange.service", "mxfeed-spam-exchange.timer",
                    "mxfeed-spam-reports.service", "mxfeed-spam-reports.timer",
                    "mxfeed-verify.service", "mxfeed-verify.timer"]),
            sorted(path.name for path in UNITS.iterdir()))
        for name in DAEMONS:
            self.assertEqual([f"mxfeed-{name}.socket"],
                             Unit(UNITS / f"mxfeed-{name}.service")["Unit"]["Requires"])

    def test_they_start_the_programs_with_options_that_these_know(self):
        for name in DAEMONS:
            path, *arguments = service(name)["ExecStart"][0].split()
            self.assertEqual(pathlib.Path(path).name, f"mxfeed-{name}")
            done = subprocess.run([program(f"mxfeed-{name}"), *arguments, "--version"],
                                  stdout=subprocess.DEVNULL, check=False)
            self.assertEqual(0, done.returncode)
            self.assertEqual(arguments[:2], ["--socket", "fd:3"])

    def test_what_timers_start_are_commands_that_there_are(self):
        for name, key, when in (("keeper", "OnUnitInactiveSec", "60s"),
                                ("spam-exchange", "OnUnitInactiveSec", "60s"),
                                ("spam-reports", "OnUnitInactiveSec", "60s"),
                                ("verify", "OnCalendar", "daily")):
            with self.subTest(name):
                path, *arguments = service(name)["ExecStart"][0].split()
                self.assertEqual(pathlib.Path(path).name, "mxfeed")
                done = subprocess.run([program("mxfeed"), *arguments, "--help"],
                                      stdout=subprocess.DEVNULL, check=False)
                self.assertEqual(0, done.returncode)
                self.assertEqual([when], Unit(UNITS / f"mxfeed-{name}.timer")["Timer"][key])

    def test_their_exposure_is_low(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        for name in DAEMONS:
            self.assert_exposed(UNITS / f"mxfeed-{name}.service", 1.0 if name == "scan" else 2.0)
        # It is root, though without rights, and has the network.
        self.assert_exposed(UNITS / "mxfeed-verify.service", 3.0)
        self.assert_exposed(UNITS / "mxfeed-spam-exchange.service", 2.0)
        # It becomes two other users, and has no network.
        self.assert_exposed(UNITS / "mxfeed-spam-reports.service", 3.0)

    def test_their_exposure_is_low_with_a_network_too(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not installed")
        more = (PACKAGING / "examples/systemd/network.conf").read_text()
        with tempfile.TemporaryDirectory() as directory:
            self.assertEqual(["any"], service("virus")["IPAddressDeny"])
            unit = pathlib.Path(directory) / "mxfeed-virus.service"
            unit.write_text((UNITS / unit.name).read_text() + more)
            self.assert_exposed(unit, 2.0)

    def test_who_asks_the_dns_has_a_network(self):
        for name in DAEMONS:
            unit = service(name)
            families = unit["RestrictAddressFamilies"][0].split()
            has_network = "PrivateNetwork" not in unit and "IPAddressDeny" not in unit and \
                {"AF_INET", "AF_INET6"} <= set(families)
            self.assertEqual(name in ("greylist", "spam", "recipients"), has_network, name)

    def assert_exposed(self, unit, most):
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager",
             f"--threshold={most * 10:.0f}", unit], capture_output=True, text=True, check=False)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_limits_suffice_for_all_sessions(self):
        for name in MILTERS:
            unit = service(name)
            self.assertGreaterEqual(int(unit["LimitNOFILE"][0]), 3 * SESSIONS + 64)
            self.assertGreaterEqual(int(unit["TasksMax"][0]), SESSIONS + 128)
            self.assertGreaterEqual(int(unit["LimitNPROC"][0]), SESSIONS + 128)
            self.assertIn("MemoryMax", unit)

    def test_the_scan_service_holds_two_sets_of_signatures_and_its_scratch(self):
        unit = service("scan")
        scratch = dict(option.partition("=")[::2] for option in
                       unit["TemporaryFileSystem"][0].partition(":")[2].split(","))
        self.assertEqual(unit["TemporaryFileSystem"][0].partition(":")[0],
                         unit["ExecStart"][0].partition("--tmpdir ")[2])
        gigabytes = int(unit["MemoryMax"][0].removesuffix("G"))
        self.assertGreaterEqual(gigabytes, 2 * 1.5 + int(scratch["size"].removesuffix("G")) + 1)

    def test_users_directories_and_units_fit(self):
        users = {fields[1] for fields in words("sysusers.d") if fields[0] == "u"}
        groups = users | {fields[1] for fields in words("sysusers.d") if fields[0] == "g"}
        directories = {fields[1]: fields[2:5] for fields in words("tmpfiles.d")}
        for name in DAEMONS:
            unit = service(name)
            self.assertEqual([f"mxfeed-{name}"], unit["User"])
            self.assertIn(f"mxfeed-{name}", users)
            for names in unit.get("SupplementaryGroups", []):
                self.assertLessEqual(set(names.split()), groups)
            self.assertEqual([f"mxfeed/{name}"], unit["StateDirectory"])
            self.assertEqual(
                directories[f"/var/lib/mxfeed/{name}"],
                [unit["StateDirectoryMode"][0], f"mxfeed-{name}", f"mxfeed-{name}"])
            self.assertNotIn("ReadWritePaths", unit)
        # And the owner of the mailboxes, which Dovecot serves.
        self.assertEqual(users - {f"mxfeed-{name}" for name in DAEMONS}, {"mxfeed-mailbox"})

    def test_the_sockets_are_where_postfix_and_the_milter_ask(self):
        with tempfile.TemporaryDirectory() as directory:
            config, state = pathlib.Path(directory) / "config", pathlib.Path(directory) / "state"
            (config / "domains.d").mkdir(parents=True)
            (config / "mxfeed.toml").write_text('mx = ["mx1.gateway.example"]\n')
            (config / "domains.d/a.toml").write_text(
                '[[domain]]\nname = "acme.example"\ndeliver_to = ["203.0.113.7"]\n')
            subprocess.run([program("mxfeed"), "apply", "--no-postfix", "--config", config,
                            "--state", state], check=True, capture_output=True)
            generated = (state / "current-postfix/main.cf").read_text()
        directories = {fields[1]: fields[2:5] for fields in words("tmpfiles.d")}
        for name in (*MILTERS, "recipients"):
            path = pathlib.Path(socket(name)["ListenStream"][0])
            spool = pathlib.Path("/var/spool/postfix")
            self.assertIn(f"unix:{path.relative_to(spool)}", generated)
            self.assertEqual(["postfix"], socket(name)["SocketGroup"])
            self.assertEqual(["0660"], socket(name)["SocketMode"])
            self.assertEqual(["0750", "root", "postfix"], directories[str(path.parent)])
        self.assertEqual(["/var/lib/mxfeed/scan/scan.sock"],
                         socket("scan")["ListenSequentialPacket"])
        self.assertEqual(socket("scan")["SocketGroup"], service("virus")["SupplementaryGroups"])


class ScriptsTest(unittest.TestCase):
    def test_maintainer_scripts_are_sound(self):
        common = (PACKAGING / "debian/attached.sh").read_text()
        for kind in ("postinst", "prerm", "postrm"):
            for script in (PACKAGING / "debian").glob(f"*.{kind}"):
                text = script.read_text().replace("#ATTACHED#", common)
                self.assertIn("#DEBHELPER#", text)
                done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True,
                                      check=False)
                self.assertEqual((0, ""), (done.returncode, done.stderr), script)

    def test_the_changelog_names_the_version_of_the_tree(self):
        changelog = (PACKAGING / "debian/changelog").read_text()
        self.assertIn(f"project(mxfeed VERSION {changelog.partition('(')[2].partition(')')[0]} ",
                      (SOURCE / "CMakeLists.txt").read_text())


if __name__ == "__main__":
    unittest.main()
