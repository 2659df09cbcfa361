#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make bench-waiting: postsmsd's memory while many requests wait for an HTTP gateway that does not answer.

Each request is a connection to deliver.sock with a mail of its own, as postsms-pipe would make it; nothing is sent,
and the gateway's connections are held by a server that never answers.
"""
import argparse
import os
import re
import resource
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))

from harness.postsms import Postsms  # noqa: E402
from harness.wait import wait_until  # noqa: E402


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) / 1024


def request(path, number, size):
    """A connection with envelope and mail, which waits for its answer."""
    names = {"queue-id": f"4Q{number:08d}zABCD", "sender": "anna@allowed.example",
             "recipient": f"+4179{number:07d}@sms.example.test", "original": f"+4179{number:07d}@sms.example.test",
             "login": "", "client": "127.0.0.1", "deadline": "3000"}
    envelope = b"".join(f"{name}={value}".encode() + b"\0" for name, value in names.items()) + b"\0"
    text = "line of a mail as long as lines tend to be\n" * (size // 43)
    mail = (f"From: Anna <anna@allowed.example>\nTo: +4179{number:07d}@sms.example.test\nSubject: number {number}\n"
            f"Message-ID: <{number}@bench.example.test>\n\n{text}").encode()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall(envelope + mail)
    connection.shutdown(socket.SHUT_WR)
    return connection


def main():
    parser = argparse.ArgumentParser(description="memory while requests wait")
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--size", type=int, default=4096, help="octets of a mail")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (args.requests + 1000, max(
        args.requests + 1000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    with tempfile.TemporaryDirectory() as base, socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        os.chmod(base, 0o755)
        place = Postsms(os.path.join(base), os.environ["POSTSMS_BUILD"], os.path.join(base, "milter.sock"),
                        settings={"slots": min(10000, args.requests + 100)}, gateway=None, gateways={
                            "silent": {"type": "http", "timeout": "1h", "url": "http://127.0.0.1:%d/?to=%%number%%" %
                                       server.getsockname()[1]}})
        place.admin("init")
        place.start_daemon()
        held = []
        print("waiting  MB  KB a request")
        rested = resident(place.pid())
        print(f"{0:7}  {rested:.1f}")
        try:
            for goal in (args.requests // 10, args.requests):
                while len(held) < goal:
                    held.append(request(os.path.join(place.run_dir, "deliver.sock"), len(held), args.size))

                def seen():
                    gateway = place.json("status")["gateways"][0]
                    return gateway["waiting"] + gateway["in_flight"] >= goal
                wait_until(seen, 120, "every request waits for the gateway", 0.5)
                time.sleep(1)  # what is done behind the last one belongs to it
                now = resident(place.pid())
                print(f"{goal:7}  {now:.1f}  {(now - rested) * 1024 / goal:.1f}")
        finally:
            for connection in held:
                connection.close()
            place.kill_daemon()


if __name__ == "__main__":
    main()
