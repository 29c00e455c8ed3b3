# Tilia. `make` builds; `make demo` and `make test` also install what is missing.
# BUILD=dir builds elsewhere; V=1 shows the commands; CC, CFLAGS, CPPFLAGS, LDFLAGS, PREFIX, DESTDIR as usual;
# PYDIR is where Python looks for packages.

BUILD   ?= build
PREFIX  ?= /usr/local
CFLAGS  ?= -O2 -g
VERSION := $(shell cat VERSION)
PYDIR   ?= $(PREFIX)/lib/$(shell $(PYTHON) -c 'import sys; print("python%d.%d" % sys.version_info[:2])')/dist-packages
SONAME  := libtilia.so.$(firstword $(subst ., ,$(VERSION)))
JOBS     = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
PYTHON  ?= $(firstword $(wildcard /usr/bin/python3) python3)
PKG     := pkg-config
NEEDS   := libuv >= 1.44, libcbor >= 0.8, sqlite3 >= 3.40, libxxhash

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
           -Wwrite-strings -Wvla -Wundef
FLAGS   := -std=c11 -D_GNU_SOURCE -DTILIA_VERSION='"$(VERSION)"' $(WARN) -fPIC -pthread \
           -fvisibility=hidden $(SANITIZE) $(shell $(PKG) --cflags libuv libcbor sqlite3 libxxhash 2>/dev/null)
LIBS_LIB  = $(shell $(PKG) --libs libcbor libxxhash)
LIBS_ALL  = $(shell $(PKG) --libs libuv libcbor sqlite3 libxxhash) -lm

