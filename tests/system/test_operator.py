# SPDX-License-Identifier: ISC
"""A night shift: slow and dead gateways, doubt, orders from postsms, mail that comes back by itself."""
import os
import signal

import pytest
from harness import build, wait_until
from harness.site import ALARM_TO, DOMAIN

SENDER = "anna@allowed.example"

# Postfix alone would not offer a deferred mail again while a test runs: what comes back was asked for by ETRN.
SITE = {"postfix": {"queue_run_delay": "600s", "minimal_backoff_time": "600s", "maximal_backoff_time": "600s",
                    "smtpd_recipient_restrictions": "check_recipient_access inline:{nosuch@allowed.example=REJECT}, "
                                                    "permit_mynetworks, reject"}}


@pytest.fixture(autouse=True)
def calm(site):
    """Each test finds postsmsd running, a quick gateway, and leaves no mail behind."""
    yield
    path = site.postsms.sent_file
    if os.path.isdir(path):
        os.rmdir(path)
    site.postsms.change(slots=200, transport={"lifetime": "0", "warn_after": "4h"},
                        gateway={"delay": "0", "concurrency": 0, "fail_every": 0, "unknown": "hold",
                                 "unknown_after": "1h"})
    if "postsmsd" not in site.postsms.processes:
        site.postsms.start_daemon()
    site.postsms.reload()
    wait_until(lambda: site.postsms.admin_status() == 0 or site.postfix.flush(), 30, "every gateway is up again")
    site.postfix.postfix_tool("postsuper", "-d", "ALL", check=False)


def gateway(site, **settings):
    site.postsms.change(gateway=settings)
    site.postsms.reload()


def send(site, text="Alarm", number=None, domain=DOMAIN, sender=SENDER):
    number = number or site.number()
    sent = site.send(sender, f"{number}@{domain}", build(text, sender=sender))
    assert sent.accepted
    return number, sent


def subjects(mails):
    return [mail.message["Subject"] for mail in mails]


def said(mail):
    """The text of a mail, folds undone."""
    return " ".join(mail.text.split())


def rows(site):
    return {row["number"]: row for row in site.postsms.json("queue")}


def wait_state(site, number, state):
    """The message's row once the ledger has it in that state."""
    return wait_until(lambda: (lambda row: row if row and row["id"] and row["state"] == state else None)(rows(site).get(number)), 15,
                      lambda: f"{number} {state}: {rows(site)}")


def test_waiting_mail_comes_back_after_a_restart(site):
    """ETRN at start: no queue flush, no waiting for the back-off."""
    gateway(site, delay="1s")
    sent = [send(site) for _ in range(3)]
    wait_state(site, sent[2][0], "waiting")
    assert site.postsms.stop_daemon() == 0
    site.postsms.change(gateway={"delay": "0"})
    site.postsms.start_daemon()
    for number, one in sent:
        site.postfix.wait_removed(one.queue_id, 10)
        assert len(site.postsms.sent(number)) == 1


def test_mail_that_came_while_postsmsd_was_away(site):
    """The ledger has never seen it, and still it does not sleep out its back-off."""
    assert site.postsms.stop_daemon() == 0
    number, one = send(site)
    site.postfix.wait_delivery(one.queue_id, "deferred")
    site.postsms.start_daemon()
    site.postfix.wait_removed(one.queue_id, 10)
    assert len(site.postsms.sent(number)) == 1


