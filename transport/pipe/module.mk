# libc only: every library in a program that is started per recipient makes its exec dearer.
PROGRAMS += postsms-pipe
postsms-pipe_MAIN := $(wildcard transport/pipe/*.c)
postsms-pipe_PLACE := lib/postsms

MANPAGES += transport/pipe/postsms-pipe.8
