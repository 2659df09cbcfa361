# SPDX-License-Identifier: ISC
"""An HTTP provider on loopback that keeps what it gets, octet by octet, and misbehaves as it is told.

It has a socket loop of its own: what a library would not let it do (half an answer, a reset, nothing at all) is what
it is for. certificates() makes what TLS needs with the openssl command.
"""
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
import warnings
from collections import namedtuple

from .wait import PATIENCE

Request = namedtuple("Request", "method target headers body connection number")
ENDLESS = 64 * 1024 * 1024
KEY = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


class Reply:
    """status, body (bytes), headers ({name: value}). fault: "close" (nothing is answered), "reset" (the same, by RST),
    "unread" (RST when its first octets are there, before they are read), "truncate" (the body ends too early),
    "endless", "trailers" (without an end, behind a body), "slow" (an octet at a time), "hang" (until close()), "garbage" (no HTTP), "raw" (body is the whole
    answer), "second" (the first request of a connection is answered, the second one read and the connection closed),
    "alert" (TLS: the second request is read and a fatal alert is the answer). last: close behind the answer."""

    def __init__(self, status=200, body=b'{"status":"ok"}', headers=(), fault=None, last=False):
        self.status, self.body, self.headers = status, body, dict(headers)
        self.fault, self.last = fault, last

    def octets(self):
        head = [f"HTTP/1.1 {self.status} X"] + [f"{name}: {value}" for name, value in self.headers.items()]
        length = len(self.body) + (100 if self.fault == "truncate" else 0)
        return ("\r\n".join([*head, f"Content-Length: {length}"]) + "\r\n\r\n").encode() + self.body


class Tls:
    """A server's side of TLS over a connection that stays ours, so that an alert can be sent when we want it, and what
    was sent last is not lost by how we close."""

    def __init__(self, connection, context):
        self._connection = connection
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        try:
            self._step(self._tls.do_handshake)
        except ssl.SSLError:
            self._linger()
            raise

    def _flush(self):
        octets = self._out.read()
        if octets:
            self._connection.sendall(octets)

    def _step(self, function, *args):
        while True:
            try:
                return function(*args)
            except ssl.SSLWantReadError:
                self._flush()
                more = self._connection.recv(65536)
                if more:
                    self._in.write(more)
                else:
                    self._in.write_eof()
            finally:
                self._flush()

    def _linger(self):
        """To close with octets unread would be an RST, and take the alert away from the client."""
        end = time.monotonic() + 10
        self._connection.shutdown(socket.SHUT_WR)
        while time.monotonic() < end and self._connection.recv(65536):
            pass

    def recv(self, size):
        try:
            return self._step(self._tls.read, size)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def sendall(self, octets):
        self._tls.write(octets)
        self._flush()

    def alert(self):
        """What OpenSSL says to a record that nobody can have written."""
        self._in.write(b"\x17\x03\x03\x00\x20" + b"\0" * 32)
        try:
            self._tls.read(1)
        except ssl.SSLError:
            pass
        self._flush()
        self._linger()


class Provider:
    """answer: a Reply, or a function of a Request. before: a function of the number that the next request of a
    connection has; if it gives true, what comes there is "unread". certificate: (cert, key) files; client_ca: who signs
    the clients' certificates, which are demanded then."""

    def __init__(self, answer=None, certificate=None, client_ca=None, versions=None, before=None):
        self.answer = answer or Reply()
        self.before = before or (lambda number: not callable(self.answer) and self.answer.fault == "unread")
        self.requests = []  # complete ones, in order
        self.connections = 0  # that brought at least an octet
        self.confirmed = []  # requests whose 2xx was handed to the kernel as a whole
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
            if versions:
                with warnings.catch_warnings():  # old versions are what some tests are about
                    warnings.simplefilter("ignore", DeprecationWarning)
                    self._context.minimum_version, self._context.maximum_version = versions
                self._context.set_ciphers("DEFAULT@SECLEVEL=0")
            if client_ca:
                self._context.verify_mode = ssl.CERT_REQUIRED
                self._context.load_verify_locations(client_ca)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._open = set()  # connections
        self._start(self._accept)

    @staticmethod
    def _start(function, *args):
        threading.Thread(target=function, args=args, daemon=True).start()

    def _accept(self):
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, raw):
        raw.settimeout(60 * PATIENCE)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # say() is heard at once
        with self._changed:
            self._open.add(raw)
        try:
            self._talk(Tls(raw, self._context) if self._context else raw, raw)
        except (OSError, ValueError):
            pass  # the other side went: that is what many tests are about
        finally:
            with self._changed:
                self._open.discard(raw)
                raw.close()
                self._changed.notify_all()

    def _talk(self, connection, raw):
        data, number, index = b"", 0, None
        while True:
            if self.before(number + 1):
                if not data:
                    raw.recv(1, socket.MSG_PEEK)
                self._reset(raw)
                return
            while b"\r\n\r\n" not in data:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            if index is None:
                with self._changed:
                    self.connections += 1
                    index = self.connections
            head, _, data = data.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = [tuple(line.split(": ", 1)) if ": " in line else (line.rstrip(":"), "") for line in lines]
            length = int(dict((name.lower(), value) for name, value in headers).get("content-length", 0))
            while len(data) < length:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            number += 1
            method, target, _ = first.split(" ")
            request = Request(method, target, headers, data[:length], index, number)
            data = data[length:]
            with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            reply = self.answer(request) if callable(self.answer) else self.answer
            if not self._give(connection, raw, request, reply):
                return

    @staticmethod
    def _reset(raw):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _give(self, connection, raw, request, reply):
        """True if the connection goes on."""
        fault = reply.fault
        if fault in ("second", "alert"):
            fault = None if request.number < 2 else "close" if fault == "second" else fault
        if fault == "hang":
            self._closing.wait(60 * PATIENCE)
        elif fault in ("reset", "unread"):
            self._reset(raw)
        elif fault == "alert":
            connection.alert()
        elif fault == "garbage":
            connection.sendall(b"\0\1 this is no HTTP\r\n\r\n")
        elif fault == "raw":
            connection.sendall(reply.body)
        elif fault == "endless":
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(ENDLESS // 65536):
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        elif fault == "trailers":
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n")
            for _ in range(ENDLESS // 65000):
                connection.sendall((b"X-More: " + b"x" * 990 + b"\r\n") * 65)
        elif fault == "slow":
            for octet in reply.octets():
                connection.sendall(bytes([octet]))
                if self._closing.wait(0.2):
                    break
        elif fault != "close":
            connection.sendall(reply.octets())
            if fault is None and 200 <= reply.status < 300:
                with self._changed:
                    self.confirmed.append(request)
                    self._changed.notify_all()
            return fault is None and not reply.last
        return False

    def wait_for(self, count, timeout=20):
        """The first count requests."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, timeout * PATIENCE), \
                f"{count} requests; there are {len(self.requests)}"
            return self.requests[:count]

    def say(self, octets):
        """On every open connection, unasked; b"" is the end of them. What is said has arrived."""
        with self._changed:
            for raw in self._open:
                if octets:
                    raw.sendall(octets)
                else:
                    raw.shutdown(socket.SHUT_WR)

    def clear(self):
        with self._changed:
            self.requests, self.confirmed = [], []

    def close(self):
        """Nobody is answered any more; returns when every connection is closed."""
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

        def gone():
            for raw in self._open:
                try:
                    raw.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the other side was faster
            return not self._open
        with self._changed:
            assert self._changed.wait_for(gone, 10 * PATIENCE), "connections left open"


def certificates(folder):
    """{name: (cert, key)} below folder: good (for 127.0.0.1), expired, elsewhere (another host), self (signed by
    itself), client; and "ca": (cert, key)."""
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    made = {}

    def names(name):
        made[name] = (os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key"))
        return made[name]
    cert, key = names("ca")
    openssl("req", "-x509", "-newkey", *KEY, "-nodes", "-days", "2", "-subj", "/CN=test ca", "-keyout", key,
            "-out", cert)
    cert, key = names("self")
    openssl("req", "-x509", "-newkey", *KEY, "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert)
    for name, host, days in (("good", "IP:127.0.0.1", "2"), ("expired", "IP:127.0.0.1", "-1"),
                             ("elsewhere", "DNS:sms.example.test", "2"), ("client", "DNS:client", "2")):
        cert, key = names(name)
        with open(os.path.join(folder, name + ".ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={host}\n")
        openssl("req", "-newkey", *KEY, "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", made["ca"][0], "-CAkey", made["ca"][1],
                "-CAcreateserial", "-days", days, "-extfile", name + ".ext", "-out", cert)
    for pair in made.values():
        for path in pair:
            os.chmod(path, 0o644)
    return made
