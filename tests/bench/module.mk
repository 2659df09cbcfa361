# make bench: figures beside their baselines (design: numbers to hold). Not part of "make check": nothing here passes
# or fails by a time. BENCH_ARGS="--mails 300 --repetitions 5" (make bench BENCH_ARGS=--help)
TEST_PROGRAMS += bench_sink bench_load bench_spawn
$(foreach p,sink load spawn,$(eval bench_$(p)_MAIN := tests/bench/$(p).c) $(eval bench_$(p)_PLACE := tests))

BENCH_PROGRAMS := $(foreach p,sink load spawn,$(B)/tests/bench_$(p))

.PHONY: bench
bench: all $(BENCH_PROGRAMS)
	POSTSMS_BUILD=$(CURDIR)/$(B) $(PYTHON) tests/bench/bench.py $(BENCH_ARGS)
