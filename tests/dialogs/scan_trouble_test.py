# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed-scan goes on when processes die, sockets vanish and clients misbehave."""

import array
import fcntl
import os
import pathlib
import re
import signal
import socket
import time

import daemons
from scan_service import (EICAR, NAME, Asked, ServiceTestCase, file_part, is_alive, mail,
                          parse_result, request, slow_mail, text_part)


class KillTest(ServiceTestCase):
    """Processes that are killed while they scan."""

    def setUp(self):
        super().setUp()
        self.clean = mail(text_part("after the kill"))

    def test_the_zygote_forks_from_a_single_thread(self):
        self.service()
        status = pathlib.Path(f"/proc/{self.zygote()}/status").read_text()
        self.assertIn("Threads:\t1\n", status)

    def test_a_killed_worker_answers_nothing_and_is_replaced(self):
        self.service()
        slow = self.ask(slow_mail())
        worker = self.scanning()
        os.kill(worker, signal.SIGKILL)
        self.assertEqual(slow.result(), ("none", ""))
        self.assertEqual(self.check(self.clean), ("clean", ""))
        self.eventually(lambda: self.scan.status()["worker_deaths"] == "1", "the count")
        self.eventually(lambda: worker not in self.workers(), "the dead one is replaced")
        self.assertEqual(len(self.scan.log_lines("worker-died", "signal=KILL")), 1)
        scratch = pathlib.Path(self.scan.status()["tmpdir"])
        self.assertFalse((scratch / str(worker)).exists())

    def test_requests_wait_while_all_workers_are_replaced(self):
        self.service()
        for worker in self.workers():
            os.kill(worker, signal.SIGSTOP)
        waiting = [self.ask(self.clean) for _ in range(5)]
        for worker in self.workers():
            os.kill(worker, signal.SIGKILL)
        self.assertEqual([asked.result() for asked in waiting], [("clean", "")] * 5)

    def test_a_worker_that_hangs_is_ended(self):
        self.service(max_scan_time='"1s"')
        slow = self.ask(slow_mail())
        worker = self.scanning()
        os.kill(worker, signal.SIGSTOP)

        def alarm_is_pending():
            for line in pathlib.Path(f"/proc/{worker}/status").read_text().splitlines():
                if line.startswith("ShdPnd:"):
                    return int(line.split()[1], 16) & 1 << signal.SIGALRM - 1
            return False
        self.eventually(alarm_is_pending, "the alarm")
        os.kill(worker, signal.SIGCONT)
        self.assertEqual(slow.result(), ("none", ""))
        self.eventually(lambda: self.scan.log_lines("worker-died", "signal=ALRM"), "the log")
        self.assertEqual(self.check(self.clean), ("clean", ""))

    def test_a_worker_that_stays_stopped_is_killed(self):
        # A stopped process gets no alarm.
        self.service(max_scan_time='"1s"')
        slow = self.ask(slow_mail())
        worker = self.scanning()
        os.kill(worker, signal.SIGSTOP)
        self.assertEqual(slow.result(), ("none", ""))
        self.eventually(lambda: self.scan.log_lines("worker-stopped", f"worker={worker}"),
                        "the log")
        self.eventually(lambda: worker not in self.workers(), "another worker")
        self.assertEqual(self.check(self.clean), ("clean", ""))

    def test_a_worker_that_goes_on_again_is_not_killed(self):
        self.service(max_scan_time='"1s"')
        worker, other = self.workers()
        os.kill(other, signal.SIGSTOP)
        os.kill(worker, signal.SIGSTOP)
        os.kill(worker, signal.SIGCONT)
        self.eventually(lambda: self.scan.log_lines("worker-stopped", f"worker={other}"),
                        "the end of the other")
        self.assertEqual(self.scan.log_lines("worker-stopped", f"worker={worker}"), [])
        self.assertTrue(is_alive(worker))

    def test_a_killed_zygote_is_replaced_and_scans_end(self):
        self.service()
        zygote = self.zygote()
        slow = self.ask(slow_mail())
        self.scanning()
        os.kill(zygote, signal.SIGKILL)
        waiting = self.ask(self.clean)
        self.assertEqual(waiting.result(), ("clean", ""))
        self.assertIn(slow.result()[0], ("clean", "unscannable"))
        self.eventually(lambda: self.scan.status()["zygote_deaths"] == "1", "the count")
        self.eventually(lambda: self.scan.status()["state"] == "running", "a new engine")
        self.assertNotEqual(self.zygote(), zygote)

    def test_a_killed_supervisor_leaves_no_process(self):
        self.service()
        zygote = self.zygote()
        workers = self.workers()
        slow = self.ask(slow_mail())
        self.scanning()
        self.scan.kill()
        self.assertIn(slow.result()[0], ("clean", "unscannable"))
        self.eventually(lambda: not any(is_alive(pid) for pid in [zygote, *workers]),
                        "the end of all")
        self.scan.start()
        self.assertEqual(self.check(self.clean), ("clean", ""))

    def test_stopping_answers_what_was_asked(self):
        self.service(workers=1)
        slow = self.ask(slow_mail())
        self.scanning()
        waiting = self.ask(self.clean)
        self.scan.signal(signal.SIGTERM)
        self.eventually(lambda: not os.path.exists(self.path), "no new requests")
        self.assertIn(slow.result()[0], ("clean", "unscannable"))
        self.assertEqual(waiting.result(), ("clean", ""))
        self.scan.wait(0)

    def test_only_one_service_runs_for_a_state_directory(self):
        self.service()
        second = daemons.Daemon("scan", self.state, self.directory, milter=False)
        second.log_file = self.directory / "second.log"
        with self.assertRaises(AssertionError) as raised:
            second.start()
        self.assertIn("status 1", str(raised.exception))
        self.assertIn("another mxfeed-scan", second.log())
        self.assertEqual(self.check(self.clean), ("clean", ""))


