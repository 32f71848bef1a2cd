/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/retry.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "base/num.h"

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)
enum { FIRST_MS = 200, MOST_MS = 10000, DOUBLINGS = 6 };

bool retry_status(int status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

int64_t retry_after(const char *header)
{
	struct slice s = slice_trim(slice_of(header));
	struct tm tm = { 0 };
	uint64_t n;
	if (!header)
		return -1;
	if (num_parse(s, INT64_MAX / SECOND, &n) == 0)
		return (int64_t)n * SECOND;
	/* No locale is ever set, so the names of days and months are C's, which are HTTP's. */
	const char *end = strptime(header, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (!end || *end)
		return -1;
	int64_t wait = (int64_t)timegm(&tm) - (int64_t)time(NULL);
	if (wait > INT64_MAX / SECOND)
		return INT64_MAX;
	return wait > 0 ? wait * SECOND : 0;
}

/* Up to a quarter more, so that those who failed together do not come back together. */
static int64_t jitter(int64_t ns)
{
	uint16_t r = 0;
	(void)!getrandom(&r, sizeof r, GRND_NONBLOCK);
	return ns + ns / 4 * r / UINT16_MAX;
}

int64_t retry_pause(unsigned attempt, int64_t after)
{
	const char *test = getenv("THIMBLE_TEST_RETRY_MS");
	uint64_t ms;
	if (test && num_parse(slice_of(test), 60000, &ms) == 0)
		return (int64_t)ms * MS;
	if (after >= 0)
		return after;
	ms = attempt < DOUBLINGS ? (uint64_t)FIRST_MS << attempt : MOST_MS;
	return jitter((int64_t)(ms < MOST_MS ? ms : MOST_MS) * MS);
}

int retry_wait(int64_t ns, struct err *e)
{
	int64_t end = clock_mono_ns() + ns, left;
	struct pollfd sig = { interrupt_fd(), POLLIN, 0 };
	while (!interrupt_pending() && (left = end - clock_mono_ns()) > 0) {
		struct timespec t = { left / SECOND, left % SECOND };
		(void)ppoll(&sig, sig.fd >= 0, &t, NULL); /* woken early: looked at above */
	}
	if (!interrupt_pending())
		return 0;
	errno = EINTR;
	return err_sys(e, "wait before another try");
}
