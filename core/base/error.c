#include "core/base/error.h"

GQuark fundament_error_quark(void)
{
    return g_quark_from_static_string("fundament-error-quark");
}
