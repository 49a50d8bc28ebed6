"""One claim for each row of the table of 5.2, and what a page must never do."""

import pytest

from connectors.confluence.storage_format import Converted, References, markdown_of, user_ids_in

BASE = "https://wiki.example.com/wiki"
HOME = f"{BASE}/spaces/ENG/pages/42/Deploying"
REFERENCES = References(
    base_url=BASE,
    page_url=HOME,
    space_key="ENG",
    pages={
        ("ENG", "On call"): f"{BASE}/spaces/ENG/pages/7/On+call",
        ("OPS", "Rota"): f"{BASE}/spaces/OPS/pages/8/Rota",
    },
    users={"557058:aa-1": "Duty Officer"},
    jira_url="https://wiki.example.com",
    spaces={"OPS": "Operations"},
)


def converted(storage: str) -> Converted:
    return markdown_of(storage, REFERENCES)


def check(storage: str, expected: str) -> None:
    assert converted(storage).markdown == expected


def macro(called: str, body: str = "", /, **parameters: str) -> str:
    given = "".join(f'<ac:parameter ac:name="{key}">{value}</ac:parameter>' for key, value in parameters.items())
    return f'<ac:structured-macro ac:name="{called}">{given}{body}</ac:structured-macro>'


def rich(body: str) -> str:
    return f"<ac:rich-text-body>{body}</ac:rich-text-body>"


def plain(body: str) -> str:
    return f"<ac:plain-text-body><![CDATA[{body}]]></ac:plain-text-body>"


TEXT = [
    ("<h1>Goal</h1><h3>Next <em>steps</em></h3>", "# Goal\n\n### Next steps"),
    ("<h2> </h2><h2><br/></h2><p>a</p>", "a"),
    ("<h2>Use <code>make</code></h2>", "## Use `make`"),
    ("<h2><a href='https://x.example/a'>Manual</a></h2>", "## Manual\n\n<https://x.example/a>"),
    ("<h2>Tag #</h2>", "## Tag \\#"),
    ("<p>one<br/>two</p><p>three</p>", "one\ntwo\n\nthree"),
    ("<p>a <span>b</span> <u>c</u><font color='red'>d</font></p><div>e</div>", "a b cd\n\ne"),
    (
        "<p><strong><span style='color: rgb(1,2,3);'>g</span><span style='color: rgb(9,9,9);'>o</span></strong></p>",
        "**go**",
    ),
    ("<p><strong>a</strong><strong>b</strong> <strong>c</strong></p>", "**ab c**"),
    ("<p>x<strong> bold </strong>y <em>em</em> <del>gone</del></p>", "x **bold** y *em* ~~gone~~"),
    ("<p><strong>a <em>b</em></strong><em> c</em></p>", "**a *b*** *c*"),
    ("<p><b>Note:</b>read</p>", "**Note**:read"),
    ("<p>H<sub>2</sub>O and x<sup>2</sup></p>", "H2O and x2"),
    ("<p><code>a*b</code> <tt>c_d</tt> <kbd>``</kbd></p>", "`a*b` `c_d` ``` `` ```"),
    ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
    ("<blockquote><p>said</p><p>so</p></blockquote><hr/>", "> said\n>\n> so\n\n---"),
    ("<p>a&nbsp;b\u200bc\u00add cafe\u0301 &eacute;&mdash;&hellip;</p>", "a bcd café é—…"),
    ("<p>due <time datetime='2026-03-14'/></p>", "due 2026-03-14"),
    ("<p><ac:inline-comment-marker ac:ref='q'>kept</ac:inline-comment-marker> text</p>", "kept text"),
    ("<p>a<ac:placeholder>type here</ac:placeholder><at:var at:name='v'>gone</at:var>b</p>", "ab"),
]

LISTS = [
    ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
    ("<ol start='9'><li><p>a</p><ol><li>b</li></ol></li><li>c</li></ol>", "9. a\n   1. b\n10. c"),
    ("<ul><li>a</li><ul><li>b</li></ul></ul>", "- a\n  - b"),
    (
        "<ul><li><p>run</p>" + macro("code", plain("ls"), language="bash") + "</li></ul>",
        "- run\n  ```bash\n  ls\n  ```",
    ),
    ("<ul><li>t<table><tr><td>x</td></tr></table></li></ul>", "- t\n\n  |  |\n  | --- |\n  | x |"),
    (
        "<ac:task-list><ac:task><ac:task-id>7</ac:task-id><ac:task-uuid>u-7</ac:task-uuid><ac:task-status>complete"
        "</ac:task-status><ac:task-body>Ship <ac:task-list><ac:task><ac:task-status>incomplete</ac:task-status>"
        "<ac:task-body>tell</ac:task-body></ac:task></ac:task-list></ac:task-body></ac:task></ac:task-list>",
        "- [x] Ship\n  - [ ] tell",
    ),
    ("<dl><dt>Term</dt><dd>meaning</dd></dl>", "**Term**\n\nmeaning"),
]

TABLES = [
    (
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>",
        "| A | B |\n| --- | --- |\n| 1 | 2 |",
    ),
    ("<table><tr><td>1</td></tr></table>", "|  |\n| --- |\n| 1 |"),
    (
        "<table><thead><tr><th rowspan='2'>Zone</th><th colspan='2'>Load</th></tr><tr><th>min</th><th>max</th></tr>"
        "</thead><tbody><tr><td rowspan='2'>EU</td><td>1</td><td>2</td></tr><tr><td colspan='2'>3</td></tr></tbody>"
        "</table>",
        "| Zone | Load / min | Load / max |\n| --- | --- | --- |\n| EU | 1 | 2 |\n| EU | 3 | 3 |",
    ),
    (
        "<table><tr><th>a|b</th></tr><tr><td><p>x</p><p>y</p></td></tr></table>",
        "| a\\|b |\n| --- |\n| x<br>y |",
    ),
    (
        "<table><tr><th>c</th></tr><tr><td>" + macro("code", plain("a = 1\nb | c")) + "</td></tr></table>",
        "| c |\n| --- |\n| `a = 1`<br>`b \\| c` |",
    ),
    (
        "<table><tr><th>c</th></tr><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>",
        "| c |\n| --- |\n| a; b |",
    ),
    ("<table><caption>Sizes</caption><tr><td>1</td></tr></table>", "Sizes\n\n|  |\n| --- |\n| 1 |"),
    (
        "<table><tr><th>c</th></tr><tr><td><ul><li>x</li><li>y</li></ul></td></tr></table>",
        "| c |\n| --- |\n| - x<br>- y |",
    ),
]

LINKS = [
    ("<p><a href='https://x.example/a'>text</a></p>", "[text](https://x.example/a)"),
    (
        "<p><a href='https://x.example/a' data-card-appearance='inline'>https://x.example/a</a></p>",
        "<https://x.example/a>",
    ),
    ("<p><a href='java&#9;script:alert(1)'>safe</a> <a href=' DATA:text/html,x'>too</a></p>", "safe too"),
    ("<p><a href='/wiki/x/y?a=b'>rel</a></p>", "[rel](https://wiki.example.com/wiki/x/y?a=b)"),
    ("<p><a href='#Part'>here</a></p>", f"[here]({HOME}#Part)"),
    (
        "<p><ac:link><ri:page ri:content-title='On call'/></ac:link></p>",
        f"[On call]({BASE}/spaces/ENG/pages/7/On+call)",
    ),
    (
        "<p><ac:link ac:anchor='Week two'><ri:page ri:space-key='OPS' ri:content-title='Rota'/><ac:link-body>the "
        "<em>rota</em></ac:link-body></ac:link></p>",
        f"[the *rota*]({BASE}/spaces/OPS/pages/8/Rota#Week-two)",
    ),
    (
        "<p><ac:link><ri:page ri:content-title='Lost &amp; found'/><ac:plain-text-link-body><![CDATA[see <it>]]>"
        "</ac:plain-text-link-body></ac:link></p>",
        'see \\<it> (Confluence page "ENG:Lost & found")',
    ),
    (
        "<p><ac:link><ri:attachment ri:filename='a plan.pdf'/></ac:link></p>",
        f"[a plan.pdf]({BASE}/download/attachments/42/a%20plan.pdf)",
    ),
    ("<p><ac:link><ri:space ri:space-key='OPS'/></ac:link></p>", f"[Operations]({BASE}/spaces/OPS)"),
    ("<p><ac:link><ri:user ri:account-id='557058:aa-1'/></ac:link></p>", "@Duty Officer"),
    ("<p><ac:link><ri:user ri:account-id='557058:zz-9'/></ac:link></p>", "@unknown user"),
    ("<p><ac:link><ri:shortcut ri:key='bugs' ri:parameter='B-1'/></ac:link></p>", "B-1"),
    (
        "<p><ac:link><ri:url ri:value='https://x.example'/><ac:link-body>x</ac:link-body></ac:link></p>",
        "[x](https://x.example)",
    ),
    ("<p><ac:link ac:anchor='Part two'><ac:link-body>down</ac:link-body></ac:link></p>", f"[down]({HOME}#Part-two)"),
    (
        "<ac:image ac:alt='Map' ac:width='9'><ri:attachment ri:filename='map.png'/><ac:caption><p>Figure 1</p>"
        "</ac:caption></ac:image>",
        "![Map — Figure 1](map.png)",
    ),
    ("<ac:image><ri:url ri:value='https://x.example/i.png'/></ac:image>", "![](https://x.example/i.png)"),
    ("<p><ac:emoticon ac:name='tick'/><ac:emoticon ac:emoji-fallback='🚀' ac:emoji-shortname=':rocket:'/></p>", "✅🚀"),
    ("<p><ac:emoticon ac:emoji-shortname=':tada:' ac:emoji-fallback=':tada:'/></p>", "🎉"),
]

