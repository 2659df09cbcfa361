#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make bench-milter: SMTP with postsms-milter and its rules beside the same Postfix with a milter that does nothing.

Three services of one Postfix differ in the milter alone; mail for the SMS domain is thrown away behind the queue (discard),
so that nothing but SMTP is measured. The cells run in turns, ratios are taken inside a repetition.
"""
import argparse
import os
import platform
import random
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import CELL_LIMIT, Fault, Removed, Row, note, resident, show, why_not  # noqa: E402
from harness import Site  # noqa: E402
from harness.postfix import free_port  # noqa: E402
from harness.site import DOMAIN  # noqa: E402
from harness.wait import wait_until  # noqa: E402


def rules(count):
    """So many lines, mixed over all sections, none of which says anything about the mails sent here but "allow"."""
    rand = random.Random(count)
    word = lambda: "".join(rand.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rand.randint(5, 12)))  # noqa: E731
    lines = {"ALLOW-FROM-DOMAIN": ["@allowed.example;"], "DENY-FROM-DOMAIN": [], "REPLACE-TEXT": [],
             "SPAM-FILTER-RULES": [], "FILTER-ADDRESSES": []}
    for i in range(count - 1):
        section = list(lines)[i % 5]
        text = f"{word()} {word()}"
        lines[section].append({"ALLOW-FROM-DOMAIN": f"@{word()}.example;", "DENY-FROM-DOMAIN": f"@{word()}.example;",
                               "REPLACE-TEXT": f"{i % 2};{text};{word()};",
                               "SPAM-FILTER-RULES": f"{i // 5 % 9};{text};{i % 4 + 1};",
                               "FILTER-ADDRESSES": f"+99{rand.randint(10 ** 8, 10 ** 9 - 1)};"}[section])
    return "".join(f"[{name}]\n" + "".join(f"{line}\n" for line in body) for name, body in lines.items())


class Place(Site):
    """A Site with two more SMTP services, each with one milter."""

    def __init__(self, programs, count):
        super().__init__(rules=rules(count))
        self.programs = programs
        self.ports = {}
        self.noops = []
        self.first = 1000000
        self._configure = self.postfix.configure
        self.postfix.configure = self.configure

    def configure(self):
        self._configure()
        etc = self.postfix.etc
        sockets = {"postsms": os.path.join(self.postfix.milter_dir, "milter.sock")}
        for name, words in (("nothing", []), ("go on", ["all"])):
            noop = sockets[name] = os.path.join(self.postfix.milter_dir, f"noop{len(sockets)}.sock")
            self.noops.append(subprocess.Popen([self.programs["bench_noop"], f"unix:{noop}", *words]))
            wait_until(lambda noop=noop: os.path.exists(noop), 10, "the milter that does nothing")
            os.chmod(noop, 0o666)
        for name, socket in sockets.items():
            self.ports[name] = free_port()
            with open(os.path.join(etc, "master.cf"), "a", encoding="utf-8") as file:
                file.write(f"127.0.0.1:{self.ports[name]} inet n - n - - smtpd\n  -o smtpd_milters=unix:{socket}\n")
        with open(os.path.join(etc, "postsms-transport"), "w", encoding="utf-8") as file:
            file.write(f"{DOMAIN} discard:\n")

    def close(self):
        for noop in self.noops:
            noop.terminate()
            noop.wait()
        super().close()


def run_cell(place, port, mails, args):
    """Mails a second until the last 250."""
    first, place.first = place.first, place.first + mails
    removed = Removed(place)
    start = time.monotonic()
    done = subprocess.run([place.programs["bench_load"], str(port), DOMAIN, str(args.sessions), str(mails), str(first),
                           str(args.size)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=CELL_LIMIT,
                          text=True, check=False)
    end = time.monotonic()
    if done.returncode or len(set(done.stdout.split())) != mails:
        raise Fault(f"{len(set(done.stdout.split()))} of {mails} mails accepted")
    wait_until(lambda: removed.look() >= mails, CELL_LIMIT, "the queue is empty")
    time.sleep(0.2)
    return mails / (end - start)


def main():
    parser = argparse.ArgumentParser(description="SMTP throughput beside a milter that does nothing")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--mails", type=int, default=1000, help="in each cell")
    parser.add_argument("--sessions", type=int, default=4, help="SMTP sessions at once")
    parser.add_argument("--size", type=int, default=4096, help="octets of a mail")
    parser.add_argument("--rules", type=int, default=1000)
    args = parser.parse_args()
    reason = why_not()
    if reason:
        sys.exit(f"bench: {reason}")
    tests = os.path.join(os.environ["POSTSMS_BUILD"], "tests")
    programs = {name: os.path.join(tests, name) for name in ("bench_noop", "bench_load")}
    found = {"nothing": [], "postsms": [], "go on": []}
    with Place(programs, args.rules) as place:
        for name in found:
            run_cell(place, place.ports[name], 100, args)
        rested = resident(place.postsms.pid("postsms-milter"))
        for repetition in range(args.repetitions):
            for name in list(found) if repetition % 2 == 0 else list(found)[::-1]:
                found[name].append(run_cell(place, place.ports[name], args.mails, args))
                note(f"repetition {repetition + 1}, {name}: {found[name][-1]:.0f} mails/s")
        worked = resident(place.postsms.pid("postsms-milter"))
    print(f"{os.cpu_count()} CPUs, Linux {platform.release()}; {args.repetitions} repetitions of {args.mails} mails of "
          f"{args.size} octets over {args.sessions} sessions, {args.rules} rules; medians "
          f"{statistics.median(found['postsms']):.0f} and {statistics.median(found['nothing']):.0f} mails/s\n")
    def ratio(name):
        return [ours / theirs for ours, theirs in zip(found["postsms"], found[name])]
    show([Row("SMTP mails/s with postsms-milter", "a milter that goes on at every step", ">= 0.95", ratio("go on")),
          Row("SMTP mails/s with postsms-milter", "a milter that wants to know nothing", "", ratio("nothing")),
          Row("MB, postsms-milter", "after 100 mails", "<= 12", [rested]),
          Row("MB, postsms-milter", "after all mails", "<= 12", [worked])])


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"bench: {fault}")
