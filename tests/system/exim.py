# SPDX-License-Identifier: GPL-2.0-or-later
"""An Exim that sends everything to one server: a sender as others run it.  Its package
conflicts with Postfix's, so it is only unpacked."""

import pathlib
import shutil
import subprocess

import rig

CONFIG = """\
primary_hostname = mail.exim.example
exim_path = {program}
spool_directory = {directory}/spool
log_file_path = {directory}/log/%slog
disable_ipv6 = true
dns_ipv4_lookup = *
trusted_users = root
never_users =
recipients_max = 0
begin routers
everything:
  driver = manualroute
  domains = *
  transport = smtp
  route_list = * {server}
  self = send
begin transports
smtp:
  driver = smtp
  interface = {source}
  max_rcpt = 0
begin retry
{retries}
"""


class Exim:
    def __init__(self, directory, server, source, retries="* * F,1h,1s"):
        self.directory = pathlib.Path(directory)
        self.program = rig.aside("exim4-daemon-light", "usr/sbin/exim4")
        self._user()
        self.directory.mkdir(parents=True)
        for name in ("spool", "log"):
            (self.directory / name).mkdir()
            shutil.chown(self.directory / name, "Debian-exim", "Debian-exim")
        self.config = self.directory / "exim.conf"
        self.config.write_text(CONFIG.format(
            program=self.program, directory=self.directory, server=server, source=source,
            retries=retries))

    def _user(self):
        """The user that is compiled in, in the files of this mount namespace only."""
        for name, line in (("passwd", "Debian-exim:x:65533:65533::/nonexistent:/bin/false"),
                           ("group", "Debian-exim:x:65533:")):
            text = pathlib.Path("/etc", name).read_text()
            if "\nDebian-exim:" in text:
                continue
            file = self.directory.parent / f"etc-{name}"
            file.write_text(f"{text}{line}\n")
            file.chmod(0o644)
            subprocess.run(["mount", "--bind", file, f"/etc/{name}"], check=True)

    def submit(self, sender, recipients, message, at_once=False):
        """Queues the message and tries it once; returns when the try is over.  `at_once`
        leaves the next tries to a daemon."""
        self._exim("-odf" if at_once else "-odq", "-oi", "-f", sender, *recipients,
                   given=message)
        if not at_once:
            self.flush()

    def daemon(self, interval):
        """The command of a daemon that runs the queue, in the foreground."""
        return [self.program, "-C", self.config, "-bdf", f"-q{interval}", "-oX", "127.0.0.1.2500"]

    def flush(self):
        """Tries what waits again, now."""
        self._exim("-qff")

    def waiting(self):
        """How many messages wait."""
        return int(self._exim("-bpc"))

    def log(self):
        file = self.directory / "log" / "mainlog"
        return file.read_text(errors="replace") if file.exists() else ""

    def _exim(self, *arguments, given=b""):
        done = subprocess.run([self.program, "-C", self.config, *arguments], input=given,
                              capture_output=True, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"exim {arguments[0]}: {done.stderr.decode()}{self.log()[-2000:]}")
        return done.stdout.decode()
