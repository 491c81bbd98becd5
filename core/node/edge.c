/* From node.conf to a running nginx: what listens where, rendered into edge/nginx.conf.mustache. */
#include "core/node/edge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/asset.h"
#include "core/base/error.h"
#include "core/format/mustache.h"
#include "core/node/edge_upgrade.h"
#include "core/node/node.h"

#define MODULE_FILE "ngx_http_fsc_module.so"

static gboolean fault(GError **error, const char *section, const char *key, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static gboolean fault(GError **error, const char *section, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "[%s] %s: %s", section, key, text);
    return FALSE;
}

/* nginx reads quotes, dollars and backslashes in its own way, so that what goes into its file may not hold
 * them. */
static gboolean put(json_t *into, const char *name, const char *text, const char *section, const char *key,
                    GError **error)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((guchar)*c < ' ' || strchr("\"'$\\{};#", *c) != NULL || *c == 0x7f)
            return fault(error, section, key,
                         "nginx cannot take \"%s\"; use a name without quotes, $, \\, #, ; and braces", text);
    json_object_set_new(into, name, json_string(text));
    return TRUE;
}

/* What belongs to a component that is switched off is not listened for: nobody would answer. */
static gboolean is_on(const Config *config, const char *component)
{
    return config_line(config, "node", "components") == 0 ||
           g_strv_contains(config_list(config, "node", "components"), component);
}

/* Listeners over TLS. */

typedef struct {
    const char *name; /* in the template, and the role of the key */
    const char *section, *key;
    const char *component; /* that answers there; NULL: the node itself */
    guint port;            /* when the URL has none */
} TlsListener;

static const TlsListener tls_listeners[] = {
    {"manager", "fsc", "manager_address", "fsc", 443},
    {"inway", "fsc", "inway_address", "fsc", 443},
    {"portal", "inzage", "address", "inzage", 443},
    {"portal", "catalogue", "address", "fsc", 443}, /* a Directory has pages also without inzage */
    {"office", "office", "address", NULL, 443},
};

static char *socket_address(const char *ip, guint port)
{
    return g_strdup_printf(strchr(ip, ':') != NULL ? "[%s]:%u" : "%s:%u", ip, port);
}

static json_t *socket_addresses(const Config *config, guint port)
{
    json_t *list = json_array();
    for (const char *const *ip = config_list(config, "edge", "address"); *ip != NULL; ip++) {
        g_autofree char *address = socket_address(*ip, port);
        json_array_append_new(list, json_string(address));
    }
    return list;
}

static gboolean check_addresses(const Config *config, GError **error)
{
    const char *const *list = config_list(config, "edge", "address");
    if (*list == NULL)
        return fault(error, "edge", "address", "is missing: say at which IP address this node is reached");
    for (; *list != NULL; list++)
        if (!g_hostname_is_ip_address(*list))
            return fault(error, "edge", "address", "\"%s\" is no IP address", *list);
    return TRUE;
}

/* Each port gets, once, a server for names that nobody has. */
static void add_port(const Config *config, json_t *ports, guint port)
{
    gsize i;
    json_t *known;
    json_array_foreach(ports, i,
                       known) if (json_integer_value(json_object_get(known, "port")) == port) return;
    json_t *entry = json_object();
    json_object_set_new(entry, "port", json_integer(port));
    json_object_set_new(entry, "addresses", socket_addresses(config, port));
    json_array_append_new(ports, entry);
}

static gboolean check_key_file(const Config *config, const char *role, const char *reason, GError **error)
{
    static const char *const suffixes[] = {"crt", "key"};
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path =
            g_strdup_printf("%s/%s.%s", config_text(config, "node", "keys"), role, suffixes[i]);
        if (access(path, R_OK) != 0)
            return fault(error, "node", "keys", "%s cannot be read (%s), which %s needs", path,
                         g_strerror(errno), reason);
    }
    return TRUE;
}

