#!/bin/sh
# Every shell script of the project passes shellcheck.
. "$(dirname "$0")/../lib/tap.sh"
cd "$TOP" || exit 1
for file in $(git ls-files -co --exclude-standard); do
	[ -f "$file" ] || continue
	case $(head -n 1 "$file" 2>/dev/null | tr -d '\0') in
	'#!/bin/sh'*|'#!/bin/bash'*|'#!/usr/bin/env bash'*)
		ok "$file" shellcheck -x -P SCRIPTDIR -e SC1091,SC2015,SC2016,SC2119,SC2120,SC2154 "$file" ;;
	esac
done
done_testing
