# What postconf says, taken apart: a module, so that unit tests can have it.
MODULES += postconf
postconf_SRC := admin/postconf.c
postconf_PKGS := glib-2.0

PROGRAMS += postsms
postsms_MAIN := $(filter-out $(postconf_SRC),$(wildcard admin/*.c))
postsms_MODULES := postconf decide gateway sms readers trim rules spool lib
postsms_PKGS := glib-2.0 jansson libsystemd
postsms_PLACE := sbin

MANPAGES += admin/postsms.8
