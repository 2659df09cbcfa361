# mailview: what a reader reports, and how it is asked; for those who ask. No MIME in there.
MODULES += mailview reader
mailview_SRC := transport/reader/view.c transport/reader/client.c
mailview_PKGS := glib-2.0
reader_SRC := $(filter-out $(mailview_SRC) transport/reader/main.c,$(wildcard transport/reader/*.c))
reader_PKGS := glib-2.0 gmime-3.0 nettle libseccomp

PROGRAMS += postsms-reader
postsms-reader_MAIN := transport/reader/main.c
postsms-reader_MODULES := reader mailview lib
postsms-reader_PLACE := lib/postsms

MANPAGES += transport/reader/postsms-reader.8
