# SPDX-License-Identifier: ISC
"""What an HTTP provider may answer in the middle of things: half an answer, a refusal behind a part that it took, a
pause, our secrets in its words, no TLS at all (ICE-HTTP-01, ICE-HTTP-29, ICE-GW-07, ICE-PAR-21, ICE-CERT-01, A-29)."""
import email.utils
import json
import os
import socket
import tempfile
import threading
import time

import pytest
from harness import wait_until
from harness.http_place import SECRET, Place
from harness.provider import Provider, Reply, certificates

LONG = "0123456789 " * 20  # two parts
PAUSES = {  # Retry-After: whether the gateway pauses, from, to seconds
    "-5": None, "soon": None, "0": None, "past": None, "date": (500, 600), "99999999999999": (86000, 86400)}
FORMS = {
    "broken": {"timeout": "2"},
    "local": {"split": "local"},
    "words": {"text": "json:/message", "auth": "basic", "auth.user": "%secret.user%",
              "secret_file": "SECRET"},
    "patient": {"unknown_after": "1s"},
    "three": {"concurrency": 3},
    "values": {},
    "moving": {},
    **{f"pause{index}": {} for index in range(len(PAUSES))},
}


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        made = Place(base, FORMS, {name: Provider() for name in FORMS})
        yield made
        made.close()


# Half an answer

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("octets", [
    b"HTTP/1.1 2", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", b"ok",
    b"220 mx.example.test ESMTP\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", HEAD + b"Content-Length: -5\r\n\r\nok",
    HEAD + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\nok", HEAD + b"X: " + b"y" * 400000,
    b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n",
], ids=lambda octets: octets[:60].decode().replace("\r\n", "|"))
def test_no_whole_answer(place, octets):
    """It proves nothing, whatever its beginning says."""
    provider = place.providers["broken"]
    provider.answer = Reply(fault="raw", body=octets)
    provider.clear()
    process = place.pipe("broken")
    code, line = place.answer(process)
    assert code == 75 and line.startswith("4.4.2 broken: part 1 of 1 may have been sent: "), line
    assert [part["state"] for part in place.parts(process)] == ["unknown"] and len(provider.requests) == 1


