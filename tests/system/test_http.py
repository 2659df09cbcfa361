# SPDX-License-Identifier: ISC
"""HTTP gateways against a provider that misbehaves in every way: what is sent, what is made of answers, and that
nothing goes twice (ICE-HTTP-01, ICE-HTTP-26, ICE-HTTP-29, ICE-GW-07, ICE-GW-09, ICE-GW-10, ICE-CERT-01, ICE-PAR-21,
A-29, A-30, A-49). One postsmsd, a gateway for each case, no Postfix."""
import base64
import json
import os
import signal
import ssl
import subprocess
import tempfile
import time

import pytest
from harness import wait_until
from harness.http_place import BUILD, SECRET, Place
from harness.provider import Provider, Reply, certificates

OK = ["http:200 json:/status = ok -> accepted"]


# What answers mean (design section 9): status, class; what Postfix is told, and the ledger keeps, of a class.
STATUS = {"accepted": (200, 201, 202, 204, 299), "permanent": (400, 410, 413, 414, 415, 422),
          "config": (401, 403, 404, 405, 407), "temporary": (402, 429, 503),
          "unknown": (408, 409, 418, 425, 500, 501, 502, 504, 301, 302, 307)}
WANTED = {"accepted": (0, "ref "), "permanent": (77, "5.7.1 "), "config": (75, "4.3.5 "), "temporary": (75, "4.3.0 "),
          "unknown": (75, "4.4.2 ")}
STATES = {"accepted": "accepted", "permanent": "failed", "config": "planned", "temporary": "planned",
          "unknown": "unknown"}
FAULTS = ("close", "reset", "unread", "truncate", "endless", "slow", "hang", "garbage")
# Gateways that need no provider of their own kind: {name: keys}
FORMS = {
    "form": {"url": "URL/form", "body": "to=%number;noplus%&text=%data%"},
    "json": {"url": "URL/json", "content_type": "json", "method": "PUT", "body": '{"to":"%number%","text":"%data%"}',
             "headers": ["X-Ref: %ref%", "Accept: application/json"]},
    "xml": {"url": "URL/xml", "content_type": "xml", "body": "<sms to='%number%'>%data%</sms>"},
    "basic": {"auth": "basic", "auth.user": "%secret.user%", "secret_file": "SECRET"},
    "bearer": {"auth": "bearer", "secret_file": "SECRET"},
    "query": {"auth": "query", "auth.user": "key", "secret_file": "SECRET"},
    "local": {"split": "local", "binary": True,
              "url": "URL/send?text=%data%&udh=%udh;len;hex%&part=%part%&parts=%parts%"},
    "remote": {"url": "URL/send?text=%data%&parts=%parts%"},
    "novalues": {"values": False},
    "rules": {"result": OK + ["http:200 json:/code = 7|8 -> temporary", "http:2xx -> unknown"], "id": "json:/id",
              "code": "json:/code", "text": "json:/message", "secret_file": "SECRET", "auth": "bearer"},
    "retry": {"unknown": "retry", "timeout": "2"},
    "giveup": {"unknown": "give-up", "timeout": "2"},
    "safe": {"repeat_safe": "1h", "timeout": "2"},
    "hidden": {"concurrency": 1},
    "kept": {"concurrency": 1},
    "status": {}, "faults": {"timeout": "2"}, "refused": {"url": "http://127.0.0.1:9/"},
    "limited": {"max_chars": 200, "url": "URL/send?text=%data%&parts=%parts%"},
}


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        providers = {name: Provider() for name in FORMS if name != "refused"}
        made = Place(base, FORMS, providers)
        yield made
        made.close()


@pytest.mark.parametrize("kind,status", [(kind, status) for kind, group in STATUS.items() for status in group])
def test_status_alone(place, kind, status):
    provider = place.providers["status"]
    provider.answer = Reply(status, b"" if status == 204 else b"said so", {"Location": provider.url + "/other"})
    provider.clear()
    process = place.pipe("status")
    code, line = place.answer(process)
    assert (code, line[:len(WANTED[kind][1])]) == WANTED[kind], line
    assert [part["state"] for part in place.parts(process)] == [STATES[kind]]
    assert len(provider.requests) == 1, "a redirect was followed, or it was sent twice"
    if kind != "accepted":
        assert f"status: part 1 of 1 may have been sent: HTTP {status}: said so" in line if kind == "unknown" else \
            f"status: HTTP {status}: said so" in line


