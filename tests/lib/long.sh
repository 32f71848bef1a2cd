# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# tests/lib/long.sh: what the long tests share.

# What lies where a store is swept: half-made things and leases of the dead.
left_over() {
	(cd "$THIMBLE_ROOT" && find tmp containers leases -mindepth 1 -maxdepth 1 \
		! -path leases/gate ! -path leases/turns)
}
