/* When which organisation used data: cases counted in days, months or years, one row an organisation. What
 * the picture and its table show, so that they cannot differ. Pure. */
#pragma once

#include <glib.h>

typedef enum { BUCKET_DAY, BUCKET_MONTH, BUCKET_YEAR } BucketKind;

#define BUCKETS_MAX 60

typedef struct {
    int year, month, day; /* month 1..12 unless BUCKET_YEAR; day 1..31 for BUCKET_DAY; else 0 */
} Bucket;

typedef struct {
    BucketKind kind;
    Bucket buckets[BUCKETS_MAX];
    guint n_buckets;
    guint n_rows;
    guint *counts; /* [row * BUCKETS_MAX + bucket] */
    guint highest; /* of one bucket of one row */
} Timeline;

void timeline_free(Timeline *timeline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Timeline, timeline_free)

/* Empty rows from the day of `from_ms` to that of `until_ms`, in `zone`: by day up to 31 days, by month up to
 * 24 months, else by year; the last BUCKETS_MAX of them. */
Timeline *timeline_new(gint64 from_ms, gint64 until_ms, GTimeZone *zone, guint n_rows);

/* Counts one case; what lies outside is not counted and gives FALSE. */
gboolean timeline_add(Timeline *timeline, guint row, gint64 at_ms, GTimeZone *zone);

guint timeline_count(const Timeline *timeline, guint row, guint bucket);
guint timeline_row_sum(const Timeline *timeline, guint row);
guint timeline_bucket_sum(const Timeline *timeline, guint bucket);
