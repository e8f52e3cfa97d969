# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces beside that of the test, joined to it by a bridge.

    bridge = Bridge("192.0.2.1/24")
    network = bridge.join("192.0.2.11/24")
    with network:
        ...  # the processes that this thread starts and the sockets it opens are in there
"""

import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def _must(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _ip(*words, descriptors=()):
    subprocess.run(["ip", *words], check=True, stdin=subprocess.DEVNULL, pass_fds=descriptors)


def _current():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Network(contextlib.AbstractContextManager):
    """Not to be entered twice at once."""

    def __init__(self):
        self._home = _current()
        _must(LIBC.unshare(CLONE_NEWNET))
        self.descriptor = _current()
        # As in-namespaces does, for Postfix's log.
        with open("/proc/sys/net/unix/max_dgram_qlen", "w", encoding="ascii") as limit:
            limit.write("100000")
        _ip("link", "set", "lo", "up")
        self.__exit__()

    def __enter__(self):
        _must(LIBC.setns(self.descriptor, CLONE_NEWNET))
        return self

    def __exit__(self, *_):
        _must(LIBC.setns(self._home, CLONE_NEWNET))


class Bridge:
    """In the network of the test, with that address; the joined ones route through it."""

    def __init__(self, address):
        self._gateway = address.partition("/")[0]
        self._joined = 0
        _ip("link", "add", "bridge", "type", "bridge")
        _ip("address", "add", address, "dev", "bridge")
        _ip("link", "set", "bridge", "up")

    def join(self, address):
        """A new network, that has the address."""
        network = Network()
        self._joined += 1
        port = f"port{self._joined}"
        _ip("link", "add", port, "type", "veth", "peer", "name", "uplink", "netns",
            f"/proc/self/fd/{network.descriptor}", descriptors=(network.descriptor,))
        _ip("link", "set", port, "master", "bridge", "up")
        with network:
            _ip("address", "add", address, "dev", "uplink")
            _ip("link", "set", "uplink", "up")
            _ip("route", "add", "default", "via", self._gateway)
        return network
