# SPDX-License-Identifier: GPL-2.0-or-later
"""The legitimate senders of greylist_trace.py."""

import dataclasses

import greylist_schedules as schedules
from greylist_trace import (DAY, LEGITIMATE, START, TOKENS, Host, Message, Zipf, addresses,
                            srs0)

# The pools of providers: addresses, /24 networks, whether one delivery stays with one address
# ([Pagani]: yahoo, hotmail, yandex, aol), name of a client, schedule, share of the mail.
# Outlook's pool today changes its address with each attempt (postgrey issue 20 and later).
FREEMAIL = {
    "gmail.com": (50, 12, False, "mail-{n}-f{n}.google.com", schedules.GMAIL, 42),
    "outlook.com": (50, 16, False, "mail-eur{n}on{n}.outbound.protection.outlook.com",
                    schedules.HOTMAIL, 17),
    "yahoo.com": (30, 6, True, "sonic{n}-20.consmr.mail.bf2.yahoo.com", schedules.YAHOO, 8),
    "gmx.net": (6, 2, False, "mout{n}.gmx.net", schedules.GMX, 14),
    "web.de": (6, 2, False, "mout{n}.web.de", schedules.GMX, 8),
    "mail.ru": (20, 5, False, "f{n}.i.mail.ru", schedules.MAIL_RU, 2),
    "yandex.com": (12, 4, True, "forward{n}.mail.yandex.net", schedules.YANDEX, 2),
    "qq.com": (20, 6, False, "out{n}.mail.qq.com", schedules.QQ, 1),
    "aol.com": (10, 3, True, "omr-m{n}.mx.aol.com", schedules.AOL, 2),
}


class Senders:
    """Who writes to the hosted domains; spam uses some of the same services."""

    def __init__(self, world):
        self.world, rng = world, world.rng("senders")
        self.freemail = {
            domain: Host(domain, self.clients(rng, count, nets, name), "pass", schedule, keeps)
            for domain, (count, nets, keeps, name, schedule, _) in FREEMAIL.items()}
        outlook, gmail = self.freemail["outlook.com"], self.freemail["gmail.com"]
        # Business mail of Microsoft and Google: the same pools, the customer's domain and SPF.
        self.pooled = [dataclasses.replace(
            rng.choices((outlook, gmail), (3, 1))[0], domain=f"gmbh{n}.example",
            schedule=schedules.EXCHANGE_CHECKED if n % 4 else schedules.GMAIL,
            spf="pass" if rng.random() < 0.95 else "none") for n in range(250)]
        self.servers = [self.server(rng, f"firma{n}.example") for n in range(350)]
        self.named = [self.pool(rng, f"konzern{n}.example", True) for n in range(25)]
        self.bare = [self.pool(rng, f"verbund{n}.example", False) for n in range(12)]
        self.ipv6 = [self.server6(rng, f"netz{n}.example") for n in range(25)]
        self.ses = Host("eu-west-1.amazonses.com",
                        self.clients(rng, 40, 8, "a{n}-4.smtp-out.eu-west-1.amazonses.com"),
                        "pass", schedules.BULK)

    def clients(self, rng, count, networks, name):
        return [(address, name.format(n=n)) for n, address in
                enumerate(addresses(rng, self.world.networks, count, networks))]

    def server(self, rng, domain):
        address = addresses(rng, self.world.networks, 1)[0]
        name = rng.choices((f"mail.{domain}", "", f"{address.replace('.', '-')}.static.isp.example"),
                           (92, 4, 4))[0]
        spf = rng.choices(("pass", "none", "fail"), (76, 21, 3))[0]
        return Host(domain, [(address, name)], spf, schedules.company(rng))

    def pool(self, rng, domain, named):
        count = rng.randint(2, 12 if named else 20)
        where = addresses(rng, self.world.networks, count, rng.randint(1, min(count, 6)))
        return Host(domain, [(one, f"out{n}.{domain}" if named else "")
                             for n, one in enumerate(where)], "none", schedules.company(rng))

    def server6(self, rng, domain):
        prefix, several = self.world.networks.ipv6(), rng.random() < 0.5
        clients = [(f"{prefix}:{rng.randrange(256) if several else 1:x}::{rng.randrange(1, 65536):x}",
                    f"mail.{domain}" if rng.random() < 0.75 else "") for _ in range(16)]
        return Host(domain, clients, "pass" if rng.random() < 0.8 else "none",
                    schedules.company(rng))


def people(world, senders):
    """Per kind those who write, the busiest first."""
    rng = world.rng("people")

    def at(hosts, count):
        chosen = [rng.choice(hosts) for _ in range(count)]
        return Zipf([world.person(rng, host, host.domain) for host in chosen], 0.8)
    share = [(senders.freemail[domain], row[5]) for domain, row in FREEMAIL.items()]
    mailboxes = rng.choices([one for one, _ in share], [weight for _, weight in share], k=1500)
    return {"company server": at(senders.servers, 900), "company at a pool": at(senders.pooled, 700),
            "freemail": Zipf([world.person(rng, host, host.domain) for host in mailboxes], 0.5),
            "pool with names": at(senders.named, 100), "pool, bare": at(senders.bare, 50),
            "IPv6": at(senders.ipv6, 60)}


def _strangers(world, senders, rng, count):
    """Servers that are never seen again: orders, applications, first contacts."""
    for n in range(count):
        host = senders.server(rng, f"fremd{n}.example")
        yield world.written(rng, "stranger", world.person(rng, host, host.domain))


