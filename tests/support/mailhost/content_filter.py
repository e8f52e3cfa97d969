# SPDX-License-Identifier: GPL-2.0-or-later
"""A content filter behind the queue, as amavis is attached: takes mail by SMTP, hands every
command on to the port where the site takes it back, and puts a field above the header."""

import socket
import threading

FIELD = b"X-Site-Filter: checked\r\n"
NAME = b"filter.site.example"
# Not handed on: what would let commands come before the reply to the last one.
LOCKSTEP = (b"PIPELINING", b"CHUNKING", b"STARTTLS")


class ContentFilter:
    def __init__(self, listen=("127.0.0.1", 10024), back=("127.0.0.1", 10025)):
        self.listen = listen
        self.back = back
        self._listener = None

    def up(self):
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(self.listen)
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def down(self):
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # down()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client):
        try:
            with client, client.makefile("rb") as commands, \
                    socket.create_connection(self.back, 60) as server, \
                    server.makefile("rb") as replies:
                _relay(client, commands, server, replies)
        except OSError:
            pass  # one of them went; Postfix tries again


def _relay(client, commands, server, replies):
    """One session: a reply, then a command, and so on."""
    reply = _read_reply(replies)
    client.sendall(b"220 " + NAME + b" ESMTP\r\n" if reply[0].startswith(b"220") else
                   b"".join(reply))
    while command := commands.readline():
        server.sendall(command)
        reply = _read_reply(replies)
        if command[:4].upper() == b"EHLO":
            lines = [NAME + b"\r\n"] + [line[4:] for line in reply[1:]
                                        if not line[4:].upper().startswith(LOCKSTEP)]
            reply = [b"250-" + line for line in lines[:-1]] + [b"250 " + lines[-1]]
        client.sendall(b"".join(reply))
        if command[:4].upper() == b"DATA" and reply[0].startswith(b"354"):
            server.sendall(FIELD)
            while (line := commands.readline()) not in (b".\r\n", b""):
                server.sendall(line)
            server.sendall(line)
            client.sendall(b"".join(_read_reply(replies)))
        elif command[:4].upper() == b"QUIT":
            return


def _read_reply(replies):
    """The lines of a reply; ConnectionError if there is none."""
    lines = []
    while line := replies.readline():
        lines.append(line)
        if line[3:4] != b"-":
            return lines
    raise ConnectionError("the server ended the connection")