@pytest.mark.parametrize("fault", FAULTS)
def test_no_answer(place, fault):
    """Once anything of the request was written, no answer is no proof."""
    provider = place.providers["faults"]
    provider.answer = Reply(fault=fault)
    provider.clear()
    process = place.pipe("faults")
    code, line = place.answer(process)
    assert code == 75 and line.startswith("4.4.2 faults: part 1 of 1 may have been sent: "), line
    assert len(provider.requests) == (0 if fault == "unread" else 1)
    assert place.parts(process)[0]["state"] == "unknown"


def test_nothing_was_sent(place):
    code, line = place.send("refused")
    assert code == 75 and line.startswith("4.4.1 refused: "), line


def test_long_answer(place):
    place.providers["status"].answer = Reply(200, b"x" * 300 * 1024)
    code, line = place.send("status")
    assert code == 75 and line.startswith("4.4.2 ") and "longer than 262144 octets" in line


def test_1xx_before_the_answer(place):
    place.providers["status"].answer = Reply(fault="raw", body=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 X\r\n\r\n"
                                             b"HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy")
    code, line = place.send("status")
    assert code == 75 and line == "4.3.0 status: HTTP 503: busy"


@pytest.mark.parametrize("name,method,target,headers,body", [
    ("form", "POST", "/form", {"Content-Type": "application/x-www-form-urlencoded"},
     "to={digits}&text=Gr%C3%BC%C3%9Fe%20%26%20%22x%22"),
    ("json", "PUT", "/json", {"Content-Type": "application/json", "Accept": "application/json"},
     '{{"to":"+{digits}","text":"Grüße & \\"x\\""}}'),
    ("xml", "POST", "/xml", {"Content-Type": "text/xml; charset=utf-8"},
     "<sms to='+{digits}'>Grüße &amp; &quot;x&quot;</sms>"),
    ("basic", "GET", None, {"Authorization": "Basic " + base64.b64encode(f"anna:{SECRET}".encode()).decode()}, ""),
    ("bearer", "GET", None, {"Authorization": "Bearer " + SECRET}, ""),
])
def test_forms_of_requests(place, name, method, target, headers, body):
    provider = place.providers[name]
    assert place.send(name, 'Grüße & "x"')[0] == 0
    request = provider.requests[-1]
    given = dict(request.headers)
    assert request.method == method and (target is None or request.target == target)
    assert {key: given.get(key) for key in headers} == headers
    assert request.body.decode() == body.format(digits=f"4179{place.count:07d}")
    assert given["User-Agent"].startswith("postsms/")


def test_secret_in_the_query(place):
    assert place.send("query")[0] == 0
    assert place.providers["query"].requests[-1].target.endswith("&key=s3cr3t%2F%26-value")


def test_secrets_stay_where_they_are(place):
    """Not in the log, the ledger, a verdict, an argv, an environment, or what an admin is shown, even if the provider
    repeats them."""
    place.providers["rules"].answer = Reply(401, json.dumps({"code": 1, "message": f"wrong key {SECRET} or "
                                                             "s3cr3t%2F%26-value"}).encode())
    process = place.pipe("rules")
    code, line = place.answer(process)
    assert code == 75 and line == "4.3.5 rules: HTTP 401: 1 wrong key *** or ***"
    shown = [place.postsms.admin("gateway", "test", name, check=False).stdout for name in ("basic", "query", "rules")]
    shown += [place.postsms.admin(*command, check=False).stdout for command in
              (("trace", process.again[0]), ("queue",), ("status",), ("check",), ("gateway",), ("log",))]
    assert any("Authorization: Bearer ***" in text for text in shown)
    for pid in [place.postsms.pid(), *place.postsms.program_pids("postsms-reader")]:
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                shown.append(file.read().decode("utf-8", "replace"))
    for folder in (place.postsms.state_dir, os.path.join(place.postsms.base, "log")):
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                shown.append(file.read().decode("utf-8", "replace"))
    for text in shown:
        assert SECRET not in text and "s3cr3t" not in text and base64.b64encode(SECRET.encode()).decode() not in text


@pytest.mark.parametrize("mode,text,fault", [
    (0o644, "secret = x\n", "holds secrets and everybody may read it"),
    (0o640, "", "is empty"),
    (0o640, "name = x\n", 'there is no line "secret = ..."'),
    (None, "", "No such file or directory"),
])
def test_secret_file_faults(place, mode, text, fault):
    path = os.path.join(place.base, "other-secret")
    if mode:
        place.put_secret("other-secret", text, mode)
    elif os.path.exists(path):
        os.unlink(path)
    conf = os.path.join(place.base, "other.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write('domains = { "sms.example.test" }\naccess { prefixes = { "+41" } }\ngateway "g" {\ntype = "http"\n'
                   f'url = "http://127.0.0.1:9/"\nauth = "bearer"\nsecret_file = "{path}"\n}}\n')
    done = subprocess.run([os.path.join(BUILD, "sbin", "postsmsd"), "-n", "-c", conf], stdout=subprocess.PIPE,
                          text=True, check=False)
    assert done.returncode == 1
    assert any(f'{conf}:8: gateway "g": {path}: {fault}' in line for line in done.stdout.splitlines()), done.stdout


