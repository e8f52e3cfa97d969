# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed postfix attach` and `detach` killed at every step."""

import unittest

import golden
import site_postfix


class CrashTest(site_postfix.TestCase):
    def test_a_crash_at_any_step_is_repaired_by_the_same_command(self):
        def kill(command, at):
            self.settle()
            return self.run_mxfeed(
                "postfix", command, "--config", self.config, "--state", self.state,
                "--postfix-config", str(self.postfix),
                env={"PATH": self.path(), "LD_PRELOAD": str(golden.BUILD / "lib" / "kill_at.so"),
                     "ASAN_OPTIONS": "verify_asan_link_order=0", "MXFEED_KILL_AT": str(at),
                     "TMPDIR": str(self.directory)})

        self.attach()
        attached = self.files()
        for command, start, end, other in (("attach", self.before, attached, "detach"),
                                           ("detach", attached, self.before, "attach")):
            at = 0
            killed = True
            seen = None
            while killed:
                at += 1
                with self.subTest(f"{command}, {at}"):
                    for name, text in zip(("main.cf", "master.cf"), start):
                        (self.postfix / name).write_text(text)
                    done = kill(command, at)
                    killed = done.returncode == -9
                    self.assertTrue(killed or done.returncode in (0, 6), done.stderr)
                    now = self.files()
                    # Whoever takes mail filters it.
                    if "current-postfix/relay_domains" in "\n".join(
                            line for line in now[0].splitlines() if not line.startswith("#")):
                        self.assertIn("\n  -o smtpd_milters=$mxfeed_smtpd_milters", now[1])
                        self.assertIn("\nmxfeed_smtpd_milters = ", now[0])
                    if not killed or now == seen:
                        continue
                    seen = now
                    # Back as well as forth.
                    self.postfix_command(other, status=6 if other == "attach" else 0)
                    if other == "attach":  # what was taken away comes back at the end
                        self.assertEqual([sorted(file.splitlines()) for file in self.files()],
                                         [sorted(file.splitlines()) for file in attached])
                    else:
                        self.assertEqual(self.files(), self.before)
                    for name, text in zip(("main.cf", "master.cf"), now):
                        (self.postfix / name).write_text(text)
                    self.postfix_command(command, status=6 if command == "attach" else 0)
                    self.assertEqual(self.files(), end)
            self.assertEqual(now, end)
            self.assertGreater(at, 8)


if __name__ == "__main__":
    unittest.main()
