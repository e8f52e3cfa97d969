# SPDX-License-Identifier: GPL-2.0-or-later
"""A mail host that is in use, as a site runs one: postscreen on port 25, submission with
logins, local mailboxes and those of Dovecot, opendkim, a sealing milter, a content filter
behind the queue, relay domains with known recipients, aliases.  mxfeed can be attached.

    host = MailHost(directory, "192.0.2.10", resolver="192.0.2.53")
    host.start()
    host.configure('[[domain]]\\nname = "acme.example"\\n...')
    host.start_mxfeed()
    host.attach()
    ...
    host.detach()
    host.stop()

Needs root and a mount namespace of its own: it has users of its own in /etc/passwd.
"""

import json
import pathlib
import re
import shutil
import subprocess

from gateway import Gateway
from mailhost.content_filter import ContentFilter
from mailhost.dkim import Key
from mailhost.dovecot import Dovecot
from mailhost.opendkim import OpenDkim
from mailhost.sealer import Sealer
from service import eventually

NAME = "mail.site.example"
DOMAIN = "site.example"  # local: anna and bert
BOXES = "boxes.example"  # mailboxes of Dovecot: carla and dora
PARTNER = "partner.example"  # relayed by the site itself: info and sales
USERS = ("anna", "bert")  # with mailboxes in their home directories
LOGINS = {f"carla@{BOXES}": "secret", f"dora@{BOXES}": "secret", f"anna@{DOMAIN}": "geheim"}
FIRST_UID = 20001
TRUSTED = "198.51.100.192/27"  # mynetworks
TRUSTED_CLIENT = "198.51.100.200"

# As a postmaster wrote it over the years: comments, tabs, folded lines, no order.
MAIN_CF = """\
# See /usr/share/postfix/main.cf.dist for a commented, more complete version

smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6
queue_directory = {spool}
data_directory = {data}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {log}
maillog_file_prefixes = {directory}

# TLS parameters
smtpd_tls_cert_file={etc}/mail.pem
smtpd_tls_key_file={etc}/mail.key
smtpd_tls_security_level=may

smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
smtpd_recipient_restrictions =
    reject_unknown_recipient_domain,
    # refuse what nobody may send to
\tcheck_recipient_access hash:{etc}/recipient_access,
    permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_helo_required=yes
disable_vrfy_command =\tyes
myhostname = {name}
myorigin = {domain}
alias_maps = hash:{etc}/aliases
alias_database = hash:{etc}/aliases
mydestination = $myhostname, {domain}, localhost.{domain}, localhost
relayhost =
mynetworks = 127.0.0.0/8
  {trusted}
mailbox_size_limit = 0
smtpd_error_sleep_time = 0
message_size_limit = 2000000
recipient_delimiter = +
home_mailbox = Maildir/
inet_interfaces = {address}, 127.0.0.1
inet_protocols = ipv4

# mailboxes of Dovecot
virtual_mailbox_domains = {boxes}
virtual_mailbox_maps = hash:{etc}/mailboxes
virtual_transport = lmtp:unix:private/dovecot-lmtp
virtual_alias_maps = hash:{etc}/virtual

# what we relay for our partner
relay_domains = hash:{etc}/relay_domains
relay_recipient_maps = hash:{etc}/relay_recipients
transport_maps = hash:{etc}/transport

# logins
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_auth_enable = no

# postscreen
postscreen_greet_wait = 1s
postscreen_greet_action = enforce
postscreen_access_list = permit_mynetworks

# milters: opendkim, and the seal
smtpd_milters = {verifier}
\t{sealer}
non_smtpd_milters = $smtpd_milters
milter_default_action = accept

header_checks = regexp:{etc}/header_checks
content_filter = amavis:[127.0.0.1]:10024
"""

