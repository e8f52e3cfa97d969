# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed greylist import`: what postgrey and sqlgrey know is known here afterwards.

The postgrey is Debian's, with its own databases.
"""

import json
import os
import sqlite3
import subprocess
import time
import unittest

import daemons
import postgrey
import redis_server

TO = "info@acme.example"
MESSAGE = b"From: news@sender.example\r\nSubject: x\r\n\r\nbody\r\n"
HOUR = 3600
DAY = 24 * HOUR

# As sqlgrey 1.8.0 makes them.
SQLGREY_TABLES = """
CREATE TABLE connect (sender_name varchar(64) NOT NULL, sender_domain varchar(255) NOT NULL,
  src varchar(39) NOT NULL, rcpt varchar(255) NOT NULL, first_seen timestamp NOT NULL);
CREATE TABLE from_awl (sender_name varchar(64) NOT NULL, sender_domain varchar(255) NOT NULL,
  src varchar(39) NOT NULL, first_seen timestamp NOT NULL, last_seen timestamp NOT NULL,
  PRIMARY KEY (src, sender_domain, sender_name));
CREATE TABLE domain_awl (sender_domain varchar(255) NOT NULL, src varchar(39) NOT NULL,
  first_seen timestamp NOT NULL, last_seen timestamp NOT NULL, PRIMARY KEY (src, sender_domain));
