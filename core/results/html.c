#include "results/html.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"

static const char style[] =
	"body{font:16px/1.5 system-ui,\"DejaVu Sans\",sans-serif;color:#1c2733;max-width:72rem;"
	"margin:2rem auto;padding:0 1.5rem}\n"
	"h1{font-size:1.9rem;line-height:1.2;margin:0 0 1rem}\n"
	"h2{font-size:1.4rem;margin:3rem 0 .6rem;padding-top:.8rem;border-top:2px solid #3b6ea5}\n"
	"h3{font-size:1.05rem;margin:1.8rem 0 .5rem;color:#3b6ea5}\n"
	"a{color:#23588f}\n"
	"blockquote{margin:1rem 0;padding:.7rem 1.1rem;background:#eef4fa;"
	"border-left:4px solid #3b6ea5}\n"
	"blockquote p{margin:0}\n"
	"img{max-width:100%;height:auto}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-size:.82rem;line-height:1.35;margin:.6rem 0;"
	"width:100%}\n"
	"th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;"
	"border-bottom:1px solid #dbe3ea;overflow-wrap:anywhere}\n"
	"th{border-bottom:2px solid #9fb4c7;font-weight:600;white-space:nowrap}\n"
	".right{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\n"
	"td.held,td.failed{white-space:nowrap}\n"
	"td.held{color:#1b7f3b;font-weight:600}\n"
	"td.failed{color:#b3261e}\n"
	"code,pre{font-family:\"DejaVu Sans Mono\",ui-monospace,monospace;font-size:.88em}\n"
	"td:first-child{white-space:nowrap}\n"
	"code{background:#f1f4f7;padding:.05em .25em;border-radius:3px}\n"
	"pre{background:#f6f8fa;border:1px solid #dbe3ea;border-radius:4px;padding:.6rem .8rem;"
	"font-size:.78rem;line-height:1.4;overflow-x:auto}\n"
	"@media print{@page{margin:14mm}body{font-size:10pt;max-width:none;margin:0;padding:0}"
	"h2{break-after:avoid;margin-top:1.5rem}h3,p:has(+pre){break-after:avoid}"
	"tr,blockquote,img,pre{break-inside:avoid}th,td{padding:.16rem .4rem}"
	"table{font-size:7.5pt}pre{font-size:7.5pt;white-space:pre-wrap}"
	"a{color:inherit;text-decoration:none}.wide{overflow:visible}}\n";

void html_append_text(struct text *text, const char *bytes, size_t length)
{
	static const struct {
		char byte;
		const char *entity;
	} entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
	for (size_t i = 0; i < length; i++) {
		const char *entity = NULL;
		for (size_t j = 0; j < ARRAY_LENGTH(entities); j++)
			if (entities[j].byte == bytes[i])
				entity = entities[j].entity;
		if (entity)
			text_append(text, "%s", entity);
		else
			text_append_bytes(text, &bytes[i], 1);
	}
}

/* A span of a line. */
struct span {
	const char *start, *end;
};

static const char *find_unescaped(struct span within, const char *what)
{
	size_t length = strlen(what);
	for (const char *at = within.start; at + length <= within.end; at++) {
		if (*at == '\\' && at + 1 < within.end)
			at++;
		else if (memcmp(at, what, length) == 0)
			return at;
	}
	return NULL;
}

static void append_inline(struct text *text, struct span span);

/* A backslash within code stands for itself, but for \| in a table. */
static const char *append_code(struct text *text, struct span span)
{
	const char *end = memchr(span.start + 1, '`', (size_t)(span.end - span.start - 1));
	if (!end)
		return NULL;
	text_append(text, "<code>");
	for (const char *at = span.start + 1; at < end; at++)
		if (*at != '\\' || at + 1 == end || at[1] != '|')
			html_append_text(text, at, 1);
	text_append(text, "</code>");
	return end + 1;
}

static const char *append_strong(struct text *text, struct span span)
{
	const char *end = find_unescaped((struct span){span.start + 2, span.end}, "**");
	if (!end)
		return NULL;
	text_append(text, "<strong>");
	append_inline(text, (struct span){span.start + 2, end});
	text_append(text, "</strong>");
	return end + 2;
}

/* [words](where), and with ! before it a picture. Only paths and places of the page: no scheme. */
static const char *append_link(struct text *text, struct span span)
{
	bool picture = *span.start == '!';
	const char *words = span.start + 1 + picture;
	const char *middle = find_unescaped((struct span){words, span.end}, "](");
	const char *close = middle ? memchr(middle, ')', (size_t)(span.end - middle)) : NULL;
	if (!close || memchr(middle + 2, ':', (size_t)(close - middle - 2)))
		return NULL;
	text_append(text, picture ? "<img src=\"" : "<a href=\"");
	html_append_text(text, middle + 2, (size_t)(close - middle - 2));
	if (picture) {
		text_append(text, "\" alt=\"");
		html_append_text(text, words, (size_t)(middle - words));
		text_append(text, "\">");
	} else {
		text_append(text, "\">");
		append_inline(text, (struct span){words, middle});
		text_append(text, "</a>");
	}
	return close + 1;
}

static void append_inline(struct text *text, struct span span)
{
	for (const char *at = span.start; at < span.end;) {
		struct span rest = {at, span.end};
		const char *behind = NULL;
		size_t left = (size_t)(span.end - at);
		if (*at == '`')
			behind = append_code(text, rest);
		else if (left > 2 && memcmp(at, "**", 2) == 0)
			behind = append_strong(text, rest);
		else if (*at == '[' || (left > 1 && memcmp(at, "![", 2) == 0))
			behind = append_link(text, rest);
		else if (*at == '\\' && left > 1 && ispunct((unsigned char)at[1]))
			at++;
		if (!behind) {
			html_append_text(text, at, 1);
			behind = at + 1;
		}
		at = behind;
	}
}

