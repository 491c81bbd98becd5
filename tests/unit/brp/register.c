#include "tests/unit/brp/register.h"

#include <signal.h>
#include <sys/resource.h>

#include "components/brp/brp.h"
#include "components/fsc/fsc.h"
#include "components/logboek/internal.h"
#include "components/logboek/journal_kinds.h"
#include "components/logboek/record.h"
#include "tests/support/postgresql.h"
#include "tests/unit/node/support.h"

static const Component *const COMPONENTS[] = {&logboek_component, &fsc_component, &brp_component};

/* --- start and stop --- */

static Config *config_of(const Register *reg, const char *persons, const char *more)
{
    g_autoptr(GString) text = g_string_new("[node]\ngroup = test\nanchors = pki/anchor.crt\n"
                                           "[fsc]\nmanager_address = https://register.test:8443\n[brp]\n");
    if (persons != NULL) {
        g_autofree char *path = g_build_filename(reg->folder, "persons.json", NULL);
        assert_true(g_file_set_contents(path, persons, -1, NULL));
        g_string_append(text, "persons = persons.json\n");
    }
    g_string_append(text, more != NULL ? more : "activity = " REGISTER_ACTIVITY "\n");
    return node_config_for_test(reg->folder, text->str, COMPONENTS, G_N_ELEMENTS(COMPONENTS));
}

static void serve(Register *reg)
{
    g_autoptr(GError) error = NULL;
    HttpServerOptions options = {.run_dir = reg->folder, .threads = 4, .clock = &reg->clock};
    const Route *tables[] = {brp_component.routes};
    const gsize counts[] = {brp_component.n_routes};
    const gpointer contexts[] = {node_component(reg->node, "brp")};
    reg->server = http_server_start(&options, tables, counts, contexts, 1, &error);
    no_error(error);
    reg->client = http_client_new();
}

Register *register_new(gboolean postgresql, const char *persons, const char *more)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = test_folder_new();
    g_autofree char *url =
        postgresql ? test_postgresql_start() : g_strdup_printf("sqlite:%s/node.db", folder);
    if (url == NULL)
        return NULL;
    Register *reg = g_new0(Register, 1);
    reg->folder = g_steal_pointer(&folder);
    reg->clock = clock_fixed(SUPPORT_NOW);
    support_issue(reg->folder, "manager", SUPPORT_OIN);
    support_issue(reg->folder, "token", SUPPORT_OIN);
    reg->config = config_of(reg, persons, more);
    reg->store = store_open(url, &error);
    no_error(error);
    reg->node = node_new_for_test(reg->config, reg->store, &reg->clock, &error);
    no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(COMPONENTS); i++) {
        node_start_component(reg->node, COMPONENTS[i], &error);
        no_error(error);
    }
    serve(reg);
    return reg;
}

void register_free(Register *reg)
{
    http_client_free(reg->client);
    http_server_stop(reg->server, 5000);
    node_free(reg->node);
    store_close(reg->store);
    config_free(reg->config);
    g_free(reg->folder);
    g_free(reg);
}

/* --- questions --- */

