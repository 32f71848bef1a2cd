/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/term.h"
#include "cli/cli.h"

struct step {
	char *title;
	int64_t since;
	struct buf line[2]; /* stdout, stderr: what has no newline yet */
	bool running;
};

struct progress {
	struct cli *cli;
	enum progress_mode mode;
	struct build_events events;
	ARRAY_OF(struct step) steps; /* by number */
	struct buf warnings;
	unsigned running;
	bool moving;                 /* the last line on the terminal is ours to replace */
	char last[160];              /* last line of output, for the moving line */
};

enum progress_mode progress_mode(const char *word)
{
	if (word && strcmp(word, "plain") == 0)
		return PROGRESS_PLAIN;
	if (word && strcmp(word, "tty") == 0)
		return PROGRESS_TTY;
	if (word && strcmp(word, "quiet") == 0)
		return PROGRESS_QUIET;
	return isatty(STDERR_FILENO) ? PROGRESS_TTY : PROGRESS_PLAIN;
}

static struct step *step_at(struct progress *p, unsigned n)
{
	while (p->steps.n <= n)
		(void) arr_add(&p->steps);
	return &p->steps.p[n];
}

static void clear_moving(struct progress *p)
{
	if (p->moving)
		(void) fputs("\r\033[K", stderr);
	p->moving = false;
}

/* One line of text that came from outside. */
static void put_line(const char *before, struct slice text)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	term_escape(text, true, &b); /* tabs stay; a newline is only in titles of here-documents */
	(void) fprintf(stderr, "%s%s\n", before, b.p ? b.p : "");
}

static void show_moving(struct progress *p)
{
	if (p->mode != PROGRESS_TTY || p->running == 0)
		return;
	struct winsize size;
	size_t width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
	const char *title = "";
	arr_each(s, &p->steps)
		if (s->running && s->title)
			title = s->title;
	_cleanup_(buf_done) struct buf raw = { 0 }, line = { 0 };
	if (p->running > 1)
		buf_printf(&raw, " => %u steps running: %s", p->running, title);
	else
		buf_printf(&raw, " => %s", title);
	if (*p->last)
		buf_printf(&raw, " | %s", p->last);
	term_escape(buf_view(&raw), false, &line);
	clear_moving(p);
	/* Cut by bytes is good enough for a line that is gone in a moment, but not inside a character. */
	size_t n = line.len < width ? line.len : width - 1;
	while (n > 0 && n < line.len && ((unsigned char)line.p[n] & 0xc0) == 0x80)
		n--;
	(void) fwrite(line.p, 1, n, stderr);
	p->moving = true;
}

static void on_started(void *ctx, unsigned n, const char *title)
{
	struct progress *p = ctx;
	struct step *s = step_at(p, n);
	s->title = str_dup(title);
	s->since = clock_mono_ns();
	s->running = true;
	p->running++;
	if (p->mode == PROGRESS_PLAIN) {
		char head[24];
		(void) snprintf(head, sizeof head, "#%u ", n);
		put_line(head, slice_of(title));
	}
	show_moving(p);
}

static void on_cached(void *ctx, unsigned n, const char *title)
{
	struct progress *p = ctx;
	if (p->mode == PROGRESS_PLAIN) {
		char head[24];
		(void) snprintf(head, sizeof head, "#%u ", n);
		put_line(head, slice_of(title));
		(void) fprintf(stderr, "#%u CACHED\n", n);
	} else if (p->mode == PROGRESS_TTY) {
		clear_moving(p);
		put_line(" => CACHED ", slice_of(title));
		show_moving(p);
	}
}

static void end_lines(struct progress *p, unsigned n, struct step *s)
{
	for (int i = 0; i < 2; i++) {
		if (p->mode == PROGRESS_PLAIN && s->line[i].len) {
			char head[48];
			(void) snprintf(head, sizeof head, "#%u %.3f ", n, (double)(clock_mono_ns() - s->since) / 1e9);
			put_line(head, buf_view(&s->line[i]));
		}
		buf_done(&s->line[i]);
	}
	s->running = false;
	p->running--;
}