# $(call do,WORD): what is made instead of the command that makes it.
do       = $(if $(V),,@echo '$(1) $@';)
sources  = $(wildcard $(addsuffix /*.c,$(1)))
comma    := ,
objects  = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))

LIB_OBJ    := $(call objects,libclient libclient/base)
SERVER_OBJ := $(call objects,server server/engine server/journal server/net)
TOOLS_OBJ  := $(call objects,tools tools/boot) $(BUILD)/tools/boot/payload_data.o
TESTLIB    := $(filter-out %_preload.o,$(call objects,tests/lib))

# A test is a C file under tests/unit, stories, model or sim; it is linked with all but the server's main().
TESTS    := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/unit tests/stories tests/model tests/sim))
EXAMPLES := $(patsubst %.c,$(BUILD)/%,$(call sources,docs/examples))
CRASHERS := $(patsubst %.c,$(BUILD)/%,$(filter-out %_preload.c,$(call sources,tests/crash)))
PRELOADS := $(BUILD)/tests/crash/crashvfs.so $(BUILD)/tests/crash/order.so \
            $(BUILD)/tests/crash/smalldisk.so $(BUILD)/tests/lib/nomem.so
# A load generator of make bench is a C file under tests/bench; client.c is linked to each.
BENCHES  := $(patsubst %.c,$(BUILD)/%,$(filter-out %/client.c,$(call sources,tests/bench)))
FUZZERS  := $(patsubst %.c,$(BUILD)/%,$(call sources,tests/fuzz))

all: needs $(BUILD)/tiliad $(BUILD)/tilia $(BUILD)/libtilia.a $(BUILD)/libtilia.so $(BUILD)/tilia.pc $(EXAMPLES)

needs:
	@$(PKG) --print-errors --exists '$(NEEDS)' || { \
	  echo 'Something to build with is missing; tools/install-deps build installs it.' >&2; exit 1; }

$(BUILD)/tiliad: $(SERVER_OBJ) $(BUILD)/libtilia.a
	$(call do,LINK) $(CC) $(SANITIZE) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ $(LIBS_ALL)

$(BUILD)/tilia: $(TOOLS_OBJ) $(BUILD)/libtilia.a
	$(call do,LINK) $(CC) $(SANITIZE) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ $(LIBS_ALL)

$(BUILD)/libtilia.a: $(LIB_OBJ)
	@rm -f $@
	$(call do,AR  ) $(AR) rcs $@ $^

$(BUILD)/libtilia.so: $(LIB_OBJ)
	$(call do,LINK) $(CC) $(SANITIZE) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -o $(BUILD)/$(SONAME) $^ $(LIBS_LIB)
	@ln -sf $(SONAME) $@

$(BUILD)/tilia.pc: always # PREFIX may be another one now
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'Name: tilia' 'Description: client of the Tilia tuple space' \
	  'Version: $(VERSION)' 'Libs: -L$${prefix}/lib -ltilia' 'Libs.private: $(LIBS_LIB)' \
	  'Cflags: -I$${prefix}/include' > $@

$(BUILD)/%.o: %.c VERSION
	@mkdir -p $(@D)
	$(call do,CC  ) $(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What `tilia run` sends to the other side, made from the Python client.
$(BUILD)/tools/boot/payload_data.c: tools/boot/payload.py $(wildcard libclient/python/tilia/*.py)
	@mkdir -p $(@D)
	$(call do,PY  ) $(PYTHON) tools/boot/payload.py libclient/python/tilia $@
$(BUILD)/tools/boot/payload_data.o: $(BUILD)/tools/boot/payload_data.c
	$(call do,CC  ) $(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(TESTS): $(BUILD)/%: $(BUILD)/%.o $(TESTLIB) $(filter-out %/main.o,$(SERVER_OBJ)) $(BUILD)/libtilia.a
	$(call do,LINK) $(CC) $(SANITIZE) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(filter %.o,$^) $(BUILD)/libtilia.a $(LIBS_ALL)

# The model's walk and the simulator's world are more than one file.
$(BUILD)/tests/model/engine_model: $(call objects,tests/model/walk)
$(BUILD)/tests/sim/simulator $(BUILD)/tests/sim/planted: $(call objects,tests/sim/world)

# The same walk, of an engine with a defect (ld puts one where files call each other).
$(BUILD)/tests/model/engine_planted: $(BUILD)/tests/model/planted/walk
$(BUILD)/tests/model/planted/walk: $(BUILD)/tests/model/planted/plant.o $(BUILD)/tests/model/engine_model.o \
    $(call objects,tests/model/walk) $(TESTLIB) $(filter-out %/main.o,$(SERVER_OBJ)) $(BUILD)/libtilia.a
	$(call do,LINK) $(CC) $(SANITIZE) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(filter %.o,$^) $(BUILD)/libtilia.a $(LIBS_ALL) \
	  $(addprefix -Wl$(comma)--wrap=,waiter_serve space_reveal engine_step claim_restore)

$(EXAMPLES): $(BUILD)/docs/examples/%: docs/examples/%.c $(BUILD)/libtilia.a
	@mkdir -p $(@D)
	$(call do,LINK) $(CC) $(SANITIZE) -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS) $(LDFLAGS) -Ilibclient -o $@ $^ $(LIBS_LIB) $(shell $(PKG) --cflags --libs libuv)

$(BENCHES): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/bench/client.o $(BUILD)/libtilia.a
	$(call do,LINK) $(CC) $(SANITIZE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_LIB)

$(CRASHERS): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libtilia.a
	$(call do,LINK) $(CC) $(SANITIZE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_LIB)

$(BUILD)/tests/crash/crashvfs.so: tests/lib/crashvfs.c
	@mkdir -p $(@D)
	$(call do,LINK) $(CC) $(filter-out $(SANITIZE),$(FLAGS)) $(CFLAGS) -DCRASHVFS_PRELOAD -shared -o $@ $< -lsqlite3
$(BUILD)/tests/%.so: tests/%_preload.c
	@mkdir -p $(@D)
	$(call do,LINK) $(CC) $(filter-out $(SANITIZE),$(FLAGS)) $(CFLAGS) -shared -o $@ $< -ldl

$(FUZZERS): $(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(call objects,server/engine server/journal) \
            $(BUILD)/tools/boot/trunk.o $(BUILD)/tools/boot/place.o $(BUILD)/libtilia.a
	$(call do,LINK) $(CC) -fsanitize=fuzzer $(SANITIZE) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_LIB) -lsqlite3

programs: all $(TESTS) $(BENCHES) $(CRASHERS) $(PRELOADS)
tests: $(TESTS)
journal-tests: $(filter $(BUILD)/tests/unit/journal_%,$(TESTS))
fuzzers: $(FUZZERS)

# Each built only as far as it is run: the C tests; what has threads; the fuzzers.
asan:
	@$(MAKE) BUILD=$(BUILD)/asan SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' CFLAGS='-O1 -g' tests
tsan:
	@$(MAKE) BUILD=$(BUILD)/tsan SANITIZE=-fsanitize=thread CFLAGS='-O1 -g' journal-tests
fuzz-build:
	@$(MAKE) BUILD=$(BUILD)/fuzz CC=clang SANITIZE=-fsanitize=fuzzer-no-link,address,undefined CFLAGS='-O1 -g' fuzzers
fuzz: fuzz-build
	@tests/run --build $(BUILD) --fuzz-seconds 600 fuzz

# make test [T=name] [SEED=n]: all, or one program, or one test of a program.
test:
	@tools/install-deps build test
	@targets=$$(tests/run --targets $(if $(T),--only '$(T)')) && $(MAKE) $(JOBS) $$targets
	@tests/run --build $(BUILD) $(if $(SEED),--seed $(SEED)) $(if $(T),--only '$(T)')

soak: programs
	@tests/run --build $(BUILD) --soak

demo:
	@tools/install-deps build
	@$(MAKE) $(JOBS) all
	@BUILD=$(BUILD) docs/examples/demo.sh

# make bench [PEERS=1] [ARGS="--quick --only keys --json FILE"]; PEERS installs other servers
bench: all $(BENCHES)
ifdef PEERS
	@tools/install-deps peers
endif
	@$(PYTHON) tests/bench/bench.py --build $(BUILD) $(if $(PEERS),--peers) $(ARGS)

install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib/pkgconfig include share/bash-completion/completions) $(DESTDIR)$(PYDIR)/tilia
	install -m 755 $(BUILD)/tiliad $(BUILD)/tilia $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(BUILD)/libtilia.a $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(BUILD)/$(SONAME) $(DESTDIR)$(PREFIX)/lib
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/libtilia.so
	install -m 644 libclient/tilia.h $(DESTDIR)$(PREFIX)/include
	install -m 644 $(BUILD)/tilia.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 tools/tilia.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/tilia
	install -m 644 libclient/python/tilia/*.py libclient/python/tilia/*.pyi libclient/python/tilia/py.typed $(DESTDIR)$(PYDIR)/tilia
	for page in docs/man/*.[0-9]; do \
	  section=$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}; install -d $$section; install -m 644 $$page $$section; done

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' -not -path '$(BUILD)/asan/*' -not -path '$(BUILD)/tsan/*' -not -path '$(BUILD)/fuzz/*' 2>/dev/null)

.PHONY: all needs programs tests journal-tests fuzzers asan tsan fuzz-build fuzz test soak demo bench install clean always
.SECONDARY:
