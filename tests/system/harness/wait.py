# SPDX-License-Identifier: ISC
"""Waiting for events with a bound. Nothing else in the system tests sleeps."""
import os
import select
import time

# Sanitizer builds are several times slower; the bounds are there to end a hopeless wait, not to measure.
PATIENCE = 1 if os.path.basename(os.environ.get("POSTSMS_BUILD", "plain").rstrip("/")) in ("plain", "kill") else 4


def wait_until(predicate, timeout=30, what="", step=0.02):
    """The first true value of predicate(); AssertionError after timeout seconds. what (text or callable) explains."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout * PATIENCE} s: {what() if callable(what) else what}")
        time.sleep(step)


def wait_exit(pid, timeout):
    """True once the process is gone, whoever its parent is."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], timeout)[0])
    finally:
        os.close(fd)


class Growing:
    """A text file that others append to; read only where it is new. Missing is empty."""

    def __init__(self, path):
        self.path = path
        self._offset = 0
        self._rest = b""
        self._lines = []

    def lines(self):
        """Every complete line so far."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return self._lines
        self._offset += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        self._lines += [line.decode("utf-8", "replace") for line in whole]
        return self._lines

    def text(self):
        return "\n".join(self.lines())
