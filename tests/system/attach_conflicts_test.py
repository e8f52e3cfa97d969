# SPDX-License-Identifier: GPL-2.0-or-later
"""What stops attach: it names the cause, changes nothing, and the site's mail goes on.  And what
its dry run and status say."""

import contextlib
import pathlib
import subprocess

import rig
import site_rig
from mailhost import BOXES, DOMAIN, PARTNER

DYNAMIC_MAPS = pathlib.Path("/etc/postfix/dynamicmaps.cf")


class ConflictsTest(site_rig.SiteCase):
    def setUp(self):
        super().setUp()
        self.before = self.host.files()
        self.addCleanup(self.restore)

    def restore(self):
        for file, text in zip((self.host.main_cf, self.host.master_cf), self.before):
            file.write_bytes(text)
        self.host.configure(self.domains)
        self.host.compile()
        self.host.postfix.reload()

    def assert_stops(self, *words):
        """Attach stops with these words and leaves all as it is."""
        self.host.compile()
        before = self.host.files()
        for arguments in ((), ("--dry-run",)):
            done = self.host.postfix_command("attach", *arguments, check=False)
            said = done.stdout + done.stderr
            self.assertEqual(done.returncode, 1, said)
            for word in words:
                self.assertIn(word, said)
        self.assertEqual(self.host.files(), before)
        self.accept([f"anna@{DOMAIN}", f"carla@{BOXES}", f"info@{PARTNER}"], rig.mail("still"))
        self.host.wait_delivered()

    def edit(self, **parameters):
        self.host.postfix.edit(**parameters)
        self.host.postfix.reload()

    @contextlib.contextmanager
    def without_cdb(self):
        """As if the package postfix-cdb were missing, in this mount namespace."""
        file = self.host.directory / "dynamicmaps.cf"
        file.write_text("".join(line for line in DYNAMIC_MAPS.read_text().splitlines(True)
                                if not line.startswith("cdb")))
        subprocess.run(["mount", "--bind", file, DYNAMIC_MAPS], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", DYNAMIC_MAPS], check=True)

    def test_a_postfix_without_cdb(self):
        with self.without_cdb():
            self.host.postfix.reload()
            self.assert_stops("postfix-cdb")

    def test_a_domain_that_the_site_relays_itself(self):
        self.host.configure(self.domains + rig.feed(PARTNER, site_rig.GREYLIST_OFF))
        self.assert_stops(PARTNER, "relay_domains")

    def test_a_domain_that_is_local(self):
        self.host.configure(self.domains + rig.feed(DOMAIN, site_rig.GREYLIST_OFF))
        self.assert_stops(DOMAIN, "mydestination")

    def test_a_domain_that_has_mailboxes(self):
        self.host.configure(self.domains + rig.feed(BOXES, site_rig.GREYLIST_OFF))
        self.assert_stops(BOXES, "virtual_mailbox_domains")

    def test_a_domain_that_the_site_routes(self):
        self.edit(transport_maps=f"inline:{{acme.example=relay:[203.0.113.99]}}, "
                                 f"hash:{self.host.postfix.config}/transport")
        self.assert_stops("acme.example", "transport_maps")

    def test_a_milter_that_is_neither_verifier_nor_sealer(self):
        self.edit(smtpd_milters="unix:opendkim/opendkim.sock, inet:127.0.0.1:8899, "
                                "inet:127.0.0.1:11332")
        self.assert_stops("inet:127.0.0.1:11332", "looks like rspamd", "verifiers")

    def test_a_proxy_before_the_queue(self):
        self.host.postfix.edit_master("smtpd/pass/smtpd_proxy_filter=127.0.0.1:10024")
        before = self.host.files()
        done = self.host.postfix_command("attach", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("smtpd_proxy_filter", done.stdout + done.stderr)
        self.assertEqual(self.host.files(), before)

    def test_clients_that_no_milter_sees(self):
        self.edit(smtpd_milter_maps="cidr:{{198.51.100.0/24 DISABLE}}")
        self.assert_stops("smtpd_milter_maps")

    def test_an_open_relay(self):
        self.edit(smtpd_relay_restrictions="check_client_access static:OK, "
                                           "reject_unauth_destination",
                  smtpd_recipient_restrictions="")
        self.assert_stops("smtpd_relay_restrictions")

    def test_networks_that_cannot_be_compiled(self):
        self.edit(mynetworks="127.0.0.0/8, 198.51.100.192/27, "
                             f"hash:{self.host.postfix.config}/relay_domains")
        self.assert_stops("mynetworks")

    def test_a_size_above_the_sites_limit(self):
        self.host.configure(self.domains + rig.feed("large.example", site_rig.GREYLIST_OFF,
                                                    'max_size = "50M"'))
        self.assert_stops("large.example", "message_size_limit")


class DryRunTest(site_rig.SiteCase):
    def test_it_lists_each_change_and_what_else_is_affected(self):
        said = self.host.attach("--dry-run")
        for word in ("relay_domains", "relay_recipient_maps", "transport_maps",
                     "mxfeed_smtpd_milters", "-o smtpd_milters: (not set) -> $mxfeed_smtpd_milters",
                     "mxfeed-relay", "mxfeed-soft",
                     # The list of what also affects other mail.
                     "also affects other mail", "smtpd_hard_error_limit",
                     # Checks of the site that strike hosted domains.
                     "header_checks", "content_filter", "virtual_alias_maps"):
            self.assertIn(word, said)
        self.assertNotIn("submission", said)

    def test_status_tells_the_states_apart(self):
        status = self.host.attach_state
        self.assertEqual(status()[0], "detached")
        self.host.attach()
        self.assertEqual(status(), ("attached", 0))
        self.host.postfix.edit_master("smtpd/pass/smtpd_milters=inet:127.0.0.1:8899")
        state, code = status()
        self.assertNotEqual((state, code), ("attached", 0))
        self.assertNotEqual(code, 0)
        self.host.attach()
        self.assertEqual(status(), ("attached", 0))
        self.host.detach()
        self.assertEqual(status()[0], "detached")


if __name__ == "__main__":
    rig.main()
