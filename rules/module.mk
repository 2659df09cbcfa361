MODULES += rules
rules_SRC := $(wildcard rules/*.c)
rules_PKGS := glib-2.0

MANPAGES += rules/postsms-smtp.rules.5
