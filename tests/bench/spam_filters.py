# SPDX-License-Identifier: GPL-2.0-or-later
"""Other spam filters, each with a database of its own in a directory of its own."""

import contextlib
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process):
    """Until somebody listens on the port."""
    for _ in range(3000):  # rspamd compiles its patterns first
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with status {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{process.args[0]} does not listen")


class Filter:
    """A context in which the filter runs."""

    def __init__(self, directory):
        self.directory = directory
        self.processes = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.processes.close()

    def start(self, command, port=None, **options):
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, **options)
        self.processes.callback(process.wait)
        self.processes.callback(process.terminate)
        try:
            if port:
                wait_for(port, process)
        except RuntimeError:
            self.processes.close()
            raise


class Bogofilter(Filter):
    def run(self, options, mails):
        names = "".join(f"{mail.path}\n" for mail in mails)
        # Status 0 to 2 is the class of the last mail.
        done = subprocess.run(["bogofilter", "-C", "-d", self.directory, "-b", *options],
                              input=names, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode > 2:
            raise RuntimeError("bogofilter failed")
        return done.stdout

    def learn(self, mails, is_spam):
        self.run(["-s" if is_spam else "-n"], mails)

    def scores(self, mails):
        # Twenty digits: many scores are nearly 0 or nearly 1.
        found = re.findall(r"^\S+ (\S+) [SHU]$",
                           self.run(["-v", "-t",
                                     "--terse-format=%1.20f %1.1c"], mails), re.M)
        if len(found) != len(mails):
            raise RuntimeError(f"{len(found)} scores for {len(mails)} mails")
        return [float(score) for score in found]


class SpamAssassin(Filter):
    CONFIGURATION = """
use_bayes 1
bayes_path {directory}/bayes
bayes_file_mode 0666
bayes_auto_learn 0
bayes_auto_expire 0
bayes_learn_to_journal 0
use_auto_whitelist 0
dns_available no
skip_rbl_checks 1
clear_headers
add_header all Tests _TESTSSCORES(,)_
"""

    def __init__(self, directory):
        super().__init__(directory)
        shutil.copytree("/etc/spamassassin", directory / "site", symlinks=False)
        with open(directory / "site" / "local.cf", "a", encoding="ascii") as local:
            local.write(self.CONFIGURATION.format(directory=directory))
        self.user = {}
        if os.geteuid() == 0:  # spamd does not scan as root
            nobody = pwd.getpwnam("nobody")
            for path in (directory, *directory.rglob("*")):
                shutil.chown(path, nobody.pw_uid, nobody.pw_gid)
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.environment = os.environ | {"HOME": str(directory)}
        self.port = None  # once it runs

    def learn(self, mails, is_spam):
        listing = self.directory / "teach"
        listing.write_text("".join(f"{mail.path}\n" for mail in mails))
        listing.chmod(0o644)
        subprocess.run(["sa-learn", "-L", "--spam" if is_spam else "--ham", "--no-sync",
                        f"--siteconfigpath={self.directory}/site", "-f", listing],
                       stdout=subprocess.DEVNULL, env=self.environment, check=True, **self.user)
        subprocess.run(["sa-learn", "-L", "--sync",
                        f"--siteconfigpath={self.directory}/site"],
                       stdout=subprocess.DEVNULL, env=self.environment, check=True, **self.user)

    def scores(self, mails):
        if self.port is None:
            self.serve()
        return [self.score(self.port, mail.path.read_bytes()) for mail in mails]

    def serve(self):
        self.port = free_port()
        self.start(["spamd", "-L", "-x", "-s", "null", f"--siteconfigpath={self.directory}/site",
                    "-i", "127.0.0.1", "-p", str(self.port), "--min-children=1", "--max-children=1",
                    "--max-conn-per-child=100000"], self.port, env=self.environment, **self.user)

    @staticmethod
    def score(port, content):
        """The sum of the tests' scores: spamd's own total has one decimal."""
        with socket.create_connection(("127.0.0.1", port), 600) as server:
            server.sendall(b"HEADERS SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(content) +
                           content)
            server.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := server.recv(65536):
                answer += piece
        tests = re.search(rb"^X-Spam-Tests: (.*(?:\r?\n[ \t].*)*)", answer, re.M)
        return sum(float(score) for score in re.findall(rb"=(-?[0-9.]+)", tests.group(1)))


class DeadNames:
    """A name server for which no name exists.  rspamd waits if a negative answer has no SOA."""

    SOA = (b"\0\0\6\0\1\0\0\x0e\x10\0\x16\0\0" + b"\0\0\0\1" + b"\0\0\x0e\x10" * 4)

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.answer, daemon=True).start()
        return self

    def answer(self):
        with contextlib.suppress(OSError):
            while True:
                question, client = self.socket.recvfrom(4096)
                end = question.index(b"\0", 12) + 5
                self.socket.sendto(question[:2] + b"\x85\x83\0\1\0\0\0\1\0\0" +
                                   question[12:end] + self.SOA, client)

    def __exit__(self, *_):
        self.socket.close()


