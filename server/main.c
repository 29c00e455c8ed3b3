#include "../libclient/base/buf.h"
#include "config.h"
#include "data.h"
#include "server.h"

#include <stdio.h>

static void help(void)
{
	struct buf b = BUF_INIT;

	config_help(&b);
	fwrite(b.data, 1, b.len, stdout);
	buf_close(&b);
}

static int run(int argc, char **argv)
{
	struct config c;
	char why[CONFIG_WHY];
	int status = 0;

	if (config_read(&c, argc, argv, why) != 0) {
		log_line(LOG_FATAL, "not understood", log_text("error", why));
		status = 2;
	} else if (c.help) {
		help();
	} else if (c.version) {
		printf("tiliad %s\n", TILIA_VERSION);
	} else {
		log_set_level(c.level);
		status = server_run(&c);
	}
	config_close(&c);
	return status;
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 1 && data_is_verb(argv[1]))
		return data_run(argc, argv);
	status = run(argc, argv);
	return fflush(stdout) == 0 ? status : 1;
}
