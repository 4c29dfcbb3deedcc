"""From what a person typed to the text that is compared: folded, cleaned, cut to size.

Traditional folds into simplified *with* Taiwanese words put into mainland ones (OpenCC `tw2sp`), so that one
phrase teaches both. Cleaning removes what says nothing about the question: greetings, thanks, ticket numbers,
timestamps, addresses, signatures, the header of a quoted mail.
"""

import re
import unicodedata
from functools import cache

import opencc

#: Nobody's question needs more; a pasted log must not cost more than a question.
MAX_RAW = 6000
MAX_CLEAN = 700
_HEAD_SHARE = 500

#: Controls, formatting marks without width, lone surrogates: nothing anybody meant to type.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_HAN = re.compile(r"[㐀-鿿]")

#: Words that OpenCC leaves as they are, and slips that everybody makes. Left: after folding.
_SAME_WORD = {
    "帐号": "账号", "帐户": "账户", "帐密": "账密", "戶口": "账户", "户口": "账户", "受权": "授权", "受權": "授权",
    "授全": "授权", "壮态": "状态", "以授权": "已授权", "赛赢": "赛盈", "赛营": "赛盈", "塞盈": "赛盈", "飞看": "飞刊",
    "菲刊": "飞刊", "登陆": "登录", "登入": "登录", "登出": "退出", "帐單": "账单", "预设": "默认", "封锁": "拦截",
    "挡下": "拦下", "分页": "标签页", "彈窗": "弹窗", "卖场": "店铺", "商店": "店铺", "店家": "店铺", "间铺": "间店铺",
    "网店": "店铺", "舖头": "店铺", "铺头": "店铺", "点解": "为什么", "咩": "什么", "冇": "没有", "唔": "不", "嘅": "的",
    "喺": "在", "咗": "了", "嚟": "来", "佢": "他", "乜": "什么", "系咪": "是不是", "嘢": "东西", "啲": "的", "喇": "了",
    "而家": "现在", "边部": "哪台", "边个": "哪个", "点样": "怎么", "点搞": "怎么弄", "点算": "怎么办", "整唔到": "弄不了",
    "shouquan": "授权", "shou quan": "授权", "dingdan": "订单", "kucun": "库存", "saiying": "赛盈", "feikan": "飞刊",
    "fei kan": "飞刊", "fly kan": "飞刊", "saleyee": "赛盈", "sale yee": "赛盈", "salesyee": "赛盈", "saleeye": "赛盈",
    "seller centre": "seller central", "amzn": "amazon", "amz": "amazon", "亚马": "亚马", "亚麻": "亚马逊",
    "zaidan": "载单", "lianjie": "链接", "liulanqi": "浏览器", "dianpu": "店铺",
    "搞掂": "弄好", "揿": "按", "撳": "按", "嗰": "那", "呢部": "这台", "呢个": "这个", "呢步": "这一步", "呢边": "这边",
    "呢间": "这家",
    "俾人": "被人", "俾": "给", "畀": "给", "琴日": "昨天", "寻日": "昨天", "使唔使": "要不要", "得唔得": "行不行", "定系": "还是",
    "边度": "哪里", "边间": "哪家", "老细": "老板", "揾": "找", "搵": "找", "睇": "看", "攞": "拿", "㗎": "的", "咁": "这样",
    "个掣": "按钮",
    "开唔到": "打不开", "仲系": "还是", "仲未": "还没", "收返": "收回", "间舖": "店铺", "舖": "铺", "第二部": "另一台", "第二间": "另一家",
}  # fmt: skip
_SAME = re.compile("|".join(re.escape(w) for w in sorted(_SAME_WORD, key=len, reverse=True)))

