MODULES += gateway
gateway_SRC := $(wildcard transport/gateway/*.c)
gateway_PKGS := glib-2.0 libsystemd jansson libpcre2-8
