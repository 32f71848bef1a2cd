# SPDX-License-Identifier: Apache-2.0
# A short front for people; meson.build is the build system.
#
#   make              build build/thimble
#   make demo         install what is missing, build, make the base images, run the ladder
#   make check        install what is missing, run every test
#   make check-long   the long tests in full: kills, full disks, many at once, real programs (hours)
#   make coverage     which lines, functions and texts of errors the tests reach, room by room
#   make install      to PREFIX (/usr/local), under DESTDIR
#   make golden       rewrite the expected texts of the tests (read the diff before you commit)
#   make fuzz TIME=60 run each fuzz target for TIME seconds
#   make bench        the table against other tools and against the machine's limits; with
#                     PEERS_SID=DIR docker, buildah and podman too (tests/peers/sid-root make DIR)
#   make format       clang-format over src, tests and bench
#   make clean        remove what was built here

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
TIME    ?= 60
# More options for meson, e.g. MESON_ARGS=-Dfoo=bar
MESON_ARGS ?=

.PHONY: all demo check check-long coverage install golden fuzz bench format clean

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) $(if $(V),-v,--quiet)

# build.ninja makes itself anew when a meson.build changes; this is only for the first time.
$(BUILD)/build.ninja:
	@tools/install-deps --check build
	meson setup --prefix '$(PREFIX)' $(MESON_ARGS) $(BUILD)
	@echo '$(PREFIX)' >$(BUILD)/prefix

demo:
	@tools/install-deps build demo
	@$(MAKE) --no-print-directory all
	@examples/minimage/demo --thimble $(BUILD)/thimble

check:
	@tools/install-deps build demo test peers
	@tests/run

check-long:
	@tools/install-deps build demo test peers
	@tests/run --long

coverage:
	@tools/install-deps build demo test peers coverage
	@tests/coverage/run

# As root after a user's build nothing is compiled here, unless PREFIX is another one now.
install: all
	@[ '$(PREFIX)' = "$$(cat $(BUILD)/prefix)" ] || { \
		meson setup --reconfigure --prefix '$(PREFIX)' $(BUILD) && ninja -C $(BUILD) && \
		echo '$(PREFIX)' >$(BUILD)/prefix; }
	DESTDIR='$(DESTDIR)' meson install -C $(BUILD) --no-rebuild

golden:
	@tools/install-deps build demo test peers
	@tests/run --golden

fuzz:
	@tools/install-deps build test
	@tests/fuzz/run $(TIME)

bench:
	@tools/install-deps build demo test peers
	@$(MAKE) --no-print-directory all
	@bench/run --thimble $(BUILD)/thimble --w2 $(if $(PEERS_SID),--peers $(PEERS_SID))
	@[ "$$(id -u)" != 0 ] || bench/registry --thimble $(BUILD)/thimble $(if $(PEERS_SID),--sid $(PEERS_SID))

format:
	@tools/install-deps test
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(BUILD) build-asan build-coverage
