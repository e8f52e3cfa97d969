# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosted domains on a Postfix that is in use: mail for them passes the three filters between the
site's own milters, whoever brings it is treated as such, and nobody else's mail is touched."""

import rig
import site_rig
from mailhost import BOXES, DOMAIN, NAME, PARTNER, TRUSTED_CLIENT
from service import eventually

TWO_CLASSES = ["info@acme.example", "info@other.example"]
GTUBE = f"{rig.GTUBE}\n"
# The site refuses domains without records.
rig.RECORDS += [f"{name}. MX 10 {NAME}." for name in (
    "suspended.example", "own.suspended.example", "listed.example")]
OURS = "x-mxfeed-"


def names(message):
    return [name.decode().lower() for name, _ in message.headers]


class AttachedCase(site_rig.SiteCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings_before = cls.host.settings()
        cls.host.attach()

    def delivered(self, recipients, message, **options):
        """Sends it and returns the one copy that the customer got."""
        self.accept(recipients, message, **options)
        (delivery,) = self.customer.wait_for_count(1)
        return delivery

    def mailbox(self, address, message_id):
        """The text of the message in the mailbox, once it is there."""
        directory = self.host.mailboxes()[address]

        def found():
            return next((text for text in (file.read_bytes() for file in directory.glob("new/*"))
                         if message_id.encode() in text), None)

        return eventually(found, f"{message_id} is in the mailbox of {address}")


class HostedMailTest(AttachedCase):
    def test_it_is_scanned_and_relayed_to_the_customers_server(self):
        delivery = self.delivered("info@other.example", rig.mail("hello"))
        self.assertEqual(delivery.recipients, ("info@other.example",))
        self.assertEqual(len(delivery.header("X-Mxfeed-Virus")), 1)
        self.assertEqual(self.send("info@rejects.example", rig.infected()).final.code, 550)

    def test_the_greylist_puts_off_a_client_that_is_not_known(self):
        refusals = []

        def taken():
            outcome = self.send("info@grey.example", rig.mail("again"))
            if not outcome.accepted:
                refusals.append(outcome.last.code)
            return outcome.accepted

        eventually(taken, "the retry is taken")
        self.assertEqual(set(refusals), {450})

    def test_a_client_that_is_new_waits_for_postscreen_and_is_filtered(self):
        delivery = self.delivered("info@acme.example", rig.mail("cheap", GTUBE),
                                  source="198.51.100.99")
        self.assertEqual(delivery.header("Subject"), [b" [SPAM] cheap"])

    def test_recipients_of_two_classes_come_in_two_transactions(self):
        with self.session() as session:
            outcomes = session.send_all("anna@sender.example", TWO_CLASSES, rig.mail("two"))
        self.assertEqual([len(outcome.accepted) for outcome in outcomes], [1, 1])

    def test_a_client_is_not_cut_off_over_recipients_of_another_class(self):
        others = [f"user{i}@other.example" for i in range(60)]
        with self.session() as session:
            outcome = session.send("anna@sender.example", ["info@acme.example", *others],
                                   rig.mail("many"))
        self.assertEqual(outcome.accepted, ["info@acme.example"])
        self.assertEqual({outcome.replies[address].code for address in others}, {452})

    def test_every_recipient_is_known_though_the_site_lists_its_own(self):
        # Submission has relay_recipient_maps too, and no unknown recipient is refused there.
        self.accept("anybody@family.example", rig.mail("known"))
        self.accept("anybody@below.family.example", rig.mail("known"))
        self.customer.wait_for_count(2)
        self.assertEqual(self.bounces(), [])

    def test_a_subdomain_is_refused_where_the_domain_does_not_take_them(self):
        for address in ("info@below.acme.example", "info@below.other.example"):
            reply = self.send(address, rig.mail("below")).replies[address]
            self.assertEqual(reply.code // 100, 5, str(reply))

    def test_domains_of_nobody_are_not_relayed(self):
        for address in ("info@elsewhere.example", "info%elsewhere.example@acme.example",
                        "info@acme.example@elsewhere.example"):
            self.assertFalse(self.send(address, rig.mail("relay")).accepted, address)


class IntakeTest(AttachedCase):
    """What a domain's settings answer, where the site has restrictions of its own."""

    domains = site_rig.HOSTED + rig.feed("suspended.example", site_rig.GREYLIST_OFF,
                                         'state = "suspended"') + \
        rig.feed("listed.example", site_rig.GREYLIST_OFF, 'recipients = ["info"]') + \
        rig.feed("own.suspended.example", site_rig.GREYLIST_OFF)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The site's restriction comes later, and attach copies it.
        cls.host.postfix.edit(smtpd_recipient_restrictions="check_recipient_access "
                              "inline:{{info@listed.example=554 5.7.1 site}, "
                              f"{{refused@{DOMAIN}=554 5.7.1 site}}}}")
        cls.host.attach()

    def reply(self, address):
        return str(self.send(address, rig.mail("probe")).replies[address])

    def test_ours_come_before_the_sites_and_permit_nothing(self):
        for address, wanted in (
                ("info@suspended.example", "450 4.3.2"), ("info@own.suspended.example", "250"),
                ("nobody@listed.example", "550 5.1.1"), ("postmaster@listed.example", "250"),
                ("info@listed.example", "554 5.7.1"), (f"refused@{DOMAIN}", "554 5.7.1"),
                ("info@acme.example", "250"), (f"anna@{DOMAIN}", "250")):
            with self.subTest(address):
                reply = self.reply(address)
                self.assertTrue(reply.startswith(wanted), reply)

    def test_a_user_of_the_site_may_write_to_a_suspended_domain(self):
        with self.submission() as session:
            outcome = session.send("carla@boxes.example", ["info@suspended.example"],
                                   rig.mail("from inside"))
        self.assertEqual(outcome.accepted, ["info@suspended.example"])
        self.customer.wait_for_count(1)


