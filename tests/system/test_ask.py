# SPDX-License-Identifier: ISC
"""ask.sock: what postsms-milter asks postsmsd, and everything that can go wrong on the way."""
import os
import re
import signal
import threading

import pytest
from harness import build, wait_until
from harness.ask import Ask, frame, memfd
from harness.site import DOMAIN

QUEUE_ID = "4QAskzABCD"


def connect(site):
    return Ask(site.postsms.run_dir)


def good(site):
    """The daemon is there and answers."""
    with connect(site) as ask:
        assert ask.read(build("noch da", "wer?"))["subject"] == "wer?"


def readers(site):
    return site.postsms.program_pids("postsms-reader")


def descriptors(site):
    return len(os.listdir(f"/proc/{site.postsms.pid()}/fd"))


def test_hello(site):
    with connect(site) as ask:
        assert re.fullmatch(r"\d+\.\d+\S*", ask.hello["hello"]) and ask.hello["readers"] == "yes"
        assert set(ask.hello) == {"hello", "readers"}


def test_read(site):
    """Several questions over one connection, each with a mail of its own."""
    with connect(site) as ask:
        for index in range(5):
            view = ask.read(build(f"Grüße {index}\n", f"Thema ü{index}", encoding="base64"))
            assert view["subject"] == f"Thema ü{index}" and view["text"].strip() == f"Grüße {index}"
            assert view["verdict"] == "ok"


def test_rewrite(site):
    """The frame of the reader comes through as it is: what becomes of subject and text."""
    with connect(site) as ask:
        done = ask.rewrite(build("alter Text\n", "alt"), subject="neü", text="neuer Text\n")
        assert done["verdict"] == "ok", done
        assert done["subject"] == "=?UTF-8?B?bmXDvA==?=" or "=?" in done["subject"]
        assert "neuer Text" in "".join(done.get(f"edit-{n}-octets", "") for n in (1, 2))
        sealed = b"Content-Type: multipart/encrypted; boundary=x\n\n--x\n\nx\n--x--\n"
        assert ask.rewrite(sealed, text="neu")["verdict"] == "data"
        assert ask.read(build("danach"))["text"].strip() == "danach"


def test_mail_is_read_from_its_start(site):
    """Wherever whoever lends it stands in it."""
    fd = memfd(build("ganz", "vorn"))
    os.lseek(fd, 0, os.SEEK_END)
    with connect(site) as ask:
        ask.send(frame({"ask": "read"}), [fd])
        assert ask.answer()["subject"] == "vorn"
    os.close(fd)


def test_many_at_once(site):
    """100 connections with a question each, and SMS that go on meanwhile."""
    failures = []

    def one(index):
        with connect(site) as ask:
            view = ask.read(build(f"Text {index}", f"Thema {index}"))
            if view["subject"] != f"Thema {index}":
                failures.append((index, view))
    threads = [threading.Thread(target=one, args=(index,)) for index in range(100)]
    for thread in threads:
        thread.start()
    site.send_sms("mittendrin")
    for thread in threads:
        thread.join()
    assert failures == []


