/* What tiliad does with a store instead of serving it: `tiliad check` and its like, the
 * verbs that tilia(1) hands on. */
#ifndef TILIA_DATA_H
#define TILIA_DATA_H

#include <stdbool.h>

/* Whether argv[1] is one of the verbs. */
bool data_is_verb(const char *word);

/* Carries it out, says what came of it; answers the exit status, which is as tilia's. */
int data_run(int argc, char **argv);

#endif