class Rspamd(Filter):
    # Every mail of the corpus is old, and nothing answers.
    ARTEFACTS = {"DATE_IN_PAST"}

    def __init__(self, directory):
        super().__init__(directory)
        self.names = self.processes.enter_context(DeadNames())
        self.redis, self.normal, self.controller = free_port(), free_port(), free_port()
        for name in ("local.d", "override.d", "data"):
            (directory / name).mkdir()
        self.write("override.d/options.inc",
                   f'dns {{ nameserver = ["127.0.0.1:{self.names.port}"]; }}\n'
                   'local_addrs = [];\ndynamic_conf = "/dev/null";\n')
        self.write("override.d/logging.inc", 'type = "console";\nlevel = "error";\n')
        self.write("local.d/redis.conf", f'servers = "127.0.0.1:{self.redis}";\n')
        self.write("local.d/classifier-bayes.conf",
                   f'backend = "redis";\nservers = "127.0.0.1:{self.redis}";\nautolearn = false;\n')
        self.write("local.d/worker-normal.inc",
                   f'bind_socket = "127.0.0.1:{self.normal}";\ncount = 1;\n')
        self.write("local.d/worker-controller.inc",
                   f'bind_socket = "127.0.0.1:{self.controller}";\nsecure_ip = ["127.0.0.1"];\n')
        self.write("override.d/worker-proxy.inc", "enabled = false;\n")
        self.write("override.d/worker-fuzzy.inc", "enabled = false;\n")
        self.write("local.d/greylist.conf", "enabled = false;\n")
        self.write("local.d/history_redis.conf", "enabled = false;\n")

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def __enter__(self):
        self.start(["redis-server", "--port", str(self.redis), "--bind", "127.0.0.1",
                    "--save", "", "--dir", str(self.directory)], self.redis)
        variables = {"LOCAL_CONFDIR": self.directory, "DBDIR": self.directory / "data",
                     "RUNDIR": self.directory, "LOGDIR": self.directory}
        self.start(["rspamd", "-f", "-i",
                    *(f"--var={name}={value}" for name, value in variables.items()),
                    "-p", str(self.directory / "pid")], self.controller)
        return self

    def ask(self, port, path, content, headers=None):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", content,
                                         headers or {})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def learn(self, mails, is_spam):
        for mail in mails:
            # It refuses what it has learned already, and what has too few words.
            with contextlib.suppress(urllib.error.HTTPError):
                self.ask(self.controller, "/learnspam" if is_spam else "/learnham",
                         mail.path.read_bytes(), {"Learn-Type": "bulk"})

    def scores(self, mails):
        return [self.score(mail.path.read_bytes()) for mail in mails]

    def score(self, content):
        answer = json.loads(self.ask(self.normal, "/checkv2", content))
        artefacts = sum(symbol["score"] for name, symbol in answer["symbols"].items()
                        if name in self.ARTEFACTS)
        return answer["score"] - artefacts


FILTERS = {"bogofilter": Bogofilter, "spamassassin": SpamAssassin, "rspamd": Rspamd}
