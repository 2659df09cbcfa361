# plain: mail that is its own decoding; pure, so that tests can hold it against a reader.
MODULES += plain
plain_SRC := milter/plain.c
plain_PKGS := glib-2.0

PROGRAMS += postsms-milter
postsms-milter_MAIN := $(filter-out $(plain_SRC),$(wildcard milter/*.c))
postsms-milter_MODULES := plain rules lib
postsms-milter_PKGS := glib-2.0 milter
postsms-milter_PLACE := sbin

MANPAGES += milter/postsms-milter.8
