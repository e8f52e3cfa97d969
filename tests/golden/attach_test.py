# SPDX-License-Identifier: GPL-2.0-or-later
"""What `mxfeed postfix attach` and `detach` change in the files of a Postfix, and that detach
gives back every byte."""

import fcntl
import json
import os
import shutil
import unittest

import golden
import site_postfix
from site_postfix import DIFFERS, MAIN_CF, TRY_LATER, UNSCANNED, WRONG


class AttachTest(site_postfix.TestCase):
    # ... attaching

    def test_only_what_is_ours_is_set(self):
        before = set(self.postconf("-n").splitlines())
        self.attach()
        changed = {line.split(" =")[0] for line in before ^ set(self.postconf("-n").splitlines())}
        self.assertEqual(changed, {"relay_domains", "transport_maps", "mxfeed_smtpd_milters",
                                   "mxfeed_soft_error_limit", "mxfeed_hard_error_limit",
                                   "mxfeed_recipient_restrictions",
                                   "mxfeed_etrn_restrictions", "smtpd_restriction_classes",
                                   "mxfeed_blocklist", "mxfeed_reject_listed",
                                   "mxfeed_callout", "mxfeed_ask_recipients",
                                   "mxfeed_callout_defer", "mxfeed_ask_recipients_defer",
                                   "mxfeed_delivery_gateways", "mxfeed_delivery_proxies",
                                   "mxfeed_delivery_dns_filter",
                                   "mxfeed_delivery_status_filter",
                                   "mxfeed_delivery_header_checks"})
        self.assertEqual(self.parameter("relay_domains"),
                         f"hash:{self.postfix}/relay, old.example, "
                         f"cdb:{self.state}/current-postfix/relay_domains")
        self.assertEqual(self.option("smtp/inet", "smtpd_milters"), "$mxfeed_smtpd_milters")
        self.assertEqual(self.option("submission/inet", "smtpd_milters"), None)
        self.assertEqual(self.option("127.0.0.1:10025/inet", "smtpd_milters"), "")
        milters = self.postconf("-h", "mxfeed_smtpd_milters")
        self.assertTrue(milters.startswith("inet:localhost:8891, { unix:mxfeed/greylist.sock, "))
        self.assertEqual(self.parameter("non_smtpd_milters"), "inet:localhost:8891")

    def test_every_change_is_told_with_its_reason_before(self):
        done = self.postfix_command("attach", "--dry-run")
        self.assertEqual(self.files(), self.before)
        self.assertIn("main.cf: transport_maps: (not set) -> "
                      f"cdb:{self.state}/keeper/transport, "
                      f"cdb:{self.state}/current-postfix/transport "
                      "(routes mail to the customers' servers)\n", done.stdout)
        self.assertIn("master.cf: smtp/inet: -o smtpd_milters: (not set) -> "
                      "$mxfeed_smtpd_milters (filters mail from strangers)\n", done.stdout)
        self.assertIn("\nalso affects other mail:\n  smtp/inet: ", done.stdout)
        self.postfix_command("diff", status=DIFFERS)
        self.attach()
        self.assertEqual(self.postfix_command("diff").stdout, "")

    def test_in_json_it_is_typed(self):
        told = json.loads(self.postfix_command("diff", "--json", status=DIFFERS).stdout)
        change = next(one for one in told["changes"] if one["name"] == "transport_maps")
        self.assertEqual((change["place"], change["before"]), ("main.cf", None))
        self.assertEqual((told["conflicts"], told["exit_status"]), ([], DIFFERS))
        self.assertEqual(json.loads(self.attach("--json").stdout)["state"], "attached")
        told = json.loads(self.postfix_command("detach", "--json").stdout)
        self.assertEqual(told["routes"], "removed")

    def test_a_second_time_changes_nothing(self):
        self.attach()
        attached = self.files()
        self.attach()
        self.assertEqual(self.files(), attached)

    def test_the_second_step_gives_back_every_byte(self):
        mains = (MAIN_CF.format(directory=self.postfix), MAIN_CF.format(directory=self.postfix) +
                 "\n\n# the end", MAIN_CF.format(directory=self.postfix).replace("\n", "\r\n"))
        for dedicated in (False, True):
            self.write("mxfeed.toml", golden.MX + "[postfix]\n"
                       f"dedicated = {str(dedicated).lower()}\n"
                       'verifiers = ["inet:localhost:8891"]\n')
            self.apply()
            for main in mains:
                with self.subTest(f"dedicated {dedicated}: {main[-20:]!r}"):
                    self.set(main)
                    self.attach()
                    self.assertNotEqual(self.files(), self.before)
                    self.postfix_command("detach")
                    self.assertEqual(self.files(), self.before)

    def test_routes_are_kept_until_nothing_waits(self):
        self.attach()
        self.waits("x@other.example", "y@sub.family.example")
        for _ in range(2):
            done = self.postfix_command("detach", status=TRY_LATER)
            self.assertIn("the routes are kept: mail waits for 1 domain", done.stdout)
            self.assertIn("current-postfix/transport", self.parameter("transport_maps"))
            self.assertNotIn("current-postfix", self.parameter("relay_domains"))
            self.assertEqual(self.option("smtp/inet", "smtpd_milters"), None)
            self.assertIn("mxfeed-relay/unix", self.postconf("-P"))
        # Months later, when the state is gone.
        shutil.rmtree(self.state)
        self.postfix_command("detach", status=TRY_LATER)
        self.waits()
        self.assertIn("detached", self.postfix_command("detach").stdout)
        self.assertEqual(self.files(), self.before)

    def test_attach_in_the_midst_of_detaching(self):
        self.attach()
        attached = self.files()
        self.waits("x@a.example")
        self.postfix_command("detach", status=TRY_LATER)
        self.attach()
        self.assertEqual([sorted(file.splitlines()) for file in self.files()],
                         [sorted(file.splitlines()) for file in attached])

    def test_detaching_what_is_not_attached_changes_nothing(self):
        self.assertIn("not attached", self.postfix_command("detach").stdout)
        self.assertEqual(self.files(), self.before)

    def test_what_the_site_changed_meanwhile_stays(self):
        self.attach()
        main = (self.postfix / "main.cf").read_text()
        self.assertIn("old.example, cdb:", main)
        (self.postfix / "main.cf").write_text(
            main.replace("old.example, cdb:", "old.example, new.example, cdb:") +
            "smtpd_banner = hello\n")
        self.postconf("-e", "smtpd_helo_required = yes")
        self.postconf("-P", "-e", "smtp/inet/smtpd_helo_required=no")
        self.postfix_command("detach")
        self.assertEqual(self.parameter("relay_domains"),
                         f"hash:{self.postfix}/relay, old.example, new.example")
        self.assertEqual(self.parameter("smtpd_banner"), "hello")
        self.assertEqual(self.option("smtp/inet", "smtpd_helo_required"), "no")
        self.assertEqual(self.option("smtp/inet", "smtpd_milters"), None)
        self.assertNotRegex("\n".join(self.files()), r"(?m)^[^#]*(\$mxfeed_|current-postfix)")

    def test_a_link_stays_a_link_and_the_mode_stays(self):
        real = self.directory / "main.cf"
        (self.postfix / "main.cf").rename(real)
        (self.postfix / "main.cf").symlink_to(real)
        real.chmod(0o640)
        self.attach()
        self.assertTrue((self.postfix / "main.cf").is_symlink())
        self.assertEqual(real.stat().st_mode & 0o777, 0o640)
        self.assertIn("current-postfix", real.read_text())

    def test_two_at_once(self):
        directory = os.open(self.postfix, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        fcntl.flock(directory, fcntl.LOCK_EX)
        for command in ("attach", "detach"):
            self.assertIn("another mxfeed is changing it",
                          self.postfix_command(command, status=TRY_LATER).stderr)
        self.assertEqual(self.files(), self.before)

    def test_without_a_generation(self):
        shutil.rmtree(self.state)
        self.assertIn("run mxfeed apply", self.attach(status=WRONG).stderr)

    # ... status

    def test_status_tells_how_far_it_is_attached(self):
        def state(status):
            return json.loads(self.postfix_command("status", "--json", status=status).stdout)
        self.assertEqual(state(DIFFERS)["state"], "detached")
        self.attach()
        self.assertEqual(state(6)["state"], "attached")
        attached = self.files()
        self.postconf("-e", "transport_maps = hash:/x")
        told = state(6)
        self.assertEqual((told["state"], told["differing"]),
                         ("drifted", ["main.cf: transport_maps"]))
        (self.postfix / "main.cf").write_text(attached[0])
        (self.postfix / "master.cf").write_text(self.before[1])
        told = state(UNSCANNED)
        self.assertIn("smtpd_milters=inet:localhost:8891: mail bypasses the filters",
                      "".join(one["text"] for one in told["dangers"]))
        self.attach()
        self.assertEqual(self.files(), attached)


if __name__ == "__main__":
    unittest.main()
