# SPDX-License-Identifier: GPL-2.0-or-later
"""policy.cdb damaged while the milters have it open: none of them dies, nothing comes past
the virus milter, and `mxfeed apply` leads out."""

import os

import daemons

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


if __name__ == "__main__":
    daemons.main()
