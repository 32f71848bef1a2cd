#!/bin/sh
# -o: a directory, a tar, archives; --iidfile; no tag.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base AS build
RUN mkdir /out && echo made >/out/file && chmod 640 /out/file && ln -s file /out/link
FROM scratch
COPY --from=build /out /
D
ok "-o DIR" thimble build -q -o dir .
is "$(cat dir/file) $(readlink dir/link) $(stat -c %a dir/file)" "made file 640" "holds the files"
ok "-o type=local" thimble build -q -o type=local,dest=dir2 .
is "$(cat dir2/file)" made "the same"
thimble build -q -o - . >out.tar
is "$(tar -xOf out.tar file 2>/dev/null || tar -xOf out.tar ./file)" made "-o - is a tar"
ok "-o type=tar" thimble build -q -o type=tar,dest=t.tar .
like "$(tar -tf t.tar)" 'file' "the same"
ok "-o type=oci" thimble build -q -o type=oci,dest=oci.tar .
like "$(tar -tf oci.tar)" 'oci-layout' "an OCI archive"
ok "-o type=docker" thimble build -q -o type=docker,dest=docker.tar .
like "$(tar -tf docker.tar)" 'manifest.json' "a docker archive"
ok "-o type=image,name=" thimble build -q -o type=image,name=named:1 .
like "$(thimble images -q named:1)" '^[0-9a-f]{12}$' "an image"
ok "--iidfile" thimble build -q --iidfile iid -t a -t b:2 .
is "$(cat iid)" "$(thimble images -q --no-trunc b:2)" "the id"
is "$(thimble build -q .)" "$(cat iid)" "-q prints it"
fails 1 "an output type that is none" thimble build -q -o type=zip,dest=x .
like "$err" 'zip' "is refused by name"
done_testing
