# SPDX-License-Identifier: GPL-2.0-or-later
"""The measurement of tests/bench/last_copy."""

import subprocess
import time

import exim
import postfix
import rig

LIMIT = 50 * 60  # Exim's next try is its queue run after 15 minutes, of one in 30
RECIPIENTS = [f"info@d{i}.example" for i in range(20)]
# As Exim comes; Debian's daemon runs its queue every half hour.
EXIM_RETRIES = "* * F,2h,15m; G,16h,1h,1.5; F,4d,6h"


class LastCopy(rig.TestCase):
    # Two domains of each class.  Not greylisted: that is another subject.
    domains = "".join(
        rig.feed(f"d{i}.example", "greylist = false",
                 tables="[domain.spam]\nenabled = true\n"
                        f'low = {{ action = "subject", text = "[{i % 10}] " }}\n')
        for i in range(20))

    def served(self, sender):
        return {recipient for delivery in self.customer.received() if delivery.sender == sender
                for recipient in delivery.recipients}

    def test_it(self):
        by_postfix = postfix.Postfix(self.world.directory / "sender", "198.51.100.7:25",
                                     "postfix-sender")
        by_postfix.configure({"myhostname": "mail.sender.example",
                              "relayhost": f"[{rig.GATEWAY}]"})
        by_postfix.start()
        self.addCleanup(by_postfix.stop)
        by_exim = exim.Exim(self.world.directory / "exim", rig.GATEWAY, "198.51.100.9",
                            retries=EXIM_RETRIES)
        start = time.monotonic()
        by_postfix.submit("postfix@sender.example", RECIPIENTS, rig.mail("to all"))
        by_exim.submit("exim@sender.example", RECIPIENTS, rig.mail("to all"), at_once=True)
        daemon = subprocess.Popen(by_exim.daemon("30m"))
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        took = {}
        while len(took) < 2 and time.monotonic() - start < LIMIT:
            for sender in ("postfix", "exim"):
                if sender not in took and \
                        self.served(f"{sender}@sender.example") == set(RECIPIENTS):
                    took[sender] = time.monotonic() - start
                    print(f"{sender}: the last copy after {took[sender]:.0f} s", flush=True)
            time.sleep(1)
        self.assertEqual(set(took), {"postfix", "exim"})
        copies = sum(len(delivery.recipients) for delivery in self.customer.received())
        self.assertEqual(copies, 2 * len(RECIPIENTS), "nobody has it twice")


if __name__ == "__main__":
    rig.main()
