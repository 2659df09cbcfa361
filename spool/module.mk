MODULES += spool
spool_SRC := $(wildcard spool/*.c)
spool_PKGS := glib-2.0 sqlite3

# Each migration becomes one C string, in order.
$(B)/obj/spool/schema.o: ALL_CPPFLAGS += -I$(B)/gen
$(B)/obj/spool/schema.o: $(B)/gen/migrations.inc
$(B)/gen/migrations.inc: $(sort $(wildcard spool/migrate/*.sql))
	@mkdir -p $(@D)
	for f in $^; do sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^.*$$/"&\\n"/' $$f && echo ','; done > $@
