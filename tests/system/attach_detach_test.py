# SPDX-License-Identifier: GPL-2.0-or-later
"""Taking mxfeed away from a Postfix that stays in use: nothing bounces, nothing of ours is left,
nothing of the site's is lost."""

import threading

import rig
import site_rig
import smtp_client
from mailhost import DOMAIN
from service import eventually

MAILS = 1000
CLIENTS = 4


class DetachTest(site_rig.SiteCase):
    def setUp(self):
        super().setUp()
        self.before = self.host.files()
        self.bounced = len(self.bounces())

    def tearDown(self):
        """For the test after one that failed in between."""
        self.customer.down()
        self.customer.up()
        self.deliver_all()
        self.host.postfix_command("detach", check=False)

    def flood(self, count):
        """That many mails for a hosted domain, over several connections."""
        outcomes = []

        def send(client):
            with smtp_client.Session(rig.GATEWAY, source=rig.SENDER) as session:
                for i in range(client, count, CLIENTS):
                    outcomes.append(session.send("anna@sender.example",
                                                 [f"user{i}@other.example"], rig.mail(f"mail {i}")))

        threads = [threading.Thread(target=send, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([str(o.last) for o in outcomes if not o.accepted], [])
        self.assertEqual(len(outcomes), count)

    def deferred(self):
        return len(self.host.postfix.waiting("other.example"))

    def deliver_all(self):
        def empty():
            self.host.postfix.flush()
            return not self.deferred()
        eventually(empty, "the queue of other.example is empty", 120)

    def test_what_waits_for_hosted_domains_is_delivered_after_detach(self):
        self.host.attach()
        self.assertEqual(self.host.attach_state()[0], "attached")
        self.customer.down()
        self.flood(MAILS)
        eventually(lambda: self.deferred() == MAILS and all(
            message["queue_name"] == "deferred" for message in self.host.postfix.queue()),
            "all of them wait", 120)

        self.host.detach(75)
        self.assertEqual(self.host.attach_state()[0], "detaching")
        # New mail is refused, as it was before attach.
        reply = self.send("info@other.example", rig.mail("too late")).last
        self.assertEqual((reply.code, reply.enhanced), (454, "4.7.1"))
        # Again while they wait: nothing more goes.
        self.host.detach(75)
        self.assertEqual(self.host.attach_state()[0], "detaching")
        self.host.postfix.flush()
        self.host.postfix.reload()
        eventually(lambda: self.deferred() == MAILS, "all of them still wait")

        self.customer.up()
        self.deliver_all()
        got = sorted(d.recipients[0] for d in self.customer.received())
        self.assertEqual(got, sorted(f"user{i}@other.example" for i in range(MAILS)))
        self.assertEqual(self.bounces()[self.bounced:], [])

        self.host.detach()
        self.assertEqual(self.host.attach_state()[0], "detached")
        self.assertEqual(self.host.files(), self.before)

    def test_attach_again_while_the_queue_is_emptied(self):
        self.host.attach()
        self.customer.down()
        self.flood(3)
        eventually(lambda: self.deferred() == 3, "they wait")
        self.host.detach(75)
        self.host.attach()
        self.assertEqual(self.host.attach_state()[0], "attached")
        self.customer.up()
        self.accept("info@other.example", rig.mail("new"))
        self.deliver_all()
        self.customer.wait_for_count(4)
        self.host.detach()
        self.assertEqual(self.host.files(), self.before)

    def test_attaching_twice_changes_nothing_more(self):
        self.host.attach()
        attached = self.host.files()
        self.host.attach()
        self.assertEqual(self.host.files(), attached)
        self.host.detach()
        self.assertEqual(self.host.files(), self.before)
        self.host.detach()
        self.assertEqual(self.host.files(), self.before)

    def test_a_dry_run_changes_nothing(self):
        for verb in ("attach", "detach"):
            self.host.postfix_command(verb, "--dry-run")
            self.assertEqual(self.host.files(), self.before)
        self.host.attach()
        attached = self.host.files()
        for verb in ("attach", "detach"):
            self.host.postfix_command(verb, "--dry-run")
            self.assertEqual(self.host.files(), attached)

    def test_what_the_site_changes_meanwhile_survives(self):
        for name, edit in self.site_edits().items():
            with self.subTest(name):
                main, master = self.before
                self.host.attach()
                edit()
                self.accept("info@other.example", rig.mail("attached"))
                self.accept(f"anna@{DOMAIN}", rig.mail("attached"))
                self.host.wait_delivered()
                self.host.detach()
                after = b"".join(self.host.files())
                self.assertNotRegex(after, rb"\$mxfeed_|current-postfix|# mxfeed|^mxfeed")
                # The same edit on what was there before comes to the same.
                edited = self.host.settings()
                self.host.main_cf.write_bytes(main)
                self.host.master_cf.write_bytes(master)
                edit()
                self.assertEqual(edited, self.host.settings())
                self.host.main_cf.write_bytes(main)
                self.host.master_cf.write_bytes(master)
                self.host.postfix.reload()

    def site_edits(self):
        main, master = self.host.main_cf, self.host.master_cf

        def substitute(file, old, new):
            # The first one may be the record of what was there.
            before, found, behind = file.read_text().rpartition(old)
            self.assertTrue(found)
            file.write_text(before + new + behind)

        def append(file, text):
            file.write_text(file.read_text() + text)

        return {
            "a parameter of its own": lambda: self.host.postfix.edit(smtpd_client_port_logging="yes"),
            "a line at the end": lambda: append(main, "# later\nsmtp_helo_timeout = 77s\n"),
            "another parameter, by hand":
                lambda: substitute(main, "biff = no", "biff=no\nsmtp_quit_timeout = 9s"),
            "a table of its own": lambda: substitute(
                main, f"hash:{self.host.postfix.config}/transport",
                f"inline:{{more.example=discard:}}, hash:{self.host.postfix.config}/transport"),
            "a service of its own": lambda: append(
                master, "mine unix - - n - - smtp\n  -o smtp_helo_name=mine\n"),
            "an option of the service that is filtered":
                lambda: self.host.postfix.edit_master("smtpd/pass/smtpd_client_port_logging=yes"),
            "postconf -e, which rewrites": lambda: self.host.postfix.edit(
                mydestination="$myhostname, site.example, localhost"),
        }


if __name__ == "__main__":
    rig.main()