def test_jobs_are_not_starved(site):
    """Questions go first, but a mail that is to be sent gets its turn while they never end."""
    over = threading.Event()

    def ask_on():
        with connect(site) as ask:
            while not over.is_set():
                ask.read(build("x" * 20000))
    threads = [threading.Thread(target=ask_on) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        site.send_sms("trotzdem")
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_reader_dies_over_it(site):
    """The answer says so, and the connection is good for the next mail."""
    good(site)  # one of them at least has said hello
    with connect(site) as ask:
        pids = readers(site)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        ask.ask({"ask": "read"}, build("der Letzte"))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        said = ask.answer()
        assert said["crash"] == "yes" and said["dsn"].startswith("4.") and said["reason"], said
        # The other one may have died before it said hello: then the next comes after a pause.
        wait_until(lambda: ask.read(build("weiter", "geht es")).get("subject") == "geht es", 10, "it goes on")


def test_asker_leaves(site):
    """Nobody is there for the answer: the mail's descriptor and the connection are gone, others are served."""
    good(site)
    before = descriptors(site)
    for _ in range(50):
        with connect(site) as ask:
            ask.ask({"ask": "read"}, build("y" * 50000))
    good(site)
    wait_until(lambda: descriptors(site) <= before, 10, lambda: f"{descriptors(site)} descriptors, {before} before")


@pytest.mark.parametrize("octets", [
    b"\xff\xff\xff\xff", b"\0\0\0\4abc\0", b"\0\0\0\1\0x", b"\0\0\0\x06a=1\0\0\0",
    frame({"ask": "read"}) * 2, frame({"ask": "note", "detail": "x" * 1100000}),
], ids=["longest", "no-list", "rest-behind", "two-ends", "two-at-once", "too-long"])
def test_no_question(site, octets):
    """The connection ends; nobody else notices."""
    with connect(site) as ask:
        try:
            ask.send(octets)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert ask.answer() is None
    good(site)


def test_question_without_a_mail(site):
    """No descriptor, a pipe, a socket, a folder: temporary, and the connection stays."""
    ends = os.pipe()
    folder = os.open("/", os.O_RDONLY)
    with connect(site) as ask:
        for fds in ([], [ends[0]], [ask._socket.fileno()], [folder]):
            ask.send(frame({"ask": "read"}), fds)
            assert ask.answer()["dsn"] == "4.3.0", fds
        ask.ask({"ask": "dance"})
        assert ask.answer()["dsn"] == "4.3.0"
        assert ask.read(build("geht", "doch"))["subject"] == "doch"
    for fd in (*ends, folder):
        os.close(fd)


def test_too_many_descriptors(site):
    """One is taken, the others do not stay open in the daemon."""
    good(site)
    before = descriptors(site)
    fds = [memfd(build("eins", f"Nummer {index}")) for index in range(8)]
    for _ in range(20):
        with connect(site) as ask:
            ask.send(frame({"ask": "read"}), fds)
            assert ask.answer()["subject"] == "Nummer 0"
            for fd in fds:
                os.lseek(fd, 0, os.SEEK_SET)
    for fd in fds:
        os.close(fd)
    wait_until(lambda: descriptors(site) <= before, 10, lambda: f"{descriptors(site)} descriptors, {before} before")


def test_descriptor_in_the_middle(site):
    question = frame({"ask": "read"})
    fd = memfd(build("zu spät"))
    with connect(site) as ask:
        ask.send(question[:5])
        wait_until(lambda: ask.unread() == 0, 10, "postsmsd has taken the beginning")
        ask.send(question[5:], [fd])
        assert ask.answer() is None
    os.close(fd)
    good(site)


def test_half_a_question(site):
    """It has ten seconds; an idle connection has all the time there is."""
    with connect(site) as idle, connect(site) as ask:
        ask.send(frame({"ask": "read"})[:7])
        assert ask.answer() is None
        assert idle.read(build("ausgeruht", "ja"))["subject"] == "ja"


def test_no_more_than_that_many(site):
    """Past 500 connections one is closed at once; when one goes, another may come."""
    asks = [connect(site) for _ in range(500)]
    try:
        assert all(ask.hello for ask in asks)
        assert connect(site).hello == {}
        asks.pop().close()
        wait_until(lambda: connect(site).hello, 10, "a place is free")
        assert asks[0].read(build("noch", "da"))["subject"] == "da"
    finally:
        for ask in asks:
            ask.close()


# Notes

def note(site, **values):
    with connect(site) as ask:
        return ask.note(**{"queue_id": QUEUE_ID, "sender": "anna@allowed.example", "rule": "smtp.rules:7",
                           "detail": "[SPAM-FILTER-RULES], generation 3", **values})


def test_note_and_trace(site):
    """It is in the ledger when the answer comes: by queue id, Message-ID and number, without credentials."""
    one, two = site.number(), site.number()
    recipients = f'"sms:{one}?user=joe&pass=secret"@{DOMAIN}\n0{two[3:]}@{DOMAIN}\nnobody@{DOMAIN}'
    assert note(site, effect="delete", recipients=recipients, message_id="<n1@client.example.test>") == {"done": "yes"}
    for key in (QUEUE_ID, "n1@client.example.test", one, two, "0" + two[3:]):
        row, = site.postsms.json("trace", key)
        assert row["state"] == "discarded" and row["queue_id"] == QUEUE_ID and row["sender"] == "anna@allowed.example"
        assert row["number"] == f"{one}, {two}" and row["rule"] == "smtp.rules:7" and row["declared"] == ""
        assert row["reason"] == "[SPAM-FILTER-RULES], generation 3"
        assert (row["parts"], row["events"]) == ([], [])
        assert "secret" not in str(row) and f"nobody@{DOMAIN}" in row["recipient"]
        text = site.postsms.admin("trace", key).stdout
        assert "discarded" in text and "smtp.rules:7" in text and "secret" not in text


@pytest.mark.parametrize("effect,state", [("delete", "discarded"), ("hold", "held"), ("redirect", "redirected"),
                                          ("remove", "removed"), ("declare", "declared")])
def test_effects(site, effect, state):
    number = site.number()
    assert note(site, effect=effect, recipients=f"{number}@{DOMAIN}")["done"] == "yes"
    assert [row["state"] for row in site.postsms.json("trace", number)] == [state]


def test_note_that_is_none(site):
    number = site.number()
    for wrong in ({"effect": "explode"}, {"effect": ""}, {"effect": "delete", "class": "alarm"}):
        assert note(site, recipients=f"{number}@{DOMAIN}", **wrong)["dsn"] == "4.3.0"
    assert site.postsms.admin("trace", number, check=False).returncode == 1


def test_note_survives_a_crash(site):
    """What was answered is durable."""
    number = site.number()
    assert note(site, effect="hold", recipients=f"{number}@{DOMAIN}")["done"] == "yes"
    site.postsms.kill_daemon()
    assert site.postsms.json("trace", number)[0]["state"] == "held"
    site.postsms.start_daemon()


def test_many_notes_at_once(site):
    number = site.number()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(note(site, effect="remove",
                                                                   recipients=f"{number}@{DOMAIN}")))
               for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"done": "yes"}] * 40
    assert len(site.postsms.json("trace", number)) == 40


