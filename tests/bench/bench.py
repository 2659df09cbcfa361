#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make bench: the numbers of the design that exist so far, each beside its baseline from the same run.

Everything lives in a Site of its own on loopback: a private Postfix, postsms with the file gateway and a durable
ledger. Cells (one way of delivering, a fixed number of mails) run in turns, the order alternates, ratios are taken
inside a repetition. Every mail is counted; a mail missing or sent twice is a fault (exit 1), a target missed is not.

CPU is that of all processes of the instance, user and system: for master, postsmsd, postsms-milter and everything
below them, the sum of utime, stime, cutime and cstime in /proc/PID/stat, after a cell minus before it. A child that
was waited for has moved into its parent's cutime and cstime with nothing lost (pipe(8) waits for its programs, master
for pipe(8)), one that lives or is a zombie has its own line; at rest the sum is complete. The load generator and this
program are outside.
"""
import argparse
import collections
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))

from harness import Site, why_not  # noqa: E402
from harness.postfix import free_port  # noqa: E402
from harness.site import DOMAIN  # noqa: E402

BARE_DOMAIN = "bare.example.test"
TICK = os.sysconf("SC_CLK_TCK")
CELL_LIMIT = 600  # seconds for the mails of one cell, then something is broken

Cell = collections.namedtuple("Cell", "rate cpu by_program")
Row = collections.namedtuple("Row", "what against target values met", defaults=(None,))


class Fault(Exception):
    """A mail missing, twice, or refused: no figure is worth anything then."""


class Place(Site):
    """A Site whose Postfix also has a service "bare" that is "postsms" in all but the program, and a second port
    without milters."""

    def __init__(self, programs):
        super().__init__(settings={"transport": {"maxmsgs": 1}}, postfix={
            "relay_domains": f"{DOMAIN}, {BARE_DOMAIN}", "bare_destination_recipient_limit": "1",
            "bare_time_limit": "3600s"})
        self.programs = programs
        self.sink = os.path.join(self.base, "bench_sink")
        shutil.copy(programs["bench_sink"], self.sink)
        self.plain_port = None
        self._configure = self.postfix.configure
        self.postfix.configure = self.configure
        self.first = 1000000

    def configure(self):
        self._configure()
        self.plain_port = free_port()
        etc = self.postfix.etc
        with open(os.path.join(etc, "master.cf"), encoding="utf-8") as file:
            service = re.search(r"^postsms\s+unix.*\n(?:[ \t].*\n)*", file.read(), re.MULTILINE).group()
        pipe = os.path.join(self.postsms.libdir, "postsms-pipe")
        assert pipe in service, service
        with open(os.path.join(etc, "master.cf"), "a", encoding="utf-8") as file:
            file.write(re.sub(r"^postsms\b", "bare", service).replace(pipe, self.sink))
            file.write(f"127.0.0.1:{self.plain_port} inet n - n - - smtpd\n  -o smtpd_milters=\n")
        with open(os.path.join(etc, "postsms-transport"), "a", encoding="utf-8") as file:
            file.write(f"{BARE_DOMAIN} bare:\n")

    def numbers(self, count):
        """The first of so many numbers that nobody else gets."""
        first, self.first = self.first, self.first + count
        return first


# What processes cost and hold

def processes():
    """{pid: (parent, program, own ticks, ticks of children waited for)}"""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                name, _, rest = file.read().partition("(")[2].rpartition(")")
        except OSError:
            continue
        field = rest.split()
        found[int(pid)] = (int(field[1]), name, int(field[11]) + int(field[12]), int(field[13]) + int(field[14]))
    return found


def descendants(roots):
    """processes() of these pids and of all below."""
    everything = processes()
    ours, before = set(roots), None
    while ours != before:
        before = set(ours)
        ours |= {pid for pid, entry in everything.items() if entry[0] in ours}
    return {pid: everything[pid] for pid in ours}


def family(place):
    """processes() of this place: master, postsmsd, milter and all below."""
    return descendants({place.postfix._master_pid(), place.postsms.pid(), place.postsms.pid("postsms-milter")})


def cpu(place):
    """Ticks so far by program; the programs of pipe(8) and processes that ended count as "Postfix"."""
    ticks = collections.Counter()
    for _, program, own, children in family(place).values():
        group = program if program.startswith("postsms") else "Postfix"
        ticks[group] += own
        ticks["postsms-reader" if program == "postsmsd" else group] += children
    return ticks


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) / 1024


def memory(place):
    """{program: [MB, …]}"""
    found = collections.defaultdict(list)
    for pid, (_, program, _, _) in family(place).items():
        if program in ("postsmsd", "postsms-milter", "postsms-reader"):
            found[program].append(resident(pid))
    return found


# One cell

class Removed:
    """How many mails have left the queue, and what the log says about them, from now on."""

    def __init__(self, place):
        self.path = place.postfix.maillog.path
        self.start = self.offset = os.path.getsize(self.path)
        self.count = 0
        self.rest = b""

    def look(self):
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            data = file.read()
        self.offset += len(data)
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.count += sum(line.endswith(b": removed") for line in lines)
        return self.count

    def sent(self):
        """Queue ids with status=sent, once per line."""
        with open(self.path, encoding="utf-8", errors="replace") as file:
            file.seek(self.start)
            return re.findall(r"postfix/pipe\[\d+\]: (\w+): .*status=sent", file.read())


def run_cell(place, domain, port, args):
    first = place.numbers(args.mails)
    parts = len(place.postsms.sent())
    removed = Removed(place)
    before = cpu(place)
    start = time.monotonic()
    load = subprocess.Popen([place.programs["bench_load"], str(port), domain, str(args.sessions), str(args.mails),
                             str(first), str(args.size)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        while removed.look() < args.mails:
            if load.poll() or time.monotonic() > start + CELL_LIMIT:
                raise Fault(f"{removed.count} of {args.mails} mails left the queue; load: {load.poll()}")
            time.sleep(0.01)
        end = time.monotonic()
        accepted = load.communicate(timeout=CELL_LIMIT)[0].split()
    finally:
        load.kill()
        load.wait()
    time.sleep(0.2)  # what is done behind the last verdict belongs to it
    spent = cpu(place)
    spent.subtract(before)
    sent = removed.sent()
    if len(set(accepted)) != args.mails or sorted(accepted) != sorted(sent):
        raise Fault(f"{len(accepted)} mails accepted, {len(sent)} sent by pipe(8)")
    if domain == DOMAIN:
        numbers = [part["number"] for part in place.postsms.sent()[parts:]]
        if sorted(numbers) != [f"+4179{number:07d}" for number in range(first, first + args.mails)]:
            raise Fault(f"{len(numbers)} parts for {len(set(numbers))} numbers, {args.mails} mails")
    per_thousand = {program: ticks / TICK / args.mails * 1000 for program, ticks in spent.items()}
    return Cell(args.mails / (end - start), sum(per_thousand.values()), per_thousand)


# The rows

def delivery_rows(place, args):
    cells = {"bare": (BARE_DOMAIN, place.plain_port), "postsms": (DOMAIN, place.plain_port),
             "with milter": (DOMAIN, place.postfix.port)}
    if args.no_milter:
        del cells["with milter"]
    warm = argparse.Namespace(**{**vars(args), "mails": 50})
    for cell in cells.values():
        run_cell(place, *cell, warm)
    results = {name: [] for name in cells}
    for repetition in range(args.repetitions):
        order = list(cells) if repetition % 2 == 0 else list(cells)[::-1]
        for name in order:
            cell = run_cell(place, *cells[name], args)
            results[name].append(cell)
            note(f"repetition {repetition + 1}, {name}: {cell.rate:.0f} mails/s, CPU {cell.cpu:.2f} s per 1,000 ("
                 + ", ".join(f"{program} {value:.2f}" for program, value in sorted(cell.by_program.items())) + ")")
    baseline = "same Postfix, pipe to a program that reads"

    def ratio(name, what):
        return [getattr(ours, what) / getattr(bare, what) for ours, bare in zip(results[name], results["bare"])]
    yield Row("mails/s, SMTP to file gateway", baseline, ">= 0.75", ratio("postsms", "rate"))
    yield Row("CPU of all processes", baseline, "<= 1.25", ratio("postsms", "cpu"))
    if "with milter" in cells:
        yield Row("mails/s, postsms-milter as well", baseline + ", no milter", "", ratio("with milter", "rate"))
        yield Row("CPU, postsms-milter as well", baseline + ", no milter", "", ratio("with milter", "cpu"))
    for name, found in results.items():
        yield Row(f"  mails/s, {name}", "", "", [cell.rate for cell in found])
        yield Row(f"  CPU s per 1,000, {name}", "", "", [cell.cpu for cell in found])
    ours = "with milter" if "with milter" in cells else "postsms"
    for program in sorted(set().union(*(cell.by_program for cell in results[ours]))):
        yield Row(f"    of it {program}", "", "", [cell.by_program.get(program, 0) for cell in results[ours]])


def pipe_rows(place, args):
    """exec to exit, both programs in turns, ratio inside each repetition."""
    socket = os.path.join(place.postsms.run_dir, "deliver.sock")
    pipe = os.path.join(place.postsms.libdir, "postsms-pipe")
    pairs = []
    for _ in range(args.pipe_repetitions):
        first = place.numbers(2 * args.pipes)
        done = subprocess.run([place.programs["bench_spawn"], str(args.pipes), str(first), DOMAIN, socket, pipe,
                               place.sink], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
                              timeout=CELL_LIMIT)
        if done.returncode:
            raise Fault(done.stderr.strip())
        pairs.append([int(value) / args.pipes for value in done.stderr.split()])
    yield Row("CPU of postsms-pipe, exec to exit", "a program that reads its input", "<= 1.40",
              [ours / sink for ours, sink, _, _ in pairs])
    yield Row("  µs of CPU, postsms-pipe", "", "", [pair[0] for pair in pairs])
    yield Row("  µs of CPU, program that reads", "", "", [pair[1] for pair in pairs])
    yield Row("  µs until exit, postsms-pipe", "", "", [pair[2] for pair in pairs])


def memory_rows(rested, worked):
    for program, target in (("postsms-milter", 12), ("postsmsd", 20), ("postsms-reader", 20)):
        yield Row(f"MB, {program} at rest", "after its start", f"<= {target}", rested[program])
        yield Row(f"MB, {program} at rest", "after the mails above", f"<= {target}", worked[program])


def met(row):
    if not row.target:
        return ""
    sign, bound = row.target.split()
    median = statistics.median(row.values)
    return "yes" if (median >= float(bound) if sign == ">=" else median <= float(bound)) else "NO"


def note(text):
    print(text, file=sys.stderr, flush=True)


def show(rows):
    def figure(value):
        return f"{value:.0f}" if value >= 100 else f"{value:.2f}"
    table = [("what", "held against", "target", "min / median / max", "met")]
    for row in rows:
        values = (min(row.values), statistics.median(row.values), max(row.values))
        table.append((row.what, row.against, row.target, " / ".join(map(figure, values)), met(row)))
    widths = [max(len(line[column]) for line in table) for column in range(5)]
    for line in table:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description="figures beside their baselines")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--mails", type=int, default=1000, help="in each cell")
    parser.add_argument("--sessions", type=int, default=4, help="SMTP sessions at once")
    parser.add_argument("--size", type=int, default=4096, help="octets of a mail")
    parser.add_argument("--pipes", type=int, default=200, help="starts of postsms-pipe in a repetition")
    parser.add_argument("--pipe-repetitions", type=int, default=7)
    parser.add_argument("--no-milter", action="store_true", help="leave out the cells with postsms-milter")
    args = parser.parse_args()
    reason = why_not()
    if reason:
        sys.exit(f"bench: {reason}")
    tests = os.path.join(os.environ["POSTSMS_BUILD"], "tests")
    programs = {name: os.path.join(tests, name) for name in ("bench_sink", "bench_load", "bench_spawn")}
    load = os.getloadavg()[0]
    began = time.monotonic()
    with Place(programs) as place:
        time.sleep(1)
        rested = memory(place)
        rows = [*delivery_rows(place, args), *pipe_rows(place, args)]
        time.sleep(1)
        rows += memory_rows(rested, memory(place))
    print(f"{os.cpu_count()} CPUs, Linux {platform.release()}, load before {load:.2f}; {args.repetitions} repetitions "
          f"of {args.mails} mails of {args.size} octets over {args.sessions} sessions; "
          f"{time.monotonic() - began:.0f} s\n")
    show(rows)


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"bench: {fault}")
