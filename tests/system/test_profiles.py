# SPDX-License-Identifier: ISC
"""Profiles of providers: each sends what the provider's documents ask for, to the octet, and takes each documented
answer for what it is (ICE-HTTP-01, ICE-HTTP-03, ICE-HTTP-28, ICE-HTTP-29, ICE-GEN-09, ICE-GEN-12, A-29).

tests/data/profiles/NAME.txt has requests and answers, written from the documents, and codes.tsv what codes mean; README
there explains them. One postsmsd has every profile as a gateway; a local server stands for all providers.
"""
import base64
import glob
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness import build
from harness.postsms import Postsms
from harness.site import ROOT

BUILD = os.environ.get("POSTSMS_BUILD") or os.path.join(ROOT, "build", "plain")
PROFILES = os.path.join(ROOT, "transport", "gateway", "profiles")
DATA = os.path.join(ROOT, "tests", "data", "profiles")
NAMES = sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(PROFILES, "*.conf")))
SECRETS = "account = AC1\ntoken = T1\nkey = K1\nsecret = S1\nuser = U1\npassword = P1\nid = I1\napi_id = A1\n"
LONG = "a" * 170
TEXTS = {"gsm7": 'Zür & "1+1" 50%', "unicode": "Жук 😀", "long": LONG}
UDH, OCTETS = bytes.fromhex("06050415811581"), bytes.fromhex("00ff1b2526")
# Characters that mean something in URLs, forms, JSON, XML or templates.
AWKWARD = {"gsm7": 'a\\b "c" <d> &amp; 50%25 %data% + €\n{2} ~[x]^|', "unicode": 'Ж “q” \\ & 100% + 😀\n\'<>'}
EXITS = {"accepted": (0, ""), "temporary": (75, "4.3."), "wait": (75, "4.3.2 "), "config": (75, "4.3.5 "),
         "permanent": (77, "5.7.1 "), "unknown": (75, "4.4.2 ")}
WAIT_S = 3600  # longer than any postsms-pipe here stays
UNTESTED = {"ecall", "icewarp", "routo"}  # of which only fragments of documents were found
PASSED_OVER = {"host", "user-agent", "content-length", "x-amz-date"}


def head_and_rest(name):
    """The comment at the beginning of a profile, and its keys."""
    with open(os.path.join(PROFILES, name + ".conf"), encoding="utf-8") as file:
        text = file.read()
    head = re.match(r"(#.*\n)+", text).group()
    return head, text[len(head):]


def sections(name):
    """{section: text} of tests/data/profiles/NAME.txt"""
    with open(os.path.join(DATA, name + ".txt"), encoding="utf-8") as file:
        parts = re.split(r"^%%% (\w+)\n", file.read(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def rows(name):
    """Documented answers: (status, headers, body, class, name of the message, word of the reason)"""
    return [tuple((line.split("\t") + [""] * 6)[:6]) for line in sections(name)["replies"].splitlines()]


def replies():
    return [(name, index, *row) for name in NAMES for index, row in enumerate(rows(name)) if row[3] != "wait"]


def waits():
    """Answers that ask for a pause; each is for a gateway of its own, NAME-wait-INDEX."""
    return [(name, index, *row) for name in NAMES for index, row in enumerate(rows(name)) if row[3] == "wait"]


def codes():
    with open(os.path.join(DATA, "codes.tsv"), encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [(name, kind, code) for name, kind, several in lines for code in several.split("|")]


class Provider(ThreadingHTTPServer):
    """Keeps the last request; answers with what it is told."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []
        self.answer = (200, "", "")
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, list(self.headers.items()), body))
        status, headers, text = self.server.answer
        octets = text.encode()
        self.send_response(int(status))
        for header in filter(None, headers.split("\n")):
            self.send_header(*header.split(": ", 1))
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    do_GET = do_POST = do_PUT = handle_any

    def log_message(self, *args):
        pass


class Place:
    def __init__(self, base):
        self.provider = Provider()
        secret = os.path.join(base, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(SECRETS)
        shutil.chown(secret, "nobody", "nogroup")
        os.chmod(secret, 0o640)
        text = ""
        places = {}
        for name, index, *_ in waits():
            places.setdefault(name, []).append(f"{name}-wait-{index}")
        for name in NAMES:
            path = os.path.join(base, name + ".conf")
            with open(os.path.join(PROFILES, name + ".conf"), encoding="utf-8") as file:
                profile = re.sub(r"^(url\S* = ')(https?://[^/']+|%var\.base;raw%)", rf"\g<1>{self.provider.url}",
                                 file.read(), flags=re.M)
            with open(path, "w", encoding="utf-8") as file:
                file.write(profile)
            settings = sections(name).get("settings", "")
            if "originator" not in settings:
                settings += 'originator = "ACME"\n'
            for gateway in (name, *places.get(name, ())):
                text += (f'gateway "{gateway}" {{\ntype = "http"\nprofile = "{path}"\nsecret_file = "{secret}"\n'
                         f'out_after = 1000\n{settings}}}\n')
        os.mkdir(os.path.join(base, "postsms"))
        os.chmod(os.path.join(base, "postsms"), 0o755)
        self.postsms = Postsms(os.path.join(base, "postsms"), BUILD, os.path.join(base, "milter.sock"), gateway=None,
                               settings={"transport": {"message": "%%Body%%", "maxmsgs": 5}})
        with open(self.postsms.conf, "a", encoding="utf-8") as file:
            file.write(text)
        self.postsms.admin("init")
        self.postsms.start_daemon()
        self.count = 0

    def answer(self, row):
        """Has the provider answer so."""
        status, headers, body = (field.replace("\\n", "\n") for field in row[:3])
        self.provider.answer = (status, headers, body.replace("<later>", str(int(time.time()) + WAIT_S)))

    def accept(self, name):
        """Has the provider say yes, as documented first."""
        self.answer(next(row for row in rows(name) if row[3] == "accepted"))

    def send(self, name, mail, parameters=""):
        """Exit status and line of postsms-pipe, and our reference."""
        self.count += 1
        queue_id = f"4Q{self.count:08d}zABCD"
        recipient = f"sms:+41791234567?id={name}{parameters}@sms.example.test"
        done = subprocess.run([os.path.join(self.postsms.libdir, "postsms-pipe"), "-s",
                               os.path.join(self.postsms.run_dir, "deliver.sock"), "--deadline=60",
                               f"--queue-id={queue_id}", "--sender=anna@allowed.example",
                               f"--recipient={recipient}", f"--original={recipient}", "--login=",
                               "--client=127.0.0.1"], input=mail, stdout=subprocess.PIPE, check=False, timeout=60)
        return done.returncode, done.stdout.decode().strip(), queue_id

    def part(self, queue_id):
        """The ledger's first part of that mail, None if there is none."""
        deliveries = self.postsms.json("trace", queue_id, check=False)
        return deliveries[0]["parts"][0] if deliveries and deliveries[0]["parts"] else None

    def close(self):
        self.provider.shutdown()
        self.provider.server_close()
        self.postsms.stop()


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as base:
        os.chmod(base, 0o755)
        made = Place(base)
        yield made
        made.close()


def signature(request, region, service):
    """What an Authorization header of AWS Signature version 4 has to say about this request."""
    method, path, headers, body = request
    given = {name.lower(): value for name, value in headers}
    signed = re.search(r"SignedHeaders=([^,]+)", given["authorization"]).group(1)
    date = given["x-amz-date"]
    canonical = "\n".join([method, path, "", *(f"{name}:{given[name].strip()}" for name in signed.split(";")), "",
                           signed, hashlib.sha256(body).hexdigest()])
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4S1"
    for step in (*scope.split("/"), text):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return f"AWS4-HMAC-SHA256 Credential=U1/{scope}, SignedHeaders={signed}, Signature={key.hex()}"


def as_recorded(request, wanted):
    """The request in the form of the files."""
    method, path, headers, body = request
    lines = []
    for name, value in headers:
        if name.lower() in PASSED_OVER or (name.lower() == "accept" and value == "*/*"):
            continue
        signed = re.search(r"<sigv4 (\S+) (\S+)>", wanted)
        if name.lower() == "authorization" and signed:
            assert value == signature(request, *signed.groups())
            value = signed.group()
        lines.append(f"{name}: {value}")
    text = "\n".join([f"{method} {path}", *sorted(lines)])
    return text + ("\n\n" + body.decode() if body else "") + "\n"


def number_of(ref):
    return str(max(1, int(ref[:8], 16) & 0x7FFFFFFF))


def concatenation(request):
    """The octet of a part's header that says what it is a part of, as it stands in a URL."""
    fields = urllib.parse.urlsplit(request[1]).query.split("&")
    header = next((field[4:] for field in fields if field.startswith("udh=")), "")
    return urllib.parse.quote(urllib.parse.unquote_to_bytes(header)[3:4], safe="")


def values(request):
    """All that somebody finds who takes the request apart: octets."""
    _, path, headers, body = request
    content_type = dict(headers).get("Content-Type", "")
    fields = urllib.parse.urlsplit(path).query.split("&")
    if "json" in content_type:
        def leaves(value):
            if isinstance(value, (dict, list)):
                for inner in value.values() if isinstance(value, dict) else value:
                    yield from leaves(inner)
            else:
                yield str(value).encode()
        yield from leaves(json.loads(body))
    elif body:
        assert content_type == "application/x-www-form-urlencoded"
        fields += body.decode("ascii").split("&")
    for field in fields:
        yield urllib.parse.unquote_to_bytes(field.partition("=")[2].replace("+", " "))


@pytest.mark.parametrize("kind", ["gsm7", "unicode", "long", "binary"])
@pytest.mark.parametrize("name", NAMES)
def test_request(place, name, kind):
    """To the octet what the documents ask for; binary data are refused before anything is sent if nobody says how."""
    wanted = [sections(name)[section] for section in (kind, kind + "2") if section in sections(name)]
    place.provider.requests.clear()
    place.accept(name)
    if kind == "binary":
        mail = build(base64.b64encode(OCTETS).decode())
        status, line, queue_id = place.send(name, mail, "&binary=1&udh=" + base64.b64encode(UDH).decode())
    else:
        status, line, queue_id = place.send(name, build(TEXTS[kind]))
    if not wanted:
        assert kind == "binary" and not place.provider.requests
        assert status == 65 and line == f"5.6.0 {name}: cannot send binary messages"
        return
    assert status == 0, line
    requests = sorted(place.provider.requests, key=lambda request: request[1])
    assert len(requests) == len(wanted)
    ref = place.part(queue_id)["ref"]
    for request, text in zip(requests, wanted):
        for placeholder, value in (("<ref20>", ref[:20]), ("<ref>", ref), ("<int31>", number_of(ref)),
                                   ("<concat>", concatenation(requests[0])), ("<long>", LONG)):
            text = text.replace(placeholder, value)
        text = re.sub(r"<long (\d+)>", lambda match: "a" * int(match.group(1)), text)
        assert as_recorded(request, text) == text


@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.parametrize("name", NAMES)
def test_text_arrives(place, name, kind):
    """Whoever takes the request apart, by the standards and not by our templates, finds the text unharmed."""
    place.provider.requests.clear()
    place.accept(name)
    assert place.send(name, build(AWKWARD[kind]))[0] == 0
    request, = place.provider.requests
    wide = AWKWARD[kind].encode("utf-16-be")
    forms = {AWKWARD[kind].encode(), wide, wide.hex().encode(), wide.hex().upper().encode()}
    assert sum(value in forms for value in values(request)) == 1, request


@pytest.mark.parametrize("name,index,status,headers,body,kind,ref,word", replies())
def test_reply(place, name, index, status, headers, body, kind, ref, word):
    """Each documented answer, and garbage, is judged as documented, in the provider's own words."""
    place.answer((status, headers, body))
    code, line, queue_id = place.send(name, build(f"number {place.count}"))
    wanted_code, beginning = EXITS[kind]
    assert (code, line.startswith(beginning)) == (wanted_code, True), line
    assert kind == "config" or not line.startswith("4.3.5"), line
    if kind == "accepted":
        part = place.part(queue_id)
        assert part["state"] == "accepted"
        assert part["gateway_ref"] == (part["ref"] if ref == "<ref>" else ref)
    else:
        assert f"{name}: " in line and word in line, line
    for secret in re.findall(r"= (\w{4,})", SECRETS):
        assert secret not in line


@pytest.mark.parametrize("name,index,status,headers,body,kind,ref,word", waits())
def test_wait(place, name, index, status, headers, body, kind, ref, word):
    """A provider that names a time gets nothing before its end."""
    gateway = f"{name}-wait-{index}"
    place.answer((status, headers, body))
    place.provider.requests.clear()
    code, line, _ = place.send(gateway, build("first"))
    assert code == EXITS[kind][0] and line.startswith(EXITS[kind][1]) and word in line, line
    code, line, _ = place.send(gateway, build("second"))
    assert code == 75 and line.startswith(f"4.3.2 {gateway}: "), line
    assert len(place.provider.requests) == 1


@pytest.mark.parametrize("name,kind,code", codes())
def test_code_has_a_rule(place, name, kind, code):
    """Each documented code has a documented answer, which a rule decides and not the status alone."""
    found = [row for row in rows(name) if row[3] == kind and
             re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", f"HTTP {row[0]} {row[2]}")]
    assert found
    for row in found:
        place.answer(row)
        seen = place.postsms.json("gateway", "test", name, "--send", "+41791234567", check=False)["answer"]
        decided = seen.strip().splitlines()[-1]
        wanted = "temporary" if kind == "wait" else kind
        assert re.match(rf"{wanted}, by \S*{name}\.conf:\d+: ", decided), decided


@pytest.mark.parametrize("name", NAMES)
def test_classes(name):
    """No rule without an answer of its class; what comes with success and is not known is never a success."""
    told = {row[3].replace("wait", "temporary") for row in rows(name)}
    rules = re.findall(r"^    '(.*?)\s*-> (\w+)',?$", head_and_rest(name)[1], re.M)
    assert {kind for _, kind in rules} <= told, "a class that no answer of the list has"
    assert rules[-1] == ("http:2xx", "unknown")


@pytest.mark.parametrize("name", NAMES)
def test_head(name):
    """Its head names every secret and variable that it takes."""
    head, rest = head_and_rest(name)
    secrets = set(re.findall(r"%secret\.(\w+)", rest))
    if re.search(r'^auth = "(basic|bearer)"', rest, re.M) and "auth.secret" not in rest:
        secrets.add("secret")
    assert not secrets or "secret_file:" in head
    for wanted in secrets | set(re.findall(r"%var\.(\w+)", rest)):
        assert re.search(rf"\b{wanted}\b", head), wanted


def test_all_parse_as_they_came(place):
    """Not as this test changes them: by name, with no fault and no warning but that nobody has tried it."""
    with open(place.postsms.conf, encoding="utf-8") as file:
        text = re.sub(r'profile = "\S*/([\w-]+)\.conf"', r'profile = "\1"', file.read())
    path = os.path.join(place.postsms.base, "as-they-came.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([os.path.join(place.postsms.sbin, "postsmsd"), "-n", "-c", path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert set(re.findall(r'gateway "([\w-]+)"', done.stdout)) == UNTESTED, done.stdout


def test_every_profile_is_described():
    """postsms gateway profiles lists them all, with a description each."""
    done = subprocess.run([os.path.join(BUILD, "sbin", "postsms"), "gateway", "profiles"], stdout=subprocess.PIPE,
                          text=True, check=True)
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert sorted(lines) == NAMES and all(len(line.split()) > 1 for line in lines.values())
