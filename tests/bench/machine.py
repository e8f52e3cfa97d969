# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine of a bench: what processes cost, and whether something else ran beside it."""

import concurrent.futures
import os
import pathlib
import statistics
import threading
import time


class Cgroup:
    """CPU time and memory of a set of processes, exited children included."""

    V1 = pathlib.Path("/sys/fs/cgroup/cpuacct")
    V1_MEMORY = pathlib.Path("/sys/fs/cgroup/memory")
    V2 = pathlib.Path("/sys/fs/cgroup")

    def __init__(self, name):
        self.v1 = self.V1.is_dir()
        name = f"mxfeed-bench-{os.getpid()}-{name}"
        self.path = (self.V1 if self.v1 else self.V2) / name
        self.memory_path = self.V1_MEMORY / name if self.v1 else self.path
        for path in {self.path, self.memory_path}:
            path.mkdir()

    def join(self):
        """For preexec_fn."""
        for path in {self.path, self.memory_path}:
            (path / "cgroup.procs").write_text(str(os.getpid()))

    def cpu_seconds(self):
        if self.v1:
            return int((self.path / "cpuacct.usage").read_text()) / 1e9
        stat = dict(line.split() for line in (self.path / "cpu.stat").read_text().splitlines())
        return int(stat["usage_usec"]) / 1e6

    def memory_mib(self):
        """Proportional set size of the processes that are there now."""
        total = 0
        for pid in (self.path / "cgroup.procs").read_text().split():
            try:
                for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
            except (FileNotFoundError, ProcessLookupError):
                pass  # it has just ended
        return total / 1024

    def charged_mib(self):
        """What they have in memory by the kernel's count, temporary files in memory too."""
        file = "memory.usage_in_bytes" if self.v1 else "memory.current"
        return int((self.memory_path / file).read_text()) / 2**20

    def growth_mib(self, work):
        """The most by which that grows while `work` runs, looked at every 2 ms."""
        before = most = self.charged_mib()
        done = threading.Event()

        def watch():
            nonlocal most
            while not done.wait(0.002):
                most = max(most, self.charged_mib())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            work()
        finally:
            done.set()
            thread.join()
        return most - before

    def remove(self):
        deadline = time.monotonic() + 10
        for path in {self.path, self.memory_path}:
            while path.exists() and time.monotonic() < deadline:
                try:
                    path.rmdir()
                except OSError:
                    time.sleep(0.1)  # processes of it are still ending


def fixed_task():
    """The same work each time."""
    state = 1
    for _ in range(300_000):
        state = state * 6364136223846793005 + 1442695040888963407 & 0xFFFFFFFFFFFFFFFF
    return state


class Calibration:
    """Times a fixed task on all cores at once.  A time above the best one means that
    something else ran, or that the machine was slower; the figures around it are suspect."""

    NOISE = 1.15

    def __init__(self):
        self.cores = os.cpu_count()
        self.pool = concurrent.futures.ProcessPoolExecutor(self.cores)
        self.seconds = {}  # round -> times
        self.measure(None)  # starts the processes
        self.seconds.clear()

    def measure(self, turn):
        begin = time.perf_counter()
        for task in [self.pool.submit(fixed_task) for _ in range(self.cores)]:
            task.result()
        self.seconds.setdefault(turn, []).append(time.perf_counter() - begin)

    def report(self):
        every = [t for times in self.seconds.values() for t in times]
        best = min(every)
        noisy = [turn + 1 for turn, times in self.seconds.items()
                 if statistics.median(times) > best * self.NOISE]
        print(f"machine: {self.cores} cores; a fixed task on all of them took "
              f"{1000 * statistics.median(every):.0f} ms "
              f"[{1000 * best:.0f}-{1000 * max(every):.0f}]")
        if noisy:
            print(f"NOISY: above {self.NOISE} times the best in {len(noisy)} of "
                  f"{len(self.seconds)} rounds: {', '.join(map(str, noisy))}; "
                  "do not trust these figures")

    def close(self):
        self.pool.shutdown()
