# SPDX-License-Identifier: GPL-2.0-or-later
"""A Dovecot as Debian sets it up, small, with the file that `mxfeed mailbox setup` writes, and
the clients that people read their mail with."""

import email
import imaplib
import pathlib
import poplib
import re
import subprocess

from service import Server

# Dovecot 2.3 (Debian 12).
CONFIG_23 = """\
protocols = lmtp pop3 imap
base_dir = {directory}/run
log_path = {log}
listen = {address}
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
# A site whose own users have no domain.
auth_username_format = %Ln
"""
# Dovecot 2.4 (Debian 13).
CONFIG_24 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = lmtp pop3 imap
base_dir = {directory}/run
log_path = {log}
listen = {address}
ssl = no
auth_allow_cleartext = yes
first_valid_uid = 1
# As Debian has them, for users without a domain.
mail_inbox_path = /var/mail/%{{user}}
protocol lmtp {{
  auth_username_format = %{{user | username | lower}}
}}
"""
# Wrong passwords are answered at once.
MORE = """\
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
auth_failure_delay = 0
!include_try conf.d/*.conf
"""


class MailboxServer:
    def __init__(self, directory, address, log):
        self.directory = pathlib.Path(directory)
        self.address = address
        (self.directory / "conf.d").mkdir(parents=True)
        self.directory.chmod(0o755)
        version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True,
                                 check=True).stdout
        old = re.match(r"2\.3\.", version)
        self.config = self.directory / "dovecot.conf"
        self.config.write_text(((CONFIG_23 if old else CONFIG_24) + MORE).format(
            directory=self.directory, address=address, log=log))
        self._server = Server(["dovecot", "-F", "-c", self.config], self.directory / "start.log")

    def start(self, socket):
        self._server.start(socket.exists)
        return self

    def stop(self):
        self._server.stop()

    def pop3(self, user, password):
        """The messages of a mailbox, as POP3 hands them over."""
        client = poplib.POP3(self.address, timeout=20)
        try:
            client.user(user)
            client.pass_(password)
            return [email.message_from_bytes(b"\r\n".join(client.retr(i + 1)[1]) + b"\r\n")
                    for i in range(client.stat()[0])]
        finally:
            client.close()

    def imap(self, user, password):
        """The same by IMAP."""
        with imaplib.IMAP4(self.address, timeout=20) as client:
            client.login(user, password)
            client.select("INBOX", readonly=True)
            numbers = client.search(None, "ALL")[1][0].split()
            return [email.message_from_bytes(client.fetch(number, "(RFC822)")[1][0][1])
                    for number in numbers]

    def lets_in(self, user, password):
        client = poplib.POP3(self.address, timeout=20)
        try:
            client.user(user)
            client.pass_(password)
            return True
        except poplib.error_proto:
            return False
        finally:
            client.close()
