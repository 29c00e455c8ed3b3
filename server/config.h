/* What tiliad was told: its command line, and the lines of --config FILE. Both
 * read one table of options; the command line wins. */
#ifndef TILIA_CONFIG_H
#define TILIA_CONFIG_H

#include "../libclient/address.h"
#include "journal/journal.h"
#include "log.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_WHY 1024

struct config {
	struct address_list listen;
	bool listen_default; /* nobody named an address */
	char *store;         /* NULL with is_volatile */
	bool store_default;
	bool is_volatile;
	enum journal_sync sync;
	enum log_level level;
	uint32_t connections; /* 0: as many as descriptors allow */
	uint64_t log_most;    /* 0: the journal's default */
	uint64_t bytes;       /* of all tuples and indexes */
	uint64_t grace_ms;    /* 0: the engine's default */
	uint32_t slow_ms;     /* 0: net's default */
	bool help, version;   /* print it and end */
};

/* Reads the command line and the file it names. 0, or a negative code with a
 * text that names the option, or file and line, in why[CONFIG_WHY]; config_close()
 * is needed in both cases. */
int config_read(struct config *c, int argc, char *const *argv, char *why);

/* Makes the folders of the default address and store, mode 0700; one that
 * belongs to somebody else is refused. The same answers. */
int config_folders(const struct config *c, char *why);

/* The text of --help. */
void config_help(struct buf *b);

void config_close(struct config *c);

#endif
