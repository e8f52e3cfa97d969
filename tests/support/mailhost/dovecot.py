# SPDX-License-Identifier: GPL-2.0-or-later
"""A Dovecot of a mail host: logins for Postfix (SASL), and mailboxes by LMTP."""

import pathlib
import re
import shutil
import subprocess

from service import Server

# Dovecot 2.3 (Debian 12).
CONFIG_23 = """\
protocols = lmtp
base_dir = {directory}/run
log_path = {directory}/dovecot.log
ssl = no
auth_mechanisms = plain login
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = username_format=%u {directory}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={user} home={directory}/boxes/%u
}}
"""
# Dovecot 2.4 (Debian 13).
CONFIG_24 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = lmtp
base_dir = {directory}/run
log_path = {directory}/dovecot.log
ssl = no
auth_mechanisms = plain login
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
first_valid_uid = 1
passdb passwd-file {{
  passwd_file_path = {directory}/users
}}
userdb static {{
  fields {{
    uid = {user}
    gid = {user}
    home = {directory}/boxes/%{{user}}
  }}
}}
"""
SERVICES = """\
service auth {{
  unix_listener {private}/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service lmtp {{
  unix_listener {private}/dovecot-lmtp {{
    mode = 0600
    user = postfix
    group = postfix
  }}
}}
"""


class Dovecot:
    """`private` is the directory of Postfix's sockets, `users` {address: password}, `user` the
    owner of the mailboxes."""

    def __init__(self, directory, private, users, user):
        self.directory = pathlib.Path(directory)
        self.private = pathlib.Path(private)
        self.log_file = self.directory / "dovecot.log"
        (self.directory / "boxes").mkdir(parents=True)
        shutil.chown(self.directory / "boxes", user, user)
        (self.directory / "users").write_text(
            "".join(f"{address}:{{PLAIN}}{password}\n" for address, password in users.items()))
        version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True,
                                 check=True).stdout
        old = re.match(r"2\.3\.", version)
        self.config = self.directory / "dovecot.conf"
        self.config.write_text(((CONFIG_23 if old else CONFIG_24) + SERVICES).format(
            directory=self.directory, private=self.private, user=user))
        self._server = Server(["dovecot", "-F", "-c", self.config], self.directory / "start.log")

    def start(self):
        sockets = (self.private / "auth", self.private / "dovecot-lmtp")
        self._server.start(lambda: all(file.exists() for file in sockets))
        return self

    def stop(self):
        self._server.stop()

    def maildir(self, address):
        return self.directory / "boxes" / address / "Maildir"
