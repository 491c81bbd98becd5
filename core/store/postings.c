#include "core/store/postings.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/store/postings_run.h"

#define MEMORY_MAX 1000000
#define FAN 8
#define KEYS_MAX 64 /* of one sequence */
#define FAN_MAX 64
#define NAME_SIZE 64
#define SUFFIX ".run"

/* --- what is in memory --- */

typedef struct {
    PostingsKey key;
    guint64 sequence;
    guint32 previous; /* of the same key: its place + 1; 0: none */
} Entry;

typedef struct {
    Entry *entries; /* in the order in which they came */
    guint32 *heads; /* by key: the place + 1 of its last entry; 0: free */
    guint count, max;
    guint32 mask;
    guint64 last; /* the highest sequence that it knows of */
} Memory;

static Memory *memory_new(guint max)
{
    Memory *memory = g_new0(Memory, 1);
    guint32 slots = 16;
    while (slots < max * 2)
        slots *= 2;
    memory->max = max;
    memory->mask = slots - 1;
    memory->entries = g_new(Entry, max);
    memory->heads = g_new0(guint32, slots);
    return memory;
}

static void memory_free(Memory *memory)
{
    if (memory == NULL)
        return;
    g_free(memory->entries);
    g_free(memory->heads);
    g_free(memory);
}

/* The slot of a key: where its head is, or the free one where it belongs. */
static guint32 *memory_slot(const Memory *memory, const PostingsKey *key)
{
    guint32 at;
    memcpy(&at, key->bytes, sizeof at); /* keys are digests */
    for (at &= memory->mask; memory->heads[at] != 0; at = (at + 1) & memory->mask)
        if (memcmp(memory->entries[memory->heads[at] - 1].key.bytes, key->bytes, sizeof key->bytes) == 0)
            break;
    return &memory->heads[at];
}

static void memory_add(Memory *memory, const PostingsKey *key, guint64 sequence)
{
    guint32 *slot = memory_slot(memory, key);
    memory->entries[memory->count] = (Entry){*key, sequence, *slot};
    *slot = ++memory->count;
    memory->last = MAX(memory->last, sequence);
}

static int compare_entries(const void *a, const void *b)
{
    const Entry *first = a, *second = b;
    int order = memcmp(first->key.bytes, second->key.bytes, sizeof first->key.bytes);
    return order != 0 ? order : (first->sequence > second->sequence) - (first->sequence < second->sequence);
}

/* --- all of it --- */

struct postings {
    char *folder;
    guint memory_max, fan;
    GMutex lock;
    GCond changed;
    Memory *memory;
    Memory *frozen;  /* on its way to a run; still read */
    GPtrArray *runs; /* of Run, ascending; never changed, replaced */
    guint64 merged;
    guint failures;  /* to write `frozen` */
    GError *failure; /* of the last try; NULL while one is going on or none failed */
    gboolean stopping;
    GThread *writer, *merger;
};

static char *path_of(const Postings *postings, guint64 first, guint64 last)
{
    return g_strdup_printf("%s/%016" G_GINT64_MODIFIER "x-%016" G_GINT64_MODIFIER "x" SUFFIX,
                           postings->folder, first, last);
}

static guint64 through(const Postings *postings)
{
    const GPtrArray *runs = postings->runs;
    return runs->len == 0 ? 0 : run_last(g_ptr_array_index(runs, runs->len - 1));
}

static GPtrArray *runs_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)run_unref);
}

/* A copy in which `count` runs from `at` on are replaced by one, or by none. */
static GPtrArray *runs_replaced(const GPtrArray *runs, guint at, guint count, Run *by)
{
    GPtrArray *copy = runs_new();
    for (guint i = 0; i < runs->len; i++) {
        if (i == at && by != NULL)
            g_ptr_array_add(copy, run_ref(by));
        if (i < at || i >= at + count)
            g_ptr_array_add(copy, run_ref(g_ptr_array_index(runs, i)));
    }
    if (at == runs->len && by != NULL)
        g_ptr_array_add(copy, run_ref(by));
    return copy;
}

/* Under the lock. */
static void set_runs(Postings *postings, GPtrArray *runs)
{
    g_ptr_array_unref(postings->runs);
    postings->runs = runs;
}