def _forwarded(world, senders, rng, count, writers):
    """By a university or a society: half rewrites the sender (SRS), half breaks its SPF."""
    hosts = Zipf([senders.server(rng, f"uni{n}.example") for n in range(20)])
    addressees = {host.domain: [world.recipients.choose(rng) for _ in range(4)]
                  for host in hosts.items}
    for _ in range(count):
        host, person = hosts.choose(rng), writers.choose(rng)
        user, domain = person.sender.split("@")
        message = world.written(rng, "forwarded", person, [rng.choice(addressees[host.domain])])
        if int(host.domain[3:-8]) % 2:
            message.sender = f"{srs0(rng, domain, user)}@{host.domain}"
            message.spf_domain = host.domain
            message.attempts = host.attempts(rng)
        else:
            message.attempts = dataclasses.replace(
                host, spf="none" if person.host.spf == "none" else "fail").attempts(rng)
        yield message


def _several(world, rng, count, writers):
    for _ in range(count):
        to = [world.recipients.choose(rng) for _ in range(rng.choice((2, 2, 3, 4, 6, 10, 20, 30)))]
        yield world.written(rng, "several recipients", writers.choose(rng), to)


def _codes(world, senders, rng, count):
    """One-time codes and login links: one sender, addressees who use a service now and then."""
    services = []
    for n in range(80):
        domain = f"dienst{n}.example"
        host = dataclasses.replace(senders.server(rng, domain),
                                   spf="pass" if rng.random() < 0.95 else "none")
        if n % 5 == 0:  # by Amazon SES, with its own bounce domain
            host = senders.ses
        elif n % 5 == 1:  # a pool of its own
            host.clients = senders.clients(rng, rng.randint(2, 16), 4, f"o{{n}}.mail.{domain}")
            host.schedule = rng.choice((schedules.BULK, schedules.KUMO, schedules.THREE_HOURS))
        elif n % 25 == 2:
            host.schedule = schedules.never
        services.append((host, "ses" if host is senders.ses else
                         rng.choice((None, None, "sendgrid", "mailgun", "uuid")), domain))
    services = Zipf(services, 0.7)
    for _ in range(count):
        host, form, domain = services.choose(rng)
        to = world.recipients.choose(rng)
        at = host.domain if host is senders.ses else domain
        local = TOKENS[form](rng, to) if form else "noreply"
        yield Message("one-time code", True, world.when(rng), f"{local}@{at}", [to], at,
                      host.attempts(rng))


def _null_senders(world, senders, rng, count, callout):
    """Bounces, or call-outs: other servers ask whether the sender of our mail exists."""
    hosts = Zipf(senders.servers + senders.pooled + list(senders.freemail.values()))
    for _ in range(count):
        host = hosts.choose(rng)
        if host in senders.pooled and callout:
            host = senders.servers[0]  # those do not call out
        attempts = dataclasses.replace(
            host, spf="pass" if rng.random() < 0.4 else "none").attempts(rng)
        helo = ".".join(attempts[0][2].split(".")[-3:]) or f"mail.{host.domain}"
        yield Message("call-out" if callout else "bounce", True, world.when(rng), "",
                      [world.recipients.choose(rng)], helo, attempts, callout)


def _periodical(world, senders, rng, kind, number, gap, form_of):
    """An issue to all subscribers, each `gap` days."""
    for n in range(number):
        domain = f"{kind.split()[0].lower()}{n}.example"
        host = senders.server(rng, domain)
        host.spf = "pass" if rng.random() < 0.85 else "none"
        if n % 2:
            host.clients = senders.clients(rng, rng.randint(2, 8), rng.randint(1, 2),
                                           f"out{{n}}.{domain}")
            host.schedule = schedules.BULK
        form = form_of(n)
        if form == "ses":
            domain, host = senders.ses.domain, senders.ses
        subscribers = {world.recipients.choose(rng) for _ in range(rng.randint(4, 24))}
        issue = rng.uniform(0, gap) * DAY
        while issue < world.days * DAY:
            for to in sorted(subscribers):
                local = TOKENS[form](rng, to) if form else "newsletter"
                yield Message(kind, True, START + int(issue) + rng.randrange(900),
                              f"{local}@{domain}", [to], domain, host.attempts(rng))
            issue += gap * DAY + rng.uniform(-0.02, 0.02) * DAY


def messages(world):
    senders = Senders(world)
    world.senders = senders
    world.people = people(world, senders)
    count = {kind: a_day * world.days for kind, a_day in LEGITIMATE.items()}
    found = []
    for kind, writers in world.people.items():
        rng = world.rng(kind)
        found += [world.written(rng, kind, writers.choose(rng)) for _ in range(count[kind])]
    companies = world.people["company server"]
    rng = world.rng("others")
    found += _strangers(world, senders, rng, count["stranger"])
    found += _forwarded(world, senders, rng, count["forwarded"], companies)
    found += _several(world, rng, count["several recipients"], companies)
    found += _codes(world, senders, rng, count["one-time code"])
    found += _null_senders(world, senders, rng, count["bounce"], False)
    found += _null_senders(world, senders, rng, count["call-out"], True)
    forms = list(TOKENS)
    found += _periodical(world, senders, rng, "list", 2 * len(forms), 5,
                         lambda n: forms[n // 2])
    found += _periodical(world, senders, rng, "weekly", 14, 7,
                         lambda n: rng.choice((None, *forms)))
    found += _periodical(world, senders, rng, "monthly", 24, 30,
                         lambda n: rng.choice((None, None, *forms)))
    return found
