/*
 * Markdown, as the reports of results/ write it, as one HTML page that needs nothing beside it but
 * its pictures: headings (#, ##, ###), paragraphs, quotes (>), tables, code (indented by four), and
 * within a line `code`, **strong**, [links](...), ![pictures](...) and backslashes. What is none of
 * these stays text: no byte of the input can become a tag. Pure.
 */
#ifndef RESULTS_HTML_H
#define RESULTS_HTML_H

#include "base/text.h"

/* The whole page; `title` is plain text. A cell that is `held` or **failed** is coloured. */
void html_page(const char *markdown, const char *title, struct text *text);

/* The bytes as text in HTML, XML or a Graphviz label: & < > " become entities. */
void html_append_text(struct text *text, const char *bytes, size_t length);

#endif