def test_share_is_full(site):
    """Beyond the share: an answer at once, with how many wait and for how long."""
    site.postsms.change(slots=3)
    gateway(site, delay="2s")
    sent = [send(site) for _ in range(3)]
    wait_until(lambda: sum(row["state"] in ("waiting", "submitting") and row["place"] is not None
                           for row in rows(site).values()) == 3, 10, lambda: rows(site))
    places = sorted((row["place"], row["wait_seconds"]) for row in rows(site).values())
    assert [place for place, _ in places] == [0, 1, 2]
    assert places[1][1] < places[2][1]
    number, late = send(site)
    deferred = site.postfix.wait_delivery(late.queue_id, "deferred", timeout=5)[0]
    assert deferred["dsn"] == "4.3.2"
    assert deferred["text"].startswith("4.3.2 demo: 3 waiting, about ") or \
        deferred["text"].startswith("demo: 3 waiting, about "), deferred
    assert rows(site)[number]["reason"].startswith("demo: 3 waiting")
    for _, one in sent:
        site.postfix.wait_removed(one.queue_id)
    # Half empty: Postfix is asked to bring it, at most every 30 s.
    site.postfix.wait_removed(late.queue_id, 40)
    assert len(site.postsms.sent(number)) == 1


def test_alarms_go_first(site):
    gateway(site, delay="1s")
    first = send(site)
    wait_state(site, first[0], "submitting")
    normal = send(site)
    wait_state(site, normal[0], "waiting")
    alarm = send(site, domain="alarm." + DOMAIN)
    wait_state(site, alarm[0], "waiting")
    for _, one in (first, normal, alarm):
        site.postfix.wait_removed(one.queue_id)
    order = [line["number"] for line in site.postsms.sent() if line["number"] in (first[0], normal[0], alarm[0])]
    assert order == [first[0], alarm[0], normal[0]]
    said = site.postsms.explain(SENDER, f"{alarm[0]}@alarm.{DOMAIN}", build("x"))
    assert said["class"] == "alarm"


def test_gateway_out_and_back(site):
    """After three failures it is out: an answer at once, a mail to alarm_to; on its return another one, and ETRN."""
    before = len(site.postfix.caught(ALARM_TO))
    gateway(site, fail_every=1)
    failed = [send(site) for _ in range(3)]
    for _, one in failed:
        assert site.postfix.wait_delivery(one.queue_id, "deferred")[0]["dsn"] == "4.3.0"
    number, one = send(site)
    deferred = site.postfix.wait_delivery(one.queue_id, "deferred")[0]
    assert "demo: out since" in deferred["text"], deferred
    status = site.postsms.admin("status", check=False)
    assert status.returncode == 1 and "demo: out" in status.stdout
    assert 'postsms_gateway_up{gateway="demo"} 0' in site.postsms.admin("status", "--prometheus", check=False).stdout
    out = site.postfix.wait_caught(ALARM_TO, before + 1)
    assert "postsms: demo out" in subjects(out)
    gateway(site, fail_every=0)
    for each, waiting in failed + [(number, one)]:
        site.postfix.wait_removed(waiting.queue_id, 45)
        assert len(site.postsms.sent(each)) == 1
    assert "postsms: demo back" in subjects(site.postfix.wait_caught(ALARM_TO, before + 2))
    assert site.postsms.admin("status").returncode == 0


def in_doubt(site, **settings):
    """A part whose answer was lost, at a gateway that cannot be asked: killed in mid send, its file gone."""
    gateway(site, delay="1s", **settings)
    number, one = send(site)
    wait_state(site, number, "submitting")
    site.postsms.kill_daemon()
    site.postfix.wait_delivery(one.queue_id, "deferred")
    kept = site.postsms.sent_file + ".kept"
    if os.path.exists(site.postsms.sent_file):
        os.rename(site.postsms.sent_file, kept)
    os.mkdir(site.postsms.sent_file)
    site.postsms.change(gateway={"delay": "0"})
    site.postsms.start_daemon()
    return number, one


def gateway_reachable(site):
    os.rmdir(site.postsms.sent_file)
    kept = site.postsms.sent_file + ".kept"
    if os.path.exists(kept):
        os.rename(kept, site.postsms.sent_file)


