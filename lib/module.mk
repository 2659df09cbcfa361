MODULES += lib
lib_SRC := $(wildcard lib/*.c)
lib_PKGS := glib-2.0 libconfuse
