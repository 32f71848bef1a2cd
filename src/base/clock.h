/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock.h: times as text (RFC 3339) and ages for people. */
#pragma once
#include <stdint.h>
#include <time.h>
#include "base/attr.h"
#include "base/slice.h"

#define CLOCK_LEN 48
/* "2006-01-02T15:04:05.999999999Z", trailing zeros of the fraction cut as Go does. */
const char *clock_rfc3339(struct timespec t, char out[static CLOCK_LEN]);
int clock_parse(struct slice s, struct timespec *out) _must_check_; /* -1: not RFC 3339 */
struct timespec clock_now(void);
int64_t clock_mono_ns(void);
/* "3 hours ago" in Docker's words (go-units HumanDuration + " ago"). */
const char *clock_ago(struct timespec t, struct timespec now, char out[static CLOCK_LEN]);
/* Go durations ("1m30s", "500ms", "1h") in nanoseconds. */
int clock_parse_duration(struct slice s, int64_t *ns) _must_check_;
/* Go's Duration.String(): "1m30s", "0s". */
const char *clock_duration(int64_t ns, char out[static CLOCK_LEN]);
