# SPDX-License-Identifier: Apache-2.0
# Shared by make-rootfs, row-config and probe.  POSIX sh; sourced, not run.
# A row is rows/NAME.sh, which sets row_* variables and defines functions:
#   row_setup DIR   finish the root file system after the packages are in
#   row_entry       calls `entry ARGV...` once: the image's entrypoint + cmd
#   row_probe       drives the program and returns 0 when it works

DEFPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

die() { echo "$0: $*" >&2; exit 2; }

load_row() {
	case $1 in ''|*[!a-z0-9-]*) die "bad row name '$1'";; esac
	[ -f "$HERE/rows/$1.sh" ] || die "no row '$1' (see: ls $HERE/rows)"
	row_desc= row_pkgs= row_class=open row_user= row_uidgid= row_wd=/ row_env=
	row_variant=minbase
	row_setup() { :; }
	row_files="$HERE/files"
	. "$HERE/rows/$1.sh"
}