/* --- writing what was in memory --- */

static Run *write_memory(const Postings *postings, Memory *memory, guint64 first, GError **error)
{
    g_autofree char *path = path_of(postings, first, memory->last);
    g_autofree Entry *sorted = g_memdup2(memory->entries, sizeof(Entry) * memory->count);
    g_autoptr(RunWriter) writer = run_writer_new(path, memory->count, error);
    if (writer == NULL)
        return NULL;
    if (memory->count > 0)
        qsort(sorted, memory->count, sizeof(Entry), compare_entries);
    for (guint i = 0; i < memory->count; i++)
        if ((i == 0 || compare_entries(&sorted[i - 1], &sorted[i]) != 0) &&
            !run_writer_add(writer, &sorted[i].key, sorted[i].sequence, error))
            return NULL;
    return run_writer_finish(writer, first, memory->last, error) ? run_open(path, error) : NULL;
}

/* Under the lock, which it lets go of while it writes. */
static void write_frozen(Postings *postings)
{
    g_autoptr(GError) error = NULL;
    guint64 first = through(postings) + 1;
    g_mutex_unlock(&postings->lock);
    Run *run = write_memory(postings, postings->frozen, first, &error);
    g_mutex_lock(&postings->lock);
    if (run == NULL) {
        postings->failures++;
        postings->failure = g_steal_pointer(&error);
    } else {
        set_runs(postings, runs_replaced(postings->runs, postings->runs->len, 0, run));
        run_unref(run);
        g_clear_pointer(&postings->frozen, memory_free);
    }
    g_cond_broadcast(&postings->changed);
}

static gpointer write_all(gpointer data)
{
    Postings *postings = data;
    g_mutex_lock(&postings->lock);
    while (!postings->stopping) {
        if (postings->frozen != NULL && postings->failure == NULL)
            write_frozen(postings);
        else
            g_cond_wait(&postings->changed, &postings->lock);
    }
    g_mutex_unlock(&postings->lock);
    return NULL;
}

/* Under the lock: waits until `frozen` is free, trying again after a failure once. */
static gboolean await_writer(Postings *postings, GError **error)
{
    guint failures = postings->failures;
    g_clear_error(&postings->failure);
    g_cond_broadcast(&postings->changed);
    while (postings->frozen != NULL && postings->failures == failures)
        g_cond_wait(&postings->changed, &postings->lock);
    if (postings->frozen == NULL)
        return TRUE;
    if (error != NULL)
        *error = g_error_copy(postings->failure);
    return FALSE;
}

/* Under the lock. */
static gboolean freeze(Postings *postings, GError **error)
{
    if (postings->frozen != NULL && !await_writer(postings, error))
        return FALSE;
    postings->frozen = postings->memory;
    postings->memory = memory_new(postings->memory_max + KEYS_MAX);
    postings->memory->last = postings->frozen->last;
    g_cond_broadcast(&postings->changed);
    return TRUE;
}

/* --- merging --- */

static guint tier_of(const Postings *postings, const Run *run)
{
    guint tier = 0;
    for (guint64 size = postings->memory_max; size < run_entries(run); size *= postings->fan)
        tier++;
    return tier;
}

/* The place of the first of `fan` neighbours of one tier; FALSE when there are none. */
static gboolean find_mergeable(const Postings *postings, guint *at)
{
    guint alike = 0;
    for (guint i = 0; i < postings->runs->len; i++) {
        gboolean same = i > 0 && tier_of(postings, g_ptr_array_index(postings->runs, i)) ==
                                     tier_of(postings, g_ptr_array_index(postings->runs, i - 1));
        alike = same ? alike + 1 : 1;
        if (alike == postings->fan) {
            *at = i + 1 - postings->fan;
            return TRUE;
        }
    }
    return FALSE;
}

typedef struct {
    RunCursor *cursor;
    PostingsKey key;
    guint64 sequence;
    gboolean there;
} Source;