/* A node has one portal: with two addresses, people would follow a link to one that is not listened for. */
static gboolean check_same(const json_t *known, const TlsListener *listener, const char *host, guint port,
                           GError **error)
{
    const char *there = json_string_value(json_object_get(known, "host"));
    if (strcmp(there, host) == 0 && json_integer_value(json_object_get(known, "port")) == port)
        return TRUE;
    return fault(error, listener->section, listener->key,
                 "is not where the %s of this node is, https://%s:%d; give both the same address",
                 listener->name, there, (int)json_integer_value(json_object_get(known, "port")));
}

static gboolean add_tls_listener(const Config *config, const TlsListener *listener, json_t *context,
                                 GError **error)
{
    const char *url = config_text(config, listener->section, listener->key);
    if (url == NULL || (listener->component != NULL && !is_on(config, listener->component)))
        return TRUE;
    g_autofree char *scheme = NULL, *host = NULL;
    int port = -1;
    if (!g_uri_split_network(url, G_URI_FLAGS_NONE, &scheme, &host, &port, NULL) ||
        strcmp(scheme, "https") != 0)
        return fault(error, listener->section, listener->key, "\"%s\" is no https URL", url);
    guint number = port > 0 ? (guint)port : listener->port;
    g_autofree char *reason = g_strdup_printf("[%s] %s", listener->section, listener->key);
    g_autofree char *name = g_ascii_strdown(host, -1);
    const json_t *known = json_object_get(context, listener->name);
    if (known != NULL)
        return check_same(known, listener, name, number, error);
    json_t *entry = json_object();
    json_object_set_new(context, listener->name, entry);
    json_object_set_new(entry, "port", json_integer(number));
    json_object_set_new(entry, "addresses", socket_addresses(config, number));
    add_port(config, json_object_get(context, "ports"), number);
    return put(entry, "host", name, listener->section, listener->key, error) &&
           check_key_file(config, listener->name, reason, error);
}

/* Plain listeners, for applications of this organisation on the same machine. */

static gboolean is_loopback(const char *ip)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, ip, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, ip, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static gboolean check_loopback(const char *listen, const char *section, GError **error)
{
    g_autofree char *url = g_strdup_printf("http://%s", listen);
    g_autofree char *host = NULL;
    int port = -1;
    if (!g_uri_split_network(url, G_URI_FLAGS_NONE, NULL, &host, &port, NULL) || port <= 0 ||
        !g_hostname_is_ip_address(host))
        return fault(error, section, "listen", "\"%s\" is not ip:port", listen);
    if (!is_loopback(host))
        return fault(error, section, "listen",
                     "%s is not a loopback address: what listens there has no TLS and no sign-in", listen);
    return TRUE;
}

static gboolean add_log(const Config *config, json_t *context, GError **error)
{
    const char *listen = config_text(config, "logboek", "listen");
    if (listen == NULL || !is_on(config, "logboek"))
        return TRUE;
    json_t *entry = json_object();
    json_object_set_new(context, "log", entry);
    return check_loopback(listen, "logboek", error) &&
           put(entry, "listen", listen, "logboek", "listen", error);
}

static gboolean add_client(const Config *config, const char *name, json_t *clients, GError **error)
{
    g_autofree char *section = g_strdup_printf("client.%s", name);
    const char *listen = config_text(config, section, "listen");
    if (listen == NULL)
        return fault(error, section, "listen",
                     "is missing: the loopback address and port of this client of the Outway");
    json_t *entry = json_object();
    json_array_append_new(clients, entry);
    return check_loopback(listen, section, error) && put(entry, "listen", listen, section, "listen", error) &&
           put(entry, "name", name, section, "listen", error) &&
           check_key_file(config, "outway", section, error);
}

static gboolean add_clients(const Config *config, json_t *context, GError **error)
{
    json_t *clients = json_array();
    json_object_set_new(context, "clients", clients);
    for (const char *const *name = config_family(config, "client"); is_on(config, "fsc") && *name != NULL;
         name++)
        if (!add_client(config, *name, clients, error))
            return FALSE;
    return TRUE;
}

/* What is the same for all. */

