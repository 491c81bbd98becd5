/* Who is calling: the certificate that the edge saw, checked again here, or the verdict of the edge on a
 * token.
 *
 * Checking a chain costs some hundreds of microseconds, and a Manager calls often: what was checked is
 * remembered for a minute, for the same text and the same anchors (new anchors or a new CRL make all of it
 * void at once).
 */
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/crypto/digest.h"
#include "core/net/http_private.h"
#include "core/net/page.h"
#include "core/net/problem.h"

#define REMEMBERED_MAX 1024
#define REMEMBERED_S 60
#define CERTIFICATE_TEXT_MAX 24576
#define GRANT_HASH_MAX 200

struct callers {
    GMutex lock;
    GHashTable *verified;        /* SHA-256 of the header as hex -> Verified */
    const TrustAnchors *anchors; /* under which all of them were verified; a reference */
};

typedef struct {
    Certificate *certificate;
    gint64 until_s;
} Verified;

static void verified_free(gpointer data)
{
    Verified *verified = data;
    certificate_unref(verified->certificate);
    g_free(verified);
}

Callers *callers_new(void)
{
    Callers *callers = g_new0(Callers, 1);
    g_mutex_init(&callers->lock);
    callers->verified = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, verified_free);
    return callers;
}

void callers_free(Callers *callers)
{
    if (callers == NULL)
        return;
    g_hash_table_unref(callers->verified);
    trust_anchors_unref((TrustAnchors *)callers->anchors);
    g_mutex_clear(&callers->lock);
    g_free(callers);
}

/* A new reference when this text was verified under these anchors less than a minute ago. */
static Certificate *recall(Callers *callers, const char *key, const TrustAnchors *anchors, gint64 now_s)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&callers->lock);
    if (callers->anchors != anchors)
        return NULL;
    const Verified *verified = g_hash_table_lookup(callers->verified, key);
    if (verified == NULL || now_s >= verified->until_s)
        return NULL;
    return certificate_ref(verified->certificate);
}

static void remember(Callers *callers, const char *key, const TrustAnchors *anchors,
                     const Certificate *certificate, gint64 now_s)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&callers->lock);
    if (callers->anchors != anchors) {
        trust_anchors_unref((TrustAnchors *)callers->anchors);
        callers->anchors = trust_anchors_ref((TrustAnchors *)anchors);
        g_hash_table_remove_all(callers->verified);
    }
    if (g_hash_table_size(callers->verified) >= REMEMBERED_MAX)
        g_hash_table_remove_all(callers->verified);
    Verified *verified = g_new(Verified, 1);
    verified->certificate = certificate_ref(certificate);
    verified->until_s = MIN(now_s + REMEMBERED_S, certificate_not_after(certificate) + 1);
    g_hash_table_replace(callers->verified, g_strdup(key), verified);
}

/* The certificate in the header, or NULL when it does not chain to the anchors now. */
static Certificate *verify(Request *request, const char *text, GError **error)
{
    const HttpServerOptions *options = server_options(request->listener->server);
    ListenerKind kind = request->listener->kind;
    Callers *callers = server_callers(request->listener->server, kind);
    gint64 now_s = clock_now_s(options->clock);
    gsize length = strlen(text);
    guint8 digest[SHA256_SIZE];
    sha256(text, length, digest);
    g_autofree char *key = hex_encode(digest, sizeof digest);
    const TrustAnchors *(*current)(gpointer) =
        kind == LISTENER_OFFICE ? options->officer_anchors : options->anchors;
    g_autoptr(TrustAnchors) anchors = current == NULL ? NULL : (TrustAnchors *)current(options->node);
    if (anchors == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, "this node has no trust anchors now");
        return NULL;
    }
    g_autoptr(Certificate) certificate = recall(callers, key, anchors, now_s);
    if (certificate != NULL)
        return g_steal_pointer(&certificate);
    g_autofree char *pem = length > CERTIFICATE_TEXT_MAX ? NULL : url_decode(text, length, FALSE);
    certificate = certificate_parse(pem == NULL ? "" : pem, pem == NULL ? 0 : strlen(pem), error);
    if (certificate == NULL || !trust_anchors_verify(anchors, certificate, now_s, error))
        return NULL;
    remember(callers, key, anchors, certificate, now_s);
    return g_steal_pointer(&certificate);
}

/* FSC Core 2.0.0, 3.1 and 4.1.7: the peer is who its certificate says, and it must say who. */
static gboolean identify_manager(Request *request)
{
    const char *text = request_header(request, "Fundament-Client-Certificate");
    if (text == NULL || text[0] == '\0') {
        respond_problem(request, MHD_HTTP_BAD_REQUEST, "Client certificate missing",
                        "Connect with the certificate of your organisation (mutual TLS).");
        return FALSE;
    }
    g_autoptr(GError) error = NULL;
    request->certificate = verify(request, text, &error);
    if (request->certificate == NULL) {
        respond_problem(request, MHD_HTTP_FORBIDDEN, "Client certificate refused", "%s", error->message);
        return FALSE;
    }
    request->peer_id = g_strdup(certificate_peer_id(request->certificate));
    if (request->peer_id == NULL) {
        respond_fsc_error(
            request, MHD_HTTP_BAD_REQUEST, "ERROR_DOMAIN_MANAGER",
            "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED",
            "the certificate holds no valid Peer ID: subject.serialNumber must be an OIN of 20 digits");
        return FALSE;
    }
    return TRUE;
}

/* The edge checked the token; it says what it found. Without that nobody may come in by this door. */
static gboolean identify_service(Request *request)
{
    const char *peer_id = request_header(request, "Fundament-Peer-Id");
    const char *grant_hash = request_grant_hash(request);
    const char *missing = NULL;
    if (!oin_valid(peer_id))
        missing = "Fundament-Peer-Id";
    else if (!fsc_service_name_valid(request_service(request)))
        missing = "Fundament-Service";
    else if (grant_hash == NULL || grant_hash[0] == '\0' || strlen(grant_hash) > GRANT_HASH_MAX)
        missing = "Fundament-Grant-Hash";
    if (missing != NULL) {
        respond_problem(request, MHD_HTTP_BAD_REQUEST, "Not by way of the Inway",
                        "%s is missing or malformed: this service is only reached through the Inway.",
                        missing);
        return FALSE;
    }
    request->peer_id = g_strdup(peer_id);
    return TRUE;
}

/* Who has no certificate of the internal authority sees nothing here. Which officer it is, and what they may,
 * core/node/officer.h decides. */
static gboolean identify_officer(Request *request)
{
    g_autoptr(GError) error = NULL;
    const char *text = request_header(request, "Fundament-Client-Certificate");
    if (text != NULL && text[0] != '\0')
        request->certificate = verify(request, text, &error);
    if (request->certificate != NULL)
        return TRUE;
    if (error != NULL)
        g_message("office: a certificate was refused: %s", error->message);
    page_problem_because(request, MHD_HTTP_FORBIDDEN, "layout.office.no_certificate");
    return FALSE;
}

gboolean caller_identify(Request *request)
{
    static gboolean (*const rules[LISTENER_COUNT])(Request *) = {
        [LISTENER_MANAGER] = identify_manager,
        [LISTENER_SERVICE] = identify_service,
        [LISTENER_OFFICE] = identify_officer,
    };
    return rules[request->listener->kind] == NULL || rules[request->listener->kind](request);
}
