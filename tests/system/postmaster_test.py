# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail for postmaster@ a customer's domain that its server refuses goes to the provider."""

import shutil
import subprocess

import refusals_test
import rig
from keeper_test import DAY, OFF, KeeperCase

PROVIDER = "203.0.113.60"
POSTMASTER = "postmaster@isp.example"

rig.NAMES["mail.isp.example"] = PROVIDER
rig.RECORDS += ["isp.example. MX 10 mail.isp.example."]


class PostmasterTest(refusals_test.RefusalsCase):
    domains = "\n".join([
        rig.feed("acme.example", OFF, 'queue_lifetime = "2d"', "subdomains = true"),
        rig.feed("bounce.example", OFF, 'on_refusal = "bounce"'),
    ])
    gateway_settings = f'postmaster = "{POSTMASTER}"\n{KeeperCase.gateway_settings}'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = cls.sink(PROVIDER)
        # What runs as another user may use a configuration only if the host's names it.
        host = cls.world.directory / "etc-postfix"
        shutil.copytree("/etc/postfix", host)
        (host / "main.cf").write_text(
            f"alternate_config_directories = {cls.gateway.postfix.config}\n")
        subprocess.run(["mount", "--bind", host, "/etc/postfix"], check=True)
        cls.addClassCleanup(subprocess.run, ["umount", "/etc/postfix"], check=True)

    def setUp(self):
        super().setUp()
        self.provider.clear()
        self.keep()  # without the routes of the test before
        self.postfix.reload()

    def keep_until(self, condition, what):
        """Runs the keeper until it is so.  By its clock a minute passes after the first run,
        but it may take Postfix half of one to notice a route."""
        self.keep()

        def is_so():
            self.keep_later(60)
            self.at_rest()
            return condition()
        rig.eventually(is_so, what, 120)

    def keep_until_redirected(self, count=1):
        self.keep_until(lambda: len(self.provider.received()) >= count and
                        not self.postfix.queue(), "the provider gets it")
        self.assertEqual(self.bounced(), [])
        self.assertEqual([one.recipients for one in self.provider.received()],
                         [(POSTMASTER,)] * count)
        return self.provider.received()

    def test_the_provider_gets_it_once_and_others_keep_their_path(self):
        self.refuse("late@acme.example", reply="451 4.3.2 Later")
        self.refuse("PostMaster@acme.example")
        message = rig.mail("for whom it concerns", To="postmaster")
        self.accept(["info@acme.example", "PostMaster@acme.example", "late@acme.example"], message)
        self.wait_for_deferral(1)
        self.keep_until(self.provider.received, "the provider gets it")
        delivery, = self.provider.received()
        self.assertEqual((delivery.sender, delivery.recipients),
                         ("anna@sender.example", (POSTMASTER,)))
        self.assertEqual(delivery.header("To"), [b" postmaster"])
        self.assertEqual(delivery.header("Subject"), [b" for whom it concerns"])
        self.assertIn(message.partition(b"\r\n\r\n")[2], delivery.data)
        self.assertEqual({address for _, address in self.postfix.waiting()},
                         {"late@acme.example"})
        self.customer.answers.clear()
        self.postfix.flush()
        self.customer.wait_for_count(2)
        self.assertEqual([one.recipients for one in self.customer.received()],
                         [("info@acme.example",), ("late@acme.example",)])
        rig.eventually(lambda: not self.postfix.queue(), "nothing is left")
        self.assertEqual(len(self.provider.received()), 1)
        self.assertEqual(self.bounced(), [])
        self.assertEqual(self.alerts(), ["postmaster_refused"])

    def test_the_null_sender_stays_null(self):
        self.refuse("postmaster@acme.example")
        self.put("postmaster@acme.example", sender="<>", fields=())
        delivery, = self.keep_until_redirected()
        self.assertEqual(delivery.sender, "")

    def test_a_sender_with_odd_characters_stays_as_it_is(self):
        self.refuse("postmaster@acme.example")
        self.put("postmaster@acme.example", sender='"a,b"@sender.example', fields=())
        delivery, = self.keep_until_redirected()
        self.assertEqual(delivery.sender, '"a,b"@sender.example')

    def test_names_below_a_domain_and_domains_that_bounce_too(self):
        recipients = ["postmaster@sub.acme.example", "postmaster@bounce.example"]
        self.refuse(*recipients, "x@bounce.example")
        for one in recipients:
            self.submit(one)
        self.wait_for_deferral(2)
        self.keep_until_redirected(2)
        self.submit("x@bounce.example")
        self.wait_for_bounces("x@bounce.example")  # Postfix itself

    def test_new_mail_goes_there_at_once_for_a_day_then_the_server_is_asked(self):
        self.refuse("postmaster@acme.example")
        self.put("postmaster@acme.example")
        self.keep_until_redirected()
        self.accept("postmaster@acme.example", rig.mail("the next one"))
        self.provider.wait_for_count(2)
        self.customer.answers.clear()
        self.assertIn("keeper=no-longer-to-provider", self.keep_later(DAY + 120))
        self.postfix.reload()
        self.accept("postmaster@acme.example", rig.mail("a day later"))
        self.customer.wait_for_count(1)
        self.assertEqual(len(self.provider.received()), 2)

    def test_what_the_provider_refuses_causes_no_bounce(self):
        self.addCleanup(self.provider.answers.clear)
        self.provider.answers[POSTMASTER] = "550 5.7.1 spam"
        self.refuse("postmaster@acme.example")
        self.put("postmaster@acme.example", fields=())
        self.keep_until(lambda: not self.postfix.queue(), "nothing is left")
        self.assertEqual(self.sender.received(), [])

    def test_without_the_transport_the_rule_of_refusals_counts(self):
        self.addCleanup(self.postfix.reload)
        self.addCleanup(self.gateway.attach)
        subprocess.run(["postconf", "-c", self.postfix.config, "-MX", "mxfeed-provider/unix"],
                       check=True, capture_output=True)
        self.postfix.reload()
        self.refuse("postmaster@acme.example", "postmaster@bounce.example")
        held = self.put("postmaster@acme.example", fields=())
        self.submit("postmaster@bounce.example")
        self.wait_for_deferral(2)
        self.keep()
        self.keep()
        self.wait_for_bounces("postmaster@bounce.example")
        rig.eventually(lambda: len(self.postfix.queue()) == 1, "the bounce is gone")
        self.assertEqual(self.queues(), {held: "hold"})
        self.assertEqual(self.alerts().count("no_provider"), 1)
        self.assertEqual(self.provider.received(), [])


if __name__ == "__main__":
    rig.main()
