# SPDX-License-Identifier: ISC
"""SMTP rules at delivery: mail that comes to postsms-pipe without a milter in front of it."""
import re
import threading

import pytest
from harness import build, wait_until
from harness.ask import Ask
from harness.site import DOMAIN

LIST = [("X-SMS-Class", "list")]


def declare(site, queue_id, number, declared):
    """What the milter notes about a mixed mail, which gets no header."""
    with Ask(site.postsms.run_dir) as ask:
        said = ask.note(queue_id=queue_id, effect="declare", recipients=f"{number}@{DOMAIN}", **{"class": declared})
        assert said == {"done": "yes"}


def test_class_from_the_ledger(site):
    """A mixed mail has no class header: the note of its queue id says it; one of another queue id does not."""
    number, other = site.number(), site.number()
    declare(site, "4QListzABCD", number, "list")
    assert site.postsms.deliver(number, build("an alle"), "4QListzABCD")[0] == 0
    declared, delivery = site.postsms.json("trace", number)
    assert (declared["state"], declared["declared"]) == ("declared", "list")
    assert (delivery["state"], delivery["declared"]) == ("sent", "list")
    assert site.postsms.deliver(other, build("an einen"), "4QOtherzABCD")[0] == 0
    assert site.postsms.json("trace", other)[0]["declared"] == ""


def test_class_from_the_header(site):
    number = site.number()
    assert site.postsms.deliver(number, build("an alle", headers=[("X-SMS-Class", "copy-to")]), "4QHeadzABCD")[0] == 0
    assert site.postsms.json("trace", number)[0]["declared"] == "copy-to"


def test_header_through_an_alias(site):
    """The milter saw no SMS recipient in that mail, so its headers are anybody's."""
    number = site.number()
    mail = build("an alle", headers=[("X-SMS-Class", "list"), ("X-Postsms-Replaced", "yes")])
    assert site.postsms.deliver(number, mail, "4QAliaszABCD", original="joe@example.test")[0] == 0
    assert site.postsms.json("trace", number)[0]["declared"] == ""


@pytest.fixture
def rules(site):
    """Writes more rules, and takes them back."""
    def more(text, **milter):
        site.postsms.change(rules=before + text, milter=milter)
        site.postsms.reload()
    before = site.postsms.rules
    yield more
    more("", filter_addresses="remove", copy_to_recipients="all")


def test_dropped_at_delivery(site, rules):
    """FILTER-ADDRESSES for an alias that the milter never saw: no SMS, no bounce, and no second thought."""
    number, mail = site.number(), build("nein danke")
    rules(f"[FILTER-ADDRESSES]\n{number[1:]};\n")
    assert site.postsms.deliver(number, mail, "4QDropzABCD") == (0, "discarded by rule")
    log = site.postsms.logs["postsmsd"]
    line, = wait_until(lambda: [one for one in log.lines() if "4QDropzABCD: to=" in one], 10)
    assert "status=dropped (discarded by rule)" in line and re.search(r"rule=smtp\.rules:\d+,", line)
    rules("")
    assert site.postsms.deliver(number, mail, "4QDropzABCD") == (0, "discarded by rule")
    row, = site.postsms.json("trace", number)
    assert (row["state"], row["status"], row["reason"]) == ("discarded", "2.0.0", "discarded by rule")
    assert [event["what"] for event in row["events"]] == ["dropped", "offered again"]
    assert site.postsms.sent(number) == []


def test_refused_at_delivery(site, rules):
    number = site.number()
    rules(f"[FILTER-ADDRESSES]\n{number[1:]};\n", filter_addresses="reject")
    status, line = site.postsms.deliver(number, build("nein danke"), "4QRejczABCD")
    assert status == 67 and line.startswith("5.1.1 "), line
    assert site.postsms.sent(number) == []


def test_replaced_once_at_delivery(site, rules):
    """Without the milter's mark the transport replaces; with it, it does not do so again."""
    rules("[REPLACE-TEXT]\n0;Gate;Gate Gate;\n1;Way;Way Way;\n")
    for headers, text in (((), "Gate Gate\nWay Way"), ((("X-Postsms-Replaced", "1"),), "Gate\nWay")):
        number = site.number()
        assert site.postsms.deliver(number, build("Way\n", "Gate", headers=headers), "4QReplzABCD")[0] == 0
        part, = site.postsms.sent(number)
        assert part["text"] == "anna@allowed.example\n" + text


