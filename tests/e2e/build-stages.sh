#!/bin/sh
# Stages by name and number, --target, and only those that are needed.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base AS first
RUN echo first >/name
FROM first AS second
RUN echo second >/name
FROM base AS broken
RUN echo "this must not run" && exit 3
FROM scratch AS last
COPY --from=0 /name /first
COPY --from=second /name /second
COPY --from=base /bin/cat /bin/cat
D
ok "builds without the broken stage" thimble build -q -t it .
is "$(thimble run --rm it /bin/cat /first /second | tr '\n' ' ')" 'first second ' "copied from both"
ok "--target second" thimble build -q -t target --target second .
is "$(thimble run --rm target cat /name)" second "stops there"
ok "--target in another case" thimble build -q -t target --target FIRST .
is "$(thimble run --rm target cat /name)" first "stops there"
fails 1 "--target by number is none" thimble build -q -t target --target 0 .
fails 1 "--target broken" thimble build -q -t target --target broken .
like "$err" 'RUN echo' "names the step"
like "$err" '3' "and its exit status"
like "$err" 'Dockerfile:6' "and the line"
fails 1 "--target of no stage" thimble build -q --target secnd .
like "$err" "secnd" "names it"
like "$err" "second" "and the nearest"
done_testing
