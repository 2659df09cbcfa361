# SPDX-License-Identifier: ISC
"""SIGKILL between any two steps: nothing is lost, nothing goes twice, nothing is silent.

tests/killpoints.tsv says where and with which mail; the points are in a build variant only ("make killpoints"). The
judges are the gateway's own file, Postfix's queue and "postsms trace".
"""
import ctypes
import glob
import os
import pwd
import re
import select
import shutil
import signal
import sqlite3
import subprocess

import pytest
from harness import build, wait_until
from harness.site import ALARM_TO, DOMAIN, ROOT
from http_points import http

SENDER = "anna@allowed.example"
LONG = "Die Wartung beginnt um zehn Uhr. " * 12
BUILD = os.environ.get("POSTSMS_BUILD") or os.path.join(ROOT, "build", "plain")
PIDFD_GETFD = 438  # the system call, which Python has no name for
SITE = {"postfix": {"transport_retry_time": "1s"}}


def rows():
    with open(os.path.join(ROOT, "tests", "killpoints.tsv"), encoding="utf-8") as file:
        head, *lines = file.read().rstrip("\n").split("\n")
    assert head == "row\tkind\twhat"
    return [line.split("\t") for line in lines]


def points_in_the_source():
    found = set()
    for path in glob.glob(os.path.join(ROOT, "*", "**", "*.c"), recursive=True):
        if not path.startswith(os.path.join(ROOT, "build")):
            with open(path, encoding="utf-8") as file:
                found |= set(re.findall(r'KILL_POINT\("([a-z-]+)"\)', file.read()))
    return found


def programs():
    return [path for folder in ("sbin", "lib/postsms") for path in glob.glob(os.path.join(BUILD, folder, "*"))]


def has_points(path):
    with open(path, "rb") as file:
        return b"POSTSMS_KILL" in file.read()


POINTS_HERE = has_points(os.path.join(BUILD, "sbin", "postsmsd"))
with_points = pytest.mark.skipif(not POINTS_HERE, reason="make killpoints: a build with kill points")


@pytest.mark.skipif(os.path.basename(BUILD.rstrip("/")).endswith("kill"), reason="this build is for kill points")
def test_shipped_programs_have_no_hook():
    assert len(programs()) == 5
    assert [path for path in programs() if has_points(path)] == []


def test_table_names_every_point():
    listed = {what.split(":")[0] for _, kind, what in rows() if kind == "point"}
    assert listed == points_in_the_source()


# Mails and judges

def calm_settings(site):
    if os.path.isdir(site.postsms.sent_file):
        os.rmdir(site.postsms.sent_file)
    site.postsms.change(transport={"warn_after": "4h"}, remember="6d",
                        gateway={"delay": "0", "concurrency": 0, "fail_every": 0})


@pytest.fixture(autouse=True)
def calm(request):
    """Each test finds postsmsd and Postfix running, a quick gateway and no mail of others."""
    yield
    if "site" not in request.fixturenames:
        return
    site = request.getfixturevalue("site")
    site.postsms.stop_daemon(number=signal.SIGKILL)
    calm_settings(site)
    site.postfix.postfix_tool("postsuper", "-d", "ALL", check=False)
    site.postsms.start_daemon()