class OrderTest(AttachedCase):
    """The site's verifier, our filters, the site's sealer."""

    def test_the_seal_follows_the_last_edit(self):
        before = len(self.host.sealer.received())
        delivery = self.delivered("info@acme.example", rig.mail("cheap", GTUBE))
        (seen,) = self.host.sealer.received()[before:]
        self.assertEqual(seen.header("Subject"), ["[SPAM] cheap"])
        self.assertEqual(delivery.header("X-Site-Seal"), [b" subject=[SPAM] cheap"])
        self.assertTrue([name for name, _ in seen.headers if name.lower().startswith(OURS)])

    def test_the_verifier_stands_before_our_edits(self):
        signed = self.sender_key.sign(rig.mail("cheap", GTUBE))
        before = len(self.host.sealer.received())
        delivery = self.delivered("info@acme.example", signed)
        # It saw the subject that was signed.
        (result,) = delivery.header("Authentication-Results")
        self.assertIn(b"dkim=pass", result)
        self.assertEqual(delivery.header("Subject"), [b" [SPAM] cheap"])
        found = names(delivery)
        ours = [i for i, name in enumerate(found) if name.startswith(OURS)]
        # What we add stands at the end of the header, what the verifier adds at its top.
        self.assertTrue(ours)
        self.assertLess(found.index("authentication-results"), min(ours))
        self.assertLess(found.index("x-site-seal"), found.index("authentication-results"))
        (seen,) = self.host.sealer.received()[before:]
        self.assertIn("dkim=pass", seen.header("Authentication-Results")[0])

    def test_forged_fields_are_removed_from_hosted_mail_only(self):
        forged = b"X-Mxfeed-Virus: forged\r\n"
        delivery = self.delivered("info@other.example", forged + rig.mail("forged"))
        self.assertNotIn(b" forged", delivery.header("X-Mxfeed-Virus"))
        message = rig.mail("forged", Message_ID="<forged@sender.example>")
        self.accept(f"anna@{DOMAIN}", forged + message)
        text = self.mailbox(f"anna@{DOMAIN}", "<forged@sender.example>")
        self.assertEqual(text.lower().count(b"x-mxfeed-"), 1)
        self.assertIn(b"X-Mxfeed-Virus: forged\n", text)