def test_unknown_is_held_and_resolved(site):
    number, one = in_doubt(site)
    deferred = site.postfix.wait_delivery(one.queue_id, "deferred", 2)[1]
    assert deferred["dsn"] == "4.4.2" and "demo: part 1 of 1 may have been sent" in deferred["text"]
    row = wait_state(site, number, "unknown")
    assert site.postsms.admin("cancel", str(row["id"]), check=False).returncode == 1
    status = site.postsms.admin("status", check=False)
    assert status.returncode == 1 and "may have been sent" in status.stdout
    site.postsms.admin("resolve", str(row["id"]), "sent")
    site.postfix.flush()
    site.postfix.wait_removed(one.queue_id)
    assert site.postfix.deliveries(one.queue_id)[-1]["status"] == "sent"
    gateway_reachable(site)
    assert not site.postsms.sent(number)
    trace = site.postsms.json("trace", one.queue_id)[0]
    assert [part["state"] for part in trace["parts"]] == ["accepted"]
    assert "the operator says it was sent" in [event["detail"] for event in trace["events"]]


def test_unknown_is_sent_again_on_order(site):
    number, one = in_doubt(site)
    row = wait_state(site, number, "unknown")
    gateway_reachable(site)
    site.postsms.admin("resolve", str(row["id"]), "resend")
    site.postfix.flush()
    site.postfix.wait_removed(one.queue_id)
    assert len(site.postsms.sent(number)) == 1


def test_unknown_is_asked_for_when_the_gateway_can_be_asked(site):
    number, one = in_doubt(site)
    wait_state(site, number, "unknown")
    gateway_reachable(site)
    site.postfix.flush()
    site.postfix.wait_removed(one.queue_id)
    assert len(site.postsms.sent(number)) == 1


@pytest.mark.parametrize("settings", [{"unknown": "give-up"}, {"unknown_after": "0s"}], ids=str)
def test_unknown_is_given_up(site, settings):
    sender = site.sender()
    gateway(site, delay="1s", **settings)
    number = site.number()
    one = site.send(sender, f"{number}@{DOMAIN}", build("Alarm", sender=sender))
    wait_state(site, number, "submitting")
    site.postsms.kill_daemon()
    site.postfix.wait_delivery(one.queue_id, "deferred")
    kept = site.postsms.sent_file + ".kept"
    if os.path.exists(site.postsms.sent_file):
        os.rename(site.postsms.sent_file, kept)
    os.mkdir(site.postsms.sent_file)
    site.postsms.start_daemon()
    bounce = site.postfix.wait_caught(sender)[0]
    assert "may have been delivered, will not be repeated" in said(bounce) and bounce.status == "5.4.7"
    gateway_reachable(site)
    assert not site.postsms.sent(number)
    assert site.postsms.json("trace", number)[0]["parts"][0]["state"] == "gave_up"


def test_unknown_is_repeated_if_the_gateway_says_so(site):
    number, one = in_doubt(site, unknown="retry")
    wait_until(lambda: "part 1 of 1 may have been sent" in str(site.postfix.deliveries(one.queue_id)) or
               rows(site).get(number, {}).get("state") == "failed", 15, lambda: rows(site))
    gateway_reachable(site)
    wait_until(lambda: site.postsms.admin_status() == 0 or site.postfix.flush(), 30, "the gateway is back")
    site.postfix.flush()
    site.postfix.wait_removed(one.queue_id)
    assert len(site.postsms.sent(number)) == 1


def test_cancel_what_waits(site):
    """postsms cancel on a mail marked * in mailq: no SMS, and the sender is told."""
    sender = site.sender()
    gateway(site, delay="2s")
    busy = send(site)
    wait_state(site, busy[0], "submitting")
    number, one = send(site, sender=sender)
    row = wait_state(site, number, "waiting")
    assert one.queue_id + "*" in site.postfix.mailq_text()
    site.postsms.admin("cancel", str(row["id"]))
    bounce = site.postfix.wait_caught(sender)[0]
    assert "cancelled by the administrator" in said(bounce) and bounce.status == "5.7.1"
    site.postfix.wait_removed(busy[1].queue_id)
    assert not site.postsms.sent(number) and len(site.postsms.sent(busy[0])) == 1
    assert site.postsms.admin("cancel", str(row["id"]), check=False).returncode == 1
    assert site.postsms.admin("cancel", "999999", check=False).returncode == 1


