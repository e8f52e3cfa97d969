# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian machine for tests of packages: systemd is process 1 in namespaces of its own, on
an overlay of a root directory, so units, sandboxes and maintainer scripts are the real ones.

    machine = Machine("/var/tmp/mxfeed-bare-bookworm", directory).boot()
    machine.run("systemctl", "is-active", "mxfeed-virus")
    machine.stop()

The network is that of the caller.  What is written is gone afterwards.  Needs root, and a
`directory` on a file system that an overlay may write to (tmpfs).
"""

import os
import pathlib
import signal
import subprocess
import textwrap

from service import eventually

BOOT = textwrap.dedent("""\
    set -eu
    root=$1/root
    mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$root"
    cd "$root"
    mount -t proc proc proc
    mount -t sysfs -o ro sysfs sys
    mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs dev
    for node in null zero full random urandom tty; do
      : >dev/$node
      mount --bind /dev/$node dev/$node
    done
    mkdir dev/pts dev/shm
    mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    mount -t tmpfs -o mode=1777 tmpfs dev/shm
    mount -t tmpfs -o mode=755 tmpfs run
    mount -t tmpfs -o mode=1777 tmpfs tmp
    mkdir -p .outside
    [ -z "$3" ] || { mkdir -p srv/shared; mount --bind "$3" srv/shared; }
    rm -f usr/sbin/policy-rc.d etc/fstab
    : >etc/machine-id
    pivot_root . .outside
    umount -l /.outside
    exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
    """)
# Would ask the network.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "systemd-networkd-wait-online.service")


class Machine:
    """`shared` is a directory that the machine sees as /srv/shared."""

    def __init__(self, base, directory, shared="", files=None):
        self.base = pathlib.Path(base)
        self.directory = pathlib.Path(directory)
        self.shared = str(shared)
        self._process = None
        self._pid = None
        self._group = None
        for name in ("root", "upper", "work"):
            (self.directory / name).mkdir(parents=True)
        upper = self.directory / "upper"
        units = upper / "etc/systemd/system"
        units.mkdir(parents=True)
        for unit in MASKED:
            (units / unit).symlink_to("/dev/null")
        for name, text in (files or {}).items():
            path = upper / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def boot(self):
        self._group = self._make_group()
        with open(self.directory / "boot.log", "wb") as log:
            self._start(log)
        children = pathlib.Path(
            f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        self._pid = int(eventually(lambda: self._alive() and children.read_text().split(),
                                   "process 1 of the machine")[0])
        state = eventually(self._booted, "the machine has booted", 60)
        if state not in ("running", "degraded"):
            raise AssertionError(f"the machine is {state}\n{self.journal()}")
        return self

    def _start(self, log):
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork",
             "--kill-child", "--propagation", "private", "bash", "-c", BOOT, "boot",
             str(self.directory), str(self.base), self.shared],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=lambda: (self._group / "cgroup.procs").write_text(str(os.getpid())))

    def stop(self):
        if self._process is not None:
            os.kill(self._pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            eventually(self._group_is_gone, "the end of its processes")

    def reboot(self):
        """Shuts it down in order and boots it again."""
        self.run("systemctl", "poweroff", check=False)
        self._process.wait(120)
        eventually(self._group_is_gone, "the end of its processes")
        return self.boot()

    # ... what is done in it

    def run(self, *command, check=True, text=None, seconds=300):
        """Runs the command in the machine, as root; returns how it went, with its output."""
        done = subprocess.run(
            ["nsenter", "-t", str(self._pid), "-m", "-p", "-u", "-i", "-C", "env", "-i",
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
             "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *map(str, command)],
            input=text, stdin=None if text is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds,
            check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}")
        return done

    def sh(self, script, **options):
        return self.run("sh", "-ec", script, **options)

    def path(self, inside):
        """Where a file of the machine is for the caller."""
        return pathlib.Path(f"/proc/{self._pid}/root") / str(inside).lstrip("/")

    def write(self, inside, text):
        self.path(inside).parent.mkdir(parents=True, exist_ok=True)
        self.path(inside).write_text(text)

    def property(self, unit, name):
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def journal(self, *arguments):
        return self.run("journalctl", "--no-pager", "-o", "short-precise", *arguments,
                        check=False).stdout

    # ... inner parts

    def _alive(self):
        if self._process.poll() is not None:
            raise AssertionError(f"the machine ended with {self._process.returncode}:\n"
                                 f"{(self.directory / 'boot.log').read_text()}")
        return True

    def _booted(self):
        """Its state, once it is final."""
        self._alive()
        if not self.path("/run/systemd/private").exists():
            return None
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state if state in ("running", "degraded", "maintenance", "stopping") else None

    @staticmethod
    def _make_group():
        """A control group whose tree is the machine's."""
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            before, _, after = line.partition(" - ")
            if after.split()[0] == "cgroup2":
                group = pathlib.Path(before.split()[4]) / f"mxfeed-machine-{os.urandom(4).hex()}"
                group.mkdir()
                return group
        raise AssertionError("no cgroup2 file system is mounted")

    def _group_is_gone(self):
        """Removes the tree of groups, the innermost first."""
        try:
            for folder, _, _ in os.walk(self._group, topdown=False):
                os.rmdir(folder)
        except FileNotFoundError:
            pass
        except OSError:
            return False  # a process is still ending
        return True
