# SPDX-License-Identifier: ISC
"""What looks like an answer and is none: a head that ends too early, a TLS alert behind a request that was read; and
secrets in the many shapes in which a provider repeats them (design sections 5 and 9, reliability section 2)."""
import base64
import json
import os
import tempfile

import pytest
from harness.http_place import SECRET, Place
from harness.provider import Provider, Reply, certificates


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        certs = certificates(base)
        providers = {name: Provider() for name in ("head", "words", "plain", "kept", "trailers")}
        providers["alert"] = Provider(Reply(fault="alert"), certificate=certs["good"])
        secret = {"auth": "basic", "auth.user": "%secret.user%", "secret_file": "SECRET"}
        made = Place(base, {"head": {}, "kept": {}, "trailers": {}, "plain": secret, "words": {**secret, "text": "json:/message"},
                            "alert": {"ca_file": certs["ca"][0], "concurrency": 1}}, providers)
        yield made
        made.close()


@pytest.mark.parametrize("status,rest", [(200, "\r\n"), (200, "\r\nContent-Le"), (200, "\r\nContent-Length: 0\r\n"),
                                         (400, "\r\n"), (401, "\r\n"), (503, "\r\n")])
def test_head_without_an_end(place, status, rest):
    """The connection ends before the blank line does: a broken answer, which proves nothing."""
    provider = place.providers["head"]
    provider.answer = Reply(fault="raw", body=f"HTTP/1.1 {status} X{rest}".encode())
    process = place.pipe("head")
    code, line = place.answer(process)
    assert code == 75 and line.startswith("4.4.2 head: part 1 of 1 may have been sent: "), line
    assert place.parts(process)[0]["state"] == "unknown"


def test_alert_behind_a_request(place):
    """Certificates were settled a request ago on this connection: what the server read and did not answer, it may have
    sent. It must not get it again."""
    processes = [place.pipe("alert") for _ in range(4)]
    answers = [place.answer(process) for process in processes]
    answers += [place.again(process) for process in processes]
    requests = place.providers["alert"].requests
    assert max(request.number for request in requests) == 2, "no connection was kept; the test shows nothing"
    refs = [request.target.rpartition("ref=")[2] for request in requests]
    assert len(refs) == len(set(refs)), "sent again"
    assert all(code == 0 or line.startswith("4.4.2 alert: ") for code, line in answers), answers


@pytest.mark.parametrize("said", [b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 X\r\n", b""],
                         ids=["whole", "begun", "end"])
def test_answer_before_its_request(place, said):
    """What a kept connection says unasked is no answer to the next request, which goes over a new one, once."""
    provider = place.providers["kept"]
    provider.clear()
    assert place.send("kept")[0] == 0
    provider.say(said)
    code, line = place.send("kept")
    assert code == 0, line
    first, second = provider.requests
    assert second.number == 1 and second.connection == first.connection + 1


def test_trailers_without_an_end(place):
    provider = place.providers["trailers"]
    provider.answer = Reply(fault="trailers")
    code, line = place.send("trailers")
    assert code == 75 and line.startswith("4.4.2 trailers: ") and "longer than 262144 octets" in line, line


@pytest.mark.parametrize("said", [
    "x" * 140 + " " + SECRET, "x" * 150 + " " + SECRET,  # the cut goes through it
    base64.b64encode(f"anna:{SECRET}".encode()).decode(), "s3cr3t%2f%26-value", "s3cr3t/&amp;-value",
], ids=["140", "150", "basic", "lower-case", "html"])
def test_secrets_in_words(place, said):
    place.providers["words"].answer = Reply(401, json.dumps({"message": said}).encode())
    no_secret(place.send("words"))


@pytest.mark.parametrize("body", ["x" * 150 + " " + SECRET, json.dumps({"key": SECRET}).replace("/", "\\/")],
                         ids=["150", "json"])
def test_secrets_in_a_body(place, body):
    place.providers["plain"].answer = Reply(401, body.encode())
    no_secret(place.send("plain"))


def no_secret(answer):
    code, line = answer
    assert code == 75 and line.startswith("4.3.5 ") and "HTTP 401" in line
    assert "s3c" not in line and base64.b64encode(f"anna:{SECRET}".encode()).decode() not in line, line
