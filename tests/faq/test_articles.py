"""Every article, found by looking in the folder: parses, renders for every state, fits Slack, speaks its language."""

import re
from dataclasses import replace

import opencc
import pytest

from faq.facts import BUTTONS, CASES, Button, Case, FeatureKey, cases_of
from faq.library import ARTICLES, LOCALES, MAX_BODY, MAX_SHORT
from faq.samples import every_sample, sample
from tests.faq.knowledge import library

TOPICS = [
    "still-authorizing",
    "granted-but-not-working",
    "no-amazon-page",
    "other-browser",
    "sister-system",
    "professional-seller",
    "each-marketplace",
    "one-store-one-account",
    "safe-environment",
    "add-store",
    "primary-user",
    "commerce-fields",
    "grant-orders",
    "grant-listing",
    "authorization-failed",
    "yearly-renewal",
    "disable-revoke",
    "wrong-store-signed-in",
    "link-expired",
    "error-code",
    "needs-a-person",
]
FOLDERS = sorted(p.name for p in ARTICLES.iterdir() if not p.name.startswith("_"))
EVERY = [(slug, locale) for slug in FOLDERS for locale in LOCALES]
PLATFORM_LABEL = re.compile(r"【[^】]*】")
#: mainland words that a Taiwanese reader stumbles over
MAINLAND = [
    "賬號",
    "帳戶登錄",
    "登錄",
    "網頁鏈接",
    "鏈接",
    "鏈結",
    "默認",
    "視頻",
    "屏幕",
    "信息",
    "郵箱",
    "短信",
    "數據",
    "軟件",
    "網絡",
    "硬件",
    "菜單",
    "粘貼",
    "彈窗",
    "服務器",
    "後臺",
    "攔截",
    "撤回",
]


def test_there_is_a_folder_for_every_topic_of_the_labelled_questions() -> None:
    assert set(TOPICS) <= set(FOLDERS)


@pytest.mark.parametrize(("slug", "locale"), EVERY)
def test_an_article_renders_for_every_state_and_fits_slack(slug: str, locale: str) -> None:
    for facts in every_sample(slug):
        text = library().render(slug, locale, facts)
        assert 40 < len(text) <= MAX_BODY
        assert "\n\n\n" not in text
        assert not re.search(r"^#|\*\*|\]\(|\{\{|\{%|None\b|Undefined", text, flags=re.MULTILINE)
        for line in text.replace("W" * 80, "").splitlines():
            assert line.count("*") % 2 == 0, line
            assert line.count("`") % 2 == 0, line
            assert line.count("「") == line.count("」")


@pytest.mark.parametrize(("slug", "locale"), EVERY)
def test_a_head_is_whole_and_its_label_fits_a_button(slug: str, locale: str) -> None:
    article = library().article(slug, locale)
    assert 0 < len(article.short) <= MAX_SHORT
    assert article.title
    assert article.when
    assert article.buttons
    assert article.related
    assert slug not in article.related


@pytest.mark.parametrize("slug", FOLDERS)
def test_a_topic_is_taught_by_at_least_forty_phrases(slug: str) -> None:
    assert sum(len(library().article(slug, locale).phrases) for locale in LOCALES) >= 40


@pytest.mark.parametrize("slug", FOLDERS)
def test_the_languages_of_an_article_agree_on_buttons_and_relatives(slug: str) -> None:
    heads = {(library().article(slug, loc).buttons, library().article(slug, loc).related) for loc in LOCALES}
    assert len(heads) == 1


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("slug", list(CASES))
@pytest.mark.parametrize("feature", list(FeatureKey))
def test_every_state_has_an_answer_of_its_own(slug: str, locale: str, feature: FeatureKey) -> None:
    answers = {case: library().render(slug, locale, sample(case, feature)) for case in cases_of(slug)}
    assert len(set(answers.values())) == len(CASES[slug])


