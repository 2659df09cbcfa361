MODULES += gateway
gateway_SRC := $(wildcard transport/gateway/*.c)
gateway_PKGS := glib-2.0 libsystemd jansson libcurl libpcre2-8
MANPAGES += transport/gateway/postsms-http.5
