# SPDX-License-Identifier: ISC
"""What the system tests and contrib/demo share: a private Postfix, the postsms programs, an SMTP client.

Only the standard library. Everything lives in one folder of its own per Site; processes are ended by pid.
"""
from .mail import Caught, build, strip_headers
from .postfix import Postfix
from .postsms import Postsms
from .site import Site, why_not
from .smtp import Reply, Sent, Smtp
from .wait import wait_until

__all__ = ["Caught", "Postfix", "Postsms", "Reply", "Sent", "Site", "Smtp", "build", "strip_headers", "wait_until",
           "why_not"]
