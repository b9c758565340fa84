#!/usr/bin/env python3
"""A place on the way to a server where connections are cut: passes bytes both ways, and cuts all
that pass at SIGUSR1. New ones may come at once, or are refused while the server is away.

usage: tcp_gate.py HOST:PORT PORT_FILE    listens on a free port, which it writes to PORT_FILE
"""

import os
import signal
import socket
import sys
import threading

connections = set()
lock = threading.Lock()


def cut_when_told(cuts):
    while cuts.wait():
        cuts.clear()
        cut()


def cut():
    with lock:
        for end in connections:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def passing(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    for end in (one, other):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client, server_address):
    try:
        server = socket.create_connection(server_address, timeout=5)
        server.settimeout(None)
    except OSError:
        client.close()
        return
    ends = (client, server)
    for end in ends:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with lock:
        connections.update(ends)
    back = threading.Thread(target=passing, args=(server, client), daemon=True)
    back.start()
    passing(client, server)
    back.join()
    with lock:
        connections.difference_update(ends)
    for end in ends:
        end.close()


def main(server, port_file):
    host, port = server.rsplit(":", 1)
    listener = socket.create_server(("127.0.0.1", 0))
    # A handler may not take the lock: the thread that it interrupts may hold it.
    cuts = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: cuts.set())
    threading.Thread(target=cut_when_told, args=(cuts,), daemon=True).start()
    with open(port_file + ".new", "w", encoding="ascii") as out:
        out.write(str(listener.getsockname()[1]))
    os.rename(port_file + ".new", port_file)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, (host, int(port))), daemon=True).start()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