def test_provider_speaks(place):
    """Its own words, cleaned, with code and name; and a body decides, not the status."""
    provider = place.providers["rules"]
    provider.answer = Reply(200, b'{"status":"error","code":7,"message":"try\\nlater \\u0007please"}')
    assert place.send("rules") == (75, "4.3.0 rules: HTTP 200: 7 try later please")
    provider.answer = Reply(200, b'{"status":"ok","id":"m-17"}')
    process = place.pipe("rules")
    assert place.answer(process)[0] == 0
    assert place.parts(process)[0]["gateway_ref"] == "m-17"
    provider.answer = Reply(200, b"<html>welcome</html>")
    assert place.send("rules")[1].startswith("4.4.2 ")


@pytest.mark.parametrize("name,second", [("retry", True), ("giveup", False), ("safe", True)])
def test_unknown_policies(place, name, second):
    """hold is test_no_answer; here: sent again (with the same reference), given up."""
    provider = place.providers[name]
    provider.answer = Reply(fault="close")
    process = place.pipe(name)
    code, line = place.answer(process)
    if name == "giveup":
        assert code == 69 and line.startswith("5.4.7 giveup: ") and "will not be repeated" in line
    else:
        assert code == 75 and line.startswith("4.4.2 ")
    provider.answer = Reply()
    code, line = place.again(process)
    assert (code == 0) == second
    refs = [request.target.rpartition("ref=")[2] for request in provider.requests]
    assert len(refs) == (2 if second else 1) and len(set(refs)) == 1


def test_held_until_somebody_knows(place):
    provider = place.providers["faults"]
    provider.answer = Reply(fault="close")
    provider.clear()
    process = place.pipe("faults")
    place.answer(process)
    provider.answer = Reply()
    code, line = place.again(process)
    assert code == 75 and line.startswith("4.4.2 faults: ") and len(provider.requests) == 1
    delivery, = place.postsms.json("trace", process.again[0])
    place.postsms.admin("resolve", str(delivery["id"]), "sent")
    assert place.again(process)[0] == 0 and len(provider.requests) == 1


def test_libcurl_repeats_nothing(place):
    """A server that answers one request of a connection, reads the next and closes: libcurl would send that one again
    by itself. Each reference comes at most once, and nobody says that it was sent."""
    provider = place.providers["hidden"]
    provider.answer = Reply(fault="second")
    processes = [place.pipe("hidden") for _ in range(6)]
    answers = [place.answer(process) for process in processes]
    refs = [request.target.rpartition("ref=")[2] for request in provider.requests]
    assert len(refs) == len(set(refs)), "a request was repeated"
    assert max(request.number for request in provider.requests) == 2, "no connection was kept; the test shows nothing"
    assert {code for code, _ in answers} == {0, 75}
    for code, line in answers:
        assert code == 0 or (line.startswith("4.4.2 hidden: ") and "closed without an answer" in line), line
    assert sum(code == 0 for code, _ in answers) == len({request.connection for request in provider.requests})


def test_connections_are_kept(place):
    provider = place.providers["kept"]
    for process in [place.pipe("kept") for _ in range(8)]:
        assert place.answer(process)[0] == 0
    assert len(provider.requests) == 8 and provider.connections < 8


def test_long_text(place):
    """remote: one request with all of it; local: a part each, with its header (A-29, A-30)."""
    text = "0123456789 " * 20
    process = place.pipe("remote", text)
    assert place.answer(process)[0] == 0
    request, = place.providers["remote"].requests
    assert request.target == "/send?text=" + text.strip().replace(" ", "%20") + "&parts=2"
    part, = place.parts(process)
    assert part["sms"] == 2
    assert any("parts=2/2" in line and process.again[0] in line for line in place.postsms.logs["postsmsd"].lines())
    assert place.send("local", text)[0] == 0
    first, second = [request.target for request in place.providers["local"].requests]
    assert first.endswith("&part=1&parts=2") and second.endswith("&part=2&parts=2")
    assert first.partition("&udh=")[2].startswith("050003") and first.partition("&udh=")[2][6:12].endswith("0201")
    said = [target.partition("text=")[2].partition("&")[0] for target in (first, second)]
    assert "".join(said).replace("%20", " ") == text.strip()