class Mail:
    """A mail on its way, and what explain said about it."""

    def __init__(self, site, text="kurz", sender=SENDER):
        self.site, self.sender, self.number = site, sender, site.number()
        self.recipient = f"{self.number}@{DOMAIN}"
        self.mail = build(text, sender=sender)
        self.said = site.postsms.explain(sender, self.recipient, self.mail)
        self.queue_id = None

    def send(self):
        sent = self.site.send(self.sender, self.recipient, self.mail)
        assert sent.accepted
        self.queue_id = sent.queue_id
        return self

    def pipe(self, queue_id="4Q0000000zABCD", deadline=60, mail=None):
        """What pipe(8) would run, as whom it would."""
        user = pwd.getpwnam(self.site.postsms.user)
        process = subprocess.Popen(
            [os.path.join(self.site.postsms.libdir, "postsms-pipe"), "-s",
             os.path.join(self.site.postsms.run_dir, "deliver.sock"), f"--deadline={deadline}",
             f"--queue-id={queue_id}", f"--sender={self.sender}", f"--recipient={self.recipient}",
             f"--original={self.recipient}", "--login=", "--client=127.0.0.1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=user.pw_uid, group=user.pw_gid, extra_groups=[],
            cwd="/")
        process.stdin.write(self.mail if mail is None else mail)
        process.stdin.flush()
        if mail is None:
            process.stdin.close()
            process.stdin = None
        return process

    @staticmethod
    def answer(pipe, timeout=20):
        """Its exit status and output."""
        output = pipe.communicate(timeout=timeout)[0]
        return pipe.returncode, output.decode()

    def state(self):
        return {row["number"]: row["state"] for row in self.site.postsms.json("queue")}.get(self.number)

    def wait_state(self, state):
        wait_until(lambda: self.state() == state, 15, lambda: f"{self.number} {state}: {self.state()}")

    def deliveries(self):
        return self.site.postsms.json("trace", self.number)

    def judge_sent(self):
        """The gateway has each part once, as explain said; the ledger has one delivery, sent."""
        self.site.assert_explained(self.said, self.site.postsms.sent(self.number), self.number, self.sender,
                                   self.recipient)
        delivery, = self.deliveries()
        assert delivery["state"] == "sent", delivery
        assert {part["state"] for part in delivery["parts"]} == {"accepted"}, delivery
        assert not any(event["what"] == "unknown" for event in delivery["events"]), delivery

    def judge(self):
        """Postfix is rid of it as sent; then as above."""
        self.site.postfix.wait_removed(self.queue_id, 40)
        assert self.site.postfix.deliveries(self.queue_id)[-1]["status"] == "sent"
        self.judge_sent()


def judge_ledger(path):
    """Whole, and no delivery without its parts and its first event."""
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("SELECT id FROM delivery WHERE parts <> (SELECT count(*) FROM part WHERE delivery = id) "
                          "OR NOT EXISTS (SELECT * FROM event WHERE delivery = id AND n = 1)").fetchall() == []
    db.close()


def ledger(postsms):
    return os.path.join(postsms.state_dir, "spool.db")


# One function for each kind of mail in the table: runs a postsmsd that dies, then one that does not, and judges.

def die_and_send(site, kill, settings, texts, after=()):
    site.postsms.stop_daemon()
    site.postsms.change(gateway={**settings, **dict(after)})
    site.postsms.start_daemon(kill=kill)
    mails = [Mail(site, text).send() for text in texts]
    if kill.startswith("reader-"):
        deferred = site.postfix.wait_delivery(mails[0].queue_id, "deferred")[0]
        assert deferred["dsn"] == "4.3.0" and "attempt 1 of 3" in deferred["text"]
        site.postsms.stop_daemon()
    else:
        site.postsms.wait_death()
    judge_ledger(ledger(site.postsms))
    site.postsms.change(gateway={"delay": "0", "concurrency": 0, "fail_every": 0})
    site.postsms.start_daemon()
    for mail in mails:
        mail.judge()
    judge_ledger(ledger(site.postsms))


def one(site, kill, settings):
    die_and_send(site, kill, settings, ["kurz"])


def long(site, kill, settings):
    die_and_send(site, kill, settings, [LONG])


def pair(site, kill, settings):
    """The second one waits while the first one is with the gateway."""
    die_and_send(site, kill, settings, ["erste", LONG], {"delay": "0.5s", "concurrency": 1})


def reports(site, address, subject, before=()):
    """The Message-IDs of what postsmsd has sent, but for the mails in these folders."""
    return [mail.message["Message-ID"] for mail in site.postfix.caught(address)
            if subject in mail.message["Subject"] and mail.folder not in before]


def judge_reports(site, kill, address, subject, before=()):
    """One mail; a second copy under the same Message-ID if Postfix had the first already."""
    copies = 2 if kill.startswith("mail-handed") else 1
    wait_until(lambda: len(reports(site, address, subject, before)) >= copies, 30, f"{copies} mail to {address}")
    found = reports(site, address, subject, before)
    assert len(found) == copies and len(set(found)) == 1, found


def warning(site, kill, settings):
    site.postsms.change(transport={"warn_after": "1s"}, gateway={"fail_every": 1, **settings})
    site.postsms.reload()
    mail = Mail(site, sender=site.sender()).send()
    site.postfix.wait_delivery(mail.queue_id, "deferred")
    site.postsms.stop_daemon()
    site.postsms.start_daemon(kill=kill)
    site.postsms.wait_death()
    judge_ledger(ledger(site.postsms))
    site.postsms.start_daemon()
    judge_reports(site, kill, mail.sender, "not sent yet")
    site.postsms.change(gateway={"fail_every": 0})
    site.postsms.reload()
    mail.judge()
    assert len(set(reports(site, mail.sender, ""))) == 1


def alarm(site, kill, settings):
    """The gateway goes out."""
    before = [caught.folder for caught in site.postfix.caught(ALARM_TO)]
    site.postsms.stop_daemon()
    site.postsms.change(gateway={"fail_every": 1, **settings})
    site.postsms.start_daemon(kill=kill)
    mails = [Mail(site).send() for _ in range(3)]
    site.postsms.wait_death()
    judge_ledger(ledger(site.postsms))
    if not kill.startswith("mail-inside"):
        site.postsms.change(gateway={"fail_every": 0})  # it is reported without going out again
    site.postsms.start_daemon()
    judge_reports(site, kill, ALARM_TO, "demo out", before)
    site.postsms.change(gateway={"fail_every": 0})
    site.postsms.reload()
    for mail in mails:
        mail.judge()


def moved(new_site, kill, settings):
    """The first gateway fails, the second one gets a plan of its own: the old one holds, or the new one."""
    assert not settings
    site = new_site(**SITE, start=False, gateway={"fail_every": 1, "weight": 1000}, gateways={"second": {}})
    site.postsms.admin("init")
    site.postsms.start_daemon(kill=kill)
    site.postsms.start_milter()
    site.postfix.start()
    mail = Mail(site, LONG).send()
    site.postsms.wait_death()
    judge_ledger(ledger(site.postsms))
    assert query(ledger(site.postsms), "SELECT gateway FROM delivery") == [("demo",)]
    site.postsms.start_daemon()
    mail.said["gateway"] = "second"
    for part in mail.said["parts"]:  # the number has seen one reference today
        udh = bytearray.fromhex(part["udh"])
        udh[3] = (udh[3] + 1) % 256
        part["udh"] = udh.hex()
    mail.judge()
    assert mail.deliveries()[0]["gateway"] == "second"
    judge_ledger(ledger(site.postsms))


# Without mail: the ledger alone.
OLD = """INSERT INTO delivery (id, queue_id, k1, state, created, updated, sender, recipient, original, number, login,
client, message_id, gateway, originator, encoding, dcs, truncated, parts, rule, dsn, reason) VALUES
(?1, 'Q' || ?1, randomblob(16), ?2, ?3, ?3, 'a@b', 'c@d', 'c@d', '+41790000000', '', '', '', 'demo', '', 'gsm7', 0, 0,
1, '', '', '')"""
OLD_PART = """INSERT INTO part (delivery, seq, state, ref, gateway_ref, text, units, udh)
VALUES (?, 1, ?, ?, '', 'x', 1, x'')"""
OLD_EVENT = "INSERT INTO event VALUES (?, 1, 1, 0, 'planned', '')"


def fill(path, numbers, state, part, when):
    with sqlite3.connect(path) as db:
        for number in numbers:
            db.execute(OLD, (number, state, when))
            db.execute(OLD_PART, (number, part, f"{number:032x}"))
            db.execute(OLD_EVENT, (number,))
    db.close()


def of_daemon(site):
    for name in os.listdir(site.postsms.state_dir):
        shutil.chown(os.path.join(site.postsms.state_dir, name), site.postsms.user)


def query(path, sql):
    with sqlite3.connect(path) as db:
        found = db.execute(sql).fetchall()
    db.close()
    return found


def migration(new_site, kill, settings):
    """A ledger of the first schema, with rows in it."""
    assert not settings
    site = new_site(start=False)
    path = ledger(site.postsms)
    sources = sorted(glob.glob(os.path.join(ROOT, "spool", "migrate", "*.sql")))
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        with open(sources[0], encoding="utf-8") as file:
            db.executescript(file.read())
        db.execute("PRAGMA application_id = 0x706f7374")
        db.execute("PRAGMA user_version = 1")
    db.close()
    fill(path, range(1, 50), "sent", "accepted", 1)
    fill(path, range(50, 60), "open", "planned", 1 << 50)
    of_daemon(site)
    before = query(path, "SELECT sql FROM sqlite_schema ORDER BY name")
    for step in range(1, len(sources)):
        site.postsms.start_daemon(kill=f"{kill.split(':')[0]}:{min(step, 2)}")  # one step further each time
        site.postsms.wait_death()
        judge_ledger(path)
        assert query(path, "PRAGMA user_version") == [(step,)]
        assert step > 1 or query(path, "SELECT sql FROM sqlite_schema ORDER BY name") == before
    site.postsms.start_daemon()
    assert query(path, "PRAGMA user_version") == [(len(sources),)]
    count = "SELECT state, count(*) FROM {} GROUP BY state ORDER BY 1"
    assert query(path, count.format("delivery")) == [("open", 10), ("sent", 49)]
    assert query(path, count.format("part")) == [("accepted", 49), ("planned", 10)]
    judge_ledger(path)


def purge(new_site, kill, settings):
    """Old rows go all or not at all; open ones and young ones stay."""
    assert not settings
    site = new_site(start=False)
    path = ledger(site.postsms)
    site.postsms.admin("init")
    fill(path, range(1, 451), "sent", "accepted", 1)
    fill(path, range(451, 461), "open", "planned", 1 << 50)
    fill(path, range(461, 471), "sent", "accepted", 1 << 50)
    of_daemon(site)
    site.postsms.start_daemon(kill=kill)
    site.postsms.wait_death()
    judge_ledger(path)
    assert query(path, "SELECT count(*) FROM delivery") == [(470,)]
    site.postsms.start_daemon()
    wait_until(lambda: query(path, "SELECT count(*) FROM delivery") == [(20,)], 20, "the old ones go")
    assert query(path, "SELECT count(*) FROM part") == query(path, "SELECT count(*) FROM event") == [(20,)]
    judge_ledger(path)


def backup(new_site, kill, settings):
    """Of a ledger that takes more than one step; what is left of it is not taken for a ledger by anybody."""
    assert not settings
    site = new_site(start=False)
    site.postsms.admin("init")
    fill(ledger(site.postsms), range(1, 20001), "sent", "accepted", 1 << 50)
    of_daemon(site)
    cut, whole = (os.path.join(site.base, name) for name in ("cut.db", "whole.db"))
    done = site.postsms.admin("backup", cut, check=False, env={"POSTSMS_KILL": kill})
    assert done.returncode == -signal.SIGKILL
    assert query(cut, "PRAGMA application_id") == [(0,)]
    site.postsms.admin("backup", whole)
    judge_ledger(whole)
    judge_ledger(ledger(site.postsms))
    assert query(whole, "SELECT count(*) FROM delivery") == query(ledger(site.postsms), "SELECT count(*) FROM delivery")


KINDS = {"one": one, "long": long, "pair": pair, "warning": warning, "alarm": alarm, "moved": moved, "migration": migration,
         "purge": purge, "backup": backup, "http": http}


@with_points
@pytest.mark.parametrize("row,what", [pytest.param(row, what, id=f"{row} {what}") for row, kind, what in rows()
                                      if kind == "point" and POINTS_HERE])
def test_point(request, row, what):
    assert row.isdigit()
    kill, kind, *settings = what.split()
    fixture = "new_site" if kind in ("moved", "migration", "purge", "backup", "http") else "site"
    KINDS[kind](request.getfixturevalue(fixture), kill, {key: int(value) for key, value in
                                                         (setting.split("=") for setting in settings)})


# What needs no point: other processes die, power fails, the ledger is held.

def slow(site, delay="1s", **more):
    site.postsms.change(gateway={"delay": delay, "concurrency": 1, **more})
    site.postsms.reload()


def test_pipe_dies_in_mid_input(site):
    """Row 1: half a mail is none, however its end came about."""
    mail = Mail(site, LONG)
    half = mail.mail[:len(mail.mail) // 2]
    killed = mail.pipe(mail=half)
    killed.kill()
    killed.communicate()
    left = mail.pipe(mail=half)  # what is left of it when pipe(8) dies
    left.stdout.close()
    left.stdin.close()
    assert left.wait(10) == 75
    site.send_sms("danach")  # by now both ends have been seen
    assert not site.postsms.sent(mail.number)
    assert site.postsms.admin("trace", mail.number, check=False).returncode == 1
    assert mail.answer(mail.pipe())[0] == 0
    mail.judge_sent()


def test_reader_is_killed(site):
    """Row 1: the mail is deferred with a reason, nothing is stored, the next attempt does all."""
    site.postsms.change(readers=1)
    site.postsms.stop_daemon()
    site.postsms.start_daemon()
    site.send_sms("vorher")  # a reader is lent nothing before it said hello: this one has
    reader, = site.postsms.program_pids("postsms-reader")
    os.kill(reader, signal.SIGSTOP)
    mail = Mail(site)
    mail.send()
    before = site.postsms.json("log", "-n", "1")
    # Nothing says when a stopped process has been lent a mail: its socket has something to read then.
    wait_until(lambda: unread(reader), 10, "the reader has the mail")
    os.kill(reader, signal.SIGKILL)
    deferred = site.postfix.wait_delivery(mail.queue_id, "deferred")[0]
    assert deferred["dsn"] == "4.3.0" and "attempt 1 of 3" in deferred["text"]
    assert site.postsms.json("log", "-n", "1") == before
    mail.judge()
    site.postsms.change(readers=2)


def unread(pid):
    """Has descriptor 3 of a process something to read? A copy of it tells, and looking takes nothing away."""
    fd = os.pidfd_open(pid)
    copy = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, fd, 3, 0)
    os.close(fd)
    assert copy >= 0, os.strerror(ctypes.get_errno())
    try:
        return bool(select.select([copy], [], [], 0)[0])
    finally:
        os.close(copy)


def test_line_cut_short(site):
    """Row 5: a torn line is no SMS; the part is sent once and whole, and the line does not spoil the next."""
    slow(site, "1s")
    mail = Mail(site).send()
    mail.wait_state("submitting")
    ref = mail.deliveries()[0]["parts"][0]["ref"]
    site.postsms.kill_daemon()
    assert not site.postsms.sent(mail.number)
    with open(site.postsms.sent_file, "a", encoding="utf-8") as file:
        file.write(f'{{"time":"2026-11-22T10:00:00.000Z","id":"{ref}","number":"{mail.number}","origi')
    shutil.chown(site.postsms.sent_file, site.postsms.user)
    site.postsms.change(gateway={"delay": "0"})
    site.postsms.start_daemon()
    mail.judge()


def test_pipe_daemon_dies_after_exit_0(site):
    """Row 10: Postfix never learns of the success and offers the mail again."""
    slow(site, "0.5s")
    mail = Mail(site, LONG).send()
    mail.wait_state("submitting")
    pipe, = site.postsms.program_pids("postsms-pipe")
    with open(f"/proc/{pipe}/stat", encoding="ascii") as file:
        daemon = int(file.read().rpartition(")")[2].split()[1])
    assert daemon in site.postfix.processes("pipe", "postsms")
    os.kill(daemon, signal.SIGSTOP)
    wait_until(lambda: not site.postsms.program_pids("postsms-pipe"), 10, "postsms-pipe has ended")
    assert len(site.postsms.sent(mail.number)) == 3
    os.kill(daemon, signal.SIGKILL)
    mail.judge()
    assert any(event["what"] == "offered again" for event in mail.deliveries()[0]["events"])


def test_postfix_crashes(site):
    """Row 10: master and all of its processes die with one mail at the gateway and two waiting."""
    slow(site)
    mails = [Mail(site).send() for _ in range(3)]
    mails[2].wait_state("waiting")
    site.postfix.crash()
    wait_until(lambda: not site.postsms.program_pids("postsms-pipe"), 10, "nobody waits any more")
    site.postfix.start()
    for mail in mails:
        mail.judge()


def test_power_fails_inside_a_commit(site, tmp_path):
    """Row 12: however much of the log has reached the disk, the ledger is an old one or the new one."""
    slow(site, "0.2s")
    mail = Mail(site, LONG).send()
    mail.wait_state("submitting")
    site.postsms.kill_daemon()
    with open(ledger(site.postsms) + "-wal", "rb") as file:
        log = file.read()
    page = int.from_bytes(log[8:12], "big")
    ends = {32 + frame * (page + 24) for frame in range((len(log) - 32) // (page + 24) + 1)}
    for end in sorted(ends)[-25:]:
        for cut, rest in ((end, b""), (end - 100, b""), (end - page // 2, b"\0" * (page // 2))):
            copy = str(tmp_path / "copy.db")
            shutil.copy(ledger(site.postsms), copy)
            with open(copy + "-wal", "wb") as file:
                file.write(log[:max(cut, 0)] + rest)
            judge_ledger(copy)
            for name in glob.glob(copy + "*"):
                os.unlink(name)
    site.postsms.change(gateway={"delay": "0"})
    site.postsms.start_daemon()
    mail.judge()


def test_own_deadline_comes_first(site):
    """Row 13: an answer before Postfix would kill and bounce; from the pipe itself if postsmsd hangs."""
    slow(site, "4s")
    mail = Mail(site)
    assert mail.answer(mail.pipe(deadline=2)) == (75, "4.3.2 demo: part 1 of 1 is still being sent\n")
    wait_until(lambda: site.postsms.sent(mail.number), 10, "the gateway goes on")
    assert mail.answer(mail.pipe())[0] == 0
    mail.judge_sent()
    site.postsms.send_signal(signal.SIGSTOP)
    try:
        assert mail.answer(Mail(site).pipe(deadline=1)) == (75, "4.3.2 postsmsd: no answer within the time limit\n")
    finally:
        site.postsms.send_signal(signal.SIGCONT)


def test_pipe_dies_while_the_gateway_works(site):
    """Row 14: postsmsd finishes the part and writes it down; nothing follows until Postfix asks again."""
    slow(site)
    mail = Mail(site, LONG).send()
    mail.wait_state("submitting")
    pipe, = site.postsms.program_pids("postsms-pipe")
    os.kill(pipe, signal.SIGKILL)
    site.postfix.wait_delivery(mail.queue_id, "deferred")
    wait_until(lambda: mail.deliveries()[0]["parts"][0]["state"] == "accepted", 5, "part 1 is written down")
    mail.judge()


@with_points  # no point is used, but it takes its time
def test_ledger_blocked_at_the_result(site):
    """Row 24: what the gateway said stays in hand until it can be written; nothing else begins."""
    log = site.postsms.logs["postsmsd"]
    failures = log.text().count("database is locked")
    slow(site)
    mails = [Mail(site, text).send() for text in (LONG, "wartet")]
    mails[0].wait_state("submitting")
    mails[1].wait_state("waiting")
    lock = sqlite3.connect(ledger(site.postsms), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    site.postsms.wait_sent(mails[0].number)
    mails.append(Mail(site, "kommt dazu").send())
    # SQLite waits ten seconds for the lock. The first group has the result alone, the second one the new mail too.
    wait_until(lambda: log.text().count("cannot be written: database is locked") >= failures + 2, 40, "two groups fail")
    assert [len(site.postsms.sent(mail.number)) for mail in mails] == [1, 0, 0]
    assert mails[0].deliveries()[0]["parts"][0]["state"] == "submitting"
    lock.execute("ROLLBACK")
    lock.close()
    for mail in mails:
        mail.judge()
    judge_ledger(ledger(site.postsms))


def test_not_asked_for_while_held(site):
    """Row 26: in doubt, and Postfix's patience is over: given up, said, and never sent later."""
    slow(site)
    mail = Mail(site).send()
    mail.wait_state("submitting")
    site.postsms.kill_daemon()
    site.postfix.wait_delivery(mail.queue_id, "deferred")
    kept = site.postsms.sent_file + ".kept"
    if os.path.exists(site.postsms.sent_file):
        os.rename(site.postsms.sent_file, kept)
    os.mkdir(site.postsms.sent_file)
    site.postsms.change(gateway={"delay": "0"})
    site.postsms.start_daemon()
    mail.wait_state("unknown")
    wait_until(lambda: reports(site, ALARM_TO, "demo unknown"), 10, "somebody is told")
    site.postfix.wait_delivery(mail.queue_id, "deferred", 2)
    site.postfix.postfix_tool("postsuper", "-d", mail.queue_id)
    site.postsms.change(remember="1s")
    site.postsms.reload()
    wait_until(lambda: mail.deliveries()[0]["state"] == "gave_up", 25, "it is given up")
    delivery, = mail.deliveries()
    assert delivery["parts"][0]["state"] == "gave_up" and "may have been delivered" in delivery["reason"]
    os.rmdir(site.postsms.sent_file)
    if os.path.exists(kept):
        os.rename(kept, site.postsms.sent_file)
    site.postsms.change(remember="6d")
    site.postsms.reload()
    status, text = mail.answer(mail.pipe())
    assert status == 69 and text.startswith("5.4.7 ")
    assert not site.postsms.sent(mail.number)


def test_two_commands_for_one_job(site):
    """Row 28: one works, both hear the verdict; also under another queue id, and afterwards."""
    slow(site, "0.5s")
    mail = Mail(site, LONG)
    both = [mail.pipe(), mail.pipe(), mail.pipe("4Q0000001zABCD")]
    for pipe in both + [mail.pipe()]:
        assert mail.answer(pipe)[0] == 0
    mail.judge_sent()


def test_requeued_after_one_part(site):
    """Row 29: postsuper -r makes a new mail of it; the parts that are left are sent, once."""
    site.postsms.stop_daemon()
    site.postsms.change(gateway={"fail_every": 2})
    site.postsms.start_daemon()
    mail = Mail(site, LONG).send()
    site.postfix.wait_delivery(mail.queue_id, "deferred")
    first = site.postsms.sent(mail.number)
    site.postfix.postfix_tool("postsuper", "-r", "ALL")
    site.postsms.change(gateway={"fail_every": 0})
    site.postsms.reload()
    site.postfix.flush()
    wait_until(lambda: site.postfix.mailq() == [], 30, "the queue empties")
    assert len(first) == 1
    mail.judge_sent()
