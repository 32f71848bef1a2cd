#!/bin/sh
# -o with what it does not take: the word at fault, and what to write instead.
. "$(dirname "$0")/../lib/tap.sh"
printf 'FROM scratch\nCOPY f /\n' >Dockerfile
echo x >f
no() { # SPEC REGEX
	fails 1 "-o $1" thimble build -q -o "$1" .
	like "$err" "$2" "says so"
}
no type=registry,name=x 'registries come in a later version'
like "$err" 'copy it with skopeo' "with a way out"
no type=zip "there is no output type 'zip'"
no type=oci,dest=x,tar=maybe 'tar= takes true or false'
no type=oci,dest=x,rewrite-timestamp=1 'rewrite-timestamp= takes true or false'
no type=oci,dest=x,level=9 "'level' is not supported"
like "$err" 'keys are type, dest' "with what there is"
no type=local 'type=local needs dest=DIRECTORY'
no type=local,dest=- 'type=local needs dest=DIRECTORY'
no type=docker,dest=x,tar=false 'tar=false goes with type=oci'
no type=tar,dest=x,compression=gzip 'compression= is for images'
no type=oci,dest=x,compression=lzma 'compression=lzma is not supported'
like "$err" 'use gzip, zstd or uncompressed' "with what there is"
like "$err" "write the result to 'x'" "and what was to be written"
no type=oci,x "'x' is not KEY=VALUE"
no dest=x 'type= is missing'
like "$err" 'for a directory write -o DIR' "with a way out"
no type=oci,dest=none/x "write 'none/x'"
no type=oci,dest=x,name=Bad 'upper-case'
no type=image,name=Bad 'upper-case'
like "$err" "write the result to 'the store'" "and where it should have gone"
fails 1 "two to standard output" thimble build -q -o - -o type=oci .
like "$err" 'several -o write to standard output' "says so"
fails 1 "a tar for a terminal" script -qec "'$THIMBLE' build -q -o type=oci ." /dev/null
like "$out" 'an archive is not written to a terminal' "says so"
ok "-o type=docker without dest" thimble build -q -t dock -o type=docker .
ok "goes to the store" thimble inspect dock
done_testing