static const char *cell_class(struct span cell, bool right)
{
	size_t length = (size_t)(cell.end - cell.start);
	if (length == 4 && memcmp(cell.start, "held", 4) == 0)
		return " class=\"held\"";
	if (length == 10 && memcmp(cell.start, "**failed**", 10) == 0)
		return " class=\"failed\"";
	return right ? " class=\"right\"" : "";
}

static struct span trimmed(struct span span)
{
	while (span.start < span.end && *span.start == ' ')
		span.start++;
	while (span.start < span.end && span.end[-1] == ' ')
		span.end--;
	return span;
}

enum { COLUMNS_MOST = 32 };

/* What `|--:|---|` says of each column. */
struct columns {
	bool right[COLUMNS_MOST];
};

/* The next cell of a line: it ends at a bar that is not escaped. False behind the last one. */
static bool next_cell(struct span *rest, struct span *ret_cell)
{
	const char *bar = find_unescaped(*rest, "|");
	if (!bar)
		return false;
	*ret_cell = trimmed((struct span){rest->start, bar});
	rest->start = bar + 1;
	return true;
}

static void columns_read(struct span line, struct columns *columns)
{
	struct span rest = {line.start + 1, line.end}, cell;
	for (size_t i = 0; i < COLUMNS_MOST && next_cell(&rest, &cell); i++)
		columns->right[i] = cell.start < cell.end && cell.end[-1] == ':';
}

static void append_row(
	struct text *text, struct span line, const char *tag, const struct columns *columns)
{
	struct span rest = {line.start + 1, line.end}, cell;
	text_append(text, "<tr>");
	for (size_t i = 0; next_cell(&rest, &cell); i++) {
		bool right = i < COLUMNS_MOST && columns->right[i];
		text_append(text, "<%s%s>", tag, cell_class(cell, right));
		append_inline(text, cell);
		text_append(text, "</%s>", tag);
	}
	text_append(text, "</tr>\n");
}

/* Lines, one after another. */
struct lines {
	const char *at;
	struct span line; /* the current one */
};

static bool lines_next(struct lines *lines)
{
	if (!*lines->at)
		return false;
	size_t length = strcspn(lines->at, "\n");
	lines->line = (struct span){lines->at, lines->at + length};
	lines->at += length + (lines->at[length] == '\n');
	return true;
}

static bool line_starts(const struct lines *lines, const char *start)
{
	size_t length = strlen(start);
	return (size_t)(lines->line.end - lines->line.start) >= length &&
	       memcmp(lines->line.start, start, length) == 0;
}

/* Whether the line after the current one starts so; then it is the current one. */
static bool lines_next_if(struct lines *lines, const char *start)
{
	return strncmp(lines->at, start, strlen(start)) == 0 && lines_next(lines);
}

static void append_table(struct text *text, struct lines *lines)
{
	struct columns columns = {0};
	struct span head = lines->line;
	if (lines_next_if(lines, "|-"))
		columns_read(lines->line, &columns);
	text_append(text, "<div class=\"wide\"><table>\n<thead>");
	append_row(text, head, "th", &columns);
	text_append(text, "</thead>\n<tbody>\n");
	while (lines_next_if(lines, "|"))
		append_row(text, lines->line, "td", &columns);
	text_append(text, "</tbody></table></div>\n");
}

static void append_code_block(struct text *text, struct lines *lines)
{
	text_append(text, "<pre>");
	do {
		const char *start = lines->line.start + 4;
		html_append_text(text, start, (size_t)(lines->line.end - start));
		text_append(text, "\n");
	} while (lines_next_if(lines, "    "));
	text_append(text, "</pre>\n");
}

/* A heading is a place of the page by its own words, as in [words](#words). */
static void append_heading(struct text *text, struct span line)
{
	int level = 0;
	while (line.start < line.end && *line.start == '#') {
		line.start++;
		level++;
	}
	line = trimmed(line);
	text_append(text, "<h%d", level);
	if (level == 2) {
		text_append(text, " id=\"");
		html_append_text(text, line.start, (size_t)(line.end - line.start));
		text_append(text, "\"");
	}
	text_append(text, ">");
	append_inline(text, line);
	text_append(text, "</h%d>\n", level);
}

static void append_block(struct text *text, struct lines *lines)
{
	if (line_starts(lines, "# ") || line_starts(lines, "## ") || line_starts(lines, "### ")) {
		append_heading(text, lines->line);
	} else if (line_starts(lines, "|")) {
		append_table(text, lines);
	} else if (line_starts(lines, "    ")) {
		append_code_block(text, lines);
	} else if (line_starts(lines, "> ")) {
		text_append(text, "<blockquote><p>");
		append_inline(text, (struct span){lines->line.start + 2, lines->line.end});
		text_append(text, "</p></blockquote>\n");
	} else if (lines->line.start < lines->line.end) {
		text_append(text, "<p>");
		append_inline(text, lines->line);
		text_append(text, "</p>\n");
	}
}

void html_page(const char *markdown, const char *title, struct text *text)
{
	text_append(text, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			  "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
	html_append_text(text, title, strlen(title));
	text_append(text, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
	struct lines lines = {.at = markdown};
	while (lines_next(&lines))
		append_block(text, &lines);
	text_append(text, "</body>\n</html>\n");
}
