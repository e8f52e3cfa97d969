# SPDX-License-Identifier: GPL-2.0-or-later
"""No spelling of a recipient leads past the policy of the domain that Postfix delivers to.

Thousands of generated addresses, most of them odd, go through Postfix and all milters.  Each
domain has a server, a spam header and a greylist log of its own, so that for every recipient
that Postfix accepts four answers can be compared: which server got it, and which domain's
policy the greylist, the virus and the spam milter applied.  Nothing goes to strangers.
"""

import collections
import random
import re
import unicodedata

import rig

LONG = ".".join(["l" * 63, "o" * 63, "n" * 40, "long.example"])

# (name, is it for subdomains too): the index is the policy's.
DOMAINS = [
    ("plain.example", False),
    ("subs.example", True),
    ("own.subs.example", False),
    ("deep.own.subs.example", True),
    ("bücher.example", True),
    ("münchen.bücher.example", False),
    ("strasse.example", True),  # what Postfix makes of straße.example
    ("straße.example", True),
    ("kiosk.example", True),
    ("firma.example", True),
    ("x_y.example", True),
    (LONG, True),
]
GATEWAY_NAME = "mx1.gateway.example"
MESSAGE = rig.mail("odd", f"Hello,\n\n{rig.GTUBE}\n")
TOKEN = re.compile(r"r(\d{5})z")


def server_of(policy):
    return f"203.0.113.{10 + policy}"


def rules(policy):
    """Spam gets a field that names the policy; so each domain is a content class of its own."""
    return (f'  [domain.spam]\n  enabled = true\n'
            f'  high = {{ action = "header", text = "X-Policy: {policy}" }}\n')


def a_label(label):
    """Python's own codec is of IDNA2003, which knows no sharp s."""
    if label.isascii() or any("\ud800" <= c <= "\udfff" for c in label):
        return label
    return "xn--" + unicodedata.normalize("NFC", label.lower()).encode("punycode").decode()


def a_labels(name):
    return ".".join(map(a_label, name.split(".")))


