# SPDX-License-Identifier: GPL-2.0-or-later
"""Stored state: what another version wrote is read, what it does not know is kept, and what
is damaged is written anew from the configuration and the newest sound generation."""

import itertools
import json
import shutil
import unittest

import golden
from golden import feed

KEPT = "retry:4.3.5 domain is no longer relayed here"
REFUSED = "error:5.7.1 domain is not relayed here"


def relay(address, transport="mxfeed-soft"):
    return f"{transport}:[203.0.113.{address}]:25"


class EarlierTest(golden.TestCase):
    """The state of version 0.1.0."""

    def setUp(self):
        super().setUp()
        earlier = golden.HERE / "earlier" / "0.1.0"
        shutil.rmtree(self.config)
        shutil.copytree(earlier / "config", self.config)
        shutil.copytree(earlier / "state", self.state, symlinks=True)
        self.rows = self.source("transport", has_ever=False)

    def test_apply_keeps_what_was_kept_and_refused(self):
        self.assertIn("6 domains relayed, 2 kept", self.apply().stdout)
        self.assertEqual(self.link(), 3)
        rows = {key: row.replace("relay:", "mxfeed-soft:").replace("relaysoft:", "mxfeed-soft:")
                for key, row in self.rows.items()}
        self.assertEqual(self.source("transport"), rows)
        self.assertEqual(self.rows[".below.example"], KEPT)
        self.assertEqual(self.rows["gone.example"], KEPT)
        self.assertEqual(self.rows["never.family.example"], REFUSED)
        table = (self.state / "current" / "domains.tsv").read_text()
        self.assertIn("gone.example\tfeed\tkept\tnone\t4d\t", table)
        self.assertIn("below.example\tfeed\tactive\tkept\t2d\t", table)
        # From now on it is of this version.
        self.assertIn("(unchanged)", self.apply().stdout)

    def test_rollback_over_it(self):
        done = self.mxfeed("rollback", "--no-postfix")
        self.assertIn("no longer relayed: paused.example", done.stdout)
        rows = self.source("transport")
        # It has no rule of refusals: as it was.
        self.assertEqual(rows["gone.example"], relay(10, "mxfeed-relay"))
        self.assertEqual(rows[".below.example"], relay(9, "mxfeed-relay"))
        self.assertEqual(rows["paused.example"], KEPT)
        self.mxfeed("rollback", "2", "--no-postfix")
        rows = self.source("transport")
        self.assertEqual(rows["gone.example"], KEPT)
        self.assertEqual(rows["paused.example"], self.rows["paused.example"])

    def test_generations_lists_it(self):
        listed = json.loads(self.mxfeed("generations", "--json").stdout)
        self.assertEqual([(one["generation"], one["domains"], one["milters"])
                          for one in listed], [(1, 6, False), (2, 6, True)])


class LaterTest(golden.TestCase):
    """State of a later version: fields that this one does not know."""

    def add_later_fields(self, number):
        generation = self.state / "generations" / str(number)
        lines = (generation / "domains.tsv").read_text().splitlines()
        rows = [f"{line}\t{'later' if i == 0 else line.split(chr(9))[0] + '!'}"
                for i, line in enumerate(lines)]
        # The columns may stand in another order.
        rows = ["\t".join(reversed(row.split("\t"))) for row in rows]
        (generation / "domains.tsv").write_text("\n".join(rows) + "\n")
        meta = (generation / "meta").read_text()
        (generation / "meta").write_text("purpose: a test: of more\n" + meta)
        golden.write_sums(generation)

    def later_fields(self):
        lines = (self.state / "current" / "domains.tsv").read_text().splitlines()
        names = lines[0].split("\t")
        if "later" not in names:
            return {}
        at = names.index("later")
        return {line.split("\t")[0]: line.split("\t")[at] for line in lines[1:]}

    def test_they_survive_apply_and_rollback(self):
        self.write("domains.d/all.toml", feed("a.example") + feed("b.example"))
        self.apply()
        self.add_later_fields(1)
        done = self.apply()
        self.assertIn("(unchanged)", done.stdout)
        self.assertEqual(done.stderr, "")
        self.write("domains.d/all.toml", feed("a.example", 'state = "paused"') +
                   feed("c.example"))
        self.apply()
        self.assertEqual(self.link(), 2)
        kept = {"a.example": "a.example!", "b.example": "b.example!", "c.example": ""}
        self.assertEqual(self.later_fields(), kept)
        self.assertIn("purpose: a test: of more\n",
                      (self.state / "current" / "meta").read_text())
        self.write("domains.d/all.toml", feed("a.example"))
        self.apply()
        self.mxfeed("rollback", "1", "--no-postfix")
        self.assertEqual(self.link(), 4)
        self.assertEqual(self.source("transport")["b.example"], relay(7))
        self.assertEqual(self.later_fields(), kept)
        self.assertIn("purpose: a test: of more\n",
                      (self.state / "current" / "meta").read_text())

    def test_missing_fields_have_defaults(self):
        self.write("domains.d/all.toml", feed("a.example") + feed("b.example"))
        self.apply()
        generation = self.state / "generations" / "1"
        (generation / "domains.tsv").write_text("domain\na.example\nb.example\n")
        (generation / "meta").write_text("generation: 1\n")
        golden.write_sums(generation)
        self.write("domains.d/all.toml", feed("a.example"))
        done = self.apply()
        self.assertNotIn("warning", done.stderr)
        self.assertEqual(self.source("transport"), {"a.example": relay(7), "b.example": KEPT})


