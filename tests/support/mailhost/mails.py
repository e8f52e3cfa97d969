# SPDX-License-Identifier: GPL-2.0-or-later
"""The mails of a site's daily life, each a function of the Probe that sends it.  None has a
recipient in a domain that mxfeed hosts."""

import socket

from mailhost import BOXES, DOMAIN, PARTNER, TRUSTED_CLIENT
from messages import GTUBE, infected, mail

ANNA = f"anna@{DOMAIN}"
BERT = f"bert@{DOMAIN}"
CARLA = f"carla@{BOXES}"
STRANGER = "someone@stranger.example"
# Our own names, and the host's verdicts, as a forger writes them.
FORGED = (b"X-Mxfeed-Virus: clean (forged)\r\nX-Mxfeed-Spam: none\r\n"
          b"Authentication-Results: mail.site.example; dkim=pass header.d=bank.example\r\n")


def site_mails(sender_key):
    """{name: function}; `sender_key` signs for sender.example."""
    signed = sender_key.sign(mail("signed", Message_ID="<signed@sender.example>"))
    mails = {
        # In.
        "a local mailbox": lambda p: p.send(ANNA, mail("local")),
        "a mailbox of Dovecot": lambda p: p.send(CARLA, mail("dovecot")),
        "an alias": lambda p: p.send(f"staff@{DOMAIN}", mail("staff")),
        "a virtual alias": lambda p: p.send(f"sales@{DOMAIN}", mail("sales")),
        "a virtual alias that leads away": lambda p: p.send(f"away@{DOMAIN}", mail("away")),
        "an address extension": lambda p: p.send(f"anna+list@{DOMAIN}", mail("list")),
        "postmaster": lambda p: p.send("postmaster", mail("help")),
        "a bounce": lambda p: p.send(ANNA, mail("returned"), sender=""),
        "an unknown local user": lambda p: p.send(f"nobody-here@{DOMAIN}", mail("who")),
        "an unknown mailbox of Dovecot": lambda p: p.send(f"who@{BOXES}", mail("who")),
        "a closed mailbox": lambda p: p.send(f"closed@{DOMAIN}", mail("closed")),
        "the partner's domain": lambda p: p.send(f"info@{PARTNER}", mail("partner")),
        "an unknown recipient of the partner":
            lambda p: p.send(f"gone@{PARTNER}", mail("partner")),
        "a recipient that the partner's server refuses":
            lambda p: p.send(f"sales@{PARTNER}", mail("refused")),
        "several recipients": lambda p: p.send(
            [ANNA, BERT, CARLA, f"info@{PARTNER}", f"gone@{PARTNER}", STRANGER], mail("several")),
        "a stranger who wants to relay": lambda p: p.send(STRANGER, mail("relay")),
        "spam": lambda p: p.send(ANNA, mail("cheap", f"Buy!\n{GTUBE}\n")),
        "spam to the partner": lambda p: p.send(f"info@{PARTNER}", mail("cheap", f"{GTUBE}\n")),
        "a virus": lambda p: p.send(ANNA, infected()),
        "a virus to Dovecot and the partner":
            lambda p: p.send([CARLA, f"info@{PARTNER}"], infected()),
        "a large mail": lambda p: p.send(ANNA, mail("large", "0123456789 abcdef\n" * 50_000)),
        "a mail above the limit": lambda p: p.send(
            ANNA, mail("too large", "0123456789 abcdef\n" * 150_000)),
        "a mail announced above the limit": lambda p: p.send(
            ANNA, mail("too large"), mail_options=" SIZE=9000000"),
        "8-bit text": lambda p: p.send(
            ANNA, mail("Grüße", "Grüße aus Köln\n", MIME_Version="1.0",
                       Content_Type="text/plain; charset=utf-8",
                       Content_Transfer_Encoding="8bit"), mail_options=" BODY=8BITMIME"),
        "SMTPUTF8": lambda p: p.send(ANNA, mail("Grüße"), mail_options=" SMTPUTF8"),
        "no header": lambda p: p.send(ANNA, b"just text\r\n"),
        "long lines": lambda p: p.send(ANNA, mail("long", "x" * 3000 + "\n")),
        "a forged header": lambda p: p.send(ANNA, FORGED + mail("forged")),
        "a valid signature": lambda p: p.send(ANNA, signed),
        "a broken signature": lambda p: p.send(
            ANNA, signed.replace(b"all is well", b"all is lost")),
        "a forbidden field": lambda p: p.send(ANNA, mail("no", X_Forbidden="yes")),
        "a noted field": lambda p: p.send(ANNA, mail("noted", X_Noted="yes")),
        # One recipient each: deliveries of two end in any order.
        "a success notification, delivered": lambda p: _with_notification(p, ANNA),
        "a success notification, relayed":
            lambda p: _with_notification(p, "info@partner.example"),
        "TLS on port 25": _with_tls,
        "BDAT": _with_bdat,
        "HELO, RSET and two mails": _two_mails,
        "other commands": _other_commands,
        "many unknown recipients": lambda p: p.send(
            [f"nobody{i}@{DOMAIN}" for i in range(30)], mail("many")),
        # postscreen.
        "a client that is new": lambda p: p.send(ANNA, mail("new"), source=p.newcomer),
        "a client that talks too early": _too_early,
        # Out.
        "a trusted client to others":
            lambda p: p.send(STRANGER, mail("out"), sender=ANNA, source=TRUSTED_CLIENT),
        "a trusted client to a mailbox":
            lambda p: p.send(CARLA, mail("in"), sender=ANNA, source=TRUSTED_CLIENT),
        "a trusted client with a virus":
            lambda p: p.send([ANNA, STRANGER], infected(), source=TRUSTED_CLIENT),
        "submission to others": lambda p: _submit(p, STRANGER, mail("out")),
        "submission to a mailbox": lambda p: _submit(p, ANNA, mail("in")),
        "submission to many": lambda p: _submit(
            p, [STRANGER, ANNA, CARLA, f"info@{PARTNER}"], mail("all")),
        "submission of a virus": lambda p: _submit(p, [STRANGER, ANNA], infected()),
        "submission without a login": _submit_without_login,
        "submission with a wrong password": _submit_with_wrong_password,
        "sendmail": lambda p: p.sendmail(f"root@{DOMAIN}", [STRANGER, BERT], mail("cron")),
        "a refusal far away": lambda p: p.send(
            "refused@stranger.example", mail("out"), sender=ANNA, source=TRUSTED_CLIENT),
    }
    return mails


