#include "results/drawing.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "results/drawing_words.h"
#include "results/figures.h"
#include "topology/rate.h"

enum {
	LABELS_MOST = 250, /* lines of a picture whose lines have labels */
	PROCESSES_SHOWN = 4,
	WORDS_LINE = 14,
	COLUMN_GAP = 12, /* points, between the words of both ends */
};

/* Verdana has DejaVu's widths: what was measured with the one fits where the other is shown. */
#define FONT	  "DejaVu Sans,Verdana,sans-serif"
#define LINE	  "#7f8e9d"
#define LINE_SIZE "2"
#define SMALL	  "<font point-size=\"10\" color=\"#4a5560\">"

/* What one end of a line has to say; a switch's says nothing. */
struct end_words {
	struct text name, addresses;
	size_t width; /* characters */
};

struct drawing {
	const struct plan *plan;
	struct figures figures;
	bool labels; /* there is room for them */
	bool down; /* else it goes from left to right */
	struct end_words (*words)[2]; /* by line, where there are labels */
	size_t *widths; /* by rank: of the widest label, in points */
	struct text *text;
};

/*
 * A sheet of paper is what it has to fit on. From left to right where that is not much smaller: it
 * is how people draw networks.
 */
static bool goes_down(const struct figures *figures)
{
	enum { SHEET_WIDTH = 650, SHEET_HEIGHT = 900, ACROSS = 95, FAR = 110, LOW = 45, STEP = 50 };
	size_t depth = 0, breadth = 0;
	for (size_t i = 0; i < figures->count; i++)
		depth = figures->list[i].rank > depth ? figures->list[i].rank : depth;
	CLEANUP(free_pointer) size_t *ranks = calloc(depth + 1, sizeof(*ranks));
	for (size_t i = 0; ranks && i < figures->count; i++)
		if (++ranks[figures->list[i].rank] > breadth)
			breadth = ranks[figures->list[i].rank];
	double right_width = (double)(depth + 1) * ACROSS + (double)depth * FAR,
	       right_height = (double)breadth * LOW,
	       down_width = (double)breadth * (ACROSS + FAR / 2),
	       down_height = (double)(depth + 1) * LOW + (double)depth * STEP;
	double right = SHEET_WIDTH / right_width < SHEET_HEIGHT / right_height
			       ? SHEET_WIDTH / right_width
			       : SHEET_HEIGHT / right_height;
	double down = SHEET_WIDTH / down_width < SHEET_HEIGHT / down_height
			      ? SHEET_WIDTH / down_width
			      : SHEET_HEIGHT / down_height;
	return right < 0.6 && down > right;
}

/* In quotes, as the name of a node of the graph. */
static void append_identifier(const char *name, struct text *text)
{
	text_append(text, "\"");
	for (; *name; name++)
		text_append(text, *name == '"' || *name == '\\' ? "\\%c" : "%c", *name);
	text_append(text, "\"");
}

static const struct plan_node *first_of(const struct drawing *drawing, const struct figure *figure)
{
	return &drawing->plan->nodes[figure->members[0]];
}

/* A switch's subnets, each on a line; a switch without links is in no segment. */
static void describe_subnets(const struct drawing *drawing, const struct plan_node *node)
{
	for (size_t i = 0; node->interface_count && i < IP_FAMILIES; i++) {
		const struct plan_segment *segment =
			&drawing->plan
				 ->segments[drawing->plan->links[node->interfaces[0].link].segment];
		if (plan_has_subnet(segment, (enum ip_family)i))
			text_append(drawing->text, "<br/>" SMALL "%s</font>",
				IP_PREFIX_TEXT(segment->subnets[i]));
	}
}

/* A word after another, on lines that are not much longer than names are. */
static void add_word(const char *word, size_t *line, struct text *text)
{
	bool fits = *line + strlen(word) <= WORDS_LINE;
	if (*line)
		text_append(text, fits ? ", " : ",<br/>");
	*line = (fits ? *line : 0) + drawing_name(word, text) + 2;
}

/* "dhcp, ftp": what runs there; and that it has rules of its own for packets. */
static void describe_work(const struct drawing *drawing, const struct plan_node *node)
{
	size_t line = 0, shown = node->process_count;
	if (!shown && !node->rules)
		return;
	if (shown > PROCESSES_SHOWN + 1)
		shown = PROCESSES_SHOWN;
	text_append(drawing->text, "<br/>" SMALL);
	for (size_t i = 0; i < shown; i++)
		add_word(node->processes[i].spec->name, &line, drawing->text);
	if (node->rules)
		add_word("nftables", &line, drawing->text);
	if (shown < node->process_count)
		text_append(drawing->text, "<br/>and %zu more", node->process_count - shown);
	text_append(drawing->text, "</font>");
}

