# SPDX-License-Identifier: BSD-2-Clause
"""Ports, and the interfaces of a config file on them."""
import random
import socket

FIRST = 10000


def outgoing():
    """The lowest port that the kernel gives to connections of this machine."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
            return int(f.read().split()[0])
    except OSError:
        return 32768


def free_port():
    """One that nobody has, and that no connection is given meanwhile."""
    last = outgoing()
    if last < FIRST + 1000:
        last = 65536
    while True:
        port = random.randrange(FIRST, last)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def client(name, port, extra=""):
    return """[[%s]]
type = TCPClientInterface
enabled = yes
target_host = 127.0.0.1
target_port = %d
%s""" % (name, port, extra)


def backbone_client(name, port, extra=""):
    return """[[%s]]
type = BackboneInterface
enabled = yes
remote = 127.0.0.1
port = %d
%s""" % (name, port, extra)


def backbone(name, port, extra=""):
    return """[[%s]]
type = BackboneInterface
enabled = yes
listen_on = 127.0.0.1
port = %d
%s""" % (name, port, extra)


def server(name, port, extra=""):
    return """[[%s]]
type = TCPServerInterface
enabled = yes
listen_ip = 127.0.0.1
listen_port = %d
%s""" % (name, port, extra)
