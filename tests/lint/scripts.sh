#!/bin/sh
# Every shell script of the project passes shellcheck.
. "$(dirname "$0")/../lib/tap.sh"
cd "$TOP" || exit 1
for file in $(git ls-files -co --exclude-standard); do
	[ -f "$file" ] || continue
	case $(head -n 1 "$file" 2>/dev/null | tr -d '\0') in
	'#!/bin/sh'*|'#!/bin/bash'*|'#!/usr/bin/env bash'*)
		ok "$file" shellcheck "$file" ;;
	esac
done
done_testing