static gboolean advance(Source *source, GError **error)
{
    g_autoptr(GError) failure = NULL;
    source->there = run_cursor_next(source->cursor, &source->key, &source->sequence, &failure);
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

/* The source whose entry comes first; of the same key that of the older run, whose sequences are lower. */
static Source *lowest(Source *sources, guint count)
{
    Source *least = NULL;
    for (guint i = 0; i < count; i++)
        if (sources[i].there &&
            (least == NULL || memcmp(sources[i].key.bytes, least->key.bytes, sizeof least->key.bytes) < 0))
            least = &sources[i];
    return least;
}

static gboolean copy_sorted(const Postings *postings, Source *sources, guint count, RunWriter *writer,
                            GError **error)
{
    Source *next;
    for (guint i = 0; i < count; i++)
        if (!advance(&sources[i], error))
            return FALSE;
    while ((next = lowest(sources, count)) != NULL) {
        if (g_atomic_int_get(&postings->stopping)) {
            g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                                "the merge was broken off");
            return FALSE;
        }
        if (!run_writer_add(writer, &next->key, next->sequence, error) || !advance(next, error))
            return FALSE;
    }
    return TRUE;
}

static Run *merge_runs(const Postings *postings, GPtrArray *inputs, GError **error)
{
    guint64 first = run_first(g_ptr_array_index(inputs, 0)), keys = 0;
    guint64 last = run_last(g_ptr_array_index(inputs, inputs->len - 1));
    Source sources[FAN_MAX] = {0};
    for (guint i = 0; i < inputs->len; i++) {
        sources[i].cursor = run_cursor_new(g_ptr_array_index(inputs, i));
        keys += run_keys(g_ptr_array_index(inputs, i));
    }
    g_autofree char *path = path_of(postings, first, last);
    g_autoptr(RunWriter) writer = run_writer_new(path, keys, error);
    gboolean done = writer != NULL && copy_sorted(postings, sources, inputs->len, writer, error) &&
                    run_writer_finish(writer, first, last, error);
    for (guint i = 0; i < inputs->len; i++)
        run_cursor_free(sources[i].cursor);
    return done ? run_open(path, error) : NULL;
}

/* Under the lock: puts the merged run in the place of its inputs, unless some of those were forgotten
 * meanwhile. */
static gboolean replace_merged(Postings *postings, const GPtrArray *inputs, Run *merged)
{
    guint at = 0;
    while (at < postings->runs->len && g_ptr_array_index(postings->runs, at) != g_ptr_array_index(inputs, 0))
        at++;
    if (at + inputs->len > postings->runs->len)
        return FALSE;
    postings->merged += run_entries(merged);
    set_runs(postings, runs_replaced(postings->runs, at, inputs->len, merged));
    return TRUE;
}

/* Under the lock, which it lets go of while it merges. FALSE when that failed: what is there stays as it is.
 */
static gboolean merge_at(Postings *postings, guint at)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) inputs = runs_new();
    for (guint i = at; i < at + postings->fan; i++)
        g_ptr_array_add(inputs, run_ref(g_ptr_array_index(postings->runs, i)));
    g_mutex_unlock(&postings->lock);
    g_autoptr(Run) merged = merge_runs(postings, inputs, &error);
    g_mutex_lock(&postings->lock);
    if (merged == NULL) {
        if (!postings->stopping)
            g_warning("postings: runs stay unmerged: %s", error->message);
        return FALSE;
    }
    if (!replace_merged(postings, inputs, merged)) {
        (void)g_unlink(run_path(merged));
        return TRUE;
    }
    for (guint i = 0; i < inputs->len; i++)
        (void)g_unlink(run_path(g_ptr_array_index(inputs, i)));
    return TRUE;
}

static gpointer merge_all(gpointer data)
{
    Postings *postings = data;
    guint at;
    g_mutex_lock(&postings->lock);
    while (!postings->stopping)
        /* The merge lets go of the lock: it may have been told to stop meanwhile. */
        if ((!find_mergeable(postings, &at) || !merge_at(postings, at)) && !postings->stopping)
            g_cond_wait(&postings->changed, &postings->lock);
    g_mutex_unlock(&postings->lock);
    return NULL;
}

/* --- opening --- */

static gint compare_runs(gconstpointer a, gconstpointer b)
{
    const Run *first = *(const Run *const *)a, *second = *(const Run *const *)b;
    guint64 begin_a = run_first(first), begin_b = run_first(second);
    if (begin_a != begin_b)
        return begin_a < begin_b ? -1 : 1;
    return run_last(first) > run_last(second) ? -1 : run_last(first) < run_last(second);
}

