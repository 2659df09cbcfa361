# decide: from an envelope and a mail view to a verdict or parts; postsmsd and "postsms explain" share it.
MODULES += decide dispatch
decide_SRC := $(addprefix transport/dispatch/,compose.c decide.c identity.c originator.c reference.c request.c route.c \
	setup.c template.c)
decide_PKGS := glib-2.0 nettle
dispatch_SRC := $(filter-out $(decide_SRC) transport/dispatch/main.c,$(wildcard transport/dispatch/*.c))
dispatch_PKGS := glib-2.0 libsystemd libcurl

PROGRAMS += postsmsd
postsmsd_MAIN := transport/dispatch/main.c
postsmsd_MODULES := dispatch decide gateway sms readers trim rules spool lib
postsmsd_PLACE := sbin

MANPAGES += transport/dispatch/postsmsd.8 transport/dispatch/postsms.conf.5
