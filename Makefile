# make help lists the targets. Variants build beside each other: make BUILD=build/asan SANITIZE=1
BUILD   ?= build
CC      ?= cc
CFLAGS  ?= -O2 -g
WERROR  ?=
SANITIZE ?=

PACKAGES = libnl-3.0 libnl-route-3.0 libnftables libmnl yaml-0.1 libevent_core libpcap jansson sqlite3 libmd libcrypt openssl libedit expat
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

# All of core/ becomes one archive, so that each program links only what it needs of it. A file named like a program holds its main().
FOLDERS  = programs/dhcp programs/ftp programs/shared cli lab results scenario observe process \
	kernel ftp dhcp exchange plan topology base
PROGRAMS = sim dhcp-server dhcp-client dhcp-relay ftp-server ftp-client
MAINS    = core/cli/sim.c $(wildcard core/programs/*/dhcp-server.c core/programs/*/dhcp-client.c \
	core/programs/*/dhcp-relay.c core/programs/*/ftp-server.c core/programs/*/ftp-client.c)
SOURCES  = $(filter-out $(MAINS),$(foreach f,$(FOLDERS),$(wildcard core/$(f)/*.c)))
UNITS    = $(wildcard tests/unit/*_test.c)
OBJECTS  = $(SOURCES:%.c=$(BUILD)/%.o)
ARCHIVE  = $(BUILD)/core.a
BINARIES = $(PROGRAMS:%=$(BUILD)/bin/%)
TESTS    = $(UNITS:tests/unit/%.c=$(BUILD)/tests/%)
# Programs of tests/bench; its load*.c are parts of them.
BENCHES  = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/dhcp_*.c tests/bench/ftp_*.c \
	tests/bench/lab_*.c))
BENCH_PARTS = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/load*.c))
# Fuzz targets: linked with replay.c they run over named files, with libFuzzer (`make fuzz`) over chance.
FUZZ_MAIN = $(BUILD)/tests/fuzz/replay.o
FUZZERS  = $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(filter-out %/replay.c,$(wildcard tests/fuzz/*.c)))

# Asked only when something is compiled: before `make deps` there is no pkg-config to ask.
LIBRARIES = $(shell pkg-config --libs $(PACKAGES)) -ldl
INCLUDES  = $(shell pkg-config --cflags $(PACKAGES))

Q = $(if $(V),,@)

# As many jobs as processors; a -j on the command line comes after this one and wins.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

# Under sudo what is built belongs to the user who called it. Only these are root's work; `private`,
# so that what they depend on is not.
ifneq ($(filter-out 0,$(SUDO_UID)),)
SHELL := deps/as-user
.SHELLFLAGS := /bin/sh -c
deps deps-check check tests deps-vm install uninstall: private SHELL := /bin/sh
deps deps-check check tests deps-vm install uninstall: private .SHELLFLAGS := -c
endif

all: $(BINARIES) ## every program, in build/bin (V=1 shows the commands)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(STANDARD) $(INCLUDES_ONCE) $(CFLAGS) -c -o $@ $<

$(ARCHIVE): $(OBJECTS)
	@rm -f $@
	@echo "  AR    $@"
	$(Q)ar rcs $@ $^
	@twice=$$(nm -g --defined-only $@ | awk '$$2 ~ /[A-Z]/ && $$3 !~ /^__/ { print $$3 }' | sort | uniq -d); \
		[ -z "$$twice" ] || { echo "defined in two files, and a program would get either: $$twice" >&2; exit 1; }

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

$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BENCH_PARTS) $(ARCHIVE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LINK) -o $@ $^ $(LIBRARIES_ONCE)

# pkg-config once a make, not once a file.
INCLUDES_ONCE  = $(eval INCLUDES_ONCE := $(INCLUDES))$(INCLUDES_ONCE)
LIBRARIES_ONCE = $(eval LIBRARIES_ONCE := $(LIBRARIES))$(LIBRARIES_ONCE)

# libFuzzer follows the branches of core/, not those of the checks, and no single comparison (the corpus
# knows the magic numbers): that took two thirds of the time.
COVERAGE =
$(BUILD)/core/%.o: private override CFLAGS += $(COVERAGE)
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(FUZZ_MAIN) $(ARCHIVE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(LINK) $(if $(FUZZ_MAIN),,-fsanitize=fuzzer) -o $@ $^ $(LIBRARIES_ONCE)

units: $(TESTS) $(BENCHES) $(FUZZERS) ## the C programs of the tests, in build/tests, build/bench and build/fuzz

deps: ## install what building and running needs (deps/build)
	@deps/install build

deps-check: deps ## and what the tests need, starting no service (deps/judges)
	@deps/install judges

deps-vm: deps-check ## and what a guest needs (deps/vm)
	@deps/install vm

# In this order: the rules above ask pkg-config, which `deps` may have to bring first.
check: deps-check ## all of that, lint, and then every test
	@deps/as-user --own
	@+$(MAKE) --no-print-directory $(if $(V),,-s) all units lint
	@+$(MAKE) --no-print-directory tests

# Debian's Python, not the first of PATH: it is the one that has the modules. Nothing of make's own
# is told to what the tests start.
PYTHON = $(firstword $(wildcard /usr/bin/python3 build/judges/root/usr/bin/python3))
# A worker a processor, and two where there is one: most tests wait. A file's tests stay together, since
# they share labs and servers.
WORKERS = $(shell deps/with-judges $(PYTHON) -c 'import xdist' 2>/dev/null && \
	echo "-n $$(n=$$(nproc); echo $$((n > 1 ? n : 2))) --dist loadfile")
PYTEST = -q -rs -p no:cacheprovider $(WORKERS)
tests: ## every test, of what is built already (PYTEST=... for pytest's options)
	@env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PYTHONDONTWRITEBYTECODE=1 \
		deps/with-judges $(PYTHON) -m pytest $(PYTEST) tests

# Everything is built before: an emulated processor is slow.
VM =
vm-check: deps-vm all units ## the topologies' scenarios on Debian's stock kernel, in QEMU (VM=... for pytest's words)
	@PYTHONDONTWRITEBYTECODE=1 deps/with-judges $(PYTHON) tests/vm/vm.py check $(VM)

vm-shell: deps-vm all ## a terminal in that guest, with a lab up (VM=TOPOLOGY)
	@PYTHONDONTWRITEBYTECODE=1 deps/with-judges $(PYTHON) tests/vm/vm.py shell $(VM)

BENCH =
bench: all units ## our servers beside those people use, in results/bench (BENCH=... for bench.py's options)
	@env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PYTHONDONTWRITEBYTECODE=1 \
		deps/with-judges $(PYTHON) tests/bench/bench.py $(BENCH)

TARGET = $(notdir $(FUZZERS))
RUNS   = 1000000
fuzz: ## search for inputs that break codecs, machines and the plan (TARGET=server RUNS=10000000), with clang
	@+$(MAKE) --no-print-directory $(if $(V),,-s) BUILD=build/libfuzzer CC=clang SANITIZE=1 FUZZ_MAIN= \
		COVERAGE=-fsanitize-coverage=inline-8bit-counters,pc-table FOLDERS='scenario ftp dhcp exchange plan topology base' $(TARGET:%=build/libfuzzer/fuzz/%)
	@for target in $(TARGET); do tests/fuzz/run build/libfuzzer $$target $(RUNS) || exit 1; done

lint: lint-format lint-rules lint-cppcheck ## format, the map's include rules, banned functions, cppcheck

C_FILES = $(shell find core tests -name '*.[ch]')
lint-format:
	@deps/with-judges tests/lint/format --dry-run -Werror $(C_FILES)

lint-rules:
	@PYTHONDONTWRITEBYTECODE=1 deps/with-judges $(PYTHON) tests/lint/lint.py

lint-cppcheck:
	@deps/with-judges tests/lint/cppcheck

format: ## put the C files into the form that lint asks for
	@deps/with-judges tests/lint/format -i $(C_FILES)

# Manuals are Markdown, to be read in the tree; this is what man(1) reads.
PAGES = sim.1 sim-topology.5 sim-pytest.7 dhcp-server.8 dhcp-client.8 dhcp-relay.8 ftp-server.8 ftp-client.1
define page
$(BUILD)/man/$(1): $(2) deps/manual
	@mkdir -p $$(@D)
	@deps/manual -v date=$$$$(git log -1 --format=%cs -- $$< 2>/dev/null | grep . || date -r $$< +%F) $$< >$$@
endef
$(eval $(call page,sim.1,core/cli/README.md))
$(eval $(call page,sim-topology.5,topologies/README.md))
$(eval $(call page,sim-pytest.7,tests/plugin/README.md))
$(eval $(call page,dhcp-server.8,core/programs/dhcp/README.md))
$(eval $(call page,dhcp-client.8,core/programs/dhcp/CLIENT.md))
$(eval $(call page,dhcp-relay.8,core/programs/dhcp/RELAY.md))
$(eval $(call page,ftp-server.8,core/programs/ftp/README.md))
$(eval $(call page,ftp-client.1,core/programs/ftp/CLIENT.md))

manual: $(PAGES:%=$(BUILD)/man/%) ## the manual pages, in build/man: man -l build/man/sim.1

PREFIX ?= /usr/local
# Where Debian's Python looks for what is below PREFIX.
PYTHON_VERSION = $(if $(filter /usr,$(PREFIX)),3,$(shell $(PYTHON) -c 'import sys; print("3.%d" % sys.version_info.minor)'))
PACKAGES_OF_PYTHON = $(DESTDIR)$(PREFIX)/lib/python$(PYTHON_VERSION)/dist-packages
SHARE = $(DESTDIR)$(PREFIX)/share
COMPLETIONS = $(SHARE)/bash-completion/completions
PLUGIN = $(wildcard tests/plugin/pytest_sim/*.py)
INSTALL_PLUGIN = install -D -m 644 -t $(PACKAGES_OF_PYTHON)/pytest_sim $(PLUGIN) && \
	install -D -m 644 -t $(PACKAGES_OF_PYTHON)/pytest_sim-1.dist-info $(addprefix tests/plugin/,METADATA entry_points.txt)
TOPOLOGIES = $(filter-out %.md,$(wildcard topologies/*))
install: all manual ## into PREFIX (/usr/local), below DESTDIR where given
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(BINARIES)
	install -D -m 644 -t $(SHARE)/sim/topologies $(TOPOLOGIES)
	for page in $(PAGES); do \
		install -D -m 644 -t $(SHARE)/man/man$${page##*.} $(BUILD)/man/$$page || exit 1; \
	done
	install -D -m 644 core/cli/completion.bash $(COMPLETIONS)/sim
	for program in $(filter-out sim,$(PROGRAMS)); do ln -sf sim $(COMPLETIONS)/$$program || exit 1; done
	$(if $(PYTHON),$(INSTALL_PLUGIN),@echo "without the plugin for pytest: there is no /usr/bin/python3")

uninstall: ## remove what make install has put there (with the same PREFIX and DESTDIR)
	rm -f $(PROGRAMS:%=$(DESTDIR)$(PREFIX)/bin/%) $(TOPOLOGIES:%=$(SHARE)/sim/%)
	rm -f $(foreach page,$(PAGES),$(SHARE)/man/man$(subst .,,$(suffix $(page)))/$(page))
	rm -f $(PROGRAMS:%=$(COMPLETIONS)/%)
	$(if $(PYTHON),rm -rf $(addprefix $(PACKAGES_OF_PYTHON)/,pytest_sim pytest_sim-1.dist-info))
	rmdir $(SHARE)/sim/topologies $(SHARE)/sim 2>/dev/null || true

clean: ## remove what was built; the judges that were unpacked stay
	@[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name judges -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z_.-]*\):[^#]*## \(.*\)/\1 \2/p' Makefile | \
		while read -r target does; do printf '  %-22s %s\n' "$$target" "$$does"; done

-include $(OBJECTS:.o=.d) $(MAINS:%.c=$(BUILD)/%.d) $(UNITS:%.c=$(BUILD)/%.d) \
	$(BENCH_PARTS:.o=.d) $(BENCHES:$(BUILD)/bench/%=$(BUILD)/tests/bench/%.d) \
	$(FUZZERS:$(BUILD)/fuzz/%=$(BUILD)/tests/fuzz/%.d) $(FUZZ_MAIN:.o=.d)

.PHONY: all units deps deps-check deps-vm check tests vm-check vm-shell bench fuzz lint lint-format lint-rules lint-cppcheck format manual \
	install uninstall clean help
.DELETE_ON_ERROR:
.SECONDARY:
