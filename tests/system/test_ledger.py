# SPDX-License-Identifier: ISC
"""The ledger in trouble: nothing is sent, the cure is in the text. And in order: durable before anything leaves."""
import os
import re
import shutil
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import build, wait_until
from harness.site import DOMAIN

SENDER = "anna@allowed.example"


def send(site, text="Alarm"):
    number = site.number()
    sent = site.send(SENDER, f"{number}@{DOMAIN}", build(text))
    assert sent.accepted
    return number, sent


def ledger(site):
    return os.path.join(site.postsms.state_dir, "spool.db")


def set_aside(site):
    """Stops postsmsd and takes the ledger away; returns how to put it back."""
    site.postsms.stop_daemon()
    kept = os.path.join(site.base, "kept")
    os.mkdir(kept)
    for name in os.listdir(site.postsms.state_dir):
        if name.startswith("spool.db"):
            os.rename(os.path.join(site.postsms.state_dir, name), os.path.join(kept, name))

    def back():
        site.postsms.stop_daemon()
        for name in os.listdir(site.postsms.state_dir):
            if name.startswith("spool.db"):
                os.unlink(os.path.join(site.postsms.state_dir, name))
        for name in os.listdir(kept):
            os.rename(os.path.join(kept, name), os.path.join(site.postsms.state_dir, name))
        os.rmdir(kept)
        site.postsms.start_daemon()
    return back, kept


def missing(site, kept):
    return "postsms init", "4.3.5"


def newer(site, kept):
    shutil.copy2(os.path.join(kept, "spool.db"), ledger(site))
    with sqlite3.connect(ledger(site)) as db:
        db.execute("PRAGMA user_version = 999")
    for name in (ledger(site), ledger(site) + "-wal", ledger(site) + "-shm"):
        if os.path.exists(name):
            shutil.chown(name, site.postsms.user)
    return "install the newer postsms", "4.3.5"


def foreign(site, kept):
    with sqlite3.connect(ledger(site)) as db:
        db.execute("CREATE TABLE x (y)")
    shutil.chown(ledger(site), site.postsms.user)
    return "is not a ledger of postsms", "4.3.5"


def read_only(site, kept):
    shutil.copy2(os.path.join(kept, "spool.db"), ledger(site))
    os.chown(ledger(site), 0, 0)
    os.chmod(ledger(site), 0o444)
    return "written by this user", "4.3.5"


@pytest.mark.parametrize("trouble", [missing, newer, foreign, read_only])
def test_ledger_in_trouble(site, trouble):
    back, kept = set_aside(site)
    try:
        cure, dsn = trouble(site, kept)
        site.postsms.start_daemon()
        number, sent = send(site)
        deferred = site.postfix.wait_delivery(sent.queue_id, "deferred")[0]
        assert deferred["dsn"] == dsn and cure in deferred["text"], deferred
        assert not site.postsms.sent(number)
        status = site.postsms.admin("status", check=False)
        assert status.returncode == 1 and status.stdout
    finally:
        back()
    site.postfix.flush()
    site.postfix.wait_removed(sent.queue_id)
    assert len(site.postsms.sent(number)) == 1


def test_ledger_removed_under_a_running_daemon(site):
    """SQLite alone would go on writing to a file without a name."""
    os.rename(ledger(site), ledger(site) + ".gone")
    try:
        number, sent = send(site)
        deferred = site.postfix.wait_delivery(sent.queue_id, "deferred")[0]
        assert deferred["dsn"] == "4.3.5" and "removed or replaced" in deferred["text"]
        assert not site.postsms.sent(number)
    finally:
        os.rename(ledger(site) + ".gone", ledger(site))
    site.postfix.flush()
    site.postfix.wait_removed(sent.queue_id)
    assert len(site.postsms.sent(number)) == 1


