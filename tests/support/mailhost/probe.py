# SPDX-License-Identifier: GPL-2.0-or-later
"""What a mail host does with a set of mails, so that it can be compared with what it did before.

    probe = Probe(host, sinks)
    before = probe.run()
    ...
    differences(before, probe.run())    # [] if nothing has changed

Of each mail it records what the client saw, what was delivered where, what the sealing milter
saw, and the log; without what differs each time: times, ids, ports, signatures.
"""

import dataclasses
import hashlib
import re

import smtp_client
import smtp_sink
from mailhost.normal import normal_line, normal_log, normal_text
from service import eventually

LARGE = 4096  # a longer body is recorded by its sum


@dataclasses.dataclass
class Record:
    """What became of one mail: lists of lines, by name."""

    dialog: list
    delivered: list
    sealed: list
    log: list


def differences(before, after):
    """What differs between two runs, a line each."""
    found = []
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in before or name not in after:
            found.append(f"{name}: only in one of them")
            continue
        for field in dataclasses.fields(Record):
            old, new = getattr(before[name], field.name), getattr(after[name], field.name)
            if old != new:
                lines = _changed_lines(old, new) or ["the order differs", *new]
                found += [f"{name}: {field.name}: {line}" for line in lines]
    return found


def _changed_lines(old, new):
    left, missing = list(new), []
    for line in old:
        if line in left:
            left.remove(line)
        else:
            missing.append(line)
    return [f"- {line}" for line in missing] + [f"+ {line}" for line in left]


class RecordingSession(smtp_client.Session):
    """Keeps what is said on it, both sides, in `dialog`."""

    def __init__(self, dialog, *arguments, **options):
        self._dialog = dialog
        self._gone = False
        super().__init__(*arguments, **options)

    def command(self, line):
        if self._gone:
            raise ConnectionResetError("the server has said that it closes")
        self._dialog.append(f"> {line if isinstance(line, str) else line.decode('latin-1')}")
        return super().command(line)

    def read_reply(self):
        try:
            reply = super().read_reply()
        except OSError:
            self._gone = True
            self._dialog.append("< (closed)")
            raise
        self._dialog.append(f"< {reply}")
        # Whether what is sent after it gets through is chance (RFC 5321, 3.8).
        self._gone = reply.code == 421
        return reply

    def close(self):
        if self._gone:
            self.abort()
        else:
            super().close()