MACROS = [
    (macro("code", plain("x = '```'"), language="C#", title="a.cs"), "**a.cs**\n\n````csharp\nx = '```'\n````"),
    (macro("code", plain("a]]]]><![CDATA[>b"), language="none"), "```\na]]>b\n```"),
    (macro("noformat", plain("&nbsp; <b>")), "```\n&nbsp; <b>\n```"),
    (macro("warning", rich("<p>Hot.</p>"), title="Mind"), "> [!WARNING] **Mind**\n> Hot."),
    (macro("info", rich("<p>a</p><p>b</p>")), "> [!INFO]\n> a\n>\n> b"),
    (macro("panel", rich("<p>a</p>"), title="Box", bgColor="#eee"), "> **Box**\n> a"),
    (macro("expand", rich("<p>inside</p>"), title="More"), "**More**\n\ninside"),
    (macro("excerpt", rich("<p>gist</p>"), name="g"), "gist"),
    (macro("ui-tab", rich("<p>one</p>"), title="Tab"), "**Tab**\n\none"),
    (
        macro("section", rich(macro("column", rich("<p>l</p>"), width="9px") + macro("column", rich("<p>r</p>")))),
        "l\n\nr",
    ),
    (
        "<ac:layout><ac:layout-section ac:type='two_equal'><ac:layout-cell><p>L</p></ac:layout-cell><ac:layout-cell>"
        "<p>R</p></ac:layout-cell></ac:layout-section></ac:layout>",
        "L\n\nR",
    ),
    (macro("toc", maxLevel="3") + macro("children", depth="2") + macro("roadmap", source="%7Bx%7D", title="R"), ""),
    (
        macro(
            "include",
            '<ac:parameter ac:name=""><ac:link><ri:page ri:content-title="On call"/></ac:link></ac:parameter>',
        ),
        f"Includes: [On call]({BASE}/spaces/ENG/pages/7/On+call)",
    ),
    (macro("jira", key="OPS-4", serverId="8a-1", server="S"), "[Jira OPS-4](https://wiki.example.com/browse/OPS-4)"),
    (macro("jira", jqlQuery="project = OPS", columns="key"), "Jira query: project = OPS"),
    ("<p>now " + macro("status", title="In review", colour="Blue") + "</p>", "now [In review]"),
    (
        macro(
            "view-file", '<ac:parameter ac:name="name"><ri:attachment ri:filename="q.pptx"/></ac:parameter>', height="9"
        ),
        f"[q.pptx]({BASE}/download/attachments/42/q.pptx)",
    ),
    (macro("widget", url="https://video.example/v", width="9"), "<https://video.example/v>"),
    (macro("iframe", src="javascript:alert(1)"), ""),
    (macro("drawio", diagramName="net.drawio", revision="4"), "[diagram: net.drawio]"),
    (macro("mermaid-cloud", plain("A-->B"), filename="f"), "```mermaid\nA-->B\n```"),
    (macro("plantuml", plain("@startuml")), "```plantuml\n@startuml\n```"),
    (macro("markdown", plain("## Hi\n\n- a <script>x</script>")), "## Hi\n\n- a \\<script>x\\</script>"),
    (macro("html", plain("<p>Hi <b>you</b><script>x()</script></p>")), "Hi **you**"),
    (macro("mathblock", plain("x^2")), "```latex\nx^2\n```"),
    ("<p>so " + macro("mathinline", body="x^2") + " holds</p>", "so `x^2` holds"),
    (macro("sv-translation", rich("<p>Hallo</p>"), language="de"), "Hallo"),
    (macro("acme-box", rich("<p>kept</p>"), title="Box", secret="s3"), "**Box**\n\nkept"),
    (macro("acme-raw", plain("kept\nverbatim")), "```\nkept\nverbatim\n```"),
    (macro("acme-empty", secret="s3"), ""),
    (
        "<ac:adf-extension><ac:adf-node type='panel'><ac:adf-attribute key='panel-type'>note</ac:adf-attribute>"
        "<ac:adf-content><p>once</p></ac:adf-content></ac:adf-node><ac:adf-fallback><p>once</p></ac:adf-fallback>"
        "</ac:adf-extension>",
        "> [!NOTE]\n> once",
    ),
    (
        "<ac:adf-extension><ac:adf-node type='decision-list'><ac:adf-node type='decision-item'><ac:adf-attribute "
        "key='state'>UNDECIDED</ac:adf-attribute><ac:adf-content>Go east</ac:adf-content></ac:adf-node></ac:adf-node>"
        "</ac:adf-extension>",
        "- Decision (undecided): Go east",
    ),
    (
        "<ac:adf-extension><ac:adf-node type='new'><ac:adf-attribute key='k'>v</ac:adf-attribute></ac:adf-node>"
        "<ac:adf-fallback><p>only here</p></ac:adf-fallback></ac:adf-extension>",
        "only here",
    ),
]

