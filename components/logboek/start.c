/* Opening the logbook: the journal, how far SQL has come with it, and what has to be in memory before the
 * first record is taken. */
#include "components/logboek/activities.h"
#include "components/logboek/internal.h"
#include "components/logboek/journal_kinds.h"
#include "components/logboek/position.h"
#include "core/base/error.h"
#include "core/format/json.h"

#define MEMORY_MS (10 * 60 * 1000) /* keys of records, see records.h */
#define MINUTE_MS 60000
#define WINDOW_MINUTES 5 /* of transaction ids, see transactions.h */

static char *address_of(Node *node)
{
    const char *address = config_text(node_config(node), "logboek", "address");
    if (address == NULL)
        address = node_manager_address(node);
    if (address == NULL)
        return g_strdup_printf("urn:fundament:%s:logboek", node_oin(node));
    g_autofree char *copy = g_strdup(address);
    while (g_str_has_suffix(copy, "/"))
        copy[strlen(copy) - 1] = '\0';
    return g_strconcat(copy, "/logboek/v1", NULL);
}

/* The position of this shard; a first one when SQL has none: the index is then made from the journal. A clock
 * that was ahead may have sealed minutes that are still to come; they are opened again. */
static gboolean take_position(Logboek *logboek, Position *position, GError **error)
{
    gboolean found;
    if (!position_read(logboek->store, JOURNAL_SHARD, position, &found, error))
        return FALSE;
    gint64 now_ms = clock_now_ms(logboek->clock), oldest_ms = journal_oldest_time_us(logboek->journal) / 1000;
    gint64 past = now_ms / MINUTE_MS - WINDOW_MINUTES - 1;
    if (found && position->sequence <= journal_last(logboek->journal) && position->sealed_minute <= past)
        return TRUE;
    if (!found)
        *position = (Position){
            .begins_ms = oldest_ms > 0 ? MIN(oldest_ms, now_ms) : now_ms,
            .sealed_minute = MIN(past, (oldest_ms > 0 ? oldest_ms / MINUTE_MS : past) - WINDOW_MINUTES - 1)};
    position->sealed_minute = MIN(position->sealed_minute, past);
    if (position->sequence > journal_last(logboek->journal)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT,
                    "logboek: the database has indexed the journal up to record %" G_GUINT64_FORMAT
                    " but the journal ends at %" G_GUINT64_FORMAT
                    ": journal and database are not of the same node or moment; restore the journal that "
                    "belongs to it",
                    position->sequence, journal_last(logboek->journal));
        return FALSE;
    }
    return position_write(logboek->store, JOURNAL_SHARD, position, error);
}

/* --- what has to be in memory --- */

static gboolean take_sequence(const JournalRecord *record, gpointer user_data)
{
    *(guint64 *)user_data = record->sequence;
    return FALSE;
}

typedef struct {
    Logboek *logboek;
    GError *error;
} Remembering;

static gboolean remember(const JournalRecord *record, gpointer user_data)
{
    Remembering *remembering = user_data;
    Logboek *logboek = remembering->logboek;
    if (record->kind == KIND_RECORD)
        records_remember(logboek->records, record);
    if (record->kind == KIND_DECISION)
        decisions_remember(logboek->decisions, record);
    return record->kind != KIND_TRANSACTION ||
           transactions_remember(logboek->transactions, record, &remembering->error);
}

/* From the first of: records of the last ten minutes, ids of minutes that are not sealed, and what SQL has
 * not seen. */
static gboolean remember_journal(Logboek *logboek, const Position *position, GError **error)
{
    gint64 ids_ms = (position->sealed_minute - WINDOW_MINUTES) * MINUTE_MS;
    gint64 since_ms = MIN(clock_now_ms(logboek->clock) - MEMORY_MS, ids_ms);
    guint64 from = journal_last(logboek->journal) + 1;
    if (!journal_read_since(logboek->journal, since_ms * 1000, take_sequence, &from, error))
        return FALSE;
    Remembering remembering = {.logboek = logboek};
    gboolean read =
        journal_read(logboek->journal, MIN(from, position->sequence + 1), remember, &remembering, error);
    if (remembering.error != NULL)
        g_propagate_error(error, remembering.error);
    return read && remembering.error == NULL;
}

