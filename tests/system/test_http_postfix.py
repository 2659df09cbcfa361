# SPDX-License-Identifier: ISC
"""HTTP gateways through Postfix: what mailq shows of a provider's words, pauses that end, turns, and who helps out
(ICE-GEN-05, ICE-GEN-06, ICE-GW-06, A-27, A-28)."""
from collections import Counter

import pytest
from harness import build, wait_until
from harness.provider import Provider, Reply
from harness.site import DOMAIN

SENDER = "anna@allowed.example"


@pytest.fixture(scope="module")
def providers():
    made = {"first": Provider(), "second": Provider(), "third": Provider()}
    yield made
    for provider in made.values():
        provider.close()


@pytest.fixture(scope="module")
def place(new_site, providers):
    gateways = {name: {"type": "http", "url": provider.url + "/send?to=%number;noplus%&text=%data%&ref=%ref%",
                       "out_after": 1000} for name, provider in providers.items()}
    gateways["first"]["weight"] = 3
    return new_site(gateway=None, gateways=gateways, settings={
        'route "+41781"': {"gateways": ["third"]}, "transport": {"message": "%%Body%%"}})


@pytest.fixture(autouse=True)
def calm(place, providers):
    yield
    place.postfix.postfix_tool("postsuper", "-d", "ALL", check=False)
    place.postsms.stop_daemon()
    for provider in providers.values():
        provider.answer = Reply()
        provider.clear()
    place.postsms.start_daemon()


def mail_to(place, recipient, text="kurz"):
    sent = place.send(SENDER, recipient, build(text, sender=SENDER))
    assert sent.accepted
    return sent.queue_id


def delivered(provider):
    return [request.target.partition("to=")[2].partition("&")[0] for request in provider.requests]


def test_sent(place, providers):
    number = place.number()
    queue_id = mail_to(place, f"{number}@{DOMAIN}", "Grüße & mehr")
    place.postfix.wait_removed(queue_id)
    said, = place.postfix.deliveries(queue_id)
    assert said["status"] == "sent" and said["dsn"] == "2.0.0"
    request, = [request for provider in providers.values() for request in provider.requests]
    assert request.target.startswith(f"/send?to={number[1:]}&text=Gr%C3%BC%C3%9Fe%20%26%20mehr&ref=")


def test_mailq_shows_the_providers_words(place, providers):
    providers["first"].answer = Reply(401, b"wrong key, ask <sales>")
    number = place.number()
    queue_id = mail_to(place, f"sms:{number}?id=first@{DOMAIN}")
    place.postfix.wait_delivery(queue_id, "deferred")
    wait_until(lambda: place.postfix.queued(queue_id)["recipients"][0].get("delay_reason"), 10, "mailq has a reason")
    assert "first: HTTP 401: wrong key, ask" in place.postfix.mailq_text()
    line, = [line for line in place.postsms.json("queue") if line["queue_id"] == queue_id]
    assert (line["state"], line["gateway"]) == ("failed", "first") and "HTTP 401" in line["reason"]
    providers["first"].answer = Reply()
    place.postfix.flush()
    place.postfix.wait_removed(queue_id)
    assert len(providers["first"].confirmed) == 1


def test_refused_number_bounces(place, providers):
    providers["first"].answer = Reply(400, b"no such number")
    sender = place.sender()
    sent = place.send(sender, f"sms:{place.number()}?id=first@{DOMAIN}", build("kurz", sender=sender))
    place.postfix.wait_removed(sent.queue_id)
    bounce, = place.postfix.wait_caught(sender)
    assert b"first: HTTP 400: no such number" in bounce.raw and b"5.7.1" in bounce.raw


def test_pause_in_mailq_and_its_end(place, providers):
    """A pause longer than the deadline is a deferral that says how long; nobody asks the provider before its end, and
    the mail leaves after it."""
    providers["first"].answer = Reply(429, b"slow down", {"Retry-After": "3600"})
    first = mail_to(place, f"sms:{place.number()}?id=first@{DOMAIN}")
    place.postfix.wait_delivery(first, "deferred")
    second = mail_to(place, f"sms:{place.number()}?id=first@{DOMAIN}")
    place.postfix.wait_delivery(second, "deferred")
    for queue_id in (first, second):
        text = place.postfix.deliveries(queue_id)[0]["text"]
        assert "4.3.2" in place.postfix.deliveries(queue_id)[0]["dsn"]
        assert "first: asks to wait 3" in text and text.rstrip(")").endswith(": HTTP 429: slow down"), text
    assert len(providers["first"].requests) == 1
    assert "first: asks to wait 3" in place.postfix.mailq_text()


def test_short_pause(place, providers):
    """A shorter one is waited for: one delivery attempt, sent."""
    answers = iter([Reply(429, b"slow", {"Retry-After": "2"})])
    providers["first"].answer = lambda request: next(answers, Reply())
    queue_id = mail_to(place, f"sms:{place.number()}?id=first@{DOMAIN}")
    place.postfix.wait_removed(queue_id)
    assert [said["status"] for said in place.postfix.deliveries(queue_id)] == ["sent"]
    assert len(providers["first"].requests) == 2


def test_turns(place, providers):
    """Three to one, as the weights say; the number of a route goes its own way."""
    queue_ids = [mail_to(place, f"{place.number()}@{DOMAIN}", f"nummer {index}") for index in range(20)]
    queue_ids.append(mail_to(place, f"+41781234567@{DOMAIN}"))
    for queue_id in queue_ids:
        place.postfix.wait_removed(queue_id)
    counts = Counter({name: len(provider.requests) for name, provider in providers.items()})
    assert sum(counts.values()) == 21 and delivered(providers["third"]).count("41781234567") == 1
    assert counts["first"] > counts["second"] >= 3 and counts["first"] > counts["third"] - 1 >= 3


def test_others_help_out(place, providers):
    """A mail that one gateway has certainly not taken leaves over another, in one attempt of Postfix."""
    providers["first"].answer = providers["second"].answer = Reply(503, b"busy")
    queue_ids = [mail_to(place, f"{place.number()}@{DOMAIN}", f"nummer {index}") for index in range(6)]
    for queue_id in queue_ids:
        place.postfix.wait_removed(queue_id)
        assert [said["status"] for said in place.postfix.deliveries(queue_id)] == ["sent"]
    assert len(providers["third"].confirmed) == 6
    assert not providers["first"].confirmed and not providers["second"].confirmed
