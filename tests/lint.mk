# make lint: form, layers, static analysis, shell scripts, man pages. Not part of "make check", but for the layers.
LINT_C := $(filter-out tests/%,$(wildcard */*.c */*.h */*/*.c */*/*.h))
LINT_TESTS := $(wildcard tests/*/*.c tests/*/*.h)
LINT_SHELL := contrib/quickstart .ci/run $(wildcard contrib/postfix/setup)
NEED = command -v $(1) >/dev/null || { echo "make lint needs $(1): apt-get install clang-format cppcheck shellcheck mandoc"; exit 1; }

.PHONY: lint lint-layers
lint-layers:
	@awk -f tests/layers.awk $(LINT_C)

lint: lint-layers
	@$(foreach t,clang-format cppcheck shellcheck mandoc,$(call NEED,$(t));) true
	@clang-format --dry-run -Werror $(LINT_C) $(LINT_TESTS)
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	--library=gtk --suppress=missingIncludeSystem --suppress=nullPointerRedundantCheck -I. -D_GNU_SOURCE \
	-DPOSTSMS_VERSION='""' -DPOSTSMS_SYSCONFDIR='""' $(filter %.c,$(LINT_C))
	shellcheck $(LINT_SHELL)
	mandoc -Tlint -Wwarning $(MANPAGES)
