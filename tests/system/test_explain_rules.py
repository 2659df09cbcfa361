# SPDX-License-Identifier: ISC
"""postsms explain with every section of the SMTP rules: what it says, and that it names each line that spoke."""
import pytest
from harness import build
from harness.site import DOMAIN
from rules_site import rows

SENDER = "anna@allowed.example"
NUMBER = "+41791234567"
RECIPIENT = f"{NUMBER}@{DOMAIN}"
BOSS = "boss@allowed.example"
PLAIN = {"spam_action": "hold", "spam_target": "", "filter_addresses": "remove", "list_action": "deliver",
         "copy_to_recipients": "all"}


@pytest.fixture(scope="module")
def bare(new_site):
    return new_site(start=False)


@pytest.fixture
def explain(bare):
    """Explains a mail under rules and milter settings of its own."""
    def run(rules, mail, recipient=RECIPIENT, others=(), sender=SENDER, **milter):
        bare.postsms.change(rules=rules, milter={**PLAIN, **milter})
        return bare.postsms.explain(sender, recipient, mail, others=others)
    return run


def lines(said):
    return [(hit["section"], hit["line"], hit["effect"]) for hit in said["smtp_rules"]]


REPLACE = "[REPLACE-TEXT]\n0;Gateway;GATEWAY;\n1;down;up;\n1;nowhere;x;\n"


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64", "8bit"])
def test_replaced(explain, encoding):
    """Subject and text as they are sent, whatever the mail's encoding; a line that found nothing is not named."""
    said = explain(REPLACE, build("it is down\n", "Gateway", encoding=encoding))
    assert (said["decision"], said["subject"]) == ("send", "GATEWAY")
    assert said["text"] == f"{SENDER}\nGATEWAY\nit is up"
    assert lines(said) == [("REPLACE-TEXT", 2, "replace"), ("REPLACE-TEXT", 3, "replace")]


def test_replaced_for_a_mixed_mail(explain):
    """The transport does it then: the SMS is the same."""
    mail = build("it is down\n", "Gateway")
    alone, mixed = explain(REPLACE, mail), explain(REPLACE, mail, others=[BOSS])
    assert alone == mixed


DISPOSED = {
    "delete": ("1", {}, [], "discard", "delete", "discarded by rule"),
    "delete mixed": ("1", {}, [BOSS], "discard", "delete", "discarded by rule"),
    "hold": ("2", {}, [], "hold", "hold", "held by rule"),
    "redirect": ("2", {"spam_action": "redirect", "spam_target": "spam@allowed.example"}, [], "redirect", "redirect",
                 "redirected by rule to spam@allowed.example"),
    "hold mixed": ("2", {"spam_target": "spam@allowed.example"}, [BOSS], "redirect", "redirect",
                   "redirected by rule to spam@allowed.example"),
    "list drop": ("4", {"list_action": "drop"}, [], "discard", None, "discarded by rule"),
    "list spam": ("4", {"list_action": "spam"}, [], "hold", None, "held by rule"),
}


@pytest.mark.parametrize("case", DISPOSED)
def test_disposed(explain, case):
    """2.0.0 and a sentence; no parts, no gateway; the line that did it is the last that spoke."""
    action, settings, others, decision, effect, reason = DISPOSED[case]
    rules = f"[REPLACE-TEXT]\n0;buy;BUY;\n[SPAM-FILTER-RULES]\n3;viagra;{action};\n"
    said = explain(rules, build("Viagra for all\n", "buy"), others=others, **settings)
    assert (said["decision"], said["status"]) == (decision, "2.0.0") and reason in said["reason"], said
    assert (said["parts"], said["text"], said["gateway"], said["parts_needed"]) == ([], None, None, 0)
    assert said["number"] == NUMBER and said["subject"] == "BUY"
    assert lines(said)[0] == ("REPLACE-TEXT", 2, "replace")
    assert lines(said)[1][:2] == ("SPAM-FILTER-RULES", 4) and (not effect or lines(said)[1][2] == effect)


