# SPDX-License-Identifier: GPL-2.0-or-later
"""policy.cdb damaged, while the daemons have it open or before they start: none of them
dies, nothing comes past the virus milter, and `mxfeed apply` leads out."""

import os
import pathlib
import shutil
import subprocess

import daemons
import scan_service

SENDER = "news@sender.example"
TO = "info@acme.example"
MESSAGE = b"From: news@sender.example\r\nSubject: x\r\n\r\nbody\r\n"


class DamagedPolicyTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.domains = daemons.feed("acme.example", greylist="false")
        self.apply(self.domains)
        self.milters = {name: self.start(name) for name in ("greylist", "virus", "spam")}
        self.policy = self.state / "generations" / "1" / "policy.cdb"

    def send_to_each(self):
        for name, milter in self.milters.items():
            with self.mta(milter) as mta:
                mta.transport = "mxfeed-relay"  # Postfix's maps are whole
                result = mta.send(SENDER, [TO], MESSAGE)
            self.assertEqual(result.milter_failed, "", milter.log())
            # There is no scan service here.
            self.assertEqual(result.accepted, name != "virus", f"{name}: {result}")

    def check_way_out(self):
        self.apply(self.domains)
        for name, milter in self.milters.items():
            self.eventually(lambda milter=milter: milter.status()["generation"] == "2",
                            f"generation 2 in {name}")
        self.send_to_each()

    def test_truncated_at_many_points(self):
        whole = self.policy.read_bytes()
        self.send_to_each()
        for size in (0, 1, 2047, 2048, 2049, *range(2060, len(whole), 97), len(whole) - 1):
            # In place: what is open is the same file.
            os.truncate(self.policy, size)
            self.send_to_each()
            with open(self.policy, "r+b") as file:
                file.write(whole)
        self.send_to_each()
        os.truncate(self.policy, 2048)
        self.check_way_out()

    def test_other_bytes_in_its_place(self):
        size = self.policy.stat().st_size
        for content in (bytes(size), b"\xff" * size, b"rubbish\n" * (size // 8)):
            with open(self.policy, "r+b") as file:
                file.write(content)
            self.send_to_each()
        self.check_way_out()


def damages():
    """(name, how) of what may have become of the policy of generation 1."""
    def cut(size):
        return lambda policy: os.truncate(policy, size(policy.stat().st_size))

    def fill(bytes_):
        return lambda policy: policy.write_bytes(bytes_ * (policy.stat().st_size // len(bytes_)))

    def fifo(policy):
        policy.unlink()
        os.mkfifo(policy)

    def directory(policy):
        policy.unlink()
        policy.mkdir()

    return (
        ("missing", pathlib.Path.unlink),
        ("empty", cut(lambda size: 0)),
        ("half of it", cut(lambda size: size // 2)),
        ("one byte short", cut(lambda size: size - 1)),
        ("rubbish", fill(b"rubbish\n")),
        ("zeros", fill(b"\0")),
        ("a pipe", fifo),
        ("a directory", directory),
        ("its generation is gone", lambda policy: shutil.rmtree(policy.parent)),
        ("the link is gone", lambda policy: (policy.parents[2] / "current").unlink()),
        ("the link is a file", lambda policy: (
            (policy.parents[2] / "current").unlink(),
            (policy.parents[2] / "current").write_text("rubbish"))),
    )


class StartedWithoutPolicyTest(daemons.TestCase):
    """What greylisting answers tells whether there is a policy: it defers if there is."""

    def setUp(self):
        super().setUp()
        self.domains = daemons.feed("acme.example",
                                    greylist='{ when = "always", delay = "1h" }')
        self.policy = self.state / "generations" / "1" / "policy.cdb"
        self.milters = {name: self.daemon(name) for name in ("greylist", "virus", "spam")}

    def answers(self, name):
        with self.mta(self.milters[name]) as mta:
            result = mta.send(SENDER, [TO], MESSAGE)
        self.assertEqual(result.milter_failed, "", self.milters[name].log())
        return result

    def check_without_policy(self):
        for name, milter in self.milters.items():
            status = milter.status()
            self.assertEqual((status["state"], status["generation"]), ("no_policy", "0"))
            self.assertIn(str(self.state), status["policy_fault"])
            self.assertEqual(milter.metric("mxfeed_no_policy"), 1)
            [line] = milter.log_lines("event=no_policy")
            self.assertIn(str(self.state), line)
            self.assertIn('hint="run mxfeed apply"', line)
            result = self.answers(name)
            if name == "virus":
                [reply] = result.recipients
                self.assertEqual((reply.code, reply.enhanced), (451, "4.3.0"))
            else:
                self.assertTrue(result.accepted, f"{name}: {result}")
        told = subprocess.run(
            [daemons.program("mxfeed"), "status", "--no-postfix", "--state", self.state],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        self.assertRegex(told.stderr, r"(?m)^error: .*: run mxfeed apply$")
        for name, milter in self.milters.items():
            [line] = [line for line in told.stderr.splitlines() if f"mxfeed-{name}: " in line]
            self.assertEqual(
                line, "danger: something differs from the generation in force: "
                f"mxfeed-{name}: no policy: {milter.status()['policy_fault']}: "
                "run mxfeed apply")

    def check_way_out(self):
        self.apply(self.domains)
        number = os.path.basename(os.readlink(self.state / "current"))
        for name, milter in self.milters.items():
            status = milter.status()  # apply has asked each to reload
            self.assertEqual((status["state"], status["generation"]), ("running", number))
            self.assertNotIn("policy_fault", status)
            self.assertEqual(milter.metric("mxfeed_no_policy"), 0)
            self.assertEqual(len(milter.log_lines("event=reload", "fault=")), 0)
            result = self.answers(name)
            self.assertEqual([reply.code for reply in result.recipients],
                             [450 if name == "greylist" else 250], name)

    def test_a_milter_that_is_started_on_a_damaged_policy_waits_for_apply(self):
        for name, damage in damages():
            with self.subTest(name):
                shutil.rmtree(self.state)
                self.apply(self.domains)
                damage(self.policy)
                for milter in self.milters.values():
                    milter.log_file.unlink(missing_ok=True)
                    milter.start()
                self.check_without_policy()
                self.check_way_out()
                for milter in self.milters.values():
                    milter.stop()

    def test_a_policy_that_is_put_back_is_taken(self):
        self.apply(self.domains)
        kept = self.policy.read_bytes()
        os.truncate(self.policy, 0)
        for milter in self.milters.values():
            milter.start()
        self.policy.write_bytes(kept)
        for name, milter in self.milters.items():
            self.eventually(lambda milter=milter: milter.status()["generation"] == "1",
                            f"generation 1 in {name}")
        self.assertEqual([reply.code for reply in self.answers("greylist").recipients], [450])


class ScanStartedWithoutPolicyTest(scan_service.ServiceTestCase):
    def test_nothing_is_scanned_with_other_settings_than_the_operators(self):
        self.configure()
        os.truncate(self.state / "generations" / "1" / "policy.cdb", 2048)
        scan = self.scan = self.daemon("scan", milter=False).start(wait=False)
        self.eventually(lambda: (self.state / "scan" / "status.sock").exists(), "a start")
        asked = self.ask(scan_service.mail(scan_service.text_part()))
        status = scan.status()
        self.assertEqual((status["state"], status["signatures"]), ("no_policy", "0"))
        self.assertEqual(len(scan.log_lines("event=no_policy")), 1)
        self.configure()
        self.assertEqual(asked.result(), ("clean", ""))
        self.eventually(lambda: scan.status()["state"] == "running", "it runs")
        self.assertEqual(scan.status()["generation"], "2")


if __name__ == "__main__":
    daemons.main()
