# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole gateway of throw-away parts: configuration, `mxfeed apply`, the daemons as processes
of their own, and a private Postfix that is attached.

    gateway = Gateway(directory, "192.0.2.10:25")
    gateway.configure('[[domain]]\nname = "acme.example"\n...')
    gateway.start()
    ...
    gateway.stop()

Needs root.  The daemons' sockets lie in Postfix's queue directory, so that the chrooted
smtpd and cleanup reach them, and may be used by group postfix only.
"""

import pathlib
import shutil
import subprocess

import postfix
import service

# Order of the milters, as they are attached.
MILTERS = ("greylist", "virus", "spam")
FIRST_PORT = 8890  # of the milters on TCP
NOT_RUNNING = 6  # exit status of mxfeed


class Gateway:
    def __init__(self, directory, listen, host="mx1.gateway.example", transport="unix",
                 dedicated=True):
        self.dedicated = dedicated
        self.directory = pathlib.Path(directory)
        self.listen = listen
        self.host = host
        self.transport = transport
        self.config = self.directory / "config"
        self.state = self.directory / "state"
        self.logs = self.directory / "log"
        self.database = self.directory / "signatures"
        for made in (self.config / "domains.d", self.state, self.logs, self.database):
            made.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)  # Postfix's daemons run as another user
        subprocess.run([service.SOURCE / "tests/support/test-database", self.database], check=True)
        self.postfix = postfix.Postfix(self.directory / "postfix", listen)
        self.daemons = {}

    # ... configuration

    def configure(self, domains, gateway="", **files):
        """Writes the TOML: `gateway` is added to mxfeed.toml, `domains` is a file of domains;
        more files of domains by name."""
        address, _, port = self.listen.rpartition(":")
        # Without a table of the test's own.
        if "[postfix]" not in gateway:
            gateway += "\n[postfix]\n"
        ours = ["dedicated = true"] if self.dedicated else []
        if port != "25":
            ours.append(f'services = ["{self.listen}/inet"]')
        gateway = gateway.replace("[postfix]\n", "\n".join(["[postfix]", *ours, ""]), 1)
        # Most clients of the tests have no name.
        if "[greylist]" not in gateway:
            gateway += "\n[greylist]\n"
        gateway = gateway.replace("[greylist]\n", '[greylist]\nunverified_delay = "0s"\n', 1)
        if "[virus]" not in gateway:
            gateway += "\n[virus]\n"
        gateway = gateway.replace(
            "[virus]\n", f'[virus]\ndatabase = "{self.database}"\nworkers = 2\n', 1)
        top, _, tables = f"\n{gateway}".partition("\n[")
        (self.config / "mxfeed.toml").write_text(f"""\
mx = ["{self.host}"]
backup_mx = ["{self.host}"]
{top}
[[host]]
name = "{self.host}"
addresses = ["{address}"]
[{tables}
""")
        for name, text in {"domains": domains, **files}.items():
            (self.config / "domains.d" / f"{name}.toml").write_text(text)

    def mxfeed(self, *arguments, check=True):
        """Runs the operator's command on this gateway; returns what it said."""
        done = subprocess.run(
            [service.program("mxfeed"), *arguments, "--config", self.config, "--state", self.state],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"mxfeed {' '.join(map(str, arguments))}: {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def apply(self, *arguments):
        """Compiles the configuration and puts it in force; Postfix notices within 10 s."""
        return self.mxfeed("apply", "--host", self.host, *self.for_postfix(), *arguments).stdout

    def apply_at_once(self, *arguments):
        """The same; Postfix has noticed when this returns."""
        self.apply(*arguments)
        self.postfix.reload()

    def for_postfix(self):
        """The arguments that tell mxfeed of our Postfix, once it runs."""
        return ("--postfix-config", self.postfix.config) if self.postfix.running else \
            ("--no-postfix",)

    # ... processes

    def start(self, parameters=None, daemons=("scan", *MILTERS)):
        """All of it; `parameters` are more of Postfix's."""
        self.apply()
        self.start_daemons(daemons)
        self.postfix.configure({"myhostname": self.host, **(parameters or {})})
        self.attach()
        self.postfix.start()
        return self

    def attach(self):
        """Makes our Postfix use what is in force."""
        done = self.mxfeed("postfix", "attach", "--postfix-config", self.postfix.config, check=False)
        # Milters on TCP have no sockets where they are looked for.
        if done.returncode != (0 if self.transport == "unix" else NOT_RUNNING):
            raise AssertionError(f"attach: {done.returncode}\n{done.stdout}{done.stderr}")
        if self.transport == "inet":
            self.postfix.edit(mxfeed_smtpd_milters=self.milters())
        return done.stdout

    def start_daemons(self, names=("scan", *MILTERS)):
        for name in names:
            self.start_daemon(name)

    def start_daemon(self, name):
        """Starts it and waits until it is ready; after a kill it takes its place again."""
        daemon = self.daemons.get(name)
        if daemon is None:
            daemon = self.daemons[name] = service.Daemon(
                name, self.state, self.logs,
                **({} if name == "scan" else {"listen": self.milter_socket(name)}),
                milter=name != "scan")
        daemon.start()
        return daemon

    def stop(self):
        """Stops everything; AssertionError if a daemon ended badly."""
        self.postfix.stop()
        complaints = []
        for name in reversed(list(self.daemons)):
            daemon = self.daemons.pop(name)
            try:
                daemon.stop()
            except AssertionError as error:
                complaints.append(str(error))
            finally:
                daemon.kill()
        if complaints:
            raise AssertionError("\n".join(complaints))

    # ... Postfix's side

    def generated(self, name):
        """The lines of a file that is in force for Postfix."""
        text = (self.state / "current-postfix" / name).read_text()
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    def milters(self):
        """The generated list of milters, with the sockets where they listen."""
        parameters = {name.strip(): value.strip() for name, _, value in
                      (line.partition("=") for line in self.generated("main.cf"))}
        milters = parameters["mxfeed_smtpd_milters"]
        if self.transport == "inet":
            for i, name in enumerate(MILTERS):
                milters = milters.replace(f"unix:mxfeed/{name}.sock",
                                          f"inet:127.0.0.1:{FIRST_PORT + i}")
        return milters

    def milter_socket(self, name):
        """Where the daemon listens, as libmilter writes it."""
        if self.transport == "inet":
            return f"inet:{FIRST_PORT + MILTERS.index(name)}@127.0.0.1"
        directory = self.postfix.spool / "mxfeed"
        if not directory.exists():
            directory.mkdir(parents=True)
            shutil.chown(directory, group="postfix")
            directory.chmod(0o2750)
        return f"unix:{directory}/{name}.sock"

    def log_files(self):
        return [file for file in (self.postfix.log_file, *sorted(self.logs.glob("*.log")))
                if file.exists()]

    def log_lines(self, word):
        """The lines of all logs that have the word."""
        return [line for file in self.log_files()
                for line in file.read_text(errors="replace").splitlines() if word in line]

    def tail(self, lines=25):
        """The ends of all logs, for a test that went wrong."""
        texts = []
        for file in self.log_files():
            end = file.read_text(errors="replace").splitlines()[-lines:]
            texts.append("\n".join([f"--- {file.name}", *end]))
        return "\n".join(texts)