class CanaryTest(ServiceTestCase):
    """An engine that has become blind."""

    def corrupt(self, pid):
        """Changes each text in its memory that may be the canary: the mail that a worker
        makes of it has no longer what the signature looks for."""
        changed = 0
        with open(f"/proc/{pid}/smaps", encoding="ascii") as smaps:
            text = smaps.read()
        regions = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw-p [^\n]*\n(?:[^\n]*\n)*?Rss: +(\d+) kB",
                             text, re.M)
        with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
            for begin, end, resident in regions:
                begin, end = int(begin, 16), int(end, 16)
                if resident == "0" or end - begin > 1 << 29:
                    continue
                memory.seek(begin)
                for found in re.finditer(rb"(?<![0-9a-f])[0-9a-f]{48}\0", memory.read(end - begin)):
                    memory.seek(begin + found.start())
                    memory.write(b"0123456789abcdef")
                    changed += 1
        return changed

    def test_an_engine_that_does_not_find_the_canary_is_replaced(self):
        self.service()
        zygote, workers = self.zygote(), self.workers()
        self.assertEqual(self.check(mail(file_part(EICAR))), ("infected", NAME))
        self.assertRegex(self.scan.status()["canary_age"], r"^\d+s$")
        self.assertGreater(self.corrupt(workers[0]), 0)
        self.eventually(lambda: self.scan.status()["engines_lost"] == "1", "the count", 60)
        self.eventually(lambda: self.scan.status()["state"] == "running", "a new engine")
        self.eventually(lambda: not any(is_alive(pid) for pid in [zygote, *workers]),
                        "the end of the old ones")
        self.assertEqual(self.check(mail(file_part(EICAR))), ("infected", NAME))
        status = self.scan.status()
        self.assertEqual((status["loads"], status["worker_deaths"], status["zygote_deaths"]),
                         ("2", "0", "0"))
        self.assertEqual(self.scan.metric("mxfeed_scan_engines_lost_total"), 1)
        self.assertEqual(
            len(self.scan.log_lines("event=engine-lost", "the test message was not found")), 1)


class SandboxTest(ServiceTestCase):
    """What a worker may do; each call is tried in tests/unit/virus/scan/sandbox_test.cpp."""

    def facts(self, pid, file):
        lines = pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines()
        return {line[:25].rstrip().rstrip(":").partition(":")[0]: line[25:].split()
                if file == "limits" else line.partition(":")[2].split() for line in lines}

    def test_every_worker_is_confined(self):
        self.service(max_file_size='"50M"')
        self.assertEqual(self.check(mail(file_part(EICAR))), ("infected", NAME))
        for worker in self.workers():
            # It may just have been forked.
            self.eventually(lambda pid=worker: self.facts(pid, "status")["Seccomp"] == ["2"],
                            "the sandbox")
            self.assertEqual(self.facts(worker, "status")["NoNewPrivs"], ["1"])
            limits = self.facts(worker, "limits")
            self.assertEqual(limits["Max core file size"][:2], ["0", "0"])
            self.assertEqual(limits["Max processes"][:2], ["1024", "1024"])
            self.assertLess(int(limits["Max cpu time"][1]), 2 * 3600)
            self.assertGreater(int(limits["Max file size"][1]), 400 << 20)
            if not self.is_sanitized():
                self.assertLess(int(limits["Max data size"][1]), 4 << 30)
                self.assertGreater(int(limits["Max data size"][1]), 1 << 30)
            self.assertEqual(self.listening(worker), [])

    def listening(self, pid):
        """Ports that listen in the network of the process."""
        return pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]

    def is_sanitized(self):
        return b"__asan_init" in pathlib.Path(daemons.program("mxfeed-scan")).read_bytes()

    def test_a_worker_that_the_filter_killed_is_logged_and_counted(self):
        self.service()
        slow = self.ask(slow_mail())
        # As the kernel ends it.
        os.kill(self.scanning(), signal.SIGSYS)
        self.assertEqual(slow.result(), ("none", ""))
        self.eventually(lambda: self.scan.status()["forbidden_calls"] == "1", "the count")
        self.assertEqual(self.scan.metric("mxfeed_scan_forbidden_calls_total"), 1)
        self.assertEqual(len(self.scan.log_lines("worker-died", "signal=SYS",
                                                 'reason="a call that is not allowed"')), 1)
        self.assertEqual(self.check(mail(file_part(EICAR))), ("infected", NAME))