def test_cancel_while_parts_leave(site):
    sender = site.sender()
    gateway(site, delay="1s")
    number = site.number()
    one = site.send(sender, f"{number}@{DOMAIN}", build("Die Wartung beginnt um zehn. " * 14, sender=sender))
    row = wait_state(site, number, "submitting")
    site.postsms.admin("cancel", str(row["id"]))
    bounce = site.postfix.wait_caught(sender)[0]
    assert "cancelled by the administrator; 1 of 3 parts were sent before" in said(bounce)
    assert len(site.postsms.sent(number)) == 1
    assert one.accepted


def test_lifetime(site):
    sender = site.sender()
    site.postsms.change(transport={"lifetime": "1s"})
    gateway(site, fail_every=1)
    number = site.number()
    one = site.send(sender, f"{number}@{DOMAIN}", build("Alarm", sender=sender))
    site.postfix.wait_delivery(one.queue_id, "deferred")

    def bounced():
        site.postfix.flush()
        return site.postfix.caught(sender)
    bounce = wait_until(bounced, 20, "a bounce")[0]
    assert bounce.status == "5.4.7" and "not sent within 0 min: demo: refused for now" in said(bounce)
    assert not site.postsms.sent(number)


def test_sender_is_warned_once(site):
    """ICE-NDR-01: after warn_after one mail, from <>, and no second one."""
    sender = site.sender()
    site.postsms.change(transport={"warn_after": "1s"})
    gateway(site, fail_every=1)
    number, one = send(site, sender=sender)
    site.postfix.wait_delivery(one.queue_id, "deferred")
    warning = site.postfix.wait_caught(sender, timeout=30)[0]
    assert warning.message["Subject"] == f"SMS to {number} is not sent yet"
    assert warning.message["Auto-Submitted"] == "auto-replied" and warning.sender == ""
    gateway(site, fail_every=0)
    site.postfix.wait_removed(one.queue_id, 45)
    assert len(site.postfix.caught(sender)) == 1 and len(site.postsms.sent(number)) == 1


def test_postsuper_on_deferred_mail(site):
    """-d and -h: no SMS. -r after acceptance: not sent again."""
    gateway(site, fail_every=1)
    deleted, held = send(site), send(site)
    for _, one in (deleted, held):
        site.postfix.wait_delivery(one.queue_id, "deferred")
    site.postfix.postfix_tool("postsuper", "-d", deleted[1].queue_id)
    site.postfix.postfix_tool("postsuper", "-h", held[1].queue_id)
    row, = [row for row in site.postsms.json("queue") if row["queue_id"] == held[1].queue_id]
    assert "on hold" in row["reason"]
    gateway(site, fail_every=0)
    wait_until(lambda: site.postsms.admin_status() == 0, 20, "the gateway is up")
    site.postfix.flush()
    number, one = send(site)
    site.postfix.wait_removed(one.queue_id)
    assert not site.postsms.sent(deleted[0]) and not site.postsms.sent(held[0])
    site.postfix.postfix_tool("postsuper", "-H", held[1].queue_id)
    site.postfix.flush()
    site.postfix.wait_removed(held[1].queue_id)
    assert len(site.postsms.sent(held[0])) == 1


def test_postfix_stops_and_starts(site):
    """Two waiting, one being sent: each SMS once."""
    gateway(site, delay="1s")
    sent = [send(site) for _ in range(3)]
    wait_state(site, sent[2][0], "waiting")
    site.postfix.stop()
    site.postfix.start()
    site.postfix.flush()
    for number, one in sent:
        site.postfix.wait_removed(one.queue_id, 40)
        assert len(site.postsms.sent(number)) == 1


