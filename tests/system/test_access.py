# SPDX-License-Identifier: ISC
"""Who may send: SMTP rules, client networks, logins, guards, reachable prefixes."""
import pytest
from harness import build
from harness.site import DOMAIN, RULES, Site

ALIASED = Site.number()
SITE = {"virtual": {"oncall@alias.example": f"{ALIASED}@{DOMAIN}"}}
DENIED = "denied@allowed.example"
STRANGER = "192.0.2.7"


def assert_bounced(site, sent, sender, number, said):
    """The transport refused what explain said would be refused, the sender reads why, no SMS left."""
    assert sent.accepted
    bounce, = site.postfix.wait_caught(sender)
    assert bounce.is_report and bounce.sender == ""
    assert bounce.status == said["status"]
    assert said["reason"] in " ".join(bounce.text.split())
    site.postfix.wait_removed(sent.queue_id)
    assert not site.postsms.sent(number)


def test_denied_in_the_session(site):
    """550 5.7.1 to the client, nothing queued, file and line only in the log; explain says the same sentence."""
    number = site.number()
    said = site.postsms.explain(DENIED, f"{number}@{DOMAIN}", build("nein"))
    sent = site.send(DENIED, f"{number}@{DOMAIN}", build("nein", sender=DENIED))
    reply, = sent.rcpts
    assert (reply.code, reply.status) == (550, "5.7.1")
    assert said["decision"] == "reject" and said["status"] == "5.7.1"
    assert reply.text == f"{said['status']} {said['reason']}"
    assert [(hit["section"], hit["line"], hit["effect"]) for hit in said["smtp_rules"]] == [
        ("DENY-FROM-DOMAIN", RULES.split("\n").index("denied@allowed.example;") + 1, "deny")]
    assert "smtp.rules" not in reply.text
    assert "smtp.rules:" in site.postsms.logs["postsms-milter"].text()
    assert site.postfix.mailq() == [] and not site.postsms.sent(number)


@pytest.mark.parametrize("sender", ["other@elsewhere.example", "DENIED@Allowed.Example", "xdenied@allowed.example",
                                    "anna@sub.allowed.example"])
def test_refused_senders(site, sender):
    recipient, mail = f"{site.number()}@{DOMAIN}", build("nein", sender=sender)
    assert site.postsms.explain(sender, recipient, mail)["decision"] == "reject"
    sent = site.send(sender, recipient, mail)
    assert (sent.rcpts[0].code, sent.rcpts[0].status) == (550, "5.7.1")


def test_mixed_mail_from_denied_sender(site):
    """Only the SMS recipient is refused, the mailbox gets its copy."""
    number = site.number()
    sent = site.send(DENIED, [f"{number}@{DOMAIN}", "box@mailbox.example"], build("für alle", sender=DENIED))
    assert [reply.code for reply in sent.rcpts] == [550, 250]
    assert sent.accepted
    assert "für alle" in site.postfix.wait_caught("box@mailbox.example")[0].text
    site.postfix.wait_removed(sent.queue_id)
    assert not site.postsms.sent(number)


def test_denied_locally(site):
    """sendmail(1): no session to refuse in, so the mail comes back."""
    number = site.number()
    site.postfix.sendmail(build("nein", sender=DENIED), "-f", DENIED, f"{number}@{DOMAIN}")
    bounce, = site.postfix.wait_caught(DENIED)
    assert bounce.is_report and bounce.status == "5.7.1"
    assert not site.postsms.sent(number)


def test_alias_of_a_number_from_denied_sender(site):
    """The milter does not see the number behind the alias; the transport does."""
    sender = f"alias.{DENIED}"
    said = site.postsms.explain(sender, f"{ALIASED}@{DOMAIN}", build("nein"))
    sent = site.send(sender, "oncall@alias.example", build("nein", sender=sender))
    assert_bounced(site, sent, sender, ALIASED, said)
    assert said["status"] == "5.7.1"


def test_alias_of_a_number(site):
    mail = build("Alarm")
    said = site.postsms.explain("anna@allowed.example", f"{ALIASED}@{DOMAIN}", mail)
    sent = site.send("anna@allowed.example", "oncall@alias.example", mail)
    site.postfix.wait_removed(sent.queue_id)
    site.assert_explained(said, site.postsms.sent(ALIASED), ALIASED, "anna@allowed.example", f"{ALIASED}@{DOMAIN}")


def test_same_mail_directly_and_by_alias(site):
    """Two deliveries for Postfix, one SMS."""
    before = len(site.postsms.sent(ALIASED))
    sent = site.send("anna@allowed.example", [f"{ALIASED}@{DOMAIN}", "oncall@alias.example"], build("nur einmal"))
    site.postfix.wait_removed(sent.queue_id)
    assert [d["status"] for d in site.postfix.deliveries(sent.queue_id)] == ["sent", "sent"]
    assert [part["text"] for part in site.postsms.sent(ALIASED)[before:]] == ["anna@allowed.example\nnur einmal"]


def test_stranger_with_allowed_from(site):
    """A sender address proves nothing: a client from elsewhere without login is refused."""
    sender, number = site.sender(), site.number()
    mail = build("ich bin Anna", sender=sender)
    said = site.postsms.explain(sender, f"{number}@{DOMAIN}", mail, client=STRANGER)
    assert said["decision"] == "reject" and said["status"] == "5.7.1"
    sent = site.send(sender, f"{number}@{DOMAIN}", mail, {"ADDR": STRANGER})
    assert_bounced(site, sent, sender, number, said)


