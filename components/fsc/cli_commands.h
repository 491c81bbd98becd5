/* The functions behind the rows of cli_table.c. */
#pragma once

#include "components/fsc/cli.h"

int cli_doctor(const Arguments *arguments);
