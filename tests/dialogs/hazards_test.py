# SPDX-License-Identifier: GPL-2.0-or-later
"""Dangers of a server that runs a thread for each session: none of them stops or kills a
milter, and no session waits for another one."""

import contextlib
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time

import daemons
import fake_mta as f
import fake_scan
import protocol_test as p

MANY = 40
DEDICATED = "[postfix]\ndedicated = true\n"
# As a dedicated Postfix sends it to mxfeed-virus and mxfeed-spam: without what they asked not
# to see.
CONTENT = p.header() + p.BODY + p.EOM
# Descriptors for a limit of ten sessions (session_threads.cpp).
FOR_TEN_SESSIONS = 64 + 10 * 3


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def lost(reason):
    return f'mxfeed_sessions_lost_total{{reason="{reason}"}}'


class MilterTestCase(daemons.TestCase):
    """With connections that are closed at the end."""

    def wire(self, daemon):
        wire = f.Wire(daemon.socket)
        self.addCleanup(wire.close)
        return wire

    def is_served(self, daemon):
        """Whether a new connection gets an answer to its negotiation."""
        with f.Wire(daemon.socket) as wire:
            try:
                wire.negotiate()
                return True
            except (f.MilterGone, ConnectionError):
                return False

    def check_passes(self, daemon):
        with f.Mta(daemon.socket) as mta:
            result = mta.send("a@sender.example", ["b@acme.example"], p.MESSAGE)
            self.assertFalse(result.milter_failed, daemon.log())
            self.assertTrue(result.accepted, result)


class Hazards:
    """What must hold for every milter; the classes below make `milter`."""

    milter = None

    def test_macros_that_are_no_pairs_close_only_their_connection(self):
        # What smfi_getsymval() reads past an odd list depends on what malloc() gave out
        # before: packets of the size of such a list.
        before = b"".join(p.packet(f.HELO, b"A" * 55 + b"\0") for _ in range(8))
        bursts = []
        for strings in (b"x\0", b"x\0" * 3, b"x\0" * 5, b"\0", b"i\0x\0y", b"i", b"\0\0\0"):
            bursts.append(b"".join([
                p.OPTIONS, p.HELLO, before, p.macro(b"M" + strings), p.FROM,
                p.macro(b"R" + strings), p.TO]))
            bursts.append(b"".join([
                p.OPTIONS, p.HELLO, p.FROM, before, p.macro(b"R" + strings), p.TO, p.LETTER]))
        good = self.wire(self.milter)
        good.negotiate()
        for number, burst in enumerate(bursts, 1):
            with self.subTest(burst=burst[-60:]):
                wire = self.wire(self.milter)
                wire.send_raw(burst)
                self.assertTrue(wire.is_closed_within(f.DEFAULT_TIMEOUT))
                self.assertTrue(self.milter.running, self.milter.log())
                self.eventually(
                    lambda n=number: self.milter.metric(lost("malformed_packet")) == n,
                    "it is counted")
        self.assertEqual(1, len(self.milter.log_lines("reason=malformed_packet", "count=1")))
        good.send_raw(p.HELLO + p.FROM + p.TO)
        self.check_passes(self.milter)

    def test_sessions_in_half_a_packet_do_not_stop_others(self):
        for half in (b"\0", b"\0\0\0\x40", b"\0\0\0\x40M<a", p.MAIL[:-1]) * 10:
            wire = self.wire(self.milter)
            wire.negotiate()
            wire.send_raw(p.HELLO + half)
        for _ in range(20):
            self.check_passes(self.milter)
        self.eventually(lambda: self.milter.metric("mxfeed_sessions") == MANY,
                        "the others have ended, these are kept")


class Greylist(Hazards, MilterTestCase):
    def setUp(self):
        super().setUp()
        self.apply(p.DOMAINS)
        self.milter = self.start("greylist")


class Spam(Hazards, MilterTestCase):
    def setUp(self):
        super().setUp()
        self.apply(p.DOMAINS + daemons.feed("spam.example", spam="{ enabled = true }"), DEDICATED)
        self.milter = self.start("spam")

    def test_what_came_before_the_end_is_seen(self):
        wire = self.wire(self.milter)
        wire.negotiate()
        wire.send_raw(p.HELLO + p.FROM + p.rcpt(b"<b@spam.example>") + CONTENT)
        wire.close()  # at once; nothing of this is answered but the end
        self.eventually(lambda: self.milter.metric("mxfeed_sessions") == 0, "it ended")
        self.assertEqual(1, sum(value for name, value in self.milter.metrics().items()
                                if name.startswith("mxfeed_spam_messages_total")))


