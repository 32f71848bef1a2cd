/* SPDX-License-Identifier: Apache-2.0 */
#include "base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t pending;
static int event = -1;

static void on_signal(int sig)
{
	int no = errno;
	const uint64_t one = 1;
	if (pending) { /* once more: at once */
		(void)signal(sig, SIG_DFL);
		(void)raise(sig);
	}
	pending = sig;
	if (event >= 0)
		(void)!write(event, &one, sizeof one);
	errno = no;
}

void interrupt_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal }, old; /* without SA_RESTART */
	if (event < 0)
		event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); /* without it a signal is seen later */
	(void)sigemptyset(&sa.sa_mask);
	for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &sa, NULL);
}

int interrupt_pending(void)
{
	return pending;
}

int interrupt_fd(void)
{
	return event;
}