def test_most_characters(place):
    """max_chars: no more than the provider takes."""
    assert place.send("limited", "0123456789 " * 40)[0] == 0
    target = place.providers["limited"].requests[-1].target
    assert len(target.partition("text=")[2].partition("&")[0].replace("%20", " ")) <= 200


def test_binary(place):
    octets = base64.b64encode(bytes(range(150))).decode()
    assert place.send("remote", octets, "&binary=1") == (65, "5.6.0 remote: cannot send binary messages")
    place.providers["local"].clear()
    assert place.send("local", octets, "&binary=1")[0] == 0
    assert len(place.providers["local"].requests) == 2  # SAR headers of our own (ICE-HTTP-26)
    assert all("&udh=050003" in request.target for request in place.providers["local"].requests)


@pytest.mark.parametrize("parameters,code,word", [
    ("&value=%26priority%3D1", 0, "&priority=1"), ("&value=&unicode=1", 0, "&unicode=1"),
    ("&value=a%3D1&value=b%3D2", 0, "&a=1&b=2"), ("&value=a%3D%C3%A4", 0, "&a=%C3%A4"),
    ("&value=TO%3D%2B881", 77, "5.7.1 "),
    ("&value=t%256F%3D%2B881", 77, "5.7.1 "), ("&value=a%20b", 67, "5.1.3 "), ("&value=a%23b", 67, "5.1.3 "),
])
def test_parameters_of_the_address(place, parameters, code, word):
    provider = place.providers["status"]
    provider.answer = Reply()
    provider.clear()
    status, line = place.send("status", None, parameters)
    assert status == code, line
    if code == 0:
        assert provider.requests[0].target.endswith(word)
    else:
        assert line.startswith(word) and not provider.requests


def test_credentials_are_no_parameters_of_an_address(place):
    code, line = place.send("query", None, "&value=key%3D1")
    assert code == 77 and line.startswith("5.7.1 "), line


def test_parameters_where_none_are_taken(place):
    code, line = place.send("novalues", None, "&value=a%3D1")
    assert code == 77 and line.startswith("5.7.1 ") and not place.providers["novalues"].requests


def test_stop_waits_for_what_is_under_way(place):
    """SIGTERM: a request in flight is awaited, its answer is in the ledger."""
    provider = place.providers["faults"]
    provider.clear()
    released = []

    def answer(request):
        wait_until(lambda: released, 20, "the test lets it go")
        return Reply()
    provider.answer = answer
    process = place.pipe("faults")
    provider.wait_for(1)
    place.postsms.send_signal(signal.SIGTERM)
    wait_until(lambda: any(line.endswith("stopping") for line in place.postsms.logs["postsmsd"].lines()), 10,
               "postsmsd stops")
    released.append(True)
    code, line = place.answer(process)
    place.postsms.stop_daemon()
    place.postsms.start_daemon()
    assert place.parts(process)[0]["state"] == "accepted", (code, line)
    assert place.again(process)[0] == 0 and len(provider.requests) == 1


def test_killed_while_the_provider_thinks(place):
    """The window: the request is out, no answer is in. In doubt, and not sent again by itself."""
    provider = place.providers["faults"]
    provider.answer = Reply(fault="hang")
    provider.clear()
    process = place.pipe("faults")
    provider.wait_for(1)
    place.postsms.kill_daemon()
    assert place.answer(process)[0] == 75
    provider.answer = Reply()
    place.postsms.start_daemon()
    code, line = place.again(process)
    assert code == 75 and line.startswith("4.4.2 faults: part 1 of 1 may have been sent, no answer was seen"), line
    assert len(provider.requests) == 1


# TLS

@pytest.fixture(scope="module")
def tls():
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        certs = certificates(base)
        ca = certs["ca"][0]
        providers = {name: Provider(certificate=certs[name]) for name in ("good", "expired", "elsewhere", "self")}
        providers["demanding"] = Provider(certificate=certs["good"], client_ca=ca)
        providers["anonymous"] = Provider(certificate=certs["good"], client_ca=ca)
        providers["old"] = Provider(certificate=certs["good"], versions=(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))
        keys = {name: {"ca_file": ca} for name in providers}
        keys["demanding"].update(cert_file=certs["client"][0], key_file=certs["client"][1])
        made = Place(base, {**keys, "system": {"url": providers["good"].url + "/"}}, providers)
        yield made
        made.close()


@pytest.mark.parametrize("name,word", [("expired", "expired"), ("elsewhere", "127.0.0.1"), ("self", "self-signed"),
                                       ("system", "certificate")])
