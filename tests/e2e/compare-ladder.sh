#!/bin/sh
# compare: one table, smallest first, what works, what does not, why, and the mend.
. "$(dirname "$0")/../lib/tap.sh"
base_image
head -c 300000 /dev/zero >pad
printf 'FROM base\nCOPY pad /\nCMD ["/bin/hello"]\n' >Dockerfile.works
printf 'FROM base AS b\nFROM scratch\nCOPY --from=b /bin/hello /\nCMD ["/hello"]\n' >Dockerfile.small
printf 'FROM base AS b\nFROM scratch\nCOPY --from=b /bin/hello /\nCMD ./hello\n' >Dockerfile.string
printf 'FROM base\nCMD ["sleep", "1000"]\n' >Dockerfile.stays
printf 'FROM base\nCMD ["false"]\n' >Dockerfile.false
printf 'FROM base AS b\nWORKDIR /w\nRUN touch x\nFROM base\nCOPY --from=b x /\n' >Dockerfile.unbuilt
for v in works small string stays false unbuilt; do
	thimble build -q -t "v:$v" -f "Dockerfile.$v" . >/dev/null 2>&1
done
ok "compare" thimble compare --for 1 v:works v:small v:string v:stays v:false v:unbuilt
sed 's/^/# /' "$T/out"
like "$out" 'v:small.*works|small +.*works' "a static program works"
like "$out" 'stays.*works' "what is still running works"
like "$out" 'string.*fails' "no shell: fails"
like "$out" '"\./hello"' "with the JSON form"
like "$out" 'false.*fails' "status 1: fails"
like "$out" 'unbuilt.*not built' "a failed build has its row"
like "$out" '/w/x' "with its mend"
order=$(printf '%s\n' "$out" | grep -oE 'works|small|stays' | awk '!s[$0]++' | tr '\n' ' ')
like "$order" 'small.*' "smallest first"
fails 1 "--fail" thimble compare --fail --for 1 v:string
ok "--json" thimble compare --json --for 1 v:works v:small v:string v:unbuilt
cp "$T/out" json
ok "is JSON" python3 -m json.tool json
fails 1 "a name that is not there" thimble compare v:nosuch
like "$err" 'v:nosuch' "is named"
done_testing
