# readers: how a reader is asked; for those who ask. No MIME in there.
# trim: what people do not mean by a text; pure, for those who make an SMS of one.
MODULES += readers trim reader
readers_SRC := transport/reader/client.c
readers_PKGS := glib-2.0
trim_SRC := $(addprefix transport/reader/,trim.c trim_reply.c trim_lines.c trim_phrases.c)
trim_PKGS := glib-2.0
reader_SRC := $(filter-out $(readers_SRC) $(trim_SRC) transport/reader/main.c,$(wildcard transport/reader/*.c))
reader_PKGS := glib-2.0 gmime-3.0 libxml-2.0 nettle libseccomp

PROGRAMS += postsms-reader
postsms-reader_MAIN := transport/reader/main.c
postsms-reader_MODULES := reader lib
postsms-reader_PLACE := lib/postsms

MANPAGES += transport/reader/postsms-reader.8
