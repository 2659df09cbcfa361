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
import warnings
from collections import namedtuple

from .wait import PATIENCE

Request = namedtuple("Request", "method target headers body connection number")
ENDLESS = 64 * 1024 * 1024


class Reply:
    """status, body (bytes), headers ({name: value}). fault: "close" (nothing is answered), "reset" (the same, by RST),
    "unread" (RST before the request is read), "truncate" (the body ends too early), "endless", "slow" (an octet at a
    time), "hang" (until close()), "garbage" (no HTTP), "raw" (body is the whole answer), "second" (the first request
    of a connection is answered, the second one read and the connection closed). last: close behind the answer."""

    def __init__(self, status=200, body=b'{"status":"ok"}', headers=(), fault=None, last=False):
        self.status, self.body, self.headers = status, body, dict(headers)
        self.fault, self.last = fault, last

    def octets(self):
        head = [f"HTTP/1.1 {self.status} X"] + [f"{name}: {value}" for name, value in self.headers.items()]
        length = len(self.body) + (100 if self.fault == "truncate" else 0)
        return ("\r\n".join([*head, f"Content-Length: {length}"]) + "\r\n\r\n").encode() + self.body


class Provider:
    """answer: a Reply, or a function of a Request. certificate: (cert, key) files; client_ca: who signs the clients'
    certificates, which are demanded then."""

    def __init__(self, answer=None, certificate=None, client_ca=None, versions=None):
        self.answer = answer or Reply()
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
        self._threads = []
        self._start(self._accept)

    def _start(self, function, *args):
        thread = threading.Thread(target=function, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection):
        connection.settimeout(60 * PATIENCE)
        try:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._talk(connection)
        except (OSError, ValueError):
            pass  # the other side went: that is what many tests are about
        finally:
            connection.close()

    def _talk(self, connection):
        data, number, index = b"", 0, None
        while True:
            fault = None if callable(self.answer) else self.answer.fault
            if fault == "unread":
                self._reset(connection)
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
            if not self._give(connection, request, reply):
                return

    @staticmethod
    def _reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _give(self, connection, request, reply):
        """True if the connection goes on."""
        fault = reply.fault
        if fault == "second":
            fault = "close" if request.number == 2 else None
        if fault == "hang":
            self._closing.wait(60 * PATIENCE)
        elif fault in ("reset", "unread"):
            self._reset(connection)
        elif fault == "garbage":
            connection.sendall(b"\0\1 this is no HTTP\r\n\r\n")
        elif fault == "raw":
            connection.sendall(reply.body)
        elif fault == "endless":
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(ENDLESS // 65536):
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
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

    def clear(self):
        with self._changed:
            self.requests, self.confirmed = [], []

    def close(self):
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


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
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test ca", "-keyout", key,
            "-out", cert)
    cert, key = names("self")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert)
    for name, host, days in (("good", "IP:127.0.0.1", "2"), ("expired", "IP:127.0.0.1", "-1"),
                             ("elsewhere", "DNS:sms.example.test", "2"), ("client", "DNS:client", "2")):
        cert, key = names(name)
        with open(os.path.join(folder, name + ".ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={host}\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", made["ca"][0], "-CAkey", made["ca"][1],
                "-CAcreateserial", "-days", days, "-extfile", name + ".ext", "-out", cert)
    for pair in made.values():
        for path in pair:
            os.chmod(path, 0o644)
    return made
