/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/term.h"

bool log_on;

void log_debug_(const char *file, int line, const char *fmt, ...)
{
	int saved = errno;
	_cleanup_(buf_done) struct buf text = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);

	_cleanup_(buf_done) struct buf out = { 0 };
	int64_t us = clock_mono_ns() / 1000;
	const char *src = strstr(file, "src/");
	buf_printf(&out, "debug %lld.%06lld [%d] %s:%d: ", (long long)(us / 1000000),
		   (long long)(us % 1000000), (int)getpid(), src ? src + 4 : file, line);
	term_escape(buf_view(&text), false, &out);
	buf_char(&out, '\n');
	/* one write, so that lines of several processes do not mix; a lost one does not matter */
	ssize_t n = write(STDERR_FILENO, out.p, out.len);
	(void)n;
	errno = saved;
}
