# SPDX-License-Identifier: ISC
"""The admin's commands where something is missing or wrong."""
import os

import pytest
from harness import build, wait_until
from harness.site import DOMAIN, RULES

SENDER = "anna@allowed.example"


@pytest.fixture(scope="module")
def bare(new_site):
    """Everything but a ledger; not started."""
    return new_site(start=False)


def test_check(bare):
    """A warning for what is for demos only, and no more; a missing ledger is said."""
    done = bare.postsms.admin("check")
    assert "postsms init" in done.stdout and "for demos and tests" in done.stdout


def test_check_takes_every_section(bare):
    """Lines that can do what they say are not worth a word."""
    bare.postsms.change(rules=RULES + "[REPLACE-TEXT]\n0;a;b;\n[SPAM-FILTER-RULES]\n3;viagra;1;\n"
                                      "[FILTER-ADDRESSES]\n790001122;\n")
    done = bare.postsms.admin("check")
    assert "smtp.rules:" not in done.stdout
    bare.postsms.change(rules=RULES)


def test_check_finds_faults(bare):
    """Each with file and line; exit status 1, in words and as JSON."""
    bare.postsms.change(rules="[ALLOW-FROM-DOMAIN]\n[WHAT]\n", readers=0)
    try:
        done = bare.postsms.admin("check", check=False)
        assert done.returncode == 1
        assert "postsms.conf:" in done.stdout and "readers" in done.stdout
        bare.postsms.change(readers=2)
        done = bare.postsms.admin("check", check=False)
        assert done.returncode == 1 and f"{bare.postsms.rules_file}:2: " in done.stdout
        for program in ("postsmsd", "postsms-milter"):
            checked = bare.postsms.run(program, "-n")
            assert checked.returncode == 1 and f"{bare.postsms.rules_file}:2: " in checked.stdout
    finally:
        bare.postsms.change(rules=RULES, readers=2)


def test_explain_without_ledger(bare):
    said = bare.postsms.explain(SENDER, f"+41791234567@{DOMAIN}", build("x"))
    assert said["decision"] == "send"


def test_usage(bare):
    for args in ([], ["nonsense"], ["explain"], ["trace"], ["init", "too", "much"]):
        assert bare.postsms.admin(*args, check=False).returncode == 2


def test_missing_ledger(bare):
    """Nothing is sent and nothing is lost: 4.3.5 with the cure in the text; only init makes a ledger."""
    bare.postsms.start_daemon()
    bare.postsms.start_milter()
    bare.postfix.start()
    number = bare.number()
    sent = bare.send(SENDER, f"{number}@{DOMAIN}", build("x"))
    deferred = bare.postfix.wait_delivery(sent.queue_id, "deferred")[0]
    assert deferred["dsn"] == "4.3.5" and "postsms init" in deferred["text"]
    assert not os.path.exists(os.path.join(bare.postsms.state_dir, "spool.db"))
    assert bare.postsms.admin("init").returncode == 0
    bare.postfix.flush()
    bare.postfix.wait_removed(sent.queue_id)
    assert len(bare.postsms.sent(number)) == 1


def test_init_never_overwrites(bare):
    done = bare.postsms.admin("init", check=False)
    assert done.returncode == 1 and "there already" in done.stderr
    path = os.path.join(bare.postsms.state_dir, "spool.db")
    assert os.stat(path).st_uid == os.stat(bare.postsms.state_dir).st_uid
    bare.send_sms("geht noch")


def test_queue_shows_what_never_reached_us(bare):
    """Mail that only Postfix knows stands in the queue, with its reason."""
    bare.postsms.stop_daemon()
    try:
        number = bare.number()
        sent = bare.send(SENDER, f"{number}@{DOMAIN}", build("x"))
        bare.postfix.wait_delivery(sent.queue_id, "deferred")
        row, = bare.postsms.json("queue")
        assert (row["queue_id"], row["number"]) == (sent.queue_id, number)
        assert "postsmsd" in row["reason"]
        assert number in bare.postsms.admin("queue").stdout
    finally:
        bare.postsms.start_daemon()
    bare.postfix.flush()
    wait_until(lambda: bare.postsms.json("queue") == [], 20, "the queue empties")
