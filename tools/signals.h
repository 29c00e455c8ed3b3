/* The signals of a command that runs others: told between two waits, not handled
 * where they come. */
#ifndef TILIA_TOOLS_SIGNALS_H
#define TILIA_TOOLS_SIGNALS_H

#include <signal.h>

/* From now on they come only while signals_open is the mask of a wait (ppoll). */
void signals_catch(void);
extern sigset_t signals_open;

/* How often INT, TERM or HUP came, and which was the first; 0: none. One that was
 * ignored when this process began stays so. */
int signals_ends(void);
int signals_first(void);

#endif
