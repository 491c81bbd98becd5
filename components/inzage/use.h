/* What an organisation's logbook answered about one person, as typed facts. Everything comes from elsewhere
 * and is believed for nothing but its shape: kinds, lengths and times are checked here, before anything else
 * sees them. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

#include "core/base/trace.h"

#define USES_MAX 2000 /* of one organisation; what is beyond is said to be left out */

typedef enum {
    SOURCE_ANSWERED,
    SOURCE_UNREACHABLE, /* no connection, no answer in time, or a fault on its side */
    SOURCE_REFUSED,     /* it answered that it gives nothing */
    SOURCE_UNREADABLE   /* it answered something that cannot be understood */
} SourceState;

/* "answered", "unreachable", ...: in the file that a person takes along, and in the keys of phrases. */
const char *source_state_name(SourceState state);

/* One organisation that keeps a logbook. */
typedef struct {
    char *oin;
    char *name;
    SourceState state;
    gboolean own;          /* this node's own logbook */
    gboolean more;         /* it holds more than what was fetched */
    guint unreadable;      /* records in its answer that could not be understood */
    gboolean oldest_known; /* it said how far back it goes */
    gint64 oldest_ms;      /* 0 with oldest_known: it holds nothing yet */
    json_t *operations;    /* the records as it sent them */
    json_t *activities;    /* its register: objects with an id; NULL when it was never seen */
    GPtrArray *uses;       /* of Use */
    GHashTable *seen;      /* "trace span" -> the record, borrowed from operations */
} Source;

/* One action with the person's data: a record. */
typedef struct {
    const Source *source;
    char trace_id[TRACE_ID_SIZE];
    char span_id[SPAN_ID_SIZE];
    char parent_id[SPAN_ID_SIZE]; /* "" when it has none */
    char *name;
    gint64 start_ms, end_ms;
    gboolean failed;
    char *activity_id; /* or NULL */
    const json_t
        *activity; /* the version of its time; borrowed from the source; NULL when the register has none */
    gboolean activity_newer; /* only a version from after the use is known */
    char **categories;       /* the data that was asked for, as it was logged; never NULL */
    char *receiver;          /* OIN of who got the data, or NULL */
} Use;

Source *source_new(const char *oin, const char *name);
void source_free(Source *source);
void use_free(Use *use);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Use, use_free)

/* Takes in one answer of POST /data-processing-operations (read extension of LDV). Records that are there
 * already are not added again; `*next` is the cursor of what follows, NULL at the end; caller frees. FALSE
 * with FUNDAMENT_ERROR_INVALID when the answer as a whole is not what it should be: nothing was taken in
 * then. */
gboolean source_add_operations(Source *source, const json_t *answer, char **next, GError **error);

/* The same for bare records, of this node itself. */
void source_add_items(Source *source, const json_t *items);

/* The entries of {"processingActivities": [...]} that are usable, as a new array; NULL with
 * FUNDAMENT_ERROR_INVALID. */
json_t *activities_read(const json_t *answer, GError **error);

/* {"periodStart"?, "periodEnd"?}. FALSE when it is not that. */
gboolean source_set_period(Source *source, const json_t *answer);

/* Finds for each use what its organisation's register says of it: the same id, the version that was valid
 * when the use began. */
void source_match_activities(Source *source);

/* The text of a member of an activity in `language`, from its translations; else the original, with
 * `*language_of` "nl". NULL when absent. Borrowed. */
const char *activity_text(const json_t *activity, const char *member, const char *language,
                          const char **language_of);

/* "4bf92f35-77b3-..." or 32 hexadecimal digits of either case, as 32 lower-case digits. */
gboolean trace_id_read(const char *text, char out[TRACE_ID_SIZE]);
