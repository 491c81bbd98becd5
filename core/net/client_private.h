/* Inside core/net only: one call as a transfer of libcurl, and the agents that carry transfers. */
#pragma once

#include <curl/curl.h>
#include <glib.h>

#include "core/net/client.h"

/* What one call needs while it runs. */
typedef struct {
    const HttpCall *call;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *resolve;
    HttpReply *reply;
    GByteArray *body;
    gsize header_bytes;
    GError *refusal; /* why one of our callbacks ended the transfer */
    char message[CURL_ERROR_SIZE];
} Transfer;

/* transfer.c: sets `easy` up for `call`, which both must outlive the transfer. FALSE with
 * FUNDAMENT_ERROR_INVALID for a call that cannot be made. */
gboolean transfer_prepare(Transfer *transfer, CURL *easy, const HttpCall *call, GError **error);
/* The reply, or NULL with the error that `code` stands for. */
HttpReply *transfer_finish(Transfer *transfer, CURLcode code, GError **error);
void transfer_clear(Transfer *transfer);

typedef struct agent_pool AgentPool;
typedef struct agent_pools AgentPools;

/* A multi handle with its connections and easy handles: used by one thread at a time, for one identity. */
typedef struct {
    CURLM *multi;
    GPtrArray *easies;
    AgentPool *pool;
    char *stamp; /* of the identity's files when the agent was made */
} Agent;

/* agent.c. Agents are kept by identity, socket and fixed addresses: what is kept for one is never used for
 * another. When a file of the identity changes its agents go, so that no connection made with the old one is
 * used again. */
AgentPools *agent_pools_new(void);
void agent_pools_free(AgentPools *pools);

/* Calls of the same name may share an agent. Caller frees. */
char *agent_name(const HttpCall *call);
/* NULL with FUNDAMENT_ERROR_UNAVAILABLE when a file of the identity cannot be read. */
Agent *agent_take(AgentPools *pools, const char *name, const TlsIdentity *tls, GError **error);
void agent_give_back(AgentPools *pools, Agent *agent);
CURL *agent_easy(Agent *agent, guint index);
