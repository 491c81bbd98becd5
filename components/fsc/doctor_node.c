/* Facts about this node: its files, its clock, its processes. */
#include "components/fsc/doctor.h"

#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "components/fsc/address.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/probe.h"
#include "core/node/admin.h"
#include "core/node/frames.h"

#define PROBE_TIMEOUT_MS 2000

static void free_text(gpointer text)
{
    g_free(text);
}

static void read_configuration(Doctor *doctor, DoctorFacts *facts)
{
    gsize count = 0;
    const Component *const *components = component_table(&count);
    g_clear_pointer(&doctor->config, config_free);
    g_clear_pointer(&facts->config_faults, g_ptr_array_unref);
    facts->config_faults = g_ptr_array_new_with_free_func(free_text);
    doctor_keep(&facts->config_path, g_strdup(doctor->config_path));
    doctor->config = node_read_config(doctor->config_path, components, count, facts->config_faults);
    if (doctor->config == NULL)
        return;
    const Config *config = doctor->config;
    facts->crl_grace_s = config_integer(config, "node", "crl_grace");
    facts->frame_version = FRAME_VERSION;
    doctor_keep(&facts->group, g_strdup(config_text(config, "node", "group")));
    doctor_keep(&facts->keys_path, g_strdup(config_text(config, "node", "keys")));
    doctor_keep(&facts->data_path, g_strdup(config_text(config, "node", "data")));
    doctor_keep(&facts->crl_path, g_strdup(config_text(config, "node", "crl")));
}

/* adjtimex(2): TIME_ERROR is "the clock is not synchronised". */
static void read_clock(Doctor *doctor, DoctorFacts *facts)
{
    struct timex state = {.modes = 0};
    int result = adjtimex(&state);
    facts->now_s = clock_now_s(doctor->clock);
    facts->clock_synchronised = result >= 0 && result != TIME_ERROR;
}

/* --- keys --- */

static gboolean is_wanted(const Config *config, Role role)
{
    gboolean inway = config_text(config, "fsc", "inway_address") != NULL;
    switch (role) {
    case ROLE_MANAGER:
    case ROLE_CONTRACT:
        return TRUE;
    case ROLE_INWAY:
    case ROLE_TOKEN:
        return inway;
    case ROLE_OUTWAY:
        return *config_family(config, "client") != NULL;
    default:
        return FALSE;
    }
}

/* "https://manager.example.nl:8443" -> "manager.example.nl". */
static char *host_of(const char *url)
{
    g_auto(Address) address = {0};
    return url != NULL && address_parse(url, &address, NULL) ? g_strdup(address.host) : NULL;
}

static void read_key_file(RoleFacts *role, Key **key)
{
    struct stat status;
    g_autoptr(GError) error = NULL;
    role->has_key = stat(role->key_path, &status) == 0;
    if (!role->has_key)
        return;
    role->key_mode = status.st_mode & 0777;
    role->key_denied = access(role->key_path, R_OK) != 0;
    *key = role->key_denied ? NULL : key_load(role->key_path, &error);
    if (error != NULL)
        role->key_error = g_strdup(error->message);
}

static void read_certificate(RoleFacts *role, const Certificate *certificate, const Key *key)
{
    guint32 uses = X509_get_extended_key_usage(certificate_x509(certificate));
    role->oin = g_strdup(certificate_peer_id(certificate));
    role->thumbprint = g_strdup(certificate_thumbprint(certificate));
    role->public_key_thumbprint = g_strdup(certificate_public_key_thumbprint(certificate));
    role->not_before = certificate_not_before(certificate);
    role->not_after = certificate_not_after(certificate);
    role->server = (uses & XKU_SSL_SERVER) != 0;
    role->client = (uses & XKU_SSL_CLIENT) != 0;
    role->host_matches = role->host == NULL || certificate_matches_domain(certificate, role->host);
    role->fits = key != NULL && X509_check_private_key(certificate_x509(certificate), key_pkey(key)) == 1;
}

/* What only TLS needs is not asked of the certificates that sign. */
static void forgive(RoleFacts *facts, Role role)
{
    if (role == ROLE_INWAY || role == ROLE_PORTAL || role == ROLE_CONTRACT || role == ROLE_TOKEN)
        facts->client = TRUE;
    if (role == ROLE_OUTWAY || role == ROLE_CONTRACT || role == ROLE_TOKEN)
        facts->server = TRUE;
}

