# SPDX-License-Identifier: GPL-2.0-or-later
"""The senders that a gateway sees: (seed, days) -> messages, each with the attempts that its
sender would make.  Pure; the same seed gives the same messages.

Where the parameters come from:
  when senders try again          greylist_schedules.py, each with its source
  pools of Gmail, Yahoo, GMX ...  [Pagani] (addresses used in one delivery); postgrey issues
                                  20, 45, 49, 50, 57, 67, 86, 90, 107: deliveries that took 15
                                  and more addresses; SPF records of the providers
  names of the pools              as the providers have them, because postgrey's list of
                                  clients, as Debian ships it, exempts some by name
  shapes of tokens                draft-levine-smtp-batv (prvs=), SRS (Shevek, 2004), Mailman
                                  and ezmlm (recipient in the sender), Amazon SES, SendGrid,
                                  Mailchimp, Mailgun, as in their envelope senders
  bots that never try again       [Pagani]: Cutwail, 47 % of the samples, does not; Kelihos,
                                  36 %, does after minutes
  names of bots                   SANS 33008 (Koster, 2009): zombies are known by generic names
  snowshoe, SPF of spammers       poolp filter-spfgreylist pull request 4: spammers publish SPF
  one-time codes                  docker-mailserver 3215, 2040, fxa 2063, mox 144
  call-outs                       milter-greylist(8), "Sender callback systems"
  spam : legitimate               4 : 1 before any filter, with unknown users, block lists and
                                  local mail already gone (MAAWG's metrics say more)
Shares and sizes without a source are judgement, fixed before a decision was measured with them.

Addresses are only names here, nothing is sent to them.
"""

import dataclasses
import random
import string
import uuid

import greylist_schedules as schedules

START = 1_767_571_200  # Monday, 2026-01-05 00:00 UTC
DAY = 86_400

# Legitimate messages a day, except lists and newsletters, which follow from their subscribers.
LEGITIMATE = {
    "company server": 110, "company at a pool": 85, "freemail": 70, "stranger": 25,
    "pool with names": 18, "pool, bare": 8, "IPv6": 14, "forwarded": 14,
    "several recipients": 12, "one-time code": 30, "bounce": 9, "call-out": 10,
}
OFFICE_HOURS = [1] * 6 + [3, 8, 14, 16, 16, 14, 11, 13, 15, 14, 12, 8, 5, 4, 4, 3, 2, 1]
TEMPERROR = 0.01  # of the SPF checks: DNS does not answer


@dataclasses.dataclass(slots=True)
class Message:
    kind: str
    legitimate: bool
    start: int
    sender: str       # "" is the null sender
    recipients: list
    spf_domain: str   # the sender's, or of the HELO name with the null sender
    attempts: list    # (offset in s, address, confirmed name or "", SPF result)
    callout: bool = False  # RCPT, then QUIT


@dataclasses.dataclass(slots=True, eq=False)
class Host:
    """A mail service: one server, or a pool of which each attempt takes any."""
    domain: str
    clients: list     # (address, name)
    spf: str
    schedule: object
    one_client: bool = False  # a pool that keeps a message with one client

    def attempts(self, rng):
        client, made = rng.choice(self.clients), []
        for offset in self.schedule(rng):
            if not self.one_client:
                client = rng.choice(self.clients)
            spf = self.spf
            if spf != "none" and rng.random() < TEMPERROR:
                spf = "temperror"
            made.append((offset, *client, spf))
        return made


class Zipf:
    """Chooses few often and many seldom."""

    def __init__(self, items, power=0.9):
        self.items, total, self.cumulated = list(items), 0, []
        for rank in range(1, len(self.items) + 1):
            total += rank ** -power
            self.cumulated.append(total)

    def choose(self, rng):
        return rng.choices(self.items, cum_weights=self.cumulated)[0]


class Network:
    """Hands out IPv4 /24 and IPv6 /48 networks, each once."""

    def __init__(self):
        self.used = 0

    def ipv4(self):
        self.used += 1
        return f"{20 + self.used // 65_536}.{self.used // 256 % 256}.{self.used % 256}"

    def ipv6(self):
        self.used += 1
        return f"2a10:{self.used // 65_536:x}:{self.used % 65_536:x}"


def addresses(rng, networks, count, networks_used=None):
    """`count` addresses in as many /24, or in the fewer that are given."""
    chosen = [networks.ipv4() for _ in range(networks_used or count)]
    hosts = rng.sample(range(2, 250), min(count, 200))
    return [f"{chosen[n % len(chosen)]}.{hosts[n % len(hosts)]}" for n in range(count)]


@dataclasses.dataclass(slots=True, eq=False)
class Person:
    sender: str
    host: Host
    contacts: list