static void describe_members(const struct drawing *drawing, const struct figure *figure)
{
	CLEANUP(free_pointer) const char **names = calloc(figure->count, sizeof(*names));
	for (size_t i = 0; names && i < figure->count; i++)
		names[i] = drawing->plan->nodes[figure->members[i]].node->name;
	if (names)
		drawing_names(names, figure->count, drawing->text);
	drawing->text->failed |= !names;
}

static void describe_figure(const struct drawing *drawing, const struct figure *figure)
{
	static const char looks_group[] =
		"shape=box3d, margin=\"0.2,0.13\", fillcolor=\"#e3eefb\", color=\"#2f6db3\"";
	static const char looks_switch[] =
		"shape=box, style=\"filled,rounded\", fillcolor=\"#eef1f4\", color=\"#6b7680\"";
	static const char *const looks[] = {
		[NODE_HOST] = "shape=box, fillcolor=\"#e3eefb\", color=\"#2f6db3\"",
		[NODE_ROUTER] = "shape=ellipse, fillcolor=\"#fdf0d9\", color=\"#c07f1a\"",
		[NODE_SWITCH] = looks_switch,
	};
	const struct plan_node *node = first_of(drawing, figure);
	text_append(drawing->text, "\t");
	append_identifier(node->node->name, drawing->text);
	text_append(drawing->text, " [%s, label=<<b>",
		figure->count > 1 ? looks_group : looks[node->node->kind]);
	describe_members(drawing, figure);
	text_append(drawing->text, "</b>");
	if (figure->count > 1)
		text_append(drawing->text, "<br/>" SMALL "%zu hosts</font>", figure->count);
	if (node->node->kind == NODE_SWITCH)
		describe_subnets(drawing, node);
	if (drawing->labels)
		describe_work(drawing, node);
	text_append(drawing->text, ">];\n");
}

static void end_words_finish(struct end_words *words)
{
	text_finish(&words->name);
	text_finish(&words->addresses);
}

/* The interfaces at one end of a line: one, or those of a group's members, or opposite these. */
static const struct plan_interface **find_interfaces(
	const struct drawing *drawing, const struct line *line, unsigned end, size_t *ret_count)
{
	const struct plan *plan = drawing->plan;
	const struct figure *here = &drawing->figures.list[line->figures[end]],
			    *there = &drawing->figures.list[line->figures[!end]];
	const struct figure *group = here->count > 1 ? here : there;
	const struct plan_interface **interfaces = calloc(group->count, sizeof(*interfaces));
	const struct plan_end *own = &line->ends[end];
	*ret_count = group->count;
	if (interfaces)
		interfaces[0] = &plan->nodes[own->node].interfaces[own->interface];
	for (size_t i = 0; interfaces && group->count > 1 && i < group->count; i++) {
		const struct plan_interface *interface =
			&plan->nodes[group->members[i]].interfaces[0];
		const struct plan_end *peer = &plan->links[interface->link].ends[!interface->end];
		interfaces[i] =
			group == here ? interface : &plan->nodes[peer->node].interfaces[peer->interface];
	}
	return interfaces;
}

static void find_words(const struct drawing *drawing, const struct line *line, unsigned end,
	struct end_words *words)
{
	const struct plan_node *node = &drawing->plan->nodes[line->ends[end].node];
	size_t count;
	if (node->node->kind == NODE_SWITCH)
		return;
	CLEANUP(free_pointer)
	const struct plan_interface **interfaces = find_interfaces(drawing, line, end, &count);
	CLEANUP(free_pointer) const char **names = calloc(count, sizeof(*names));
	if (!interfaces || !names) {
		drawing->text->failed = true;
		return;
	}
	size_t distinct = 0;
	for (size_t i = 0; i < count; i++) {
		const char *name = plan_shown_name(interfaces[i]);
		if (!distinct || strcmp(names[distinct - 1], name) != 0)
			names[distinct++] = name;
	}
	size_t name = drawing_names(names, distinct, &words->name),
	       addresses = drawing_addresses(interfaces, count, &words->addresses);
	if (!words->addresses.length)
		addresses = strlen("no address");
	if (!words->addresses.length)
		text_append(&words->addresses, "no address");
	if (interfaces[0]->rate)
		text_append(&words->addresses, "<br/>%s",
			rate_format(interfaces[0]->rate, (char[RATE_TEXT_SIZE]){0}));
	words->width = name > addresses ? name : addresses;
	drawing->text->failed |= words->name.failed || words->addresses.failed;
}

