/* SPDX-License-Identifier: ISC */
/*
 * HTML to text. Each tests/data/html/NAME.html has its text in NAME.want, written from reading the
 * HTML as a mail program shows it; a line end at the end of both is the file's. What is too large
 * or too odd for a file is built here.
 */
#include "lib/mailview.h"
#include "tests/unit/check_all.h"
#include "transport/reader/html.h"

#include <string.h>

static char *
text_of(const char *html, gsize len, bool *ret_cut)
{
    /* A copy of the exact size lets the sanitizers see one octet too far. */
    g_autofree char *exact = g_memdup2(html, MAX(len, 1));
    GString *to = g_string_new("before|");
    bool cut = html_text(exact, len, to);

    ck_assert(g_utf8_validate_len(to->str, to->len, NULL));
    ck_assert(g_str_has_prefix(to->str, "before|"));
    ck_assert(ret_cut || !cut);
    if (ret_cut)
        *ret_cut = cut;
    g_string_erase(to, 0, (gssize)strlen("before|"));
    return g_string_free(to, FALSE);
}

static void
check_text(const char *html, const char *want)
{
    g_autofree char *got = text_of(html, strlen(html), NULL);

    ck_assert_msg(strcmp(got, want) == 0, "%s: got\n%s\nwant\n%s", html, got, want);
}

static void
check_case(const char *name)
{
    g_autofree char *html_path = g_strdup_printf("html/%s.html", name);
    g_autofree char *want_path = g_strdup_printf("html/%s.want", name);
    gsize len;
    g_autofree char *html = unit_data(html_path, &len);
    g_autofree char *got = text_of(html, len, NULL);
    g_autofree char *line = g_strconcat(got, "\n", NULL);
    g_autofree char *want = unit_want(want_path, line);

    ck_assert_msg(strcmp(line, want) == 0, "%s: got\n%s\nwant\n%s", name, line, want);
}

START_TEST(test_html_cases)
{
    g_autoptr(GDir) dir = g_dir_open("tests/data/html", 0, NULL);
    const char *file;
    guint count = 0;

    ck_assert_ptr_nonnull(dir);
    while ((file = g_dir_read_name(dir))) {
        g_autofree char *name = g_strdup(file);

        if (!g_str_has_suffix(name, ".html"))
            continue;
        name[strlen(name) - strlen(".html")] = '\0';
        check_case(name);
        count++;
    }
    ck_assert_uint_ge(count, 40);
}
END_TEST

