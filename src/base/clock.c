/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/num.h"

enum { NS = 1000000000, DAY = 86400 };

/* Days since 1970-01-01 of a date in the Gregorian calendar, and back; months count from 1. The
 * year starts in March here, so that leap days come last. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t of_era = days - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;
	*day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = y + era * 400 + (*month <= 2);
}

const char *clock_rfc3339(struct timespec t, char out[static CLOCK_LEN])
{
	int64_t days = t.tv_sec / DAY, second = t.tv_sec % DAY;
	if (second < 0) {
		second += DAY;
		days--;
	}
	int64_t year;
	unsigned month, day;
	date_of(days, &year, &month, &day);
	int n = snprintf(out, CLOCK_LEN, "%04" PRId64 "-%02u-%02uT%02d:%02d:%02d", year, month, day,
			 (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
	if (t.tv_nsec > 0) {
		n += snprintf(out + n, CLOCK_LEN - (size_t)n, ".%09ld", t.tv_nsec);
		while (out[n - 1] == '0')
			n--;
	}
	out[n] = 'Z';
	out[n + 1] = '\0';
	return out;
}

/* `digits` digits at the start of *s. */
static bool take_number(struct slice *s, size_t digits, unsigned *out)
{
	uint64_t v;
	if (s->n < digits || num_parse(slice_head(*s, digits), 9999, &v) < 0)
		return false;
	*out = (unsigned)v;
	*s = slice_from(*s, digits);
	return true;
}

