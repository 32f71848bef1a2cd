#!/bin/sh
# What the commands that talk with registries refuse before they talk.
. "$(dirname "$0")/../lib/tap.sh"
base_image
no() { # REGEX ARG...
	no_re=$1
	shift
	run thimble "$@"
	like "$status" '^[12]$' "$*: refused"
	like "$err" "$no_re" "says so"
}
no "wants true or false, not 'perhaps'" pull --tls-verify=perhaps localhost:1/x
no '--insecure and --tls-verify=true are contrary' pull --insecure --tls-verify=true localhost:1/x
no 'wants a path, not an empty word' pull --authfile '' localhost:1/x
no 'there is no user' pull --creds :pw localhost:1/x
no "--all-tags wants a repository, not the tag" pull --all-tags localhost:1/x:tag
no 'is a number from 1 to 12' push --compression gzip --compression-level 99 base localhost:1/x
no "--allow knows rootfs.export, not 'all'" push --allow all base localhost:1/x
no 'the store has no image of the repository' push --all-tags localhost:1/nosuch
no '--all-tags goes with one name' push --all-tags base localhost:1/x
no "give the tag to push to: thimble push base@sha256:0+ NAME:TAG" push "base@sha256:$(printf %064d 0)"
no 'no file to attach was named' attach --artifact-type text/x-a localhost:1/x
# shellcheck disable=SC2046  # many words
no 'an artifact has at most 1024 files, not 1025' attach --artifact-type text/x-a localhost:1/x $(seq 1025)
no '--annotation takes text \(UTF-8\)' attach --artifact-type text/x-a --annotation "key=$(printf '\377')" localhost:1/x f
no '--annotation takes text \(UTF-8\)' attach --artifact-type text/x-a --annotation "$(printf '\377')=value" localhost:1/x f
no '--dest-compress and --dest-decompress are contrary' copy --dest-compress --dest-decompress base oci:x
no "--allow does not know 'all'" copy --allow all base oci:x
no '--raw is the manifest, --config the config: one of them' inspect --remote --raw --config localhost:1/x
no 'go with --remote' inspect --raw base
no '--raw and --config show one image' inspect --remote --raw localhost:1/x localhost:1/y
done_testing