def test_disk_is_full(new_site):
    """Less than 64 MB free: nothing is sent, whatever was promised before."""
    place = new_site(start=False)
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", place.postsms.state_dir], check=False,
                              stderr=subprocess.PIPE)
        if done.returncode:
            pytest.skip("this machine lets nobody mount: " + done.stderr.decode().strip())
        shutil.chown(place.postsms.state_dir, place.postsms.user)
        place.start()
        number, sent = send(place)
        deferred = place.postfix.wait_delivery(sent.queue_id, "deferred")[0]
        assert deferred["dsn"] == "4.3.0" and "make room" in deferred["text"]
        assert not place.postsms.sent(number)
        subprocess.run(["mount", "-o", "remount,size=200m", place.postsms.state_dir], check=True)
        place.postfix.flush()
        place.postfix.wait_removed(sent.queue_id)
        assert len(place.postsms.sent(number)) == 1
    finally:
        place.postsms.stop()
        subprocess.run(["umount", place.postsms.state_dir], check=False, stderr=subprocess.DEVNULL)


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_durable_before_anything_leaves(site):
    """No octet reaches the gateway while the ledger has one that is not synced; and commits are shared."""
    mails = 1000
    site.postsms.change(gateway={"delay": "0.1s", "concurrency": 20})
    site.postsms.reload()
    log = os.path.join(site.base, "strace")
    tracer = subprocess.Popen(["strace", "-y", "-qq", "-e", "trace=pwrite64,fdatasync,fsync,write", "-s", "8", "-o", log,
                               "-p", str(site.postsms.pid())], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: "TracerPid:\t0" not in open(f"/proc/{site.postsms.pid()}/status", encoding="ascii").read(),
                   10, "strace is there")
        with ThreadPoolExecutor(8) as pool:
            sent = list(pool.map(lambda _: send(site), range(mails)))
        for number, one in sent:
            site.postfix.wait_removed(one.queue_id, 60)
            assert len(site.postsms.sent(number)) == 1
    finally:
        tracer.terminate()
        tracer.wait(10)
        site.postsms.change(gateway={"delay": "0", "concurrency": 0})
        site.postsms.reload()
    unsynced = False
    syncs = submits = 0
    with open(log, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if re.match(r"pwrite64\(\d+<[^>]*spool\.db-wal>", line):
                unsynced = True
            elif re.match(r"f(data)?sync\(\d+<[^>]*spool\.db-wal>", line):
                unsynced = False
                syncs += 1
            elif re.match(r"write\(\d+<[^>]*sent\.jsonl>", line):
                submits += 1
                assert not unsynced, line
    assert submits == mails
    print(f"{syncs} syncs for {mails} mails")
    assert 0 < syncs < mails, syncs


def test_open_ones_survive_a_flood_of_old_ones(site):
    """100,000 old deliveries are purged while mail flows; the file does not grow by them for ever."""
    site.postsms.stop_daemon()
    with sqlite3.connect(ledger(site)) as db:  # ids grow with time: the old ones are the low ones
        db.execute("INSERT INTO delivery (id, queue_id, k1, k2, state, created, updated, sender, recipient, original, number,"
                   " login, client, message_id, gateway, originator, encoding, dcs, truncated, parts, rule, dsn, reason)"
                   " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
                   " SELECT i - 200000, 'OLD' || i, randomblob(16), randomblob(16), 'sent', 1000, 1000, 's', 'r', 'o', '+4179', '',"
                   " '', '', 'demo', '', 'gsm7', 0, 0, 1, '', '2.0.0', '' FROM n")
        db.execute("INSERT INTO part (delivery, seq, state, ref, gateway_ref, text, units, udh, since)"
                   " SELECT id, 1, 'accepted', 'r', 'g', 'text', 4, x'', 1000 FROM delivery"
                   " WHERE queue_id LIKE 'OLD%'")
        db.execute("INSERT INTO event SELECT id, 1, 1000, 0, 'sent', '' FROM delivery WHERE queue_id LIKE 'OLD%'")
    for name in os.listdir(site.postsms.state_dir):
        shutil.chown(os.path.join(site.postsms.state_dir, name), site.postsms.user)
    size = os.stat(ledger(site)).st_size
    site.postsms.start_daemon()
    sent = [send(site) for _ in range(100)]
    for number, one in sent:
        site.postfix.wait_removed(one.queue_id, 60)
        assert len(site.postsms.sent(number)) == 1

    def old_rows():
        with sqlite3.connect(f"file:{ledger(site)}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM delivery WHERE queue_id LIKE 'OLD%'").fetchone()[0]
    wait_until(lambda: old_rows() == 0, 120, lambda: f"{old_rows()} old rows are left")
    assert os.stat(ledger(site)).st_size <= size * 1.1