class ProtocolTest(ServiceTestCase):
    """Clients that do not keep to the protocol."""

    def raw(self, datagram, descriptors=()):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.settimeout(30)
            client.connect(self.path)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
            client.sendmsg([datagram], rights if descriptors else [])
            try:
                return client.recv(4096)
            except ConnectionError:
                return b""

    def test_rubbish_gets_no_verdict(self):
        self.service()
        head = request(5)
        sealed = os.memfd_create("m", os.MFD_ALLOW_SEALING)
        self.addCleanup(os.close, sealed)
        os.write(sealed, b"a: b\n")
        open_file = os.memfd_create("m", os.MFD_ALLOW_SEALING)
        self.addCleanup(os.close, open_file)
        os.write(open_file, b"a: b\n")
        fcntl.fcntl(sealed, fcntl.F_ADD_SEALS,
                    fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        silent = {
            "rubbish": (os.urandom(100), [sealed]),
            "empty": (b"", [sealed]),
            "too long": (head + b"x" * 2000, [sealed]),
            "another program": (b"MXSX" + head[4:], [sealed]),
            "no message": (head, []),
            "two messages": (head, [sealed, sealed]),
            "many": (head, [sealed] * 200),
            "more than may be": (request(1 << 40), [sealed]),
        }
        for name, (datagram, descriptors) in silent.items():
            with self.subTest(name):
                self.assertEqual(self.raw(datagram, descriptors), b"")
        refused = {
            "not sealed": (head, [open_file]),
            "another size": (request(6), [sealed]),
            "nothing": (request(0), [sealed]),
            "a pipe": (head, [os.pipe()[0]]),
        }
        for name, (datagram, descriptors) in refused.items():
            with self.subTest(name):
                answer = self.raw(datagram, descriptors)
                self.assertEqual(parse_result(answer)[0], "error")
        self.assertEqual(parse_result(self.raw(head, [sealed]))[0], "clean")
        self.assertEqual(self.scan.metric("mxfeed_scan_bad_requests_total"), len(silent))
        self.assertEqual(self.scan.status()["worker_deaths"], "0")

    def test_a_client_that_gave_up_is_not_scanned_for(self):
        self.service(workers=1)
        [worker] = self.workers(1)
        os.kill(worker, signal.SIGSTOP)
        self.ask(mail(text_part())).close()
        os.kill(worker, signal.SIGCONT)
        self.eventually(lambda: self.scan.metric("mxfeed_scan_gone_clients_total") == 1,
                        "the count")

    def silent(self, count):
        """Clients that have connected and send nothing."""
        clients = []
        for _ in range(count):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.addCleanup(client.close)
            client.connect(self.path)
            clients.append(client)
        return clients

    def test_silent_clients_hold_no_worker(self):
        self.service(workers=2)
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        silent = self.silent(20)
        begin = time.monotonic()
        for _ in range(4):
            self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        # One after another they would take 40 seconds.
        self.assertLess(time.monotonic() - begin, 10)
        for client in silent:
            client.settimeout(20)
            self.assertEqual(client.recv(1), b"")
        self.eventually(
            lambda: self.scan.metric("mxfeed_scan_silent_clients_total") == len(silent),
            "the count")
        self.assertEqual(self.scan.metric("mxfeed_scan_bad_requests_total"), 0)

    def test_more_silent_clients_than_a_worker_keeps_do_no_harm(self):
        self.service(workers=1)
        self.silent(200)
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        self.assertEqual(self.scan.status()["worker_deaths"], "0")

    def test_a_client_that_hesitates_is_answered(self):
        self.service(workers=1)
        asked = Asked(self.path, mail(file_part(EICAR)), send=False)
        self.addCleanup(asked.close)
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        asked.send()
        self.assertEqual(asked.result(), ("infected", NAME))


class SocketTest(ServiceTestCase):
    """A socket that vanishes is bound again, without a load."""

    def restored(self):
        return self.scan.metric('mxfeed_sockets_restored_total{socket="scan"}')

    def test_a_removed_socket_is_bound_again_and_loses_no_request(self):
        self.service(workers=1)
        zygote, [worker] = self.zygote(), self.workers(1)
        slow = self.ask(slow_mail())
        self.scanning()
        waiting = [self.ask(mail(file_part(EICAR))) for _ in range(3)]
        os.unlink(self.path)
        self.eventually(lambda: os.path.exists(self.path), "the socket")
        self.assertEqual(self.check(mail(file_part(EICAR))), ("infected", NAME))
        self.assertIn(slow.result()[0], ("clean", "unscannable"))
        self.assertEqual([one.result() for one in waiting], [("infected", NAME)] * 3)
        self.eventually(lambda: not is_alive(worker), "the end of the old worker")
        self.assertEqual(self.zygote(), zygote)
        self.assertEqual(len(self.workers(1)), 1)
        status = self.scan.status()
        self.assertEqual((status["loads"], status["worker_deaths"], status["socket"],
                          status["sockets_restored"]), ("1", "0", "ok", "1"))
        self.assertEqual(self.restored(), 1)
        self.assertEqual(len(self.scan.log_lines("event=scan_socket", "bound again")), 1)

    def test_it_is_bound_again_as_often_as_it_vanishes(self):
        self.service()
        for count in range(1, 4):
            os.unlink(self.path)
            self.eventually(lambda: self.restored() == count, "the socket")
            self.assertEqual(self.check(mail(text_part())), ("clean", ""))

    def test_a_dead_socket_in_its_place_is_replaced(self):
        self.service()
        os.unlink(self.path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
            other.bind(self.path)
        self.eventually(lambda: self.restored() == 1, "the socket")
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))

    def test_a_zygote_that_loads_meanwhile_gets_the_new_socket(self):
        self.service()
        self.make_database(5)
        os.unlink(self.path)
        self.scan.ask("reload")
        self.eventually(lambda: self.scan.status()["loads"] == "2", "a new engine")
        self.eventually(lambda: self.restored() == 1, "the socket")
        self.assertEqual(self.check(mail(file_part(EICAR))), ("infected", NAME))

    def test_what_cannot_be_bound_is_said_and_tried_again(self):
        self.service()
        os.unlink(self.path)
        os.mkdir(self.path)
        self.eventually(lambda: self.scan.status()["socket"] == "missing", "the report")
        self.eventually(lambda: self.scan.log_lines("event=scan_socket", "fault"), "the log")
        os.rmdir(self.path)
        self.eventually(lambda: self.scan.status()["socket"] == "ok", "the socket")
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        self.assertEqual(len(self.scan.log_lines("event=scan_socket", "fault")), 1)


