/* The media types of BRP bevragen: JSON in UTF-8 only, which is also what counts when nothing is said. Pure.
 */
#pragma once

#include <glib.h>

/* Content-Type; NULL and "" for none. */
gboolean brp_media_is_sent_well(const char *content_type);

/* Accept: TRUE when one of its ranges takes application/json in UTF-8; NULL and "" for none. */
gboolean brp_media_is_accepted(const char *accept);
