# SPDX-License-Identifier: GPL-2.0-or-later
"""Recipients that a program prints: the keeper renews the list, and nothing else."""

import json
import os
import pathlib
import subprocess
import time

import rig
import service

HOUR = 3600
RIG = pathlib.Path(os.environ.get("MXFEED_RIG", "/nonexistent"))
LIST = RIG / "recipients"
ALERTS = RIG / "alerts"


class RecipientCommandsTest(rig.TestCase):
    domains = rig.feed("acme.example", "greylist = false", 'recipients = "command:list"')
    gateway_settings = f"""
[alerts]
command = ["/bin/sh", "-c", "cat >> {ALERTS}"]
[[recipient_command]]
name = "list"
command = ["/bin/sh", "-c", "cat {LIST}", "list"]
"""

    @classmethod
    def setUpClass(cls):
        rig.World.get()
        LIST.write_text("info\nsales\nhelp\n")
        super().setUpClass()

    def keep(self, hours):
        """A run of the keeper, that many hours later; what it says."""
        clock = (f"{int(time.time() + hours * HOUR)} "
                 f"{int(time.clock_gettime(time.CLOCK_BOOTTIME))} - yes")
        done = subprocess.run(
            [service.program("keeper_at"), self.gateway.config, self.gateway.state,
             self.gateway.postfix.config, clock], capture_output=True, text=True, timeout=120,
            check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stderr

    def reply(self, recipient):
        return str(self.send(recipient, rig.mail("probe")).replies[recipient])

    def generation(self):
        return os.readlink(self.gateway.state / "current-postfix")

    def test_the_keeper_renews_a_list_each_hour(self):
        before = self.generation()
        self.assertTrue(self.reply("info@acme.example").startswith("250 "))
        self.assertTrue(self.reply("new@acme.example").startswith("550 5.1.1 "))
        LIST.write_text("info\nsales\nhelp\nnew\n")
        # An edit that is not finished.
        self.gateway.configure(self.domains + rig.feed("later.example"), self.gateway_settings)
        self.keep(0.9)
        self.assertEqual(self.generation(), before)
        self.keep(1.1)
        self.assertNotEqual(self.generation(), before)
        rig.eventually(lambda: self.reply("new@acme.example").startswith("250 "),
                       "the list is in force", seconds=30)
        self.assertTrue(self.reply("info@later.example").startswith("554 5.7.1 "))
        renewed = self.generation()
        self.keep(1.2)
        self.keep(2.5)
        self.assertEqual(self.generation(), renewed)

        with self.subTest("a list that loses most recipients is refused"):
            LIST.write_text("info\n")
            self.assertIn("refused: 3 of 4 recipients would be removed", self.keep(4))
            self.assertEqual(self.generation(), renewed)
            (alert,) = [json.loads(line) for line in ALERTS.read_text().splitlines()]
            self.assertEqual(alert["kind"], "recipients")
            self.assertIn("acme.example", alert["text"])

        with self.subTest("a rollback goes back behind what the keeper has made"):
            self.gateway.mxfeed("rollback", *self.gateway.for_postfix(), check=False)
            self.assertNotEqual(self.generation(), renewed)
            rig.eventually(lambda: self.reply("new@acme.example").startswith("550 5.1.1 "),
                           "the first list is in force", seconds=30)


if __name__ == "__main__":
    rig.main()