static char *module_path(const Config *config)
{
    static const char *const beside[] = {"../edge/" MODULE_FILE, "../lib/fundament/" MODULE_FILE,
                                         "../lib/x86_64-linux-gnu/fundament/" MODULE_FILE,
                                         "../lib/aarch64-linux-gnu/fundament/" MODULE_FILE};
    const char *given = config_text(config, "edge", "module");
    if (given != NULL)
        return g_strdup(given);
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self != NULL ? self : "/usr/bin/fundament");
    for (gsize i = 0; i < G_N_ELEMENTS(beside); i++) {
        g_autofree char *path = g_canonicalize_filename(beside[i], folder);
        if (access(path, R_OK) == 0)
            return g_steal_pointer(&path);
    }
    return g_canonicalize_filename(beside[1], folder);
}

/* Root's nginx would hand its work to another user, who may read neither keys nor sockets of this one. */
static gboolean add_user(json_t *context, GError **error)
{
    const struct passwd *user = geteuid() == 0 ? getpwuid(0) : NULL;
    return user == NULL || put(context, "user", user->pw_name, "edge", "user", error);
}

/* Each request holds two descriptors; nginx inherits what we are allowed. */
static gint64 connections_allowed(void)
{
    struct rlimit limit = {1024, 1024};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return (gint64)CLAMP(limit.rlim_max, 512, 16384);
}

/* The authority of the officers' certificates. */
static gboolean add_officers(const Config *config, json_t *context, GError **error)
{
    const char *anchors = config_text(config, "office", "anchors");
    const char *crl = config_text(config, "office", "crl");
    return (anchors == NULL || put(context, "officers", anchors, "office", "anchors", error)) &&
           (crl == NULL || put(context, "officers_crl", crl, "office", "crl", error));
}

static gboolean add_common(const Config *config, json_t *context, GError **error)
{
    g_autofree char *module = module_path(config);
    g_autofree char *data = g_build_filename(config_text(config, "node", "data"), "edge", NULL);
    const char *crl = config_text(config, "node", "crl");
    json_object_set_new(context, "ports", json_array());
    json_object_set_new(context, "workers", json_integer(MAX(1, config_integer(config, "edge", "workers"))));
    json_object_set_new(context, "crl_grace", json_integer(config_integer(config, "node", "crl_grace")));
    json_object_set_new(context, "connections", json_integer(connections_allowed()));
    json_object_set_new(context, "body_max", json_integer(config_integer(config, "edge", "body_max")));
    json_object_set_new(context, "answer_timeout",
                        json_integer(MAX(1, config_integer(config, "edge", "answer_timeout"))));
    json_object_set_new(
        context, "level",
        json_string(g_strcmp0(config_text(config, "node", "log"), "debug") == 0 ? "info" : "notice"));
    return add_user(context, error) && put(context, "module", module, "edge", "module", error) &&
           put(context, "run", config_text(config, "node", "run"), "node", "run", error) &&
           put(context, "data", data, "node", "data", error) &&
           put(context, "keys", config_text(config, "node", "keys"), "node", "keys", error) &&
           put(context, "anchors", config_text(config, "node", "anchors"), "node", "anchors", error) &&
           (crl == NULL || put(context, "crl", crl, "node", "crl", error)) &&
           add_officers(config, context, error);
}

static char *render(const Config *config, gboolean daemonize, GError **error)
{
    const char *template_text = asset_find("edge/nginx.conf.mustache", NULL);
    json_t *context = json_object();
    json_object_set_new(context, "daemon", json_boolean(daemonize));
    gboolean good = check_addresses(config, error) && add_common(config, context, error);
    for (gsize i = 0; i < G_N_ELEMENTS(tls_listeners) && good; i++)
        good = add_tls_listener(config, &tls_listeners[i], context, error);
    good = good && add_clients(config, context, error) && add_log(config, context, error);
    char *text = good ? mustache_render(template_text, context, NULL, NULL, error) : NULL;
    json_decref(context);
    return text;
}

char *edge_render(const Config *config, GError **error)
{
    return render(config, FALSE, error);
}

/* Running it. */

static gboolean make_folder(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0700) == 0)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s cannot be made: %s", path, g_strerror(errno));
    return FALSE;
}

typedef struct {
    char *nginx, *prefix, *file, *pid_file;
} Paths;

static void paths_clear(Paths *paths)
{
    g_free(paths->nginx);
    g_free(paths->prefix);
    g_free(paths->file);
    g_free(paths->pid_file);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Paths, paths_clear)

