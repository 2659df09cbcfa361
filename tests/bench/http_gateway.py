#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make bench-http: SMS through one HTTP gateway, beside Kannel, and mails through Postfix to the same provider.

bench_http_sink is the provider of both sides; bench_http_load hands SMS to both, mails to postsmsd's deliver.sock and
requests to Kannel's smsbox, the same number of them in flight. Both sides may open the same number of connections to
the provider and ask it for the same of each SMS. Cells run in turns, the order alternates, ratios are taken inside a
repetition. A cell lasts from the first request until the load has all its answers and the provider has given all its
own. It costs the CPU of bearerbox and smsbox, or of postsmsd and its readers, all threads and children included; load,
provider and this program are outside. An SMS missing, twice or with another text is a fault (exit 1), a target missed
is not.

What is not equal, and cannot be: postsmsd answers when the provider has answered and the ledger is synced; smsbox
answers when bearerbox has the SMS. So it needs fewer in flight where the provider is slow, and never gets more than
KANNEL_MOST. It also reads HTTP where postsmsd reads mails. Targets are held against Kannel with its spool (store-type
spool: a file for each SMS, never synced), which like the ledger is there after a crash; Kannel without a store, that
loses what it has accepted, is shown beside it. Kannel logs panics alone (log-level 4) and has no access log; postsmsd
logs as always.
"""
import argparse
import collections
import os
import platform
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bench import (CELL_LIMIT, TICK, Cell, Fault, Removed, Row, cpu, descendants, note, show,  # noqa: E402
                   why_not)
from harness import Site  # noqa: E402
from harness.postfix import free_port  # noqa: E402
from harness.postsms import Postsms  # noqa: E402
from harness.site import DOMAIN  # noqa: E402
from harness.wait import wait_until  # noqa: E402

USER = "nobody"
WARM_UP = 200  # SMS or mails before anything is measured
KANNEL_MOST = 32  # in flight to smsbox
CLOSE_MOST = 8  # the same if each has a new connection: http_load.c opens no more at once
LATE = 120  # seconds after the load's end: what the provider has not got by then does not come
SETTLE = 0.3  # seconds: what is done behind the last answer belongs to the cell

# Kannel: everything that costs and is not asked for is off. bench_http_load knows user and password.
BEARERBOX = """\
group = core
admin-port = {admin}
admin-password = bench
status-password = bench
smsbox-port = {box}
box-allow-ip = "127.0.0.1"
log-level = 4
{store}
group = smsc
smsc = http
smsc-id = bench
system-type = kannel
send-url = "http://127.0.0.1:{sink}/cgi-bin/sendsms"
smsc-username = bench
smsc-password = bench
max-pending-submits = {connections}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-level = 4