# Added to Debian's master.cf.
SERVICES = """\
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
# mail programs send odd things
  -o smtpd_reject_unlisted_recipient=no
  -o smtpd_client_restrictions=
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o milter_macro_daemon_name=ORIGINATING
amavis    unix  -       -       y       -       2       smtp
\t-o smtp_data_done_timeout=1200
\t-o smtp_send_xforward_command=yes
# a session for each mail: whether a cached one is used depends on the time
\t-o smtp_connection_cache_on_demand=no
127.0.0.1:10025 inet n  -       y       -       -       smtpd
  -o content_filter=
  -o receive_override_options=no_unknown_recipient_checks,no_header_body_checks,no_milters
  -o smtpd_authorized_xforward_hosts=127.0.0.0/8
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o smtpd_relay_restrictions=permit_mynetworks,reject
  -o mynetworks=127.0.0.0/8
"""

TABLES = {
    "aliases": "postmaster: anna\nroot: anna\nstaff: anna, bert\n",
    "recipient_access": f"closed@{DOMAIN} REJECT this mailbox is closed\n",
    "mailboxes": f"carla@{BOXES} carla\ndora@{BOXES} dora\n",
    "virtual": f"sales@{DOMAIN} anna@{DOMAIN}, carla@{BOXES}\n"
               f"away@{DOMAIN} someone@stranger.example\n",
    "relay_domains": f"{PARTNER} OK\n",
    "relay_recipients": f"info@{PARTNER} OK\nsales@{PARTNER} OK\n",
    "transport": f"{PARTNER} relay:[203.0.113.20]\n",
}
HEADER_CHECKS = "/^X-Forbidden:/ REJECT a forbidden field\n/^X-Noted:/ WARN noted\n"