def test_copies_to_only(site, rules):
    """copy_to_recipients = "to-only": a number found only in Cc: or Bcc: gets no SMS."""
    rules("", copy_to_recipients="to-only")
    named, copied = site.number(), site.number()
    mail = build("an viele", to=f"{named}@{DOMAIN}", headers=[("Cc", f"{copied}@{DOMAIN}"), ("X-SMS-Class", "copy-to")])
    assert site.postsms.deliver(named, mail, "4QCopyzABCD")[0] == 0
    assert site.postsms.deliver(copied, mail, "4QCopyzABCD") == (0, "discarded by rule")
    assert len(site.postsms.sent(named)) == 1 and site.postsms.sent(copied) == []
    assert site.postsms.json("trace", copied)[0]["state"] == "discarded"


def test_filtered_between_attempts(site, rules):
    """What waits in the queue when its number is filtered is not sent; every offer after that says so."""
    number, mail = site.number(), build("später")
    site.postsms.change(gateway={"fail_every": 1})
    site.postsms.reload()
    assert site.postsms.deliver(number, mail, "4QWaitzABCD")[0] == 75
    site.postsms.change(gateway={"fail_every": 0})
    rules(f"[FILTER-ADDRESSES]\n{number[1:]};\n")
    for _ in range(2):
        assert site.postsms.deliver(number, mail, "4QWaitzABCD") == (0, "discarded by rule")
    rules("")
    assert site.postsms.deliver(number, mail, "4QWaitzABCD") == (0, "discarded by rule")
    assert site.postsms.sent(number) == []


# A class of its own

@pytest.fixture
def gateway(site):
    """Changes the gateway's keys and others, and sets them back."""
    def change(settings=(), **keys):
        site.postsms.change(gateway=keys, **dict(settings))
        site.postsms.reload()
    yield change
    change({"slots": 200, "transport": {"warn_after": "4h"}}, delay="0", fail_every=0)


class Waiting(threading.Thread):
    """A delivery under way; it has its place when the constructor returns."""

    def __init__(self, site, queue_id, headers=()):
        super().__init__()
        self.number = site.number()
        self.result = None
        self._deliver = lambda: site.postsms.deliver(self.number, build("wartet", headers=headers), queue_id)
        self.start()
        wait_until(lambda: self.result or self.number in {row["number"] for row in site.postsms.json("queue")
                                                          if row["place"] is not None}, 10, "it waits")

    def run(self):
        self.result = self._deliver()

    def end(self):
        self.join(30)
        return self.result


def test_lists_go_last(site, gateway):
    gateway(delay="1s")
    first, bulk, normal = Waiting(site, "4QB1zABCD"), Waiting(site, "4QB2zABCD", LIST), Waiting(site, "4QB3zABCD")
    places = {row["number"]: row["place"] for row in site.postsms.json("queue")}
    assert places[normal.number] < places[bulk.number]
    for one in (first, bulk, normal):
        assert one.end()[0] == 0
    order = [part["number"] for part in site.postsms.sent()][-3:]
    assert order == [first.number, normal.number, bulk.number]


def test_lists_give_way(site, gateway):
    """They share the places with all other mail, and give theirs up to it; the youngest first."""
    gateway({"slots": 3}, delay="2s")
    first, older, younger = [Waiting(site, f"4QG{n}zABCD", LIST) for n in range(3)]
    normal = Waiting(site, "4QG3zABCD")
    status, line = younger.end()
    assert status == 75 and line.startswith("4.3.2 demo: 3 waiting, about "), line
    late = Waiting(site, "4QG4zABCD", LIST)
    assert late.end()[0] == 75  # no place for another one
    for one in (first, normal, older):
        assert one.end()[0] == 0
    order = [part["number"] for part in site.postsms.sent()][-3:]
    assert order == [first.number, normal.number, older.number]


def test_lists_are_not_warned(site, gateway):
    """Their sender hears nothing while a person's does."""
    gateway({"transport": {"warn_after": "1s"}}, fail_every=1)
    bulk, normal = site.number(), site.number()
    assert site.postsms.deliver(bulk, build("an alle", headers=LIST), "4QW1zABCD")[0] == 75
    assert site.postsms.deliver(normal, build("an einen"), "4QW2zABCD")[0] == 75

    def told(number):
        return "warned" in [event["what"] for event in site.postsms.json("trace", number)[0]["events"]]
    wait_until(lambda: told(normal), 30, "the sender is told")  # the older delivery was looked at before
    assert not told(bulk)
