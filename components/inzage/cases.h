/* From loose records to cases: what belongs to one processing (one trace), in the order in which it was
 * asked, with what is missing in between. Pure. */
#pragma once

#include "components/inzage/use.h"

typedef enum {
    GAP_PARENT,  /* the action before this one is not among the records */
    GAP_RECEIVER /* its data went to an organisation that answered, but has no record of its own in this case
                  */
} GapKind;

/* One action in a case. */
typedef struct {
    const Use *use;
    guint depth;        /* 0: nobody before it in this case */
    int parent;         /* the step before it, as index; -1: none in hand */
    gboolean gap;       /* its parent is missing: GAP_PARENT */
    const char *silent; /* OIN of a receiver without a record: GAP_RECEIVER; borrowed from the use; NULL */
} Step;

typedef struct {
    char trace_id[TRACE_ID_SIZE];
    GArray *steps;   /* of Step: parents before their children, then by time */
    gint64 first_ms; /* of the earliest step */
    guint gaps;
    gboolean own_view; /* the person looked at their own data on this portal, nothing else */
} Case;

void case_free(Case *item);

/* All cases in the answers of `sources` (array of Source), newest first. `viewing` is the activity of looking
 * at one's own data on this node, `register_oin` who is asked for it then. Borrows from the sources. */
GPtrArray *cases_of(const GPtrArray *sources, const char *viewing, const char *register_oin);

const Step *case_step(const Case *item, guint index);
/* What the case is about: its first step. */
const Use *case_lead(const Case *item);
/* Takes part: has a record in it, or received data according to another. */
gboolean case_involves(const Case *item, const char *oin);
/* OINs of all who take part, each once, in the order of the steps; a receiver without record after the one
 * who gave. Borrowed. */
GPtrArray *case_parties(const Case *item);

/* Cases that involve `oin` (NULL: any) and began in [from_ms, until_ms), own views left out unless
 * `own_views`; a new array that borrows. 0: open. */
GPtrArray *cases_select(const GPtrArray *cases, const char *oin, gint64 from_ms, gint64 until_ms,
                        gboolean own_views);

/* How many of `costs` go on each page: as many as fit in `budget`, at least one and at most `most`. The first
 * index of each page, and at the end the number of costs. */
GArray *pages_split(const gsize *costs, guint n_costs, gsize budget, guint most);