class MailHost(Gateway):
    """`key` is what the site signs with; its record must be in the DNS."""

    def __init__(self, directory, address, resolver, key=None):
        super().__init__(directory, f"{address}:25", host=NAME)
        self.dedicated = False
        self.address = address
        self.key = key or Key(DOMAIN)
        self.homes = self.directory / "home"
        self._make_users()
        self._write_postfix()
        self.sealer = Sealer()
        self.filter = ContentFilter()
        self.opendkim = OpenDkim(self.directory / "opendkim", self.postfix.spool, NAME, self.key,
                                 ("127.0.0.0/8", TRUSTED), resolver)
        self.dovecot = Dovecot(self.directory / "dovecot", self.postfix.spool / "private", LOGINS,
                               "vmail")

    # ... the site

    def start(self, parameters=None):
        """The site without mxfeed; `parameters` are added to its main.cf."""
        if parameters:
            with open(self.main_cf, "a", encoding="utf-8") as file:
                file.writelines(f"{name} = {value}\n" for name, value in parameters.items())
        self.sealer.up()
        self.filter.up()
        self.opendkim.start()
        self.postfix.start()
        self.dovecot.start()
        return self

    def stop(self):
        try:
            super().stop()
        finally:
            self.dovecot.stop()
            self.opendkim.stop()
            self.filter.down()
            self.sealer.down()

    @property
    def main_cf(self):
        return self.postfix.config / "main.cf"

    @property
    def master_cf(self):
        return self.postfix.config / "master.cf"

    def mailboxes(self):
        """{name: Maildir} of all local mailboxes."""
        return {**{f"{user}@{DOMAIN}": self.homes / user / "Maildir" for user in USERS},
                **{f"{user}@{BOXES}": self.dovecot.maildir(f"{user}@{BOXES}")
                   for user in ("carla", "dora")}}

    def log_files(self):
        return [*super().log_files(), *(file for file in (self.dovecot.log_file,)
                                        if file.exists())]

    def _make_users(self):
        """The users that mail is delivered to, in the files of this mount namespace only."""
        self.homes.mkdir(mode=0o755)
        for name, line in (("passwd", "{0}:x:{1}:{1}::{2}:/bin/false"), ("group", "{0}:x:{1}:")):
            text = pathlib.Path("/etc", name).read_text()
            for uid, user in enumerate((*USERS, "vmail"), FIRST_UID):
                text = re.sub(rf"(?m)^{user}:.*\n", "", text)  # of a host before this one
                text += line.format(user, uid, self.homes / user) + "\n"
            file = self.directory / f"etc-{name}"
            file.write_text(text)
            file.chmod(0o644)
            subprocess.run(["mount", "--bind", file, f"/etc/{name}"], check=True)
        for user in USERS:
            (self.homes / user).mkdir()
            shutil.chown(self.homes / user, user, user)

    def _write_postfix(self):
        postfix = self.postfix
        postfix.make_directories()
        etc = postfix.config
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9",
                        "-subj", f"/CN={NAME}", "-keyout", etc / "mail.key",
                        "-out", etc / "mail.pem"], check=True, capture_output=True)
        self.main_cf.write_text(MAIN_CF.format(
            spool=postfix.spool, data=postfix.data, log=postfix.log_file, etc=etc,
            directory=postfix.directory, name=NAME, domain=DOMAIN,
            boxes=BOXES, trusted=TRUSTED, address=self.address,
            verifier=OpenDkim.milter, sealer=Sealer.milter))
        master = postfix.master_text()
        # What the comments in Debian's file say of postscreen.
        master = re.sub(r"(?m)^(smtp +inet .* smtpd)$", r"#\1", master, count=1)
        for service in (r"smtp +inet .* postscreen", r"smtpd +pass .*", r"dnsblog +unix .*",
                        r"tlsproxy +unix .*"):
            master, count = re.subn(rf"(?m)^#({service})$", r"\1", master)
            assert count == 1, service
        self.master_cf.write_text(master + SERVICES)
        (etc / "header_checks").write_text(HEADER_CHECKS)
        for name, text in TABLES.items():
            (etc / name).write_text(text)
            tool = "postalias" if name == "aliases" else "postmap"
            subprocess.run([tool, "-c", etc, f"hash:{etc / name}"], check=True)

    # ... mxfeed on it

    def configure(self, domains, gateway="", **files):
        """As of a gateway; the site's milters are named."""
        super().configure(domains, f"""\
[postfix]
verifiers = ["{self.opendkim.milter}"]
sealers = ["{self.sealer.milter}"]
{gateway}""", **files)

    def start_mxfeed(self):
        """Puts the configuration in force and starts the daemons; Postfix is left alone."""
        self.compile()
        self.start_daemons()

    def compile(self):
        """Puts the configuration in force; Postfix is left alone."""
        self.mxfeed("apply", "--host", self.host, "--no-postfix", "--allow-removals", "10")

    def postfix_command(self, verb, *arguments, check=True):
        """`mxfeed postfix VERB` on this site's Postfix."""
        return self.mxfeed("postfix", verb, *arguments, "--postfix-config", self.postfix.config,
                           check=check)

    def attach(self, *arguments):
        return self.postfix_command("attach", *arguments).stdout

    def detach(self, status=0):
        """One step of it, which ends with `status`: 75 while mail for hosted domains waits."""
        done = self.postfix_command("detach", check=False)
        if done.returncode != status:
            raise AssertionError(f"detach: {done.returncode}, not {status}\n"
                                 f"{done.stdout}{done.stderr}")
        return done.stdout

    def attach_state(self):
        """What `mxfeed postfix status` calls it, and its exit code."""
        done = self.postfix_command("status", "--json", check=False)
        return json.loads(done.stdout)["state"], done.returncode

    def settings(self):
        """What is in force: {parameter: value}, as postconf -n and -P list it."""
        lines = []
        for option in ("-n", "-P"):
            lines += subprocess.run(["postconf", "-c", self.postfix.config, option], check=True,
                                    capture_output=True, text=True).stdout.splitlines()
        found = {name.strip(): value.strip() for name, _, value in
                 (line.partition("=") for line in lines)}
        # Where postconf(1) looks; that of Postfix 3.10 lists it now and then.
        found.pop("config_directory", None)
        return found

    def files(self):
        """The bytes of main.cf and master.cf."""
        return self.main_cf.read_bytes(), self.master_cf.read_bytes()

    def wait_delivered(self, seconds=60.0):
        """Waits until nothing is on its way."""
        eventually(lambda: not self.postfix.queue(), "the queue is empty", seconds)
