# SPDX-License-Identifier: GPL-2.0-or-later
"""When senders try again after a 4xx: published schedules, each with its source.

A schedule is a function of a random generator that returns the offsets in seconds from the
first attempt, 0 first.  It ends where the sender gives up, or after LONGEST.

  [Pagani]     F. Pagani et al., "Measuring the Role of Greylisting and Nolisting in Fighting
               Spam", DSN 2016, slide 22: attempts of webmail providers that were deferred for
               six hours, min:sec, and whether all attempts came from one address
  [postconf]   postconf(5), qmgr(8): minimal_backoff_time 300 s, maximal_backoff_time 4000 s,
               queue_run_delay 300 s, maximal_queue_lifetime 5 d
  [exim]       Exim's default configuration: * * F,2h,15m; G,16h,1h,1.5; F,4d,6h; its queue is
               run every 30 minutes on Debian, every hour with cPanel
  [sendmail]   sendmail(8): the queue is run by -q1h as it comes, by -q10m on Debian;
               Timeout.queuereturn 5 d
  [qmail]      qmail-send: a remote delivery is tried at 400 n^2 seconds, for a week
  [exchange]   Set-TransportService: MessageRetryInterval 15 min (Microsoft's health check
               recommends 5), OutboundConnectionFailureRetryInterval 10 min; the SMTP service
               of IIS and Exchange 2003: 10, 10, 10, then 15 min; they expire after 2 d
  [kumo]       KumoMTA, retry_interval: 20 min, doubled each time, with jitter; the same form
               as other mail servers of bulk senders (PowerMTA: 10 min)
  [mib403]     mailinabox pull request 403: senders that try again after 200 to 285 s and then
               only after three hours
  [dms2040]    docker-mailserver issue 2040, [fxa2063] Firefox accounts issue 2063: senders of
               login mails that never come again or too late
  [rfc5321]    RFC 5321, 4.5.4.1: again after 30 min at least, for 4 to 5 days
"""

LONGEST = 5 * 86_400
MOST = 50  # attempts: what has not passed by then has been given up by its sender


def seconds(text):
    """The offsets of a published list: "6:02 29:02" are 362 and 1742 seconds."""
    return [int(part.split(":")[0]) * 60 + int(part.split(":")[1]) for part in text.split()]


def _limited(offsets, longest=LONGEST):
    result = [0]
    for offset in offsets:
        if offset > longest or len(result) >= MOST:
            break
        result.append(round(offset))
    return result


def published(text, ends=False):
    """As published, 3 % about; goes on with the last gap unless the sender `ends` there."""
    listed = seconds(text)

    def schedule(rng):
        def offsets():
            last = 0
            for at in listed:
                last = max(last + 1, at * rng.uniform(0.97, 1.03))
                yield last
            while not ends:
                last += (listed[-1] - listed[-2]) * rng.uniform(0.97, 1.03)
                yield last
        return _limited(offsets())
    return schedule


GMAIL = published("6:02 29:02 56:36 98:44 162:03 229:44 309:05 434:46")             # [Pagani]
YAHOO = published("2:07 5:39 12:58 27:16 55:13 109:35 216:47 430:36")               # [Pagani]
HOTMAIL = published("1:01 2:03 3:04 5:06 8:07 12:08 16:10 20:10 24:10")             # [Pagani]
QQ = published("5:05 5:11 5:17 6:19 8:22 12:25 20:29 52:31 84:35 144:42 204:56", True)  # [Pagani]
MAIL_RU = published("1:18 19:15 49:14 79:49 113:20 154:18 187:53 235:20 271:03")    # [Pagani]
YANDEX = published("1:05 2:58 6:53 14:55 30:28 45:41 61:01 76:31")                  # [Pagani]
GMX = published("5:01 12:33 23:50 40:46 66:09 104:14 161:22 247:04 375:36")         # [Pagani]
AOL = published("5:32 11:32 21:32 31:32", True)                                     # [Pagani]
INDIA = published("6:21 16:21 36:21 76:21 146:22 216:21 286:21")                    # [Pagani]


def postfix(rng):  # [postconf]
    """The next attempt is due after the age of the message, and made by the next queue run."""
    def offsets():
        at, phase = 0, rng.uniform(0, 300)
        while True:
            due = at + min(max(at, 300), 4000)
            runs = (due - phase) // 300 + 1
            at = phase + runs * 300
            yield at
    return _limited(offsets())


def exim(every):  # [exim]
    def schedule(rng):
        def offsets():
            at, gap, phase = 0, 0, rng.uniform(0, every)
            while True:
                gap = 900 if at < 7200 else (
                    max(3600, gap * 1.5) if at < 16 * 3600 else 6 * 3600)
                at = phase + ((at + gap - phase) // every + 1) * every
                yield at
        return _limited(offsets(), 4 * 86_400)
    return schedule


def queue_runs(every, longest=LONGEST):
    """All that waits is tried at every run of the queue."""
    def schedule(rng):
        phase = rng.uniform(1, every)
        return _limited((phase + n * every for n in range(MOST)), longest)
    return schedule


SENDMAIL = queue_runs(3600)         # [sendmail]
SENDMAIL_DEBIAN = queue_runs(600)   # [sendmail]


def qmail(_):  # [qmail]
    return _limited((400 * n * n for n in range(1, MOST)), 7 * 86_400)


def intervals(*first, then):
    """Fixed intervals, each 1 s about and up to 10 s late, for two days."""
    def schedule(rng):
        def offsets():
            at = 0
            for gap in first:
                at += gap + rng.uniform(0, 10)
                yield at
            while True:
                at += then + rng.uniform(0, 10)
                yield at
        return _limited(offsets(), 2 * 86_400)
    return schedule


EXCHANGE = intervals(then=900)                 # [exchange] MessageRetryInterval
EXCHANGE_CHECKED = intervals(then=300)         # [exchange] as the health check recommends
EXCHANGE_2003 = intervals(600, 600, 600, then=900)  # [exchange]
RFC = intervals(then=1800)                     # [rfc5321]
THREE_HOURS = intervals(240, then=10_800)      # [mib403]


def doubled(first):  # [kumo]
    def schedule(rng):
        def offsets():
            at, gap = 0, first
            while True:
                at += gap * rng.uniform(0.9, 1.1)
                gap = min(gap * 2, 4 * 3600)
                yield at
        return _limited(offsets(), 2 * 86_400)
    return schedule


BULK = doubled(600)     # [kumo] PowerMTA
KUMO = doubled(1200)    # [kumo]


def never(_):  # [dms2040], [fxa2063]: an application that talks SMTP itself and has no queue
    return [0]


# Which software runs the servers of companies.  Shares: about those of the banners that
# surveys of mail servers find (Exim and Postfix lead by far; securityspace.com, E-Soft's
# monthly survey), the rest divided by judgement.
COMPANY = ((postfix, 38), (exim(1800), 14), (exim(3600), 14), (EXCHANGE, 9),
           (EXCHANGE_CHECKED, 3), (EXCHANGE_2003, 3), (SENDMAIL, 4), (SENDMAIL_DEBIAN, 3),
           (qmail, 4), (RFC, 5), (INDIA, 2), (THREE_HOURS, 1))


def company(rng):
    """The schedule of one company's server."""
    return rng.choices([one for one, _ in COMPANY], [share for _, share in COMPANY])[0]
