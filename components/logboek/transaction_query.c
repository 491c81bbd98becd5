#include "components/logboek/transaction_query.h"

#include "components/logboek/journal_kinds.h"
#include "components/logboek/transaction_record.h"
#include "core/base/error.h"
#include "core/format/json.h"

#define BLOCKS_A_REQUEST 64 /* 262,144 journal records: some tenths of a second */
#define IDS_MAX 1000

typedef struct {
    guint64 sequence;
    json_t *record;
} Found;

/* One page in the making. */
typedef struct {
    const TransactionQuery *query;
    guint64 above, below; /* sequences between these, both excluded */
    guint64 block_end;    /* of the block that is read */
    guint64 wanted;       /* the one record that is read by its id */
    GArray *found;        /* of Found, in the order of the journal within one block */
} Page;

static void found_clear(gpointer data)
{
    json_decref(((Found *)data)->record);
}

/* --- filters --- */

static gboolean is_one_of(const TransactionParts *parts, TransactionField field, const char *const *texts)
{
    for (; texts != NULL && *texts != NULL; texts++)
        if (transaction_field_is(parts, field, *texts))
            return TRUE;
    return FALSE;
}

/* FSC Logging 1.1.0, 3.2.1.1: only records in which the peer takes part; of the two lists either may be true;
 * times narrow. */
static gboolean matches(const TransactionQuery *query, const TransactionParts *parts)
{
    gboolean any = query->grant_hashes == NULL && query->service_names == NULL;
    return transaction_involves(parts, query->peer_id) &&
           (query->after == 0 || parts->created_at > query->after) &&
           (query->before == 0 || parts->created_at < query->before) &&
           (any || is_one_of(parts, TRANSACTION_GRANT_HASH, query->grant_hashes) ||
            is_one_of(parts, TRANSACTION_SERVICE_NAME, query->service_names));
}

/* --- by blocks --- */

static gboolean read_entry(const JournalRecord *entry, gpointer user_data)
{
    Page *page = user_data;
    TransactionParts parts;
    if (entry->sequence > page->block_end || entry->sequence >= page->below)
        return FALSE;
    if (entry->kind != KIND_TRANSACTION || !transaction_split(entry->data, entry->length, &parts) ||
        !matches(page->query, &parts))
        return TRUE;
    Found found = {entry->sequence, transaction_json(&parts)};
    if (found.record != NULL)
        g_array_append_val(page->found, found);
    return TRUE;
}

static gint compare_blocks(gconstpointer a, gconstpointer b)
{
    gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
    return left < right ? -1 : left > right;
}

static void add_block(GArray *blocks, gint64 block)
{
    g_array_append_val(blocks, block);
}

/* Blocks that may hold records for this page, in the order in which they are to be read; at most
 * BLOCKS_A_REQUEST + 1. What the indexer has not seen yet is always read. */
static GArray *blocks_for(const TransactionSource *source, const Page *page, GError **error)
{
    const TransactionQuery *query = page->query;
    g_autoptr(GArray) blocks = g_array_new(FALSE, FALSE, sizeof(gint64));
    gint64 first = (gint64)((page->above + 1) / INDEX_BLOCK),
           last = (gint64)((page->below - 1) / INDEX_BLOCK);
    gint64 unseen = (gint64)((indexer_position(source->indexer) + 1) / INDEX_BLOCK);
    for (gint64 block = MAX(unseen, first); block <= last; block++)
        add_block(blocks, block);
    g_autoptr(Db) db = store_take(source->store, error);
    if (db == NULL)
        return NULL;
    const char *sql =
        query->ascending
            ? "SELECT block FROM logboek_transaction_blocks WHERE peer_id = ?1 AND shard = ?2 AND block >= "
              "?3 "
              "AND block <= ?4 AND last_created > ?5 AND first_created < ?6 ORDER BY block LIMIT ?7"
            : "SELECT block FROM logboek_transaction_blocks WHERE peer_id = ?1 AND shard = ?2 AND block >= "
              "?3 "
              "AND block <= ?4 AND last_created > ?5 AND first_created < ?6 ORDER BY block DESC LIMIT ?7";
    g_autoptr(Rows) rows = db_query(
        db, error, sql, value_text(query->peer_id), value_integer(source->shard), value_integer(first),
        value_integer(last), value_integer(query->after == 0 ? -1 : query->after),
        value_integer(query->before == 0 ? G_MAXINT64 : query->before), value_integer(BLOCKS_A_REQUEST + 1));
    if (rows == NULL)
        return NULL;
    while (rows_next(rows))
        if (rows_integer(rows, 0) < unseen)
            add_block(blocks, rows_integer(rows, 0));
    g_array_sort(blocks, compare_blocks);
    for (guint i = 0; !query->ascending && i < blocks->len / 2; i++) {
        gint64 *low = &g_array_index(blocks, gint64, i),
               *high = &g_array_index(blocks, gint64, blocks->len - 1 - i);
        gint64 swap = *low;
        *low = *high;
        *high = swap;
    }
    return g_steal_pointer(&blocks);
}

