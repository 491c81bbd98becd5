#include "fsc_target.h"

#include <sys/un.h>

#define BUCKETS 256 /* there are as many targets as Inways that are spoken with */

/* A kept connection. */
typedef struct {
    ngx_queue_t in_target; /* the target's, the one used last first */
    ngx_queue_t in_all;    /* of all targets, likewise */
    FscTarget *target;     /* a reference */
    ngx_connection_t *connection;
} Idle;

struct fsc_targets {
    ngx_queue_t buckets[BUCKETS];
    ngx_queue_t idle;
    ngx_uint_t n_idle;
    ngx_uint_t renewed;
};

FscTargets *fsc_targets_create(ngx_cycle_t *cycle)
{
    FscTargets *targets = ngx_pcalloc(cycle->pool, sizeof *targets);
    if (targets == NULL)
        return NULL;
    for (ngx_uint_t i = 0; i < BUCKETS; i++) {
        ngx_queue_init(&targets->buckets[i]);
    }
    ngx_queue_init(&targets->idle);
    return targets;
}

static ngx_flag_t same(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}

static ngx_queue_t *bucket_of(FscTargets *targets, const ngx_str_t *address, const ngx_str_t *name)
{
    uint32_t key;
    ngx_crc32_init(key);
    ngx_crc32_update(&key, address->data, address->len);
    ngx_crc32_update(&key, name->data, name->len);
    ngx_crc32_final(key);
    return &targets->buckets[key % BUCKETS];
}

static FscTarget *target_find(ngx_queue_t *bucket, const ngx_str_t *address, const ngx_str_t *name)
{
    for (ngx_queue_t *entry = ngx_queue_head(bucket); entry != ngx_queue_sentinel(bucket);
         entry = ngx_queue_next(entry)) {
        FscTarget *target = ngx_queue_data(entry, FscTarget, chain);
        if (same(&target->address, address) && same(&target->name, name))
            return target;
    }
    return NULL;
}

/* "unix:PATH", "1.2.3.4:443", "[::1]:443". */
static ngx_int_t socket_parse(FscTarget *target)
{
    const ngx_str_t *text = &target->address;
    if (text->len > 5 && ngx_strncmp(text->data, "unix:", 5) == 0) {
        struct sockaddr_un *local = (struct sockaddr_un *)&target->socket.storage;
        if (text->len - 5 >= sizeof local->sun_path)
            return NGX_ERROR;
        local->sun_family = AF_UNIX;
        ngx_memcpy(local->sun_path, text->data + 5, text->len - 5);
        target->socket_length = sizeof *local;
        return NGX_OK;
    }
    ngx_pool_t *pool = ngx_create_pool(512, ngx_cycle->log);
    if (pool == NULL)
        return NGX_ERROR;
    ngx_addr_t address;
    ngx_int_t rc = ngx_parse_addr_port(pool, &address, text->data, text->len);
    if (rc == NGX_OK && ngx_inet_get_port(address.sockaddr) != 0) {
        ngx_memcpy(&target->socket.storage, address.sockaddr, address.socklen);
        target->socket_length = address.socklen;
    } else {
        rc = NGX_ERROR;
    }
    ngx_destroy_pool(pool);
    return rc;
}

/* RFC 9110, 4.2.2 and 7.2: the port stands in Host unless it is that of https. */
static void host_make(FscTarget *target, u_char *place)
{
    target->host.data = place;
    u_char *end = ngx_cpymem(place, target->name.data, target->name.len);
    if (target->socket.any.sa_family != AF_UNIX) {
        in_port_t port = ngx_inet_get_port(&target->socket.any);
        if (port != 443)
            end = ngx_sprintf(end, ":%d", (int)port);
    }
    target->host.len = (size_t)(end - place);
}

FscTarget *fsc_target_get(FscTargets *targets, const ngx_str_t *address, const ngx_str_t *name)
{
    ngx_queue_t *bucket = bucket_of(targets, address, name);
    FscTarget *target = target_find(bucket, address, name);
    if (target != NULL) {
        target->references++;
        return target;
    }
    target = ngx_calloc(sizeof *target + address->len + name->len * 2 + sizeof ":65535", ngx_cycle->log);
    if (target == NULL)
        return NULL;
    u_char *place = (u_char *)(target + 1);
    target->address.data = place;
    target->address.len = address->len;
    place = ngx_cpymem(place, address->data, address->len);
    target->name.data = place;
    target->name.len = name->len;
    place = ngx_cpymem(place, name->data, name->len);
    if (socket_parse(target) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "fsc: the node gave \"%V\", which is no address",
                      address);
        ngx_free(target);
        return NULL;
    }
    host_make(target, place);
    target->targets = targets;
    target->references = 1;
    ngx_queue_init(&target->idle);
    ngx_queue_insert_head(bucket, &target->chain);
    return target;
}

void fsc_target_ref(FscTarget *target)
{
    target->references++;
}

void fsc_target_unref(FscTarget *target)
{
    if (--target->references > 0)
        return;
    ngx_queue_remove(&target->chain);
    if (target->session != NULL)
        ngx_ssl_free_session(target->session);
    ngx_free(target);
}

static size_t folder_length(const ngx_str_t *path)
{
    size_t n = path->len;
    while (n > 0 && path->data[n - 1] != '/')
        n--;
    return n;
}

