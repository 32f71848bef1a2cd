/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/transfers.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/term.h"
#include "cli/cli.h"

enum { BAR = 24 };

struct transfers {
	struct cli *cli;
	enum progress_mode mode;
	bool push;
	struct transfer_events events;
	int64_t since; /* of the first call */
	bool *told; /* rows that are finished and said so */
	size_t told_n;
	unsigned drawn; /* lines on the terminal that are ours to replace */
};

static const char *word_of(const struct transfers *t, int state)
{
	static const char *const pull[] = { "Waiting",        "Downloading",    "Downloading",
					    "Already exists", "Already exists", "Pull complete" };
	static const char *const push[] = { "Waiting",
					    "Pushing",
					    "Compressing",
					    "Layer already exists",
					    "Mounted from another repository",
					    "Pushed" };
	return (t->push ? push : pull)[state];
}

static void erase(struct transfers *t)
{
	for (; t->drawn; t->drawn--)
		(void)fputs("\033[1A\033[2K", stderr);
}

static unsigned width(void)
{
	struct winsize size;
	bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
	return known ? size.ws_col : 80;
}

/* A line that is replaced later: it must not wrap. All of it is ASCII. */
static void draw(struct transfers *t, const char *line)
{
	(void)fprintf(stderr, "%.*s\n", (int)width() - 1, line);
	t->drawn++;
}

static void draw_row(struct transfers *t, const struct transfer_row *row)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	char done[NUM_SIZE_LEN], total[NUM_SIZE_LEN];
	int64_t have = row->done, all = row->total;
	buf_printf(&b, "%s: %-11s ", row->name, word_of(t, row->state));
	num_size((uint64_t)have, done);
	if (all > 0) {
		int64_t full = have >= all ? BAR : have * BAR / all;
		buf_char(&b, '[');
		for (int64_t i = 0; i < BAR; i++)
			buf_char(&b, i < full ? '=' : i == full ? '>' : ' ');
		buf_printf(&b, "] %s/%s", done, num_size((uint64_t)all, total));
	} else {
		buf_str(&b, done);
	}
	draw(t, b.p);
}

/* Rate and what is left, over everything whose size is known. */
static void draw_sum(struct transfers *t, const struct transfer_row *rows, size_t n)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	char size[NUM_SIZE_LEN], left[CLOCK_LEN];
	int64_t done = 0, all = 0, ns = clock_mono_ns() - t->since;
	bool known = true;
	for (size_t i = 0; i < n; i++) {
		int state = rows[i].state;
		if (state == TRANSFER_THERE || state == TRANSFER_MOUNTED)
			continue;
		done += rows[i].done;
		all += rows[i].total > 0 ? rows[i].total : 0;
		known = known && rows[i].total >= 0;
	}
	int64_t rate = ns > 0 ? (int64_t)((double)done * 1e9 / (double)ns) : 0;
	if (rate <= 0 || ns < 500000000)
		return;
	buf_printf(&b, "%s/s", num_size((uint64_t)rate, size));
	if (known && all > done)
		buf_printf(&b, ", %s left", clock_duration((all - done) / rate * 1000000000, left));
	draw(t, b.p);
}

static void tell_done(struct transfers *t, const struct transfer_row *row)
{
	(void)fprintf(stderr, "%s: %s\n", row->name, word_of(t, row->state));
}

static void moved(void *ctx, const struct transfer_row *rows, size_t n)
{
	struct transfers *t = ctx;
	if (t->told_n != n) {
		free(t->told);
		t->told = mem_array(n, sizeof *t->told);
		t->told_n = n;
		t->since = clock_mono_ns();
	}
	if (t->mode == PROGRESS_QUIET)
		return;
	erase(t);
	for (size_t i = 0; i < n; i++)
		if (rows[i].state >= TRANSFER_THERE && !t->told[i]) {
			t->told[i] = true;
			tell_done(t, &rows[i]);
		}
	if (t->mode != PROGRESS_TTY)
		return;
	bool moving = false;
	for (size_t i = 0; i < n; i++)
		if (rows[i].state == TRANSFER_RUNNING || rows[i].state == TRANSFER_PACKING) {
			draw_row(t, &rows[i]);
			moving = true;
		}
	if (moving)
		draw_sum(t, rows, n);
	(void)fflush(stderr);
}

static void note(void *ctx, const char *text)
{
	struct transfers *t = ctx;
	erase(t);
	cli_warn(t->cli, "%s", text);
}

struct transfers *transfers_new(struct cli *c, enum progress_mode mode, bool push)
{
	struct transfers *t = NEW(struct transfers);
	t->cli = c;
	t->mode = mode;
	t->push = push;
	t->events = (struct transfer_events){ t, moved, note };
	return t;
}

const struct transfer_events *transfers_events(struct transfers *t)
{
	return &t->events;
}

void transfers_free(struct transfers *t)
{
	if (!t)
		return;
	erase(t);
	(void)fflush(stderr);
	free(t->told);
	free(t);
}