#: what an answer must say in each state, in each language: the table of states × questions
RIGHT: dict[tuple[str, Case], tuple[str, str, str]] = {
    ("still-authorizing", Case.NO_STORE): ("/store add", "/store add", "/store add"),
    ("still-authorizing", Case.NEVER_OPENED): ("没有人打开过", "沒有人打開過", "never been opened"),
    ("still-authorizing", Case.WAITING): ("10:02", "10:02", "10:02"),
    ("still-authorizing", Case.OPENED_SILENT): ("没有回复我们", "沒有回覆我們", "never answered us"),
    ("still-authorizing", Case.REFUSED): ("another store.", "another store.", "another store."),
    ("still-authorizing", Case.GENERAL): (
        "两个功能只授权了一个",
        "兩項功能只授權了其中一項",
        "only one of the two features",
    ),
    ("still-authorizing", Case.EXPIRED): ("已经过了", "已經過了", "its year *is over*"),
    ("still-authorizing", Case.REVOKED): ("被撤销了", "被撤銷", "revoked at Amazon"),
    ("still-authorizing", Case.PERMISSION_PROBLEM): ("拒绝我们访问", "不讓我們存取", "does not let us in"),
    ("still-authorizing", Case.DISABLED): ("停用", "停用", "is *disabled* here"),
    ("still-authorizing", Case.UNCHECKED): ("没有回应", "沒有回應", "did not answer me"),
    ("still-authorizing", Case.JUST_GRANTED): ("3 分钟前", "3 分鐘前", "3 minutes ago"),
    ("still-authorizing", Case.GRANTED): ("是好的", "沒有問題", "is fine"),
    ("granted-but-not-working", Case.GENERAL): ("分别授权", "分開授權", "granted separately"),
    ("granted-but-not-working", Case.UNCHECKED): ("没有回应", "沒有回應", "did not answer me"),
    ("granted-but-not-working", Case.NO_STORE): ("/store add", "/store add", "/store add"),
    ("granted-but-not-working", Case.NONE_GRANTED): ("都还没有授权", "都還沒有授權", "Neither feature is granted"),
    ("granted-but-not-working", Case.OTHER_FEATURE_ONLY): ("只授权了", "只授權了", "has only"),
    ("granted-but-not-working", Case.JUST_GRANTED): ("3 分钟前", "3 分鐘前", "3 minutes ago"),
    ("granted-but-not-working", Case.EXPIRED): ("2026-03-01", "2026-03-01", "2026-03-01"),
    ("granted-but-not-working", Case.REVOKED): ("被撤销了", "被撤銷了", "was revoked at Amazon"),
    ("granted-but-not-working", Case.START_IN_FUTURE): ("2026-12-31", "2026-12-31", "2026-12-31"),
    ("granted-but-not-working", Case.PERMISSION_PROBLEM): ("角色", "角色", "a role may be missing"),
    ("granted-but-not-working", Case.DISABLED): ("停用", "停用", "is *disabled*"),
    ("granted-but-not-working", Case.ALL_GOOD): ("问题不在授权", "問題不在授權", "granted and working"),
}


def test_the_table_of_states_and_questions_is_complete() -> None:
    assert set(RIGHT) == {(slug, case) for slug, cases in CASES.items() for case in cases}


@pytest.mark.parametrize(("slug", "case"), list(RIGHT))
@pytest.mark.parametrize("locale", LOCALES)
def test_a_state_gets_the_right_answer(slug: str, case: Case, locale: str) -> None:
    text = library().render(slug, locale, sample(case))
    assert RIGHT[slug, case][LOCALES.index(locale)] in text.replace("\u200b", "")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_missing_feature_is_named_and_told_from_the_granted_one(locale: str) -> None:
    orders = library().render("granted-but-not-working", locale, sample(Case.OTHER_FEATURE_ONLY, FeatureKey.ORDERS))
    listing = library().render("granted-but-not-working", locale, sample(Case.OTHER_FEATURE_ONLY, FeatureKey.LISTING))
    assert orders.index("【刊登/库存同步功能】") < orders.index("【载单功能】")
    assert listing.index("【载单功能】") < listing.index("【刊登/库存同步功能】")