static bool take_char(struct slice *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

static bool is_date(unsigned year, unsigned month, unsigned day)
{
	static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (month < 1 || month > 12 || day < 1)
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return day <= lengths[month - 1] + (unsigned)(leap && month == 2);
}

/* What follows the point; digits past the ninth are read and dropped, as Go does. */
static bool take_fraction(struct slice *s, long *ns)
{
	size_t n = 0;
	long v = 0;
	for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		if (n < 9)
			v = v * 10 + (s->p[n] - '0');
	if (n == 0)
		return false;
	for (size_t i = n; i < 9; i++)
		v *= 10;
	*ns = v;
	*s = slice_from(*s, n);
	return true;
}

static bool take_zone(struct slice *s, int *seconds_east)
{
	*seconds_east = 0;
	if (take_char(s, 'Z'))
		return true;
	bool west = s->n && s->p[0] == '-';
	if (!take_char(s, west ? '-' : '+'))
		return false;
	unsigned hours, minutes;
	if (!take_number(s, 2, &hours) || !take_char(s, ':') || !take_number(s, 2, &minutes) ||
	    hours > 24 || minutes > 59)
		return false;
	*seconds_east = (int)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

int clock_parse(struct slice s, struct timespec *out)
{
	unsigned year, month, day, hour, minute, second;
	if (!take_number(&s, 4, &year) || !take_char(&s, '-') || !take_number(&s, 2, &month) ||
	    !take_char(&s, '-') || !take_number(&s, 2, &day) || !is_date(year, month, day))
		return -1;
	if (!take_char(&s, 'T') || !take_number(&s, 2, &hour) || !take_char(&s, ':') ||
	    !take_number(&s, 2, &minute) || !take_char(&s, ':') || !take_number(&s, 2, &second) ||
	    hour > 23 || minute > 59 || second > 59)
		return -1;
	long ns = 0;
	int east;
	if (take_char(&s, '.') && !take_fraction(&s, &ns))
		return -1;
	if (!take_zone(&s, &east) || s.n)
		return -1;
	out->tv_sec = days_of(year, month, day) * DAY + (int)(hour * 3600 + minute * 60 + second) -
		      east;
	out->tv_nsec = ns;
	return 0;
}

struct timespec clock_now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

int64_t clock_mono_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

const char *clock_ago(struct timespec t, struct timespec now, char out[static CLOCK_LEN])
{
	int64_t seconds;
	if (ckd_sub(&seconds, (int64_t)now.tv_sec, (int64_t)t.tv_sec))
		seconds = 0;
	seconds -= now.tv_nsec < t.tv_nsec;
	/* docker/go-units, HumanDuration: hours are rounded, all else cut */
	int64_t minutes = seconds / 60, hours = minutes / 60 + (minutes % 60 >= 30);
	const char *what;
	int64_t n = 0;
	if (seconds < 1)
		what = "Less than a second";
	else if (seconds == 1)
		what = "1 second";
	else if (seconds < 60)
		n = seconds, what = "seconds";
	else if (minutes == 1)
		what = "About a minute";
	else if (minutes < 60)
		n = minutes, what = "minutes";
	else if (hours == 1)
		what = "About an hour";
	else if (hours < 48)
		n = hours, what = "hours";
	else if (hours / 24 < 14)
		n = hours / 24, what = "days";
	else if (hours / 24 < 60)
		n = hours / 24 / 7, what = "weeks";
	else if (hours / 24 < 730)
		n = hours / 24 / 30, what = "months";
	else
		n = minutes / 60 / 24 / 365, what = "years";
	if (n)
		(void)snprintf(out, CLOCK_LEN, "%" PRId64 " %s ago", n, what);
	else
		(void)snprintf(out, CLOCK_LEN, "%s ago", what);
	return out;
}

struct unit {
	const char *name;
	int64_t ns;
};

static const struct unit units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\u00b5s", 1000 },
	{ "\u03bcs", 1000 }, /* the micro sign, and the Greek letter */
	{ "ms", 1000000 },
	{ "s", NS },
	{ "m", INT64_C(60) * NS },
	{ "h", INT64_C(3600) * NS },
};

/* Digits as a number; how many there were. Past 2^63 it fails with SIZE_MAX. */
static size_t take_digits(struct slice *s, uint64_t *v)
{
	size_t n = 0;
	for (*v = 0; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		if (ckd_mul(v, *v, 10) || ckd_add(v, *v, (unsigned)(s->p[n] - '0')) ||
		    *v > (uint64_t)INT64_MAX + 1)
			return SIZE_MAX;
	*s = slice_from(*s, n);
	return n;
}

/* As long as digits fit; more of them say nothing that a nanosecond could show. */
static size_t take_part(struct slice *s, double *part)
{
	size_t n = 0;
	double scale = 1;
	for (*part = 0; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		if (n < 18) {
			*part = *part * 10 + (s->p[n] - '0');
			scale *= 10;
		}
	*part /= scale;
	*s = slice_from(*s, n);
	return n;
}

/* "1.5h" at the start of *s, added to *sum. */
static int take_term(struct slice *s, uint64_t *sum)
{
	uint64_t whole;
	double part = 0;
	size_t before = take_digits(s, &whole), after = 0;
	if (before == SIZE_MAX)
		return -1;
	if (take_char(s, '.'))
		after = take_part(s, &part);
	if (before + after == 0)
		return -1;

	size_t n = 0;
	while (n < s->n && s->p[n] != '.' && !(s->p[n] >= '0' && s->p[n] <= '9'))
		n++;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (!slice_is(slice_head(*s, n), units[i].name))
			continue;
		*s = slice_from(*s, n);
		return ckd_mul(&whole, whole, (uint64_t)units[i].ns) || ckd_add(sum, *sum, whole) ||
				       ckd_add(sum, *sum, (uint64_t)(part * (double)units[i].ns)) ||
				       *sum > (uint64_t)INT64_MAX + 1
			       ? -1
			       : 0;
	}
	return -1;
}

int clock_parse_duration(struct slice s, int64_t *ns)
{
	bool minus = s.n && s.p[0] == '-';
	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		s = slice_from(s, 1);
	uint64_t sum = 0;
	if (s.n == 0)
		return -1;
	if (slice_is(s, "0"))
		s.n = 0;
	while (s.n)
		if (take_term(&s, &sum) < 0)
			return -1;
	if (sum > INT64_MAX && !minus)
		return -1;
	*ns = minus ? (int64_t)(0 - sum) : (int64_t)sum;
	return 0;
}

/* v as whole.fraction of 10^digits, without trailing zeros. */
static int put_decimal(char *out, size_t room, uint64_t v, unsigned digits)
{
	uint64_t scale = 1;
	for (unsigned i = 0; i < digits; i++)
		scale *= 10;
	uint64_t part = v % scale;
	if (part == 0)
		return snprintf(out, room, "%" PRIu64, v / scale);
	while (part % 10 == 0) {
		part /= 10;
		digits--;
	}
	return snprintf(out, room, "%" PRIu64 ".%0*" PRIu64, v / scale, (int)digits, part);
}

const char *clock_duration(int64_t ns, char out[static CLOCK_LEN])
{
	uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	size_t n = 0;
	if (ns < 0)
		out[n++] = '-';
	if (v < NS) {
		const char *unit = v == 0 ? "s" : v < 1000 ? "ns" : v < 1000000 ? "\u00b5s" : "ms";
		unsigned digits = v < 1000 ? 0 : v < 1000000 ? 3 : 6;
		n += (size_t)put_decimal(out + n, CLOCK_LEN - n, v, digits);
		(void)snprintf(out + n, CLOCK_LEN - n, "%s", unit);
		return out;
	}
	uint64_t minutes = v / NS / 60, hours = minutes / 60;
	if (hours)
		n += (size_t)snprintf(out + n, CLOCK_LEN - n, "%" PRIu64 "h", hours);
	if (minutes)
		n += (size_t)snprintf(out + n, CLOCK_LEN - n, "%" PRIu64 "m", minutes % 60);
	n += (size_t)put_decimal(out + n, CLOCK_LEN - n, v - minutes * 60 * NS, 9);
	(void)snprintf(out + n, CLOCK_LEN - n, "s");
	return out;
}
