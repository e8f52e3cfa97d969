# SPDX-License-Identifier: GPL-2.0-or-later
"""A Postfix with other uses, whose files `mxfeed postfix` edits.  It does not run.

    class MyTest(site_postfix.TestCase):
        def test_something(self):
            self.attach()
            self.assertEqual(self.parameter("transport_maps"), "...")
"""

import json
import os
import shutil
import subprocess
import unittest

import golden
from golden import feed

WRONG, UNSCANNED, DIFFERS, TRY_LATER = 1, 3, 7, 75
PATH = f"{os.environ['PATH']}:/usr/sbin"

# A Postfix with other uses.
MAIN_CF = """\
# What this host is for.
compatibility_level = 3.6
queue_directory = {directory}/spool
myhostname = mail.site.example
mydestination = site.example,
\tlocalhost
# The old customers.
relay_domains = hash:{directory}/relay,
  old.example
mynetworks = 127.0.0.0/8
smtpd_milters = inet:localhost:8891   
non_smtpd_milters = $smtpd_milters
parent_domain_matches_subdomains = debug_peer_list
"""
MASTER_CF = """\
# service type  private unpriv  chroot  wakeup  maxproc command + args
smtp      inet  n       -       y       -       -       smtpd
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
#  -o smtpd_tls_security_level=encrypt
127.0.0.1:10025 inet n  -       y       -       -       smtpd
  -o smtpd_milters=
pickup    unix  n       -       y       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
relay     unix  -       -       y       -       -       smtp
        -o syslog_name=postfix/$service_name"""


@unittest.skipUnless(shutil.which("postconf", path=PATH), "no postconf")
class TestCase(golden.TestCase):
    def setUp(self):
        super().setUp()
        self.write("mxfeed.toml", golden.MX + '[postfix]\nverifiers = ["inet:localhost:8891"]\n')
        self.write("domains.d/all.toml", feed("a.example") +
                   feed("family.example", "subdomains = true"))
        self.apply()
        self.postfix = self.directory / "postfix"
        self.postfix.mkdir()
        (self.postfix / "relay").write_text("older.example x\n")
        # The queue of a Postfix that does not run, and what is in it.
        (self.postfix / "spool" / "active").mkdir(parents=True)
        (self.postfix / "queue").write_text("")
        (self.directory / "bin").mkdir()
        for name, text in (("postqueue", f"cat {self.postfix}/queue"), ("postfix", "exit 1")):
            program = self.directory / "bin" / name
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        self.set()

    def set(self, main="", master="", add_main=""):
        """A Postfix with these files."""
        main = (main or MAIN_CF.format(directory=self.postfix)) + add_main
        (self.postfix / "main.cf").write_text(main)
        (self.postfix / "master.cf").write_text(master or MASTER_CF)
        subprocess.run(["postmap", "-c", self.postfix, f"hash:{self.postfix}/relay"], check=True,
                       capture_output=True, env={**os.environ, "PATH": PATH})
        self.before = self.files()

    def settle(self):
        """Postfix waits for a second when it reads a file that was just written."""
        for name in ("main.cf", "master.cf"):
            then = (self.postfix / name).stat().st_mtime - 60
            os.utime(self.postfix / name, (then, then))

    def files(self):
        return tuple((self.postfix / name).read_text() for name in ("main.cf", "master.cf"))

    def postfix_command(self, *arguments, status=0, env=None):
        self.settle()
        return self.mxfeed("postfix", *arguments, "--postfix-config", str(self.postfix),
                           status=status, env={"PATH": self.path(), **(env or {})})

    def path(self):
        return f"{self.directory}/bin:{PATH}"

    def waits(self, *recipients):
        (self.postfix / "queue").write_text("".join(
            json.dumps({"queue_id": f"4X{i}", "recipients": [{"address": one}]}) + "\n"
            for i, one in enumerate(recipients)))

    def attach(self, *arguments, status=6, **options):
        """No daemon runs, which is told when all is done."""
        return self.postfix_command("attach", *arguments, status=status, **options)

    def postconf(self, *arguments):
        self.settle()
        return subprocess.run(["postconf", "-c", self.postfix, *arguments], check=True,
                              capture_output=True, text=True,
                              env={**os.environ, "PATH": PATH}).stdout

    def parameter(self, name):
        return self.postconf("-hx", name).strip()

    def option(self, service, name):
        """Its value at the service, None if it has none of its own."""
        for line in self.postconf("-P").splitlines():
            if line.startswith(f"{service}/{name} ="):
                return line.partition("=")[2].strip()
        return None

    def lookup(self, key, table):
        done = subprocess.run(["postmap", "-c", self.postfix, "-q", key, table], text=True,
                              capture_output=True, check=False,
                              env={**os.environ, "PATH": PATH})
        return done.stdout.strip()