def test_ledger_away(site):
    """Temporary, with the cure; when it is back, so are notes."""
    number = site.number()
    ledger = os.path.join(site.postsms.state_dir, "spool.db")
    os.rename(ledger, ledger + ".away")
    try:
        said = note(site, effect="delete", recipients=f"{number}@{DOMAIN}")
        assert said["dsn"].startswith("4.3.") and "put it back" in said["reason"], said
        good(site)  # reading needs no ledger
    finally:
        os.rename(ledger + ".away", ledger)
    assert note(site, effect="delete", recipients=f"{number}@{DOMAIN}") == {"done": "yes"}
    assert len(site.postsms.json("trace", number)) == 1


# The end of the daemon

def test_stop_while_asked(site):
    """Whoever waits hears that it is stopping, or the end; the daemon does not wait for readers."""
    good(site)
    with connect(site) as ask, connect(site) as second:
        for pid in readers(site):
            os.kill(pid, signal.SIGSTOP)
        ask.ask({"ask": "read"}, build("nie gelesen"))
        second.ask({"ask": "read"}, build("nie gelesen"))
        wait_until(lambda: ask.unread() == second.unread() == 0, 10, "postsmsd has both questions")
        assert site.postsms.stop_daemon(timeout=5) == 0
        for one in (ask, second):
            said = one.answer()
            assert said and said["dsn"] == "4.3.2" and "stopping" in said["reason"]
            assert one.answer() is None
    assert not os.path.exists(os.path.join(site.postsms.run_dir, "ask.sock"))
    site.postsms.start_daemon()
    good(site)


def test_no_reader(site):
    """Nobody can read: hello says so, and a question is answered all the same. Notes need no reader."""
    reader = os.path.join(site.postsms.libdir, "postsms-reader")
    site.postsms.stop_daemon()
    os.rename(reader, reader + ".real")
    with open(reader, "w", encoding="ascii") as broken:
        broken.write("#!/bin/sh\nexit 1\n")
    os.chmod(reader, 0o755)
    site.postsms.start_daemon()
    try:
        wait_until(lambda: connect(site).hello["readers"] == "no", 10, "hello says that there is none")
        with connect(site) as ask:
            said = ask.read(build("niemand"))
            assert said["dsn"] == "4.3.0" and "does not start" in said["reason"]
        assert note(site, effect="delete", recipients=f"{site.number()}@{DOMAIN}") == {"done": "yes"}
    finally:
        os.rename(reader + ".real", reader)
    wait_until(lambda: connect(site).hello["readers"] == "yes", 10, "hello says that there is one again")
    good(site)