def test_certificates_refused(tls, name, word):
    """Whoever it is, it is not the provider: nothing is sent, and the mail waits."""
    code, line = tls.send(name)
    assert code == 75 and line.startswith(f"4.4.1 {name}: ") and word in line, line
    assert not tls.providers.get(name, tls.providers["good"]).requests


def test_certificate_accepted(tls):
    assert tls.send("good")[0] == 0 and len(tls.providers["good"].requests) == 1


def test_client_certificate(tls):
    """ICE-CERT-01, ICE-CERT-02: presented where one is demanded; without one it is our setting that is wrong."""
    assert tls.send("demanding")[0] == 0 and len(tls.providers["demanding"].requests) == 1
    code, line = tls.send("anonymous")
    assert code == 75 and not tls.providers["anonymous"].requests
    assert line == "4.3.5 anonymous: the server refuses TLS: certificate required"


def test_old_tls(tls):
    code, line = tls.send("old")
    assert code == 75 and line == "4.3.5 old: the server refuses TLS: protocol version"
    assert not tls.providers["old"].requests


def test_environment_sets_no_proxy():
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        providers = {"direct": Provider(), "proxied": Provider(Reply(200, b'{"status":"ok"}'))}
        os.environ["http_proxy"] = os.environ["ALL_PROXY"] = providers["proxied"].url
        try:
            place = Place(base, {"direct": {}, "proxied": {"proxy": "URL", "url": "http://sms.example.test/x"}}, providers)
        finally:
            del os.environ["http_proxy"], os.environ["ALL_PROXY"]
        try:
            assert place.send("direct")[0] == 0 and len(providers["direct"].requests) == 1
            assert not providers["proxied"].requests
            assert place.send("proxied")[0] == 0
            assert providers["proxied"].requests[0].target == "http://sms.example.test/x"
        finally:
            place.close()


# Pauses and several gateways

@pytest.fixture()
def pair():
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        providers = {"first": Provider(), "second": Provider()}
        made = Place(base, {"first": {"weight": 100}, "second": {}}, providers)
        yield made
        made.close()


def test_short_pause_is_waited_for(place):
    """Retry-After shorter than the deadline: one offer, two requests, the second not before the pause is over."""
    provider = place.providers["kept"]
    provider.clear()
    times = []

    def answer(request):
        times.append(time.monotonic())
        return Reply(429, b"slow down", {"Retry-After": "2"}) if len(times) == 1 else Reply()
    provider.answer = answer
    assert place.send("kept")[0] == 0
    assert len(times) == 2 and times[1] - times[0] >= 1.9
    provider.answer = Reply()


def test_long_pause_goes_back_to_the_queue(pair):
    """And nobody's mail goes to that gateway before its end."""
    pair.providers["first"].answer = Reply(429, b"slow down", {"Retry-After": "600"})
    code, line = pair.send("first")
    assert code == 75 and line.startswith("4.3.2 first: asks to wait ") and line.endswith(": HTTP 429: slow down"), line
    code, line = pair.send("first")
    assert code == 75 and line.startswith("4.3.2 first: asks to wait ")
    assert len(pair.providers["first"].requests) == 1
    listed = {gateway["id"]: gateway for gateway in pair.postsms.json("gateway")}
    assert listed["first"]["state"] == "paused" and 500 < listed["first"]["pause_seconds"] <= 600


@pytest.mark.parametrize("reply", [Reply(503, b"busy"), Reply(401, b"key?"), Reply(429, b"slow", {"Retry-After": "600"})])
def test_another_gateway_helps_out(pair, reply):
    """Nothing was sent, by the first one's own word: the second one takes it, in the same offer (A-28, ICE-GEN-06)."""
    pair.providers["first"].answer = reply
    process = pair.pipe(None)
    code, line = pair.answer(process)
    assert code == 0, line
    assert len(pair.providers["first"].requests) == 1 and len(pair.providers["second"].requests) == 1
    delivery, = pair.postsms.json("trace", process.again[0])
    assert delivery["gateway"] == "second" and any(event["what"] == "moved" for event in delivery["events"])


@pytest.mark.parametrize("reply", [Reply(500, b"?"), Reply(fault="close"), Reply(400, b"no")])
def test_no_other_gateway_without_proof(pair, reply):
    pair.providers["first"].answer = reply
    code, _ = pair.send(None)
    assert code in (75, 77) and not pair.providers["second"].requests


def test_pinned_stays(pair):
    pair.providers["first"].answer = Reply(503, b"busy")
    assert pair.send("first") == (75, "4.3.0 first: HTTP 503: busy")
    assert not pair.providers["second"].requests
