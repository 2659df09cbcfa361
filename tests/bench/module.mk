# make bench: figures beside their baselines (design: numbers to hold). Not part of "make check": nothing here passes
# or fails by a time. BENCH_ARGS="--mails 300 --repetitions 5" (make bench BENCH_ARGS=--help)
TEST_PROGRAMS += bench_sink bench_load bench_spawn
$(foreach p,sink load spawn,$(eval bench_$(p)_MAIN := tests/bench/$(p).c) $(eval bench_$(p)_PLACE := tests))

BENCH_PROGRAMS := $(foreach p,sink load spawn,$(B)/tests/bench_$(p))

.PHONY: bench
bench: all $(BENCH_PROGRAMS)
	POSTSMS_BUILD=$(CURDIR)/$(B) $(PYTHON) tests/bench/bench.py $(BENCH_ARGS)

# What SMTP rules cost: no Postfix, one process. BENCH_RULES_ARGS=50: compare fewer mails with the plain search, which
# takes minutes for all of them.
TEST_PROGRAMS += bench_rules
bench_rules_MAIN := tests/bench/rules.c
bench_rules_MODULES := rules lib
bench_rules_PLACE := tests
.PHONY: bench-rules
bench-rules: $(B)/tests/bench_rules
	$(B)/tests/bench_rules $(BENCH_RULES_ARGS)

# SMTP with 1,000 rules beside a milter that does nothing. BENCH_MILTER_ARGS=--help
TEST_PROGRAMS += bench_noop
bench_noop_MAIN := tests/bench/noop.c
bench_noop_PKGS := milter
bench_noop_PLACE := tests
.PHONY: bench-milter
bench-milter: all $(B)/tests/bench_noop $(B)/tests/bench_load
	POSTSMS_BUILD=$(CURDIR)/$(B) $(PYTHON) tests/bench/milter.py $(BENCH_MILTER_ARGS)

# From a mail's octets to parts, no processes; min, median and max of five repetitions.
TEST_PROGRAMS += bench_text
bench_text_MAIN := tests/bench/text.c
bench_text_MODULES := decide sms reader trim rules lib
bench_text_PLACE := tests
.PHONY: bench-text
bench-text: $(B)/tests/bench_text
	$(B)/tests/bench_text

# Memory of postsmsd while 10,000 requests wait. BENCH_WAITING_ARGS=--help
.PHONY: bench-waiting
bench-waiting: all
	POSTSMS_BUILD=$(CURDIR)/$(B) $(PYTHON) tests/bench/waiting.py $(BENCH_WAITING_ARGS)

# An HTTP gateway beside Kannel (apt-get install kannel), then through Postfix. BENCH_HTTP_ARGS=--help
HTTP_BENCH := http_load http_sink
TEST_PROGRAMS += $(HTTP_BENCH:%=bench_%)
$(foreach p,$(HTTP_BENCH),$(eval bench_$(p)_MAIN := tests/bench/$(p).c) $(eval bench_$(p)_PLACE := tests))
.PHONY: bench-http
bench-http: all $(HTTP_BENCH:%=$(B)/tests/bench_%) $(B)/tests/bench_load
	POSTSMS_BUILD=$(CURDIR)/$(B) $(PYTHON) tests/bench/http_gateway.py $(BENCH_HTTP_ARGS)