@pytest.mark.parametrize("octets", [b"HTTP/1.1 200 OK\r\n\r\nok", b"HTTP/1.0 200 OK\r\n\r\n",
                                    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
def test_answers_of_old_servers(place, octets):
    """Without a length the end of the connection is the end of the answer."""
    place.providers["broken"].answer = Reply(fault="raw", body=octets)
    assert place.send("broken")[0] == 0


# A part was taken, and the next one is not

@pytest.mark.parametrize("reply,code,word,states,requests", [
    (Reply(503, b"busy"), 75, "4.3.0 local: HTTP 503: busy", ["accepted", "planned"], 3),
    (Reply(401, b"key?"), 75, "4.3.5 local: HTTP 401: key?", ["accepted", "planned"], 3),
    (Reply(400, b"no"), 77, "5.7.1 local: HTTP 400: no", ["accepted", "failed"], 2),
    (Reply(fault="close"), 75, "4.4.2 local: part 2 of 2 may have been sent: ", ["accepted", "unknown"], 2),
], ids=["503", "401", "400", "close"])
def test_second_part(place, reply, code, word, states, requests):
    """What was taken stays so, and is said; a second offer goes on where it is proven that nothing was sent."""
    provider = place.providers["local"]
    provider.clear()
    seen = []

    def answer(request):
        seen.append(request)
        return reply if len(seen) == 2 else Reply()
    provider.answer = answer
    process = place.pipe("local", LONG)
    status, line = place.answer(process)
    assert status == code and line.startswith(word) and line.endswith("; 1 of 2 parts were sent before"), line
    assert [part["state"] for part in place.parts(process)] == states
    assert place.again(process)[0] == (0 if requests == 3 else code)
    refs = [request.target.rpartition("ref=")[2] for request in provider.requests]
    assert len(refs) == requests and refs[2:] == refs[1:requests - 1] and refs[0] != refs[1]


def test_doubt_has_an_end(place):
    """unknown_after: the sender is told that it may have been delivered; it is never sent again."""
    provider = place.providers["patient"]
    provider.answer = Reply(fault="close")
    process = place.pipe("patient")
    assert place.answer(process)[1].startswith("4.4.2 ")
    provider.answer = Reply()
    code, line = wait_until(lambda: (lambda got: got if got[0] != 75 else None)(place.again(process)), 10,
                            "the hold is over")
    assert code == 69 and line == "5.4.7 patient: part 1 of 1 may have been delivered, will not be repeated"
    assert place.parts(process)[0]["state"] == "gave_up" and len(provider.requests) == 1


# Pauses, concurrency

@pytest.mark.parametrize("index", range(len(PAUSES)), ids=list(PAUSES))
def test_pauses(place, index):
    value, wanted = list(PAUSES.items())[index]
    offset = {"past": -600, "date": 600}.get(value)
    if offset:
        value = email.utils.formatdate(time.time() + offset, usegmt=True)
    name = f"pause{index}"
    place.providers[name].answer = Reply(503, b"busy", {"Retry-After": value})
    code, line = place.send(name)
    listed = {gateway["id"]: gateway for gateway in place.postsms.json("gateway")}[name]
    assert code == 75 and len(place.providers[name].requests) == 1
    if wanted:
        assert line.startswith(f"4.3.2 {name}: asks to wait ") and line.endswith(" s: HTTP 503: busy"), line
        assert listed["state"] == "paused" and wanted[0] < listed["pause_seconds"] <= wanted[1]
    else:
        assert line == f"4.3.0 {name}: HTTP 503: busy" and listed["state"] == "up"


def test_no_more_at_once_than_allowed(place):
    provider = place.providers["three"]
    go = threading.Event()
    live, peak, lock = [], [], threading.Lock()

    def answer(request):
        with lock:
            live.append(request)
            peak.append(len(live))
        go.wait(30)
        with lock:
            live.remove(request)
        return Reply()
    provider.answer = answer
    processes = [place.pipe("three") for _ in range(10)]
    provider.wait_for(3)

    def states():
        return sorted(row["state"] for row in place.postsms.json("queue") if row["gateway"] == "three")
    wait_until(lambda: states() == ["submitting"] * 3 + ["waiting"] * 7, 10, lambda: f"three of ten: {states()}")
    go.set()
    assert [place.answer(process)[0] for process in processes] == [0] * 10
    assert max(peak) == 3


# Parameters of the address

@pytest.mark.parametrize("value", ["a%3D1%0D%0AX%3Ay", "a%3D1%0A", "a%3D1%00", "a%3D1%09b", "%0D%0A", "a%3D1%7F"])
def test_parameters_that_would_leave_the_url(place, value):
    code, line = place.send("values", None, f"&value={value}")
    assert code == 67 and line.startswith("5.1.3 ") and not place.providers["values"].requests


# Secrets in a provider's words

@pytest.mark.parametrize("said", [SECRET, "s3cr3t%2F%26-value", f"key={SECRET}&user=x", f"{SECRET}{SECRET}",
                                  "s3cr\u00073t/&-value", "s3cr\u00ad3t/&-value"])
def test_secrets_are_masked(place, said):
    place.providers["words"].answer = Reply(401, json.dumps({"message": f"wrong key {said}, sorry"}).encode())
    code, line = place.send("words")
    assert code == 75 and line.startswith("4.3.5 words: HTTP 401: wrong key ") and "***" in line, line
    assert "3t" not in line and "value" not in line


# Settings that change

def test_settings_change_under_way(place):
    """What is under way ends as it began; the next one goes by the new settings."""
    old, new = place.providers["moving"], Provider()
    go = threading.Event()

    def answer(_request):
        go.wait(30)
        return Reply()
    old.answer = answer
    process = place.pipe("moving")
    old.wait_for(1)
    place.postsms.change(gateways={"moving": {"url": new.url + "/new?to=%number%"}})
    place.postsms.reload()
    try:
        assert place.send("moving")[0] == 0 and new.requests[0].target.startswith("/new?to=")
        go.set()
        assert place.answer(process)[0] == 0
        assert (len(old.requests), len(new.requests)) == (1, 1)
    finally:
        go.set()
        new.close()


# TLS

@pytest.fixture(scope="module")
def tls():
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        certs = certificates(base)
        ca = certs["ca"][0]
        providers = {"silent": Provider(), **{name: Provider(certificate=certs["good"]) for name in
                                              ("broken-ca", "kept", "closing")},
                     **{name: Provider(certificate=certs["good"], client_ca=ca) for name in ("mismatch", "stranger")}}
        keys = {name: {"ca_file": ca, "concurrency": 1} for name in providers}
        keys["silent"].update(url=f"https://127.0.0.1:{providers['silent'].port}/", timeout="2")
        keys["broken-ca"]["ca_file"] = os.path.join(base, "broken.pem")
        with open(keys["broken-ca"]["ca_file"], "w", encoding="ascii") as file:
            file.write("no certificate\n")
        keys["mismatch"].update(cert_file=certs["client"][0], key_file=certs["good"][1])
        keys["stranger"].update(cert_file=certs["self"][0], key_file=certs["self"][1])
        made = Place(base, keys, providers)
        yield made
        made.close()


@pytest.mark.parametrize("name,word", [
    ("silent", "4.4.1 silent: "), ("broken-ca", "4.3.5 broken-ca: "), ("mismatch", "4.3.5 mismatch: "),
    ("stranger", "4.3.5 stranger: the server refuses TLS: unknown ca")])
def test_no_tls_nothing_sent(tls, name, word):
    """It never came to a request: the mail waits, for the server or for our settings."""
    process = tls.pipe(name)
    code, line = tls.answer(process)
    assert code == 75 and line.startswith(word), line
    assert tls.parts(process)[0]["state"] == "planned" and not tls.providers[name].requests


def test_no_tls_spoken_there(tls):
    """Somebody else, who speaks first, listens at the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def greet():
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mx.example.test ESMTP\r\n")
                connection.settimeout(20)
                try:
                    while connection.recv(4096):
                        pass
                except ConnectionResetError:
                    pass  # by a client that has seen enough
        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        tls.postsms.change(gateways={"silent": {"url": f"https://127.0.0.1:{listener.getsockname()[1]}/"}})
        tls.postsms.reload()
        code, line = tls.send("silent")
        thread.join(20)
    assert code == 75 and line.startswith("4.4.1 silent: ") and "wrong version number" in line, line


def test_tls_connections_are_kept(tls):
    assert [tls.send("kept")[0] for _ in range(3)] == [0] * 3
    assert tls.providers["kept"].connections < 3


def test_libcurl_repeats_nothing_over_tls(tls):
    provider = tls.providers["closing"]
    provider.answer = Reply(fault="second")
    answers = [tls.answer(process) for process in [tls.pipe("closing") for _ in range(6)]]
    refs = [request.target.rpartition("ref=")[2] for request in provider.requests]
    assert len(refs) == len(set(refs)) and max(request.number for request in provider.requests) == 2
    assert {code for code, _ in answers} == {0, 75}
    assert all(code == 0 or line.startswith("4.4.2 closing: ") for code, line in answers), answers