def test_cancel_outlives_postsmsd(site):
    """What cancel has said holds after kill -9: no part that was not with the gateway leaves."""
    sender = site.sender()
    gateway(site, delay="1s")
    number = site.number()
    site.send(sender, f"{number}@{DOMAIN}", build("Die Wartung beginnt um zehn. " * 14, sender=sender))
    row = wait_state(site, number, "submitting")
    site.postsms.admin("cancel", str(row["id"]))
    site.postsms.kill_daemon()
    site.postsms.change(gateway={"delay": "0"})
    site.postsms.start_daemon()
    assert "cancelled by the administrator" in said(site.postfix.wait_caught(sender)[0])
    assert len(site.postsms.sent(number)) <= 1


def test_refused_by_new_rules_while_it_leaves(site):
    """Postfix offers a mail again while its part is with the gateway, and the rules have changed: one SMS."""
    rules = site.postsms.rules
    gateway(site, delay="3s")
    number, one = send(site)
    wait_state(site, number, "submitting")
    try:
        site.postsms.change(rules=rules + SENDER + ";\n")
        site.postsms.reload()
        site.postfix.stop()
        site.postfix.start()
        site.postfix.flush()
        wait_until(lambda: site.postsms.sent(number), 20, "the part that was in flight")
    finally:
        site.postsms.change(rules=rules)
        site.postsms.reload()
    site.postfix.flush()
    site.postfix.wait_removed(one.queue_id, 40)
    assert len(site.postsms.sent(number)) == 1


def test_rules_are_asked_again_for_what_waits(site):
    """An administrator who denies a sender stops what already waits, too."""
    sender = site.sender()
    rules = site.postsms.rules
    gateway(site, fail_every=1)
    number, one = send(site, sender=sender)
    site.postfix.wait_delivery(one.queue_id, "deferred")
    try:
        site.postsms.change(rules=rules + sender + ";\n")
        gateway(site, fail_every=0)
        site.postfix.flush()
        bounce = site.postfix.wait_caught(sender)[0]
        assert bounce.status == "5.7.1" and "may not send SMS here" in said(bounce)
    finally:
        site.postsms.change(rules=rules)
    assert not site.postsms.sent(number)


def test_refused_mail_of_ours_blocks_no_other(site):
    sender = site.sender()
    site.postsms.change(alarm_to="nosuch@allowed.example", transport={"warn_after": "1s"})
    gateway(site, fail_every=1)
    try:
        for _ in range(3):
            send(site, sender=sender)
        assert site.postfix.wait_caught(sender, 3, timeout=60)
        assert any("refused for good (55" in line for line in site.postsms.logs["postsmsd"].lines())
    finally:
        site.postsms.change(alarm_to=ALARM_TO)


def test_reports(site):
    number, one = send(site)
    site.postfix.wait_removed(one.queue_id)
    log = site.postsms.json("log", "-n", "5")
    assert any(line["queue_id"] == one.queue_id and line["what"] == "sent" for line in log)
    usage = site.postsms.json("usage")
    mine = [row for row in usage if row["sender"] == SENDER and row["gateway"] == "demo"]
    assert mine and mine[0]["messages"] >= 1 and mine[0]["parts"] >= mine[0]["messages"]
    copy = os.path.join(site.base, "copy.db")
    site.postsms.admin("backup", copy)
    assert os.stat(copy).st_size > 10000
    assert site.postsms.admin("backup", copy, check=False).returncode == 1
    os.unlink(copy)
    for wrong in (["resolve", "1"], ["resolve", "1", "perhaps"], ["cancel"], ["usage", "2026"], ["log", "-n", "0"]):
        assert site.postsms.admin(*wrong, check=False).returncode == 2, wrong


def test_status_without_daemon(site):
    assert site.postsms.stop_daemon() == 0
    status = site.postsms.admin("status", check=False)
    assert status.returncode == 1 and "postsmsd is not running" in status.stdout
    site.postsms.start_daemon()


def test_control_socket_is_for_us_only(site):
    path = os.path.join(site.postsms.run_dir, "control.sock")
    assert os.stat(path).st_mode & 0o777 == 0o600
    site.postsms.processes["postsmsd"].send_signal(signal.SIGHUP)
    assert site.postsms.admin("status").returncode == 0