class Virus(Hazards, MilterTestCase):
    """A scan blocks its session's thread; here all do that the test wants to."""

    def setUp(self):
        super().setUp()
        self.apply(p.DOMAINS, DEDICATED)
        self.scan = fake_scan.FakeScan(self.state / "scan" / "scan.sock")
        self.addCleanup(self.scan.close)
        self.milter = self.start("virus")

    def block_sessions(self):
        """MANY sessions in the end of a message."""
        self.scan.hold()
        blocked = []
        for _ in range(MANY):
            wire = self.wire(self.milter)
            wire.negotiate()
            wire.send_raw(p.HELLO + p.FROM + p.TO + CONTENT)
            self.assertEqual(wire.receive()[0], f.CONTINUE)  # to the recipient
            blocked.append(wire)
        self.eventually(lambda: self.scan.waiting == MANY, "all are being scanned")
        return blocked

    def check_accepted(self, wire):
        replies = [wire.receive()]
        while replies[-1][0] in p.EDITS:
            replies.append(wire.receive())
        self.assertIn((f.ADDHEADER, b"X-Mxfeed-Virus\0 clean\0"), replies)
        self.assertEqual(replies[-1][0], f.CONTINUE)

    def test_scans_do_not_stop_other_sessions(self):
        blocked = self.block_sessions()
        # Nothing is released meanwhile: whoever waits for one of them waits in vain.
        for _ in range(3):
            others = [self.wire(self.milter) for _ in range(16)]
            for wire in others:
                wire.send_raw(p.OPTIONS + p.HELLO + p.FROM + p.TO)
            for wire in others:
                self.assertEqual(wire.receive()[0], f.OPTNEG)
                self.assertEqual(wire.receive()[0], f.CONTINUE)
                wire.close()
        self.assertEqual(MANY, self.scan.waiting)
        self.scan.release()
        for wire in blocked:
            self.check_accepted(wire)

    def test_it_stops_when_the_messages_in_its_hands_are_answered(self):
        for _ in range(MANY):
            self.wire(self.milter).negotiate()
            self.wire(self.milter).send_raw(p.OPTIONS + p.HELLO + b"\0\0\0\x40M")
        blocked = self.block_sessions()
        self.milter.signal(signal.SIGTERM)
        self.eventually(lambda: self.milter.status()["state"] == "draining", "it drains")
        with self.assertRaises((FileNotFoundError, ConnectionRefusedError)):
            f.Wire(self.milter.socket)
        self.assertEqual(str(MANY), self.milter.status()["transactions"])
        self.scan.release()
        for wire in blocked:
            self.check_accepted(wire)
        self.milter.wait()
        self.assertFalse(self.milter.log_lines("event=drain", "cut="), self.milter.log())