/* Even, so that the line through a label meets those at its ends. */
static size_t width_points(const struct end_words *words)
{
	size_t points = 0;
	for (size_t i = 0; i < 2; i++)
		if (words[i].width)
			points +=
				(words[i].width * 62 / 10 + 5) / 2 * 2 + (points ? COLUMN_GAP : 0);
	return points;
}

/*
 * The words of all lines. Labels of one rank are as wide as the widest: Graphviz lets lines end a
 * point before a narrower one.
 */
static bool find_all_words(struct drawing *drawing)
{
	const struct figures *figures = &drawing->figures;
	drawing->words = calloc(figures->line_count + 1, sizeof(*drawing->words));
	drawing->widths = calloc(drawing->plan->node_count + 1, sizeof(*drawing->widths));
	if (!drawing->words || !drawing->widths)
		return false;
	for (size_t i = 0; drawing->labels && i < figures->line_count; i++) {
		const struct line *line = &figures->lines[i];
		for (unsigned end = 0; end < 2; end++)
			find_words(drawing, line, end, &drawing->words[i][end]);
		size_t *width = &drawing->widths[figures->list[line->figures[0]].rank],
		       points = width_points(drawing->words[i]);
		*width = points > *width ? points : *width;
	}
	return true;
}

static void drawing_finish(struct drawing *drawing)
{
	for (size_t i = 0; drawing->words && i < 2 * drawing->figures.line_count; i++)
		end_words_finish(&drawing->words[i / 2][i % 2]);
	free(drawing->words);
	free(drawing->widths);
	figures_finish(&drawing->figures);
}

/* What a label is made of. */
struct label {
	const struct end_words *words; /* of both ends */
	const char *of_link; /* what is so of the link as a whole; may be empty */
	bool both; /* ends have words */
	size_t width;
};

/* Names above the line, addresses below it. */
static void describe_label_right(struct text *text, const struct label *label)
{
	int columns = label->both ? 3 : 1;
	text_append(text, "<tr>");
	for (size_t i = 0; i < 2; i++)
		if (label->words[i].width)
			text_append(text, "%s<td><font color=\"#8a5a00\">%s</font></td>",
				i && label->both ? "<td width=\"12\"></td>" : "",
				text_view(&label->words[i].name));
	text_append(text,
		"</tr><tr><td port=\"wire\" colspan=\"%d\" width=\"%zu\" height=\"" LINE_SIZE
		"\" cellpadding=\"0\" bgcolor=\"" LINE "\"></td></tr><tr>",
		columns, label->width);
	for (size_t i = 0; i < 2; i++)
		if (label->words[i].width)
			text_append(text, "%s<td>%s</td>", i && label->both ? "<td></td>" : "",
				text_view(&label->words[i].addresses));
	text_append(text, "</tr>");
	if (*label->of_link)
		text_append(text, "<tr><td colspan=\"%d\">%s</td></tr>", columns, label->of_link);
}

/* Names to the left of the line, addresses to the right of it. */
static void describe_label_down(struct text *text, const struct label *label)
{
	static const char wire[] = "<td port=\"wire\" rowspan=\"%u\" width=\"" LINE_SIZE
				   "\" cellpadding=\"0\" bgcolor=\"" LINE "\"></td>";
	unsigned rows = (label->both ? 3U : 1U) + (*label->of_link ? 1U : 0U);
	bool begun = false;
	for (size_t i = 0; i < 2; i++) {
		if (!label->words[i].width)
			continue;
		text_append(text,
			"%s<tr><td align=\"right\"><font color=\"#8a5a00\">%s </font></td>",
			i && label->both ? "<tr><td height=\"6\"></td><td></td></tr>" : "",
			text_view(&label->words[i].name));
		if (!begun)
			text_append(text, wire, rows);
		begun = true;
		text_append(text, "<td align=\"left\"> %s</td></tr>",
			text_view(&label->words[i].addresses));
	}
	if (*label->of_link)
		text_append(text, "<tr><td></td><td align=\"left\"> %s</td></tr>", label->of_link);
}

static const char *name_of(const struct drawing *drawing, const struct line *line, unsigned end)
{
	return first_of(drawing, &drawing->figures.list[line->figures[end]])->node->name;
}

