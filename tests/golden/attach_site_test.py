# SPDX-License-Identifier: GPL-2.0-or-later
"""What `mxfeed postfix attach` makes of the settings of a site, and which of them stop it."""

import os
import socket
import subprocess
import threading
import unittest

import golden
import site_postfix
from golden import feed
from site_postfix import MAIN_CF, MASTER_CF, PATH, WRONG

NOT_RUNNING, DIFFERS = 6, 7
# The services that write notices; one has got a service of the site's own.
BOUNCE = """\
bounce    unix  -       -       y       -       0       bounce
defer     unix  -       -       y       -       0       bounce
trace     unix  -       -       y       -       0       bounce
  -o cleanup_service_name=own-cleanup
"""


class SiteTest(site_postfix.TestCase):
    # ... what the site has

    def test_recipients_are_added_where_the_site_has_a_list(self):
        self.set(add_main=f"relay_recipient_maps = hash:{self.postfix}/relay\n")
        self.attach()
        self.assertEqual(self.link("current-postfix"), 2)
        tables = self.parameter("relay_recipient_maps").split(", ")
        self.assertEqual(tables[0], f"hash:{self.postfix}/relay")
        for key, known in (("@a.example", True), ("@family.example", True),
                           ("x@sub.family.example", True), ("x@sub.a.example", False),
                           ("@old.example", False), ("x@familyXexample", False)):
            with self.subTest(key):
                self.assertEqual(any(self.lookup(key, table) for table in tables[1:]), known)
        # An apply keeps it, and one that does not ask Postfix too.
        self.mxfeed("apply", "--postfix-config", str(self.postfix), status=6, env={"PATH": PATH})
        self.apply()
        self.assertEqual(self.link("current-postfix"), 2)
        self.postfix_command("detach")
        self.assertEqual(self.files(), self.before)

    def test_names_below_a_domain_are_refused_where_they_would_be_taken(self):
        main = MAIN_CF.format(directory=self.postfix).replace(
            "parent_domain_matches_subdomains = debug_peer_list\n", "")
        self.set(main)
        self.attach()
        rows = self.source("transport")
        self.assertEqual(rows[".a.example"], "error:5.7.1 domain is not relayed here")
        self.assertTrue(rows[".family.example"].startswith("mxfeed-soft:"))

    def test_networks_are_compiled_into_the_policy(self):
        (self.postfix / "networks").write_text("192.0.2.0/24 OK\n")
        self.set(add_main=f"mynetworks = 127.0.0.0/8, cidr:{self.postfix}/networks\n")
        self.attach()
        self.assertIn("site-mynetworks: 127.0.0.0/8 192.0.2.0/24\n",
                      (self.state / "current" / "meta").read_text())
        (self.postfix / "networks").write_text("198.51.100.0/24 OK\n")
        done = self.postfix_command("status", status=6)
        self.assertIn("main.cf: mynetworks has changed: run mxfeed apply", done.stderr)
        self.mxfeed("apply", "--postfix-config", str(self.postfix), status=6, env={"PATH": PATH})
        self.assertNotIn("mynetworks", self.postfix_command("status", status=6).stderr)

    def test_a_domain_that_the_site_has_too_is_a_conflict(self):
        (self.postfix / "relay").write_text("a.example x\n")
        lists = {
            "relay_domains": f"hash:{self.postfix}/relay",
            "transport_maps": "regexp:{{/@a\\.example$$/ smtp:}}",
            "mydestination": "site.example, A.example",
            "virtual_mailbox_domains": "!b.example, .example",
            "virtual_alias_maps": "inline:{a.example=x}",
        }
        for name, value in lists.items():
            with self.subTest(name):
                self.set(add_main=f"{name} = {value}\n")
                done = self.attach(status=WRONG)
                self.assertRegex(done.stderr, r"conflict: .*main.cf: \w+: .* has .*a\.example")
                self.assertEqual(self.files(), self.before)

    def test_a_new_domain_that_the_site_has_stops_apply(self):
        self.attach()
        number = self.link("current")
        self.write("domains.d/new.toml", feed("new.example") + feed("old.example"))
        conflict = "main.cf: relay_domains: old.example has old.example: remove it there"
        for more in ((), ("--dry-run",)):
            said = self.apply_on(*more, status=WRONG).stderr
            self.assertIn(f"conflict: {self.postfix}/{conflict}", said)
            self.assertIn("1 conflict; nothing was changed", said)
            self.assertEqual(self.link("current"), number)
        self.write("domains.d/new.toml", feed("new.example"))
        self.assertNotIn("conflict", self.apply_on(status=NOT_RUNNING).stderr)
        self.assertEqual(self.link("current"), number + 1)

    def test_a_domain_that_the_site_gets_later_is_reported(self):
        self.attach()
        main = (self.postfix / "main.cf").read_text()
        (self.postfix / "main.cf").write_text(main.replace("old.example", "a.example"))
        finding = ("danger: something differs from the generation in force: "
                   f"{self.postfix}/main.cf: relay_domains: a.example has a.example")
        self.assertIn(finding, self.postfix_command("status", status=NOT_RUNNING).stderr)
        # It is in force already: other changes are applied.
        number = self.link("current")
        self.write("domains.d/new.toml", feed("new.example"))
        self.assertIn(finding, self.apply_on(status=NOT_RUNNING).stderr)
        self.assertEqual(self.link("current"), number + 1)

    def apply_on(self, *arguments, status):
        return self.mxfeed("apply", *arguments, "--postfix-config", str(self.postfix),
                           status=status, env={"PATH": self.path()})

    def test_what_must_be_decided_stops_it(self):
        smtp = "smtp inet n - y - - smtpd\n"
        cases = (
            ("a proxy", {"master": f"{smtp}  -o smtpd_proxy_filter=127.0.0.1:10024\n"},
             "smtpd_proxy_filter: 127.0.0.1:10024: milters do not see"),
            ("no milters", {"add_main": "receive_override_options = no_milters\n"},
             "receive_override_options: no_milters: mail bypasses the filters"),
            ("clients", {"add_main": "smtpd_milter_maps = inline:{192.0.2.1=DISABLE}\n"},
             "clients that it names bypass the filters"),
            ("everybody", {"add_main": "mynetworks = 0.0.0.0/0\n"}, "lets everybody relay"),
            ("networks", {"add_main": "mynetworks = hash:/etc/postfix/networks\n"},
             "mynetworks: hash:/etc/postfix/networks: cannot be compiled"),
            ("no port 25", {"master": "submission inet n - y - - smtpd\n"}, "no smtpd(8) of"),
            ("a milter", {"add_main": "smtpd_milters = inet:localhost:8891 unix:opendmarc.sock\n"},
             'verifiers = ["unix:opendmarc.sock"]; then mxfeed apply'),
        )
        for name, settings, said in cases:
            with self.subTest(name):
                self.set(**settings)
                done = self.attach(status=WRONG)
                self.assertIn(said, done.stderr)
                self.assertRegex(done.stderr, r"[12] conflicts?; nothing was changed\n")
                self.assertEqual(self.files(), self.before)

    def test_each_instance_is_asked_by_its_directory(self):
        first, first_files = self.postfix, self.files()
        self.postfix = self.directory / "postfix-mx"
        (self.postfix / "spool" / "active").mkdir(parents=True)
        (self.postfix / "relay").write_text("older.example x\n")
        self.set(add_main="mynetworks = 192.0.2.0/24\nmulti_instance_name = postfix-mx\n")
        self.attach()
        said = self.postfix_command("status", status=NOT_RUNNING)
        self.assertIn(f"{self.postfix}: attached\n", said.stdout)
        self.assertIn(f"{self.postfix}/spool/mxfeed/virus.sock: no socket there", said.stderr)
        self.assertIn("site-mynetworks: 192.0.2.0/24\n",
                      (self.state / "current" / "meta").read_text())
        # What apply looks at: a domain of this one, and not of the other.
        self.write("domains.d/new.toml", feed("new.example"))
        with open(self.postfix / "main.cf", "a", encoding="ascii") as file:
            file.write("mydestination = new.example\n")
        self.assertIn(f"conflict: {self.postfix}/main.cf: mydestination: new.example has",
                      self.apply_on(status=WRONG).stderr)
        self.postfix = first
        self.assertEqual(self.files(), first_files)
        self.assertIn(f"{first}: detached\n",
                      self.postfix_command("status", status=DIFFERS).stdout)

    def test_a_running_postfix_is_not_attached_without_the_scanner(self):
        (self.directory / "bin" / "postfix").write_text("#!/bin/sh\nexit 0\n")
        self.refused("virus.sock: no socket there", "Start mxfeed-virus first")
        path = self.postfix / "spool" / "mxfeed" / "virus.sock"
        path.parent.mkdir()
        self.listen(path)
        path.chmod(0o600)
        self.refused("virus.sock: the user postfix of Postfix may not connect to it")
        path.chmod(0o666)
        # systemd(1) listens, and the daemon has failed.
        self.refused("mxfeed-virus: down: ", "Start mxfeed-virus first; if it has failed")
        virus = self.daemon("virus", state="no_policy", policy_fault="it is damaged")
        self.refused("mxfeed-virus: no policy: it is damaged: run mxfeed apply", status=DIFFERS)
        virus["state"] = "running"
        self.refused("mxfeed-scan: down: ", "Start mxfeed-scan first")
        self.daemon("scan", state="loading")
        self.refused("mxfeed-scan: loading: ", "Attach again when mxfeed-scan is running")

    def refused(self, *words, status=NOT_RUNNING):
        said = self.postfix_command("attach", status=status).stderr
        for word in (*words, "mail would get 451; nothing was changed"):
            self.assertIn(word, said)
        self.assertEqual(self.files(), self.before)

    def listen(self, path):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(path))
        listener.listen()
        return listener

    def daemon(self, name, **status):
        """One that answers so at its status socket."""
        (self.state / name).mkdir(exist_ok=True)
        listener = self.listen(self.state / name / "status.sock")

        def serve():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(100)
                    client.sendall("".join(f"{key}: {value}\n"
                                           for key, value in status.items()).encode())

        threading.Thread(target=serve, daemon=True).start()
        return status

    def test_a_message_size_above_the_limit_is_a_conflict_if_it_was_asked_for(self):
        self.set(add_main="message_size_limit = 20000000\n")
        self.attach()
        self.postfix_command("detach")
        self.write("domains.d/all.toml", feed("a.example", 'max_size = "30M"'))
        self.apply("--allow-removals", "1")
        self.assertIn("message_size_limit: 20000000: max_size of a.example is 31457280",
                      self.attach(status=WRONG).stderr)
        self.write("mxfeed.toml", golden.MX + "[postfix]\ndedicated = true\n"
                   'verifiers = ["inet:localhost:8891"]\n')
        self.apply()
        self.attach()
        self.assertEqual(self.parameter("message_size_limit"), "31457280")

    def test_a_longer_lifetime_is_told(self):
        self.write("domains.d/all.toml", feed("a.example", 'queue_lifetime = "10d"'))
        self.apply("--allow-removals", "1")
        self.assertIn("queue_lifetime: 10d: mail is returned after 5d, this Postfix's "
                      "maximal_queue_lifetime", self.postfix_command("attach", "--dry-run").stdout)

    def test_notices_of_a_dedicated_postfix_go_through_a_service_of_ours(self):
        self.write("mxfeed.toml", golden.MX + "[postfix]\ndedicated = true\n"
                   'verifiers = ["inet:localhost:8891"]\n')
        self.apply()
        self.set(master=MASTER_CF + "\n" + BOUNCE)
        said = self.attach().stdout
        self.assertIn("master.cf: bounce/unix: -o cleanup_service_name: (not set) -> "
                      "$mxfeed_delivery_notice_service (keeps the customers' servers out of "
                      "notices to senders)", said)
        for service in ("bounce/unix", "defer/unix"):
            self.assertEqual(self.option(service, "cleanup_service_name"),
                             "$mxfeed_delivery_notice_service")
            self.assertEqual(self.option(service, "internal_mail_filter_classes"),
                             "$mxfeed_delivery_notice_classes")
        self.assertEqual(self.option("trace/unix", "cleanup_service_name"), "own-cleanup")
        self.assertIn("trace/unix: -o cleanup_service_name=own-cleanup: its notices to senders "
                      "name the customers' servers\n", said)
        self.assertEqual(self.parameter("mxfeed_delivery_notice_service"), "mxfeed-notices")
        # What Postfix itself makes of the rules.
        checks = self.parameter("mxfeed_delivery_notice_checks")
        for line, action in (
                ("Remote-MTA: dns; mail.a.example", "IGNORE"),
                ("<x@a.example>: host mail.a.example[203.0.113.7] said: 550 No",
                 "REPLACE <x@a.example>: host [recipient's server] said: 550 No"),
                ("<x@a.example>: connect to", "REPLACE <x@a.example>: last delivery attempt:"),
                ("    mail.a.example[203.0.113.7]:25: Connection refused",
                 "REPLACE Diagnostic-Code: X-Postfix; connect to [recipient's server]: "
                 "Connection refused"),
                ("    a line of the message", "")):
            with self.subTest(line):
                self.assertEqual(self.lookup(line, checks), action)
        # A second time nothing differs, and no tool of Postfix complains.
        self.assertEqual(self.postfix_command("diff").returncode, 0)
        self.settle()
        done = subprocess.run(["postconf", "-c", self.postfix, "-n"], capture_output=True,
                              text=True, check=True, env={**os.environ, "PATH": PATH})
        self.assertNotIn("mxfeed", done.stderr)
        self.postfix_command("detach")
        self.assertEqual(self.files(), self.before)

    def test_checks_of_the_site_are_listed(self):
        self.set(add_main="smtpd_recipient_restrictions = reject_rbl_client zen.example, "
                          "permit\nheader_checks = regexp:/h\n")
        done = self.postfix_command("attach", "--dry-run")
        self.assertIn("smtpd_recipient_restrictions: reject_rbl_client zen.example",
                      done.stdout)
        self.assertIn("header_checks: regexp:/h\n", done.stdout)


if __name__ == "__main__":
    unittest.main()
