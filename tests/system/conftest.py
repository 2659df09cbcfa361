# SPDX-License-Identifier: ISC
"""Fixtures of the system tests. POSTSMS_BUILD names the build (default build/plain); tests need root and Postfix."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import Site, why_not  # noqa: E402

_sites = []


def pytest_collection_modifyitems(items):
    reason = why_not()
    if reason:
        for item in items:
            if {"site", "new_site"} & set(item.fixturenames):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def new_site():
    """Makes and starts a Site(**options) that ends with the module."""
    made = []

    def make(start=True, **options):
        place = Site(**options)
        made.append(place)
        _sites.append(place)
        return place.start() if start else place
    yield make
    problems = []
    for place in made:
        try:
            place.close()
        except Exception as problem:  # the others must end as well
            problems.append(problem)
        finally:
            _sites.remove(place)
    if problems:
        raise problems[0]


@pytest.fixture(scope="module")
def site(new_site, request):
    """The module's own Site; its module may set SITE = {options}."""
    return new_site(**getattr(request.module, "SITE", {}))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the programs logged."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for place in _sites:
            logs = {"postfix": place.postfix.maillog}
            if place.postsms:
                logs.update(place.postsms.logs)
            for name, log in logs.items():
                report.sections.append((f"log of {name} ({place.base})", "\n".join(log.lines()[-60:])))
