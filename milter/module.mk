PROGRAMS += postsms-milter
postsms-milter_MAIN := $(wildcard milter/*.c)
postsms-milter_MODULES := rules lib
postsms-milter_PKGS := glib-2.0 milter
postsms-milter_PLACE := sbin

MANPAGES += milter/postsms-milter.8