static void on_done(void *ctx, unsigned n, int64_t ns)
{
	struct progress *p = ctx;
	struct step *s = step_at(p, n);
	end_lines(p, n, s);
	if (p->mode == PROGRESS_PLAIN) {
		(void) fprintf(stderr, "#%u DONE %.1fs\n", n, (double)ns / 1e9);
	} else if (p->mode == PROGRESS_TTY) {
		_free_ char *line = str_printf("%s  %.1fs", s->title, (double)ns / 1e9);
		clear_moving(p);
		*p->last = 0;
		put_line(" => ", slice_of(line));
		show_moving(p);
	}
}

static void on_failed(void *ctx, unsigned n, int64_t ns)
{
	struct progress *p = ctx;
	struct step *s = step_at(p, n);
	end_lines(p, n, s);
	if (p->mode == PROGRESS_PLAIN) {
		(void) fprintf(stderr, "#%u ERROR after %.1fs\n", n, (double)ns / 1e9);
	} else if (p->mode == PROGRESS_TTY) {
		clear_moving(p);
		put_line(p->cli->color ? " \033[31m=> ERROR\033[0m " : " => ERROR ", slice_of(s->title));
		show_moving(p);
	}
}

static void one_line(struct progress *p, unsigned n, struct step *s, struct slice line)
{
	if (p->mode == PROGRESS_PLAIN) {
		char head[48];
		(void) snprintf(head, sizeof head, "#%u %.3f ", n, (double)(clock_mono_ns() - s->since) / 1e9);
		put_line(head, line);
	} else if (line.n) {
		size_t len = line.n < sizeof p->last - 1 ? line.n : sizeof p->last - 1;
		memcpy(p->last, line.p, len);
		p->last[len] = 0;
	}
}

static void on_output(void *ctx, unsigned n, bool is_stderr, struct slice bytes)
{
	struct progress *p = ctx;
	struct step *s = step_at(p, n);
	struct buf *b = &s->line[is_stderr];
	while (bytes.n) {
		size_t at = slice_find(bytes, '\n');
		buf_slice(b, slice_head(bytes, at));
		bool whole = at < bytes.n;
		bytes = slice_from(bytes, whole ? at + 1 : at);
		if (!whole && b->len < 65536)
			break;
		/* A progress bar rewrites its line: the last state is what counts. */
		struct slice line = slice_trim_right(buf_view(b));
		size_t cr = slice_rfind(line, '\r');
		one_line(p, n, s, cr < line.n ? slice_from(line, cr + 1) : line);
		buf_clear(b);
	}
	show_moving(p);
}

static void on_note(void *ctx, const char *text)
{
	struct progress *p = ctx;
	if (p->mode == PROGRESS_QUIET)
		return;
	clear_moving(p);
	put_line(" => ", slice_of(text));
}

/* Warnings come at the end, where they are seen. */
static void on_warned(void *ctx, const struct build_warning *w)
{
	struct progress *p = ctx;
	buf_str(&p->warnings, "thimble: warning: ");
	if (w->rule)
		buf_printf(&p->warnings, "%s: ", w->rule);
	term_escape(slice_of(w->text), false, &p->warnings);
	if (w->span && w->span->file)
		buf_printf(&p->warnings, " (%s:%u)", w->span->file, w->span->first);
	buf_char(&p->warnings, '\n');
}

struct progress *progress_new(struct cli *c, enum progress_mode mode)
{
	struct progress *p = NEW(struct progress);
	p->cli = c;
	p->mode = mode;
	p->events = (struct build_events){ .ctx = p, .started = on_started, .cached = on_cached,
					   .output = on_output, .done = on_done, .failed = on_failed,
					   .note = on_note, .warned = on_warned };
	return p;
}

const struct build_events *progress_events(struct progress *p)
{
	return &p->events;
}

void progress_end(struct progress *p)
{
	clear_moving(p);
	if (p->mode != PROGRESS_QUIET && p->warnings.len)
		(void) fwrite(p->warnings.p, 1, p->warnings.len, stderr);
	buf_done(&p->warnings);
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	arr_each(s, &p->steps) {
		free(s->title);
		buf_done(&s->line[0]);
		buf_done(&s->line[1]);
	}
	arr_done(&p->steps);
	buf_done(&p->warnings);
	free(p);
}