class Probe:
    """`sinks` are the servers of others, by name; they must be up."""

    def __init__(self, host, sinks, mails):
        self.host = host
        self.sinks = sinks
        self.mails = mails
        self._runs = 0
        self._dialog = []
        self._passed = 0  # sessions of this mail that reached an smtpd
        self.early = 0  # clients of this mail that talked before they were greeted
        self._submitted = 0  # mails handed to sendmail(1)

    # ... for the mails

    @property
    def newcomer(self):
        """A client that has not been here before."""
        return f"198.51.100.{100 + self._runs}"

    def session(self, source="198.51.100.7", port=25, **options):
        """A session with this host; what is said on it is recorded."""
        session = RecordingSession(self._dialog, self.host.address, port, source=source, **options)
        if session.greeting.code == 220:
            self._passed += 1
        return session

    def send(self, recipients, message, sender="anna@sender.example", **options):
        """One mail over a session of its own."""
        recipients = [recipients] if isinstance(recipients, str) else recipients
        mail_options = options.pop("mail_options", "")
        with self.session(**options) as session:
            return session.send(sender, recipients, message, mail_options)

    def submission(self, user="carla@boxes.example", password="secret"):
        """A session on the submission port, logged in."""
        session = self.session(port=587, source="198.51.100.77")
        session.starttls()
        session.login(user, password)
        return session

    def note(self, line):
        """A line of a dialog that is held otherwise."""
        self._dialog.append(f"< {line}")

    def sendmail(self, sender, recipients, message):
        self._submitted += 1
        self.host.postfix.submit(sender, recipients, message)

    # ... a run

    def run(self):
        """{name: Record} of all mails, one after the other."""
        self._runs += 1
        # postscreen makes each client wait once; here it is over for the known ones.
        self._one(lambda probe: probe.session().close())
        return {name: self._one(mail) for name, mail in self.mails.items()}

    def _one(self, mail):
        logs = {file: _size(file) for file in self._log_files()}
        boxes = {file for directory in self.host.mailboxes().values()
                 for file in directory.glob("new/*")}
        seen = len(self.host.sealer.received())
        for sink in self.sinks.values():
            sink.clear()
        self._dialog, self._passed, self._submitted, self.early = [], 0, 0, 0
        try:
            mail(self)
        except ConnectionError:
            pass  # the dialog tells
        self._wait(logs)
        return Record(
            dialog=[self._normal(line) for line in self._dialog],
            delivered=sorted(self._normal(copy) for copy in self._delivered(boxes)),
            sealed=[self._normal("\n".join(f"{name}: {value}" for name, value in message.headers))
                    for message in self.host.sealer.received()[seen:]],
            log=sorted(normal_line(line, self.newcomer) for line in normal_log(self._new(logs))))

    def _normal(self, text):
        return normal_text(text, self.newcomer)

    def _log_files(self):
        return (self.host.postfix.log_file, self.host.dovecot.log_file)

    @staticmethod
    def _new(logs):
        """The log lines since then."""
        lines = []
        for file, size in logs.items():
            if file.exists():
                with open(file, "rb") as stream:
                    stream.seek(size)
                    lines += stream.read().decode(errors="replace").splitlines()
        return lines

    def _wait(self, logs):
        """Until all that the mail caused has happened and is in the log."""
        dialog = "\n".join(self._dialog)
        try:
            eventually(lambda: self._at_rest(dialog, "\n".join(self._new(logs))),
                       "the mail has come to its end")
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), dialog, *self._new(logs)])) from None

    def _at_rest(self, dialog, log):
        smtpd = r"postfix/(?:submission/)?smtpd\[\d+\]: "
        connects = re.findall(rf"{smtpd}connect from (\S+)", log)
        ends = re.findall(rf"{smtpd}disconnect from (\S+)", log)
        if sorted(connects) != sorted(ends):
            return False
        if sum("127.0.0.1" not in client for client in connects) < self._passed:
            return False
        if len(re.findall(r"postscreen\[\d+\]: PREGREET", log)) < self.early:
            return False
        if len(re.findall(r"postscreen\[\d+\]: CONNECT", log)) != len(re.findall(
                r"postscreen\[\d+\]: (?:PASS|\w+LISTED|DISCONNECT)", log)):
            return False
        picked = re.findall(r"pickup\[\d+\]: ([0-9A-F]+): uid", log)
        if len(picked) != self._submitted:
            return False
        queued = set(picked) | set(re.findall(
            r"(?:queued as|notification:|forwarded as) ([0-9A-F]+)", f"{dialog}\n{log}"))
        left = queued - set(re.findall(r"qmgr\[\d+\]: ([0-9A-F]+): removed", log)) - \
            set(re.findall(r": ([0-9A-F]+): milter-discard: ", log))
        waiting = {message["queue_id"]: message["queue_name"]
                   for message in self.host.postfix.queue()}
        if any(name not in ("deferred", "hold") for name in waiting.values()) or \
                left - set(waiting):
            return False
        return len(re.findall(r"/lmtp\[\d+\]: .*Saved", log)) == len(re.findall(
            r"saved mail to", log))

    def _delivered(self, before):
        """A text for each copy."""
        for name, directory in self.host.mailboxes().items():
            for file in directory.glob("new/*"):
                if file not in before:
                    yield _shown(f"mailbox {name}", smtp_client.crlf(file.read_bytes()))
        for name, sink in self.sinks.items():
            for delivery in sink.received():
                envelope = f"{name} from=<{delivery.sender}> to={delivery.recipients} " \
                           f"options={delivery.options}"
                yield _shown(envelope, delivery.data)


def _shown(place, data):
    headers, body = smtp_sink.split_headers(data)
    text = "\n".join([place, *((name + b":" + value).decode("latin-1")
                              for name, value in headers)])
    if len(body) > LARGE:
        return f"{text}\n\n{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()}"
    return f"{text}\n\n{body.decode('latin-1')}"


def _size(file):
    return file.stat().st_size if file.exists() else 0
