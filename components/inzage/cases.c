#include "components/inzage/cases.h"

#include <string.h>

/* --- within one case --- */

static gint by_start(gconstpointer a, gconstpointer b)
{
    const Use *left = *(const Use *const *)a, *right = *(const Use *const *)b;
    if (left->start_ms != right->start_ms)
        return left->start_ms < right->start_ms ? -1 : 1;
    int same_time = strcmp(left->source->oin, right->source->oin);
    return same_time != 0 ? same_time : strcmp(left->span_id, right->span_id);
}

/* Lists of uses under a key, in the order in which they were added. */
static GHashTable *lists_new(GHashFunc hash, GEqualFunc equal)
{
    return g_hash_table_new_full(hash, equal, NULL, (GDestroyNotify)g_ptr_array_unref);
}

static void lists_add(GHashTable *lists, gconstpointer key, gconstpointer value)
{
    GPtrArray *list = g_hash_table_lookup(lists, key);
    if (list == NULL) {
        list = g_ptr_array_new();
        g_hash_table_insert(lists, (gpointer)key, list);
    }
    g_ptr_array_add(list, (gpointer)value);
}

/* Span ids are unique only by agreement: where another organisation uses the same one, an organisation's own
 * record goes first. */
static const Use *parent_of(const Use *use, GHashTable *by_span)
{
    const Use *found = NULL;
    const GPtrArray *candidates =
        use->parent_id[0] != '\0' ? g_hash_table_lookup(by_span, use->parent_id) : NULL;
    for (guint i = 0; candidates != NULL && i < candidates->len; i++) {
        const Use *other = candidates->pdata[i];
        if (other != use && other->source == use->source)
            return other;
        if (other != use && found == NULL)
            found = other;
    }
    return found;
}

typedef struct {
    GHashTable *parents;  /* use -> the one before it; not there when that is missing */
    GHashTable *children; /* use -> uses after it */
    GHashTable *placed;   /* use -> its index in steps, plus one */
    GArray *steps;
} Ordering;

static void place_one(Ordering *ordering, const Use *use)
{
    const Use *parent = g_hash_table_lookup(ordering->parents, use);
    int index = GPOINTER_TO_INT(g_hash_table_lookup(ordering->placed, parent)) - 1;
    Step step = {.use = use, .parent = index, .gap = parent == NULL && use->parent_id[0] != '\0'};
    if (index >= 0)
        step.depth = g_array_index(ordering->steps, Step, index).depth + 1;
    g_array_append_val(ordering->steps, step);
    g_hash_table_insert(ordering->placed, (gpointer)use, GINT_TO_POINTER((int)ordering->steps->len));
}

/* With everything below it. Not recursive: how deep it goes is up to others. */
static void place(Ordering *ordering, const Use *root)
{
    g_autoptr(GPtrArray) stack = g_ptr_array_new();
    g_ptr_array_add(stack, (gpointer)root);
    while (stack->len > 0) {
        const Use *use = g_ptr_array_steal_index(stack, stack->len - 1);
        if (g_hash_table_contains(ordering->placed, use))
            continue;
        place_one(ordering, use);
        const GPtrArray *children = g_hash_table_lookup(ordering->children, use);
        for (guint i = children == NULL ? 0 : children->len; i > 0; i--)
            g_ptr_array_add(stack, children->pdata[i - 1]);
    }
}

/* Those without a parent in hand first; what is left then stands in a circle, which only a wrong record can
 * make: it is entered at its earliest. */
static GArray *order(const GPtrArray *uses)
{
    g_autoptr(GHashTable) by_span = lists_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) parents = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) children = lists_new(NULL, NULL);
    g_autoptr(GHashTable) placed = g_hash_table_new(NULL, NULL);
    Ordering ordering = {parents, children, placed, g_array_new(FALSE, TRUE, sizeof(Step))};
    for (guint i = 0; i < uses->len; i++)
        lists_add(by_span, ((const Use *)uses->pdata[i])->span_id, uses->pdata[i]);
    for (guint i = 0; i < uses->len; i++) {
        const Use *parent = parent_of(uses->pdata[i], by_span);
        if (parent == NULL)
            continue;
        g_hash_table_insert(parents, uses->pdata[i], (gpointer)parent);
        lists_add(children, parent, uses->pdata[i]);
    }
    for (guint i = 0; i < uses->len; i++)
        if (!g_hash_table_contains(parents, uses->pdata[i]))
            place(&ordering, uses->pdata[i]);
    for (guint i = 0; i < uses->len; i++)
        place(&ordering, uses->pdata[i]);
    return ordering.steps;
}

const Step *case_step(const Case *item, guint index)
{
    return &g_array_index(item->steps, Step, index);
}

const Use *case_lead(const Case *item)
{
    return case_step(item, 0)->use;
}

gboolean case_involves(const Case *item, const char *oin)
{
    for (guint i = 0; i < item->steps->len; i++) {
        const Use *use = case_step(item, i)->use;
        if (strcmp(use->source->oin, oin) == 0 || g_strcmp0(use->receiver, oin) == 0)
            return TRUE;
    }
    return FALSE;
}

static void add_party(GPtrArray *parties, const char *oin)
{
    for (guint i = 0; i < parties->len; i++)
        if (strcmp(parties->pdata[i], oin) == 0)
            return;
    g_ptr_array_add(parties, (gpointer)oin);
}

