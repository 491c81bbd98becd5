#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/net/client_private.h"

#define IDLE_AGENTS_MAX 8    /* a pool */
#define EASIES_KEPT 16       /* an agent */
#define CONNECTIONS_KEPT 32L /* an agent */
#define CONNECTIONS_MAX 128L /* of an agent at the same time; more calls wait their turn */

struct agent_pool {
    char *stamp;
    GQueue idle; /* of Agent, the last used first */
};

struct agent_pools {
    GMutex lock;
    GHashTable *by_name; /* name -> AgentPool */
};

static void easy_free(gpointer easy)
{
    curl_easy_cleanup(easy);
}

static void agent_free(gpointer data)
{
    Agent *agent = data;
    g_ptr_array_unref(agent->easies);
    curl_multi_cleanup(agent->multi);
    g_free(agent->stamp);
    g_free(agent);
}

static void pool_free(gpointer data)
{
    AgentPool *pool = data;
    g_queue_clear_full(&pool->idle, agent_free);
    g_free(pool->stamp);
    g_free(pool);
}

AgentPools *agent_pools_new(void)
{
    AgentPools *pools = g_new(AgentPools, 1);
    g_mutex_init(&pools->lock);
    pools->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, pool_free);
    return pools;
}

void agent_pools_free(AgentPools *pools)
{
    g_hash_table_unref(pools->by_name);
    g_mutex_clear(&pools->lock);
    g_free(pools);
}

char *agent_name(const HttpCall *call)
{
    GString *name = g_string_new(NULL);
    const TlsIdentity *tls = call->tls;
    const char *const parts[] = {tls == NULL ? NULL : tls->certificate_path,
                                 tls == NULL ? NULL : tls->key_path, tls == NULL ? NULL : tls->anchors_path,
                                 tls == NULL ? NULL : tls->crl_path, call->unix_socket};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        g_string_append_printf(name, "%s\n", parts[i] == NULL ? "" : parts[i]);
    for (gsize i = 0; call->resolve != NULL && call->resolve[i] != NULL; i++)
        g_string_append_printf(name, "%s\n", call->resolve[i]);
    return g_string_free(name, FALSE);
}

static gboolean stamp_file(GString *stamp, const char *path, GError **error)
{
    struct stat status;
    if (path == NULL)
        return TRUE;
    if (stat(path, &status) != 0) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "%s: %s", path, g_strerror(errno));
        return FALSE;
    }
    g_string_append_printf(stamp, "%" G_GUINT64_FORMAT ".%" G_GINT64_FORMAT ".%ld.%" G_GINT64_FORMAT " ",
                           (guint64)status.st_ino, (gint64)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                           (gint64)status.st_size);
    return TRUE;
}

/* Changes when one of the files does. */
static char *identity_stamp(const TlsIdentity *tls, GError **error)
{
    g_autoptr(GString) stamp = g_string_new(NULL);
    if (tls != NULL &&
        (!stamp_file(stamp, tls->certificate_path, error) || !stamp_file(stamp, tls->key_path, error) ||
         !stamp_file(stamp, tls->anchors_path, error) || !stamp_file(stamp, tls->crl_path, error)))
        return NULL;
    return g_string_free(g_steal_pointer(&stamp), FALSE);
}

static Agent *agent_new(AgentPool *pool, const char *stamp)
{
    Agent *agent = g_new(Agent, 1);
    agent->multi = curl_multi_init();
    if (agent->multi == NULL)
        g_error("libcurl gives no multi handle");
    curl_multi_setopt(agent->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    curl_multi_setopt(agent->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
    agent->easies = g_ptr_array_new_with_free_func(easy_free);
    agent->pool = pool;
    agent->stamp = g_strdup(stamp);
    return agent;
}

Agent *agent_take(AgentPools *pools, const char *name, const TlsIdentity *tls, GError **error)
{
    g_autofree char *stamp = identity_stamp(tls, error);
    if (stamp == NULL)
        return NULL;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&pools->lock);
    AgentPool *pool = g_hash_table_lookup(pools->by_name, name);
    if (pool == NULL) {
        pool = g_new0(AgentPool, 1);
        g_hash_table_insert(pools->by_name, g_strdup(name), pool);
    }
    if (g_strcmp0(pool->stamp, stamp) != 0) {
        g_queue_clear_full(&pool->idle, agent_free);
        g_free(pool->stamp);
        pool->stamp = g_strdup(stamp);
    }
    Agent *agent = g_queue_pop_head(&pool->idle);
    return agent != NULL ? agent : agent_new(pool, stamp);
}

void agent_give_back(AgentPools *pools, Agent *agent)
{
    if (agent->easies->len > EASIES_KEPT)
        g_ptr_array_set_size(agent->easies, EASIES_KEPT);
    g_mutex_lock(&pools->lock);
    gboolean keep = strcmp(agent->stamp, agent->pool->stamp) == 0 &&
                    g_queue_get_length(&agent->pool->idle) < IDLE_AGENTS_MAX;
    if (keep)
        g_queue_push_head(&agent->pool->idle, agent);
    g_mutex_unlock(&pools->lock);
    if (!keep)
        agent_free(agent);
}

CURL *agent_easy(Agent *agent, guint index)
{
    while (agent->easies->len <= index) {
        CURL *easy = curl_easy_init();
        if (easy == NULL)
            g_error("libcurl gives no easy handle");
        g_ptr_array_add(agent->easies, easy);
    }
    return agent->easies->pdata[index];
}
