# SPDX-License-Identifier: GPL-2.0-or-later
"""Honest mail as ten kinds of systems send it today, made at random from a seed.

Each system has the structure, the fields and the habits of its kind: newsletters with a preheader
that is hidden, pictures that count readers and links through the sender's counter, mails of shops,
banks and parcel services with buttons, codes that expire, tickets, forges, invitations, receipts
with a PDF, and mail of a scanner in the office.  All names, hosts and texts are made up.
"""

import base64
import email.utils
import quopri
import random
import textwrap

WORDS = """the new week team product order your for with from this more about please time now first
free day our save best guide news update account offer summer winter event meeting report question
answer help people work home city music book garden travel coffee bike school health project plan
budget local open free shipping today only last chance limited price discount exclusive member
thank you welcome back see all details click here view browser unsubscribe preferences""".split()
FIRST = "Anna Ben Carla David Emma Felix Greta Hugo Ida Jonas Klara Lukas Mia Noah Olga Paul".split()
LAST = "Adler Berg Conrad Dietz Ebert Falk Graf Hahn Iversen Jung Kern Lang Moser Nagel Ott".split()
CRLF = "\r\n"


class Maker:
    """One mail; everything random comes from here."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.domain = f"{self.rng.choice(WORDS)}-{self.rng.choice(WORDS)}{self.rng.randrange(99)}.example"
        self.person = f"{self.rng.choice(FIRST)} {self.rng.choice(LAST)}"
        self.time = 1_760_000_000 + self.rng.randrange(20_000_000)

    def words(self, least, most):
        return " ".join(self.rng.choices(WORDS, k=self.rng.randint(least, most)))

    def sentence(self):
        return self.words(6, 16).capitalize() + self.rng.choice(".!?..")

    def text(self, sentences):
        return " ".join(self.sentence() for _ in range(sentences))

    def code(self, length, alphabet="abcdefghijklmnopqrstuvwxyz0123456789"):
        return "".join(self.rng.choices(alphabet, k=length))

    def number(self, digits=8):
        return self.code(digits, "0123456789")

    def money(self):
        return f"{self.rng.randint(5, 900)}.{self.rng.randint(0, 99):02d} {self.rng.choice(['EUR', '€', '$', 'GBP'])}"


def quoted(text):
    return quopri.encodestring(text.encode()).decode().replace("\n", CRLF)


def based(data):
    return base64.encodebytes(data).decode().replace("\n", CRLF)


def entity(kind, text, encoding, more=""):
    body = {"quoted-printable": quoted, "base64": lambda t: based(t.encode()),
            "7bit": lambda t: t.replace("\n", CRLF), "8bit": lambda t: t.replace("\n", CRLF)}[encoding](text)
    return (f"Content-Type: {kind}; charset={'utf-8' if encoding != '7bit' else 'us-ascii'}{CRLF}"
            f"Content-Transfer-Encoding: {encoding}{CRLF}{more}{CRLF}{body}{CRLF}")


def multipart(kind, boundary, parts):
    inner = "".join(f"--{boundary}{CRLF}{part}" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"{CRLF}{CRLF}{inner}--{boundary}--{CRLF}'


def alternative(maker, plain, page, encoding):
    return multipart("alternative", f"_{maker.code(24)}",
                     [entity("text/plain", plain, encoding), entity("text/html", page, encoding)])


def message(maker, fields, body, sender=None, subject=None):
    """With the fields that every system writes, and a signature of its own domain."""
    domain = maker.domain
    sender = sender or f'"{maker.person}" <{maker.person.split()[0].lower()}@{domain}>'
    subject = subject or maker.words(3, 8).capitalize()
    if not subject.isascii():
        subject = f"=?utf-8?B?{base64.b64encode(subject.encode()).decode()}?="
    header = [
        f"Received: from mta{maker.rng.randint(1, 40)}.{domain} (mta.{domain} [192.0.2.{maker.rng.randint(1, 250)}])",
        f"\tby mx.gateway.example (Postfix) with ESMTPS id {maker.code(12)};",
        f"\t{email.utils.formatdate(maker.time)}",
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=" + domain + "; s=s1;",
        "\th=from:to:subject:date:message-id:mime-version:list-unsubscribe;",
        f"\tbh={base64.b64encode(maker.rng.randbytes(32)).decode()};",
        f"\tb={base64.b64encode(maker.rng.randbytes(128)).decode()}",
        f"Date: {email.utils.formatdate(maker.time)}",
        f"From: {sender}", f"To: {maker.rng.choice(['', 'Customer '])}<info@customer.example>",
        f"Subject: {subject}", f"Message-ID: <{maker.code(28)}@{domain}>", "MIME-Version: 1.0",
        *fields]
    return (CRLF.join(header) + CRLF + body).encode()


def page(maker, inner, preheader=""):
    hidden = (f'<div style="display:none;font-size:1px;line-height:1px;max-height:0;opacity:0;'
              f'overflow:hidden;mso-hide:all">{preheader}{"&#847;&zwnj;&nbsp;" * 60}</div>' if preheader else "")
    return (f'<!DOCTYPE html><html><head><meta charset="utf-8"><title></title>'
            f'<style>@media only screen{{.c{maker.number(3)}{{width:100%!important}}}}</style></head>'
            f'<body style="margin:0;background:#f4f4f4">{hidden}<table role="presentation" width="600" '
            f'align="center"><tr><td style="font-family:Arial,sans-serif;font-size:16px;color:#333333">'
            f'{inner}</td></tr></table></body></html>')


def button(maker, text, host=None, colour="#1a73e8"):
    host = host or f"click.{maker.domain}"
    return (f'<a href="https://{host}/ls/click?upn={maker.code(90)}" style="background:{colour};'
            f'color:#ffffff;padding:12px 24px;text-decoration:none">{text}</a>')


def unsubscribe(maker):
    return [f"List-Unsubscribe: <https://{maker.domain}/u/{maker.code(32)}>,",
            f" <mailto:u-{maker.code(16)}@{maker.domain}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            f"Feedback-ID: {maker.number(6)}:{maker.number(6)}:campaign:{maker.domain}"]


def newsletter(maker):
    items = "".join(
        f'<h2>{maker.words(2, 6).title()}</h2><img src="https://img.{maker.domain}/{maker.code(20)}.png" '
        f'width="560" alt=""><p>{maker.text(3)}</p>{button(maker, "Read more")}'
        for _ in range(maker.rng.randint(3, 7)))
    tail = (f'<p style="font-size:11px;color:#999999">You get this mail as you subscribed at {maker.domain}. '
            f'<a href="https://{maker.domain}/u/{maker.code(20)}">Unsubscribe</a> | '
            f'<a href="https://{maker.domain}/v/{maker.code(20)}">View in your browser</a></p>'
            f'<img src="https://open.{maker.domain}/o.gif?u={maker.code(30)}" width="1" height="1" alt="">')
    html = page(maker, items + tail, maker.sentence())
    body = alternative(maker, maker.text(12) + f"\n\nhttps://{maker.domain}/{maker.code(30)}\n", html,
                       "quoted-printable")
    subject = maker.rng.choice(["", "🎉 ", "Last chance: ", "Save 20 %: ", "[News] "]) + maker.words(3, 7)
    return message(maker, [*unsubscribe(maker), "Precedence: bulk"], body,
                   f"{maker.domain.split('.')[0].title()} <news@{maker.domain}>", subject)


def shop_order(maker):
    rows = "".join(f"<tr><td>{maker.words(2, 5)}</td><td>1</td><td>{maker.money()}</td></tr>"
                   for _ in range(maker.rng.randint(1, 6)))
    order = maker.number()
    html = page(maker, f"<h1>Thank you for your order!</h1><p>Order #{order}</p><table border=0>{rows}</table>"
                       f"<p>Total: <b>{maker.money()}</b></p>{button(maker, 'View your order', colour='#008060')}")
    return message(maker, [f"X-Order-Id: {order}"],
                   alternative(maker, f"Thank you for your order {order}!\n{maker.text(4)}\n", html,
                               "quoted-printable"),
                   f"{maker.words(1, 2).title()} Shop <orders@{maker.domain}>", f"Order #{order} confirmed")


def parcel(maker):
    number = maker.number(14)
    html = page(maker, f"<p>Hello {maker.person},</p><p>your parcel <b>{number}</b> arrives today between "
                       f"10:00 and 12:00.</p>{button(maker, 'Track your parcel', colour='#d40511')}"
                       f"<p>Not at home? Choose another day.</p>")
    return message(maker, ["Auto-Submitted: auto-generated"],
                   alternative(maker, f"Your parcel {number} arrives today.\nhttps://{maker.domain}/t/{number}\n",
                               html, "base64"),
                   f"Parcel Service <noreply@{maker.domain}>", f"Your parcel {number} arrives today")


def bank(maker):
    html = page(maker, f"<p>Dear {maker.person},</p><p>your statement for account ending in "
                       f"{maker.number(4)} is ready. Please log in to your online banking to view it. "
                       f"We never ask for your password or PIN by mail.</p><p>{maker.text(2)}</p>"
                       f"{button(maker, 'Log in', maker.domain, '#004b87')}")
    return message(maker, ["Auto-Submitted: auto-generated", "X-Priority: 3"],
                   alternative(maker, f"Dear {maker.person},\nyour statement is ready.\n", html, "quoted-printable"),
                   f"{maker.words(1, 1).title()} Bank <service@{maker.domain}>", "Your account statement is ready")


def sign_in_code(maker):
    code = maker.number(6)
    html = page(maker, f"<p>Your verification code is</p><h1>{code}</h1><p>It expires in 10 minutes. If you did not "
                       f"ask for it, secure your account now or ignore this mail.</p>"
                       f"{button(maker, 'Reset your password')}")
    return message(maker, [], alternative(maker, f"Your verification code is {code}. It expires in 10 minutes.\n",
                                          html, maker.rng.choice(["7bit", "quoted-printable"])),
                   f"Account Team <no-reply@accounts.{maker.domain}>", f"{code} is your verification code")


def social(maker):
    html = page(maker, f'<img src="https://cdn.{maker.domain}/{maker.code(40)}.jpg" width="48" height="48">'
                       f"<p><b>{maker.person}</b> and {maker.rng.randint(2, 40)} others commented on your post</p>"
                       f"<blockquote>{maker.text(2)}</blockquote>{button(maker, 'See what they said')}", maker.sentence())
    return message(maker, [*unsubscribe(maker), f"X-Notify-Id: {maker.code(20)}"],
                   alternative(maker, f"{maker.person} commented on your post:\n{maker.text(2)}\n", html,
                               "quoted-printable"),
                   f"{maker.words(1, 1).title()} <notification@{maker.domain}>",
                   f"{maker.person} commented on your post")


def ticket(maker):
    number = maker.number(7)
    quote = "\n".join("> " + line for line in textwrap.wrap(maker.text(5), 70))
    text = (f"## Please write above this line ##\n\nHello,\n\n{maker.text(4)}\n\nKind regards,\n{maker.person}\n"
            f"Support\n\n{quote}\n")
    return message(maker, [f"In-Reply-To: <{maker.code(20)}@customer.example>",
                           f"References: <{maker.code(20)}@customer.example>", "Auto-Submitted: auto-generated",
                           f"X-Ticket: {number}"],
                   entity("text/plain", text, "8bit"), f"Support <support+{number}@{maker.domain}>",
                   f"Re: [Ticket#{number}] {maker.words(2, 6)}")


def forge(maker):
    branch = f"{maker.words(1, 1)}/{maker.code(7)}"
    diff = "\n".join(f"{maker.rng.choice('+- ')}{maker.words(3, 9)}" for _ in range(maker.rng.randint(5, 60)))
    plain = f"@{maker.code(8)} requested changes on this pull request.\n\n{maker.text(3)}\n\n{diff}\n\n-- \n" \
            f"Reply to this email directly or view it at https://{maker.domain}/r/{branch}\n"
    html = f"<p>{maker.text(3)}</p><pre>{diff}</pre><p style=\"font-size:small;color:#666\">&mdash;<br>" \
           f"<a href=\"https://{maker.domain}/r/{branch}\">View it</a></p>"
    return message(maker, [f"List-ID: {branch} <{maker.code(6)}.{maker.domain}>",
                           f"List-Unsubscribe: <mailto:unsub+{maker.code(30)}@reply.{maker.domain}>",
                           "Precedence: list", f"References: <{maker.code(20)}@{maker.domain}>"],
                   alternative(maker, plain, html, "7bit"),
                   f"{maker.person} <notifications@{maker.domain}>", f"Re: [{branch}] {maker.words(3, 8)} (PR #{maker.number(3)})")


def invitation(maker):
    start = email.utils.formatdate(maker.time)
    calendar = CRLF.join(["BEGIN:VCALENDAR", "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VEVENT",
                          f"UID:{maker.code(30)}", "DTSTART:20261201T090000Z", "DTEND:20261201T100000Z",
                          f"SUMMARY:{maker.words(2, 5)}", "END:VEVENT", "END:VCALENDAR", ""])
    body = multipart("mixed", f"m{maker.code(20)}", [
        multipart("alternative", f"a{maker.code(20)}", [
            entity("text/plain", f"{maker.person} invites you: {start}\n{maker.text(2)}\n", "base64"),
            entity("text/html", page(maker, f"<p>{maker.text(2)}</p>{button(maker, 'Join the meeting')}"), "base64"),
            entity("text/calendar; method=REQUEST", calendar, "7bit")]),
        f'Content-Type: application/ics; name="invite.ics"{CRLF}Content-Disposition: attachment; '
        f'filename="invite.ics"{CRLF}Content-Transfer-Encoding: base64{CRLF}{CRLF}{based(calendar.encode())}'])
    return message(maker, [f"Sender: calendar <calendar@{maker.domain}>"], body,
                   subject=f"Invitation: {maker.words(2, 5)} @ Tue 1 Dec 2026 10:00")


def receipt(maker):
    pdf = b"%PDF-1.4\n" + maker.rng.randbytes(maker.rng.randint(3000, 40000)) + b"\n%%EOF\n"
    number = maker.number(9)
    body = multipart("mixed", f"----=_Part_{maker.number(6)}_{maker.number(10)}", [
        entity("text/html", page(maker, f"<p>Dear customer,</p><p>please find attached your invoice {number} over "
                                        f"{maker.money()}, due within 14 days.</p><p>{maker.text(2)}</p>"), "quoted-printable"),
        f'Content-Type: application/pdf; name="Invoice_{number}.pdf"{CRLF}Content-Disposition: attachment; '
        f'filename="Invoice_{number}.pdf"{CRLF}Content-Transfer-Encoding: base64{CRLF}{CRLF}{based(pdf)}'])
    return message(maker, [f"X-Mailer: {maker.words(1, 2)} ERP 7.{maker.number(1)}"], body,
                   f"Accounting <billing@{maker.domain}>", f"Invoice {number}")


SYSTEMS = {"newsletter": newsletter, "shop order": shop_order, "parcel": parcel, "bank": bank,
           "sign-in code": sign_in_code, "social network": social, "ticket": ticket, "forge": forge,
           "invitation": invitation, "receipt with a PDF": receipt}


def mails(each, seed):
    """(system, bytes), so many of each system."""
    for name, make in SYSTEMS.items():
        for number in range(each):
            yield name, make(Maker(f"{seed} {name} {number}"))