LOOK_ALIKES = [
    ("<p># no heading</p>", "\\# no heading"),
    ("<p>&gt; no quote</p>", "\\> no quote"),
    ("<p>* star</p>", "\\* star"),
    ("<p>---</p>", "\\---"),
    ("<p>*not* emphasis, 2 * 3 * 4, a_b_c and *.py</p>", "\\*not\\* emphasis, 2 * 3 * 4, a_b_c and \\*.py"),
    ("<p>2 * 3, snake_case_name, *.py, [x], ~5, 50 &lt; 60</p>", "2 * 3, snake_case_name, *.py, [x], ~5, 50 < 60"),
    ("<p>[click](https://evil.example)</p>", "[click]\\(https://evil.example)"),
    ("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>", "\\<script>alert(1)\\</script>"),
    ("<p>&amp;lt; stays</p>", "\\&lt; stays"),
    ("<p><del>~a</del> <b>*b</b></p>", "~~\\~a~~ **\\*b**"),
    ("<p>C:\\temp\\new</p>", "C:\\temp\\new"),
]


@pytest.mark.parametrize(("storage", "expected"), TEXT + LISTS + TABLES + LINKS + MACROS + LOOK_ALIKES)
def test_an_element_becomes_the_markdown_of_its_row(storage: str, expected: str) -> None:
    check(storage, expected)


UNSEEN = [
    "<p><!-- canary -->a</p>",
    "<p>a<span style='color: rgb(255,255,255);'>canary</span></p>",
    "<p>a<span style='color:#FFF'>canary</span></p>",
    "<p>a<font color='white'>canary</font></p>",
    "<p>a<span style='display: none'>canary</span></p>",
    "<p>a<span style='font-size: 0px'>canary</span></p>",
    "<p>a<span style='font-size:1px;color:red'>canary</span></p>",
    "<p>a<span style='visibility:hidden'>canary <b>canary</b></span></p>",
    "<p>a<span style='opacity:0'>canary</span></p>",
    "<div style='position:absolute;left:-9999px'>canary</div><p>a</p>",
    "<div style='background-color:#123456'><p><span style='color:rgb(18,52,86)'>canary</span>a</p></div>",
    "<p>a<ac:placeholder>canary</ac:placeholder></p>",
    "<p>a</p>" + macro("acme", q="canary"),
    "<p>a</p><style>canary</style><script>canary</script>",
]


@pytest.mark.parametrize("storage", UNSEEN)
def test_what_no_reader_sees_is_not_kept(storage: str) -> None:
    check(storage, "a")


def test_white_words_on_a_coloured_ground_are_kept() -> None:
    check("<table><tr><td data-highlight-colour='#f00'><span style='color:#fff'>red alert</span></td></tr></table>",
          "|  |\n| --- |\n| red alert |")  # fmt: skip


def test_words_hidden_in_tag_and_bidi_characters_are_gone() -> None:
    check("<p>a\U000e0041\U000e0042\u202e\u2066\u200d\u200c\ufeffb\U000e0101&#x200b;&#8238;c</p>", "abc")


def test_emoji_keep_what_joins_them() -> None:
    check("<p>✏️ 😮\u200d💨 1️⃣</p>", "✏️ 😮\u200d💨 1️⃣")


