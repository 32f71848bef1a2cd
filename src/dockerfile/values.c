/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/values.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"

const char *nearest_name(struct slice word, const char *const *names, size_t n)
{
	enum { FAR = 2, LONGEST = 128 };
	if (word.n == 0 || word.n > LONGEST)
		return NULL;
	char low[LONGEST], other[LONGEST];
	for (size_t i = 0; i < word.n; i++)
		low[i] = (char)tolower((unsigned char)word.p[i]);
	const char *best = NULL;
	size_t best_distance = FAR + 1;
	for (size_t k = 0; k < n; k++) {
		size_t len = strlen(names[k]);
		if (len > LONGEST)
			continue;
		for (size_t i = 0; i < len; i++)
			other[i] = (char)tolower((unsigned char)names[k][i]);
		size_t d = slice_distance((struct slice){ low, word.n }, (struct slice){ other, len }, FAR);
		/* Of equally near ones the one that begins alike: RNU is RUN, not ENV. */
		bool alike = best && d == best_distance && low[0] == other[0] &&
			     tolower((unsigned char)best[0]) != low[0];
		if ((d < best_distance || alike) && d < word.n) {
			best = names[k];
			best_distance = d;
		}
	}
	return best;
}

int bool_parse(struct slice s, bool *out)
{
	if (slice_eq_nocase(s, SL("true")))
		*out = true;
	else if (slice_eq_nocase(s, SL("false")))
		*out = false;
	else
		return -1;
	return 0;
}

/* ---- EXPOSE ---- */

/* "80" or "80-90". */
static int port_range(struct slice s, unsigned *first, unsigned *last)
{
	struct slice low, high = s;
	uint64_t a, b;
	if (!slice_split(&high, '-', &low))
		return -1;
	if (num_parse(low, 65535, &a) < 0)
		return -1;
	b = a;
	if (high.p && num_parse(high, 65535, &b) < 0)
		return -1;
	*first = (unsigned)a;
	*last = (unsigned)b;
	return a <= b ? 0 : -1;
}

/* Cuts "ip:host:container" down to container; ip may be in brackets. */
static int container_part(struct slice *s, bool *odd)
{
	size_t colon = slice_rfind(*s, ':');
	if (colon == s->n)
		return 0;
	*odd = true;
	struct slice before = slice_head(*s, colon);
	unsigned a, b;
	size_t ip_end = slice_rfind(before, ':');
	struct slice host = ip_end < before.n ? slice_from(before, ip_end + 1) : before;
	if (host.n && port_range(host, &a, &b) < 0)
		return -1;
	*s = slice_from(*s, colon + 1);
	return 0;
}

int expose_parse(struct slice arg, struct strs *ports, unsigned *odd, struct err *e)
{
	size_t slash = slice_find(arg, '/');
	struct slice port = slice_head(arg, slash);
	struct slice proto = slash < arg.n ? slice_from(arg, slash + 1) : SL("tcp");
	static const char *const protos[] = { "tcp", "udp", "sctp" };
	const char *known = NULL;
	for (size_t i = 0; i < COUNT_OF(protos); i++)
		if (slice_eq_nocase(proto, slice_of(protos[i])))
			known = protos[i];
	if (!known) {
		err_set(e, ERR_USER, "invalid proto: '%.*s' in EXPOSE %.*s", SLF(proto), SLF(arg));
		return err_hint(e, "allowed are tcp, udp and sctp");
	}
	bool odd_form = false;
	unsigned first, last;
	if (container_part(&port, &odd_form) < 0 || port_range(port, &first, &last) < 0) {
		err_set(e, ERR_USER, "invalid containerPort: '%.*s' in EXPOSE", SLF(arg));
		return err_hint(e, "write PORT or FIRST-LAST, each 0 to 65535, then /tcp, /udp or /sctp");
	}
	for (unsigned p = first; ports && p <= last; p++)
		strs_addf(ports, "%u/%s", p, known);
	if (odd)
		*odd |= (odd_form ? EXPOSE_ODD_FORM : 0u) |
			(slice_is(proto, known) ? 0u : EXPOSE_ODD_CASE);
	return 0;
}

/* ---- STOPSIGNAL ---- */

/* Linux, generic numbers; not the libc's, whose names need not be those of the image. */
static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "ABRT", 6 },	  { "ALRM", 14 },   { "BUS", 7 },     { "CHLD", 17 },	{ "CLD", 17 },
	{ "CONT", 18 },	  { "FPE", 8 },	    { "HUP", 1 },     { "ILL", 4 },	{ "INT", 2 },
	{ "IO", 29 },	  { "IOT", 6 },	    { "KILL", 9 },    { "PIPE", 13 },	{ "POLL", 29 },
	{ "PROF", 27 },	  { "PWR", 30 },    { "QUIT", 3 },    { "SEGV", 11 },	{ "STKFLT", 16 },
	{ "STOP", 19 },	  { "SYS", 31 },    { "TERM", 15 },   { "TRAP", 5 },	{ "TSTP", 20 },
	{ "TTIN", 21 },	  { "TTOU", 22 },   { "URG", 23 },    { "USR1", 10 },	{ "USR2", 12 },
	{ "VTALRM", 26 }, { "WINCH", 28 },  { "XCPU", 24 },   { "XFSZ", 25 },	{ "RTMIN", 34 },
	{ "RTMAX", 64 },
};

