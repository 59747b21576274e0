/* results/html.c: Markdown as the reports write it, and what must never become a tag. */
#include "base/cleanup.h"
#include "results/html.h"
#include "unit.h"

static const struct {
	const char *markdown;
	const char *html; /* of the body */
} cases[] = {
	{"", ""},
	{"\n\n", ""},
	{"# A & B\n", "<h1>A &amp; B</h1>\n"},
	{"## two-subnets\n### Steps\n",
		"<h2 id=\"two-subnets\">two-subnets</h2>\n<h3>Steps</h3>\n"},
	{"words **strong `not\\| code`** end",
		"<p>words <strong>strong <code>not| code</code></strong> end</p>\n"},
	{"> **Seen.** It is.\n", "<blockquote><p><strong>Seen.</strong> It is.</p></blockquote>\n"},
	{"[logs](x/logs) ![A \"picture\"](t.svg)\n",
		"<p><a href=\"x/logs\">logs</a> <img src=\"t.svg\" alt=\"A "
		"&quot;picture&quot;\"></p>\n"},
	{"| a | b |\n|--:|---|\n| 1.5 | x\\|y |\n| held | **failed** |\nbehind\n",
		"<div "
		"class=\"wide\"><table>\n<thead><tr><th "
		"class=\"right\">a</th><th>b</th></tr>\n</thead>\n<tbody>\n"
		"<tr><td class=\"right\">1.5</td><td>x|y</td></tr>\n"
		"<tr><td class=\"held\">held</td><td "
		"class=\"failed\"><strong>failed</strong></td></tr>\n"
		"</tbody></table></div>\n<p>behind</p>\n"},
	{"    <b> \\* `x`\n    | y\nend\n", "<pre>&lt;b&gt; \\* `x`\n| y\n</pre>\n<p>end</p>\n"},
	/* What is no mark, or not a whole one, is text. */
	{"a * b ** c `d [e](f [g] \\< \\x\n", "<p>a * b ** c `d [e](f [g] &lt; \\x</p>\n"},
	{"<script>alert(1)</script> &amp;\n",
		"<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp;</p>\n"},
	{"[x](javascript:alert) [y](\"onclick=z)\n",
		"<p>[x](javascript:alert) <a href=\"&quot;onclick=z\">y</a></p>\n"},
	{"|", "<div "
	      "class=\"wide\"><table>\n<thead><tr></tr>\n</thead>\n<tbody>\n</tbody></table></"
	      "div>\n"},
	{"\\", "<p>\\</p>\n"},
	{"**", "<p>**</p>\n"},
	{"!", "<p>!</p>\n"},
};

static void test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		CLEANUP(text_finish) struct text page = {0};
		html_page(cases[i].markdown, "a <title>", &page);
		const char *view = text_view(&page);
		EXPECT(strstr(view, "<title>a &lt;title&gt;</title>"), "%s", view);
		const char *body = strstr(view, "<body>\n");
		EXPECT(body != NULL, "%s", view);
		CLEANUP(free_pointer) char *inside = strdup(body + strlen("<body>\n"));
		*strstr(inside, "</body>") = '\0';
		EXPECT_TEXT(inside, cases[i].html);
	}
}

/* Marks in any order, exactly as long as they are: no read beyond, no tag that was not meant. */
static void test_random(void)
{
	static const char marks[] = "#>|`*[]()!\\ \n<&\"-a:";
	srandom(959);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)random() % 60;
		CLEANUP(free_pointer) char *markdown = malloc(length + 1);
		for (size_t i = 0; i < length; i++)
			markdown[i] = marks[(size_t)random() % (sizeof(marks) - 1)];
		markdown[length] = '\0';
		CLEANUP(text_finish) struct text page = {0};
		html_page(markdown, "t", &page);
		EXPECT(!strstr(text_view(&page), "<a:") && !strstr(text_view(&page), "<\""), "%s",
			markdown);
	}
}

int main(void)
{
	test_cases();
	test_random();
	return unit_finish();
}