FILES = ("policy.cdb", "domains.tsv", "meta", "main.cf", "master.cf", "transport",
         "transport.cdb", "relay_domains", "relay_domains.cdb", "relay_recipients",
         "relay_recipients.cdb", "relay_recipients.regexp", "sums")


def truncated(share):
    def damage(path):
        content = path.read_bytes()
        path.write_bytes(content[:int(len(content) * share)])
    return damage


def flipped(share):
    def damage(path):
        content = bytearray(path.read_bytes())
        at = min(int(len(content) * share), len(content) - 1)
        content[at] ^= 0x04
        path.write_bytes(bytes(content))
    return damage


DAMAGES = {
    "removed": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "half": truncated(0.5),
    "all but its end": truncated(0.97),
    "first byte": flipped(0),
    "a bit in the middle": flipped(0.6),
    "last byte": flipped(1),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "more behind it": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "text": lambda path: path.write_text("rubbish\n"),
}


class DamagedTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        # b.example is removed and kept in 2; 3 is in force.
        self.write("domains.d/all.toml", feed("a.example") + feed("b.example"))
        self.apply()
        self.write("domains.d/all.toml", feed("a.example"))
        self.apply()
        self.write("domains.d/all.toml", feed("a.example", 'state = "paused"'))
        self.apply()
        self.rows = self.source("transport")
        self.assertEqual(self.rows["b.example"], KEPT)
        self.sound = self.state

    def damaged(self, name):
        """A copy of the state to be damaged."""
        self.state = self.directory / f"state-{name}".replace(" ", "-")
        shutil.copytree(self.sound, self.state, symlinks=True)
        return self.state / "generations" / "3"

    def check_state(self, number, rows):
        self.assertEqual((self.link(), self.link("current-postfix")), (number, number))
        self.assertEqual(self.source("transport"), rows)
        self.assertIn("(unchanged)", self.apply().stdout)

    def test_apply_writes_what_is_in_force_anew(self):
        for name, (how, damage) in itertools.product(FILES, DAMAGES.items()):
            with self.subTest(f"{name}: {how}"):
                damage(self.damaged(f"{name} {how}") / name)
                done = self.apply()
                if (name, how) == ("sums", "removed"):
                    # As in version 0.1.0.
                    self.assertEqual(done.stderr, "")
                else:
                    # Damaged sums may tell of any file.
                    self.assertIn(f"generations/3/{name if name != 'sums' else ''}",
                                  done.stderr)
                    self.assertIn("the generation in force is damaged: writing a new one", done.stderr)
                self.check_state(4, self.rows)
                shutil.rmtree(self.state)

    def test_rollback_leads_out_too(self):
        for name, (how, damage) in itertools.product(FILES, DAMAGES.items()):
            with self.subTest(f"{name}: {how}"):
                damage(self.damaged(f"{name} {how}") / name)
                self.mxfeed("rollback", "--no-postfix")
                self.assertEqual(self.link(), 4)
                self.assertEqual(self.source("transport"),
                                 {"a.example": relay(7), "b.example": KEPT})
                shutil.rmtree(self.state)

    def test_links_that_lead_nowhere(self):
        for link in ("current", "current-postfix"):
            for how, target in (("gone", None), ("missing", "generations/77"),
                                ("elsewhere", "../elsewhere")):
                with self.subTest(f"{link} {how}"):
                    self.damaged(f"{link} {how}")
                    (self.state / link).unlink()
                    if target:
                        (self.state / link).symlink_to(target)
                    self.apply()
                    self.assertEqual(self.source("transport"), self.rows)
                    self.assertEqual(self.link(), self.link("current-postfix"))
                    shutil.rmtree(self.state)

    def test_what_is_damaged_is_gone_back_over(self):
        self.damaged("two")
        for number in (2, 3):
            (self.state / "generations" / str(number) / "policy.cdb").write_text("x")
        done = self.mxfeed("rollback", "--no-postfix")
        self.assertIn("back to generation 1\n", done.stdout)
        self.assertEqual(self.source("transport"), {name: relay(7) for name in
                                                    ("a.example", "b.example")})

    def test_removed_domains_are_kept_as_the_newest_sound_generation_has_them(self):
        self.damaged("two")
        for number in (2, 3):
            (self.state / "generations" / str(number) / "domains.tsv").write_text("x")
        done = self.apply()
        self.assertIn("generation 1 is the newest undamaged one", done.stderr)
        self.check_state(4, self.rows)

    def test_nothing_sound_is_left(self):
        self.damaged("all")
        for number in (1, 2, 3):
            (self.state / "generations" / str(number) / "domains.tsv").write_text("x")
        done = self.apply()
        self.assertIn("no undamaged generation is left", done.stderr)
        self.check_state(4, {"a.example": self.rows["a.example"]})


if __name__ == "__main__":
    unittest.main()