static int signal_number(struct slice s)
{
	uint64_t n;
	if (num_parse(s, 64, &n) == 0)
		return n ? (int)n : -1;
	if (s.n > 3 && slice_eq_nocase(slice_head(s, 3), SL("SIG")))
		s = slice_from(s, 3);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		if (slice_eq_nocase(s, slice_of(signals[i].name)))
			return signals[i].number;
	if (s.n > 6 && slice_eq_nocase(slice_head(s, 6), SL("RTMIN+")) &&
	    num_parse(slice_from(s, 6), 15, &n) == 0)
		return 34 + (int)n;
	if (s.n > 6 && slice_eq_nocase(slice_head(s, 6), SL("RTMAX-")) &&
	    num_parse(slice_from(s, 6), 14, &n) == 0)
		return 64 - (int)n;
	return -1;
}

int stopsignal_parse(struct slice s, struct err *e)
{
	int n = signal_number(s);
	if (n > 0)
		return n;
	err_set(e, ERR_USER, "invalid signal: '%.*s'", SLF(s));
	const char *names[COUNT_OF(signals)];
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		names[i] = signals[i].name;
	struct slice bare = s.n > 3 && slice_eq_nocase(slice_head(s, 3), SL("SIG")) ? slice_from(s, 3) : s;
	const char *near = nearest_name(bare, names, COUNT_OF(signals));
	return err_hint(e, near ? "did you mean SIG%s?" : "write a name such as SIGTERM, or a number from 1 to 64",
			near);
}

/* ---- HEALTHCHECK ---- */

int health_duration(struct slice s, const char *flag, int64_t *ns, struct err *e)
{
	int64_t v = 0;
	if (s.n && clock_parse_duration(s, &v) < 0) {
		err_set(e, ERR_USER, "--%s: invalid duration '%.*s'", flag, SLF(s));
		return err_hint(e, "write a number with a unit: 30s, 1m30s, 500ms");
	}
	if (v < 0 || (v > 0 && v < 1000000))
		return err_set(e, ERR_USER, "--%s: '%.*s' cannot be less than 1ms", flag, SLF(s));
	*ns = v;
	return 0;
}

/* ---- chmod ---- */

static int bad_mode(struct slice s, bool octal, struct err *e)
{
	if (octal)
		err_set(e, ERR_USER, "invalid chmod parameter: '%.*s'. it should be octal string and between 0 and 07777",
			SLF(s));
	else
		err_set(e, ERR_USER, "invalid chmod parameter: '%.*s'", SLF(s));
	return err_hint(e, "write an octal mode (0755) or a symbolic one (u=rwX,go=rX)");
}

/* Up to the operator: which classes. None named means all, as with a umask of 0. */
static uint16_t take_who(struct slice *s)
{
	uint16_t who = 0;
	for (; s->n; *s = slice_from(*s, 1)) {
		switch (s->p[0]) {
		case 'u': who |= 04700; break;
		case 'g': who |= 02070; break;
		case 'o': who |= 01007; break;
		case 'a': who |= 07777; break;
		default: return who ? who : 07777;
		}
	}
	return who ? who : 07777;
}

/* One operator and its permissions. */
static int take_clause(struct slice *s, uint16_t who, struct chmod_spec *out)
{
	if (s->n == 0 || !strchr("+-=", s->p[0]) || out->n == CHMOD_CLAUSES)
		return -1;
	struct chmod_clause c = { .who = who, .op = s->p[0] };
	for (*s = slice_from(*s, 1); s->n; *s = slice_from(*s, 1)) {
		char p = s->p[0];
		if (p == 'u' || p == 'g' || p == 'o') {
			if (c.copy || c.perm || c.exec_if)
				return -1;
			c.copy = p;
			continue;
		}
		uint16_t bit = p == 'r' ? 0444 : p == 'w' ? 0222 : p == 'x' ? 0111 : p == 's' ? 06000 :
			       p == 't' ? 01000 : 0;
		if (!bit && p != 'X')
			break;
		if (c.copy)
			return -1;
		c.perm |= bit;
		c.exec_if = c.exec_if || p == 'X';
	}
	out->clauses[out->n++] = c;
	return 0;
}

int chmod_parse(struct slice s, struct chmod_spec *out, struct err *e)
{
	struct chmod_spec c = { 0 };
	uint64_t mode;
	if (s.n && isdigit((unsigned char)s.p[0])) {
		if (num_parse_octal(s, 07777, &mode) < 0)
			return bad_mode(s, true, e);
		*out = (struct chmod_spec){ .is_octal = true, .mode = (uint32_t)mode };
		return 0;
	}
	struct slice rest = s, part;
	while (slice_split(&rest, ',', &part)) {
		uint16_t who = take_who(&part);
		do {
			if (take_clause(&part, who, &c) < 0)
				return bad_mode(s, false, e);
		} while (part.n);
	}
	if (c.n == 0)
		return bad_mode(s, false, e);
	*out = c;
	return 0;
}

static uint32_t apply_clause(const struct chmod_clause *c, uint32_t mode, bool is_dir)
{
	uint32_t bits = c->perm;
	if (c->exec_if && (is_dir || (mode & 0111)))
		bits |= 0111;
	if (c->copy) {
		uint32_t of = mode >> (c->copy == 'u' ? 6 : c->copy == 'g' ? 3 : 0) & 07;
		bits = of * 0111;
	}
	bits &= c->who;
	if (c->op == '+')
		return mode | bits;
	if (c->op == '-')
		return mode & ~bits;
	/* '=' leaves setuid and setgid of directories alone, as chmod(1) does */
	uint32_t clear = c->who & (is_dir ? 01777 : 07777);
	return (mode & ~clear) | bits;
}

uint32_t chmod_apply(const struct chmod_spec *c, uint32_t mode, bool is_dir)
{
	if (c->is_octal)
		return c->mode;
	for (unsigned i = 0; i < c->n; i++)
		mode = apply_clause(&c->clauses[i], mode, is_dir);
	return mode & 07777;
}