HttpReply *register_call(Register *reg, const char *method, const char *path, const char *const *headers,
                         const char *body)
{
    static const char *const JSON[] = {"Content-Type: application/json", NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *socket = g_build_filename(reg->folder, "service.sock", NULL);
    g_autofree char *url = g_strconcat("http://localhost", path, NULL);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    for (headers = headers != NULL ? headers : JSON; *headers != NULL; headers++)
        g_ptr_array_add(all, (gpointer)*headers);
    g_ptr_array_add(all, (gpointer) "Fundament-Peer-Id: " REGISTER_CALLER);
    g_ptr_array_add(all, (gpointer) "Fundament-Service: brp-personen-bevragen");
    g_ptr_array_add(all, (gpointer) "Fundament-Grant-Hash: $1$3$AAAA");
    g_ptr_array_add(all, (gpointer) "Fsc-Transaction-Id: " REGISTER_TRANSACTION);
    g_ptr_array_add(all, NULL);
    HttpCall call = {.method = method,
                     .url = url,
                     .headers = (const char *const *)all->pdata,
                     .body = body,
                     .body_length = body != NULL ? strlen(body) : 0,
                     .unix_socket = socket,
                     .timeout_ms = 30000};
    HttpReply *reply = http_client_call(reg->client, &call, &error);
    no_error(error);
    return reply;
}

char *register_text(const HttpReply *reply)
{
    gsize length;
    const char *text = g_bytes_get_data(reply->body, &length);
    return g_strndup(text != NULL ? text : "", length);
}

json_t *register_ask(Register *reg, const char *body, guint status)
{
    g_autoptr(HttpReply) reply = register_call(reg, "POST", REGISTER_PATH, NULL, body);
    g_autofree char *text = register_text(reply);
    if (reply->status != status)
        fail_msg("%s\nexpected %u, found %u: %s", body, status, reply->status, text);
    return parsed(text);
}

/* --- the log --- */

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(object, name, json_string(text));
}

/* As LDV 1.0.0 3.2.2 names the fields. */
static json_t *record_json(const Record *record)
{
    const LogboekRecord *fields = &record->fields;
    json_t *attributes = record->attributes != NULL ? json_copy(record->attributes) : json_object();
    set_text(attributes, "dpl.core.processing_activity_id", fields->processing_activity_id);
    set_text(attributes, "dpl.core.data_subject_id", fields->data_subject_id);
    set_text(attributes, "dpl.core.data_subject_id_type", fields->data_subject_id_type);
    set_text(attributes, "dpl.core.foreign_operation.processor", fields->processor);
    json_t *all = json_pack("{s:s, s:i, s:I, s:I, s:o}", "name", fields->name, "status", fields->status,
                            "start_time", (json_int_t)fields->start_ms, "end_time",
                            (json_int_t)fields->end_ms, "attributes", attributes);
    set_text(all, "trace_id", fields->trace_id);
    set_text(all, "span_id", fields->span_id);
    set_text(all, "parent_span_id", fields->parent_span_id);
    return all;
}

static gboolean add_record(const JournalRecord *found, gpointer user_data)
{
    if (found->kind != KIND_RECORD)
        return TRUE;
    g_autoptr(GError) error = NULL;
    g_autoptr(Record) record =
        record_decode(found->data + RECORD_ENVELOPE_SIZE, found->length - RECORD_ENVELOPE_SIZE, &error);
    no_error(error);
    json_array_append_new(user_data, record_json(record));
    return TRUE;
}

json_t *register_records(Register *reg)
{
    g_autoptr(GError) error = NULL;
    Journal *journal = logboek_of(reg->node)->journal;
    json_t *records = json_array();
    guint64 last = journal_last(journal);
    journal_read(journal, reg->seen + 1, add_record, records, &error);
    no_error(error);
    reg->seen = last;
    return records;
}

static gboolean lacks(const JournalRecord *found, gpointer user_data)
{
    const char **word = user_data;
    if (memmem(found->data, found->length, *word, strlen(*word)) != NULL)
        *word = NULL;
    return *word != NULL;
}

gboolean register_journal_lacks(Register *reg, const char *word)
{
    g_autoptr(GError) error = NULL;
    journal_read(logboek_of(reg->node)->journal, 1, lacks, &word, &error);
    no_error(error);
    return word != NULL;
}

/* --- faults --- */

void register_run_sql(Register *reg, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(reg->store, &error);
    no_error(error);
    db_run_values(db, sql, NULL, 0, &error);
    no_error(error);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

void register_fill_disk(void)
{
    signal(SIGXFSZ, SIG_IGN);
    set_file_limit(0);
}

void register_free_disk(Register *reg)
{
    g_autoptr(GError) error = NULL;
    set_file_limit(RLIM_INFINITY);
    journal_recover(logboek_of(reg->node)->journal, &error);
    no_error(error);
}
