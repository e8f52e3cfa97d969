# SPDX-License-Identifier: GPL-2.0-or-later
"""The status socket that all daemons have."""

import os
import socket
import time

import daemons
import scan_service


class StatusTest(scan_service.ServiceTestCase):
    """Each test asks a milter and mxfeed-scan."""

    def setUp(self):
        super().setUp()
        self.service()
        self.both = [self.start("spam"), self.scan]

    def path(self, daemon):
        return self.state / daemon.name / "status.sock"

    def test_status_has_keys_in_snake_case(self):
        for daemon in self.both:
            with self.subTest(daemon.name):
                status = daemon.status()
                self.assertEqual(status["program"], f"mxfeed-{daemon.name}")
                self.assertEqual((status["state"], status["pid"]), ("running", str(daemon.pid)))
                self.assertEqual(status["generation"], "1")
                for key in status:
                    self.assertRegex(key, r"\A[a-z][a-z0-9_]*\Z")
                self.assertTrue(daemon.ask("nonsense").startswith("error: unknown command"))

    def test_silent_clients_delay_no_answer(self):
        for daemon in self.both:
            with self.subTest(daemon.name):
                silent = []
                for _ in range(100):
                    client = socket.socket(socket.AF_UNIX)
                    self.addCleanup(client.close)
                    client.connect(str(self.path(daemon)))
                    silent.append(client)
                begin = time.monotonic()
                self.assertEqual(daemon.status()["state"], "running")
                self.assertLess(time.monotonic() - begin, 2)

    def test_a_socket_that_vanishes_is_bound_again(self):
        for daemon in self.both:
            with self.subTest(daemon.name):
                os.unlink(self.path(daemon))
                self.eventually(self.path(daemon).exists, "the socket")
                self.assertEqual(daemon.status()["state"], "running")
                self.assertEqual(
                    daemon.metric('mxfeed_sockets_restored_total{socket="status"}'), 1)
                self.assertEqual(len(daemon.log_lines("event=status_socket", "bound again")), 1)

    def test_a_reload_by_command_has_happened_when_it_is_answered(self):
        for number, daemon in enumerate(self.both, 2):
            with self.subTest(daemon.name):
                self.configure(daemons.feed(f"d{number}.example"))
                self.assertIn(f"\ngeneration: {number}\n", daemon.ask("reload"))


if __name__ == "__main__":
    daemons.main()
