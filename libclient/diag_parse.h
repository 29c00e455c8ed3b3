/* Between the files that parse diagnostic notation. */
#ifndef TILIA_DIAG_PARSE_H
#define TILIA_DIAG_PARSE_H

#include "scan.h"

#define DIAG_INSIDE (-1) /* a formal that is no field of the whole */
#define DIAG_ALONE (-2)  /* a formal that is the whole */

/* Takes a string of any kind, if one is next, and appends its content. Answers
 * 0 when none is, else its major type, or a negative code. */
int diag_string(struct scan *s, struct buf *out);

/* Takes a formal, whose ? is next, and appends its item. `field`: which of the
 * whole's fields it is, or one of the above; `names` may be NULL. */
int diag_formal(struct scan *s, struct buf *out, int field, struct diag_names *names);

#endif