def _submit(probe, recipients, message):
    recipients = [recipients] if isinstance(recipients, str) else recipients
    with probe.submission("anna@site.example", "geheim") as session:
        session.send(ANNA, recipients, message)


def _submit_without_login(probe):
    with probe.session(port=587, source="198.51.100.77") as session:
        session.send(ANNA, [STRANGER], mail("no TLS"))
        session.starttls()
        session.send(ANNA, [STRANGER, BERT], mail("no login"))


def _submit_with_wrong_password(probe):
    with probe.session(port=587, source="198.51.100.77") as session:
        session.starttls()
        session.login("carla@boxes.example", "wrong")
        session.login("nobody@boxes.example", "secret")


def _with_notification(probe, recipient):
    with probe.session() as session:
        session.command("MAIL FROM:<anna@sender.example> RET=HDRS ENVID=probe1")
        session.command(
            f"RCPT TO:<{recipient}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;{recipient}")
        session.command("DATA")
        session.command(mail("notify").removesuffix(b"\r\n") + b"\r\n.")


def _with_tls(probe):
    with probe.session() as session:
        session.starttls()
        session.send("anna@sender.example", [ANNA], mail("tls"))


def _with_bdat(probe):
    message = mail("bdat")
    with probe.session() as session:
        session.command("MAIL FROM:<anna@sender.example>")
        session.command(f"RCPT TO:<{ANNA}>")
        session.chunk(message[:50])
        session.chunk(message[50:], last=True)


def _two_mails(probe):
    with probe.session() as session:
        session.command("HELO mail.sender.example")
        session.command("MAIL FROM:<anna@sender.example>")
        session.command(f"RCPT TO:<{ANNA}>")
        session.command("RSET")
        session.send("anna@sender.example", [ANNA], mail("first"))
        session.send("bert@sender.example", [CARLA], mail("second"))


def _other_commands(probe):
    with probe.session() as session:
        for command in (f"VRFY {ANNA}", "EXPN staff", "ETRN site.example", "NOOP", "HELP",
                        "AUTH PLAIN AGEAYg==", "RCPT TO:<anna@site.example>", "DATA",
                        "MAIL FROM:<a@b@c>", "XCLIENT ADDR=192.0.2.1", "GET / HTTP/1.0"):
            session.command(command)


def _too_early(probe):
    """Talks before it is greeted."""
    probe.early += 1
    try:
        with socket.create_connection((probe.host.address, 25), 20,
                                      source_address=("198.51.100.66", 0)) as client:
            client.sendall(b"EHLO early.example\r\nMAIL FROM:<anna@sender.example>\r\n"
                           b"RCPT TO:<anna@site.example>\r\nQUIT\r\n")
            for line in client.makefile("rb"):
                probe.note(line.decode().rstrip())
    except OSError:
        probe.note("(closed)")