static void read_role(Doctor *doctor, DoctorFacts *facts, Role role)
{
    RoleFacts *out = &facts->roles[role];
    g_autoptr(Key) key = NULL;
    g_autoptr(GError) error = NULL;
    out->wanted = is_wanted(doctor->config, role);
    out->key_path = g_strdup_printf("%s/%s.key", facts->keys_path, role_name(role));
    out->certificate_path = g_strdup_printf("%s/%s.crt", facts->keys_path, role_name(role));
    out->host = role == ROLE_MANAGER ? host_of(config_text(doctor->config, "fsc", "manager_address"))
                : role == ROLE_INWAY ? host_of(config_text(doctor->config, "fsc", "inway_address"))
                                     : NULL;
    read_key_file(out, &key);
    out->has_certificate = g_file_test(out->certificate_path, G_FILE_TEST_EXISTS);
    g_autoptr(Certificate) certificate =
        out->has_certificate ? certificate_load(out->certificate_path, &error) : NULL;
    if (error != NULL)
        out->certificate_error = g_strdup(error->message);
    if (certificate == NULL)
        return;
    read_certificate(out, certificate, key);
    forgive(out, role);
    g_autoptr(GError) chain = NULL;
    g_autoptr(GError) revoked = NULL;
    gint64 moment = CLAMP(facts->now_s, out->not_before, out->not_after - 1);
    if (doctor->anchors != NULL && !trust_anchors_verify(doctor->anchors, certificate, moment, &chain))
        out->chain_error = g_strdup(chain->message);
    else if (doctor->anchors_with_crl != NULL &&
             !trust_anchors_verify(doctor->anchors_with_crl, certificate, moment, &revoked))
        out->revoked_error = g_strdup(revoked->message);
}

static void read_anchors(Doctor *doctor, DoctorFacts *facts)
{
    g_autoptr(GError) error = NULL;
    const char *path = config_text(doctor->config, "node", "anchors");
    g_clear_pointer(&doctor->anchors, trust_anchors_unref);
    g_clear_pointer(&doctor->anchors_with_crl, trust_anchors_unref);
    doctor->anchors = trust_anchors_load(path, NULL, 0, NULL);
    if (facts->crl_path == NULL)
        return;
    doctor->anchors_with_crl = trust_anchors_load(path, facts->crl_path, facts->crl_grace_s, &error);
    if (doctor->anchors_with_crl == NULL)
        doctor_keep(&facts->crl_error, g_strdup(error->message));
    else
        facts->crl_next_update = trust_anchors_crl_next_update(doctor->anchors_with_crl);
}

static void read_keys(Doctor *doctor, DoctorFacts *facts)
{
    read_anchors(doctor, facts);
    for (int role = 0; role < ROLE_COUNT; role++)
        read_role(doctor, facts, (Role)role);
    doctor_keep(&facts->oin, g_strdup(facts->roles[ROLE_MANAGER].oin));
}

/* --- processes --- */

static gint64 metric(const char *text, const char *name)
{
    g_autofree char *line = g_strdup_printf("\n%s ", name);
    const char *found = strstr(text, line);
    return found == NULL ? -1 : g_ascii_strtoll(found + strlen(line), NULL, 10);
}

static void ask_serve(Doctor *doctor, DoctorFacts *facts)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer = admin_call(doctor->config_path, "GET", "/metrics", NULL, &error);
    if (answer == NULL || !json_is_string(answer)) {
        facts->serve_listens = error == NULL || strstr(error->message, "not running") == NULL;
        doctor_keep(&facts->serve_error,
                    g_strdup(error != NULL ? error->message : "it answers something else"));
        return;
    }
    const char *text = json_string_value(answer);
    gint64 workers = metric(text, "fundament_frames_workers"),
           healthy = metric(text, "fundament_logboek_journal_healthy");
    facts->serve_listens = TRUE;
    facts->edge_workers = (guint)MAX(workers, 0);
    facts->journal_known = healthy >= 0;
    facts->journal_ok = healthy == 1;
}

static void ask_store(Doctor *doctor, DoctorFacts *facts)
{
    g_autoptr(json_t) answer = admin_call(doctor->config_path, "GET", "/health", NULL, NULL);
    facts->store_ok = g_strcmp0(json_string_at(answer, "status"), "pass") == 0;
}

/* Whether anybody listens where our own Manager should be. */
static void look_for_edge(Doctor *doctor, DoctorFacts *facts)
{
    g_auto(Address) address = {0};
    const char *const *own = config_list(doctor->config, "edge", "address");
    if (facts->edge_workers > 0 ||
        !address_parse(config_text(doctor->config, "fsc", "manager_address"), &address, NULL))
        return;
    const char *ip = *own != NULL ? *own : config_host(doctor->config, address.host);
    doctor_keep(&facts->edge_address, g_strdup_printf("%s:%u", ip != NULL ? ip : address.host, address.port));
    if (ip == NULL)
        return;
    g_autoptr(TlsProbe) probe = tls_probe(ip, address.port, address.host, NULL, PROBE_TIMEOUT_MS);
    facts->edge_listens = probe->connected;
}

DoctorGather doctor_gather_node(DoctorStep step)
{
    static const DoctorGather gathers[DOCTOR_STEP_COUNT] = {
        [DOCTOR_CONFIG] = read_configuration, [DOCTOR_CLOCK] = read_clock, [DOCTOR_KEYS] = read_keys,
        [DOCTOR_SERVE] = ask_serve,           [DOCTOR_STORE] = ask_store,  [DOCTOR_EDGE] = look_for_edge,
    };
    return gathers[step];
}
