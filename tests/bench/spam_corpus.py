# SPDX-License-Identifier: GPL-2.0-or-later
"""The SpamAssassin public corpus as the benches of spam classification take it.

It is fetched once (tests/support/fetch-corpus).  Of mails whose bodies begin with the same 6000
bytes, white space apart, the first one stays; that leaves 4110 ham and 1700 spam.  Fields with
verdicts of receivers are removed.  The folds are md5(name) mod 5.
"""

import dataclasses
import email.utils
import hashlib
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
VERDICTS = re.compile(rb"^(x-spam|x-rspamd|x-ms-exchange|x-forefront|authentication-results|"
                      rb"x-mxfeed|x-bogosity|x-virus)", re.I)
FOLDS = 5
TEACHING_SHARE = 6, 10  # of each class, in the split by time


@dataclasses.dataclass
class Mail:
    name: str
    path: pathlib.Path
    is_spam: bool
    fold: int
    time: int

    @property
    def label(self):
        return "spam" if self.is_spam else "ham"


def divided(mail):
    """The header's lines, with those that continue them, and the body."""
    header, _, body = mail.partition(b"\n\n")
    return re.split(rb"\n(?![ \t])", header), body


def received_at(fields):
    for name in (b"received:", b"date:"):
        for field in fields:
            if not field.lower().startswith(name):
                continue
            text = field.decode("latin-1").rsplit(";", 1)[-1] if name == b"received:" else \
                field.decode("latin-1").split(":", 1)[1]
            try:
                return max(0, int(email.utils.parsedate_to_datetime(text.strip()).timestamp()))
            except (TypeError, ValueError, IndexError, OverflowError):
                continue
    return 0


def corpus(to):
    """Writes the cleaned mails below the directory; the mails in the order of md5(name)."""
    source = pathlib.Path(subprocess.run([HERE.parent / "support/fetch-corpus"], check=True,
                                         capture_output=True, text=True).stdout.strip())
    mails, bodies = [], set()
    for path in sorted(source.glob("*/*.txt")):
        name = f"{path.parent.name}/{path.name}"
        fields, body = divided(path.read_bytes())
        digest = hashlib.md5(re.sub(rb"\s+", b"", body)[:6000]).digest()
        if path.name.startswith("cmds") or digest in bodies:
            continue
        bodies.add(digest)
        kept = [field for field in fields if not VERDICTS.match(field)]
        clean = to / name.replace("/", "-")
        clean.write_bytes(b"\n".join(kept) + b"\n\n" + body)
        md5 = hashlib.md5(name.encode()).hexdigest()
        mails.append((md5, Mail(name, clean, name.startswith("spam"), int(md5, 16) % FOLDS,
                                received_at(fields))))
    return [mail for _, mail in sorted(mails, key=lambda one: one[0])]


def by_time(mails):
    """The oldest 60 % of each class, which teach, and the rest."""
    teach, judge = [], []
    for is_spam in (False, True):
        of_class = sorted((mail for mail in mails if mail.is_spam == is_spam),
                          key=lambda mail: mail.time)
        most = len(of_class) * TEACHING_SHARE[0] // TEACHING_SHARE[1]
        teach += of_class[:most]
        judge += of_class[most:]
    return teach, judge


def splits(mails, name):
    """What teaches and what is judged: one pair by time, or one for each fold."""
    if name == "chrono":
        return [by_time(mails)]
    return [([mail for mail in mails if mail.fold != fold],
             [mail for mail in mails if mail.fold == fold]) for fold in range(FOLDS)]