static gboolean read_block(const TransactionSource *source, Page *page, gint64 block, GError **error)
{
    guint64 from = MAX((guint64)block * INDEX_BLOCK, page->above + 1);
    page->block_end = ((guint64)block + 1) * INDEX_BLOCK - 1;
    return journal_read(source->journal, from, read_entry, page, error);
}

/* Moves what the block gave to the answer, in the order asked, as long as there is room. FALSE when the page
 * is full and more was there. */
static gboolean take_found(Page *page, json_t *records, guint64 *last)
{
    gboolean room = TRUE;
    for (guint i = 0; i < page->found->len && room; i++) {
        const Found *found =
            &g_array_index(page->found, Found, page->query->ascending ? i : page->found->len - 1 - i);
        room = json_array_size(records) < page->query->limit;
        if (room) {
            json_array_append(records, found->record);
            *last = found->sequence;
        }
    }
    g_array_set_size(page->found, 0);
    return room;
}

static json_t *answer_new(json_t *records, guint64 cursor)
{
    g_autofree char *text = cursor == 0 ? g_strdup("") : g_strdup_printf("%" G_GUINT64_FORMAT, cursor);
    return json_pack("{sos{ss}}", "records", records, "pagination", "next_cursor", text);
}

/* The cursor is the sequence of the last record that was looked at. */
static json_t *query_blocks(const TransactionSource *source, Page *page, GError **error)
{
    g_autoptr(GArray) blocks = blocks_for(source, page, error);
    if (blocks == NULL)
        return NULL;
    g_autoptr(json_t) records = json_array();
    guint64 cursor = 0, last = 0;
    for (guint i = 0; i < blocks->len && cursor == 0; i++) {
        gint64 block = g_array_index(blocks, gint64, i);
        if (i == BLOCKS_A_REQUEST) {
            /* Just before this block, seen from where we came. */
            cursor = page->query->ascending ? (guint64)block * INDEX_BLOCK - 1
                                            : ((guint64)block + 1) * INDEX_BLOCK;
            break;
        }
        if (!read_block(source, page, block, error))
            return NULL;
        if (!take_found(page, records, &last))
            cursor = last;
    }
    return answer_new(json_incref(records), cursor);
}

/* --- by ids --- */

static gboolean read_one(const JournalRecord *entry, gpointer user_data)
{
    Page *page = user_data;
    TransactionParts parts;
    /* What is past its time is gone, and the next record is there instead. */
    if (entry->sequence == page->wanted && entry->kind == KIND_TRANSACTION &&
        transaction_split(entry->data, entry->length, &parts) &&
        transaction_involves(&parts, page->query->peer_id)) {
        Found found = {entry->sequence, transaction_json(&parts)};
        if (found.record != NULL)
            g_array_append_val(page->found, found);
    }
    return FALSE;
}

/* Both directions: an organisation that calls itself has both. */
static json_t *query_ids(const TransactionSource *source, Page *page, GError **error)
{
    g_autoptr(json_t) records = json_array();
    const char *const *ids = page->query->transaction_ids;
    for (guint i = 0; ids[i] != NULL; i++) {
        if (i == IDS_MAX) {
            g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                        "transaction_ids: at most %d at a time", IDS_MAX);
            return NULL;
        }
        for (guint incoming = 0; incoming <= 1; incoming++) {
            guint8 key[KEY_SIZE];
            guint64 sequence = 0;
            if (!transaction_key(ids[i], incoming != 0, key))
                continue;
            if (!transactions_locate(source->transactions, key, &sequence, error))
                return NULL;
            page->wanted = sequence;
            if (sequence != 0 && !journal_read(source->journal, sequence, read_one, page, error))
                return NULL;
        }
    }
    for (guint i = 0; i < page->found->len; i++)
        json_array_append(records, g_array_index(page->found, Found, i).record);
    return answer_new(json_incref(records), 0);
}

json_t *transaction_query(const TransactionSource *source, const TransactionQuery *query, GError **error)
{
    guint64 cursor = 0;
    gboolean first = query->cursor == NULL || query->cursor[0] == '\0';
    if (query->transaction_ids == NULL &&
        ((!first && !g_ascii_string_to_unsigned(query->cursor, 10, 1, G_MAXINT64, &cursor, NULL)) ||
         query->limit < 1 || query->limit > 1000)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "cursor must be one that this log gave, and limit must be 1 to 1000");
        return NULL;
    }
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
    g_array_set_clear_func(found, found_clear);
    Page page = {.query = query, .above = 0, .below = journal_last(source->journal) + 1, .found = found};
    if (query->transaction_ids != NULL)
        return query_ids(source, &page, error);
    if (query->ascending)
        page.above = cursor;
    else if (cursor != 0)
        page.below = MIN(page.below, cursor);
    if (page.above + 1 >= page.below)
        return answer_new(json_array(), 0);
    return query_blocks(source, &page, error);
}