static gboolean open_file(Postings *postings, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(postings->folder, name, NULL);
    if (g_str_has_suffix(name, ".making") && g_unlink(path) == 0)
        return TRUE;
    if (!g_str_has_suffix(name, SUFFIX)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: is no file of postings; take it away",
                    path);
        return FALSE;
    }
    Run *run = run_open(path, error);
    if (run != NULL)
        g_ptr_array_add(postings->runs, run);
    return run != NULL;
}

/* A merge that was on disk before its inputs were removed: those go. What is left must have no gaps. */
static gboolean settle(Postings *postings, GError **error)
{
    g_ptr_array_sort(postings->runs, compare_runs);
    GPtrArray *kept = runs_new();
    for (guint i = 0; i < postings->runs->len; i++) {
        Run *run = g_ptr_array_index(postings->runs, i);
        guint64 end = kept->len == 0 ? run_first(run) - 1 : run_last(g_ptr_array_index(kept, kept->len - 1));
        if (run_last(run) <= end) {
            (void)g_unlink(run_path(run));
        } else if (run_first(run) != end + 1) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO,
                        "%s: what comes before it is missing; remove the folder and have it made anew from "
                        "the journal",
                        run_path(run));
            g_ptr_array_unref(kept);
            return FALSE;
        } else {
            g_ptr_array_add(kept, run_ref(run));
        }
    }
    set_runs(postings, kept);
    return TRUE;
}

static gboolean open_folder(Postings *postings, GError **error)
{
    const char *name;
    if (g_mkdir_with_parents(postings->folder, 0700) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: %s", postings->folder,
                    g_strerror(errno));
        return FALSE;
    }
    g_autoptr(GDir) entries = g_dir_open(postings->folder, 0, error);
    if (entries == NULL)
        return FALSE;
    while ((name = g_dir_read_name(entries)) != NULL)
        if (!open_file(postings, name, error))
            return FALSE;
    return settle(postings, error);
}

Postings *postings_open(const char *folder, const PostingsOptions *options, GError **error)
{
    Postings *postings = g_new0(Postings, 1);
    postings->folder = g_strdup(folder);
    postings->memory_max = options != NULL && options->memory_max > 0 ? options->memory_max : MEMORY_MAX;
    postings->fan = options != NULL && options->fan > 1 ? MIN(options->fan, FAN_MAX) : FAN;
    g_mutex_init(&postings->lock);
    g_cond_init(&postings->changed);
    postings->runs = runs_new();
    postings->memory = memory_new(postings->memory_max + KEYS_MAX);
    if (!open_folder(postings, error)) {
        postings_close(postings);
        return NULL;
    }
    postings->memory->last = through(postings);
    postings->writer = g_thread_new("postings", write_all, postings);
    postings->merger = g_thread_new("merging", merge_all, postings);
    return postings;
}

void postings_close(Postings *postings)
{
    if (postings == NULL)
        return;
    g_mutex_lock(&postings->lock);
    g_atomic_int_set(&postings->stopping, TRUE);
    g_cond_broadcast(&postings->changed);
    g_mutex_unlock(&postings->lock);
    if (postings->writer != NULL)
        g_thread_join(postings->writer);
    if (postings->merger != NULL)
        g_thread_join(postings->merger);
    memory_free(postings->memory);
    memory_free(postings->frozen);
    g_ptr_array_unref(postings->runs);
    g_clear_error(&postings->failure);
    g_cond_clear(&postings->changed);
    g_mutex_clear(&postings->lock);
    g_free(postings->folder);
    g_free(postings);
}

/* --- what others do with it --- */

guint64 postings_through(Postings *postings)
{
    g_mutex_lock(&postings->lock);
    guint64 result = through(postings);
    g_mutex_unlock(&postings->lock);
    return result;
}

