# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed test-mail`: one mail is followed through the gateway to the customer's server."""

import json

import rig


class MailTrialTest(rig.TestCase):
    domains = rig.feed("acme.example", "greylist = false") + rig.feed("down.example", deliver_to=["203.0.113.99"])

    def trial(self, domain, *options, status):
        done = self.gateway.mxfeed("test-mail", domain, "--postfix-config",
                                   self.gateway.postfix.config, "--json", *options, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_the_answer_of_the_customers_server_is_told(self):
        told = self.trial("acme.example", status=0)
        self.assertEqual(told["status"], "sent")
        self.assertIn("203.0.113.7", told["delivered"])
        self.assertIn("250", told["delivered"])
        [delivery] = self.customer.received()
        self.assertEqual(delivery.recipients, ("postmaster@acme.example",))
        self.assertEqual(delivery.header("Subject"), [b" Test of the mail gateway"])
        # It went through the filters.
        self.assertTrue(delivery.header("X-Mxfeed-Virus"), delivery.headers)

    def test_a_refusal_there_is_told(self):
        self.customer.answers["info@acme.example"] = "550 5.1.1 No such user"
        self.addCleanup(self.customer.answers.clear)
        told = self.trial("acme.example", "--to", "info@acme.example", status=1)
        self.assertIn("550 5.1.1 No such user", told["refused"])

    def test_a_server_that_does_not_answer_is_told(self):
        told = self.trial("down.example", status=75)
        self.assertIn("Connection refused", told["deferred"])

    def test_a_refusal_here_is_told(self):
        told = self.trial("acme.example", "--to", "info@stranger.example", status=1)
        self.assertIn("by this gateway: 554", told["refused"])


if __name__ == "__main__":
    rig.main()
