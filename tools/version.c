#include "tilia.h"

#include <stdio.h>

const struct option_row version_options[] = {OPT_ROWS_END};

int version_main(const struct command *c, int argc, char **argv)
{
	struct option_scan s;
	int id;

	option_start(&s, c->name, c->options, argc, argv);
	while ((id = option_next(&s)) != OPT_END)
		return id == OPT_HELP ? tool_help(c) : EXIT_USAGE;
	if (s.at < argc)
		return tool_usage(c->name, "nothing follows");
	printf("tilia " TILIA_VERSION "\n");
	return tool_flush(c->name);
}