ngx_flag_t fsc_target_is_beside(const FscTarget *target, const ngx_str_t *path)
{
    if (target->socket.any.sa_family != AF_UNIX)
        return 0;
    const ngx_str_t own = {target->address.len - 5, target->address.data + 5}; /* without "unix:" */
    ngx_str_t a = {folder_length(&own), own.data}, b = {folder_length(path), path->data};
    return a.len > 0 && same(&a, &b);
}

ngx_flag_t fsc_target_answers(const FscTarget *target)
{
    if (!ngx_queue_empty(&target->idle))
        return 1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return 1; /* not a matter of the other side */
    ngx_flag_t answers = connect(fd, &target->socket.any, target->socket_length) == 0 ||
                         (ngx_socket_errno != NGX_ENOENT && ngx_socket_errno != NGX_ECONNREFUSED);
    (void)ngx_close_socket(fd);
    return answers;
}

/* Kept connections. */

/* Takes the connection out of the pool and frees the entry: the connection is the caller's. */
static ngx_connection_t *idle_remove(Idle *idle)
{
    ngx_connection_t *connection = idle->connection;
    FscTarget *target = idle->target;
    ngx_queue_remove(&idle->in_target);
    ngx_queue_remove(&idle->in_all);
    target->targets->n_idle--;
    ngx_free(idle);
    fsc_target_unref(target);
    return connection;
}

static void connection_close(ngx_connection_t *connection)
{
    if (connection->ssl != NULL) {
        connection->ssl->no_wait_shutdown = 1;
        connection->ssl->no_send_shutdown = 1;
        (void)ngx_ssl_shutdown(connection); /* never NGX_AGAIN with these two */
    }
    ngx_destroy_pool(connection->pool);
    ngx_close_connection(connection);
}

/* The other side closed or said something unasked, the time is up, or the worker ends. */
static void idle_read_handler(ngx_event_t *event)
{
    ngx_connection_t *connection = event->data;
    u_char byte;
    if (!connection->close && !event->timedout) {
        ssize_t n = recv(connection->fd, &byte, 1, MSG_PEEK);
        if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
            event->ready = 0;
            if (ngx_handle_read_event(event, 0) == NGX_OK)
                return;
        }
    }
    connection_close(idle_remove(connection->data));
}

static void idle_write_handler(ngx_event_t *event)
{
    (void)event; /* a socket that may be written to says nothing */
}

static void connection_log(ngx_connection_t *connection, ngx_log_t *log)
{
    connection->log = log;
    connection->read->log = log;
    connection->write->log = log;
    connection->pool->log = log;
}

ngx_connection_t *fsc_target_take(FscTarget *target, ngx_log_t *log)
{
    if (ngx_queue_empty(&target->idle))
        return NULL;
    ngx_connection_t *connection =
        idle_remove(ngx_queue_data(ngx_queue_head(&target->idle), Idle, in_target));
    connection->idle = 0;
    connection->sent = 0;
    connection->data = NULL;
    connection_log(connection, log);
    if (connection->read->timer_set)
        ngx_del_timer(connection->read);
    return connection;
}

void fsc_target_keep(FscTarget *target, ngx_connection_t *connection, ngx_uint_t idle_max, ngx_msec_t idle_ms)
{
    FscTargets *targets = target->targets;
    Idle *idle = ngx_alloc(sizeof *idle, ngx_cycle->log);
    if (idle == NULL) {
        connection_close(connection);
        return;
    }
    fsc_target_ref(target);
    idle->target = target;
    idle->connection = connection;
    ngx_queue_insert_head(&target->idle, &idle->in_target);
    ngx_queue_insert_head(&targets->idle, &idle->in_all);
    if (++targets->n_idle > idle_max)
        connection_close(idle_remove(ngx_queue_data(ngx_queue_last(&targets->idle), Idle, in_all)));

    connection->data = idle;
    connection->idle = 1; /* closed by nginx when the worker ends */
    connection->read->delayed = 0;
    connection->read->handler = idle_read_handler;
    connection->write->handler = idle_write_handler;
    connection_log(connection, ngx_cycle->log);
    if (connection->write->timer_set)
        ngx_del_timer(connection->write);
    ngx_add_timer(connection->read, idle_ms);
    if (connection->read->ready)
        idle_read_handler(connection->read);
}

ngx_uint_t fsc_targets_renewed(const FscTargets *targets)
{
    return targets->renewed;
}

void fsc_targets_renew(FscTargets *targets)
{
    targets->renewed++;
    for (ngx_uint_t i = 0; i < BUCKETS; i++) {
        ngx_queue_t *bucket = &targets->buckets[i];
        for (ngx_queue_t *entry = ngx_queue_head(bucket); entry != ngx_queue_sentinel(bucket);
             entry = ngx_queue_next(entry)) {
            FscTarget *target = ngx_queue_data(entry, FscTarget, chain);
            if (target->session != NULL)
                ngx_ssl_free_session(target->session);
            target->session = NULL;
        }
    }
    while (!ngx_queue_empty(&targets->idle))
        connection_close(idle_remove(ngx_queue_data(ngx_queue_head(&targets->idle), Idle, in_all)));
}