"""


class ImportTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.now = int(time.time())

    def begin(self, more='store = "sqlite:greylist.db"\n'):
        self.apply(daemons.feed("acme.example", greylist='{ when = "always", delay = "1h" }'),
                   daemons.PLAIN_GREYLIST + more)
        self.milter = self.start("greylist")

    def command(self, *arguments, text=""):
        return subprocess.run(
            [daemons.program("mxfeed"), "greylist", *arguments, "--state", str(self.state)],
            input=text, text=True, errors="surrogateescape", capture_output=True, timeout=60,
            check=False)

    def take(self, source, text="", file="-", more=(), status=0):
        """Imports; returns the counts by records and result."""
        done = self.command("import", "--from", source, "--json", *more, str(file), text=text)
        self.assertEqual(done.returncode, status, done.stderr)
        self.errors = done.stderr
        return {(row["records"], row["result"]): row["count"] for row in json.loads(done.stdout)}

    def code(self, sender, address="198.51.100.7", name="", to=TO):
        with self.mta(self.milter, address=address, name=name) as mta:
            result = mta.send(sender, [to], MESSAGE)
        self.assertFalse(result.milter_failed, self.milter.log())
        if not sender:
            return 250 if result.accepted else 450
        return result.recipients[0].code

    def postgrey(self):
        """A postgrey that has seen: a pair that passed, one of IPv6, one that waits, the null
        sender, a client that has passed five times, and mail to another domain."""
        program = postgrey.find("postgrey", "usr/sbin/postgrey")
        self.dump = postgrey.find("db5.3-util", "usr/bin/db5.3_dump")
        if program is None or self.dump is None:
            self.skipTest("postgrey or db5.3-util is not there")
        self.theirs = self.directory / "postgrey"
        self.theirs.mkdir()
        server = postgrey.Postgrey(program, self.theirs, "--whitelist-clients=/dev/null",
                                   "--whitelist-recipients=/dev/null")
        self.addCleanup(server.stop)
        instance = 0

        def passes(address, sender, to=TO, ago=DAY):
            nonlocal instance
            for later, taken in ((0, False), (400, True)):
                instance += 1
                self.assertEqual(server.ask(self.now - ago + later, address, "", sender, to,
                                            instance), taken, sender)

        passes("198.51.100.7", "News+4711@a.example")
        passes("198.51.100.7", "bounce-12345@lists.example")
        passes("2001:db8::7", "x\\y@b.example")
        passes("198.51.100.7", "")
        passes("198.51.100.7", "old@a.example", ago=60 * DAY)
        passes("198.51.100.7", "other@a.example", to="info@elsewhere.example")
        for i in range(5):
            passes("203.0.113.9", f"u{i}@c{i}.example", ago=DAY - i * 2 * HOUR)
        self.assertFalse(server.ask(self.now - HOUR - 60, "192.0.2.1", "", "ann@d.example", TO, 99))
        self.assertFalse(server.ask(self.now - 60, "192.0.2.1", "", "bob@d.example", TO, 100))
        return server

    def dumped(self, running):
        home = ["-h", str(self.theirs)] if running else []
        text = ""
        for name in ("postgrey.db", "postgrey_clients.db"):
            file = name if running else str(self.theirs / name)
            done = subprocess.run([str(self.dump), *home, "-p", file], text=True,
                                  capture_output=True, timeout=60, check=True)
            text += done.stdout
        return text

    def check_what_postgrey_knew(self):
        self.assertEqual(self.code("news@a.example"), 250)
        self.assertEqual(self.code("NEWS+1@a.example", address="198.51.100.200"), 250)
        self.assertEqual(self.code("news@a.example", name="mail.a.example"), 250)
        self.assertEqual(self.code("bounce-999@lists.example"), 250)
        self.assertEqual(self.code('"x\\\\y"@b.example', address="2001:db8::9"), 250)
        self.assertEqual(self.code(""), 250)
        # Any sender of a client that postgrey let through at once.
        self.assertEqual(self.code("new@e.example", address="203.0.113.9"), 250)
        # An hour is over for one of those that waited.
        self.assertEqual(self.code("ann@d.example", address="192.0.2.1"), 250)
        for sender, address in (("bob@d.example", "192.0.2.1"), ("old@a.example", "198.51.100.7"),
                                ("new@f.example", "192.0.2.99"), ("news@a.example", "192.0.2.99")):
            self.assertEqual(self.code(sender, address=address), 450, sender)

    COUNTS = {("passed", "taken"): 9, ("passed", "expired"): 1, ("passed", "other_domain"): 1,
              ("waiting", "taken"): 2, ("host", "taken"): 3}

    def test_what_a_stopped_postgrey_knew_is_known(self):
        self.begin()
        server = self.postgrey()
        server.stop()
        text = self.dumped(running=False)
        rehearsed = self.take("postgrey", text, more=["--dry-run"])
        self.assertEqual(self.command("list", "--json").stdout.strip(), "[]")
        counts = self.take("postgrey", text)
        self.assertEqual(counts, self.COUNTS)
        self.assertEqual(rehearsed, counts)
        # Again, it changes nothing.
        before = self.command("list", "--json").stdout
        self.assertEqual(self.take("postgrey", text),
                         {("passed", "known"): 9, ("passed", "expired"): 1,
                          ("passed", "other_domain"): 1, ("waiting", "known"): 2,
                          ("host", "known"): 3})
        self.assertEqual(self.command("list", "--json").stdout, before)
        self.assertNotIn("news", before)
        self.check_what_postgrey_knew()

    def test_what_a_running_postgrey_knows_is_known(self):
        self.begin()
        self.postgrey()
        self.assertEqual(self.take("postgrey", self.dumped(running=True)), self.COUNTS)
        self.check_what_postgrey_knew()

    def test_it_is_taken_into_redis(self):
        if not redis_server.PROGRAM.exists():
            self.skipTest("redis-server is not installed")
        redis = redis_server.RedisServer(self.directory / "redis")
        self.addCleanup(redis.kill)
        redis.start()
        self.begin(f'store = "redis"\n[redis]\nservers = ["unix:{redis.socket}"]\n')
        server = self.postgrey()
        server.stop()
        text = self.dumped(running=False)
        self.assertEqual(self.take("postgrey", text), self.COUNTS)
        self.assertEqual(self.take("postgrey", text)[("passed", "known")], 9)
        self.check_what_postgrey_knew()

    def test_the_perl_that_postgrey_needs_can_print_its_databases(self):
        self.begin()
        server = self.postgrey()
        server.stop()
        program = ('for (@ARGV) { tie %h, "BerkeleyDB::Btree", -Filename => $_, '
                   '-Flags => DB_RDONLY or die "$_: $!"; '
                   'print "$k\\t$v\\n" while ($k, $v) = each %h }')
        done = subprocess.run(
            ["perl", "-MBerkeleyDB", "-e", program, str(self.theirs / "postgrey.db"),
             str(self.theirs / "postgrey_clients.db")], text=True, capture_output=True,
            timeout=60, check=True)
        self.assertEqual(self.take("postgrey", done.stdout), self.COUNTS)

    def test_a_broken_input_loses_nothing_and_can_be_imported_again(self):
        self.begin()
        pair = f"198.51.100.0/a@a.example/{TO}\t{self.now - DAY},{self.now - DAY + 300}\n"
        counts = self.take("postgrey", pair + "\x1b[1mrubbish\n" * 20 + "203.0.113.9\t2,5\n",
                           status=1)
        self.assertEqual(counts, {("passed", "taken"): 1, (None, "malformed"): 20,
                                  ("host", "expired"): 1})
        self.assertEqual(self.errors.count("malformed: line "), 10)
        self.assertIn("malformed: line 2: \\x1b[1mrubbish\n", self.errors)
        self.assertEqual(self.code("a@a.example"), 250)
        cut = ("VERSION=3\nformat=print\nHEADER=END\n"
               f" 198.51.100.0/b@a.example/{TO}\n {self.now - DAY},{self.now - DAY + 300}\n")
        self.assertEqual(self.take("postgrey", cut, status=1), {("passed", "taken"): 1})
        self.assertIn("the end of the input is missing", self.errors)
        self.assertEqual(self.take("postgrey", cut + "DATA=END\n"), {("passed", "known"): 1})
        self.assertEqual(self.take("postgrey", "VERSION=3\nHEADER=END\nDATA=END\n", status=1), {})
        self.assertIn("no records", self.errors)

    def test_wrong_usage_is_status_2(self):
        self.begin()
        for arguments, said in ((["-"], "--from: must be given"),
                                (["--from", "x", "-"], '"x" is neither postgrey nor sqlgrey'),
                                (["--from", "sqlgrey", "--delay", "5", "-"], "is for postgrey only"),
                                (["--from", "postgrey", "--delay", "0", "-"], "must be from 1"),
                                (["--from", "postgrey"], "FILE is missing")):
            done = self.command("import", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(said, done.stderr)
        done = self.command("import", "--from", "postgrey", "/nowhere/postgrey.txt")
        self.assertEqual((done.returncode, done.stderr),
                         (1, "read: /nowhere/postgrey.txt: No such file or directory\n"))

    # sqlgrey.

    def rows(self):
        return {
            "connect": [("ann", "a.example", "198.51.100", TO, self.now - HOUR - 60),
                        ("bob", "a.example", "198.51.100", TO, self.now - 60),
                        ("-undef-", "-undef-", "198.51.100.77", TO, self.now - HOUR - 60),
                        ("x", "a.example", "198.51.100", "i@elsewhere.example", self.now)],
            "from_awl": [("news", "b.example", "198.51.100", self.now - 9 * DAY, self.now - DAY),
                         ("news", "c.example", "198.51.100", self.now - DAY, self.now - DAY + 600),
                         ("-undef-", "-undef-", "198.51.100", self.now - DAY, self.now - DAY)],
            "domain_awl": [("d.example", "2001:0db8:0000:0000", self.now - 9 * DAY, self.now - DAY),
                           ("e.example", "198.51.100.7", self.now - 99 * DAY, self.now - 50 * DAY)],
        }

    SQLGREY_COUNTS = {("waiting", "taken"): 3, ("waiting", "other_domain"): 1,
                      ("domain", "taken"): 3, ("domain", "expired"): 1,
                      (None, "no_recipient"): 1}

    def check_what_sqlgrey_knew(self):
        self.assertEqual(self.code("ann@a.example"), 250)
        self.assertEqual(self.code("bob@a.example"), 450)
        self.assertEqual(self.code("anyone@b.example"), 250)
        # Seen once only: known where the client is verified.
        self.assertEqual(self.code("news@c.example"), 450)
        self.assertEqual(self.code("news@c.example", name="mx.c.example"), 250)
        self.assertEqual(self.code("any@d.example", address="2001:db8::77"), 250)
        self.assertEqual(self.code("any@e.example"), 450)

    def test_what_sqlgrey_knows_in_sqlite_is_known(self):
        self.begin()
        file = self.directory / "sqlgrey.db"
        with sqlite3.connect(file) as database:
            database.executescript(SQLGREY_TABLES)
            for table, rows in self.rows().items():
                for row in rows:
                    database.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)
        database.close()
        content = file.read_bytes()
        self.assertEqual(self.take("sqlgrey", file=file), self.SQLGREY_COUNTS)
        self.assertEqual(file.read_bytes(), content)
        self.assertEqual(os.listdir(self.directory).count("sqlgrey.db"), 1)
        self.check_what_sqlgrey_knew()
        self.assertEqual(self.take("sqlgrey", file=file)[("domain", "known")], 3)

    def test_what_sqlgrey_knows_elsewhere_is_known(self):
        self.begin()
        text = "".join("\t".join([table, *map(str, row)]) + "\n"
                       for table, rows in self.rows().items() for row in rows)
        self.assertEqual(self.take("sqlgrey", text), self.SQLGREY_COUNTS)
        self.check_what_sqlgrey_knew()
        file = self.directory / "rows.txt"
        file.write_text(text + "rubbish\n")
        self.assertEqual(self.take("sqlgrey", file=file, status=1)[(None, "malformed")], 1)


if __name__ == "__main__":
    daemons.main()
