#include "components/inzage/timeline.h"

#define DAYS_MAX 31
#define MONTHS_MAX 24

void timeline_free(Timeline *timeline)
{
    if (timeline == NULL)
        return;
    g_free(timeline->counts);
    g_free(timeline);
}

/* The first moment of a day, month or year in the zone. NULL beyond the calendar (the last hours of 9999). */
static GDateTime *start_of(BucketKind kind, gint64 at_ms, GTimeZone *zone)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(at_ms / 1000);
    g_autoptr(GDateTime) local = utc == NULL ? NULL : g_date_time_to_timezone(utc, zone);
    int year, month, day;
    if (local == NULL)
        return NULL;
    g_date_time_get_ymd(local, &year, &month, &day);
    return g_date_time_new(zone, year, kind == BUCKET_YEAR ? 1 : month, kind == BUCKET_DAY ? day : 1, 0, 0,
                           0);
}

static GDateTime *next_of(BucketKind kind, GDateTime *start)
{
    return kind == BUCKET_DAY     ? g_date_time_add_days(start, 1)
           : kind == BUCKET_MONTH ? g_date_time_add_months(start, 1)
                                  : g_date_time_add_years(start, 1);
}

static BucketKind kind_for(gint64 from_ms, gint64 until_ms, GTimeZone *zone)
{
    g_autoptr(GDateTime) first = start_of(BUCKET_DAY, from_ms, zone);
    g_autoptr(GDateTime) last = start_of(BUCKET_DAY, until_ms, zone);
    gint64 days = g_date_time_difference(last, first) / G_TIME_SPAN_DAY + 1;
    int months = (g_date_time_get_year(last) - g_date_time_get_year(first)) * 12 +
                 g_date_time_get_month(last) - g_date_time_get_month(first) + 1;
    return days <= DAYS_MAX ? BUCKET_DAY : months <= MONTHS_MAX ? BUCKET_MONTH : BUCKET_YEAR;
}

static Bucket bucket_of(BucketKind kind, GDateTime *start)
{
    return (Bucket){g_date_time_get_year(start), kind == BUCKET_YEAR ? 0 : g_date_time_get_month(start),
                    kind == BUCKET_DAY ? g_date_time_get_day_of_month(start) : 0};
}

Timeline *timeline_new(gint64 from_ms, gint64 until_ms, GTimeZone *zone, guint n_rows)
{
    Timeline *timeline = g_new0(Timeline, 1);
    timeline->kind = kind_for(from_ms, until_ms, zone);
    timeline->n_rows = n_rows;
    timeline->counts = g_new0(guint, (gsize)MAX(n_rows, 1) * BUCKETS_MAX);
    g_autoptr(GDateTime) last = start_of(timeline->kind, until_ms, zone);
    g_autoptr(GDateTime) at = start_of(timeline->kind, from_ms, zone);
    g_autoptr(GDateTime) earliest = g_date_time_add_years(last, 1 - BUCKETS_MAX);
    if (timeline->kind == BUCKET_YEAR && g_date_time_compare(at, earliest) < 0) {
        g_date_time_unref(at);
        at = g_date_time_ref(earliest);
    }
    while (timeline->n_buckets < BUCKETS_MAX && g_date_time_compare(at, last) <= 0) {
        timeline->buckets[timeline->n_buckets++] = bucket_of(timeline->kind, at);
        GDateTime *next = next_of(timeline->kind, at);
        g_date_time_unref(at);
        at = next;
    }
    return timeline;
}

gboolean timeline_add(Timeline *timeline, guint row, gint64 at_ms, GTimeZone *zone)
{
    g_autoptr(GDateTime) start = start_of(timeline->kind, at_ms, zone);
    if (start == NULL)
        return FALSE;
    Bucket bucket = bucket_of(timeline->kind, start);
    for (guint i = 0; row < timeline->n_rows && i < timeline->n_buckets; i++) {
        const Bucket *other = &timeline->buckets[i];
        if (other->year != bucket.year || other->month != bucket.month || other->day != bucket.day)
            continue;
        guint *count = &timeline->counts[(gsize)row * BUCKETS_MAX + i];
        (*count)++;
        timeline->highest = MAX(timeline->highest, *count);
        return TRUE;
    }
    return FALSE;
}

guint timeline_count(const Timeline *timeline, guint row, guint bucket)
{
    return timeline->counts[(gsize)row * BUCKETS_MAX + bucket];
}

guint timeline_row_sum(const Timeline *timeline, guint row)
{
    guint sum = 0;
    for (guint i = 0; i < timeline->n_buckets; i++)
        sum += timeline_count(timeline, row, i);
    return sum;
}

guint timeline_bucket_sum(const Timeline *timeline, guint bucket)
{
    guint sum = 0;
    for (guint row = 0; row < timeline->n_rows; row++)
        sum += timeline_count(timeline, row, bucket);
    return sum;
}