class ResourcesTest(MilterTestCase):
    """Too little of something."""

    def setUp(self):
        super().setUp()
        self.apply(p.DOMAINS)

    def test_more_sessions_than_there_may_be_are_closed_at_once(self):
        milter = self.start("spam", wrapper=(
            "prlimit", f"--nofile={FOR_TEN_SESSIONS}:{FOR_TEN_SESSIONS}", "--"))
        self.assertEqual(10, milter.metric("mxfeed_sessions_max"))
        self.assertTrue(milter.log_lines("event=limit", "sessions=10", "bound_by=descriptors"))
        wires = [self.wire(milter) for _ in range(10)]
        for wire in wires:
            wire.negotiate()
        for number in range(1, 4):
            self.assertFalse(self.is_served(milter))
            self.assertEqual(number, milter.metric(lost("limit")))
        self.assertEqual(10, milter.metric("mxfeed_sessions"))
        self.assertEqual(1, len(milter.log_lines("event=session_lost", "reason=limit")))
        wires[0].close()
        self.eventually(lambda: self.is_served(milter), "there is room again")
        wires[1].send_raw(p.HELLO + p.FROM + p.TO)
        self.assertTrue(milter.running)

    def test_without_descriptors_it_waits_and_does_not_spin(self):
        milter = self.start("spam")
        used = [int(fd.name) for fd in pathlib.Path(f"/proc/{milter.pid}/fd").iterdir()]
        soft, hard = resource.prlimit(milter.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(milter.pid, resource.RLIMIT_NOFILE, (max(used) + 6, hard))
        wires = [self.wire(milter) for _ in range(MANY)]
        for wire in wires:
            wire.send_raw(p.OPTIONS)
        self.eventually(lambda: milter.log_lines("reason=descriptors", "Too many open files"),
                        "descriptors have run out")
        begun, spent = time.monotonic(), cpu_seconds(milter.pid)
        self.assertFalse(wires[-1].has_data(2.0))  # 2 s in which it must be idle
        self.assertLess(cpu_seconds(milter.pid) - spent, 0.5)
        lines = len(milter.log_lines("reason=descriptors"))
        self.assertLessEqual(lines, 2 + (time.monotonic() - begun) / 10)
        # Who waited is served as others go.
        for wire in wires:
            self.assertEqual(wire.receive()[0], f.OPTNEG)
            wire.close()
        self.eventually(lambda: milter.metric("mxfeed_sessions") == 0, "all have gone")
        self.assertGreater(milter.metric(lost("descriptors")), 0)
        resource.prlimit(milter.pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.check_passes(milter)

    # Root's threads are not limited.
    AS_USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

    def as_user(self):
        """A wrapper to run a milter by; that user may not reach the build directory."""
        if os.geteuid() != 0:
            return ()
        program = self.directory / "program"
        shutil.copy(daemons.program("mxfeed-spam"), program)
        for path in (self.directory, *self.directory.rglob("*")):
            os.chown(path, 65534, 65534)
        self.addCleanup(os.umask, os.umask(0))  # it tells the test that it is ready
        return (*self.AS_USER, "sh", "-c", 'shift; exec "$0" "$@"', program)

    def limit_threads(self, milter, limit):
        as_user = self.AS_USER if os.geteuid() == 0 else ()
        subprocess.run([*as_user, "prlimit", "--pid", str(milter.pid), f"--nproc={limit}:"],
                       check=True, timeout=60)

    def test_without_a_thread_a_connection_is_closed_at_once(self):
        milter = self.start("spam", wrapper=self.as_user())
        before = pathlib.Path(f"/proc/{milter.pid}/limits").read_text()
        [limit] = [line.split()[2] for line in before.splitlines()
                   if line.startswith("Max processes")]
        self.limit_threads(milter, 1)
        begun = time.monotonic()
        # More than libmilter takes before it ends, after 1, 2, 3 ... s of sleep.
        for number in range(1, 21):
            self.assertFalse(self.is_served(milter))
            self.assertEqual(number, milter.metric(lost("threads")))
        self.assertLess(time.monotonic() - begun, 60)
        self.assertEqual(0, milter.metric("mxfeed_sessions"))
        self.assertTrue(milter.log_lines("event=session_lost", "reason=threads"))
        self.limit_threads(milter, limit)
        self.check_passes(milter)


RESTORED = 'mxfeed_sockets_restored_total{socket="milter"}'


class SocketTest(MilterTestCase):
    """The path of a milter's socket vanishes."""

    def setUp(self):
        super().setUp()
        self.apply(p.DOMAINS)
        self.place = self.directory / "place"
        self.place.mkdir()
        self.path = self.place / "milter"
        self.milter = self.start("spam", listen=f"unix:{self.path}")

    def test_a_removed_socket_is_bound_again(self):
        with f.Mta(self.milter.socket) as mta:
            before = self.path.stat()
            for times in (1, 2):
                self.path.unlink()
                self.eventually(self.path.exists, "it is there again")
                after = self.path.stat()
                self.assertEqual((before.st_mode, before.st_uid, before.st_gid),
                                 (after.st_mode, after.st_uid, after.st_gid))
                self.check_passes(self.milter)
                self.eventually(lambda n=times: self.milter.metric(RESTORED) == n,
                                "it is counted")
            # Who was connected still is.
            self.assertTrue(mta.send("a@sender.example", ["b@acme.example"],
                                     p.MESSAGE).accepted)
        self.assertEqual(2, len(self.milter.log_lines("event=listen", str(self.path),
                                                      "was removed; bound again")))

    def check_ends(self, cause):
        """With status 1, so that the service manager starts it again."""
        self.milter.wait(status=1)
        self.assertTrue(self.milter.log_lines("event=listen", cause), self.milter.log())

    def test_without_the_directory_it_ends(self):
        shutil.rmtree(self.place)
        self.check_ends("No such file or directory")

    def test_where_another_has_taken_the_place_it_ends(self):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as other:
            other.bind(str(self.place / "other"))
            (self.place / "other").rename(self.path)
            self.check_ends("another file")
        self.assertTrue(self.path.exists(), "it is the other's")


class OpenTest(MilterTestCase):
    def test_a_socket_that_cannot_be_opened_is_reported_with_the_cause(self):
        self.apply(p.DOMAINS)
        (self.directory / "file").write_text("")
        for path, cause in (("none/milter", "No such file or directory"),
                            ("file/milter", "Not a directory"),
                            ("file", "Address already in use")):
            with self.subTest(path):
                milter = self.daemon("spam", listen=f"unix:{self.directory}/{path}")
                milter.start(wait=False).wait(status=1)
                self.assertTrue(milter.log_lines(f"{path}: {cause}"), milter.log())


if __name__ == "__main__":
    daemons.main()
