# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed attached to a Postfix that is in use: its other mail does not notice."""

import rig
import site_rig
from mailhost.probe import differences

# The one mail of the probe that may be answered otherwise: the limit of errors lies above the
# limit of recipients, so that a client with recipients of two classes is not cut off.
LISTED = ("many unknown recipients: dialog: ", "many unknown recipients: log: ")


class OtherMailTest(site_rig.SiteCase):
    maxDiff = None

    def test_nothing_changes_for_other_mail(self):
        before = self.probe.run()
        self.assertGreaterEqual(len(before), 25)
        files = self.host.files()
        self.assertEqual(differences(before, self.probe.run()), [], "the probe itself")

        self.host.attach()
        self.assertNotEqual(self.host.files(), files)
        self.assert_only_listed(differences(before, self.probe.run()))

        self.host.detach()  # nothing waits: both steps
        self.assertEqual(self.host.files(), files)
        self.assertEqual(differences(before, self.probe.run()), [], "after detach")

    def assert_only_listed(self, found):
        self.assertEqual([line for line in found if not line.startswith(LISTED)], [])
        # They do show: else the list is too long.
        self.assertTrue([line for line in found if line.startswith(LISTED)])


if __name__ == "__main__":
    rig.main()
