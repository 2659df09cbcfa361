PROGRAMS += postsms
postsms_MAIN := $(wildcard admin/*.c)
postsms_MODULES := decide sms mailview rules spool lib
postsms_PKGS := glib-2.0 jansson
postsms_PLACE := sbin

MANPAGES += admin/postsms.8
