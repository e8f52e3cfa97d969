# SPDX-License-Identifier: GPL-2.0-or-later
"""The spam of greylist_trace.py; the sources are named there."""

import dataclasses

import greylist_schedules as schedules
from greylist_trace import (DAY, HEX, START, TOKENS, WORDS, Host, Message, Zipf, addresses, token)

A_DAY = {
    "bot, never retries": 1100, "bot, retries at once": 120, "bot, retries by others": 150,
    "bot, other senders": 130, "bot, retries later": 80, "mail server": 90, "web site": 50,
    "snowshoe": 180, "freemail": 60, "stolen account": 60, "backscatter": 12,
}
# After [Pagani], not checked against the text: Kelihos comes back after 5 to 10 minutes, the next
# time after more than an hour.
KELIHOS = ((0, 0), (300, 600), (4_000, 6_000), (80_000, 90_000))


class Bots:
    """Infected machines at access providers: few machines often, most of them once."""

    def __init__(self, world, rng):
        self.networks, self.resident = world.networks, []
        self.providers = Zipf([f"isp{n}.example" for n in range(80)])
        self.resident = [self.new(rng) for _ in range(2500)]

    def new(self, rng):
        address = ".".join(str(part) for part in (rng.randint(60, 99), rng.randrange(256),
                                                   rng.randrange(256), rng.randint(1, 254)))
        provider = self.providers.choose(rng)
        a, b, c, d = address.split(".")
        # 55 % generic names, a third none that is confirmed, the rest names like a server's.
        form = rng.choices((f"{a}-{b}-{c}-{d}.dsl.{provider}", f"host{c}{d}.dyn.{provider}",
                            f"p{int(a):02x}{int(b):02x}{int(c):02x}{int(d):02x}.dip0.{provider}",
                            "", f"srv{token(rng, HEX, 4)}.{provider}"), (25, 15, 15, 33, 12))[0]
        return address, form

    def choose(self, rng):
        return rng.choice(self.resident) if rng.random() < 0.3 else self.new(rng)


def _forged(world, rng):
    """A sender that a bot claims, and what SPF says to it."""
    kind = rng.choices(("freemail", "company", "invented"), (40, 25, 35))[0]
    if kind == "freemail":
        domain, spf = rng.choice(list(world.senders.freemail)), "fail"
    elif kind == "company":
        host = rng.choice(world.senders.servers)
        domain, spf = host.domain, "none" if host.spf == "none" else "fail"
    else:  # 1 % of the domains allow every address
        domain, spf = f"{token(rng, HEX, 6)}.example", "pass" if rng.random() < 0.01 else "none"
    return f"{rng.choice(WORDS)}{token(rng, HEX, 3)}@{domain}", spf


def _recipients(world, rng):
    count = rng.randint(2, 10) if rng.random() < 0.2 else 1
    return list(dict.fromkeys(world.recipients.choose(rng) for _ in range(count)))


def _spam(kind, start, sender, recipients, attempts, domain=None):
    return Message(kind, False, int(start), sender, recipients,
                   domain or sender.split("@")[1], attempts)


