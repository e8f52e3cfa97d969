# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs that benches compare with, configured as their Debian packages do."""

import os
import pathlib
import subprocess

from load_rig import SOURCE, LoadRig

ASIDE = SOURCE / "build" / "aside"
RSPAMD = pathlib.Path("/")  # it is installed
# As mxfeed-scan sets it for itself.
TUNED_MALLOC = {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=268435456:"
                                  "glibc.malloc.trim_threshold=2147483647:"
                                  "glibc.malloc.top_pad=16777216"}

# /etc/clamav as the packages' scripts write it, but for paths, users and the log.
CLAMD_CONF = """\
LocalSocket {root}/clamd.sock
LocalSocketMode 666
DatabaseDirectory {signatures}
TemporaryDirectory {root}
User root
ScanMail true
ScanArchive true
ArchiveBlockEncrypted false
MaxDirectoryRecursion 15
FollowDirectorySymlinks false
FollowFileSymlinks false
ReadTimeout 180
MaxThreads 12
MaxConnectionQueueLength 15
LogFile {root}/clamd.log
SelfCheck 3600
Bytecode true
DisableCache true
BytecodeSecurity TrustSigned
BytecodeTimeout 60000
StreamMaxLength 100M
MaxFileSize 100M
MaxScanSize 400M
"""
MILTER_CONF = """\
MilterSocket {socket}
MilterSocketMode 666
ClamdSocket unix:{root}/clamd.sock
User root
Foreground true
OnInfected Quarantine
OnClean Accept
OnFail Defer
AddHeader Replace
LogFile {root}/milter.log
LogInfected Off
MaxFileSize 100M
"""
# Knows no name, and says so at once.
UNBOUND_CONF = """\
server:
  interface: 127.0.0.1@{port}
  chroot: ""
  username: ""
  directory: "{root}"
  pidfile: "{root}/unbound.pid"
  use-syslog: no
  local-zone: "." static
  local-data: ". 3600 IN SOA localhost. nobody.invalid. 1 3600 1200 604800 3600"
remote-control:
  control-enable: no
"""
# /etc/rspamd/local.d.  What needs the Internet is off; postgrey greylists.
RSPAMD_LOCAL = {
    "worker-proxy.inc": 'bind_socket = "{root}/milter.sock mode=0666"; milter = yes; '
                        'count = {cores}; upstream "local" {{ default = yes; self_scan = yes; }}',
    "worker-normal.inc": "enabled = false;",
    "worker-controller.inc": 'bind_socket = "{root}/controller.sock";',
    "options.inc": 'dns {{ nameserver = ["127.0.0.1:{port}"]; }}',
    "redis.conf": 'servers = "{redis}";',
    "classifier-bayes.conf": 'backend = "redis";',
    "actions.conf": "reject = 999;",
    "logging.inc": 'type = "file"; filename = "{root}/rspamd.log"; level = "error";',
    **{f"{module}.conf": "enabled = false;"
       for module in ("greylist", "fuzzy_check", "rspamd_update", "asn")},
}


def unpack_peers():
    subprocess.run(["bash", "-euc", '. packaging/packages.sh; install_packages rspamd; '
                    'unpack_aside build/aside "${bench_packages[@]}"'], cwd=SOURCE, check=True)


class PeerRig(LoadRig):
    def start_redis(self, variant, group):
        """`group`: where its CPU time counts."""
        path = self.root / f"{variant}-redis.sock"
        self.spawn(group,
                   ["redis-server", "--port", "0", "--unixsocket", path,
                    "--unixsocketperm", "777", "--save", "", "--appendonly", "no",
                    "--dir", self.root])
        self.wait_for(path)
        return path

    def start_clamav(self, name, database, **environment):
        root = self.root / name
        root.mkdir()
        (root / "clamd.conf").write_text(CLAMD_CONF.format(root=root, signatures=database))
        self.spawn(name, [ASIDE / "clamav-daemon/usr/sbin/clamd", "-F", "-c",
                          root / "clamd.conf"], **environment)
        self.wait_for(root / "clamd.sock")
        socket = root / "milter.sock"
        (root / "milter.conf").write_text(MILTER_CONF.format(root=root, socket=socket))
        self.spawn(name, [ASIDE / "clamav-milter/usr/sbin/clamav-milter", "-c",
                          root / "milter.conf"])
        self.wait_for(socket)
        return f"unix:{socket}"

    def start_postgrey(self, variant="postgrey"):
        root = ASIDE / "postgrey"
        state = self.root / f"{variant}-greylist"
        state.mkdir(mode=0o777)
        state.chmod(0o777)
        lists = root / "usr/share/postgrey"
        if not lists.exists():
            lists = root / "etc/postgrey"
        self.spawn(variant,
                   ["perl", "-T", root / "usr/sbin/postgrey", f"--unix={state}/socket",
                    f"--dbdir={state}", "--quiet", "--delay=1", "--user=root", "--group=root",
                    f"--whitelist-recipients={lists}/whitelist_recipients",
                    f"--whitelist-clients={lists}/whitelist_clients"])
        self.wait_for(state / "socket")
        (state / "socket").chmod(0o666)
        return [f"smtpd_recipient_restrictions = check_policy_service unix:{state}/socket"]

    def start_resolver(self, variant, port):
        root = self.root / f"{variant}-unbound"
        root.mkdir()
        (root / "unbound.conf").write_text(UNBOUND_CONF.format(root=root, port=port))
        self.spawn(variant, [ASIDE / "unbound/usr/sbin/unbound", "-d", "-c",
                             root / "unbound.conf"])

    def start_rspamd(self, variant, port, **environment):
        """All of Debian's configuration; `port` is for its resolver."""
        package = RSPAMD
        share = package / "usr/share/rspamd"
        root = self.root / f"{variant}-rspamd"
        (root / "local.d").mkdir(parents=True)
        self.start_resolver(variant, port)
        values = {"root": root, "port": port, "cores": os.cpu_count(),
                  "redis": self.start_redis(variant, variant)}
        for name, text in RSPAMD_LOCAL.items():
            (root / "local.d" / name).write_text(text.format(**values) + "\n")
        places = {"CONFDIR": package / "etc/rspamd", "LOCAL_CONFDIR": root, "DBDIR": root,
                  "RUNDIR": root, "LOGDIR": root, "SHAREDIR": share, "WWWDIR": share / "www",
                  "PLUGINSDIR": share / "plugins", "RULESDIR": share / "rules",
                  "LUALIBDIR": share / "lualib"}
        self.spawn(variant,
                   [package / "usr/bin/rspamd", "-f", "-i", "-c",
                    package / "etc/rspamd/rspamd.conf",
                    *(f"--var={name}={path}" for name, path in places.items())],
                   LD_LIBRARY_PATH=str(package / "usr/lib/rspamd"),
                   **{name: str(path) for name, path in places.items()}, **environment)
        self.wait_for(root / "milter.sock")
        return f"unix:{root}/milter.sock"
