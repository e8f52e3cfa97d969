# SPDX-License-Identifier: GPL-2.0-or-later
"""mxfeed-greylist as Postfix sees it: who waits, who does not, and what survives what."""

import json
import os
import sqlite3
import subprocess
import threading
import time
import unittest

import daemons
import fake_mta

SENDER = "news@sender.example"
TO = "info@acme.example"
MESSAGE = b"From: news@sender.example\r\nSubject: x\r\n\r\nbody\r\n"
SECOND = '{ when = "always", delay = "1s" }'
HOUR = '{ when = "always", delay = "1h" }'


class GreylistTest(daemons.TestCase):
    def setUp(self):
        super().setUp()
        self.database = self.state / "greylist" / "greylist.db"

    def configure(self, *domains, keys="", **settings):
        store = settings.pop("store", f'"sqlite:{self.database}"')
        lines = [f"{key} = {value}" for key, value in settings.items()]
        self.apply("".join(domains), f"{daemons.PLAIN_GREYLIST}store = {store}\n" + "\n".join(lines) + "\n",
                   keys)

    def begin(self, greylist=HOUR, **settings):
        self.configure(daemons.feed("acme.example", greylist=greylist), **settings)
        self.milter = self.start("greylist")

    def send(self, recipients=(TO,), sender=SENDER, **client):
        if isinstance(recipients, str):
            recipients = [recipients]
        with self.mta(self.milter, **client) as mta:
            result = mta.send(sender, recipients, MESSAGE)
        self.assertFalse(result.milter_failed, self.milter.log())
        return result

    def codes(self, *arguments, **client):
        return [reply.code for reply in self.send(*arguments, **client).recipients]

    def wait_until_passed(self, *arguments, **client):
        return self.eventually(lambda: self.codes(*arguments, **client)[0] == 250,
                               "the retry passes")

    def outcome(self, name):
        return self.milter.metric(f'mxfeed_greylist_recipients_total{{outcome="{name}"}}')

    def command(self, *arguments):
        return subprocess.run([daemons.program("mxfeed"), "greylist", *arguments], text=True,
                              capture_output=True, timeout=30, check=False)

    # Who waits.

    def test_an_unknown_sender_waits_and_is_then_known(self):
        self.begin(SECOND)
        first = self.send()
        self.assertEqual(first.recipients,
                         ["450 4.7.1 Greylisted, please try again in a few minutes"])
        self.wait_until_passed()
        self.assertEqual(self.codes(), [250])
        self.assertEqual(self.outcome("first-seen"), 1)
        self.assertEqual(self.outcome("passed"), 1)
        self.assertGreaterEqual(self.outcome("known"), 1)
        self.assertTrue(self.milter.log_lines("reason=greylist-first-seen",
                                              "client=198.51.100.7", f"from={SENDER}",
                                              f"rcpt={TO}", "domain=acme.example"))
        self.assertTrue(self.milter.log_lines("reason=greylist-passed"))

    def test_an_early_retry_is_deferred_and_says_how_long(self):
        self.begin()
        self.assertEqual(self.codes(), [450])
        self.assertEqual(self.codes(), [450])
        self.assertEqual(self.outcome("too-early"), 1)
        (line,) = self.milter.log_lines("reason=greylist-too-early")
        self.assertRegex(line, r" wait=3[56]\d\d$")

    def test_another_address_of_the_network_may_retry(self):
        self.begin(SECOND)
        self.assertEqual(self.codes(address="198.51.100.7"), [450])
        self.wait_until_passed(address="198.51.100.200")
        self.assertEqual(self.codes(address="198.51.101.7"), [450])

    def test_the_code_and_the_text_are_the_gateways(self):
        self.begin(code="451", text='"Come back later, 50% sure"')
        self.assertEqual(self.send().recipients, ["451 4.7.1 Come back later, 50% sure"])

    def test_the_null_sender_waits_at_data_so_that_call_outs_pass(self):
        self.begin(SECOND)
        first = self.send(sender="")
        self.assertEqual([reply.code for reply in first.recipients], [250])
        self.assertEqual(first.data, "450 4.7.1 Greylisted, please try again in a few minutes")
        self.eventually(lambda: self.send(sender="").accepted, "the retry passes")

    def test_a_changing_tag_in_the_sender_is_no_new_sender(self):
        self.begin(SECOND)
        self.assertEqual(self.codes(sender="prvs=0123456789=jane@sender.example"), [450])
        self.wait_until_passed(sender="prvs=9876abcdef=jane@sender.example")

    def test_with_suspicious_a_good_name_does_not_wait(self):
        self.begin('{ when = "suspicious" }')
        self.assertEqual(self.codes(name="mail.sender.example"), [250])
        self.assertEqual(self.codes(name="198-51-100-7.dyn.isp.example"), [450])
        self.assertEqual(self.codes(), [450])

    # One message, several recipients.

    def test_the_first_recipient_decides_for_the_message(self):
        self.begin(SECOND)
        self.assertEqual(self.codes([TO, "sales@acme.example"]), [450, 450])
        self.wait_until_passed()
        # Known now, so the rest is let through, and remembered as passed.
        self.assertEqual(self.codes([TO, "new@acme.example", "newer@acme.example"]), [250] * 3)
        self.assertEqual(self.codes("newer@acme.example"), [250])
        # First unknown: the known one waits with it.
        self.assertEqual(self.codes(["other@acme.example", TO]), [450, 450])
        self.assertEqual(self.codes(TO), [250])

    def test_exempt_recipients_neither_decide_nor_follow(self):
        self.configure(daemons.feed("acme.example", greylist=HOUR),
                       daemons.feed("open.example", greylist="false"))
        self.milter = self.start("greylist")
        self.assertEqual(self.codes(["a@open.example", TO, "b@open.example", "postmaster@acme.example"]),
                         [250, 450, 250, 250])

    # Who does not wait.

    def test_exempt_mail_is_let_through(self):
        self.configure(daemons.feed("acme.example", greylist=HOUR),
                       daemons.feed("open.example", greylist="false"),
                       daemons.feed("sub.example", greylist=HOUR, subdomains="true"),
                       keys='trusted_networks = ["203.0.113.0/24", "2001:db8:7::/48"]\n')
        self.milter = self.start("greylist")
        for recipient in ("a@elsewhere.example", "a@open.example", "postmaster@acme.example",
                          "Abuse@acme.example", "double-bounce@acme.example", "<postmaster>"):
            self.assertEqual(self.codes(recipient), [250], recipient)
        self.assertEqual(self.codes(address="203.0.113.77"), [250])
        self.assertEqual(self.codes(address="2001:db8:7::9"), [250])
        self.assertEqual(self.codes(address=None), [250])
        self.assertEqual(self.codes(macros={"{auth_authen}": "jane"}), [250])
        self.assertEqual(self.outcome("exempt"), 10)
        self.assertEqual(self.codes(), [450])
        self.assertEqual(self.codes("a@deep.sub.example"), [450])

    def test_a_list_allows_and_denies(self):
        self.configure(
            daemons.feed("acme.example", greylist='{ delay = "1h", deny = [".bulk.example"] }'),
            daemons.feed("open.example", greylist="false"),
            allow='["198.51.100.0/25", "mail.partner.example"]', deny='["198.51.100.200"]')
        self.milter = self.start("greylist")
        for client, to, code in (
                ({}, TO, 250),
                ({"address": "198.51.101.7"}, TO, 450),
                ({"address": "198.51.101.7", "name": "mail.partner.example"}, TO, 250),
                # The domain's list comes first.
                ({"name": "mx.bulk.example"}, TO, 450),
                ({"name": "mx.bulk.example"}, "a@open.example", 250),
                ({"address": "198.51.100.200"}, "a@open.example", 450),
                ({"address": "198.51.100.201"}, "a@open.example", 250),
                ({"address": "198.51.100.200"}, "postmaster@open.example", 250)):
            with self.subTest(client=client, to=to):
                self.assertEqual(self.codes(to, **client), [code])
        self.assertTrue(self.milter.log_lines("reason=greylist-allowed", "list=allow",
                                              "entry=198.51.100.0/25", "domain=acme.example"))
        self.assertTrue(self.milter.log_lines("reason=greylist-first-seen", "list=deny",
                                              "entry=.bulk.example"))

    def test_shadow_mode_only_tells(self):
        self.begin('{ when = "always", delay = "1h", shadow = true }')
        self.assertEqual(self.codes([TO, "sales@acme.example"]), [250, 250])
        self.assertEqual(len(self.milter.log_lines("reason=greylist-shadow")), 2)
        self.assertEqual(self.outcome("shadow"), 2)

    def test_before_the_first_apply_no_domain_is_ours(self):
        self.milter = self.start("greylist")
        self.assertEqual(self.codes(), [250])
        self.assertEqual(self.milter.status()["generation"], "0")
        self.assertFalse(self.database.exists())

    # The store.

    def test_a_restart_keeps_what_is_known(self):
        self.begin(SECOND)
        self.assertEqual(self.codes(), [450])
        self.wait_until_passed()
        self.codes("waiting@acme.example")
        self.milter.stop()
        self.configure(daemons.feed("acme.example", greylist=HOUR))
        self.milter.start()
        self.assertEqual(self.codes(), [250])
        self.assertEqual(self.codes("waiting@acme.example"), [450])
        self.assertEqual(self.outcome("too-early"), 1)

    def test_a_killed_daemon_has_lost_nothing(self):
        self.begin()
        self.assertEqual(self.codes(), [450])
        self.milter.kill()
        self.milter.start()
        self.assertEqual(self.codes(), [450])
        self.assertEqual(self.outcome("too-early"), 1)

    def test_mail_passes_without_a_store_until_it_is_there(self):
        place = self.directory / "place"
        place.write_text("a file where a directory is needed")
        self.begin(store=f'"sqlite:{place}/greylist.db"')
        self.assertEqual(self.codes([TO, "sales@acme.example"]), [250, 250])
        self.assertTrue(self.milter.log_lines("reason=greylist-store-fault"))
        self.assertTrue(self.milter.log_lines("event=greylist-store-fault", str(place)))
        self.assertGreaterEqual(self.milter.metric("mxfeed_greylist_store_faults_total"), 1)
        self.eventually(lambda: self.codes() == [250]
                        and self.milter.metric("mxfeed_greylist_store_resting") == 1,
                        "the store is left alone")
        self.assertEqual(self.milter.status()["store_state"], "resting")
        place.unlink()
        place.mkdir()
        self.eventually(lambda: self.codes() == [450], "the store is used again")
        self.assertEqual(self.milter.metric("mxfeed_greylist_store_resting"), 0)

    def test_a_locked_store_costs_little_time(self):
        self.begin()
        self.assertEqual(self.codes(), [450])
        with sqlite3.connect(self.database, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            for i in range(20):
                self.assertEqual(self.codes(f"r{i}@acme.example"), [450])
            self.assertLess(time.monotonic() - began, 5.0)
            # What cannot be written is known all the same.
            self.codes("r0@acme.example")
            self.assertEqual(self.outcome("too-early"), 1)
            self.assertEqual(self.outcome("store-fault"), 0)
            other.execute("ROLLBACK")

            def written():
                return other.execute("SELECT count(*) FROM records").fetchone()[0]
            self.eventually(lambda: written() == 21, "all are written")
        other.close()

    def test_a_damaged_store_is_put_aside(self):
        self.database.parent.mkdir()
        self.database.write_bytes(b"no database" * 1000)
        self.begin()
        self.assertEqual(self.codes(), [450])
        self.assertEqual(self.codes(), [450])
        self.assertEqual(self.outcome("too-early"), 1)
        aside = self.database.with_name("greylist.db.damaged")
        self.assertTrue(aside.read_bytes().startswith(b"no database"))
        self.assertEqual(self.milter.metric("mxfeed_greylist_store_damaged_total"), 1)
        self.assertTrue(self.milter.log_lines("event=greylist-store-damaged", str(aside)))

    def test_expired_records_are_swept(self):
        self.begin()
        self.codes()
        with sqlite3.connect(self.database) as other:
            other.execute("UPDATE records SET expires = 1")
        other.close()
        self.eventually(lambda: self.milter.metric("mxfeed_greylist_swept_total") == 1, "a sweep")

    def test_racing_first_tries_make_one_record(self):
        self.begin()
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.codes()))
                   for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [[450]] * 16)
        self.assertEqual(self.outcome("first-seen"), 1)
        self.assertEqual(self.outcome("too-early"), 15)

    # Policy and life.

    def test_an_apply_is_taken_up(self):
        self.begin()
        self.assertEqual(self.codes(), [450])
        self.configure(daemons.feed("acme.example", greylist="false"))
        self.eventually(lambda: self.codes() == [250], "the new policy")

    def swap(self, number):
        link = self.state / "new"
        link.symlink_to(f"generations/{number}")
        os.replace(link, self.state / "current")

    def test_a_swapped_link_is_noticed(self):
        self.begin()
        self.configure(daemons.feed("acme.example", greylist="false"))
        self.eventually(lambda: self.milter.status()["generation"] == "2", "generation 2")
        self.swap(1)
        self.eventually(lambda: self.milter.status()["generation"] == "1", "generation 1")
        self.assertEqual(self.codes(), [450])

    def test_a_signal_reloads_and_a_broken_policy_changes_nothing(self):
        self.begin()
        self.milter.reload()
        self.eventually(lambda: self.milter.log_lines("event=reload", "generation=1"), "a reload")
        broken = self.state / "generations" / "99"
        broken.mkdir()
        (broken / "policy.cdb").write_bytes(b"broken")
        self.swap(99)
        self.milter.reload()
        self.eventually(lambda: self.milter.log_lines("event=reload", "fault="), "a fault")
        self.assertEqual(self.milter.status()["generation"], "1")
        self.assertEqual(self.codes(), [450])

    def test_a_transaction_keeps_the_policy_it_began_with(self):
        self.begin()
        with self.mta(self.milter) as mta:
            mta.mail(SENDER)
            self.assertEqual(mta.rcpt(TO).code, 450)
            self.configure(daemons.feed("acme.example", greylist="false"))
            self.eventually(lambda: self.milter.status()["generation"] == "2", "generation 2")
            self.assertEqual(mta.rcpt("sales@acme.example").code, 450)
            mta.reset()
            self.assertEqual(mta.send(SENDER, [TO], MESSAGE).recipients[0].code, 250)

    def test_a_stop_lets_the_transaction_in_progress_end(self):
        self.begin("false")
        with self.mta(self.milter) as mta:
            mta.mail(SENDER)
            self.assertEqual(mta.rcpt(TO).code, 250)
            self.milter.signal(15)
            self.eventually(lambda: self.milter.log_lines("event=drain"), "the stop begins")
            with self.assertRaises(OSError):
                fake_mta.Wire(self.milter.socket)
            self.assertEqual(mta.rcpt("sales@acme.example").code, 250)
            self.assertEqual(mta.data().code, 354)
            self.assertTrue(mta.content(MESSAGE).accepted)
        self.milter.wait(0)

    # Commands.

    def test_list_shows_what_is_remembered_but_no_address(self):
        self.begin()
        self.codes()
        listed = self.command("list", "--state", str(self.state))
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertRegex(listed.stdout, r"network +198\.51\.100\.0/24 +acme\.example +waiting ")
        self.assertNotIn("news", listed.stdout)
        rows = json.loads(self.command("list", "--json", "--state", str(self.state)).stdout)
        self.assertEqual([(row["domain"], row["state"]) for row in rows],
                         [("acme.example", "waiting")])
        other = self.command("list", "--json", "--state", str(self.state), "other.example")
        self.assertEqual(json.loads(other.stdout), [])

    def test_why_explains(self):
        self.begin()
        def ask(*words):
            answer = self.command("why", "--state", str(self.state), *words)
            self.assertEqual(answer.returncode, 0, answer.stderr)
            return answer.stdout
        self.assertIn("now: deferred: first seen", ask("198.51.100.7", SENDER, TO))
        self.codes()
        told = ask("198.51.100.9", SENDER, TO)
        self.assertIn("records: network 198.51.100.0/24: waiting since", told)
        self.assertIn("now: deferred: too early by", told)
        asked = self.command("why", "--json", "--state", str(self.state), "198.51.100.9", SENDER, TO)
        answer = json.loads(asked.stdout)
        self.assertIs(answer["accepted"], False)
        self.assertGreater(answer["wait_seconds"], 0)
        self.assertEqual([record["state"] for record in answer["records"]], ["waiting"])
        self.assertIn("exempt (postmaster)", ask("198.51.100.7", "<>", "postmaster@acme.example"))
        self.assertIn("exempt (foreign-domain)", ask("198.51.100.7", "<>", "a@b.example"))
        self.assertEqual(self.command("why", "nonsense").returncode, 2)
        self.assertEqual(self.command("list", "--nonsense").returncode, 2)

    def test_why_names_the_entry_that_decides(self):
        self.configure(
            daemons.feed("acme.example", greylist='{ delay = "1h", deny = [".bulk.example"] }'),
            daemons.feed("open.example", greylist="false"),
            allow='["198.51.100.0/25"]', deny='["198.51.100.200"]')
        self.milter = self.start("greylist")

        def ask(ip, to, *words):
            done = self.command("why", "--json", "--state", str(self.state), *words, ip, SENDER, to)
            answer = json.loads(done.stdout)
            told = self.command("why", "--state", str(self.state), *words, ip, SENDER, to).stdout
            return answer["list"], answer["accepted"], told

        found, accepted, told = ask("198.51.100.7", TO)
        self.assertEqual(found, {"list": "allow", "entry": "198.51.100.0/25", "of": None})
        self.assertIs(accepted, True)
        self.assertIn("list: allow of the gateway: 198.51.100.0/25\n", told)
        self.assertIn("now: accepted: exempt (allowed)\n", told)
        found, accepted, told = ask("198.51.100.7", TO, "--name", "mx.bulk.example")
        self.assertEqual(found, {"list": "deny", "entry": ".bulk.example", "of": "acme.example"})
        self.assertIs(accepted, False)
        self.assertIn("list: deny of acme.example: .bulk.example\n", told)
        self.assertIn("now: deferred: first seen", told)
        found, accepted, told = ask("198.51.100.200", "a@open.example")
        self.assertEqual((found["list"], accepted), ("deny", False))
        found, accepted, told = ask("198.51.100.201", "a@open.example")
        self.assertEqual((found, accepted), (None, True))
        self.assertNotIn("list:", told)

    def test_release_lets_in_who_waits_and_forget_makes_it_wait_again(self):
        self.begin()
        def say(command):
            done = self.command(command, "--state", str(self.state), "198.51.100.7", SENDER, TO)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        self.assertEqual(self.codes(), [450])
        self.assertEqual(say("release"), "released: network 198.51.100.0/24\n")
        self.assertEqual(self.codes(), [250])
        self.assertEqual(say("forget"), "forgotten: network 198.51.100.0/24\n")
        self.assertEqual(self.codes(), [450])
        self.assertEqual(self.outcome("first-seen"), 2)
        unknown = self.command("release", "--state", str(self.state), "198.51.100.7", SENDER,
                               "a@elsewhere.example")
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("not a configured domain", unknown.stderr)

    def test_stats_count_what_is_remembered(self):
        self.begin()
        self.codes([TO, "sales@acme.example"])
        told = self.command("stats", "--json", "--state", str(self.state))
        self.assertEqual(json.loads(told.stdout),
                         [{"state": "waiting", "identity": "network", "records": "2"}])

    def test_why_finds_a_recipient_in_the_spelling_of_the_log(self):
        self.configure(daemons.feed("bücher.example", greylist=HOUR, subdomains="true"))
        self.milter = self.start("greylist")
        for to in ("info@bücher.example", "info@xn--bcher-kva.example", "info@☃.bücher.example"):
            self.assertEqual(self.codes(to), [450], to)
            told = self.command("why", "--state", str(self.state), "198.51.100.7", SENDER, to)
            self.assertIn("records: network 198.51.100.0/24: waiting since", told.stdout, told.stderr)

    def test_without_the_daemon_the_command_says_so_and_makes_no_files(self):
        self.configure(daemons.feed("acme.example"))
        answer = self.command("list", "--state", str(self.state))
        self.assertEqual((answer.returncode, answer.stderr),
                         (1, "mxfeed-greylist is not installed\n"))
        self.assertFalse((self.state / "greylist").exists())

    def test_a_store_that_cannot_be_read_is_try_later(self):
        self.configure(daemons.feed("acme.example"))
        (self.state / "greylist").mkdir()
        answer = self.command("list", "--state", str(self.state))
        self.assertEqual(answer.returncode, 75)
        self.assertIn("greylist.db", answer.stderr)
        self.assertEqual(list((self.state / "greylist").iterdir()), [])

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_run_by_root_the_command_becomes_the_owner_of_the_data(self):
        self.configure(daemons.feed("acme.example"))
        data = self.state / "greylist"
        data.mkdir()
        self.directory.chmod(0o755)
        # Root could read it; the owner cannot.
        self.database.write_bytes(b"")
        self.database.chmod(0o600)
        os.chown(data, 65534, 65534)
        answer = self.command("list", "--state", str(self.state))
        self.assertEqual(answer.returncode, 75)
        self.assertIn("unable to open", answer.stderr)


if __name__ == "__main__":
    daemons.main()