def test_headings_have_the_anchors_that_the_page_has() -> None:
    page = converted("<h1>Set up</h1><p>a</p><ul><li><h2>What's <code>new</code>?</h2></li></ul><h2>Set up</h2>")
    lines = page.markdown.split("\n")
    assert {lines[number]: anchor for number, anchor in page.anchors.items()} == {
        "# Set up": "Set-up",
        "- ## What's `new`?": "What's-new?",
        "## Set up": "Set-up.1",
    }


def test_page_properties_are_text_and_data() -> None:
    page = converted(
        macro(
            "details",
            rich("<table><tr><th>Owner</th><td>Platform</td></tr><tr><th>Tier</th><td>1</td></tr></table>"),
            id="m",
        )
    )
    assert page.properties == {"Owner": "Platform", "Tier": "1"}
    assert "| Owner | Platform |" in page.markdown


def test_page_properties_may_stand_in_columns() -> None:
    page = converted(
        macro("details", rich("<table><tr><th>Owner</th><th>Tier</th></tr><tr><td>Web</td><td>2</td></tr></table>"))
    )
    assert page.properties == {"Owner": "Web", "Tier": "2"}


def test_macros_that_are_left_out_are_counted() -> None:
    page = converted(macro("acme-gauge", value="7") * 2 + macro("acme-box", rich("<p>kept</p>")) + macro("toc"))
    assert page.unknown_macros == {"acme-gauge": 2}


def test_what_could_not_be_resolved_is_named() -> None:
    page = converted(
        "<p><ac:link><ri:page ri:content-title='Gone'/></ac:link><ac:link><ri:user ri:account-id='u-2'/></ac:link></p>"
    )
    assert page.references == {("ENG", "Gone"), "u-2"}


def test_the_people_on_a_page_are_found_without_parsing_it() -> None:
    assert user_ids_in("<ri:user ri:account-id=\"557058:a&amp;b\"/><ri:user ri:userkey='k1'/><p>") == {
        "557058:a&b",
        "k1",
    }


def test_a_wide_table_is_also_written_as_records() -> None:
    heads = "".join(f"<th>h{n}</th>" for n in range(13))
    cells = "".join(f"<td>v{n}</td>" for n in range(13))
    page = converted(f"<table><tr>{heads}</tr><tr>{cells}</tr></table>")
    assert "| v0 | v1 |" in page.markdown
    assert "h11: v11\nh12: v12" in page.markdown


def test_a_table_is_cut_at_500_rows_and_100_columns_and_says_so() -> None:
    page = converted(
        "<table>" + "<tr>" + "<td colspan='99999999'>x</td>" + "</tr>" + "<tr><td>y</td></tr>" * 600 + "</table>"
    )
    assert page.markdown.count("\n| y |") == 499
    assert page.markdown.split("\n")[0].count("|") == 101
    assert "The table goes on" in page.markdown


def test_a_page_that_is_too_long_is_cut_and_says_so() -> None:
    page = converted(
        "<p>" + "word " * 10 + "</p>" * 1 + "<p>" + "w" * 1000 + "</p>\n" * 1 + ("<p>" + "x" * 999 + "</p>") * 3000
    )
    assert len(page.markdown) < 2_001_000
    assert page.markdown.endswith("only its first 2 MB are kept.)*")


BROKEN = [
    ("<p>a</p></p><p>b</p>", "a\n\nb"),
    ("<p>a<br>b</p><p>c", "a\nb\n\nc"),
    ("<p>a & b &unknown; &#xD800;&#0;&#x110000; 1 < 2 <3</p>", "a & b \\&unknown; 1 < 2 <3"),
    ("<p><b>a</p>b", "**a**\n\nb"),
    ("<o:p>word</o:p>", "word"),
    ("\x00<p>a\x08\ud800b</p>", "ab"),
    ('<?xml version="1.0"?><!DOCTYPE q [<!ENTITY x "boom">]><p>a&x;</p>', "a\\&x;"),
    (
        macro("code", "<ac:plain-text-body><![CDATA[if [[ -f x ]] > y; then]] ></ac:plain-text-body>"),
        "```\nif [[ -f x ]] > y; then\n```",
    ),
    (macro("code", plain("[[ a ]] > out")), "```\n[[ a ]] > out\n```"),
]


@pytest.mark.parametrize(("storage", "expected"), BROKEN)
def test_broken_markup_is_read_as_far_as_it_goes(storage: str, expected: str) -> None:
    check(storage, expected)


def test_only_markup_that_had_to_be_repaired_counts_as_degraded() -> None:
    assert not converted("<p>a &nbsp; & b <o:p/> &eacute;</p>").degraded
    assert converted("<p>a</b>").degraded
