# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# tests/lib/rows.sh: rows of dockerfile.md, a Dockerfile on standard input each. Sourced by
# tests/e2e/build-*-rows.sh after tap.sh and base_image. The image is `it`.

# row DESCRIPTION COMMAND WANT [OPTION...] <Dockerfile: what COMMAND prints in the image
row() {
	row_desc=$1 row_command=$2 row_want=$3
	shift 3
	cat >Dockerfile
	thimble build -q -t it "$@" . >"$T/out" 2>"$T/err" || {
		tap_result 1 "$row_desc"
		diag_file "$T/err"
		return
	}
	is "$(thimble run --rm -u 0 --entrypoint /bin/sh it -c "$row_command" 2>&1)" "$row_want" "$row_desc"
}

# bad DESCRIPTION REGEX [OPTION...] <Dockerfile: it is refused, with such words
bad() {
	bad_desc=$1 bad_re=$2
	shift 2
	cat >Dockerfile
	fails 1 "$bad_desc" thimble build -q "$@" .
	# shellcheck disable=SC2154  # of fails
	like "$err" "$bad_re" "$bad_desc: says so"
}