class Generator:
    """Addresses from a seed.  Each has a token of its own, by which it is recognised."""

    LABELS = [
        # ... of letters, digits and hyphens, or nearly
        "mail", "MAIL", "x", "_dmarc", "_", "a_b", "-x", "x-", "-", "1", "2130706433", "0x7f",
        "a" * 62, "a" * 63, "a" * 64, "own", "OWN", "deep", "xn--mnchen-3ya", "XN--MNCHEN-3YA",
        "xn--", "xn--a", "xn--zzz", "xn--ls8h", "xn--n3h", "xn--strae-oqa", "xn--mnchen-",
        # ... characters that have a meaning somewhere
        "x y", "x/y", "x+y", "x=y", "x:25", "x;y", "x,y", "x%y", "x!y", "x'y", "x#y", "*", "[x]",
        '"x"', '"x y"', '"x.y"', "x(c)", "(c)x", "\\x", "x\\.y", "<x>", "", "\x01", "\x7f", "\t",
        # ... U-labels, and what is none
        "bücher", "BÜCHER", "bu\u0308cher", "münchen", "MÜNCHEN", "mu\u0308nchen", "straße",
        "STRAẞE", "οδός", "ΟΔΟΣ", "пример", "ПРИМЕР", "例え", "שלום", "مثال", "İ", "ı", "ﬁ", "ŉ",
        "☃", "😀", "👩\u200d💻", "क्\u200dष", "¾", "ｏｗｎ", "ＯＷＮ", "o\u00adwn", "own\u3002x", "x\uff0ey",
        "\u202eown", "\u2028", "\u0301", "\ufeff", "\u0378", "é" * 50, "☃" * 40, "\U00010300" * 50,
        # ... not UTF-8
        "\udcff", "m\udcfcnchen", "\udcc3", "\udced\udca0\udc80",
    ]
    # What Postfix folds to ASCII.
    FOLDED = {"ss": "ß", "s": "ſ", "k": "\u212a", "fi": "ﬁ", "st": "ﬆ"}

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._count = 0

    def address(self, name):
        """One for the domain, or for one below it, or for what looks like it."""
        self._count += 1
        token = f"r{self._count:05}z"
        domain = self._spelling(self._below(name))
        pick = self._random.random()
        if pick < 0.6:
            return f"{self._local(token)}@{domain}"
        return self._random.choice([
            f"{token}%{domain}@{GATEWAY_NAME}",
            f"{token}%{domain}",
            f"{domain}!{token}",
            f"{domain}!{token}@{GATEWAY_NAME}",
            f"{token}%{domain}%{GATEWAY_NAME}@{GATEWAY_NAME}",
            f"@{GATEWAY_NAME}:{token}@{domain}",
            f"@a.example,@b.example:{token}@{domain}",
            f'"{token}@{domain}"@{GATEWAY_NAME}',
            f'"{token}%{domain}"@{GATEWAY_NAME}',
            f"{token}@{domain}@{GATEWAY_NAME}",
            f"<{token}@{domain}>",
            f"phrase <{token}@{domain}>",
            f"{token}@{domain} (comment)",
            f"{token} @ {domain}",
            f"{token}@(c){domain}",
            f"{token}@{domain},{token}@stranger.example",
            # Relaying for strangers is what these ask for.
            f"{token}%stranger.example@{domain}",
            f"{token}@stranger.example@{domain}",
            f'"{token}@stranger.example"@{domain}',
            f"stranger.example!{token}@{domain}",
            f"@{domain}:{token}@stranger.example",
            f"{token}%{domain}@stranger.example",
            f'"{token}@{domain}"@stranger.example',
            f"{token}@stranger.example",
            f"{token}@{domain}.stranger.example",
            f"{token}@stranger.example(@{domain}",
            f"{token}@[{rig.STRANGER}]",
            f"{token}@[{rig.GATEWAY}]",
            f"{token}@{rig.STRANGER}",
        ])

    def _below(self, name):
        pick = self._random.random()
        if pick < 0.3:
            return name
        if pick < 0.4:  # about as long as a name may be
            want = self._random.choice([252, 253, 254, 255, 256, 300, 600]) - len(name) - 1
            fill = "n" * max(want, 1)
            return f"{'.'.join(fill[i:i + 60] for i in range(0, len(fill), 61))}.{name}"
        count = self._random.choice([1, 1, 1, 2, 2, 3, 40])
        return ".".join([*(self._random.choice(self.LABELS) for _ in range(count)), name])

    def _spelling(self, domain):
        pick = self._random.random()
        if pick < 0.3:
            return domain
        if pick < 0.6:
            return a_labels(domain)
        return self._random.choice([
            str.upper, str.title, str.swapcase,
            lambda d: d + ".", lambda d: d + "..", lambda d: d.replace(".", "..", 1),
            lambda d: d.replace("example", "ex\\ample"), lambda d: d + "(c)",
            lambda d: d.replace(".", " . "), lambda d: d.replace(".", "。"),
            lambda d: unicodedata.normalize("NFD", d),
            lambda d: "".join(chr(ord(c) + 0xfee0) if c.isalpha() and c.isascii() else c
                              for c in d),
            self._some_a_labels, self._some_a_labels, self._folded, self._folded,
        ])(domain)

    def _some_a_labels(self, domain):
        return ".".join(a_label(label) if self._random.random() < 0.7 else label
                        for label in domain.split("."))

    def _folded(self, domain):
        for plain, other in self.FOLDED.items():
            if self._random.random() < 0.5:
                domain = domain.replace(plain, other)
        return domain

    def _local(self, token):
        return self._random.choice([token] * 8 + [
            f'"{token}"', f'"{token} x"', f'"x@{token}"', f'"\\{token}"', f"{token}+x", f"ü{token}",
            f"{token}(c)", f"{token}.", f"..{token}", f"{token}{'x' * 100}", f"{token}{'x' * 500}",
            f'"{token}"."x"', f"{token}\udcff"])


class OddRecipients:
    """What holds with SMTPUTF8 and without it."""

    domains = "".join(
        rig.feed(name, *(["subdomains = true"] if subdomains else []),
                 "greylist = { shadow = true }", deliver_to=(server_of(policy),),
                 tables=rules(policy))
        for policy, (name, subdomains) in enumerate(DOMAINS))
    count = 4320
    batch = 60
    options = ("",)  # of MAIL, in turn

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sinks = [cls.sink(server_of(policy)) for policy in range(len(DOMAINS))]
        cls.stranger = cls.sink(rig.STRANGER)

    def setUp(self):
        super().setUp()
        for sink in (*self.sinks, self.stranger):
            sink.clear()

    def test_no_spelling_leads_past_policy(self):
        accepted, refused = {}, {}
        generate = Generator(seed=6)
        for i in range(self.count // self.batch):
            name = DOMAINS[i % len(DOMAINS)][0]
            batch = [generate.address(name) for _ in range(self.batch)]
            replies = self.serve(batch, self.options[i // len(DOMAINS) % len(self.options)])
            for address, reply in replies.items():
                (accepted if reply.positive else refused)[token_of(address)] = address
        self.assertEqual(len(accepted) + len(refused), self.count)

        got = self.deliveries(len(accepted))
        self.at_rest()
        self.assertEqual(self.gateway.postfix.queue(), [])
        self.assertEqual([d.recipients for d in self.stranger.received()], [])
        self.assertEqual(set(got), set(accepted))
        for milter, seen in (("greylist", self.greylist()), ("virus", self.virus(got)),
                             ("spam", {token: one.spam for token, one in got.items()})):
            past = {accepted[token]: (DOMAINS[one.policy][0], seen.get(token))
                    for token, one in got.items() if seen.get(token) != one.policy}
            self.assertEqual(list(past.items())[:10], [],
                             f"{len(past)} of {len(got)} past the policy of mxfeed-{milter}")

        # The check is worth something: each domain got many, in many spellings.
        each = collections.Counter(one.policy for one in got.values())
        self.assertEqual(len(each), len(DOMAINS), each)
        self.assertGreater(min(each.values()), 15, each)
        self.assertGreater(len(accepted), 1000)
        self.assertGreater(len(refused), 1000)

    def serve(self, batch, options):
        """{address: its reply}: those put off by the gate are brought again."""
        replies = {}
        with self.session() as session:
            while waiting := [a for a in batch if a not in replies]:
                self.assertEqual(
                    session.command(f"MAIL FROM:<anna@sender.example>{options}").code, 250)
                taken = 0
                for address in waiting:
                    reply = session.command(
                        f"RCPT TO:<{address}>".encode("utf-8", "surrogateescape"))
                    if reply.enhanced == "4.5.3":
                        continue
                    self.assertFalse(reply.temporary, f"{address!a}: {reply}")
                    replies[address] = reply
                    taken += reply.positive
                if not taken:
                    session.command("RSET")
                    continue
                self.assertEqual(session.command("DATA").code, 354)
                session.command(MESSAGE + b".")
        return replies

    def deliveries(self, count):
        """{token: what its server got}."""
        got = {}

        def complete():
            got.clear()
            for policy, sink in enumerate(self.sinks):
                for delivery in sink.received():
                    for recipient in delivery.recipients:
                        got[token_of(recipient)] = Got(policy, delivery)
            return len(got) >= count

        rig.eventually(complete, "all accepted recipients served", seconds=60)
        return got

    def greylist(self):
        """{token: policy}, as logged for each recipient."""
        return {token_of(rcpt): policy_of(domain) for rcpt, domain in
                self.logged("greylist", r"event=rcpt .* rcpt=(.*?) domain=(\S+)")}

    def virus(self, got):
        """{token: policy}, as logged for each message."""
        by_queue_id = dict(self.logged("virus", r"queue=(\S+) .*event=end .* domain=(\S+)"))
        return {token: policy_of(by_queue_id.get(one.queue_id)) for token, one in got.items()}

    def logged(self, milter, pattern):
        log = self.gateway.logs / f"{milter}.log"
        return re.findall(pattern, log.read_text(errors="replace"))


class Got:
    """A message for a recipient, as the server of a policy got it."""

    def __init__(self, policy, delivery):
        self.policy = policy
        named = [int(value) for value in delivery.header("X-Policy")]
        self.spam = named[0] if len(named) == 1 else None
        received = delivery.header("Received")[0].decode()
        self.queue_id = re.search(r"\bid (\w+)", received).group(1)


def token_of(text):
    return TOKEN.search(text).group(1)


def policy_of(name):
    return next((policy for policy, (one, _) in enumerate(DOMAINS) if a_labels(one) == name), None)


class WithSmtputf8Test(OddRecipients, rig.TestCase):
    gateway_settings = "[postfix]\nsmtputf8 = true\n"
    options = (" SMTPUTF8", "", " SMTPUTF8")

    def test_smtputf8_is_offered_and_passed_on(self):
        with self.session() as session:
            self.assertIn("SMTPUTF8", session.hello.text.split())
            for recipient in ("info@bücher.example", "info@x.BÜCHER.example",
                              "info@xn--bcher-kva.example", "ü@plain.example"):
                outcome = session.send("anna@sender.example", [recipient], rig.mail("Grüße"),
                                       " SMTPUTF8")
                self.assertEqual(outcome.accepted, [recipient], outcome.last)
                sink = self.sinks[0 if "plain" in recipient else 4]
                sink.wait_for(lambda: sink.received(recipient), recipient)
                self.assertIn("SMTPUTF8", sink.received(recipient)[0].options)


class WithoutSmtputf8Test(OddRecipients, rig.TestCase):
    def test_what_cannot_be_delivered_is_not_taken(self):
        server = self.sinks[0]
        server.extensions = ("PIPELINING", "8BITMIME")
        message = rig.mail("Grüße")
        with self.session() as session:
            self.assertNotIn("SMTPUTF8", session.hello.text.split())
            outcome = session.send("anna@sender.example", ["info@plain.example"], message,
                                   " SMTPUTF8")
            self.assertEqual((outcome.mail.code, outcome.mail.enhanced), (555, "5.5.4"))
            # Without the parameter it is ordinary mail, and arrives as it is.
            outcome = session.send("anna@sender.example", ["info@plain.example"], message,
                                   " BODY=8BITMIME")
            self.assertTrue(outcome.accepted, outcome.last)
        (delivery,) = server.wait_for_count(1)
        self.assertEqual(delivery.options, ("BODY=8BITMIME",))
        self.assertEqual(delivery.header("Subject"), [" Grüße".encode()])
        self.assertEqual(self.gateway.postfix.log_lines("status=bounced"), [])


if __name__ == "__main__":
    rig.main()
