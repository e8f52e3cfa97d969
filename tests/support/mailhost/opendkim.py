# SPDX-License-Identifier: GPL-2.0-or-later
"""An opendkim of a mail host: verifies what comes in, signs what the site sends."""

import pathlib
import shutil

from service import Server

CONFIG = """\
Syslog no
UMask 007
Mode sv
UserID opendkim
PidFile {directory}/opendkim.pid
Socket local:{socket}
Nameservers {resolver}
AuthservID {host}
AlwaysAddARHeader yes
RemoveARAll {removes}
InternalHosts {directory}/internal
KeyTable {directory}/keys
SigningTable refile:{directory}/signing
Canonicalization relaxed/simple
OversignHeaders From
"""


class OpenDkim:
    """`spool` is Postfix's queue directory, `key` what the site signs with, `internal` the
    networks whose mail is signed; `removes` whether fields in its name are removed."""

    milter = "unix:opendkim/opendkim.sock"  # as a chrooted smtpd sees it

    def __init__(self, directory, spool, host, key, internal, resolver, removes="yes"):
        self.directory = pathlib.Path(directory)
        self.socket = pathlib.Path(spool) / "opendkim" / "opendkim.sock"
        self.directory.mkdir()
        self.socket.parent.mkdir(parents=True)
        shutil.chown(self.socket.parent, "opendkim", "postfix")
        self.socket.parent.chmod(0o2750)
        private = self.directory / "site.private"
        private.write_text(key.private)
        private.chmod(0o600)
        files = {
            "internal": "".join(f"{network}\n" for network in internal),
            "keys": f"{key.name} {key.domain}:{key.selector}:{private}\n",
            "signing": f"*@{key.domain} {key.name}\n",
        }
        for name, text in files.items():
            (self.directory / name).write_text(text)
        for file in (self.directory, private):
            shutil.chown(file, "opendkim", "opendkim")
        self.config = self.directory / "opendkim.conf"
        self.config.write_text(CONFIG.format(
            directory=self.directory, socket=self.socket, resolver=resolver, host=host,
            removes=removes))
        self._server = Server(["opendkim", "-f", "-x", self.config],
                              self.directory / "opendkim.log")

    def start(self):
        self._server.start(self.socket.exists)
        return self

    def stop(self):
        self._server.stop()
