# SPDX-License-Identifier: GPL-2.0-or-later
"""A real rspamd or spamd decides instead of the built-in classifier, or beside it; while it is
away, hangs or talks nonsense, the built-in one answers."""

import pathlib
import signal
import tempfile
import time

import rig
from engines import Liar, Rspamd, Spamd

TIMEOUT = 2  # engine_timeout, where it matters
PATIENT = 30  # the first answer takes long
MARGIN = 3
HAM = rig.mail("an ordinary mail")
SPAM = rig.mail("spam") + rig.GTUBE.encode() + b"\r\n"


class EnginesTest(rig.TestCase):
    domains = rig.feed("acme.example", "greylist = false",
                       tables="  [domain.spam]\n  enabled = true\n  immature = \"act\"\n"
                              '  high = { action = "header" }\n')
    gateway_settings = '[spam]\nspf_timeout = "0s"\n'
    _number = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="engines-",
                                                      dir=cls.world.directory))
        cls.directory.chmod(0o777)
        cls.config = cls.gateway.config / "mxfeed.toml"
        cls.before = cls.config.read_text()

    def use(self, engine, server, role="verdict", timeout=PATIENT):
        """From now on the gateway asks this one."""
        self.config.write_text(self.before.replace("[spam]\n", f'''[spam]
engine = "{engine}"
engine_server = "{server}"
engine_role = "{role}"
engine_timeout = "{timeout}s"
'''))
        self.gateway.apply()
        # What it knows of the former one is gone.
        self.gateway.daemons["spam"].stop()
        self.gateway.start_daemon("spam")

    def line(self, message):
        """The line of the log for such a message."""
        EnginesTest._number += 1
        sender = f"n{self._number}@sender.example"
        self.accept("info@acme.example", message, sender=sender)
        [line] = self.gateway.daemons["spam"].log_lines(f"from={sender}", "level=")
        return line

    def engine(self, made):
        self.addCleanup(made.stop)
        return made.start()

    def test_rspamd_decides(self):
        engine = self.engine(Rspamd(self.directory / "rspamd", 11399, rig.RESOLVER))
        self.use("rspamd", engine.address)
        line = self.line(SPAM)
        self.assertIn("level=high", line)
        self.assertIn("evidence=engine", line)
        line = self.line(HAM)
        self.assertIn("level=none", line)
        self.assertRegex(line, r"engine=-?\d+\.\d/\d+\.\d")
        self.assertNotIn("date-", line)

    def test_spamd_decides(self):
        engine = self.engine(Spamd(self.directory / "spamd", 7839))
        self.use("spamd", engine.address)
        line = self.line(SPAM)
        self.assertIn("level=high", line)
        self.assertRegex(line, r"engine=\d{3,}\.\d/5\.0")
        self.assertIn("level=none", self.line(HAM))

    def test_an_engine_that_is_evidence_stands_beside_the_others(self):
        engine = self.engine(Spamd(self.directory / "spamd2", 7840))
        self.use("spamd", engine.address, "evidence")
        line = self.line(SPAM)
        self.assertIn("gtube", line)
        self.assertIn("engine", line)

    def test_while_it_hangs_or_is_away_the_builtin_classifier_answers(self):
        engine = self.engine(Spamd(self.directory / "spamd3", 7841))
        self.use("spamd", engine.address)
        self.assertIn("engine=", self.line(HAM))  # now it is warm
        self.use("spamd", engine.address, timeout=TIMEOUT)
        engine.send(signal.SIGSTOP)
        begin = time.monotonic()
        self.assertIn("engine=failed", self.line(SPAM))
        took = time.monotonic() - begin
        self.assertGreater(took, TIMEOUT - 0.5)
        self.assertLess(took, TIMEOUT + MARGIN)
        engine.stop()
        line = self.line(SPAM)
        self.assertIn("engine=failed", line)
        self.assertIn("gtube", line)
        self.assertIn("engine=failed", self.line(HAM))
        self.assertIn("engine=resting", self.line(HAM))
        metric = self.gateway.daemons["spam"].metric
        self.assertEqual(metric('mxfeed_spam_engine_total{result="failed"}'), 3)

    def test_nonsense_is_no_answer(self):
        for name, engine, answer in (
            ("another protocol", "spamd", b"220 mail.example ESMTP\r\n"),
            ("nothing", "spamd", b""),
            ("too much", "spamd", b"SPAMD/1.1 0 EX_OK\r\n" + b"x" * 1_000_000),
            ("an error", "rspamd", b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n"),
            ("not JSON", "rspamd", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{"),
            ("too much of it", "rspamd",
             b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b" " * 1_000_000),
        ):
            with self.subTest(name):
                liar = Liar(answer)
                self.addCleanup(liar.stop)
                self.use(engine, liar.address)
                line = self.line(SPAM)
                self.assertIn("engine=failed", line)
                self.assertIn("gtube", line)


if __name__ == "__main__":
    rig.main()