/* --- the register --- */

static gboolean load_register(Logboek *logboek, GError **error)
{
    const char *path = config_text(node_config(logboek->node), "logboek", "register");
    guint versions;
    if (path == NULL)
        return TRUE;
    g_autoptr(json_t) document = json_read_file(path, NULL, error);
    if (document == NULL)
        return FALSE;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(json_t) activities = activities_check(document, logboek->register_base, faults);
    if (activities == NULL) {
        for (guint i = 0; i < faults->len; i++)
            g_warning("%s: %s", path, (const char *)faults->pdata[i]);
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: %u faults, the first is %s", path,
                    faults->len, (const char *)faults->pdata[0]);
        return FALSE;
    }
    if (!activities_store(logboek->store, activities, clock_now_ms(logboek->clock), &versions, error))
        return FALSE;
    if (versions > 0)
        g_info("logboek: %u new versions in the register of processing activities", versions);
    return TRUE;
}

/* --- start and stop --- */

static void on_batch(gpointer user_data)
{
    Logboek *logboek = user_data;
    void (*batch_done)(gpointer) = g_atomic_pointer_get(&logboek->batch_done);
    if (batch_done != NULL)
        batch_done(logboek->batch_done_data);
}

static gboolean open_parts(Logboek *logboek, GError **error)
{
    Position position = {0};
    g_autofree char *folder = g_build_filename(node_data_dir(logboek->node), "journal", "0001", NULL);
    logboek->journal = journal_open(folder, JOURNAL_SHARD, error);
    if (logboek->journal == NULL || !load_register(logboek, error) ||
        !take_position(logboek, &position, error))
        return FALSE;
    logboek->begins_ms = position.begins_ms;
    logboek->records = records_new(logboek->store, logboek->journal, logboek->clock);
    logboek->decisions = decisions_new(logboek->store, logboek->journal);
    logboek->transactions = transactions_new(logboek->store, logboek->journal, logboek->clock, JOURNAL_SHARD,
                                             position.sealed_minute);
    records_indexed(logboek->records, position.sequence);
    transactions_indexed(logboek->transactions, position.sequence);
    transactions_set_batch_done(logboek->transactions, on_batch, logboek);
    journal_set_batch_done(logboek->journal, on_batch, logboek);
    if (!transactions_load(logboek->transactions, error) || !remember_journal(logboek, &position, error))
        return FALSE;
    logboek->indexer = indexer_start(logboek->store, logboek->journal, JOURNAL_SHARD, position.sequence,
                                     logboek->records, logboek->transactions);
    decisions_set_indexer(logboek->decisions, logboek->indexer);
    return TRUE;
}

Logboek *logboek_open(Node *node, GError **error)
{
    Logboek *logboek = g_new0(Logboek, 1);
    logboek->node = node;
    logboek->store = node_store(node);
    logboek->clock = node_clock(node);
    logboek->address = address_of(node);
    logboek->register_base = g_strconcat(
        logboek->address,
        g_str_has_prefix(logboek->address, "urn:") ? ":processing-activity:" : "/processing-activities/",
        NULL);
    if (open_parts(logboek, error))
        return logboek;
    logboek_close(logboek);
    return NULL;
}

void logboek_close(gpointer context)
{
    Logboek *logboek = context;
    indexer_stop(logboek->indexer);
    if (logboek->transactions != NULL)
        transactions_stop(logboek->transactions);
    if (logboek->journal != NULL)
        journal_close(logboek->journal);
    transactions_free(logboek->transactions);
    records_free(logboek->records);
    decisions_free(logboek->decisions);
    g_free(logboek->address);
    g_free(logboek->register_base);
    g_free(logboek);
}
