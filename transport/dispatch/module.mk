# decide: from an envelope and a mail view to parts; postsmsd and "postsms explain" share it.
MODULES += decide dispatch
decide_SRC := $(addprefix transport/dispatch/,decide.c template.c)
decide_PKGS := glib-2.0
dispatch_SRC := $(filter-out $(decide_SRC) transport/dispatch/main.c,$(wildcard transport/dispatch/*.c))
dispatch_PKGS := glib-2.0 libsystemd

PROGRAMS += postsmsd
postsmsd_MAIN := transport/dispatch/main.c
postsmsd_MODULES := dispatch decide gateway sms mailview rules spool lib
postsmsd_PKGS := nettle
postsmsd_PLACE := sbin

MANPAGES += transport/dispatch/postsmsd.8 transport/dispatch/postsms.conf.5
