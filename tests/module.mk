# Unit tests: one runner, each tests/unit/test_*.c registers its suite by itself.
TEST_PROGRAMS += check_all
check_all_MAIN := $(wildcard tests/unit/*.c)
check_all_MODULES := postconf dispatch decide gateway sms reader readers trim plain rules spool lib
check_all_PKGS := check
check_all_PLACE := tests

MODULES += replay
replay_SRC := tests/fuzz/replay.c
replay_PKGS := glib-2.0

# Fuzz targets: each tests/fuzz/fuzz_NAME.c has a corpus tests/fuzz/corpus/NAME/, replayed by a plain main.
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
TEST_PROGRAMS += $(FUZZERS:%=fuzz_%)
define fuzz_program
fuzz_$(1)_MAIN := tests/fuzz/fuzz_$(1).c
fuzz_$(1)_MODULES := replay decide gateway sms reader readers trim plain rules spool lib
fuzz_$(1)_PLACE := tests
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_program,$(f))))

# A sanitizer's complaint must not look like one of the exit codes that bounce mail.
export ASAN_OPTIONS ?= exitcode=75:detect_leaks=1
export UBSAN_OPTIONS ?= exitcode=75:halt_on_error=1:print_stacktrace=1
export G_SLICE ?= always-malloc
export LSAN_OPTIONS ?= suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0

check: check-unit check-fuzz check-system

check-unit: $(B)/tests/check_all all
	$(B)/tests/check_all

# Writes what the cases in tests/data are told to expect; git shows what changed.
accept: $(B)/tests/check_all all
	ACCEPT=1 $(B)/tests/check_all

check-fuzz: $(FUZZERS:%=$(B)/tests/fuzz_%)
	@failed=0; passed=0; for f in $(FUZZERS); do \
	if $(B)/tests/fuzz_$$f tests/fuzz/corpus/$$f; then passed=$$((passed+1)); else failed=$$((failed+1)); fi; done; \
	echo "fuzz: $$passed passed, $$failed failed"; test $$failed = 0

# PYTEST_ARGS narrows it down: make check-system PYTEST_ARGS='-k alias -x'
check-system: all
	POSTSMS_BUILD=$(CURDIR)/$(B) $(PYTHON) -m pytest -q -p no:cacheprovider tests/system $(PYTEST_ARGS)

# Kills every program at every point there is and judges what comes of it (tests/killpoints.tsv).
.PHONY: killpoints chaos
killpoints:
	$(MAKE) KILL=1 all build/kill/tests/check_all
	$(PYTHON) tests/killpoints.py build/kill

# POSTSMS_CHAOS mails while everything is killed at random; "make check" has a short form of it.
POSTSMS_CHAOS ?= 10000
chaos: all
	POSTSMS_CHAOS=$(POSTSMS_CHAOS) POSTSMS_BUILD=$(CURDIR)/$(B) $(PYTHON) -m pytest -q -s -p no:cacheprovider \
	tests/system/test_chaos.py

# POSTSMS_HTTP_FAULTS messages through a provider that fails in every way; "make check" has a short form of it.
POSTSMS_HTTP_FAULTS ?= 10000
.PHONY: http-faults
http-faults: all
	POSTSMS_HTTP_FAULTS=$(POSTSMS_HTTP_FAULTS) POSTSMS_BUILD=$(CURDIR)/$(B) $(PYTHON) -m pytest -q -s \
	-p no:cacheprovider tests/system/test_http_faults.py

# POSTSMS_SOAK seconds of SMTP sessions while the milter reloads; "make check" has a short form of it.
POSTSMS_SOAK ?= 60
.PHONY: soak
soak: all
	POSTSMS_SOAK=$(POSTSMS_SOAK) POSTSMS_BUILD=$(CURDIR)/$(B) $(PYTHON) -m pytest -q -s -p no:cacheprovider \
	tests/system/test_milter_soak.py

# make fuzz FUZZ=addr SECONDS=60: looks for new inputs with libFuzzer (clang)
SECONDS ?= 30
.PHONY: fuzz
fuzz:
	$(MAKE) CC=clang SAN=fuzzer-no-link,address,undefined build/fuzzer-no-link-address-undefined/fuzz/$(FUZZ)
	mkdir -p build/corpus/$(FUZZ)
	build/fuzzer-no-link-address-undefined/fuzz/$(FUZZ) -max_total_time=$(SECONDS) -max_len=4096 \
	build/corpus/$(FUZZ) tests/fuzz/corpus/$(FUZZ)
$(B)/fuzz/%: $(B)/obj/tests/fuzz/fuzz_%.o $(foreach m,decide gateway sms reader readers trim plain rules spool lib,$(B)/obj/lib$(m).a)
	@mkdir -p $(@D)
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(shell pkg-config --libs glib-2.0 gmime-3.0 libconfuse sqlite3 nettle libsystemd jansson libcurl libpcre2-8 libxml-2.0)
