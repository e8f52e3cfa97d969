# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration in, maps out: maps/NAME/config is applied, and what is generated must be
what maps/NAME has: relay_domains, transport, domains.tsv, main.cf, master.cf, said (what
apply printed), other maps if they are there, and show-DOMAIN (what `mxfeed show DOMAIN` printed)."""

import shutil
import unittest

import golden

PARTS = ("relay_domains", "transport", "domains.tsv", "main.cf", "master.cf")
MORE_PARTS = ("recipient_access", "tls_policy", "etrn_clients", "recipients.tsv", "mailboxes")


class MapsTest(golden.TestCase):
    def short(self, text):
        """Without the directory of the configuration in the names of files."""
        return text.replace(f"{self.config}/", "")

    def check_case(self, path):
        shutil.rmtree(self.config)
        shutil.copytree(path / "config", self.config)
        done = self.apply("--diff", *(["--host", "mx1.isp.example"]
                                      if (path / "with-host").exists() else []))
        state = str(self.state.resolve())
        for part in (*PARTS, *(more for more in MORE_PARTS if (path / more).exists())):
            got = (self.state / "current" / part).read_text().replace(state, "@STATE@")
            self.compare(path / part, got)
        self.compare(path / "said", self.short(done.stdout + done.stderr))
        for shown in sorted(path.glob("show-*")):
            domain = shown.name.removeprefix("show-")
            self.compare(shown, self.short(self.mxfeed("show", domain).stdout))


def add_cases():
    for path in sorted((golden.HERE / "maps").iterdir()):
        def test(self, path=path):
            self.check_case(path)
        setattr(MapsTest, f"test_{path.name.replace('-', '_')}", test)


add_cases()

if __name__ == "__main__":
    unittest.main()
