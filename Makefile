# make help lists the targets. Variants build beside each other: make BUILD=build/asan SANITIZE=1
BUILD   ?= build
CC      ?= cc
CFLAGS  ?= -O2 -g
WERROR  ?=
SANITIZE ?=

PACKAGES = libnl-3.0 libnl-route-3.0 libmnl yaml-0.1 libevent_core libpcap jansson sqlite3
STANDARD = -std=gnu17 -D_GNU_SOURCE -Icore -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -fstack-protector-strong -fPIE -MMD -MP
LINK     = -pie -Wl,-z,relro,-z,now -Wl,--as-needed
ifneq ($(WERROR),)
STANDARD += -Werror
endif
ifneq ($(SANITIZE),)
STANDARD += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LINK     += -fsanitize=address,undefined
else
STANDARD += -D_FORTIFY_SOURCE=2
endif

# Every folder of core/ becomes one archive, in the order of the map read from the bottom, so that
# each program links only what it needs. A file named like a program holds its main().
FOLDERS  = programs/dhcp programs/ftp programs/shared cli lab results scenario observe process \
	kernel ftp dhcp plan topology base
PROGRAMS = sim dhcp-server dhcp-client dhcp-relay ftp-server ftp-client
MAINS    = core/cli/sim.c $(wildcard core/programs/*/dhcp-server.c core/programs/*/dhcp-client.c \
	core/programs/*/dhcp-relay.c core/programs/*/ftp-server.c core/programs/*/ftp-client.c)
SOURCES  = $(filter-out $(MAINS),$(foreach f,$(FOLDERS),$(wildcard core/$(f)/*.c)))
UNITS    = $(wildcard tests/unit/*_test.c)
OBJECTS  = $(SOURCES:%.c=$(BUILD)/%.o)
ARCHIVE  = $(BUILD)/core.a
BINARIES = $(PROGRAMS:%=$(BUILD)/bin/%)
TESTS    = $(UNITS:tests/unit/%.c=$(BUILD)/tests/%)

# Asked only when something is compiled: before `make deps` there is no pkg-config to ask.
LIBRARIES = $(shell pkg-config --libs $(PACKAGES))
INCLUDES  = $(shell pkg-config --cflags $(PACKAGES))

Q = $(if $(V),,@)

all: $(BINARIES)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(STANDARD) $(INCLUDES_ONCE) $(CFLAGS) -c -o $@ $<

$(ARCHIVE): $(OBJECTS)
	@rm -f $@
	@echo "  AR    $@"
	$(Q)ar rcs $@ $^

define program
$(BUILD)/bin/$(notdir $(1:.c=)): $(BUILD)/$(1:.c=.o) $(ARCHIVE)
	@mkdir -p $$(@D)
	@echo "  LINK  $$@"
	$(Q)$(CC) $(LINK) -o $$@ $$^ $$(LIBRARIES_ONCE)
endef
$(foreach main,$(MAINS),$(eval $(call program,$(main))))

$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LINK) -o $@ $^ $(LIBRARIES_ONCE)

# pkg-config once a make, not once a file.
INCLUDES_ONCE  = $(eval INCLUDES_ONCE := $(INCLUDES))$(INCLUDES_ONCE)
LIBRARIES_ONCE = $(eval LIBRARIES_ONCE := $(LIBRARIES))$(LIBRARIES_ONCE)

units: $(TESTS)

-include $(OBJECTS:.o=.d) $(MAINS:%.c=$(BUILD)/%.d) $(UNITS:%.c=$(BUILD)/%.d)

.PHONY: all units
.SECONDARY:
