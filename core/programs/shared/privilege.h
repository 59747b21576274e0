/* privileges_keep() for programs. */
#ifndef PROGRAMS_SHARED_PRIVILEGE_H
#define PROGRAMS_SHARED_PRIVILEGE_H

#include "base/privilege.h"

#endif
