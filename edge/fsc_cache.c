#include "fsc_cache.h"

#include <openssl/evp.h>

#define BUCKETS 4096
#define ENTRIES_MAX 16384
#define ASKED_MAX 4 /* a question is repeated when a flush came in between, but not for ever */
#define RETRY_S 1   /* after a refresh that failed for a passing reason */
#define KEY_SIZE 32

typedef struct {
    ngx_queue_t chain; /* in its bucket */
    ngx_queue_t used;  /* in the cache, the one used last first */
    u_char key[KEY_SIZE];
    FscCache *cache;
    FscAnswer *answer; /* NULL until there is one */
    FscCall call;
    ngx_uint_t generation; /* when the question was asked */
    ngx_uint_t asked;      /* times */
    ngx_queue_t waiters;
} Entry;

struct fsc_cache {
    enum frame_type type;
    FscFrames *frames;
    FscTargets *targets;
    ngx_uint_t generation;
    ngx_uint_t n_entries;
    ngx_queue_t used;
    EVP_MD *sha256; /* fetched once: looking it up costs more than the digest */
    EVP_MD_CTX *digest;
    ngx_queue_t buckets[BUCKETS];
};

FscCache *fsc_cache_create(ngx_cycle_t *cycle, enum frame_type type, FscFrames *frames, FscTargets *targets)
{
    FscCache *cache = ngx_pcalloc(cycle->pool, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->type = type;
    cache->frames = frames;
    cache->targets = targets;
    cache->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    cache->digest = EVP_MD_CTX_new();
    if (cache->sha256 == NULL || cache->digest == NULL)
        return NULL;
    ngx_queue_init(&cache->used);
    for (ngx_uint_t i = 0; i < BUCKETS; i++) {
        ngx_queue_init(&cache->buckets[i]);
    }
    return cache;
}

/* Answers. */

void fsc_answer_unref(FscAnswer *answer)
{
    if (answer == NULL || --answer->references > 0)
        return;
    if (answer->target != NULL)
        fsc_target_unref(answer->target);
    ngx_free(answer);
}

static FscAnswer *answer_ref(FscAnswer *answer)
{
    answer->references++;
    return answer;
}

/* Reads fields one after the other; `good` stays 0 after the first that is missing. */
typedef struct {
    const u_char *payload;
    size_t length, position;
    ngx_flag_t good;
} Reader;

static ngx_str_t read_text(Reader *reader)
{
    const u_char *data = NULL;
    size_t length = 0;
    if (reader->good &&
        frame_field_get(reader->payload, reader->length, &reader->position, &data, &length) != 0)
        reader->good = 0;
    ngx_str_t text = {length, (u_char *)data};
    return text;
}

static time_t read_time(Reader *reader)
{
    uint64_t number = 0;
    if (reader->good && frame_field_get_u64(reader->payload, reader->length, &reader->position, &number) != 0)
        reader->good = 0;
    return (time_t)number;
}

static FscTarget *read_verdict(Reader *reader, FscAnswer *answer, FscTargets *targets)
{
    static const ngx_str_t no_name = ngx_string("");
    answer->use_until = answer->expires = read_time(reader);
    answer->service = read_text(reader);
    ngx_str_t address = read_text(reader);
    answer->peer_id = read_text(reader);
    answer->grant_hash = read_text(reader);
    answer->template = read_text(reader);
    return reader->good ? fsc_target_get(targets, &address, &no_name) : NULL;
}

static FscTarget *read_route(Reader *reader, FscAnswer *answer, FscTargets *targets)
{
    answer->token = read_text(reader);
    answer->use_until = answer->expires = read_time(reader);
    ngx_str_t address = read_text(reader);
    ngx_str_t name = read_text(reader);
    answer->template = read_text(reader);
    answer->grant_hash = read_text(reader);
    answer->peer_id = read_text(reader);
    if (reader->good && reader->position < reader->length) {
        time_t expires = read_time(reader);
        answer->expires = ngx_max(expires, answer->use_until);
    }
    if (reader->good && reader->position < reader->length)
        answer->service = read_text(reader);
    return reader->good && name.len > 0 ? fsc_target_get(targets, &address, &name) : NULL;
}

/* The payload is copied behind the struct, where its fields point. */
static FscAnswer *answer_read(const FscCache *cache, const u_char *payload, size_t length)
{
    FscAnswer *answer = ngx_calloc(sizeof *answer + length, ngx_cycle->log);
    if (answer == NULL)
        return NULL;
    u_char *copy = (u_char *)(answer + 1);
    ngx_memcpy(copy, payload, length);
    Reader reader = {.payload = copy, .length = length, .good = 1};
    answer->references = 1;
    answer->target = cache->type == FRAME_VERIFY ? read_verdict(&reader, answer, cache->targets)
                                                 : read_route(&reader, answer, cache->targets);
    if (answer->target == NULL) {
        fsc_answer_unref(answer);
        return NULL;
    }
    return answer;
}

/* Entries. */

static ngx_queue_t *bucket_of(FscCache *cache, const u_char key[KEY_SIZE])
{
    return &cache->buckets[(key[0] << 8 | key[1]) % BUCKETS];
}

static Entry *entry_find(FscCache *cache, const u_char key[KEY_SIZE])
{
    ngx_queue_t *bucket = bucket_of(cache, key);
    for (ngx_queue_t *q = ngx_queue_head(bucket); q != ngx_queue_sentinel(bucket); q = ngx_queue_next(q)) {
        Entry *entry = ngx_queue_data(q, Entry, chain);
        if (ngx_memcmp(entry->key, key, KEY_SIZE) == 0)
            return entry;
    }
    return NULL;
}

static void entry_forget(Entry *entry)
{
    fsc_answer_unref(entry->answer);
    entry->answer = NULL;
}

static void entry_free(Entry *entry)
{
    entry_forget(entry);
    ngx_queue_remove(&entry->chain);
    ngx_queue_remove(&entry->used);
    entry->cache->n_entries--;
    ngx_free(entry);
}

static ngx_flag_t entry_asking(const Entry *entry)
{
    return entry->call.id != 0;
}

/* Makes room by forgetting the one used longest ago about which nothing is being asked. */
static void cache_trim(FscCache *cache)
{
    ngx_queue_t *q = ngx_queue_last(&cache->used);
    while (cache->n_entries >= ENTRIES_MAX && q != ngx_queue_sentinel(&cache->used)) {
        Entry *entry = ngx_queue_data(q, Entry, used);
        q = ngx_queue_prev(q);
        if (!entry_asking(entry))
            entry_free(entry);
    }
}

static void entry_answered(FscCall *call, ngx_uint_t status, const u_char *payload, size_t length);

static Entry *entry_create(FscCache *cache, const u_char key[KEY_SIZE], ngx_str_t question)
{
    cache_trim(cache);
    Entry *entry = ngx_calloc(sizeof *entry + question.len, ngx_cycle->log);
    if (entry == NULL)
        return NULL;
    ngx_memcpy(entry->key, key, KEY_SIZE);
    entry->cache = cache;
    entry->call.frame.data = (u_char *)(entry + 1);
    entry->call.frame.len = question.len;
    ngx_memcpy(entry->call.frame.data, question.data, question.len);
    entry->call.answered = entry_answered;
    entry->call.data = entry;
    ngx_queue_init(&entry->waiters);
    ngx_queue_insert_head(bucket_of(cache, key), &entry->chain);
    ngx_queue_insert_head(&cache->used, &entry->used);
    cache->n_entries++;
    return entry;
}

static ngx_int_t entry_ask(Entry *entry)
{
    entry->generation = entry->cache->generation;
    entry->asked++;
    fsc_frames_counters(entry->cache->frames)[FRAME_EDGE_CACHE_QUESTIONS]++;
    return fsc_frames_call(entry->cache->frames, &entry->call);
}

/* Tells everyone who waits. They go on at once, and may ask new questions; the entry is not touched any more.
 */
static void waiters_tell(ngx_queue_t *waiters, ngx_uint_t status, FscAnswer *answer, const ngx_str_t *message)
{
    while (!ngx_queue_empty(waiters)) {
        FscTicket *ticket = ngx_queue_data(ngx_queue_head(waiters), FscTicket, queue);
        fsc_ticket_cancel(ticket);
        ticket->done(ticket, status, answer != NULL ? answer_ref(answer) : NULL, message);
    }
}

static ngx_flag_t passing(ngx_uint_t status)
{
    return status == FSC_CALL_SILENT || status == FRAME_STATUS_NOT_READY ||
           status == FRAME_STATUS_PEER_UNREACHABLE;
}

static void entry_answered(FscCall *call, ngx_uint_t status, const u_char *payload, size_t length)
{
    Entry *entry = call->data;
    FscCache *cache = entry->cache;
    if (entry->generation != cache->generation && entry->asked < ASKED_MAX && entry_ask(entry) == NGX_OK)
        return;
    if (entry->generation != cache->generation)
        status = FRAME_STATUS_NOT_READY;

    ngx_str_t message = ngx_null_string;
    FscAnswer *answer = NULL;
    if (status == FRAME_STATUS_OK) {
        answer = answer_read(cache, payload, length);
        if (answer == NULL) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "fsc: the node gave an answer that this edge cannot read");
            status = FRAME_STATUS_BAD_FRAME;
        } else {
            answer->generation = entry->generation;
        }
    } else if (length > 0) {
        Reader reader = {.payload = payload, .length = length, .good = 1};
        message = read_text(&reader);
    }

    ngx_queue_t waiters;
    ngx_queue_init(&waiters);
    if (!ngx_queue_empty(&entry->waiters)) {
        ngx_queue_add(&waiters, &entry->waiters);
        ngx_queue_init(&entry->waiters);
    }
    if (answer != NULL) {
        entry_forget(entry);
        entry->answer = answer_ref(answer);
    } else if (entry->answer != NULL && passing(status)) {
        entry->answer->use_until = ngx_time() + RETRY_S;
    } else {
        entry_free(entry);
    }
    waiters_tell(&waiters, status, answer, &message);
    fsc_answer_unref(answer);
}