_ERROR_CODE = re.compile(r"(?<![a-z0-9])(md\s?-?\d{4}|spdc\s?-?\d{4}|spsa\s?-?\d{4}|consent_limit_reached)(?![a-z0-9])")
#: A code that was dictated or spelled out: m d one thousand; M、D、五、一、零、零.
_SPOKEN_CODE = re.compile(
    r"(?<![a-z])m[\s、,.-]{0,2}d[\s、,.:-]{0,3}(?:(?:然后|后面是|and then|then)\s?)?"
    r"(?:(?:\d[\s、,.-]{0,2}){4}(?!\d)|(?:[一二三四五六七八九零〇幺千][\s、,]{0,2}){2,4}"
    r"|(?:(?:one|five|nine|zero|two|oh|hundred|thousand|fifty|ninety|ten)(?![a-z])\s?){2,})"
)
_OCR_CODE = re.compile(r"(?<![a-z0-9])m[d0][\so-]?[0-9ol]{4}(?![a-z0-9])")
_HTTP = re.compile(r"(?<![\w#-])(400|401|403|404|429|500|502|503|504)(?![\w-])")
_ID_NUMBER = re.compile(r"(?<![a-z])#?\d[\d,./:_-]{2,}\d?%?|#\d+")
_ID_WORD = re.compile(r"(?<![a-z0-9])(?=[a-z0-9_-]*\d)(?=[a-z0-9_-]*[a-z])[a-z0-9]+(?:[-_][a-z0-9]+)*(?![a-z0-9])")
_KEEP_ID = re.compile(r"^(?:2fa|v\d|http\d+|2step|errcode\d*|\d{1,2}(?:am|pm|h|hrs?|min|mins|x|th|st|nd|rd|d|k|s))$")
_URL = re.compile(r"https?://\S+|www\.\S+")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_MENTION = re.compile(r"<[@#!][^>\n]{1,80}>|(?<!\w)@[\w一-鿿]{1,20}")
_CLOCK = re.compile(r"\[?\(?\b\d{1,2}[:：]\d{2}(?::\d{2})?\s*(?:am|pm|pst|est|utc|gmt)?\)?\]?")
_EMOJI = re.compile(r":[a-z0-9_+-]{2,30}:|[\U0001f000-\U0001faff☀-➿️]")

_REPLY_HEADER = re.compile(
    r"^\s*(?:on .{4,80} wrote:|.{0,60}写道[:：]|-{2,}\s*(?:original|forwarded) message.*|-{2,}\s*原始邮件.*)\s*$"
)
_SIGN_OFF = re.compile(
    r"^\s*(?:--+\s*$|[-—]{1,2}\s?\w+\s*$|sent from my .*|发自我的.*|从我的.*发送|(?:best |kind |warm )?regards[,.!]?.*|best[,.]?\s*\w*\s*$"
    r"|cheers[,.]?.*|sincerely.*|此致.*|祝商祺.*|顺颂.*)"
)
_LEADING_NOISE = re.compile(
    r"^\s*(?:(?:(?:re|fwd?|fw|转发|回复|答复|主旨|标题|subject|subj)\s*[:：]\s*)+"
    r"|(?:support )?(?:ticket|case|ref|sr|t|sla|zendesk|intercom|jira)\s*[#:-]?\s*#?[\w-]*\d[\w-]*\s*[:：|/\]>-]*\s*"
    r"|[\[【(（](?:[^\]】)）]{0,24})[\]】)）]\s*"
    r"|(?:工单|单号|客诉单|案件)(?:编号|转派)?\s*[#:：]?\s*[a-z0-9-]*\s*[:：|]?\s*"
    r"|#\d+\s*)"
)
_GREETING = re.compile(
    r"^\s*(?:hi+|hello+|hey+|dear|good (?:morning|afternoon|evening|day)|greetings|yo|sup)"
    r"(?:[ ,]+(?:there|team|all|guys|support|sir|madam|folks|everyone|grantdesk|bot|me again))*(?=\W|$)[\s,.!:-]*"
    r"|^\s*(?:各位)?(?:老师|亲|亲亲|客服|小编|管理员|大佬|大神|版主|大大|各位)?(?:们)?(?:您好|你好|妳好|哈啰|哈喽|嗨|早安|午安|晚安|早上好|下午好|晚上好|早)"
    r"(?:呀|啊|哦|喔|啦)?(?:老师|客服|各位)?(?:们)?(?=\W|$|我|请|想|这|有)[\s,，。.!！~～:：]*"
)
_POLITE = re.compile(
    r"(?<![a-z])(?:拍谢|不好意思|抱歉|打扰(?:一下|了)?|麻烦(?:您|你)?(?:看一下|协助|帮忙|了|指导下|尽快处理)?|谢谢(?:您|你|老师|大家)?|感谢(?:您|你)?|多谢|感恩"
    r"|请问(?:一下|下)?|想请教(?:一下)?|请教(?:一下|下)?|想问(?:一下|下)?|想确认(?:一下)?|求助|劳驾|辛苦(?:了|您)?|在线等|急急急"
    r"|please advise|pls advise|pls help|please help|thank you(?: so much| very much)?"
    r"|many thanks|thanks(?: in advance| a lot)?|thx|tks|tia|ty)"
    r"(?=[\s,，。.!！?？~～、]|$|[㐀-鿿])"
)
_QUOTE_MARK = re.compile(r"^(?:[>|]\s?)+")
_DIGIT = re.compile(r"\d")
_SPACES = re.compile(r"[ \t　]+")


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("tw2sp")


