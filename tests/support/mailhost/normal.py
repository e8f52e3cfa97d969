# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts without what differs each time: times, ids, ports, signatures."""

import re

# Of a message, a reply or a log line; in this order.
RULES = [
    (r"\r\n", "\n"),
    # Dates but those that the probe itself writes.
    (r"\w{3}, +\d+ (?!Nov 2026 09:00:00)\w{3} \d{4} [\d:]{8} [+-]\d{4}(?: \(\w+\))?", "DATE"),
    (r"\b[0-9a-f]{16}(?=@sender\.example)", "MESSAGE"),
    (r"<\d{14}\.[0-9A-F]+@", "<MESSAGE@"),
    (r"\b[0-9A-F]{6,12}\.\d+/", "QID.TIME/"),  # a boundary of bounce(8)
    (r"\b(?!2000000\b)[0-9A-F]{6,12}\b", "QID"),  # not the message_size_limit
    (r"(?<=\]:)[3-6]\d{4}\b", "PORT"),
    # RFC 6376: the time and the signature.
    (r"(?s)(?<=[;\s])t=\d+", "t=TIME"),
    (r"(?s)(?<=[;\s])b=[A-Za-z0-9+/=\s]+?(?=\n\S|\Z)", "b=SIGNATURE"),
    (r"header\.b=\"?[\w+/]+\"?", "header.b=SIGNATURE"),
    # Dovecot's sessions.
    (r"(LMTP\s+id )\S+", r"\1SESSION"),
    (r"(?<=> )[\w+/]{20,}(?= Saved)", "SESSION"),
]
# Of a log line only.
LOG_RULES = [
    (r"^\w{3} +\d+ [\d:]{8} ", ""),
    (r"^\S+ (?=postfix)", ""),
    (r"\[\d+\]: ", ": "),
    (r"(?:delay|delays|conn_use)=[\d./]+, ", ""),
    (r"size=\d+", "size=SIZE"),
    (r"(?<=\w\()\d+(?=\))", "PID"),
    (r"(lmtp\([^)]*\))<\d+><[^>]*>", r"\1"),
    (r"after [\d.]+ from", "after TIME from"),
]
# Lines that come when they come, whatever is sent.
OF_NO_MAIL = re.compile(r"/(?:anvil|scache|postlog|postfix-script|master)\[\d+\]: |statistics: |"
                        r"has changed -- restarting|lmtp\(\d+\): .*(?:Connect|Disconnect)|"
                        r"cache \S+ full cleanup")


def normal_text(text, newcomer=None):
    """`newcomer` is an address that is another one in each run."""
    if newcomer:
        text = text.replace(newcomer, "NEWCOMER")
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return text


def normal_line(line, newcomer=None):
    for pattern, replacement in LOG_RULES:
        line = re.sub(pattern, replacement, line)
    return normal_text(line, newcomer)


def normal_log(lines):
    """Those that speak of a mail or a client."""
    return [line for line in lines if not OF_NO_MAIL.search(line)]