class OthersTest(AttachedCase):
    """Who is not a stranger, and what is not for a hosted domain."""

    def test_only_what_mxfeed_may_set_is_set(self):
        after = self.host.settings()
        changed = {name for name in {*after, *self.settings_before}
                   if after.get(name) != self.settings_before.get(name)}
        allowed = {"relay_domains", "smtpd_restriction_classes", "relay_recipient_maps", "transport_maps",
                   "smtpd/pass/smtpd_milters", "smtpd/pass/smtpd_soft_error_limit",
                   "smtpd/pass/smtpd_hard_error_limit",
                   "smtpd/pass/smtpd_recipient_restrictions",
                   "smtpd/pass/smtpd_etrn_restrictions"}
        self.assertEqual({name for name in changed - allowed
                          if not name.startswith(("mxfeed-", "mxfeed_"))}, set())
        self.assertIn("smtpd/pass/smtpd_milters", changed)
        # The site's maps come first.
        for name in ("relay_domains", "relay_recipient_maps", "transport_maps"):
            self.assertTrue(after[name].startswith(self.settings_before[name]), after[name])

    def test_the_partners_domain_is_still_relayed_and_its_recipients_known(self):
        outcome = self.send([f"info@{PARTNER}", f"gone@{PARTNER}"], rig.mail("partner"))
        self.assertEqual(outcome.accepted, [f"info@{PARTNER}"])
        self.assertEqual(outcome.replies[f"gone@{PARTNER}"].code, 550)
        self.sinks["partner"].wait_for_count(1)

    def test_a_mail_program_may_send_to_domains_of_two_classes(self):
        with self.submission() as session:
            outcome = session.send(f"carla@{BOXES}", TWO_CLASSES, rig.mail("both"))
        self.assertEqual(outcome.accepted, TWO_CLASSES)
        self.customer.wait_for(lambda: sum(len(d.recipients) for d in self.customer.deliveries)
                               == 2, "both recipients got it")

    def test_a_mail_program_is_not_put_off(self):
        with self.submission() as session:
            outcome = session.send(f"carla@{BOXES}", ["info@grey.example"], rig.mail("now"))
        self.assertEqual(outcome.accepted, ["info@grey.example"])

    def test_a_trusted_client_is_not_put_off(self):
        self.accept("trusted@grey.example", rig.mail("now"), sender="cron@trusted.example",
                    source=TRUSTED_CLIENT)

    def test_a_trusted_client_may_send_to_domains_of_two_classes(self):
        self.accept(TWO_CLASSES, rig.mail("both"), source=TRUSTED_CLIENT)
        self.customer.wait_for(lambda: sum(len(d.recipients) for d in self.customer.deliveries)
                               == 2, "both recipients got it")

    def test_a_trusted_clients_virus_gets_the_mildest_action_of_its_recipients(self):
        # Deleted for other.example, rejected for rejects.example: the client is told.
        outcome = self.send(["info@other.example", "info@rejects.example"], rig.infected(),
                            source=TRUSTED_CLIENT)
        self.assertEqual(outcome.final.code, 550)
        self.accept("info@other.example", rig.infected(), source=TRUSTED_CLIENT)
        self.accept("after@other.example", rig.mail("after"), source=TRUSTED_CLIENT)
        self.customer.wait_for(lambda: self.customer.deliveries, "the mail sent afterwards")
        self.assertEqual([d.recipients for d in self.customer.received()],
                         [("after@other.example",)])

    def test_a_trusted_clients_spam_is_not_tagged(self):
        delivery = self.delivered("info@acme.example", rig.mail("cheap", GTUBE),
                                  source=TRUSTED_CLIENT)
        self.assertEqual(delivery.header("Subject"), [b" cheap"])

    def test_a_local_mail_with_a_virus_is_delivered_as_before(self):
        self.accept(f"bert@{DOMAIN}", rig.infected("virus for bert"))
        self.assertIn(b"Subject: virus for bert\n",
                      self.mailbox(f"bert@{DOMAIN}", "virus for bert"))

    def test_a_mail_to_both_worlds_reaches_both(self):
        for recipients in ([f"anna@{DOMAIN}", "info@other.example"],
                           ["info@other.example", f"anna@{DOMAIN}"]):
            with self.subTest(recipients[0]):
                self.customer.clear()
                name = f"<{recipients[0].partition('@')[0]}-first@sender.example>"
                with self.session() as session:
                    session.send_all("anna@sender.example", recipients,
                                     rig.mail("both worlds", Message_ID=name))
                (delivery,) = self.customer.wait_for_count(1)
                self.assertEqual(len(delivery.header("X-Mxfeed-Virus")), 1)
                self.mailbox(f"anna@{DOMAIN}", name)

    def test_a_virus_to_both_worlds_does_not_reach_the_hosted_one(self):
        with self.session() as session:
            session.send_all("anna@sender.example", [f"bert@{DOMAIN}", "info@other.example"],
                             rig.infected())
        self.accept("after@other.example", rig.mail("after"))
        self.customer.wait_for(lambda: self.customer.deliveries, "the mail sent afterwards")
        self.host.wait_delivered()
        self.assertEqual([d.recipients for d in self.customer.received()],
                         [("after@other.example",)])


class FiltersDownTest(AttachedCase):
    def test_logins_and_other_mail_do_without_the_virus_filter(self):
        for name in ("spam", "virus", "greylist", "scan"):
            self.host.daemons[name].stop()
        # Strangers' mail is put off at port 25, which the dry run lists.
        with self.session() as session:
            reply = session.send("anna@sender.example", ["info@acme.example"], rig.mail("x")).last
        self.assertTrue(reply.temporary, str(reply))
        with self.submission() as session:
            outcome = session.send(f"carla@{BOXES}", [f"anna@{DOMAIN}"], rig.mail("login"))
        self.assertEqual(outcome.accepted, [f"anna@{DOMAIN}"])
        self.host.postfix.submit(f"root@{DOMAIN}", [f"bert@{DOMAIN}"],
                                 rig.mail("cron", Message_ID="<cron@site.example>"))
        self.mailbox(f"bert@{DOMAIN}", "<cron@site.example>")
        self.host.start_daemons()
        self.accept("info@acme.example", rig.mail("back"))


if __name__ == "__main__":
    rig.main()