static ngx_int_t key_make(FscCache *cache, ngx_str_t question, u_char key[KEY_SIZE])
{
    return EVP_DigestInit_ex2(cache->digest, cache->sha256, NULL) == 1 &&
                   EVP_DigestUpdate(cache->digest, question.data + FRAME_HEADER_SIZE,
                                    question.len - FRAME_HEADER_SIZE) == 1 &&
                   EVP_DigestFinal_ex(cache->digest, key, NULL) == 1
               ? NGX_OK
               : NGX_ERROR;
}

ngx_int_t fsc_cache_ask(FscCache *cache, ngx_str_t question, FscTicket *ticket, FscAnswer **answer)
{
    u_char key[KEY_SIZE];
    if (question.len < FRAME_HEADER_SIZE || key_make(cache, question, key) != NGX_OK)
        return NGX_ERROR;
    Entry *entry = entry_find(cache, key);
    if (entry == NULL) {
        entry = entry_create(cache, key, question);
        if (entry == NULL)
            return NGX_ERROR;
    } else {
        ngx_queue_remove(&entry->used);
        ngx_queue_insert_head(&cache->used, &entry->used);
    }
    ngx_flag_t usable = entry->answer != NULL && ngx_time() < entry->answer->expires;
    if ((!usable || ngx_time() >= entry->answer->use_until) && !entry_asking(entry)) {
        entry->asked = 0;
        if (entry_ask(entry) != NGX_OK && !usable) {
            entry_free(entry);
            return NGX_ERROR;
        }
    }
    if (usable) {
        fsc_frames_counters(cache->frames)[FRAME_EDGE_CACHE_HITS]++;
        *answer = answer_ref(entry->answer);
        return NGX_OK;
    }
    ngx_queue_insert_tail(&entry->waiters, &ticket->queue);
    ticket->waiting = 1;
    return NGX_AGAIN;
}

void fsc_ticket_cancel(FscTicket *ticket)
{
    if (!ticket->waiting)
        return;
    ngx_queue_remove(&ticket->queue);
    ticket->waiting = 0;
}

void fsc_cache_flush(FscCache *cache)
{
    cache->generation++;
    ngx_queue_t *q = ngx_queue_head(&cache->used);
    while (q != ngx_queue_sentinel(&cache->used)) {
        Entry *entry = ngx_queue_data(q, Entry, used);
        q = ngx_queue_next(q);
        if (entry_asking(entry))
            entry_forget(entry);
        else
            entry_free(entry);
    }
}

ngx_flag_t fsc_cache_stands(const FscCache *cache, const FscAnswer *answer)
{
    return answer->generation == cache->generation;
}
