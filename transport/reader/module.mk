# readers: how a reader is asked; for those who ask. No MIME in there.
MODULES += readers reader
readers_SRC := transport/reader/client.c
readers_PKGS := glib-2.0
reader_SRC := $(filter-out $(readers_SRC) transport/reader/main.c,$(wildcard transport/reader/*.c))
reader_PKGS := glib-2.0 gmime-3.0 nettle libseccomp

PROGRAMS += postsms-reader
postsms-reader_MAIN := transport/reader/main.c
postsms-reader_MODULES := reader lib
postsms-reader_PLACE := lib/postsms

MANPAGES += transport/reader/postsms-reader.8
