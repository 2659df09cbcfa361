# SPDX-License-Identifier: ISC
"""Kannel as a provider, as Debian ships it, by the profile that comes along: from a mail to what an SMSC gets
(ICE-HTTP-01, ICE-GEN-08, ICE-GEN-09, ICE-HTTP-26)."""
import base64
import os
import tempfile

import pytest
from harness import wait_until
from harness.http_place import Place
from harness.kannel import Kannel, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=str(why_not()))


@pytest.fixture(scope="module")
def kannel():
    made = Kannel(tempfile.mkdtemp())
    try:
        yield made.start()
    finally:
        made.close()


@pytest.fixture(scope="module")
def place(kannel):
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        keys = {"type": "http", "profile": "kannel", "vars": ["base=" + kannel.url], "originator": "12345",
                "out_after": 3, "url": None}
        made = Place(base, {}, {})
        made.close()
        made.postsms.gateways = {}
        for name, user, password, more in (("kannel", "anna", "geheim", {}), ("wrong", "anna", "falsch", {}),
                                           ("plain", "otto", "ab-werk", {}),
                                           ("whole", "anna", "geheim", {"split": "remote"})):
            secret = made.put_secret(name, f"user = {user}\npassword = {password}\n")
            made.postsms.gateways[name] = {key: value for key, value in
                                           {**keys, **more, "secret_file": secret}.items() if value}
        made.postsms.change()
        made.postsms.start_daemon()
        yield made
        made.postsms.stop()


def number_of(place):
    return f"+4179{place.count:07d}"


@pytest.mark.parametrize("text", ["Hello & 100% + x", "Grüße aus Zürich, 5 €", "a" * 150])
def test_text(kannel, place, text):
    before = len(kannel.lines)
    assert place.send("kannel", text)[0] == 0
    sender, receiver, kind, octets, header = kannel.wait_lines(before + 1)[before]
    assert (sender, receiver, header) == ("12345", number_of(place), b"")
    assert octets.decode("utf-8") == text and kind in ("text", "data")


def test_unicode(kannel, place):
    before = len(kannel.lines)
    assert place.send("kannel", "Жук “q” 😀")[0] == 0
    _, receiver, _, octets, _ = kannel.wait_lines(before + 1)[before]
    assert receiver == number_of(place) and octets.decode("utf-16-be") == "Жук “q” 😀"


@pytest.mark.parametrize("text,charset", [("Die Wartung beginnt um zehn Uhr, 5 €. " * 10, "utf-8"),
                                          ("Ремонт начнётся в десять часов. " * 5, "utf-16-be")])
@pytest.mark.parametrize("gateway", ["kannel", "plain", "whole"])
def test_long(kannel, place, gateway, text, charset):
    """Every part arrives. plain: of a sendsms-user as it comes, whose long texts Kannel would accept and cut to one
    SMS. whole: by split = "remote", of one that may have several."""
    before = len(kannel.lines)
    assert place.send(gateway, text)[0] == 0
    lines = kannel.wait_lines(before + 3)[before:]
    assert len(lines) == 3 and {line[1] for line in lines} == {number_of(place)}
    assert {(header[:3], header[4]) for *_, header in lines} == {(b"\x05\x00\x03", 3)}
    parts = sorted((header[-1], octets) for *_, octets, header in lines)
    assert [number for number, _ in parts] == [1, 2, 3]
    assert b"".join(octets for _, octets in parts).decode(charset) == text.strip()


def test_binary(kannel, place):
    header, octets = bytes.fromhex("06050415811581"), bytes.fromhex("00ff1b2526")
    before = len(kannel.lines)
    assert place.send("kannel", base64.b64encode(octets).decode(), "&binary=1&udh=" + base64.b64encode(
        header).decode())[0] == 0
    line = kannel.wait_lines(before + 1)[before]
    assert line[3:] == (octets, header)


def test_wrong_password(kannel, place):
    """Our setting is wrong: the mail waits for it, and nothing bounces."""
    before = len(kannel.lines)
    code, line = place.send("wrong")
    assert code == 75 and line == "4.3.5 wrong: HTTP 403: Authorization failed for sendsms"
    assert len(kannel.lines) == before


def test_stopped_and_started(kannel, place):
    """Out, by the reason that mailq shows; then a mail that is offered again finds it back."""
    kannel.stop()
    waiting = []
    for _ in range(3):
        waiting.append(place.pipe("kannel"))
        code, line = place.answer(waiting[-1])
        assert code == 75 and line.startswith("4.4.1 kannel: ") and "connect" in line, line
    code, line = place.send("kannel")
    assert code == 75 and line.startswith("4.3.2 kannel: out since "), line
    before = len(kannel.lines)
    kannel.start()
    wait_until(lambda: {gateway["id"]: gateway["state"] for gateway in place.postsms.json("gateway")}["kannel"] == "trial",
               30, "kannel can be reached again")
    assert place.again(waiting[0])[0] == 0
    for process in waiting[1:]:
        assert place.again(process)[0] == 0
    kannel.wait_lines(before + 3)
    log = place.postsms.logs["postsmsd"].lines()
    assert sum(": out after " in line for line in log) == 1 and sum(line.endswith("kannel: back") for line in log) == 1