def fold(text: str) -> str:
    """One spelling for one word: width, case, script, region, the commonest slips."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("‘", "'")
    text = _CONTROL.sub("", text)
    if _HAN.search(text):
        text = _converter().convert(text)
    return _SAME.sub(lambda m: _SAME_WORD[m.group()], text)


def has_han(text: str) -> bool:
    return bool(_HAN.search(text))


def clean(text: str) -> str:
    """What is left of `text` when everything that is not the question has gone. May be empty."""
    text = fold(_shorten(text, MAX_RAW))
    text = _without_quotes_and_signature(text)
    text = _without_addresses(text)
    for _ in range(4):
        shorter = _GREETING.sub("", _LEADING_NOISE.sub("", text))
        if shorter == text:
            break
        text = shorter
    text = _without_numbers(text)
    text = _POLITE.sub(" ", text)
    text = _SPACES.sub(" ", text.replace("\n", " . ")).strip(" \t.,，。、!！?？~～:：;；-–—|/>*")
    return _shorten(text, MAX_CLEAN)


def _without_addresses(text: str) -> str:
    text = _OCR_CODE.sub(" errcode ", _ERROR_CODE.sub(" errcode ", text))
    if "m" in text:
        text = _SPOKEN_CODE.sub(" errcode ", text)
    if "http" in text or "www." in text:
        text = _URL.sub(" ", text)
    if "@" in text or "<" in text:
        text = _MENTION.sub(" ", _EMAIL.sub(" ", text))
    return _EMOJI.sub(" ", text)


def _without_numbers(text: str) -> str:
    """Times, ids and amounts say nothing; a status code and the price of Amazon's plan do."""
    if not _DIGIT.search(text):
        return text
    text = _CLOCK.sub(" ", text)
    text = text.replace("39.99", " monthlyfee ").replace("12 month", "twelve month")
    text = _HTTP.sub(r" http\1 ", text)
    text = _ID_NUMBER.sub(" ", text)
    return _ID_WORD.sub(lambda m: m.group() if _KEEP_ID.match(m.group()) else " ", text)


def _shorten(text: str, limit: int) -> str:
    """The beginning and the end: people ask first or last, and paste their logs between."""
    if len(text) <= limit:
        return text
    head = limit * _HEAD_SHARE // MAX_CLEAN
    return f"{text[:head]} . {text[-(limit - head) :]}"


def _without_quotes_and_signature(text: str) -> str:
    kept: list[str] = []
    for line in text.split("\n"):
        bare = line.strip()
        if _REPLY_HEADER.match(bare):
            if sum(map(len, kept)) >= 12:  # noqa: PLR2004 -- a sentence, not just a name
                break
            continue
        if _SIGN_OFF.match(bare) and sum(map(len, kept)) > 0:
            break
        kept.append(_QUOTE_MARK.sub("", bare))
    return "\n".join(kept)