def _bots(world, rng):
    bots = Bots(world, rng)

    def campaign(kind, offsets_of, other_bots=False):
        for _ in range(A_DAY[kind] * world.days):
            sender, spf = _forged(world, rng)
            bot = bots.choose(rng)
            attempts = []
            for n, offset in enumerate(offsets_of()):
                if n and other_bots:
                    bot = bots.choose(rng)
                attempts.append((int(offset), *bot, spf))
            yield _spam(kind, world.when(rng, office=False), sender, _recipients(world, rng),
                        attempts)

    def at_once():
        at = [0]
        for _ in range(rng.randint(1, 5)):
            at.append(at[-1] + rng.randint(1, 15))
        return at

    def by_others():
        at = [0]
        for _ in range(rng.randint(1, 4)):
            at.append(at[-1] + rng.randint(60, 3600))
        return at

    yield from campaign("bot, never retries", lambda: (0,))
    yield from campaign("bot, retries at once", at_once)
    yield from campaign("bot, retries by others", by_others, other_bots=True)
    yield from campaign("bot, retries later",
                        lambda: [rng.randint(*span) for span in KELIHOS[:rng.randint(2, 4)]])
    # The same bot and recipients, each attempt with another sender: a message each.
    for _ in range(A_DAY["bot, other senders"] * world.days // 3):
        bot, recipients, at = bots.choose(rng), _recipients(world, rng), world.when(rng, False)
        for _ in range(3):
            sender, spf = _forged(world, rng)
            yield _spam("bot, other senders", at, sender, recipients, [(0, *bot, spf)])
            at += rng.randint(5, 1200)


def _servers(world, rng):
    """Rented or broken servers with a real mail system, and web sites with a leaky form."""
    for kind in ("mail server", "web site"):
        hosts = Zipf([world.senders.server(rng, f"{kind[:4].strip()}{n}-hosting.example")
                      for n in range(150)], 0.6)
        for _ in range(A_DAY[kind] * world.days):
            host = hosts.choose(rng)
            sender, spf = (f"www-data@{host.domain}", host.spf) if kind == "web site" \
                else _forged(world, rng)
            host = dataclasses.replace(host, spf=spf)
            yield _spam(kind, world.when(rng, office=False), sender, _recipients(world, rng),
                        host.attempts(rng))


def _snowshoe(world, rng):
    """Own domains with SPF and names, a network full of addresses; some queue, some do not."""
    left, n = A_DAY["snowshoe"] * world.days, 0
    while left > 0:
        domain, n = f"angebot{n}.example", n + 1
        size = min(left, rng.randint(60, 400))
        left -= size
        where = addresses(rng, world.networks, rng.randint(20, 200), rng.choice((1, 1, 2, 4)))
        host = Host(domain, [(one, f"m{i}.{domain}" if rng.random() < 0.8 else "")
                             for i, one in enumerate(where)],
                    "pass" if rng.random() < 0.95 else "none",
                    rng.choice((schedules.BULK, schedules.postfix)))
        retries = rng.choices((0, 0.5, 1), (45, 20, 35))[0]
        form = rng.choice((None, "hex", "letters", "base64url", "recipient"))
        begin = START + rng.randrange(world.days) * DAY
        length = rng.randint(1, 3) * DAY
        for _ in range(size):
            to = world.recipients.choose(rng)
            local = TOKENS[form](rng, to) if form else "info"
            attempts = host.attempts(rng)
            yield _spam("snowshoe", begin + rng.randrange(length), f"{local}@{domain}", [to],
                        attempts if rng.random() < retries else attempts[:1])


def _shared(world, rng):
    """From the services that legitimate senders use: new mailboxes, stolen passwords."""
    freemail = [world.senders.freemail[name] for name in ("gmail.com", "outlook.com", "gmx.net",
                                                          "yahoo.com", "mail.ru")]
    for _ in range(A_DAY["freemail"] * world.days // 4):
        host = rng.choice(freemail)
        sender = f"{rng.choice(WORDS)}{token(rng, HEX, 5)}@{host.domain}"
        at = world.when(rng)
        for _ in range(4):
            yield _spam("freemail", at + rng.randrange(3 * 3600), sender,
                        _recipients(world, rng), host.attempts(rng))
    accounts = [one for kind in ("company server", "company at a pool")
                for one in world.people[kind].items]
    for _ in range(A_DAY["stolen account"] * world.days // 30):
        account, at = rng.choice(accounts), world.when(rng, office=False)
        for _ in range(30):
            yield _spam("stolen account", at + rng.randrange(6 * 3600), account.sender,
                        _recipients(world, rng), account.host.attempts(rng))
    for _ in range(A_DAY["backscatter"] * world.days):
        host = dataclasses.replace(rng.choice(world.senders.servers), spf="none")
        yield _spam("backscatter", world.when(rng, office=False), "",
                    [world.recipients.choose(rng)], host.attempts(rng), f"mail.{host.domain}")


def messages(world):
    found = []
    for source in (_bots, _servers, _snowshoe, _shared):
        found += source(world, world.rng(source.__name__))
    return found