static const struct plan_link *link_of(const struct drawing *drawing, const struct line *line)
{
	const struct plan_end *end = &line->ends[0];
	return &drawing->plan
			->links[drawing->plan->nodes[end->node].interfaces[end->interface].link];
}

/* From a figure to the label, or from the label to a figure; the nearer an end's words are the better. */
static void describe_half(
	const struct drawing *drawing, const struct line *line, unsigned end, bool words)
{
	static const char *const sides[2][2] = {{"w", "e"}, {"n", "s"}};
	text_append(drawing->text, "\t");
	append_identifier(
		end ? link_of(drawing, line)->name : name_of(drawing, line, 0), drawing->text);
	if (end)
		text_append(drawing->text, ":wire:%s", sides[drawing->down][end]);
	text_append(drawing->text, " -- ");
	append_identifier(
		end ? name_of(drawing, line, 1) : link_of(drawing, line)->name, drawing->text);
	if (!end)
		text_append(drawing->text, ":wire:%s", sides[drawing->down][end]);
	text_append(drawing->text, "%s;\n", words ? " [weight=4]" : " [weight=2]");
}

static void describe_label(
	const struct drawing *drawing, const struct line *line, const struct end_words *words)
{
	const struct plan_link *link = link_of(drawing, line);
	char of_link[32] = "";
	if (link->link->mtu)
		snprintf(of_link, sizeof(of_link), "MTU %u", link->link->mtu);
	struct label label = {words, of_link, words[0].width && words[1].width,
		drawing->widths[drawing->figures.list[line->figures[0]].rank]};
	text_append(drawing->text, "\t");
	append_identifier(link->name, drawing->text);
	text_append(drawing->text,
		" [shape=plain, style=\"\", fontsize=9.5, label=<<table border=\"0\" "
		"cellborder=\"0\" cellspacing=\"0\" cellpadding=\"1\">");
	(drawing->down ? describe_label_down : describe_label_right)(drawing->text, &label);
	text_append(drawing->text, "</table>>];\n");
	for (unsigned i = 0; i < 2; i++)
		describe_half(drawing, line, i, words[i].width > 0);
}

static void describe_line(const struct drawing *drawing, size_t index)
{
	const struct line *line = &drawing->figures.lines[index];
	const struct end_words *words = drawing->words[index];
	if (words[0].width || words[1].width) {
		describe_label(drawing, line, words);
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		text_append(drawing->text, i ? " -- " : "\t");
		append_identifier(name_of(drawing, line, i), drawing->text);
	}
	text_append(drawing->text, ";\n");
}

static void describe_all(const struct drawing *drawing)
{
	static const char large[] =
		"\tgraph [layout=sfdp, overlap=prism, splines=line, bgcolor=white, pad=0.25];\n"
		"\tnode [fontsize=11, margin=\"0.06,0.03\", width=0.3, height=0.2];\n";
	text_append(drawing->text, "graph ");
	append_identifier(drawing->plan->topology->name, drawing->text);
	text_append(drawing->text, " {\n\tnode [fontname=\"" FONT
				   "\", fontsize=13, fontcolor=\"#1d252c\", style=filled, "
				   "penwidth=1.3, margin=\"0.16,0.09\"];\n"
				   "\tedge [color=\"" LINE "\", penwidth=" LINE_SIZE "];\n");
	if (drawing->labels)
		text_append(drawing->text,
			"\tgraph [rankdir=%s, ranksep=0.14, nodesep=0.22, bgcolor=white, "
			"pad=0.25];\n",
			drawing->down ? "TB" : "LR");
	else
		text_append(drawing->text, "%s", large);
	for (size_t i = 0; i < drawing->figures.count; i++)
		describe_figure(drawing, &drawing->figures.list[i]);
	for (size_t i = 0; i < drawing->figures.line_count; i++)
		describe_line(drawing, i);
	text_append(drawing->text, "}\n");
}

void drawing_describe(const struct plan *plan, struct text *text)
{
	CLEANUP(drawing_finish) struct drawing drawing = {.plan = plan, .text = text};
	struct error error;
	if (figures_make(plan, &drawing.figures, &error) < 0) {
		text->failed = true;
		return;
	}
	drawing.labels = drawing.figures.line_count <= LABELS_MOST;
	drawing.down = goes_down(&drawing.figures);
	if (find_all_words(&drawing))
		describe_all(&drawing);
	else
		text->failed = true;
}
