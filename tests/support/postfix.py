# SPDX-License-Identifier: GPL-2.0-or-later
"""A private Postfix instance, set up as Debian sets up its own: the distribution's master.cf,
smtpd and cleanup in a chroot.

    postfix = Postfix(directory, listen="192.0.2.10:25")
    postfix.configure({"myhostname": "mx1.gateway.example", ...})
    postfix.start()
    postfix.queue()      # [{"queue_id": ..., "recipients": [...]}]
    postfix.stop()

It has its own configuration, queue, data and log below the directory and touches nothing
else; /etc/postfix and a running mail system are left alone.  Needs root.
"""

import json
import pathlib
import shutil
import subprocess

MASTER = pathlib.Path("/usr/share/postfix/master.cf.dist")
# What Debian's start script copies into the chroot for the resolver and the clock.
CHROOT_FILES = ("localtime", "services", "resolv.conf", "hosts", "nsswitch.conf", "host.conf")

# What makes an instance private; the rest are Postfix's defaults or the test's parameters.
BASE = {
    "compatibility_level": "3.6",
    "inet_protocols": "ipv4",
    "mydestination": "$myhostname",  # as by default: Postfix takes its own name off addresses
    "local_recipient_maps": "",
    "local_transport": "error:no local mail",
    "alias_maps": "",
    "alias_database": "",
    "mynetworks": "127.0.0.99/32",
    "biff": "no",
}


class Postfix:
    def __init__(self, directory, listen, name="postfix-test"):
        self.directory = pathlib.Path(directory)
        self.listen = listen
        self.name = name
        self.config = self.directory / "etc"
        self.spool = self.directory / "spool"
        self.data = self.directory / "data"
        self.log_file = self.directory / "mail.log"
        self.running = False

    def configure(self, parameters, services=()):
        """Writes main.cf and master.cf; `services` are lines added to the latter."""
        self.make_directories()
        address = self.listen.rpartition(":")[0]
        merged = {
            **BASE,
            "queue_directory": self.spool,
            "data_directory": self.data,
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "multi_instance_name": self.name,
            "inet_interfaces": address,
            "smtp_bind_address": address,
            "maillog_file": self.log_file,
            "maillog_file_prefixes": self.directory,
            **parameters,
        }
        (self.config / "main.cf").write_text(
            "".join(f"{key} = {value}\n" for key, value in merged.items()))
        master = self.master_text().replace(
            "\nsmtp      inet  n ", f"\n{self.listen} inet n ", 1)
        (self.config / "master.cf").write_text(master + "".join(f"{s}\n" for s in services))

    def make_directories(self):
        """What must be there beside main.cf and master.cf."""
        # The chrooted daemons run as user postfix: all directories above must be passable.
        for directory in (self.directory, self.config, self.spool):
            directory.mkdir(mode=0o755, exist_ok=True)
        self.data.mkdir(exist_ok=True)
        shutil.chown(self.data, "postfix")
        chroot = self.spool / "etc"
        chroot.mkdir(exist_ok=True)
        for name in CHROOT_FILES:
            source = pathlib.Path("/etc") / name
            if source.exists():
                (chroot / name).write_bytes(source.read_bytes())

    @staticmethod
    def master_text():
        """Debian's master.cf."""
        return MASTER.read_text()

    def edit(self, **parameters):
        """Changes parameters; a running instance has to reload()."""
        self._run("postconf", "-c", self.config, "-e",
                  *(f"{key} = {value}" for key, value in parameters.items()))

    def edit_master(self, *options):
        """Sets options of services ("smtp/inet/smtpd_milters=x"), as postconf -P does."""
        self._run("postconf", "-c", self.config, "-P", *options)

    def parameter(self, name):
        return self._run("postconf", "-c", self.config, "-hx", name).strip()

    def start(self):
        self._run("postfix", "-c", self.config, "start")
        self.running = True
        return self

    def stop(self):
        if self.running:
            self.running = False
            self._run("postfix", "-c", self.config, "stop")

    def reload(self):
        self._run("postfix", "-c", self.config, "reload")

    def queue(self):
        """The messages that wait, as postqueue -j lists them.  One without recipients is
        delivered; its file stays a while when a qmgr that saw a map change had it in hand."""
        messages = [json.loads(line) for line in
                    self._run("postqueue", "-c", self.config, "-j").splitlines()]
        return [message for message in messages if message["recipients"]]

    def waiting(self, domain=""):
        """The (queue id, address) of the recipients that wait, or of those in the domain."""
        return {(message["queue_id"], recipient["address"])
                for message in self.queue() for recipient in message["recipients"]
                if recipient["address"].endswith(f"@{domain}" if domain else "")}

    def flush(self):
        """Tries everything that waits again, now."""
        self._run("postqueue", "-c", self.config, "-f")

    def submit(self, sender, recipients, message):
        """Puts a message into the queue, as sendmail(1) does."""
        self._run("sendmail", "-C", self.config, "-G", "-i", "-f", sender, *recipients,
                  given=message)

    def lookup(self, table, key):
        """What the table says of the key; None if it does not know it."""
        done = subprocess.run(["postmap", "-c", self.config, "-q", key, table],
                              capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.rstrip("\n") if done.returncode == 0 else None

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_lines(self, *words):
        """The lines of the log that have all the words."""
        return [line for line in self.log().splitlines() if all(w in line for w in words)]

    def _run(self, *command, given=None):
        done = subprocess.run([str(word) for word in command], input=given,
                              capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.returncode}: "
                               f"{done.stdout.decode()}{done.stderr.decode()}{self.log()[-2000:]}")
        return done.stdout.decode()