def test_spam_sees_the_whole_envelope(explain):
    """Field 0: another recipient of the mail is enough, and the header's too."""
    rules = "[SPAM-FILTER-RULES]\n0;790001122@sms.;1;\n"
    mail = build("hello\n")
    assert explain(rules, mail)["decision"] == "send"
    assert explain(rules, mail, others=[f"+41790001122@{DOMAIN}"])["decision"] == "discard"
    assert explain(rules, build("hello\n", to=f"+41790001122@{DOMAIN}"))["decision"] == "discard"


@pytest.mark.parametrize("field,needle,decision", [
    (1, "x-mailer: BULK", "discard"), (2, "x-mailer: BULK", "send"), (2, "X-Mailer: Bulk", "discard"),
    (7, "r3ldVMofZqO=", "discard"), (8, "r3ldVMofZqO=", "send"), (8, "R3LDvMOfZQo=", "discard"),
    (3, "grüsse", "send"), (3, "GRÜSSE", "send"),
    (3, "GRÜßE", "discard"), (4, "GRÜßE", "send"), (5, "x-mailer: bulk", "discard"), (6, "Grüße", "discard"),
])
def test_raw_and_decoded(explain, field, needle, decision):
    """Header and body as sent, and the text as a person reads it; file line ends LF and CRLF alike."""
    mail = build("Grüße\n", headers=[("X-Mailer", "Bulk")], encoding="base64")
    for octets in (mail, mail.replace(b"\n", b"\r\n")):
        assert explain(f"[SPAM-FILTER-RULES]\n{field};{needle};1;\n", octets)["decision"] == decision


@pytest.mark.parametrize("header, declared", [
    ("X-Flag: one", True), ("X-Flag \t: one", True), ("From x Mon Nov 23 10:00:00 2026\nX-Flag: one", True),
    ("no header\nX-Flag: one", False), ("X-Flag:\n one", False), ("Grün: x\nX-Flag: one", False)])
def test_header_as_postfix_shows_it(site, header, declared):
    """What Postfix takes for the header is searched, by explain, too."""
    mail = f"{header}\n\ntext\n".encode()
    site.postsms.change(rules="[SPAM-FILTER-RULES]\n2;X-Flag: one;4;\n", milter=PLAIN)
    site.postsms.reload("postsms-milter")
    number = site.number()
    said = site.postsms.explain(SENDER, f"{number}@{DOMAIN}", mail)
    assert lines(said) == ([("SPAM-FILTER-RULES", 2, "list")] if declared else [])
    queue_id = site.send(SENDER, f"{number}@{DOMAIN}", mail).queue_id
    site.postfix.wait_removed(queue_id)
    assert bool(rows(site, queue_id)) == declared
    assert [part["text"] for part in site.postsms.sent(number)] == [part["text"] for part in said["parts"]]


def test_filtered(explain):
    rules = f"[ALLOW-FROM-DOMAIN]\n@allowed.example;\n[FILTER-ADDRESSES]\n{NUMBER[1:]};\n"
    said = explain(rules, build("nein\n"))
    assert (said["decision"], said["status"], said["reason"]) == ("discard", "2.0.0", "discarded by rule")
    assert lines(said) == [("ALLOW-FROM-DOMAIN", 2, "allow"), ("FILTER-ADDRESSES", 4, "remove")]
    said = explain(rules, build("nein\n"), filter_addresses="reject")
    assert (said["decision"], said["status"]) == ("reject", "5.1.1")
    assert lines(said)[-1] == ("FILTER-ADDRESSES", 4, "remove")