class MemoryTest(ServiceTestCase):
    """What a large message took is given back."""

    def resident(self, pids):
        """Their memory that is not shared, in MB."""
        pages = 0
        for pid in pids:
            fields = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
            pages += int(fields[1]) - int(fields[2])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def test_workers_are_small_again_after_a_large_mail(self):
        self.service(workers=1, max_scan_time='"100s"')
        self.assertEqual(self.check(mail(text_part())), ("clean", ""))
        before = self.resident(self.workers(1))
        large = mail(text_part(("x" * 70 + "\r\n") * 100_000), file_part(os.urandom(17 << 20)))
        self.assertGreater(len(large), 30 << 20)
        self.assertEqual(self.check(large), ("clean", ""))

        def is_small():
            try:
                return self.resident(self.workers(1)) < before + 48
            except OSError:
                return False  # one that has just ended
        self.eventually(is_small, "memory is given back")
        self.assertEqual(self.scan.status()["worker_deaths"], "0")

    def test_a_milter_is_small_again_after_a_large_mail(self):
        self.service(domains=daemons.feed("acme.example", greylist="false",
                                          spam="{ enabled = true }"))
        body = b"From: a@b.example\r\nSubject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 400_000
        for milter in (self.start("virus"), self.start("spam")):
            with self.subTest(milter.name):
                def send(message, milter=milter):
                    with self.mta(milter) as mta:
                        self.assertTrue(mta.mail("a@b.example").accepted)
                        self.assertTrue(mta.rcpt("info@acme.example").accepted)
                        self.assertTrue(mta.data().accepted)
                        self.assertTrue(mta.content(message).accepted)
                send(body[:1000])
                before = self.resident([milter.pid])
                send(body)
                self.eventually(lambda m=milter, b=before: self.resident([m.pid]) < b + 48,
                                "memory is given back")


if __name__ == "__main__":
    daemons.main()
