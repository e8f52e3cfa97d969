# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets that a service manager listens on and hands over: who connects while a daemon is
restarted waits for the next process."""

import concurrent.futures
import signal
import socket

import daemons
import fake_mta
from scan_service import EICAR, NAME, Asked, ServiceTestCase, file_part, mail

SENDER = "news@sender.example"
TO = "info@acme.example"
MESSAGE = b"From: news@sender.example\r\nSubject: x\r\n\r\nbody\r\n"


def listening(path, kind):
    """A socket as the manager holds it: blocking."""
    server = socket.socket(socket.AF_UNIX, kind)
    server.bind(str(path))
    server.listen(64)
    return server


class MilterTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.apply(daemons.feed("acme.example", spam="{ enabled = true }"))
        self.path = self.directory / "milter.sock"
        self.server = listening(self.path, socket.SOCK_STREAM)
        self.addCleanup(self.server.close)

    def milter(self):
        return self.start("spam", listen="fd:3", handed_over=self.server)

    def connect(self):
        mta = fake_mta.Mta(f"unix:{self.path}", fake_mta.Client("198.51.100.7"))
        self.addCleanup(mta.close)
        return mta

    def filter(self, mta):
        self.assertTrue(mta.mail(SENDER).accepted)
        self.assertTrue(mta.rcpt(TO).accepted)
        self.assertTrue(mta.data().accepted)
        result = mta.content(MESSAGE)
        self.assertTrue(result.accepted)
        self.assertTrue(result.header("X-Mxfeed-Spam-Status"), "it was filtered")

    def begin(self, daemon):
        mta = self.connect()
        self.assertTrue(mta.mail(SENDER).accepted)
        self.assertTrue(mta.rcpt(TO).accepted)
        self.assertTrue(mta.data().accepted)
        self.eventually(lambda: daemon.status()["transactions"] == "1", "a transaction began")
        return mta

    def test_who_connects_during_a_restart_is_served_by_the_next_process(self):
        daemon = self.milter()
        open_one = self.begin(daemon)
        daemon.signal(signal.SIGTERM)
        self.eventually(lambda: daemon.status()["state"] == "draining", "it drains")
        with concurrent.futures.ThreadPoolExecutor() as threads:
            early = threads.submit(lambda: self.filter(self.connect()))
            self.assertTrue(open_one.content(MESSAGE).accepted, daemon.log())
            daemon.wait()
            self.assertTrue(self.path.exists(), "the socket is the manager's")
            late = threads.submit(lambda: self.filter(self.connect()))
            self.assertFalse(early.done() or late.done(), "nobody is there to answer")
            self.milter()
            early.result()
            late.result()

    def test_a_transaction_that_does_not_end_is_cut_before_postfix_gives_up_new_ones(self):
        daemon = self.milter()
        mta = self.begin(daemon)
        daemon.signal(signal.SIGTERM)
        daemon.process.wait(9)  # command_timeout is 10 seconds
        daemon.wait()
        with self.assertRaises(fake_mta.MilterGone):
            mta.content(MESSAGE)


class ScanTest(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.socket_path = self.directory / "handed.sock"
        self.server = listening(self.socket_path, socket.SOCK_SEQPACKET)
        self.addCleanup(self.server.close)

    def service(self, *arguments, **options):
        self.configure()
        self.scan = self.daemon("scan", milter=True, listen="fd:3", handed_over=self.server)
        return self.scan.start()

    def asked(self):
        asked = Asked(str(self.socket_path), mail(file_part(EICAR)))
        self.addCleanup(asked.close)
        return asked

    def test_requests_during_a_restart_are_answered_by_the_next_process(self):
        first = self.service()
        self.assertEqual(self.asked().result(), ("infected", NAME))
        first.stop()
        self.assertTrue(self.socket_path.exists(), "the socket is the manager's")
        waiting = self.asked()
        self.service()
        self.assertEqual(waiting.result(), ("infected", NAME))

    def test_a_socket_that_was_removed_is_told_of(self):
        self.service()
        self.assertEqual(self.scan.status()["socket"], "ok")
        self.socket_path.unlink()
        self.eventually(lambda: self.scan.status()["socket"] == "missing", "its state")
        self.eventually(lambda: self.scan.log_lines("the socket was removed"), "a log line")

    def test_it_is_started_also_without_signatures(self):
        (self.database / "test.hdb").unlink()
        self.service()  # is told READY=1
        self.assertEqual(self.scan.status()["state"], "no_engine")
        waiting = self.asked()
        self.make_database()
        self.assertEqual(waiting.result(), ("infected", NAME))

    def test_another_kind_of_descriptor_is_refused(self):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
            daemon = self.daemon("scan", listen="fd:3", handed_over=other)
            with self.assertRaises(AssertionError):
                daemon.start()
            self.assertIn("no listening unix socket", daemon.log())


if __name__ == "__main__":
    daemons.main()
