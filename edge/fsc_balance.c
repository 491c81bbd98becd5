/* The balancer of the upstreams of the Inway and the Outway: sends each request to the target of its verdict
 * or route, over a kept connection when there is one (fsc_target.h says why nginx's own pool will not do). */
#include "fsc.h"

#define IDLE_MAX 1024
/* Shorter than nginx's own 75 s at the other side: a connection that the other side closes just when we send
 * costs an error. */
#define IDLE_MS 30000
#define REQUESTS_MAX 100000
/* The certificate of the other side is looked at when a connection is made: no connection lasts much longer
 * than that may be trusted. */
#define AGE_MAX_MS (10 * 60 * 1000)

static ngx_int_t peer_get(ngx_peer_connection_t *peer, void *data)
{
    FscRequest *request = data;
    FscTarget *target = request->target;
    request->renewed = fsc_targets_renewed(request->main->targets);
    peer->sockaddr = &target->socket.any;
    peer->socklen = target->socket_length;
    peer->name = &target->address;
    peer->connection = fsc_target_take(target, peer->log);
    peer->cached = peer->connection != NULL;
    return peer->cached ? NGX_DONE : NGX_OK;
}

/* As nginx's keepalive module: only a connection on which a whole request and a whole answer went by is used
 * again. */
static ngx_flag_t reusable(const ngx_http_upstream_t *upstream, ngx_connection_t *connection,
                           ngx_uint_t state)
{
    return connection != NULL && (state & NGX_PEER_FAILED) == 0 && !connection->read->eof &&
           !connection->read->error && !connection->read->timedout && !connection->write->error &&
           !connection->write->timedout && connection->requests < REQUESTS_MAX &&
           ngx_current_msec - connection->start_time < AGE_MAX_MS && upstream->keepalive &&
           upstream->request_body_sent && !ngx_terminate && !ngx_exiting &&
           ngx_handle_read_event(connection->read, 0) == NGX_OK;
}

static void peer_free(ngx_peer_connection_t *peer, void *data, ngx_uint_t state)
{
    FscRequest *request = data;
    ngx_connection_t *connection = peer->connection;
    if (peer->tries > 0)
        peer->tries--;
    if (!reusable(request->http->upstream, connection, state) ||
        request->renewed != fsc_targets_renewed(request->main->targets))
        return; /* the caller closes it */
    peer->connection = NULL;
    fsc_target_keep(request->target, connection, ngx_max(1, ngx_min(IDLE_MAX, ngx_cycle->connection_n / 4)),
                    IDLE_MS);
}

static ngx_int_t peer_set_session(ngx_peer_connection_t *peer, void *data)
{
    FscTarget *target = ((FscRequest *)data)->target;
    return target->session != NULL ? ngx_ssl_set_session(peer->connection, target->session) : NGX_OK;
}

static void peer_save_session(ngx_peer_connection_t *peer, void *data)
{
    FscTarget *target = ((FscRequest *)data)->target;
    ngx_ssl_session_t *session = ngx_ssl_get_session(peer->connection);
    if (session == NULL)
        return;
    if (target->session != NULL)
        ngx_ssl_free_session(target->session);
    target->session = session;
}

static ngx_int_t peer_init(ngx_http_request_t *http, ngx_http_upstream_srv_conf_t *upstream)
{
    (void)upstream;
    FscRequest *request = fsc_request_of(http);
    if (request == NULL || request->target == NULL) {
        ngx_log_error(NGX_LOG_ERR, http->connection->log, 0,
                      "fsc: fsc_balance serves locations with fsc_inway, fsc_outway or fsc_node only");
        return NGX_ERROR;
    }
    ngx_peer_connection_t *peer = &http->upstream->peer;
    peer->data = request;
    peer->get = peer_get;
    peer->free = peer_free;
    peer->set_session = peer_set_session;
    peer->save_session = peer_save_session;
    peer->tries = 1;
    return NGX_OK;
}

static ngx_int_t upstream_init(ngx_conf_t *conf, ngx_http_upstream_srv_conf_t *upstream)
{
    (void)conf;
    upstream->peer.init = peer_init;
    return NGX_OK;
}

char *fsc_balance_directive(ngx_conf_t *conf, ngx_command_t *command, void *unused)
{
    (void)command;
    (void)unused;
    ngx_http_upstream_srv_conf_t *upstream =
        ngx_http_conf_get_module_srv_conf(conf, ngx_http_upstream_module);
    if (upstream->peer.init_upstream != NULL)
        return (char *)"comes after another balancer";
    upstream->peer.init_upstream = upstream_init;
    upstream->flags = NGX_HTTP_UPSTREAM_CREATE;
    return NGX_CONF_OK;
}