GPtrArray *case_parties(const Case *item)
{
    GPtrArray *parties = g_ptr_array_new();
    for (guint i = 0; i < item->steps->len; i++) {
        const Use *use = case_step(item, i)->use;
        add_party(parties, use->source->oin);
        if (use->receiver != NULL)
            add_party(parties, use->receiver);
    }
    return parties;
}

/* --- gaps --- */

static gboolean answered(const GPtrArray *sources, const char *oin)
{
    for (guint i = 0; i < sources->len; i++) {
        const Source *source = sources->pdata[i];
        if (strcmp(source->oin, oin) == 0)
            return source->state == SOURCE_ANSWERED && !source->more;
    }
    return FALSE;
}

static void find_gaps(Case *item, const GPtrArray *sources)
{
    g_autoptr(GHashTable) recorded = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < item->steps->len; i++)
        g_hash_table_add(recorded, case_step(item, i)->use->source->oin);
    for (guint i = 0; i < item->steps->len; i++) {
        Step *step = &g_array_index(item->steps, Step, i);
        const char *receiver = step->use->receiver;
        if (receiver != NULL && !g_hash_table_contains(recorded, receiver) && answered(sources, receiver))
            step->silent = receiver;
        item->gaps += (guint)step->gap + (guint)(step->silent != NULL);
    }
}

/* The activity of a record is a URI; node.conf may have only its last part. */
static gboolean is_activity(const char *uri, const char *named)
{
    if (uri == NULL || named == NULL)
        return FALSE;
    gsize length = strlen(uri), short_length = strlen(named);
    if (length <= short_length)
        return strcmp(uri, named) == 0;
    char before = uri[length - short_length - 1];
    return (before == '/' || before == ':') && strcmp(uri + length - short_length, named) == 0;
}

/* Only what this node wrote itself, and what the register wrote directly below that, can be the person's own
 * look: nobody else can make a use look like one. */
static gboolean is_own_view(const Case *item, const char *viewing, const char *register_oin)
{
    for (guint i = 0; i < item->steps->len; i++) {
        const Step *step = case_step(item, i);
        const Use *use = step->use;
        gboolean ours = use->source->own && is_activity(use->activity_id, viewing);
        gboolean asked = g_strcmp0(use->source->oin, register_oin) == 0 && step->parent >= 0 &&
                         case_step(item, (guint)step->parent)->use->source->own;
        if (!ours && !asked)
            return FALSE;
    }
    return TRUE;
}

/* --- all cases --- */

void case_free(Case *item)
{
    if (item == NULL)
        return;
    g_array_unref(item->steps);
    g_free(item);
}

static gint newest_first(gconstpointer a, gconstpointer b)
{
    const Case *left = *(const Case *const *)a, *right = *(const Case *const *)b;
    if (left->first_ms != right->first_ms)
        return left->first_ms > right->first_ms ? -1 : 1;
    return strcmp(left->trace_id, right->trace_id);
}

static GHashTable *uses_by_trace(const GPtrArray *sources)
{
    GHashTable *traces = lists_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < sources->len; i++) {
        const Source *source = sources->pdata[i];
        for (guint j = 0; j < source->uses->len; j++)
            lists_add(traces, ((const Use *)source->uses->pdata[j])->trace_id, source->uses->pdata[j]);
    }
    return traces;
}

GPtrArray *cases_of(const GPtrArray *sources, const char *viewing, const char *register_oin)
{
    GPtrArray *cases = g_ptr_array_new_with_free_func((GDestroyNotify)case_free);
    g_autoptr(GHashTable) traces = uses_by_trace(sources);
    GHashTableIter at;
    gpointer trace, value;
    g_hash_table_iter_init(&at, traces);
    while (g_hash_table_iter_next(&at, &trace, &value)) {
        GPtrArray *uses = value;
        g_ptr_array_sort(uses, by_start);
        Case *item = g_new0(Case, 1);
        g_strlcpy(item->trace_id, trace, sizeof item->trace_id);
        item->first_ms = ((const Use *)uses->pdata[0])->start_ms;
        item->steps = order(uses);
        item->own_view = is_own_view(item, viewing, register_oin);
        find_gaps(item, sources);
        g_ptr_array_add(cases, item);
    }
    g_ptr_array_sort(cases, newest_first);
    return cases;
}

GPtrArray *cases_select(const GPtrArray *cases, const char *oin, gint64 from_ms, gint64 until_ms,
                        gboolean own_views)
{
    GPtrArray *selected = g_ptr_array_new();
    for (guint i = 0; i < cases->len; i++) {
        Case *item = cases->pdata[i];
        if ((from_ms == 0 || item->first_ms >= from_ms) && (until_ms == 0 || item->first_ms < until_ms) &&
            item->own_view == own_views && (oin == NULL || case_involves(item, oin)))
            g_ptr_array_add(selected, item);
    }
    return selected;
}

GArray *pages_split(const gsize *costs, guint n_costs, gsize budget, guint most)
{
    GArray *starts = g_array_new(FALSE, FALSE, sizeof(guint));
    gsize spent = 0;
    guint first = 0;
    for (guint i = 0; i < n_costs; i++) {
        gboolean full = i > first && (spent + costs[i] > budget || i - first >= most);
        if (i == 0 || full) {
            g_array_append_val(starts, i);
            first = i;
            spent = 0;
        }
        spent += costs[i];
    }
    g_array_append_val(starts, n_costs);
    return starts;
}
