MODULES += spool
spool_SRC := $(wildcard spool/*.c)
spool_PKGS := glib-2.0 sqlite3
