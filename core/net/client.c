#include "core/net/client.h"

#include <signal.h>
#include <string.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/client_private.h"

#define POLL_MS 1000

struct http_client {
    AgentPools *pools;
};

/* Calls that share an agent, and where their outcomes go. */
typedef struct {
    HttpClient *client;
    const char *name;
    GPtrArray *calls; /* of Outcome */
} Group;

typedef struct {
    const HttpCall *call;
    HttpReply **reply;
    GError **error;
} Outcome;

void http_reply_free(HttpReply *reply)
{
    if (reply == NULL)
        return;
    g_free(reply->content_type);
    g_clear_pointer(&reply->headers, g_hash_table_unref);
    g_clear_pointer(&reply->body, g_bytes_unref);
    g_free(reply);
}

HttpClient *http_client_new(void)
{
    static gsize initialised = 0;
    if (g_once_init_enter(&initialised)) {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
            g_error("libcurl does not start");
        signal(SIGPIPE,
               SIG_IGN); /* OpenSSL writes to a socket that the other side closed, without MSG_NOSIGNAL */
        g_once_init_leave(&initialised, 1);
    }
    HttpClient *client = g_new(HttpClient, 1);
    client->pools = agent_pools_new();
    return client;
}

void http_client_free(HttpClient *client)
{
    if (client == NULL)
        return;
    agent_pools_free(client->pools);
    g_free(client);
}

/* Takes in the transfers that ended. */
static void collect(Agent *agent, Transfer *transfers, const GPtrArray *outcomes)
{
    int left;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(agent->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        Transfer *transfer = NULL;
        CURLcode code = message->data.result;
        CURL *easy = message->easy_handle;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
        const Outcome *outcome = outcomes->pdata[transfer - transfers];
        *outcome->reply = transfer_finish(transfer, code, outcome->error);
        curl_multi_remove_handle(agent->multi, easy);
    }
}

static void run_transfers(Agent *agent, const GPtrArray *outcomes)
{
    g_autofree Transfer *transfers = g_new0(Transfer, outcomes->len);
    for (guint i = 0; i < outcomes->len; i++) {
        const Outcome *outcome = outcomes->pdata[i];
        CURL *easy = agent_easy(agent, i);
        if (transfer_prepare(&transfers[i], easy, outcome->call, outcome->error))
            curl_multi_add_handle(agent->multi, easy);
    }
    int running = 1;
    while (running > 0) {
        curl_multi_perform(agent->multi, &running);
        collect(agent, transfers, outcomes);
        if (running > 0)
            curl_multi_poll(agent->multi, NULL, 0, POLL_MS, NULL);
    }
    for (guint i = 0; i < outcomes->len; i++)
        transfer_clear(&transfers[i]);
}

static gpointer run_group(gpointer data)
{
    const Group *group = data;
    g_autoptr(GError) error = NULL;
    const Outcome *first = group->calls->pdata[0];
    Agent *agent = agent_take(group->client->pools, group->name, first->call->tls, &error);
    if (agent == NULL) {
        for (guint i = 0; i < group->calls->len; i++)
            *((const Outcome *)group->calls->pdata[i])->error = g_error_copy(error);
        return NULL;
    }
    run_transfers(agent, group->calls);
    agent_give_back(group->client->pools, agent);
    return NULL;
}

static void group_free(gpointer data)
{
    Group *group = data;
    g_ptr_array_unref(group->calls);
    g_free(group);
}

/* The calls by the agent that they need. */
static GHashTable *group_calls(HttpClient *client, const HttpCall *calls, gsize n_calls, HttpReply **replies,
                               GError **errors)
{
    GHashTable *groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, group_free);
    for (gsize i = 0; i < n_calls; i++) {
        replies[i] = NULL;
        errors[i] = NULL;
        g_autofree char *name = agent_name(&calls[i]);
        Group *group = g_hash_table_lookup(groups, name);
        if (group == NULL) {
            group = g_new(Group, 1);
            group->client = client;
            group->calls = g_ptr_array_new_with_free_func(g_free);
            group->name = name;
            g_hash_table_insert(groups, g_steal_pointer(&name), group);
        }
        Outcome *outcome = g_new(Outcome, 1);
        *outcome = (Outcome){&calls[i], &replies[i], &errors[i]};
        g_ptr_array_add(group->calls, outcome);
    }
    return groups;
}

void http_client_call_all(HttpClient *client, const HttpCall *calls, gsize n_calls, HttpReply **replies,
                          GError **errors)
{
    g_autoptr(GHashTable) groups = group_calls(client, calls, n_calls, replies, errors);
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    GHashTableIter iter;
    gpointer group;
    guint left = g_hash_table_size(groups);
    g_hash_table_iter_init(&iter, groups);
    while (g_hash_table_iter_next(&iter, NULL, &group)) {
        if (--left == 0)
            run_group(group); /* the last, and mostly the only one, on this thread */
        else
            g_ptr_array_add(threads, g_thread_new("calls", run_group, group));
    }
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
}

HttpReply *http_client_call(HttpClient *client, const HttpCall *call, GError **error)
{
    HttpReply *reply;
    GError *failure;
    http_client_call_all(client, call, 1, &reply, &failure);
    if (failure != NULL)
        g_propagate_error(error, failure);
    return reply;
}

json_t *http_reply_json(const HttpReply *reply, GError **error)
{
    gsize length;
    const char *text = g_bytes_get_data(reply->body, &length);
    JsonLimits limits = JSON_LIMITS_DEFAULT;
    limits.bytes = MAX(limits.bytes, length);
    json_t *value = json_parse_strict(length == 0 ? "" : text, (gssize)length, &limits, error);
    if (value == NULL) {
        g_prefix_error(error, "the answer (status %u): ", reply->status);
        if (error != NULL)
            (*error)->code = FUNDAMENT_ERROR_INVALID;
    }
    return value;
}

gint64 http_date_read(const char *text)
{
    return (gint64)curl_getdate(text, NULL);
}
