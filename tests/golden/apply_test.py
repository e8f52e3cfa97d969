# SPDX-License-Identifier: GPL-2.0-or-later
"""Generations: swapped whole, removed domains kept, too many removals refused, rollback,
crashes.  The Postfix asked is a set of scripts that answer from files."""

import fcntl
import json
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import threading
import unittest

import golden
from golden import feed

KEPT = "retry:4.3.5 domain is no longer relayed here"
REFUSED = "error:5.7.1 domain is not relayed here"
ROUTE = "[203.0.113.7]:25"
RELAY = f"mxfeed-soft:{ROUTE}"

# postmap -q - looks into the source; postconf and postqueue print what a test gave them.
FAKES = {
    "postqueue": 'cat "$FAKE/queue"; exit $(cat "$FAKE/queue-status" 2>/dev/null || echo 0)',
    "postmap": """map=${5#cdb:}; found=1
while read -r key; do
  value=$(grep -v '^#' "$map" | awk -F'\\t' -v k="$key" '$1 == k { print $2 }')
  [ -z "$value" ] || { printf '%s\\t%s\\n' "$key" "$value"; found=0; }
done
exit $found""",
    "postconf": 'case " $* " in *" -P "*) cat "$FAKE/services";; *" -m "*) echo cdb;; '
                '*" -M "*) cat "$FAKE/master.cf";; *) cat "$FAKE/main.cf";; esac',
}


class FakePostfix:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        for name, text in FAKES.items():
            program = self.directory / name
            program.write_text(f"#!/bin/sh\n{text}\n")
            program.chmod(0o755)
        self.waits()
        (self.directory / "main.cf").write_text("")
        (self.directory / "services").write_text("")
        (self.directory / "master.cf").write_text("smtp inet n - y - - smtpd\n")
        self.environment = {"PATH": f"{self.directory}:{os.environ['PATH']}",
                            "FAKE": str(self.directory)}

    def waits(self, *recipients, status=0):
        """What the queue has: a message for each recipient."""
        lines = [json.dumps({"queue_name": "deferred", "queue_id": f"4X{i}",
                             "arrival_time": 1, "message_size": 300, "forced_expire": False,
                             "sender": "a@x.example",
                             "recipients": [{"address": address,
                                             "delay_reason": 'say "no", {later}'}]})
                 for i, address in enumerate(recipients)]
        (self.directory / "queue").write_text("".join(f"{line}\n" for line in lines))
        (self.directory / "queue-status").write_text(str(status))


class FakeDaemon:
    """Answers "reload" on a status socket; notes where the links led when it was asked."""

    def __init__(self, state, name, generation=None, answers=True):
        self.answers = answers
        (state / name).mkdir(parents=True, exist_ok=True)
        self.state = state
        self.generation = generation
        self.seen = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(state / name / "status.sock"))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _link(self, name):
        path = self.state / name
        return os.readlink(path).rpartition("/")[2] if path.is_symlink() else "none"

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                if not self.answers:
                    continue
                client.recv(100)
                self.seen.append((self._link("current"), self._link("current-postfix")))
                generation = self.generation or self._link("current")
                client.sendall(f"program: fake\ngeneration: {generation}\n".encode())

    def close(self):
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


class ApplyTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        self.postfix = FakePostfix(self.directory / "fake")
        self.write("mxfeed.toml", 'removal_grace = "0s"\n' + golden.MX)

    def configure(self, *names, lines=()):
        self.write("domains.d/all.toml", "".join(feed(name, *lines) for name in names))

    def apply_with_postfix(self, *arguments, status=0):
        return self.mxfeed("apply", "--postfix-config", str(self.postfix.directory), *arguments,
                           status=status, env=self.postfix.environment)

    def an_hour_passes(self):
        """For the generations that are there."""
        for meta in self.state.glob("generations/*/meta"):
            meta.write_text(re.sub(r"(?m)^written: (\d+)$",
                                   lambda found: f"written: {int(found[1]) - 3600}",
                                   meta.read_text()))
            golden.write_sums(meta.parent)

    def daemon(self, name, generation=None, answers=True):
        self.state.mkdir(exist_ok=True)
        daemon = FakeDaemon(self.state, name, generation, answers)
        self.addCleanup(daemon.close)
        return daemon

    # ... generations

    def test_a_generation_is_written_whole_and_both_links_lead_to_it(self):
        self.configure("a.example")
        self.apply()
        self.assertEqual((self.link(), self.link("current-postfix")), (1, 1))
        self.assertEqual(sorted(p.name for p in (self.state / "current").iterdir()),
                         ["domains.tsv", "etrn_clients", "etrn_clients.cdb", "mailboxes",
                          "main.cf", "master.cf", "meta", "policy.cdb", "recipient_access",
                          "recipient_access.cdb", "recipients.tsv", "relay_domains",
                          "relay_domains.cdb", "relay_recipients", "relay_recipients.cdb",
                          "relay_recipients.regexp", "sums", "tls_policy", "tls_policy.cdb",
                          "transport", "transport.cdb"])
        for name in ("relay_domains", "transport"):
            source = (self.state / "current" / name).stat()
            compiled = (self.state / "current" / f"{name}.cdb").stat()
            self.assertLessEqual(source.st_mtime, compiled.st_mtime)
            self.assertEqual(stat.S_IMODE(compiled.st_mode), 0o644)

    def test_nothing_new_writes_no_generation(self):
        self.configure("a.example")
        self.apply()
        self.write("domains.d/all.toml", "# a comment\n" + feed("a.example"))
        self.assertIn("(unchanged)", self.apply().stdout)
        self.assertEqual(self.link(), 1)

    def configure_hosts(self, **addresses):
        self.write("mxfeed.toml", golden.MX + "".join(
            f'[[host]]\nname = "{name}.isp.example"\naddresses = ["{address}"]\n'
            for name, address in addresses.items()))

    def bind_address(self):
        found = re.search(r"smtp_bind_address=(\S+)",
                          (self.state / "current-postfix/master.cf").read_text())
        return found and found[1]

    def test_the_host_that_was_selected_stays_until_another_is(self):
        self.configure("a.example")
        self.configure_hosts(mx1="192.0.2.1", mx2="192.0.2.2")
        self.assertIn("no [[host]] in mxfeed.toml is named", self.apply().stderr)
        self.assertIsNone(self.bind_address())
        for options, address in (
                (["--host", "MX2.isp.example"], "192.0.2.2"),
                ([], "192.0.2.2"),
                (["--host", "mx1.isp.example"], "192.0.2.1"),
                ([], "192.0.2.1")):
            done = self.apply(*options)
            self.assertEqual((address, ""), (self.bind_address(), done.stderr))
        self.configure_hosts(mx1="192.0.2.7", mx2="192.0.2.2")
        self.apply()
        self.assertEqual("192.0.2.7", self.bind_address())
        # Also past a generation that is damaged.
        (self.state / "current/meta").write_text("nonsense")
        self.apply()
        self.assertEqual("192.0.2.7", self.bind_address())
        self.configure_hosts(mx2="192.0.2.2")
        self.assertIn("named mx1.isp.example, which --host has selected before",
                      self.apply().stderr)
        self.assertIsNone(self.bind_address())

    def test_the_host_stays_when_its_name_is_not_known_for_now(self):
        self.configure("a.example")
        self.configure_hosts(mx1="192.0.2.1", mx2="192.0.2.2")
        for name, address in (("mx1", "192.0.2.1"), ("unknown", "192.0.2.1"),
                              ("mx2", "192.0.2.2")):
            done = subprocess.run(
                ["unshare", "--uts", "--user", "--map-root-user", "sh", "-ec",
                 'hostname "$0"; exec "$@"', f"{name}.isp.example", golden.BUILD / "bin/mxfeed",
                 "apply", "--no-postfix", "--config", self.config, "--state", self.state],
                capture_output=True, text=True, check=False)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual(name == "unknown", "stays that of mx1" in done.stderr)
            self.assertEqual(address, self.bind_address())

    def test_a_wrong_configuration_leaves_the_old_generation(self):
        self.configure("a.example")
        self.apply()
        self.configure("a.example", "b.example", lines=["nonsense = 1"])
        self.apply(status=1)
        self.assertEqual(self.link(), 1)
        self.assertEqual(self.source("transport"), {"a.example": RELAY})

    def test_the_maps_left_behind_are_touched_so_that_postfix_notices(self):
        self.configure("a.example")
        self.apply()
        old = self.state / "generations" / "1" / "transport.cdb"
        before = int(old.stat().st_mtime)
        self.configure("a.example", "b.example")
        self.apply()
        self.assertGreater(int(old.stat().st_mtime), before)

    def test_dry_run_says_what_would_change_and_writes_nothing(self):
        self.configure("a.example")
        done = self.apply("--dry-run")
        self.assertIn(f"+ a.example: feed active {ROUTE}\n", done.stdout)
        self.assertFalse(self.state.exists())

    def test_diff_says_each_change(self):
        self.configure("a.example", "b.example", "c.example")
        self.apply()
        self.write("domains.d/all.toml", feed("a.example", 'state = "paused"') +
                   feed("b.example", "greylist = false", "subdomains = true") +
                   feed("d.example"))
        self.assertEqual(
            [line for line in self.apply("--diff").stdout.splitlines() if line[0] in "+-~"],
            ["~ a.example: state active -> paused",
             "~ b.example: subdomains false -> true",
             "~ b.example: greylist policy",
             "- c.example: removed; its queue is kept",
             f"+ d.example: feed active {ROUTE}"])

    def test_json_has_what_was_done(self):
        self.configure("a.example", "b.example")
        self.daemon("spam")
        self.apply()
        self.configure("b.example", lines=['state = "paused"'])
        done = json.loads(self.apply("--json", "--diff").stdout)
        self.assertEqual(done, {
            "source": None, "errors": 0, "warnings": 0, "no_longer_relayed": ["a.example"],
            "damaged": False, "dry_run": False,
            "changes": ["- a.example: removed; its queue is kept",
                        "~ b.example: state active -> paused"],
            "generation": 2, "unchanged": False, "relayed": 1, "kept": 1,
            "daemons": {"greylist": "not_running", "virus": "not_running",
                        "spam": "reloaded", "scan": "not_running"},
            "exit_status": 0})
        done = json.loads(self.apply_with_postfix("--json").stdout)
        self.assertEqual((done["unchanged"], done["look_ups_proved"]), (True, 0))
        self.assertIn("main.cf: relay_domains", done["parameters_differ"])
        done = json.loads(self.mxfeed("rollback", "--json", "--no-postfix").stdout)
        self.assertEqual((done["back_to"], done["generation"], done["no_longer_relayed"]),
                         (1, 3, []))
        self.write("domains.d/all.toml", "x = 1\n")
        done = json.loads(self.apply("--json", status=1).stdout)
        self.assertEqual((done["errors"], done["exit_status"]), (1, 1))

    def test_the_quarantine_waits_until_postfix_has_maps_that_lead_there(self):
        waits = "the quarantine is used from the next mxfeed apply on"
        self.configure("a.example", lines=["[domain.virus]", 'infected = "quarantine"'])
        self.assertNotIn(waits, self.apply().stdout)  # Postfix has no maps before
        generation = self.state / "generations" / "1"
        meta = (generation / "meta").read_text()
        self.assertIn("quarantine-route: yes\n", meta)
        (generation / "meta").write_text(meta.replace("quarantine-route: yes\n", ""))
        golden.write_sums(generation)
        self.assertIn(waits, self.apply().stdout)
        self.assertEqual(self.link(), 2)
        self.assertNotIn(waits, self.apply().stdout)
        self.assertEqual(self.link(), 3)
        self.apply()
        self.assertEqual(self.link(), 3)

    def apply_often(self, count):
        for i in range(count):
            self.configure("a.example", lines=[f'queue_lifetime = "{i + 1}d"'])
            self.apply()

    def copy_often(self, count):
        """As if what is in force had been applied so often with changes; much quicker."""
        generations = self.state / "generations"
        for last in range(self.link(), self.link() + count):
            made = generations / str(last + 1)
            shutil.copytree(generations / str(last), made)
            meta = re.sub(r"(?m)^generation: .*$", f"generation: {last + 1}",
                          (made / "meta").read_text())
            (made / "meta").write_text(re.sub(r"(?m)^previous: .*$", f"previous: {last}", meta))
            golden.write_sums(made)
        for name in ("current", "current-postfix"):
            link = self.state / name
            target = link.readlink().with_name(made.name)
            link.unlink()
            link.symlink_to(target)

    def test_generations_are_listed_and_the_last_twenty_kept(self):
        self.apply_often(24)
        self.an_hour_passes()
        self.apply_often(1)
        listed = json.loads(self.mxfeed("generations", "--json").stdout)
        self.assertEqual([one["generation"] for one in listed], list(range(6, 26)))
        self.assertEqual([one["milters"] for one in listed], [False] * 19 + [True])
        self.assertRegex(self.mxfeed("generations").stdout.splitlines()[-1], "yes +yes$")

    def test_a_state_directory_that_postfix_cannot_name_is_a_usage_error(self):
        done = self.run_mxfeed("apply", "--config", str(self.config), "--state",
                               str(self.directory / "a b"))
        self.assertEqual(done.returncode, 2)

    # ... removed domains

    def test_a_removed_domain_keeps_a_route_until_its_queue_is_empty(self):
        self.configure("a.example", "b.example")
        self.apply_with_postfix()
        self.configure("a.example")
        self.apply_with_postfix()
        self.assertEqual(self.source("relay_domains"), {"a.example": "feed"})
        self.assertEqual(self.source("transport"), {"a.example": RELAY, "b.example": KEPT})
        self.postfix.waits("x@b.EXAMPLE", "y@a.example")
        self.apply_with_postfix()
        self.assertIn("b.example", self.source("transport"))
        self.an_hour_passes()
        self.apply_with_postfix()
        self.assertIn("b.example", self.source("transport"))
        self.postfix.waits("y@a.example", "b.example@a.example", "x@sub.b.example")
        self.apply_with_postfix()
        self.assertEqual(self.source("transport"), {"a.example": RELAY})

    def test_it_is_kept_for_an_hour_since_mail_may_be_on_its_way_into_the_queue(self):
        self.configure("a.example", "b.example", "c.example")
        self.apply_with_postfix()
        self.configure("a.example", "c.example")
        self.apply_with_postfix()
        self.apply_with_postfix()
        self.assertEqual(self.source("transport")["b.example"], KEPT)
        self.an_hour_passes()
        self.configure("a.example")
        self.apply_with_postfix()
        self.assertEqual(self.source("transport"), {"a.example": RELAY, "c.example": KEPT})

    def test_it_is_kept_for_an_hour_however_many_generations_there_are(self):
        def whole():
            return len(list((self.state / "generations").iterdir()))

        self.configure("a.example", "b.example")
        self.apply()
        self.configure("a.example")
        self.apply()
        self.apply_often(30)
        self.apply_with_postfix()
        self.assertEqual(self.source("transport"), {"a.example": RELAY, "b.example": KEPT})
        self.assertEqual(whole(), 32)
        # More than are kept: when it was removed cannot be told.
        self.copy_often(80)
        self.apply_with_postfix()
        self.assertEqual(self.source("transport"), {"a.example": RELAY, "b.example": KEPT})
        self.assertEqual(whole(), 100)
        self.an_hour_passes()
        self.apply_with_postfix()
        self.assertEqual(self.source("transport"), {"a.example": RELAY})
        self.assertEqual(whole(), 20)

    def test_a_generation_that_was_not_taken_does_not_end_the_hour(self):
        self.configure("a.example", "b.example")
        self.apply()
        daemon = self.daemon("spam", generation="1")
        self.configure("a.example")
        self.apply(status=1)
        self.an_hour_passes()
        daemon.generation = None
        self.configure("a.example", lines=['state = "paused"'])
        self.apply()
        self.configure("a.example")
        self.apply_with_postfix()
        self.assertEqual(self.source("transport"), {"a.example": RELAY, "b.example": KEPT})

    def test_it_is_kept_as_long_as_the_queue_cannot_be_read(self):
        self.configure("a.example", "b.example")
        self.apply()
        self.configure("a.example")
        self.apply()
        self.an_hour_passes()
        for case in ("--no-postfix", "error", "rubbish"):
            with self.subTest(case):
                if case == "--no-postfix":
                    done = self.apply()
                else:
                    self.postfix.waits(status=69 if case == "error" else 0)
                    if case == "rubbish":
                        (self.postfix.directory / "queue").write_text('{"queue_id": "x"\n')
                    done = self.apply_with_postfix()
                self.assertIn("removed domains are kept", done.stderr)
                self.assertIn("b.example", self.source("transport"))

    def test_off_and_direct_are_removals_too(self):
        self.configure("a.example", "b.example", "c.example")
        self.apply()
        self.write("domains.d/all.toml", feed("a.example") +
                   feed("b.example", 'state = "removed"') +
                   feed("c.example", 'service = "direct"'))
        self.apply()
        self.assertEqual(self.source("relay_domains"), {"a.example": "feed"})
        self.assertEqual(self.source("transport"),
                         {"a.example": RELAY, "b.example": KEPT, "c.example": KEPT})

    def test_a_domain_that_comes_back_is_relayed_again(self):
        self.configure("a.example", "b.example")
        self.apply()
        self.configure("a.example")
        self.apply()
        self.configure("a.example", "b.example")
        self.apply()
        self.assertEqual(self.source("transport"), {"a.example": RELAY, "b.example": RELAY})

    def test_names_below_a_domain_are_kept_when_it_loses_them(self):
        self.configure("a.example", lines=["subdomains = true"])
        self.apply_with_postfix()
        self.configure("a.example")
        self.apply_with_postfix()
        self.assertEqual(self.source("relay_domains"), {"a.example": "feed"})
        self.assertEqual(self.source("transport"), {"a.example": RELAY, ".a.example": KEPT})
        self.an_hour_passes()
        self.postfix.waits("x@y.z.a.example")
        self.apply_with_postfix()
        self.assertIn(".a.example", self.source("transport"))
        self.postfix.waits("x@a.example")
        self.apply_with_postfix()
        self.assertEqual(self.source("transport"), {"a.example": RELAY})

    def test_a_removed_domain_with_subdomains_keeps_both_rows(self):
        self.write("domains.d/all.toml", feed("a.example", "subdomains = true") +
                   feed("b.example"))
        self.apply()
        self.configure("b.example")
        self.apply()
        self.assertEqual(self.source("transport"), {"a.example": KEPT, ".a.example": KEPT,
                                                    "b.example": RELAY})

    def test_a_name_that_its_parent_relays_on_needs_no_row(self):
        family = feed("a.example", "subdomains = true")
        self.write("domains.d/all.toml", family + feed("x.a.example"))
        self.apply()
        self.write("domains.d/all.toml", family)
        self.apply()
        self.assertEqual(self.source("transport"), {"a.example": RELAY, ".a.example": RELAY})

    def test_a_name_below_a_domain_that_is_not_relayed_is_refused(self):
        family = feed("a.example", "subdomains = true")
        rows = {"a.example": RELAY, ".a.example": RELAY}
        suspended = ('[customer]\nid = "owing"\nbackup = "suspended"\n' +
                     feed("x.a.example", 'service = "backup"', 'requested = "ticket 1"',
                          'acknowledged = "letter 1"'))
        for case in (feed("x.a.example", 'state = "removed"'),
                     feed("x.a.example", 'service = "direct"'), suspended):
            with self.subTest(case):
                self.state = self.directory / f"state-{hash(case)}"
                self.write("domains.d/all.toml", family)
                self.write("domains.d/child.toml", case)
                done = self.apply("--diff")
                self.assertIn("+ x.a.example: refused\n", done.stdout)
                self.assertIn("1 domain relayed, 0 kept", done.stdout)
                self.assertEqual(self.source("relay_domains"),
                                 {"a.example": "feed", ".a.example": "feed"})
                self.assertEqual(self.source("transport"), {**rows, "x.a.example": REFUSED})
                self.assertIn("(unchanged)", self.apply().stdout)
                (self.config / "domains.d" / "child.toml").unlink()
                done = self.apply("--diff")
                self.assertIn("- x.a.example: no longer refused\n", done.stdout)
                self.assertEqual(self.source("transport"), rows)

    def test_it_keeps_a_route_first_while_mail_waits_that_it_or_its_parent_took(self):
        family = feed("a.example", "subdomains = true")
        for before in (feed("x.a.example"), ""):
            with self.subTest(before):
                self.state = self.directory / f"state-{len(before)}"
                self.write("domains.d/all.toml", family + before)
                self.apply_with_postfix()
                self.write("domains.d/all.toml",
                           family + feed("x.a.example", 'state = "removed"'))
                self.postfix.waits()
                self.apply_with_postfix()
                self.apply_with_postfix()
                self.assertEqual(self.source("transport")["x.a.example"], KEPT)
                self.an_hour_passes()
                self.postfix.waits("u@x.a.example")
                self.apply_with_postfix()
                self.assertEqual(self.source("transport")["x.a.example"], KEPT)
                self.postfix.waits("u@a.example")
                done = self.apply_with_postfix("--diff")
                self.assertIn("~ x.a.example: state kept -> refused\n", done.stdout)
                self.assertEqual(self.source("transport")["x.a.example"], REFUSED)

    def test_going_back_refuses_it_too(self):
        family = feed("a.example", "subdomains = true")
        self.write("domains.d/all.toml", family + feed("x.a.example"))
        self.apply()
        self.write("domains.d/all.toml", family + feed("x.a.example", 'state = "removed"'))
        self.apply()
        self.write("domains.d/all.toml", family)
        self.apply()
        self.assertNotIn("x.a.example", self.source("transport"))
        self.mxfeed("rollback", "--no-postfix")
        self.assertEqual(self.source("transport")["x.a.example"], KEPT)

    # ... the removal guard

    def test_a_removal_is_named_or_counted(self):
        self.configure(*self.names(200))
        self.apply()
        self.configure(*self.names(198))
        done = self.apply("--dry-run")
        named = [f"no longer relayed: {name} (queued mail is kept)\n"
                 for name in self.names(200)[198:]]
        self.assertIn("".join(named), done.stdout)
        self.assertIn("".join(named), self.apply().stdout)
        self.configure(*self.names(170))
        done = self.apply("--dry-run", "--allow-removals", "28")
        for name in self.names(198)[170:]:
            self.assertIn(f"no longer relayed: {name} (", done.stdout)
        done = self.apply("--allow-removals", "28")
        self.assertIn("no longer relayed: 28 domains (queued mail is kept)\n", done.stdout)

    def names(self, count):
        return [f"d{i:04}.example" for i in range(count)]

    def test_many_removals_are_refused_unless_allowed(self):
        for before, after, refused in ((12, 2, False), (13, 2, True), (2000, 1985, False),
                                       (1000, 989, True), (1, 0, True)):
            with self.subTest(f"{before} to {after}"):
                self.state = self.directory / f"state-{before}-{after}"
                self.configure(*self.names(before))
                self.apply()
                self.configure(*self.names(after))
                if refused:
                    done = self.apply(status=1)
                    removed = before - after
                    self.assertIn(f"refused: {removed} of {before} domains", done.stderr)
                    self.assertEqual(self.link(), 1)
                    self.apply("--allow-removals", str(removed - 1), status=1)
                    self.apply("--allow-removals", str(removed))
                else:
                    self.apply()
                self.assertEqual(self.link(), 2)
                self.assertEqual(len(self.source("relay_domains")), after)
                self.assertEqual(len(self.source("transport")), before)

    def test_a_source_that_is_gone_is_refused(self):
        self.configure("a.example")
        self.apply()
        (self.config / "domains.d" / "all.toml").unlink()
        (self.config / "domains.d").rmdir()
        self.apply(status=1)
        (self.config / "mxfeed.toml").unlink()
        done = self.apply(status=1)
        self.assertIn("mxfeed.toml: no such file", done.stderr)
        self.assertEqual(self.link(), 1)

    # ... rollback

    def test_rollback_writes_the_former_generation_anew_and_keeps_what_it_removes(self):
        self.configure("a.example")
        self.apply()
        self.configure("a.example", "b.example", lines=['state = "paused"'])
        self.apply()
        done = self.mxfeed("rollback", "--no-postfix")
        self.assertIn("no longer relayed: b.example", done.stdout)
        self.assertEqual(self.link(), 3)
        self.assertEqual(self.source("relay_domains"), {"a.example": "feed"})
        self.assertEqual(self.source("transport"), {"a.example": RELAY, "b.example": KEPT})
        self.assertEqual((self.state / "current" / "main.cf").read_text(),
                         (self.state / "generations" / "1" / "main.cf").read_text())
        # Forward again, by number; then an apply with what the configuration says.
        self.mxfeed("rollback", "2", "--no-postfix")
        self.assertEqual(sorted(self.source("relay_domains")), ["a.example", "b.example"])
        self.assertIn("(unchanged)", self.apply().stdout)

    def test_rollback_twice_goes_back_twice(self):
        for days in (1, 2, 3):
            self.configure("a.example", lines=[f'queue_lifetime = "{days}d"'])
            self.apply()
        for days in (2, 1):
            self.mxfeed("rollback", "--no-postfix")
            table = (self.state / "current" / "domains.tsv").read_text()
            self.assertIn(f"\t{days}d\t", table)
        done = self.mxfeed("rollback", "--no-postfix", status=1)
        self.assertIn("there is no earlier generation", done.stderr)

    def test_rollback_to_what_is_not_there_changes_nothing(self):
        done = self.mxfeed("rollback", "--no-postfix", status=1)
        self.assertEqual(done.stderr, "no generation is in force\n")
        self.configure("a.example")
        self.apply()
        for number, said in (("1", "generation 1 is already in force\n"),
                             ("99", "no generation 99\n")):
            done = self.mxfeed("rollback", number, "--no-postfix", status=1)
            self.assertEqual(done.stderr, said)
        self.assertEqual(self.link(), 1)

    def test_a_damaged_generation_is_not_gone_back_to(self):
        for days in (1, 2, 3):
            self.configure("a.example", lines=[f'queue_lifetime = "{days}d"'])
            self.apply()
        (self.state / "generations" / "1" / "domains.tsv").write_text("rubbish\n")
        (self.state / "generations" / "2" / "policy.cdb").write_text("rubbish\n")
        for number in ("1", "2"):
            done = self.mxfeed("rollback", number, "--no-postfix", status=1)
            self.assertIn(f"generations/{number}/", done.stderr)
        self.assertEqual(self.link(), 3)

    # ... the daemons and Postfix

    def test_the_milters_have_the_generation_before_postfix_does(self):
        self.configure("a.example")
        self.apply()
        daemons = [self.daemon(name) for name in ("greylist", "virus", "spam", "scan")]
        self.configure("a.example", "b.example")
        done = self.apply()
        for daemon in daemons:
            self.assertEqual(daemon.seen, [("2", "1")])
        for name in ("greylist", "virus", "spam", "scan"):
            self.assertIn(f"{name}: generation 2\n", done.stdout)
        self.assertEqual(self.link("current-postfix"), 2)

    def test_a_milter_that_does_not_take_it_keeps_the_old_generation_in_force(self):
        self.configure("a.example")
        self.apply()
        self.daemon("greylist")
        self.daemon("spam", generation="1")
        self.configure("a.example", "b.example")
        done = self.apply(status=1)
        self.assertIn("spam: did not load generation 2", done.stderr)
        self.assertEqual((self.link(), self.link("current-postfix")), (1, 1))

    def test_generations_that_are_not_taken_do_not_add_up(self):
        def whole():
            return sorted(int(p.name) for p in (self.state / "generations").iterdir())

        for days in (1, 2, 3):
            self.configure("a.example", lines=[f'queue_lifetime = "{days}d"'])
            self.apply()
        daemon = self.daemon("spam", generation="3")
        self.configure("a.example", "b.example")
        for number in (4, 5, 6):
            self.apply(status=1)
            # Its number is not used again: another milter may have taken it.
            self.assertEqual(whole(), [1, 2, 3, number])
            self.assertEqual((self.link(), self.link("current-postfix")), (3, 3))
        daemon.generation = None
        self.apply()
        self.assertEqual(self.link(), 7)
        # They do not come between it and the one to go back to.
        self.mxfeed("rollback", "--no-postfix")
        self.assertEqual(self.source("relay_domains"), {"a.example": "feed"})

    def test_a_milter_that_runs_and_does_not_answer_keeps_the_old_generation_too(self):
        self.configure("a.example")
        self.apply()
        self.daemon("virus", answers=False)
        self.configure("a.example", "b.example")
        done = self.apply(status=1)
        self.assertIn("virus: is running but did not load generation 2: ask daemon: ", done.stderr)
        self.assertEqual((self.link(), self.link("current-postfix")), (1, 1))

    def test_a_daemon_that_is_gone_is_said_and_no_error(self):
        self.configure("a.example")
        daemon = self.daemon("virus")
        daemon.close()
        done = self.apply()
        self.assertRegex(done.stdout, r"virus: not running \(ask daemon: .*refused\)")
        self.assertEqual(self.link("current-postfix"), 1)

    def test_changed_look_ups_are_proved_through_the_link(self):
        self.configure("a.example")
        self.assertIn("postfix: 3 changed look-ups verified\n",
                      self.apply_with_postfix().stdout)
        self.configure("b.example", "a.example", lines=["subdomains = true"])
        self.assertIn("postfix: 6 changed look-ups verified\n",
                      self.apply_with_postfix().stdout)
        (self.postfix.directory / "postmap").write_text(
            "#!/bin/sh\nprintf 'a.example\\tsmtp:\\n'\n")
        self.configure("a.example", "c.example")
        done = self.apply_with_postfix(status=1)
        self.assertIn('transport: c.example: got "", want "mxfeed-soft:', done.stderr)

    def test_mail_for_a_domain_that_vanishes_is_put_off_for_a_while(self):
        self.write("mxfeed.toml", 'removal_grace = "2h"\n' + golden.MX)
        self.configure("a.example", "gone.example")
        self.apply()
        self.configure("a.example")
        done = self.apply("--diff")
        self.assertIn("- gone.example: vanished, new mail is put off; its queue is kept\n",
                      done.stdout)
        self.assertIn("gone.example", self.source("relay_domains"))
        self.assertEqual(self.source("transport")["gone.example"], KEPT)
        self.assertTrue(self.source("recipient_access")["gone.example"].startswith("450 4.3.2 "))
        self.assertIn("(unchanged)", self.apply().stdout)
        # After a rollback to where it was not there, too.
        self.configure("a.example", "gone.example")
        self.apply()
        self.mxfeed("rollback", "2", "--no-postfix")
        self.assertIn("gone.example", self.source("relay_domains"))
        # removal_grace has passed.
        self.configure("a.example")
        table = self.state / "current" / "domains.tsv"
        table.write_text(re.sub("\tgone\t[^\t]+", "\tgone\t2026-01-01T00:00:00Z",
                                table.read_text()))
        golden.write_sums(table.parent)
        self.assertIn("state gone -> kept", self.apply("--diff").stdout)
        self.assertNotIn("gone.example", self.source("relay_domains"))
        self.assertEqual(self.source("recipient_access"), {})

    def test_wrong_look_ups_bring_the_former_generation_back(self):
        self.configure("a.example")
        self.apply_with_postfix()
        daemon = self.daemon("virus")
        right = (self.postfix.directory / "postmap").read_text()
        (self.postfix.directory / "postmap").write_text(
            "#!/bin/sh\nprintf 'a.example\\tsmtp:\\n'\n")
        self.configure("a.example", "c.example")
        done = self.apply_with_postfix(status=1)
        self.assertIn("generation 1 is in force again\n", done.stderr)
        self.assertEqual((self.link(), self.link("current-postfix")), (1, 1))
        self.assertNotIn("c.example", self.source("transport"))
        # Forward, the milters first; back, Postfix first.
        self.assertEqual(daemon.seen[-2:], [("2", "1"), ("1", "1")])
        (self.postfix.directory / "postmap").write_text(right)
        self.assertIn("look-ups verified", self.apply_with_postfix().stdout)
        self.assertIn("c.example", self.source("transport"))

    # ... two at once, crashes

    def test_a_second_apply_at_once_is_told_to_try_later(self):
        self.configure("a.example")
        self.apply()
        with open(self.state / "apply.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = self.apply(status=75)
            self.assertIn("another mxfeed is making changes", done.stderr)
        self.apply()

    def test_a_crash_at_any_step_leaves_the_old_or_the_new_generation(self):
        self.configure("a.example", "gone.example")
        self.apply()
        start = self.state
        self.configure("a.example", "b.example")
        old = {"a.example": RELAY, "gone.example": RELAY}
        new = {"a.example": RELAY, "b.example": RELAY, "gone.example": KEPT}
        kills = 0
        killed = True
        while killed:
            kills += 1
            self.state = self.directory / f"state-{kills}"
            shutil.copytree(start, self.state, symlinks=True)
            done = self.run_mxfeed("apply", "--no-postfix", "--config", self.config,
                                   "--state", self.state,
                                   env={"LD_PRELOAD": str(golden.BUILD / "lib" / "kill_at.so"),
                                        "ASAN_OPTIONS": "verify_asan_link_order=0",
                                        "MXFEED_KILL_AT": str(kills)})
            killed = done.returncode == -9
            self.assertTrue(killed or done.returncode == 0, done.stderr)
            for link in ("current", "current-postfix"):
                self.assertIn(self.source("transport", link), (old, new))
                self.assertTrue((self.state / link / "policy.cdb").exists())
            # Postfix never has a domain that the milters do not know.
            self.assertGreaterEqual(self.link(), self.link("current-postfix"))
            if killed:
                self.apply()
            self.assertEqual(self.source("transport"), new)
            self.assertEqual(self.link(), self.link("current-postfix"))
            self.assertEqual([p.name for p in (self.state / "generations").iterdir()
                              if p.name.endswith(".partial")], [])
        self.assertGreater(kills, 20)


if __name__ == "__main__":
    unittest.main()