static const struct {
    const char *html;
    const char *want;
} rows[] = {
    /* white space */
    {"", ""},
    {"   \n ", ""},
    {"plain", "plain"},
    {" a \n\t b ", "a b"},
    {"a <b> b</b> c", "a b c"},
    {"a<b>b</b>c", "abc"},
    {"a&nbsp;&nbsp; b", "a b"},
    {"10&thinsp;km&emsp;&ensp;x&#8239;y&emsp;<br>", "10 km x y"},
    {"Silben\xC2\xADtrennung", "Silbentrennung"},
    {"a\xE2\x80\x8B"
     "b",
     "ab"},
    {"x&zwnj;&nbsp;&zwnj;&nbsp;&#847; y", "x y"},
    {"\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xAE\xD9\x88\xD8\xA7\xD9\x87\xD9\x85",
     "\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xAE\xD9\x88\xD8\xA7\xD9\x87\xD9\x85"},
    {"&#x1F468;&zwj;&#x1F469;", "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9"},
    {"\xEF\xBB\xBF<p>a", "a"},
    /* blocks */
    {"<p>a</p><p>b</p>", "a\n\nb"},
    {"<P>a<P>b", "a\n\nb"},
    {"<div>a</div><div>b</div>", "a\nb"},
    {"<div>a<div>b</div></div>c", "a\nb\nc"},
    {"a<br>b<br/>c<BR >d</br>e", "a\nb\nc\nd\ne"},
    {"a<br><br>b<br><br><br>c", "a\n\nb\n\nc"},
    {"<div>a<br></div><div>b</div>", "a\nb"},
    {"<div>a</div><div><br></div><div>b</div>", "a\n\nb"},
    {"<div>a</div><div>&nbsp;</div><div>b</div>", "a\n\nb"},
    {"<p>a</p><br><p>b</p>", "a\n\nb"},
    {"<h1>Title</h1>text", "Title\n\ntext"},
    {"<p>a<section>b</section>c", "a\n\nb\nc"},
    {"<span style='display:block'>a</span><span style='display:block'>b</span>", "a\nb"},
    {"<div style='display:inline'>a</div><div style='display: inline'>b</div>", "ab"},
    {"a<hr>b", "a\n---\nb"},
    {"<hr>b<hr>", "b"},
    {"a<hr><hr>b", "a\n---\nb"},
    {"<pre>\na\n  b\n\n\n\tc</pre>d", "a\n  b\n\n\n\tc\n\nd"},
    {"<pre>a\r\nb\rc</pre>", "a\nb\nc"},
    {"<div style='white-space: pre-wrap'>a\n  b</div>", "a\n  b"},
    {"<q>yes</q> x<sup>2</sup> H<sub>2</sub>O", "\"yes\" x2 H2O"},
    /* quotes */
    {"a<blockquote>b<p>c</p></blockquote>d", "a\n> b\n>\n> c\n\nd"},
    {"<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n> > b"},
    {"a<blockquote style='margin:0 0 0 40px; border: none; padding: 0px'>b</blockquote>c",
     "a\nb\nc"},
    {"a<blockquote type=cite style='border:none'>b</blockquote>", "a\n> b"},
    {"<blockquote><ul><li>a<br>b</ul></blockquote>", "> - a\n>   b"},
    /* lists */
    {"<ul><li>a<li>b</ul>", "- a\n- b"},
    {"<ul><li><p>a</p><li><p>b</p></ul>", "- a\n- b"},
    {"<ol start=9><li>a<li>b<li value=20>c</ol>", "9. a\n10. b\n20. c"},
    {"<ol type=a><li>x<li>y</ol>", "a. x\nb. y"},
    {"<ul><li>a<ul><li>b<ul><li>c</ul></ul><li>d</ul>", "- a\n  - b\n    - c\n- d"},
    {"<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"},
    {"<ul><li><li>b</ul>", "- b"},
    {"<li>a", "- a"},
    {"<dl><dt>Host<dd>web1<dt>State<dd>down</dl>", "Host\nweb1\nState\ndown"},
    /* tables */
    {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a b\nc d"},
    {"<table><tr><td>a<td><td>b<tr><td>c</table>", "a b\nc"},
    {"<table><tr><td><p>a</p></td><td><p>b</p></td></tr><tr><td><p>c</p></td></tr></table>",
     "a b\nc"},
    {"<table><tr><td>a<br>b</td><td>c</td></tr></table>", "a\nb\nc"},
    {"<table><tr><td>a</td><td>b<br>c</td><td>d</td></tr></table>", "a b\nc\nd"},
    {"<table><tr><td>a</td><td><table><tr><td>b</td></tr></table></td></tr></table>", "a b"},
    {"<table><tr><td>a</td><td><table><tr><td>b<tr><td>c</table></td><td>d</table>", "a b\nc\nd"},
    {"<table><tr><td>x</td><td><ul><li>a<li>b</ul></td><td>y</td></table>", "x\n- a\n- b\ny"},
    {"<table><tr><th>Name:</th><td>Bob</td></table>after", "Name: Bob\nafter"},
    /* links */
    {"<a href='https://example.com/x'>Here</a>.", "Here <https://example.com/x>."},
    {"<a href=https://example.com/>example.com</a>", "example.com"},
    {"<a href='http://www.example.com'>See www.example.com!</a>", "See www.example.com!"},
    {"<a href='https://a.co/'>data.com</a>", "data.com <https://a.co/>"},
    {"<a href='https://e.com/?utm_source=n&id=7&amp;fbclid=Q'>x</a>", "x <https://e.com/?id=7>"},
    {"<a href='https://e.com/?utm_source=n&utm_medium=m#top'>x</a>", "x <https://e.com/#top>"},
    {"<a href='https://e.com/?gclid=1'>https://e.com/?gclid=1</a>", "https://e.com/?gclid=1"},
    {"<a href='mailto:a@b.example?subject=x'>Anna</a>", "Anna"},
    {"<a href='mailto:a@b.example?subject=x'></a>", ""},
    {"<a href='tel:+491234'>call</a> <a href=#top>up</a> <a href='javascript:x()'>run</a>",
     "call up run"},
    {"<a href='https://e.com/u?1'><img src=p.gif></a>b", "b"},
    {"<a href='https://e.com/u'><img src=p.gif alt='Sign up'></a>", "Sign up <https://e.com/u>"},
    {"<a href=https://e.com/u>Yes</a> or <a href=https://e.com/u>maybe</a>",
     "Yes <https://e.com/u> or maybe"},
    {"<a href='https://e.com/a b'><div>x</div></a>y", "x <https://e.com/a%20b>\ny"},
    {"<a href='//e.com/x'>y</a>", "y <https://e.com/x>"},
    {"<a href='https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fe.com%2Fx%3Fa"
     "%3D1&amp;data=05%7C01'>Doc</a>",
     "Doc <https://e.com/x?a=1>"},
    {"<a href='https://evil.example/?url=https%3A%2F%2Fe.com'>Doc</a>",
     "Doc <https://evil.example/?url=https%3A%2F%2Fe.com>"},
    {"<a name=x>anchor</a>", "anchor"},
    /* images */
    {"<img alt='A cat'> <img alt=logo.png> <img alt=image001> <img alt=''>", "A cat"},
    {"Hi <img alt='\xF0\x9F\x98\x80' src=x.png>!", "Hi \xF0\x9F\x98\x80!"},
    {"<img alt='Track' width=1 height=1>x", "x"},
    /* hidden */
    {"<title>t</title><head></head><style>p{}</style><script>1</script>x", "x"},
    {"<p hidden>a</p><p aria-hidden=true>b</p>", "b"},
    {"<div style='display:none'>a<p>b</p></div>c", "c"},
    {"<div style='DISPLAY: None !important'>a</div>c", "c"},
    {"<div style='visibility:hidden'>a</div><div style='opacity:0'>b</div>c", "c"},
    {"<div style='max-height:0;overflow:hidden'>a</div>c", "c"},
    {"<div style='width:0;height:0'>a</div><table width=0 height=0><tr><td>b</table>c", "c"},
    {"<div style='height:0;overflow:hidden'>a</div>c", "c"},
    {"<div style='font-size:1px'>a</div><div style='font-size:0'>b</div>c", "c"},
    {"<td style='font-size:0px'><div style='font-size:16px'>shown</div></td>", "shown"},
    {"<div style='color:#fff;background-color:#FFF'>a</div>c", "c"},
    {"<div style='color:#fff;background:#000'>a</div>c", "a\nc"},
    {"<a href='https://e.com/b' style='mso-hide:all'>Button</a>", "Button <https://e.com/b>"},
    {"<div style='opacity:0.5;max-height:20px;font-size:0.9em'>a</div>", "a"},
    {"<style>.a,#i{display:none}</style><p class='x a'>1</p><p id=i>2</p><p class=b>3</p>", "3"},
    {"<style><!-- div.p{display:none!important} /* } */ --></style><div class=p>1</div>"
     "<p class=p>2</p>",
     "2"},
    {"<style>@media (max-width:9px){.a{display:none}} .b .a{display:none}</style><p class=a>1",
     "1"},
    {"<style>.a{display:none}</style><p class=a style='display:block'>1", "1"},
    {"<style media=print>p{display:none}</style><p>1", "1"},
    {"<noscript>a</noscript><template>b</template><svg><text>c</text></svg>d", "d"},
    {"<button>Go</button><select><option>a</select><textarea>b</textarea><input value=c>d", "d"},
    {"a<!-- b -->c<!---->d<!-->e<!--->f", "acdef"},
    {"<!--[if mso]>no<![endif]--><!--[if !mso]><!-->yes<!--<![endif]-->", "yes"},
    {"<![if !vml]>yes<![endif]><?xml:namespace prefix=o />", "yes"},
    /* references */
    {"&lt;b&gt; &amp;amp; &quot;x&quot; &apos;", "<b> &amp; \"x\" '"},
    {"&euro;&hellip;&#8211;&#x2014;", "\xE2\x82\xAC\xE2\x80\xA6\xE2\x80\x93\xE2\x80\x94"},
    {"it&#146;s &#150; &#128;5", "it\xE2\x80\x99s \xE2\x80\x93 \xE2\x82\xAC"
                                 "5"},
    {"&copy2026 &nbspx &auml", "\xC2\xA9"
                               "2026 x \xC3\xA4"},
    {"AT&T a & b &unknown; &;", "AT&T a & b &unknown; &;"},
    {"?a=1&copy=2&lt=3", "?a=1&copy=2&lt=3"},
    {"&lpar;x&rpar;&excl; &check;", "(x)! \xE2\x9C\x93"},
    {"&#0;a&#xD800;&#99999999;b&#;", "ab&#;"},
    {"&#72;&#105", "Hi"},
    {"<img alt='&quot;A&quot; &apos;B&apos; &lt;C&gt; &amp;amp; caf&eacute &hearts;&excl;'>",
     "\"A\" 'B' <C> &amp; caf\xC3\xA9 \xE2\x99\xA5!"},
    {"<a href='https://e.com/?a=1&copy=2&lt3=4&amp;b=&quot;'>x</a>",
     "x <https://e.com/?a=1&copy=2&lt3=4&b=%22>"},
    /* broken */
    {"a < b <3 <> <", "a < b <3 <> <"},
    {"From: Bob <bob@example.com>", "From: Bob <bob@example.com>"},
    {"<https://example.com/x>", "<https://example.com/x>"},
    {"<b>a<i>b</b>c</i>", "abc"},
    {"<p>a</html></body>b", "ab"},
    {"<body>a</body></html><p>footer", "a\n\nfooter"},
    {"</p></div></table>a</foo>", "a"},
    {"a</p>b</p>c", "a\nb\nc"},
    {"<foo>a</foo><o:p>b</o:p>", "ab"},
    {"a<b", "a"},
    {"a<!-- b", "a"},
    {"a<a href='x", "a"},
    {"<title>t<p>a", "t\n\na"},
    {"<font color=red size=3>a</FONT>", "a"},
    {"<img alt=a alt=b><img/alt=c>", "ac"},
    {"<a href=\"https://e.com/'\">x</a><a href='https://e.com/\"'>y</a>",
     "x <https://e.com/'>y <https://e.com/%22>"},
};

START_TEST(test_html_rows)
{
    check_text(rows[_i].html, rows[_i].want);
}
END_TEST

START_TEST(test_html_nul)
{
    static const char html[] = "a\0b<p\0 x>c\x01"
                               "d";
    g_autofree char *got = text_of(html, sizeof(html) - 1, NULL);

    ck_assert_str_eq(got, "abcd");
}
END_TEST

static const struct {
    const char *octets;
    const char *want;
} charsets[] = {
    {"<html><head><meta charset=utf-8>", "utf-8"},
    {"<META HTTP-EQUIV=Content-Type CONTENT=\"text/html; charset=Windows-1251\">", "Windows-1251"},
    {"<meta http-equiv='Content-Type' content='text/html; charset = \"koi8-r\"'>", "koi8-r"},
    {"<meta charset='Shift_JIS' />", "Shift_JIS"},
    {"<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?><html>", "ISO-8859-2"},
    {"\xEF\xBB\xBF<?xml version='1.0' encoding='big5'?>", "big5"},
    {"<meta name=viewport content=x><meta charset=gbk>", "gbk"},
    {"<meta name=charset content=x>", NULL},
    {"<p>charset=utf-8</p>", NULL},
    {"<meta charset=", NULL},
    {"<meta charset=\"\">", NULL},
    {"<p><?xml encoding='big5'?>", NULL},
    {"", NULL},
};

START_TEST(test_html_charset)
{
    g_autofree char *got =
        html_charset((const guint8 *)charsets[_i].octets, strlen(charsets[_i].octets));

    ck_assert_msg(g_strcmp0(got, charsets[_i].want) == 0, "%s: %s", charsets[_i].octets, got);
}
END_TEST

START_TEST(test_html_charset_only_in_front)
{
    g_autoptr(GString) html = g_string_new(NULL);
    g_autofree char *got = NULL;

    while (html->len < 4096)
        g_string_append(html, "<!-- x -->");
    g_string_append(html, "<meta charset=utf-8>");
    got = html_charset((const guint8 *)html->str, html->len);
    ck_assert_ptr_null(got);
}
END_TEST

/* What is hostile: unit repeated up to 8 MiB, after head. All of it within the suite's time, on a
 * stack of its own size. */
static const struct {
    const char *head;
    const char *unit;
    const char *want; /* NULL: any */
} floods[] = {
    {"x", "<b>", "x"},
    {"x", "<div>", "x"},
    {"x", "</b>", "x"},
    {"x<i><div><i><div><i><div><i><div>", "</i>", "x"},
    {"x", "<blockquote>", "x"},
    {"x", "<table><tr><td>", "x"},
    {"x", "<ul><li>", "x"},
    {"x", "<title>", "x"},
    {"x", "<style>", "x"},
    {"x", "<!--", "x"},
    {"x", "<!", "x"},
    {"x", "<a ", "x"},
    {"x<a", " b", "x"},
    {"x<a b='", "c", "x"},
    {"x<style>", "a{", "x"},
    {"x<style>", "/*", "x"},
    {"x<style>", ".a{display:none}.b,", "x"},
    {"x", "<a href='https://e.com'>", "x"},
    {"x", "<br>", "x"},
    {"x", "&nbsp;", "x"},
    {"x", "\n", "x"},
    {"x", "&", NULL},
    {"x", "&zzzzzz;", NULL},
    {"x", "&abcdef", NULL},
    {"x", "<", NULL},
    {"<blockquote>", "a<br>", NULL},
    {"<pre>x", "\n", "x"},
    {"", "<blockquote>a<br>", NULL},
    {"", "<a href='https://e.com/'>aaaaaaaa<td>", NULL},
    {"", "\xF0\x9F\x98\x80", NULL},
};

START_TEST(test_html_flood)
{
    g_autoptr(GString) html = g_string_new(floods[_i].head);
    g_autofree char *got = NULL;
    bool cut;

    while (html->len < 8 * 1048576)
        g_string_append(html, floods[_i].unit);
    got = text_of(html->str, html->len, &cut);
    ck_assert_uint_le(strlen(got), VIEW_TEXT_MAX);
    if (floods[_i].want)
        ck_assert_str_eq(got, floods[_i].want);
    ck_assert(cut == !floods[_i].want);
}
END_TEST

START_TEST(test_html_many_attributes)
{
    g_autoptr(GString) html = g_string_new("a<b");
    g_autofree char *got = NULL;

    for (guint i = 0; html->len < 8 * 1048576; i++)
        g_string_append_printf(html, " a%u=1", i);
    g_string_append(html, " style=display:none>b</b>c");
    got = text_of(html->str, html->len, NULL);
    ck_assert_str_eq(got, "ac");
}
END_TEST

/* Tags at any depth do not end the text. */
START_TEST(test_html_deep)
{
    g_autoptr(GString) html = g_string_new(NULL);
    g_autoptr(GString) want = g_string_new(NULL);
    g_autofree char *got = NULL;

    for (guint i = 0; i < 5000; i++) {
        g_string_append_printf(html, "<b>line %u<br>", i);
        g_string_append_printf(want, "%sline %u", i ? "\n" : "", i);
    }
    got = text_of(html->str, html->len, NULL);
    ck_assert_str_eq(got, want->str);
}
END_TEST

/* A text of its greatest length is whole; a character more cuts it, at a character. */
START_TEST(test_html_bound)
{
    g_autoptr(GString) html = g_string_new(NULL);
    bool cut;

    while (html->len < VIEW_TEXT_MAX)
        g_string_append(html, "\xC3\xA4");
    g_autofree char *whole = text_of(html->str, html->len, &cut);
    ck_assert(!cut);
    ck_assert_str_eq(whole, html->str);
    g_string_prepend_c(html, 'x');
    g_autofree char *shorter = text_of(html->str, html->len, &cut);
    ck_assert(cut);
    ck_assert_uint_eq(strlen(shorter), VIEW_TEXT_MAX - 1);
}
END_TEST

/* A picture within the HTML is megabytes of attribute: the text around it stays. */
START_TEST(test_html_data_address)
{
    g_autofree char *data = g_strnfill(4 * 1048576, 'A');
    g_autofree char *html =
        g_strconcat("a <img src=\"data:image/png;base64,", data, "\" alt=\"Graph\"> b", NULL);
    g_autofree char *got = text_of(html, strlen(html), NULL);

    ck_assert_str_eq(got, "a Graph b");
}
END_TEST

UNIT_SUITE("html", tcase_add_test(unit, test_html_cases);
           tcase_add_loop_test(unit, test_html_rows, 0, G_N_ELEMENTS(rows));
           tcase_add_test(unit, test_html_nul);
           tcase_add_loop_test(unit, test_html_charset, 0, G_N_ELEMENTS(charsets));
           tcase_add_test(unit, test_html_charset_only_in_front);
           tcase_add_loop_test(unit, test_html_flood, 0, G_N_ELEMENTS(floods));
           tcase_add_test(unit, test_html_many_attributes); tcase_add_test(unit, test_html_deep);
           tcase_add_test(unit, test_html_bound); tcase_add_test(unit, test_html_data_address))