def test_login_from_elsewhere(site):
    site.send_sms("unterwegs", login="john", client=STRANGER)


def test_prefixes(site):
    """Only numbers within access.prefixes can be reached."""
    sender, number = site.sender(), "+4915112345678"
    mail = build("nach Deutschland", sender=sender)
    said = site.postsms.explain(sender, f"{number}@{DOMAIN}", mail)
    assert said["decision"] == "reject" and said["status"] == "5.7.1"
    assert_bounced(site, site.send(sender, f"{number}@{DOMAIN}", mail), sender, number, said)


def test_milter_away(site):
    """Other mail flows on, and what the milter would have refused the transport refuses."""
    sender, number = "denied@allowed.example", site.number()
    for caught in site.postfix.caught(sender):
        assert caught.is_report
    before = len(site.postfix.caught(sender))
    site.postsms.stop_daemon("postsms-milter")
    try:
        assert site.send(sender, "box2@mailbox.example", build("x")).accepted
        site.postfix.wait_caught("box2@mailbox.example")
        assert site.send(sender, f"{number}@{DOMAIN}", build("x")).accepted
        bounces = site.postfix.wait_caught(sender, before + 1)
        assert {bounce.status for bounce in bounces} == {"5.7.1"}
    finally:
        site.postsms.start_milter()
    assert not site.postsms.sent(number)
    assert site.send(sender, f"{number}@{DOMAIN}", build("x")).rcpts[0].code == 550


@pytest.fixture(scope="module")
def open_site(new_site):
    """No ALLOW line: whoever may mail from here may send, but for the guards."""
    return new_site(rules="")


REPORT = b"""From: mailer@elsewhere.example
Subject: Undelivered
Message-ID: <report.1@elsewhere.example>
Date: Sun, 22 Nov 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="r"

--r

could not be delivered
--r
Content-Type: message/delivery-status

Final-Recipient: rfc822; x@example.test
Action: failed
Status: 5.1.1
--r--
"""

GUARDS = {
    "report": REPORT,
    "auto-replied": build("weg", headers=[("Auto-Submitted", "auto-replied")]),
    "auto-replied with parameter": build("weg", headers=[("Auto-Submitted", "Auto-Replied; owner-email=x@y.example")]),
    "list": build("Post", headers=[("List-Id", "<all.example.test>")]),
    "bulk": build("Post", headers=[("Precedence", "Bulk")]),
    "junk": build("Post", headers=[("Precedence", "junk")]),
    "precedence list": build("Post", headers=[("Precedence", "list")]),
    "own loop mark": build("Post", headers=[("X-Postsms-Loop", "1")]),
}


@pytest.mark.parametrize("case", GUARDS)
def test_guards(open_site, case):
    """Answers of machines and mass mail make no SMS."""
    sender, number = open_site.sender(), open_site.number()
    said = open_site.postsms.explain(sender, f"{number}@{DOMAIN}", GUARDS[case])
    assert said["decision"] == "reject" and said["status"].startswith("5.")
    sent = open_site.send(sender, f"{number}@{DOMAIN}", GUARDS[case])
    assert_bounced(open_site, sent, sender, number, said)


def test_null_sender(open_site):
    """A bounce makes no SMS, and no bounce."""
    number = open_site.number()
    said = open_site.postsms.explain("", f"{number}@{DOMAIN}", build("Bounce"))
    assert said["decision"] == "reject" and said["status"].startswith("5.7.")
    before = len(open_site.postfix.caught())
    sent = open_site.send("", f"{number}@{DOMAIN}", build("Bounce"))
    if sent.accepted:
        delivery, = open_site.postfix.wait_delivery(sent.queue_id, "bounced")
        assert delivery["dsn"] == said["status"]
        open_site.postfix.wait_removed(sent.queue_id)
    else:
        assert sent.rcpts[0].code == 550
    assert not open_site.postsms.sent(number) and len(open_site.postfix.caught()) == before


def test_alarm_passes(open_site):
    """auto-generated is what monitoring sends."""
    open_site.send_sms("Server brennt", headers=[("Auto-Submitted", "auto-generated")])


def test_rules_reload(open_site):
    """SIGUSR1 and SIGHUP put a new rules file in force; a faulty one leaves the old and is reported with its line."""
    postsms = open_site.postsms
    refused = "late@allowed.example"
    assert open_site.send(refused, f"{open_site.number()}@{DOMAIN}", build("x")).accepted
    postsms.change(rules=f"[DENY-FROM-DOMAIN]\n{refused};\n")
    postsms.reload("postsms-milter")
    postsms.reload()
    assert open_site.send(refused, f"{open_site.number()}@{DOMAIN}", build("x")).rcpts[0].code == 550
    postsms.change(rules="! fine\n[NO-SUCH-SECTION]\nx;\n")
    said = "\n".join(postsms.reload("postsms-milter"))
    assert "smtp.rules:2:" in said
    assert "smtp.rules:2:" in "\n".join(postsms.reload())
    assert open_site.send(refused, f"{open_site.number()}@{DOMAIN}", build("x")).rcpts[0].code == 550
    postsms.change(rules="")
    postsms.reload("postsms-milter")
    postsms.reload()
    assert open_site.send(refused, f"{open_site.number()}@{DOMAIN}", build("x")).accepted
