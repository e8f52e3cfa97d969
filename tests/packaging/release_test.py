# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway on Debian 12 becomes one on Debian 13, in place."""

import packages
import rig
from messages import mail
from service import eventually


class ReleaseTest(packages.TestCase):
    variables = ("MXFEED_INSTALLED", "MXFEED_NEXT_REPO", "MXFEED_NEXT")

    def versions(self):
        return self.machine.run("dpkg-query", "-W", "-f", "${Version}\n",
                                *packages.PACKAGES).stdout.split()

    def test_a_gateway_is_upgraded_in_place(self):
        self.make_signatures()
        self.configure()
        self.prepare_postfix()
        self.machine.run("mxfeed", "apply")
        self.attach()
        self.assert_relays()
        self.assertTrue(all("+deb12u" in version for version in self.versions()))

        self.update()
        self.apt("full-upgrade", "-o", "Dpkg::Options::=--force-confold", seconds=900)
        self.assertTrue(all("+deb13u" in version for version in self.versions()))
        self.machine.sh("grep VERSION_CODENAME=trixie /etc/os-release")
        eventually(self.is_scanning, "the scan service has signatures", 60)
        # Debian's Postfix goes on with its old master(8) and queue manager, which the new
        # smtp(8) does not understand, until the reboot that Debian's release notes ask for.
        # Mail is taken, and filtered, and waits.  A restart as in upgrade.md helps too.
        for restart in (lambda: self.machine.sh(
                "systemctl stop postfix@-.service postfix.service; systemctl start postfix.service"),
                        self.machine.reboot):
            self.assertTrue(self.send(message=mail("before")).accepted)
            restart()
            self.machine.run("postqueue", "-f")
            eventually(self.is_scanning, "the scan service has signatures", 60)
            self.assert_relays()
        self.customer.wait_for(lambda: 2 == sum(d.header("Subject") == [b" before"]
                                                for d in self.customer.deliveries),
                               "the mail that waited")
        status = self.machine.run("mxfeed", "status", check=False)
        self.assertEqual(0, status.returncode, status.stdout)


if __name__ == "__main__":
    rig.main()