def test_every_case_ends_in_a_button_and_the_feature_decides_which_grant() -> None:
    assert set(BUTTONS) == set(Case)
    assert sample(Case.OTHER_FEATURE_ONLY, FeatureKey.ORDERS).button is Button.GRANT_ORDERS
    assert sample(Case.OTHER_FEATURE_ONLY, FeatureKey.LISTING).button is Button.GRANT_LISTING
    assert sample(Case.EXPIRED).button is Button.RENEW
    assert sample(Case.START_IN_FUTURE).button is Button.EDIT_STORE
    assert sample(Case.PERMISSION_PROBLEM).button is Button.ASK_PERSON


def _own_words(slug: str, locale: str) -> str:
    """What we wrote, without the platform's names and without the phrases of others."""
    article = library().article(slug, locale)
    return PLATFORM_LABEL.sub("", f"{article.title}\n{article.short}\n{article.when}\n{article.body}")


@pytest.mark.parametrize("slug", FOLDERS)
def test_traditional_chinese_holds_no_simplified_character_and_no_mainland_word(slug: str) -> None:
    words = _own_words(slug, "zh-TW")
    #: characters both scripts use where a converter has to guess
    allowed = set("台才只后面里系了干准采鍾于群周制出回布升郁卷占征向背朴板舍松冬家沖并余范伙仑吊岳戚") | set(
        "床峰秘祕"
    )
    converted = opencc.OpenCC("s2t").convert(words)
    wrong = {a for a, b in zip(words, converted, strict=True) if a != b and a not in allowed}
    assert not wrong
    assert [w for w in MAINLAND if w in words] == []


@pytest.mark.parametrize("slug", FOLDERS)
def test_simplified_chinese_holds_no_traditional_character(slug: str) -> None:
    words = _own_words(slug, "zh-CN")
    assert words == opencc.OpenCC("t2s").convert(words)


@pytest.mark.parametrize("slug", FOLDERS)
def test_traditional_wording_is_written_and_not_converted(slug: str) -> None:
    converted = opencc.OpenCC("s2t").convert(_own_words(slug, "zh-CN"))
    assert converted != _own_words(slug, "zh-TW")


@pytest.mark.parametrize("slug", FOLDERS)
def test_english_is_plain(slug: str) -> None:
    words = _own_words(slug, "en")
    assert "!" not in words
    assert not re.search(r"[㐀-鿿]", words)


@pytest.mark.parametrize("slug", FOLDERS)
def test_each_chinese_quotes_and_punctuates_in_its_own_way(slug: str) -> None:
    for locale, foreign in (("zh-CN", '「」『』"'), ("zh-TW", '“”"')):
        words = re.sub(r"\{[{%].*?[}%]\}|`[^`]*`", "", _own_words(slug, locale))
        assert not set(foreign) & set(words)
        assert not re.search(r"[㐀-鿿“”「」】][,:;?!()]|[,:;?!()][㐀-鿿“”「」【]", words)


def test_a_label_that_was_escaped_is_not_escaped_again() -> None:
    text = library().render("still-authorizing", "en", sample(Case.GRANTED, label="Tom &amp; Co"))
    assert "“Tom &amp; Co”" in text


def test_bold_beside_chinese_gets_an_edge_that_slack_sees() -> None:
    text = library().render("still-authorizing", "zh-CN", sample(Case.NEVER_OPENED))
    assert "\u200b*还没有人打开过*" in text
    assert "\u200b" not in library().render("still-authorizing", "en", sample(Case.NEVER_OPENED))


#: what the platform promises of its two systems, and what only an installation that hears the other one can show
_MIRRORED = {
    "en": ("mirror each other", "shows it here"),
    "zh-CN": ("双向同步", "也能看到"),
    "zh-TW": ("雙向同步", "也看得到"),
}


@pytest.mark.parametrize("locale", _MIRRORED)
@pytest.mark.parametrize("mirrored", [True, False])
def test_nobody_authorizes_twice_and_what_was_done_there_shows_where_it_is_heard(
    locale: str, *, mirrored: bool
) -> None:
    text = library().render("sister-system", locale, replace(sample(Case.GENERAL), mirrored=mirrored))
    always, heard = _MIRRORED[locale]
    assert always in text
    assert (heard in text) is mirrored
    assert "\n\n\n" not in text