class World:
    def __init__(self, seed, days):
        self.seed, self.days = seed, days
        self.networks = Network()
        rng = self.rng("recipients")
        domains = Zipf([f"kunde{n}.example" for n in range(40)])
        self.recipients = Zipf(
            dict.fromkeys(f"{rng.choice(WORDS)}{n}@{domains.choose(rng)}" for n in range(600)), 0.6)

    def rng(self, name):
        """One generator for each kind, so that a change of one does not move the others."""
        return random.Random(f"{self.seed} {name}")

    def when(self, rng, office=True):
        if not office:
            return START + rng.randrange(self.days * DAY)
        while True:
            day = rng.randrange(self.days)
            if day % 7 < 5 or rng.random() < 0.3:
                hour = rng.choices(range(24), OFFICE_HOURS)[0]
                return START + day * DAY + hour * 3600 + rng.randrange(3600)

    def person(self, rng, host, domain):
        return Person(f"{rng.choice(WORDS)}.{rng.choice(WORDS)}@{domain}", host,
                      [self.recipients.choose(rng) for _ in range(rng.choice((1, 1, 2, 3)))])

    def written(self, rng, kind, person, recipients=None, **more):
        """A message of a person, mostly to one of those that she usually writes to."""
        if recipients is None:
            recipients = [rng.choice(person.contacts) if rng.random() < 0.85
                          else self.recipients.choose(rng)]
            if rng.random() < 0.08:  # and to colleagues
                domain = recipients[0].split("@")[1]
                more_of_them = [one for one in self.recipients.items if one.endswith(domain)]
                recipients += rng.sample(more_of_them, min(len(more_of_them), rng.randint(1, 4)))
        return Message(kind, True, self.when(rng), person.sender, list(dict.fromkeys(recipients)),
                       person.sender.split("@")[1], person.host.attempts(rng), **more)


WORDS = ("anna bernd carla dieter elena fritz greta hans ina jonas karin lukas maria nils olga "
         "peter ruth stefan tina udo vera walter info office shop sales post kontakt team "
         "buchhaltung service einkauf").split()
HEX, BASE32 = "0123456789abcdef", string.ascii_uppercase + "234567"
BASE64URL = string.ascii_letters + string.digits + "-_"


def token(rng, alphabet, length):
    return "".join(rng.choices(alphabet, k=length))


def srs0(rng, domain, user):
    return f"SRS0={token(rng, BASE64URL, 4)}={token(rng, BASE32, 2)}={domain}={user}"


def in_sender(recipient):
    return recipient.replace("@", "=")


# The local part of the sender of a list, new for each issue and subscriber.
TOKENS = {
    "decimal": lambda r, to: f"bounce-{token(r, string.digits, 7)}-{token(r, string.digits, 5)}",
    "hex": lambda r, to: f"b.{token(r, HEX, 12)}",
    "base32": lambda r, to: token(r, BASE32, 16),
    "base64url": lambda r, to: f"bnc-{token(r, BASE64URL, 18)}",
    "letters": lambda r, to: token(r, string.ascii_lowercase, 14),
    "letters, prefix": lambda r, to: f"return.{token(r, string.ascii_lowercase, 10)}",
    "uuid": lambda r, to: str(uuid.UUID(int=r.getrandbits(128), version=4)),
    "prvs": lambda r, to: f"prvs={token(r, string.digits, 4)}{token(r, HEX, 6)}=news",
    "srs0": lambda r, to: srs0(r, "orig.example", "news"),
    "srs1": lambda r, to: (f"SRS1={token(r, BASE64URL, 4)}=fwd.example="
                           f"{srs0(r, 'orig.example', 'news')[4:]}"),
    "recipient": lambda r, to: f"list-bounces+{in_sender(to)}",
    "recipient, ezmlm": lambda r, to: (f"list-return-{token(r, string.digits, 4)}-"
                                       f"{in_sender(to)}"),
    "sendgrid": lambda r, to: (f"bounces+{token(r, string.digits, 6)}-{token(r, HEX, 4)}-"
                               f"{in_sender(to)}"),
    "mailchimp": lambda r, to: (f"bounce-mc.us1_{token(r, string.digits, 8)}."
                                f"{token(r, string.digits, 7)}-{token(r, HEX, 10)}"),
    "mailgun": lambda r, to: f"bounce+{token(r, HEX, 6)}.{token(r, HEX, 6)}-{in_sender(to)}",
    "ses": lambda r, to: (f"0102{token(r, HEX, 12)}-"
                          f"{uuid.UUID(int=r.getrandbits(128), version=4)}-000000"),
}


def generate(seed, days):
    """All messages, by the time of their first attempt."""
    import greylist_legitimate  # pylint: disable=import-outside-toplevel
    import greylist_spam        # pylint: disable=import-outside-toplevel
    world = World(seed, days)
    messages = greylist_legitimate.messages(world) + greylist_spam.messages(world)
    return sorted(messages, key=lambda one: one.start)
