# SPDX-License-Identifier: ISC
# One Makefile for the whole tree; each folder adds its modules, programs and tests in its module.mk.
#   make                         programs, laid out under build/<variant>/ as they will be installed
#   make check                   unit tests, fuzz corpora, system tests (root and Postfix wanted)
#   make SAN=address,undefined   the same, instrumented, in a build folder of its own
#   make KILL=1                  a variant that dies where it is told to, for "make killpoints"
#   make lint  make demo  make install DESTDIR=… prefix=… sysconfdir=…

VERSION := 0.1.0

prefix ?= /usr/local
sysconfdir ?= $(if $(filter /usr /usr/local,$(prefix)),/etc,$(prefix)/etc)
sbindir = $(prefix)/sbin
pkglibdir = $(prefix)/lib/postsms
pkgdatadir = $(prefix)/share/postsms
mandir = $(prefix)/share/man
PYTHON ?= /usr/bin/python3

comma := ,
VARIANT := $(if $(SAN),$(subst $(comma),-,$(SAN))$(if $(KILL),-kill),$(if $(KILL),kill,plain))
B := build/$(VARIANT)

CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
WARNINGS += $(if $(WERROR),-Werror)
HARDENING := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2 -fcf-protection)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(HARDENING) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) $(CFLAGS)
ALL_CPPFLAGS = -I. -D_GNU_SOURCE -DPOSTSMS_VERSION='"$(VERSION)"' \
	-DPOSTSMS_SYSCONFDIR='"$(sysconfdir)/postsms"' $(if $(KILL),-DPOSTSMS_KILL_POINTS) $(CPPFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# Short lines while building; V=1 shows the commands.
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2);)

.PHONY: all check check-unit check-fuzz check-system accept demo install clean
all:

# A module is a static library: NAME_SRC its sources, NAME_PKGS the pkg-config packages that only it includes.
# A program is PROG_MAIN linked with PROG_MODULES (most dependent first) and put into build/<variant>/PROG_PLACE.
MODULES :=
PROGRAMS :=
MANPAGES :=
MODULE_MKS := $(sort $(wildcard */module.mk */*/module.mk))
include $(MODULE_MKS) tests/lint.mk

OBJECTS :=

# 1 source, 2 packages
define object_rule
OBJECTS += $(B)/obj/$(1:.c=.o)
$(B)/obj/$(1:.c=.o): $(1) Makefile $(MODULE_MKS)
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)$$(CC) $$(ALL_CPPFLAGS) $(if $(2),$$(shell pkg-config --cflags $(2))) $$(ALL_CFLAGS) -MMD -MP -c -o $$@ $$<
endef

# 1 module
define module_rules
$(foreach s,$($(1)_SRC),$(eval $(call object_rule,$(s),$($(1)_PKGS))))
$(B)/obj/lib$(1).a: $(patsubst %.c,$(B)/obj/%.o,$($(1)_SRC))
	@rm -f $$@
	$$(call say,AR,$$@)$$(AR) rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module_rules,$(m))))

# 1 program
packages_of = $(sort $($(1)_PKGS) $(foreach m,$($(1)_MODULES),$($(m)_PKGS)))
define program_rules
$(foreach s,$($(1)_MAIN),$(eval $(call object_rule,$(s),$(call packages_of,$(1)))))
$(B)/$($(1)_PLACE)/$(1): $(patsubst %.c,$(B)/obj/%.o,$($(1)_MAIN)) $(foreach m,$($(1)_MODULES),$(B)/obj/lib$(m).a)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)$$(CC) $$(ALL_LDFLAGS) $$(ALL_CFLAGS) -o $$@ $$^ $(if $(call packages_of,$(1)),$$(shell pkg-config --libs $(call packages_of,$(1)))) $($(1)_LIBS)
endef
TEST_PROGRAMS ?=
$(foreach p,$(PROGRAMS) $(TEST_PROGRAMS),$(eval $(call program_rules,$(p))))

program_path = $(B)/$($(1)_PLACE)/$(1)
PROFILES := $(wildcard transport/gateway/profiles/*.conf)
all: $(foreach p,$(PROGRAMS),$(call program_path,$(p))) $(PROFILES:transport/gateway/%=$(B)/share/postsms/%)

$(B)/share/postsms/profiles/%.conf: transport/gateway/profiles/%.conf
	@mkdir -p $(@D)
	@cp $< $@

-include $(OBJECTS:.o=.d)

demo: all
	contrib/demo $(B)

# Below $(prefix)/lib, where systemd looks with prefix=/usr and /usr/local
UNITS := systemd/system/postsmsd.service systemd/system/postsms-milter.service sysusers.d/postsms.conf tmpfiles.d/postsms.conf

# Programs go in by rename: Postfix may start one at any moment and must find the old or the new.
install: all
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(pkglibdir) $(DESTDIR)$(pkgdatadir) $(DESTDIR)$(sysconfdir)/postsms
	$(foreach p,$(PROGRAMS),install -m 755 $(call program_path,$(p)) $(DESTDIR)$(prefix)/$($(p)_PLACE)/$(p).new && \
	mv -f $(DESTDIR)$(prefix)/$($(p)_PLACE)/$(p).new $(DESTDIR)$(prefix)/$($(p)_PLACE)/$(p) &&) true
	$(foreach m,$(MANPAGES),install -d $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(m))) && \
	install -m 644 $(m) $(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(m)))/ &&) true
	install -m 644 contrib/postsms.conf contrib/smtp.rules $(DESTDIR)$(pkgdatadir)/
	install -d $(DESTDIR)$(pkgdatadir)/profiles
	$(foreach f,$(PROFILES),install -m 644 $(f) $(DESTDIR)$(pkgdatadir)/profiles/ &&) true
	install -d $(DESTDIR)$(pkgdatadir)/postfix $(addprefix $(DESTDIR)$(prefix)/lib/,$(sort $(dir $(UNITS))))
	install -m 644 contrib/postfix/master.cf contrib/postfix/main.cf contrib/postfix/transport $(DESTDIR)$(pkgdatadir)/postfix/
	install -m 755 contrib/postfix/setup $(DESTDIR)$(pkgdatadir)/postfix/setup
	$(foreach u,$(UNITS),sed -e 's|@SBINDIR@|$(sbindir)|' -e 's|@TMPFILESDIR@|$(prefix)/lib/tmpfiles.d|' \
	contrib/systemd/$(patsubst systemd/system/%,%,$(u)) >$(DESTDIR)$(prefix)/lib/$(u) &&) true
	for f in postsms.conf smtp.rules; do test -e $(DESTDIR)$(sysconfdir)/postsms/$$f || \
	install -m 644 contrib/$$f $(DESTDIR)$(sysconfdir)/postsms/$$f || exit 1; done

clean:
	rm -rf build
