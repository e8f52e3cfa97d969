# SPDX-License-Identifier: GPL-2.0-or-later
"""A private Postfix that throws accepted mail away, what is attached to it, and load."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import machine

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = SOURCE / "build/bin"
DOMAIN = "bench.example"
CLIENTS = 200

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {root}/spool
data_directory = {root}/data
mail_owner = postfix
setgid_group = postdrop
multi_instance_name = postfix-bench
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
myhostname = mx.bench.example
mydestination =
local_recipient_maps =
local_transport = error:no local mail
alias_maps =
alias_database =
mynetworks = 127.0.0.99/32
relay_domains = {domain}
relay_transport = discard:
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions =
maillog_file = {root}/mail.log
maillog_file_prefixes = {root}
in_flow_delay = 0
message_size_limit = 200000000
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
enable_long_queue_ids = yes
"""


class LoadRig:
    """A directory in memory, processes in a cgroup for each variant, and Postfix."""

    def __init__(self, options, ports):
        """`ports` by variant."""
        self.options = options
        self.ports = ports
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="mxfeed-bench.", dir="/dev/shm"))
        self.root.chmod(0o755)
        self.children = []
        self.groups = {"postfix": machine.Cgroup("postfix")}
        self.calibration = machine.Calibration()

    def group(self, name):
        if name not in self.groups:
            self.groups[name] = machine.Cgroup(name)
        return self.groups[name]

    def spawn(self, variant, command, **environment):
        """Starts a program in the variant's cgroup; its output goes to its log."""
        with open(self.root / f"{variant}.log", "ab") as log:
            child = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**os.environ, **environment},
                preexec_fn=self.group(variant).join)
        self.children.append(child)
        return child

    def daemon(self, variant, *command):
        """The same, and waits until it says READY=1."""
        notify = self.root / f"notify.{len(self.children)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            ready.settimeout(60)
            self.spawn(variant, command, NOTIFY_SOCKET=str(notify))
            while b"READY=1" not in ready.recv(4096):
                pass

    def wait_for(self, path, seconds=180):
        """Until a server has made its socket."""
        deadline = time.monotonic() + seconds
        while not path.exists():
            if time.monotonic() > deadline:
                sys.exit(f"{path} does not appear; see the logs in {self.root} (--keep)")
            time.sleep(0.05)

    def socket_of(self, variant, name):
        directory = self.root / "sockets"
        directory.mkdir(exist_ok=True)
        return f"unix:{directory}/{variant}-{name}.sock"

    def apply(self, variant, settings, domain):
        """A state directory for mxfeed's daemons, of one domain."""
        state = self.root / f"{variant}-state"
        config = self.root / f"{variant}-config"
        (config / "domains.d").mkdir(parents=True)
        state.mkdir()
        (config / "mxfeed.toml").write_text(settings)
        (config / "domains.d/bench.toml").write_text(domain)
        subprocess.run([BIN / "mxfeed", "apply", "--no-postfix", "--config", config,
                        "--state", state], check=True, stdout=subprocess.DEVNULL)
        return state

    def start_raw(self, variant, shapes):
        names = []
        for i, shape in enumerate(shapes):
            names.append(self.socket_of(variant, str(i)))
            self.daemon(variant, BIN / "bench_raw_milter", shape, names[-1])
        return names

    def start_postfix(self, listeners):
        """`listeners`: the options of the smtpd of each variant."""
        etc = self.root / "etc"
        etc.mkdir()
        for name in ("spool", "data"):
            (self.root / name).mkdir()
        shutil.chown(self.root / "data", "postfix")
        (etc / "main.cf").write_text(MAIN_CF.format(root=self.root, domain=DOMAIN))
        services = []
        for line in pathlib.Path("/usr/share/postfix/master.cf.dist").read_text().splitlines():
            fields = line.split()
            if len(fields) >= 8 and not line.startswith(("#", " ")) and fields[0] != "smtp" \
                    or line.startswith("smtp ") and fields[1] == "unix":
                fields[4] = "n"  # no chroot
                line = " ".join(fields)
            elif line.startswith("smtp "):
                continue  # our listeners take its place
            services.append(line)
        services.append("postlog unix-dgram n - n - 1 postlogd")
        for variant, parameters in listeners.items():
            services.append(f"127.0.0.1:{self.ports[variant]} inet n - n - - smtpd")
            services.append("  -o smtpd_upstream_proxy_protocol=haproxy")
            services += ["  -o { %s }" % parameter for parameter in parameters]
        (etc / "master.cf").write_text("\n".join(services) + "\n")
        subprocess.run(["postfix", "-c", etc, "start"], check=True,
                       stderr=subprocess.DEVNULL, preexec_fn=self.groups["postfix"].join)

    def load(self, variant, sessions, messages, seed, *more):
        out = subprocess.run(
            [BIN / "bench_smtp_load", f"127.0.0.1:{self.ports[variant]}", str(sessions),
             str(messages), f"info@{DOMAIN}", self.root / "mails", "proxy", f"seed={seed}",
             f"clients={CLIENTS}", *more],
            check=True, capture_output=True, text=True)
        return json.loads(out.stdout)

    def measure(self, variant, sessions, messages, seed, *more):
        groups = [g for g in (self.groups["postfix"], self.groups.get(variant)) if g]
        before = [g.cpu_seconds() for g in groups]
        result = self.load(variant, sessions, messages, seed, *more)
        # What Postfix still has to do for accepted mail belongs to it.
        self.wait_for_empty_queue()
        spent = [g.cpu_seconds() - b for g, b in zip(groups, before)]
        result["postfix_cpu_ms"] = 1000 * spent[0] / messages
        result["filter_cpu_ms"] = 1000 * spent[1] / messages if len(spent) > 1 else 0.0
        return result

    def wait_for_empty_queue(self):
        deadline = time.monotonic() + 60
        spool = self.root / "spool"
        while any(next((spool / q).iterdir(), None) for q in ("incoming", "active")):
            if time.monotonic() > deadline:
                sys.exit("the queue does not empty")
            time.sleep(0.01)

    def warm(self, variant):
        """Until the greylist knows all senders and every cache is filled."""
        deadline = time.monotonic() + 60
        while self.load(variant, 4, CLIENTS, 0)["refused"]:
            if time.monotonic() > deadline:
                sys.exit(f"{variant}: mails are still refused")

    def choose_mails(self, number, least=0, most=1 << 30):
        """At most so many of `least` to `most` bytes, half of them ham, half spam, of the corpus."""
        corpus = pathlib.Path(subprocess.run(
            [SOURCE / "tests/support/fetch-corpus"], check=True, capture_output=True,
            text=True).stdout.strip())
        ham, spam = ([path for path in sorted(corpus.glob(f"{kind}/*.txt"))
                      if least <= path.stat().st_size <= most][:number // 2]
                     for kind in ("easy-ham-1", "spam-1"))
        mails = [path for pair in zip(ham, spam) for path in pair]
        (self.root / "mails").write_text("".join(f"{path}\n" for path in mails))

    def close(self):
        if (self.root / "etc").exists():
            subprocess.run(["postfix", "-c", self.root / "etc", "stop"],
                           stderr=subprocess.DEVNULL)
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(40)
            except subprocess.TimeoutExpired:
                child.kill()
        for group in self.groups.values():
            group.remove()
        self.calibration.close()
        if self.options.keep:
            print(f"kept {self.root}", file=sys.stderr)
        else:
            shutil.rmtree(self.root)


def build_programs(*programs):
    subprocess.run(["cmake", "--preset", "release"], cwd=SOURCE, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "build", "--target", *programs], cwd=SOURCE,
                   check=True, stdout=subprocess.DEVNULL)
