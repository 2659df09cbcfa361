MODULES += sms
sms_SRC := $(wildcard transport/sms/*.c)
sms_PKGS := glib-2.0
