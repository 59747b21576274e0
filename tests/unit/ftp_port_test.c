/* ftp/port: PORT, EPRT, 227 and 229, read and written. */
#include "base/cleanup.h"
#include "ftp/port.h"
#include "unit.h"

static void test_port(void)
{
	static const struct {
		const char *argument, *endpoint; /* NULL: refused */
	} arguments[] = {
		{"192,0,2,1,4,1", "192.0.2.1:1025"},
		{"0,0,0,0,0,0", "0.0.0.0:0"},
		{"255,255,255,255,255,255", "255.255.255.255:65535"},
		{"192,0,2,1,4", NULL},
		{"192,0,2,1,4,1,", NULL},
		{"192,0,2,1,4,1 ", NULL},
		{" 192,0,2,1,4,1", NULL},
		{"192,0,2,256,4,1", NULL},
		{"192,0,2,1,-4,1", NULL},
		{"192,0,2,,4,1", NULL},
		{"192.0.2.1,4,1", NULL},
		{"192,0,2,1,4,4294967297", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(arguments); i++) {
		struct endpoint seen;
		const char *argument = arguments[i].argument;
		bool good = ftp_port_parse(argument, strlen(argument), &seen);
		EXPECT(good == (arguments[i].endpoint != NULL), "'%s'", argument);
		if (!good)
			continue;
		EXPECT_TEXT(ENDPOINT_TEXT(&seen), arguments[i].endpoint);
		char text[FTP_PORT_TEXT_SIZE];
		EXPECT_TEXT(ftp_port_format(&seen, text), argument);
	}
}

static void test_eprt(void)
{
	static const struct {
		const char *argument;
		enum ftp_eprt_fault fault;
		const char *endpoint;
	} arguments[] = {
		{"|1|192.0.2.1|5282|", FTP_EPRT_GOOD, "192.0.2.1:5282"},
		{"|2|2001:db8::1|5282|", FTP_EPRT_GOOD, "[2001:db8::1]:5282"},
		{"!1!192.0.2.1!65535!", FTP_EPRT_GOOD, "192.0.2.1:65535"},
		{"|3|192.0.2.1|5282|", FTP_EPRT_FAMILY, NULL},
		{"|0|x|5282|", FTP_EPRT_FAMILY, NULL},
		{"|1|2001:db8::1|5282|", FTP_EPRT_MALFORMED, NULL},
		{"|2|192.0.2.1|5282|", FTP_EPRT_MALFORMED, NULL},
		{"|1|192.0.2.1|5282", FTP_EPRT_MALFORMED, NULL},
		{"|1|192.0.2.1|0|", FTP_EPRT_MALFORMED, NULL},
		{"|1|192.0.2.1|65536|", FTP_EPRT_MALFORMED, NULL},
		{"|1|192.0.2.1|5282|x", FTP_EPRT_MALFORMED, NULL},
		{"|1|192.0.2.1||", FTP_EPRT_MALFORMED, NULL},
		{"||192.0.2.1|5282|", FTP_EPRT_MALFORMED, NULL},
		{"|x|192.0.2.1|5282|", FTP_EPRT_MALFORMED, NULL},
		{"|99999999999|a|1|", FTP_EPRT_MALFORMED, NULL},
		{"|", FTP_EPRT_MALFORMED, NULL},
		{" 1 192.0.2.1 5282 ", FTP_EPRT_MALFORMED, NULL},
		{"", FTP_EPRT_MALFORMED, NULL},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(arguments); i++) {
		struct endpoint seen;
		const char *argument = arguments[i].argument;
		enum ftp_eprt_fault fault = ftp_eprt_parse(argument, strlen(argument), &seen);
		EXPECT(fault == arguments[i].fault, "'%s': %d", argument, (int)fault);
		if (fault != FTP_EPRT_GOOD)
			continue;
		EXPECT_TEXT(ENDPOINT_TEXT(&seen), arguments[i].endpoint);
		char text[FTP_PORT_TEXT_SIZE];
		if (*argument == '|')
			EXPECT_TEXT(ftp_eprt_format(&seen, text), argument);
	}
	struct endpoint endpoint;
	EXPECT_NUMBER(ftp_eprt_parse("|1|1.2.3.4\0|1|", 14, &endpoint), FTP_EPRT_MALFORMED);
}

static void test_replies(void)
{
	static const struct {
		const char *text, *endpoint;
	} passives[] = {
		{"Entering Passive Mode (127,0,0,1,195,80)", "127.0.0.1:50000"},
		{"Entering Passive Mode (127,0,0,1,195,80).", "127.0.0.1:50000"},
		{"Entering Passive Mode 127,0,0,1,195,80", "127.0.0.1:50000"},
		{"=127,0,0,1,195,80", "127.0.0.1:50000"},
		{"try 1,2 then (127,0,0,1,195,80)", "127.0.0.1:50000"},
		{"(127,0,0,1,0,0)", NULL},
		{"(127,0,0,1,195)", NULL},
		{"(1127,0,0,1,195,80)", NULL},
		{"Entering Passive Mode", NULL},
		{"", NULL},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(passives); i++) {
		struct endpoint seen;
		const char *text = passives[i].text;
		bool good = ftp_passive_parse(text, strlen(text), &seen);
		EXPECT(good == (passives[i].endpoint != NULL), "'%s'", text);
		if (good && passives[i].endpoint)
			EXPECT_TEXT(ENDPOINT_TEXT(&seen), passives[i].endpoint);
	}
	static const struct {
		const char *text;
		uint16_t port; /* 0: refused */
	} extended[] = {
		{"Entering Extended Passive Mode (|||6446|)", 6446},
		{"ok (!!!65535!)", 65535},
		{"(|||1|)", 1},
		{"(|||0|)", 0},
		{"(|||65536|)", 0},
		{"(||||)", 0},
		{"(|||12|", 0},
		{"(|||12)", 0},
		{"(|2|::1|12|)", 0},
		{"|||12|", 0},
		{"(", 0},
		{"", 0},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(extended); i++) {
		uint16_t port = 0;
		const char *text = extended[i].text;
		bool good = ftp_extended_passive_parse(text, strlen(text), &port);
		EXPECT(good == (extended[i].port != 0), "'%s'", text);
		EXPECT_NUMBER(port, extended[i].port);
	}
}

int main(void)
{
	test_port();
	test_eprt();
	test_replies();
	return unit_finish();
}