gboolean postings_add(Postings *postings, const PostingsKey *key, guint64 sequence, GError **error)
{
    g_mutex_lock(&postings->lock);
    /* All keys of one sequence go into one run: a run says up to where it is whole. */
    gboolean full = postings->memory->count >= postings->memory_max && sequence > postings->memory->last;
    gboolean room = !full || freeze(postings, error);
    if (room && postings->memory->count == postings->memory->max) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT, "more than %d keys for one sequence",
                    KEYS_MAX);
        room = FALSE;
    }
    if (room)
        memory_add(postings->memory, key, sequence);
    g_mutex_unlock(&postings->lock);
    return room;
}

void postings_note(Postings *postings, guint64 sequence)
{
    g_mutex_lock(&postings->lock);
    postings->memory->last = MAX(postings->memory->last, sequence);
    g_mutex_unlock(&postings->lock);
}

gboolean postings_flush(Postings *postings, GError **error)
{
    g_mutex_lock(&postings->lock);
    gboolean done = postings->frozen == NULL || await_writer(postings, error);
    if (done && postings->memory->last > through(postings))
        done = freeze(postings, error) && await_writer(postings, error);
    g_mutex_unlock(&postings->lock);
    return done;
}

gboolean postings_forget(Postings *postings, guint64 below, GError **error)
{
    gboolean done = TRUE;
    g_mutex_lock(&postings->lock);
    while (postings->runs->len > 1 && run_last(g_ptr_array_index(postings->runs, 0)) < below && done) {
        Run *run = g_ptr_array_index(postings->runs, 0);
        done = g_unlink(run_path(run)) == 0 || errno == ENOENT;
        if (done)
            set_runs(postings, runs_replaced(postings->runs, 0, 1, NULL));
        else
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: cannot be removed: %s",
                        run_path(run), g_strerror(errno));
    }
    g_mutex_unlock(&postings->lock);
    return done;
}

typedef struct {
    guint64 *out;
    gsize count, max;
    guint64 from;
    guint64 last; /* a sequence that is twice under a key is given once */
} Answer;

/* Downwards: FALSE when it has enough. */
static gboolean answer_add(guint64 sequence, gpointer data)
{
    Answer *answer = data;
    if (sequence < answer->from)
        return FALSE;
    if (sequence != answer->last)
        answer->out[answer->count++] = sequence;
    answer->last = sequence;
    return answer->count < answer->max;
}

/* FALSE when there is enough. */
static gboolean find_in_memory(const Memory *memory, const PostingsKey *key, guint64 before, Answer *answer)
{
    for (guint32 place = memory == NULL ? 0 : *memory_slot(memory, key); place > 0;
         place = memory->entries[place - 1].previous)
        if (memory->entries[place - 1].sequence < before &&
            !answer_add(memory->entries[place - 1].sequence, answer))
            return FALSE;
    return TRUE;
}

gssize postings_find(Postings *postings, const PostingsKey *key, guint64 before, guint64 from, guint64 *out,
                     gsize max, GError **error)
{
    Answer answer = {.out = out, .max = max, .from = from};
    guint64 end = before == 0 ? G_MAXUINT64 : before;
    if (max == 0)
        return 0;
    g_mutex_lock(&postings->lock);
    g_autoptr(GPtrArray) runs = g_ptr_array_ref(postings->runs);
    gboolean more = find_in_memory(postings->memory, key, end, &answer) &&
                    find_in_memory(postings->frozen, key, end, &answer);
    g_mutex_unlock(&postings->lock);
    for (guint i = runs->len; more && i > 0; i--) {
        Run *run = g_ptr_array_index(runs, i - 1);
        gboolean stopped;
        if (run_last(run) < from)
            break;
        if (!run_find(run, key, end, answer_add, &answer, &stopped, error))
            return -1;
        more = !stopped;
    }
    return (gssize)answer.count;
}

void postings_figures(Postings *postings, PostingsFigures *out)
{
    *out = (PostingsFigures){0};
    g_mutex_lock(&postings->lock);
    out->runs = postings->runs->len;
    for (guint i = 0; i < postings->runs->len; i++) {
        const Run *run = g_ptr_array_index(postings->runs, i);
        struct stat status;
        out->entries += run_entries(run);
        out->bytes += stat(run_path(run), &status) == 0 ? (guint64)status.st_size : 0;
    }
    out->in_memory = postings->memory->count + (postings->frozen == NULL ? 0 : postings->frozen->count);
    out->merged = postings->merged;
    g_mutex_unlock(&postings->lock);
}
