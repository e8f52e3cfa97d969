# SPDX-License-Identifier: GPL-2.0-or-later
"""A milter that is told to stop: what is in progress ends, nothing new begins."""

import pathlib
import signal
import socket

import daemons
import fake_mta

SENDER = "news@sender.example"
TO = "info@acme.example"
MESSAGE = b"From: news@sender.example\r\nSubject: x\r\n\r\nbody\r\n"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class StopTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.apply(daemons.feed("acme.example", spam="{ enabled = true }"))

    def begin(self, daemon, address):
        """An SMTP connection to the milter, which has taken note of a transaction."""
        mta = fake_mta.Mta(address, fake_mta.Client("198.51.100.7"))
        self.addCleanup(mta.close)
        self.assertTrue(mta.mail(SENDER).accepted)
        self.assertTrue(mta.rcpt(TO).accepted)
        self.assertTrue(mta.data().accepted)
        # None of these waited for an answer.
        self.eventually(lambda: daemon.status()["transactions"] == "1", "a transaction began")
        return mta

    def stop(self, daemon):
        daemon.signal(signal.SIGTERM)
        self.eventually(lambda: daemon.status()["state"] == "draining", "it drains")

    def finish(self, mta, daemon):
        self.assertEqual("1", daemon.status()["transactions"])
        result = mta.content(MESSAGE)
        self.assertTrue(result.accepted, daemon.log())
        self.assertTrue(result.header("X-Mxfeed-Spam-Status"), "it was filtered")
        daemon.wait()

    def test_a_transaction_in_progress_ends(self):
        daemon = self.start("spam")
        mta = self.begin(daemon, daemon.socket)
        self.stop(daemon)
        path = pathlib.Path(daemon.socket.removeprefix("unix:"))
        self.eventually(lambda: not path.exists(), "the socket is gone")
        self.finish(mta, daemon)

    def test_over_tcp_nobody_new_is_let_in(self):
        port = free_port()
        daemon = self.start("spam", listen=f"inet:{port}@127.0.0.1")
        address = f"inet:127.0.0.1:{port}"
        mta = self.begin(daemon, address)
        self.stop(daemon)

        def refused():
            try:
                fake_mta.Wire(address).close()
            except ConnectionRefusedError:
                return True
            return False

        self.eventually(refused, "new connections are refused")
        self.finish(mta, daemon)


if __name__ == "__main__":
    daemons.main()
