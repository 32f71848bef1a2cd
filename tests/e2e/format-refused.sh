#!/bin/sh
# shellcheck disable=SC2016
# --format: what a template may not hold, with the place.
. "$(dirname "$0")/../lib/tap.sh"
no() { # TEMPLATE REGEX
	fails 1 "$1" thimble version -f "$1"
	like "$err" "$2" "says so"
}
no '{{.Client' 'the template ends inside \{\{'
no '{{.Client}' '\}\} is missing here|cannot stand here'
no '{{.Client .Client .Client ]}}' "cannot stand here"
no '{{"\400"}}' "there is no such character|escape"
no '{{"\ud800"}}' 'there is no such character'
no '{{"\q"}}' "unknown escape"
no '{{"x}}' 'this string has no end'
no "{{'ab'}}" 'one character stands between single quotes'
no '{{1e999}}' 'is no number that fits'
no '{{.Client.}}' "a field's name is missing after '\.'"
no '{{$x}}' "there is no variable '\\\$x'"
no '{{nosuch}}' "there is no function 'nosuch'"
no '{{(.Client}}' 'this parenthesis is not closed'
no '{{%}}' "'%' cannot stand here"
no '{{.Client%}}' "'%' cannot stand here"
no '{{}}' 'a value is missing here'
no '{{nil}}' 'nil alone is no command'
no '{{.Client | .Client}}' 'a pipeline can only go on into a function'
no '{{.Client .Client}}' 'only functions take arguments'
no '{{if .Client}}' '\{\{end\}\} is missing'
no '{{if .Client}}{{else}}{{else}}{{end}}' 'a second \{\{else\}\}'
no '{{define "x"}}{{end}}' 'is not supported in --format'
no '{{break}}' 'outside of \{\{range\}\}'
no '{{/* x' 'this comment has no end'
no '{{/* x */ .Client}}' 'a comment stands alone between'
no "{{$(printf '(%.0s' $(seq 300))" 'levels of nesting'
no "$(printf '{{if .Client}}%.0s' $(seq 300))" 'levels of nesting'
no "{{print$(printf ' 1%.0s' $(seq 300))}}" 'more than [0-9]+ arguments'
no "$(head -c 70000 /dev/zero | tr '\0' x)" 'a --format template of more than'
no '{{upper 1}}' "'upper' wants a string, not"
no '{{truncate "x" "y"}}' "'truncate' wants a whole number, not"
no '{{truncate "x" -1}}' "'truncate' to a negative length"
no '{{pad "x" 100000000 1}}' "'pad' takes 0 to"
no '{{join 1 ","}}' "'join' wants a list"
no '{{len 1}}' "'len' of"
no '{{index 1 2}}' "'index' of"
no '{{index (split "a,b" ",") 2}}' "'index' 2 is out of range: there are 2"
no '{{index (split "a" ",") 1}}' "'index' 1 is out of range: there is 1"
no '{{slice 1 0 1}}' "'slice' of"
no '{{slice "abc" 2 1}}' "'slice' from 2 to 1"
no '{{lt .Client 1}}' "'lt' cannot compare"
no '{{printf "%*d"}}' "'printf' has no argument for \*"
no '{{printf "%100000000d" 1}}' "'printf' pads to at most"
no '{{printf "%"}}' 'ends inside a % verb'
no '{{printf "%d"}}' "'printf' has no argument for %d"
no '{{printf "%d" "x"}}' "'printf' cannot show"
no '{{printf "x" 1}}' "'printf' has 1 argument too many"
no '{{.Nosuch}}' "there is no field 'Nosuch'"
like "$err" 'fields: .Client' "and which there are"
done_testing