/* Writes nginx.conf where nginx will read it, also at a reload. */
static gboolean write_files(const Config *config, gboolean daemonize, Paths *paths, GError **error)
{
    const char *run = config_text(config, "node", "run");
    paths->nginx = g_strdup(config_text(config, "edge", "nginx"));
    paths->prefix = g_build_filename(config_text(config, "node", "data"), "edge", NULL);
    paths->file = g_build_filename(run, "nginx.conf", NULL);
    paths->pid_file = g_build_filename(run, "edge.pid", NULL);
    g_autofree char *text = render(config, daemonize, error);
    return text != NULL && make_folder(run, error) && make_folder(paths->prefix, error) &&
           g_file_set_contents_full(paths->file, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

static int exec_nginx(const Paths *paths, gboolean test)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    char *const arguments[] = {paths->nginx, (char *)"-p", paths->prefix,    (char *)"-c",
                               paths->file,  (char *)"-e", (char *)"stderr", test ? (char *)"-t" : NULL,
                               NULL};
    execv(paths->nginx, arguments);
    g_printerr("fundament edge: %s cannot be run: %s; install nginx, or set [edge] nginx\n", paths->nginx,
               g_strerror(errno));
    return 1;
}

static int reload(const Paths *paths)
{
    g_autofree char *text = NULL;
    gint64 pid =
        g_file_get_contents(paths->pid_file, &text, NULL, NULL) ? g_ascii_strtoll(text, NULL, 10) : 0;
    if (pid > 1 && kill((pid_t)pid, SIGHUP) == 0)
        return 0;
    g_printerr("fundament edge: no edge is running here (%s)\n", paths->pid_file);
    return 1;
}

/* What was asked on the command line. */
typedef struct {
    gboolean print, test, again, daemonize, upgrade;
} Wish;

static int replace(const Paths *paths)
{
    g_autoptr(GError) error = NULL;
    if (edge_upgrade(paths->pid_file, &error))
        return 0;
    g_printerr("fundament edge: %s\n", error->message);
    return 1;
}

static int run(const Config *config, const Wish *wish)
{
    g_autoptr(GError) error = NULL;
    g_auto(Paths) paths = {NULL, NULL, NULL, NULL};
    g_autofree char *text = wish->print ? edge_render(config, &error) : NULL;
    if (text != NULL) {
        fputs(text, stdout);
        return 0;
    }
    if (error != NULL || !write_files(config, wish->daemonize || wish->upgrade, &paths, &error)) {
        g_printerr("fundament edge: %s: %s\n", config_path(config), error->message);
        return 1;
    }
    if (wish->upgrade)
        return replace(&paths);
    return wish->again ? reload(&paths) : exec_nginx(&paths, wish->test);
}

int edge_command(int argc, char **argv, const Component *const *components, gsize n_components)
{
    g_autofree char *given = NULL;
    Wish wish = {0};
    const GOptionEntry options[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &given,
         "The configuration (default $FUNDAMENT_CONF, node.conf)", "FILE"},
        {"print", 0, 0, G_OPTION_ARG_NONE, &wish.print, "Prints the configuration of nginx", NULL},
        {"test", 0, 0, G_OPTION_ARG_NONE, &wish.test, "Has nginx check it", NULL},
        {"reload", 0, 0, G_OPTION_ARG_NONE, &wish.again,
         "Has the running edge take it over: for changed listeners", NULL},
        {"daemon", 0, 0, G_OPTION_ARG_NONE, &wish.daemonize, "In the background, so that it can be replaced",
         NULL},
        {"upgrade", 0, 0, G_OPTION_ARG_NONE, &wish.upgrade,
         "Replaces the running edge by a new one, without closing a listener", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_summary(
        context, "Runs nginx with the Inway, the Outway and all other listeners of this node.");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        g_printerr("fundament edge: %s; see fundament edge --help\n",
                   error != NULL ? error->message : "takes options only");
        return 2;
    }
    g_autofree char *path = config_choose_path(given);
    g_autoptr(Config) config = node_load_config(path, components, n_components);
    return config == NULL ? 1 : run(config, &wish);
}
