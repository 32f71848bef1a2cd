#!/bin/sh
# COPY --from with a path that is not there says where the file is, and the line to write instead.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base AS build
WORKDIR /go
RUN echo x >hello
FROM base
COPY --from=build hello .
CMD ["./hello"]
D
fails 1 "a relative path against the WORKDIR" thimble build --progress quiet -t it .
like "$err" '/hello' "the file that was looked for"
like "$err" '/go' "the WORKDIR"
like "$err" '/go/hello' "where the file is"
like "$err" 'COPY --from=build /go/hello \.' "the line to write instead"
like "$err" 'Dockerfile:5' "the place"
golden "$T/err" build-copy-from-miss.txt "the whole text"
run thimble images it
unlike "$out" '[0-9a-f]{12}' "no image came of it"

dockerfile <<'D'
FROM base AS build
RUN mkdir -p /usr/local/bin && echo x >/usr/local/bin/program
FROM base
COPY --from=build /usr/local/bin/progam /bin/
D
fails 1 "a typing error" thimble build --progress quiet .
like "$err" '/usr/local/bin/program' "the near match"

dockerfile <<'D'
FROM base
COPY --from=nosuchstage /x /
D
fails 1 "a stage that is not there" thimble build --progress quiet .
like "$err" 'nosuchstage' "is named"
done_testing