def test_order(explain):
    """DENY, then REPLACE, SPAM, FILTER: the first that disposes of the mail decides."""
    rules = (f"[FILTER-ADDRESSES]\n{NUMBER[1:]};\n[SPAM-FILTER-RULES]\n3;TOKEN;3;\n3;TOKEN;1;\n3;TOKEN;4;\n"
             "[REPLACE-TEXT]\n1;word;TOKEN;\n[ALLOW-FROM-DOMAIN]\n@allowed.example;\n")
    said = explain(rules, build("a word\n"))
    assert said["decision"] == "discard" and said["class"] == "copy-to"
    assert lines(said) == [("ALLOW-FROM-DOMAIN", 10, "allow"), ("REPLACE-TEXT", 8, "replace"),
                           ("SPAM-FILTER-RULES", 4, "copy-to"), ("SPAM-FILTER-RULES", 5, "delete")]
    said = explain(rules + "[DENY-FROM-DOMAIN]\nanna@;\nanna@allowed.example;\n", build("a word\n"))
    assert (said["decision"], said["status"]) == ("reject", "5.7.1")
    assert lines(said) == [("DENY-FROM-DOMAIN", 13, "deny")]


def test_classes(explain):
    """Declared, and delivered all the same; of both, list wins."""
    for action, declared in (("3", "copy-to"), ("4", "list")):
        said = explain(f"[SPAM-FILTER-RULES]\n3;news;{action};\n", build("news\n"))
        assert (said["decision"], said["class"]) == ("send", declared)
        assert lines(said) == [("SPAM-FILTER-RULES", 2, declared)]
    said = explain("[SPAM-FILTER-RULES]\n3;news;4;\n3;news;3;\n", build("news\n"))
    assert said["class"] == "list" and len(said["smtp_rules"]) == 2
    assert explain("", build("news\n"))["class"] == "normal"
    assert explain("", build("news\n"), f"{NUMBER}@alarm.{DOMAIN}")["class"] == "alarm"


def test_copies_to_only(explain):
    rules = "[SPAM-FILTER-RULES]\n3;news;3;\n"
    for to, decision in ((RECIPIENT, "send"), (BOSS, "discard")):
        said = explain(rules, build("news\n", to=to), others=[BOSS], copy_to_recipients="to-only")
        assert (said["decision"], said["class"]) == (decision, "copy-to")


def test_forged_marks(explain):
    """Marks that come in from outside are nobody's: the milter takes them away."""
    mail = build("it is down\n", "Gateway", headers=[("X-Postsms-Replaced", "1"), ("X-SMS-Class", "list")])
    said = explain(REPLACE, mail)
    assert said["text"] == f"{SENDER}\nGATEWAY\nit is up" and said["class"] == "normal"


def test_long_text_keeps_its_reference(explain):
    """Parts are the same with and without a replacement that finds nothing new."""
    mail = build("y" * 400 + "\n", "one")
    plain, replaced = explain("", mail), explain("[REPLACE-TEXT]\n0;one;two;\n", mail)
    assert [part["udh"] for part in plain["parts"]] == [part["udh"] for part in replaced["parts"]]
    assert len(plain["parts"]) > 1


def test_in_words(bare):
    bare.postsms.change(rules=REPLACE + "[SPAM-FILTER-RULES]\n3;up;2;\n", milter=PLAIN)
    said = bare.postsms.admin("explain", "-s", SENDER, "-r", RECIPIENT, mail=build("it is down\n", "Gateway")).stdout
    assert said.split("\n")[0].startswith("hold: 2.0.0 held by rule")
    assert "rule: smtp.rules:2 [REPLACE-TEXT] replace\n" in said
    assert "rule: smtp.rules:6 [SPAM-FILTER-RULES] hold\n" in said


def test_file_and_stdin(bare, tmp_path):
    """A mail of any size from either; one that cannot be read is a fault."""
    bare.postsms.change(rules="[SPAM-FILTER-RULES]\n7;needle;1;\n", milter=PLAIN)
    mail = build("y\n" * 1000000 + "needle\n", encoding="7bit")
    path = tmp_path / "mail.eml"
    path.write_bytes(mail)
    path.chmod(0o644)
    for more, stdin in (((str(path),), None), ((), mail)):
        said = bare.postsms.json("explain", "-s", SENDER, "-r", RECIPIENT, *more, mail=stdin)
        assert said["decision"] == "discard"
    done = bare.postsms.admin("explain", "-s", SENDER, "-r", RECIPIENT, str(tmp_path / "none"), check=False)
    assert done.returncode == 1 and "cannot be read" in done.stderr