group = sendsms-user
username = bench
password = bench
concatenation = false
max-messages = 1
"""

SPOOL = """\
store-type = spool
store-location = "{}"
"""

Phase = collections.namedtuple("Phase", "name delay_ms connections in_flight")
Report = collections.namedtuple("Report", "requests numbers twice wrong octets connections most")


class Sink:
    """The provider."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.rest = b""
        self.port = int(self._line(10))
        self.first = 1000000

    def _line(self, timeout):
        end = time.monotonic() + timeout
        while b"\n" not in self.rest:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                return None
            data = os.read(self.process.stdout.fileno(), 4096)
            if not data:
                raise Fault("the provider has died")
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def _order(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def begin(self, count, delay_ms, texts="sms"):
        """The first of so many numbers that are to come."""
        first, self.first = self.first, self.first + count
        self._order(f"cell {delay_ms} {first} {count} {texts}")
        assert self._line(10) == "ready"
        return first

    def wait_all(self):
        """When the last number came, nanoseconds of the monotonic clock; None if one is missing for too long."""
        line = self._line(LATE)
        return line and int(line.split()[1])

    def report(self):
        self._order("report")
        line = self._line(10)
        if line.startswith("all"):
            line = self._line(10)
        return Report(*map(int, line.split()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def gateway(sink, connections):
    """Keys of a gateway that asks for what Kannel's smsc http asks for."""
    return {"type": "http", "concurrency": connections, "originator": "41790000000",
            "url": f"http://127.0.0.1:{sink.port}/cgi-bin/sendsms?username=bench&password=bench&to=%number%&text=%data%"
                   "&from=%sender%",
            "result": ["http:202 body:^0: -> accepted"]}


class Ours:
    """postsmsd and its readers, nothing else."""

    modes = {"postsms": "postsms"}  # cells: what bench_http_load is told

    def __init__(self, base, sink, phase):
        home = os.path.join(base, "postsms")
        os.mkdir(home)
        self.postsms = Postsms(home, os.environ["POSTSMS_BUILD"], os.path.join(home, "no-milter.sock"), USER,
                               settings={"submit": f"smtp://127.0.0.1:{free_port()}", "slots": 1000,
                                         "transport": {"maxmsgs": 1}},
                               gateway=None, gateways={"http": gateway(sink, phase.connections)})
        self.where = os.path.join(self.postsms.run_dir, "deliver.sock")

    def start(self):
        self.postsms.admin("init")
        self.postsms.start_daemon()

    def roots(self):
        return [self.postsms.pid()]

    def close(self):
        self.postsms.stop()


class Kannel:
    """bearerbox and smsbox."""

    modes = {"Kannel": "kannel", "Kannel, new connection each": "kannel-close"}
    folder = "kannel"

    def __init__(self, base, sink, phase):
        self.base = os.path.join(base, self.folder)
        os.mkdir(self.base)
        self.ports = {name: free_port() for name in ("admin", "box", "sendsms")}
        self.where = str(self.ports["sendsms"])
        self.conf = os.path.join(self.base, "kannel.conf")
        with open(self.conf, "w", encoding="ascii") as file:
            file.write(BEARERBOX.format(sink=sink.port, connections=phase.connections, store=self._store(),
                                        **self.ports))
        self.processes = []

    def _store(self):
        spool = os.path.join(self.base, "spool")
        os.mkdir(spool)
        shutil.chown(spool, USER)
        return SPOOL.format(spool)

    def _start(self, program):
        with open(os.path.join(self.base, program + ".log"), "wb") as log:
            self.processes.append(subprocess.Popen([shutil.which(program), "-v", "4", self.conf], cwd="/", user=USER,
                                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, extra_groups=[],
                                                   start_new_session=True))

    def _said(self):
        said = ""
        for name in sorted(os.listdir(self.base)):
            if name.endswith(".log"):
                with open(os.path.join(self.base, name), encoding="utf-8", errors="replace") as file:
                    said += file.read()
        return said

    def _status(self):
        if any(process.poll() is not None for process in self.processes):
            raise Fault(f"Kannel has ended: {self._said()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['admin']}/status.txt?password=bench") as page:
                return page.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def start(self):
        self._start("bearerbox")
        wait_until(lambda: "online" in self._status(), 20, lambda: f"bearerbox is there: {self._said()}")
        self._start("smsbox")
        wait_until(lambda: re.search("smsbox.*on-line", self._status()), 20,
                   lambda: f"smsbox is there: {self._said()}")

    def roots(self):
        return [process.pid for process in self.processes]

    def close(self):
        """The last one first."""
        for process in self.processes[::-1]:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class KannelInMemory(Kannel):
    modes = {"Kannel without a store": "kannel"}
    folder = "kannel-in-memory"

    def _store(self):
        return ""


class Sides:
    """All, on loopback, in one folder: {cell: side}."""

    def __init__(self, sink, phase, kinds):
        self.base = tempfile.mkdtemp(prefix="postsms-", dir="/tmp")
        os.chmod(self.base, 0o755)
        self.sides = []
        self.wanted = (sink, phase, kinds)

    def __enter__(self):
        sink, phase, kinds = self.wanted
        try:
            for kind in kinds:
                self.sides.append(kind(self.base, sink, phase))
                self.sides[-1].start()
        except BaseException:
            self.__exit__()
            raise
        return {mode: side for side in self.sides for mode in side.modes}

    def __exit__(self, *_):
        try:
            while self.sides:
                self.sides.pop().close()
        finally:
            shutil.rmtree(self.base, ignore_errors=True)


def ticks(roots):
    """CPU so far by program; the children of postsmsd that ended were readers."""
    found = collections.Counter()
    for _, program, own, children in descendants(roots).values():
        found[program] += own
        found["postsms-reader" if program == "postsmsd" else program] += children
    return found


def run_cell(program, sink, side, mode, phase, in_flight, count):
    how = side.modes[mode]
    first = sink.begin(count, phase.delay_ms)
    before = ticks(side.roots())
    if how != "postsms":
        in_flight = min(in_flight, KANNEL_MOST)
    done = subprocess.run([program, how, side.where, str(in_flight), str(count), str(first)], check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=CELL_LIMIT)
    if done.returncode:
        raise Fault(f"{mode}: load: exit {done.returncode}: {done.stderr.strip()}")
    began, ended = map(int, done.stdout.split())
    last = sink.wait_all()
    time.sleep(SETTLE)
    spent = ticks(side.roots())
    spent.subtract(before)
    seen = sink.report()
    if last is None or seen.numbers != count or seen.requests != count or seen.twice or seen.wrong:
        raise Fault(f"{mode}: {count} SMS, the provider has {seen}")
    per_thousand = {name: value / TICK / count * 1000 for name, value in spent.items()}
    rate = count * 1e9 / (max(ended, last + phase.delay_ms * 1000000) - began)
    return Cell(rate, sum(per_thousand.values()), per_thousand), seen


def describe(cell):
    return f"CPU {cell.cpu:.3f} s per 1,000 (" + ", ".join(
        f"{program} {value:.3f}" for program, value in sorted(cell.by_program.items())) + ")"


def beside_kannel(programs, sink, phase, args):
    """{in flight: {mode: [Cell, …]}}"""
    results = {in_flight: collections.defaultdict(list) for in_flight in phase.in_flight}
    with Sides(sink, phase, (Ours, Kannel, KannelInMemory)) as sides:
        for mode, side in sides.items():
            run_cell(programs["bench_http_load"], sink, side, mode, phase, phase.in_flight[-1], WARM_UP)
        for repetition in range(args.repetitions):
            cells = [(in_flight, mode) for in_flight in phase.in_flight for mode in sides
                     if sides[mode].modes[mode] != "kannel-close" or in_flight <= CLOSE_MOST]
            for in_flight, mode in cells if repetition % 2 == 0 else cells[::-1]:
                cell, seen = run_cell(programs["bench_http_load"], sink, sides[mode], mode, phase, in_flight, args.sms)
                results[in_flight][mode].append(cell)
                note(f"{phase.name}, repetition {repetition + 1}, {in_flight} in flight, {mode}: "
                     f"{cell.rate:.0f} SMS/s, {describe(cell)}; {seen.octets / seen.requests:.0f} octets a request, "
                     f"{seen.connections} connections opened to the provider, {seen.most} open with the others'")
    return results


def ratios(ours, theirs, what):
    return [getattr(one, what) / getattr(other, what) for one, other in zip(ours, theirs)]


def phase_rows(phase, results, targets):
    for in_flight, cells in results.items():
        ours, label = cells["postsms"], f"{phase.name}, {in_flight} in flight"
        for mode in (mode for mode in cells if mode != "postsms"):
            rate_target, cpu_target = targets.get(in_flight, ("", "")) if mode == "Kannel" else ("", "")
            yield Row(f"SMS/s, {label}", mode, rate_target, ratios(ours, cells[mode], "rate"))
            yield Row(f"CPU, {label}", mode, cpu_target, ratios(ours, cells[mode], "cpu"))
        if phase.delay_ms:
            ideal = phase.connections * 1000 / phase.delay_ms
            yield Row(f"SMS/s, {label}", f"the {ideal:.0f} that {phase.connections} connections can", "",
                      [cell.rate / ideal for cell in ours])
        for mode, found in cells.items():
            yield Row(f"  SMS/s, {mode}", "", "", [cell.rate for cell in found])
            yield Row(f"  CPU s per 1,000, {mode}", "", "", [cell.cpu for cell in found])
            for program in sorted(set().union(*(cell.by_program for cell in found))):
                yield Row(f"    of it {program}", "", "", [cell.by_program.get(program, 0) for cell in found])


# Through Postfix

def run_mails(programs, place, sink, mails, args):
    removed = Removed(place)
    first = sink.begin(mails, 0, "any")
    before = cpu(place)
    began = time.monotonic_ns()
    done = subprocess.run([programs["bench_load"], str(place.postfix.port), DOMAIN, str(args.sessions), str(mails),
                           str(first), str(args.size)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                          text=True, timeout=CELL_LIMIT)
    if done.returncode or len(set(done.stdout.split())) != mails:
        raise Fault(f"{len(set(done.stdout.split()))} of {mails} mails accepted")
    last = sink.wait_all()
    wait_until(lambda: removed.look() >= mails, 60, "the queue is empty")
    time.sleep(SETTLE)
    spent = cpu(place)
    spent.subtract(before)
    seen = sink.report()
    if last is None or seen.numbers != mails or seen.requests != mails or seen.twice or seen.wrong:
        raise Fault(f"{mails} mails, the provider has {seen}")
    if sorted(removed.sent()) != sorted(done.stdout.split()):
        raise Fault(f"{len(removed.sent())} deliveries of {mails} mails")
    per_thousand = {name: value / TICK / mails * 1000 for name, value in spent.items()}
    return Cell(mails * 1e9 / (last - began), sum(per_thousand.values()), per_thousand)


def postfix_rows(programs, sink, args):
    found = []
    with Site(settings={"transport": {"maxmsgs": 1}}, gateway=None,
              gateways={"http": gateway(sink, args.connections)}) as place:
        run_mails(programs, place, sink, WARM_UP, args)
        for repetition in range(args.repetitions):
            found.append(run_mails(programs, place, sink, args.mails, args))
            note(f"Postfix, repetition {repetition + 1}: {found[-1].rate:.0f} mails/s, {describe(found[-1])}")
    yield Row("mails/s, SMTP to the provider", "", "", [cell.rate for cell in found])
    yield Row("  CPU s per 1,000, all processes", "", "", [cell.cpu for cell in found])
    for program in sorted(set().union(*(cell.by_program for cell in found))):
        yield Row(f"    of it {program}", "", "", [cell.by_program.get(program, 0) for cell in found])


# The machine

def sync_ms():
    """Milliseconds that fdatasync takes where the ledger lies, median of 50."""
    took = []
    with tempfile.TemporaryFile(dir="/tmp") as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            start = time.monotonic()
            os.fdatasync(file.fileno())
            took.append((time.monotonic() - start) * 1000)
    return statistics.median(took)


def kannel_version():
    said = subprocess.run([shutil.which("bearerbox"), "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False, text=True).stdout
    found = re.search(r"version [`']?([\d.]+)", said)
    return found.group(1) if found else "of unknown version"


def main():
    parser = argparse.ArgumentParser(description="SMS/s and CPU through an HTTP gateway beside Kannel's")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--sms", type=int, default=3000, help="in each cell")
    parser.add_argument("--connections", type=int, default=32, help="to the provider that answers at once")
    parser.add_argument("--mails", type=int, default=1000, help="through Postfix, in each repetition; 0: none")
    parser.add_argument("--sessions", type=int, default=4, help="SMTP sessions at once")
    parser.add_argument("--size", type=int, default=4096, help="octets of a mail")
    args = parser.parse_args()
    reason = why_not() or next((f"needs Kannel: no {program} in PATH (apt-get install kannel)"
                                for program in ("bearerbox", "smsbox") if not shutil.which(program)), None)
    if reason:
        sys.exit(f"bench: {reason}")
    tests = os.path.join(os.environ["POSTSMS_BUILD"], "tests")
    programs = {name: os.path.join(tests, name) for name in ("bench_http_load", "bench_http_sink", "bench_load")}
    load, sync, began = os.getloadavg()[0], sync_ms(), time.monotonic()
    fast = Phase("0 ms", 0, args.connections, (8, 32))
    slow = Phase("100 ms", 100, 50, (100,))
    sink = Sink(programs["bench_http_sink"])
    try:
        rows = list(phase_rows(fast, beside_kannel(programs, sink, fast, args),
                               {8: (">= 0.8", "<= 0.6"), 32: (">= 1.0", "<= 0.6")}))
        rows += phase_rows(slow, beside_kannel(programs, sink, slow, args), {})
        if args.mails:
            rows += postfix_rows(programs, sink, args)
    finally:
        sink.close()
    print(f"{os.cpu_count()} CPUs, Linux {platform.release()}, load before {load:.2f}, fdatasync {sync:.2f} ms before "
          f"and {sync_ms():.2f} ms after; Kannel {kannel_version()}; {args.repetitions} repetitions of "
          f"{args.sms} SMS, {fast.connections} connections to the provider at 0 ms and {slow.connections} at "
          f"{slow.delay_ms} ms; {args.mails} mails of {args.size} octets over {args.sessions} sessions; "
          f"{time.monotonic() - began:.0f} s\n")
    show(rows)


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"bench: {fault}")
