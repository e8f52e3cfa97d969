# SPDX-License-Identifier: GPL-2.0-or-later
"""`mxfeed init` on hosts with a name and addresses of their own.  Needs unshare(1),
postconf(1)."""

import json
import os
import re
import shutil
import subprocess
import unittest

import golden

PATH = f"{os.environ['PATH']}:/usr/sbin"
FAULT = 1

# The namespace of a host: its name, its addresses, then mxfeed.
HOST = """\
hostname "$1"
ip link set lo up
for address in $2; do ip address add "$address" dev lo; done
shift 2
exec "$@"
"""

# As Debian writes it for an Internet site.
DEBIAN = """\
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6
smtpd_tls_security_level=may
smtp_tls_CApath=/etc/ssl/certs
smtp_tls_security_level=may
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = mx1.isp.example
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
mydestination = $myhostname, mx1.isp.example, mx1, localhost.isp.example, , localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
inet_protocols = all
"""
IN_USE = DEBIAN + """\
relay_domains = hash:/etc/postfix/relay
smtpd_milters = inet:localhost:8891, { unix:openarc/openarc.sock, default_action=accept }
"""
MASTER = "smtp inet n - y - - smtpd\n"


@unittest.skipUnless(shutil.which("postconf", path=PATH), "no postconf")
class InitTest(golden.TestCase):
    def setUp(self):
        super().setUp()
        (self.config / "mxfeed.toml").unlink()
        self.config.rmdir()
        self.postfix = self.directory / "postfix"
        self.postfix.mkdir()
        self.set(DEBIAN)

    def set(self, main, master=MASTER):
        (self.postfix / "main.cf").write_text(main)
        (self.postfix / "master.cf").write_text(master)

    def init(self, name="mx1.isp.example", addresses="203.0.113.2/32 2001:db8::2/128",
             status=0):
        (self.directory / "host").write_text(HOST)
        done = subprocess.run(
            ["unshare", "--user", "--map-root-user", "--net", "--uts", "--",
             "sh", self.directory / "host", name, addresses,
             golden.BUILD / "bin" / "mxfeed", "init", "--config", self.config,
             "--state", self.state, "--postfix-config", self.postfix],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            check=False, env={**os.environ, "PATH": PATH})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def gateway(self):
        return (self.config / "mxfeed.toml").read_text()

    def assert_accepted(self):
        done = self.mxfeed("check", "--no-postfix")
        self.assertEqual(done.stderr, "")

    def test_the_files_are_accepted_without_a_warning(self):
        for name, main, file in (("Debian's defaults", DEBIAN, "dedicated"),
                                 ("in use", IN_USE, "shared")):
            with self.subTest(name):
                shutil.rmtree(self.config, ignore_errors=True)
                self.set(main)
                self.init()
                self.assert_accepted()
                self.compare(golden.HERE / "init" / f"{file}.toml", self.gateway())

    def test_what_is_commented_out_is_accepted_too(self):
        for main in (DEBIAN, IN_USE):
            shutil.rmtree(self.config, ignore_errors=True)
            self.set(main)
            self.init()
            for name in ("mxfeed.toml", "domains.d/example.toml"):
                path = self.config / name
                text = re.sub(r"^#(?=[a-z_]+ *=|\[)", "", path.read_text(), flags=re.MULTILINE)
                self.assertNotEqual(text, path.read_text())
                path.write_text(text)
            self.assert_accepted()
            shown = json.loads(self.mxfeed("show", "acme-holding.example", "--json").stdout)
            self.assertEqual(shown["settings"]["service"]["value"], "backup")

    def test_a_domain_of_three_lines_is_enough(self):
        self.init()
        self.write("domains.d/acme.toml", golden.feed("acme.example"))
        self.assert_accepted()
        self.apply("--host", "mx1.isp.example")
        self.assertIn("smtp_bind_address=203.0.113.2 -o smtp_bind_address6=2001:db8::2",
                      (self.state / "current-postfix" / "master.cf").read_text())

    def test_no_file_is_overwritten(self):
        self.write("mxfeed.toml", golden.MX)
        self.write("domains.d/all.toml", golden.feed("a.example"))
        said = self.init().stdout
        self.assertIn(f"left as it is: {self.config}/mxfeed.toml\n", said)
        self.assertEqual(self.gateway(), golden.MX)
        self.assertEqual(sorted(os.listdir(self.config / "domains.d")), ["all.toml"])
        self.assertIn("next:\n", said)

    def test_it_may_be_run_again(self):
        self.init()
        before = self.gateway()
        self.set(IN_USE)
        self.assertNotIn("written:", self.init(name="other.isp.example").stdout)
        self.assertEqual(self.gateway(), before)
        self.assertEqual(os.listdir(self.config / "domains.d"), ["example.toml"])

    def test_only_public_addresses_are_written(self):
        self.init(addresses="10.0.0.2/24 203.0.113.2/32 fd00::2/128 169.254.1.1/16 2001:db8::2/128")
        self.assertIn('addresses = ["203.0.113.2", "2001:db8::2"]\n', self.gateway())

    def test_a_host_behind_nat_has_no_address(self):
        self.assertIn("note: no interface has a public address", self.init(addresses="10.0.0.2/24").stdout)
        self.assertIn('\n#addresses = ["203.0.113.2"]\n', self.gateway())
        self.assert_accepted()

    def test_a_host_without_a_domain_is_told(self):
        said = self.init(name="gateway").stdout
        self.assertIn('missing: the full name of this host, which is called "gateway"', said)
        self.assertIn("\n#[[host]]\n", self.gateway())
        self.assert_accepted()

    def test_a_postfix_that_cannot_be_examined_is_told(self):
        shutil.rmtree(self.postfix)
        self.assertIn("missing: Postfix was not examined: ", self.init().stdout)
        self.assertIn("\n#dedicated = true\n", self.gateway())
        self.assert_accepted()

    def test_a_postfix_for_this_host_only_is_told(self):
        self.set(DEBIAN.replace("inet_interfaces = all", "inet_interfaces = loopback-only"))
        self.assertIn("missing: Postfix listens on the loopback interface only", self.init().stdout)

    def test_a_place_that_cannot_be_written_is_told(self):
        self.config.write_text("a file")
        self.assertIn(str(self.config), self.init(status=FAULT).stderr)


if __name__ == "__main__":
    unittest.main()
