"""Finds accounts: a handle, or a name or number near a platform or behind a label, in the languages of requests.

Never takes a word of the language for a name: without a label a name shows a digit, an underscore, an at sign or quotation marks.
"""

import re
from collections.abc import Iterator

from gateway.triage.readings import TRAILING, Reading

MIN_NAME = 3
MIN_NUMBER = 6
"""Digits that a number needs to be an account where no label says that it is one."""

_LABELS = (
    r"user ?-?names?|user ?-?ids?|userids?|account (?:names?|ids?|no\.?|numbers?)|accounts?|handles?|nick ?-?names?|screen ?names?"
    r"|profiles?(?: ?ids?| names?)?|uids?|channel(?: ?ids?| names?)?|login(?: name)?|vanity (?:name|url)|page ?ids?|group ?ids?"
    r"|identifiants?(?: de compte)?|nom d.utilisateur|pseudo(?:nyme)?s?|comptes?|profils?"
    r"|nombre de usuario|usuarios?|cuentas?|perfil(?:es|is)?|identificador(?: de usuario)?|nome de usuário|nome de utilizador|utilizador(?:es)?"
    r"|usuários?|contas?|nume(?:le)? de utilizator|utilizator(?:ul)?|cont(?:ul|uri)?|benutzernamen?|nutzernamen?|benutzerkonto|nutzerkonto"
    r"|konten|konto|kennung|nome utente|utente|account|profilo|идентификатор(?: пользователя)?|имя пользователя|пользовател[ья]|логин|никнейм|ник"
    r"|аккаунты?|уч[её]тн(?:ая|ой) запис[ьи]|профиль|страница|ім.я користувача|користувач|обліков(?:ий|ого) запису?с?|акаунти?|профіль"
    r"|اسم المستخدم|معرف المستخدم|المعرف|الحساب|حساب|kullanıcı adı|kullanıcı kimliği|hesap adı|hesap(?:lar)?|profil|gebruikersnaam|accountnaam|gebruikers-id"
    r"|ユーザー名|ユーザーid|アカウント(?:名|id)?|მომხმარებლის სახელი|მომხმარებელი|ანგარიში|პროფილი|օգտանուն|օգտատեր|հաշիվ|օգտահաշիվ"
)
_NAMES = (
    r"user ?-?names?|user|handles?|nick ?-?names?|screen ?names?|nom d.utilisateur|pseudo(?:nyme)?|utilisateur|nombre de usuario|usuario"
    r"|nome de usuário|usuário|utilizador|utilizator(?:ul)?|benutzernamen?|nutzernamen?|benutzer|nutzer|nome utente|utente|имя пользователя"
    r"|пользовател\pL*|логин\pL*|ник(?:ом|нейм\pL*)?|аккаунт\pL*|користувач\pL*|акаунт\pL*|اسم المستخدم|المستخدم|الحساب|حساب|kullanıcı(?: adı)?"
    r"|gebruikersnaam|gebruiker|ユーザー名?|アカウント|მომხმარებ\pL*|ანგარიშ\pL*|օգտանու\pL*|օգտատ\pL*|account|compte|cuenta|conta|cont(?:ul)?|konto|profil[eo]?|profile"
)
_PLATFORMS = (
    r"facebook|instagram|telegram|tik ?tok|twitter|discord|snapchat|whatsapp|signal|skype|steam|twitch|reddit|youtube|viber|vkontakte|vk|linkedin"
    r"|wickr|threema|session|kik|onlyfans|roblox|minecraft|github|paypal|revolut|binance|coinbase|mastodon|pinterest|tumblr|wechat|kakaotalk|line"
    r"|messenger|odnoklassniki|playstation|psn|xbox|fortnite|icq|jabber|xmpp|matrix|google|gmail|icloud|apple id|netflix|airbnb|uber|badoo|tinder"
    r"|фейсбук\pL*|инстаграм\pL*|інстаграм\pL*|телеграм\pL*|тик-?ток\pL*|твиттер\pL*|вотсап\pL*|ватсап\pL*|вайбер\pL*|дискорд\pL*|скайп\pL*|вконтакте|стим\pL*"
    r"|فيسبوك|انستغرام|إنستغرام|تلغرام|تليجرام|تيليجرام|تويتر|سناب ?شات|واتساب|تيك ?توك|ديسكورد|フェイスブック|インスタグラム|テレグラム|ツイッター|ディスコード|ライン"
    r"|ფეისბუქ\pL*|ტელეგრამ\pL*|ინსტაგრამ\pL*|դիսքորդ|ֆեյսբուք\pL*|տելեգրամ\pL*|ինստագրամ\pL*"
)
_OPEN = r"[\"'“«„‘「『]"
_CLOSE = r"[\"'”»“’」』]"
_HANDLE = r"@?[0-9A-Za-z_.-]*[0-9_][0-9A-Za-z_.-]*(?:#[0-9]{4})?"
_QUOTED = rf"{_OPEN}(@?[^\s\"'”»“’」』()][^\"'”»“’」』()\n]{{1,40}}){_CLOSE}"
_BETWEEN = r"(?:[\s/,-]{1,2}[\pL.'’]{1,18}){0,4}?"
_ON = r"(?:on|sur|en|auf|bei|su|no|na|pe|op|în|в|у|на|على|de|from|via|in|of)"

_FILE = re.compile(r"\.(?:[a-z]{2,4}|7z|mp[34])$", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_ARTICLE = re.compile(
    r"(?:arts?|no|nr|num|para|ref|tel|cc|ip|ipv[46]|utc|gmt|as|sha|md5|pdf|19|20)?[.-]?\d{1,5}(?:st|nd|rd|th|gb|mb|h|d)?",
    re.IGNORECASE,
)


def labelled(written: str) -> str:
    """What stands behind a label, without quotation marks; a link and an e-mail address are of other kinds."""
    name = written.strip("\"'“”«»„‘’「」『』()").rstrip(TRAILING)
    return name if any(one.isalnum() for one in name) and "://" not in name and "@" not in name[1:] else ""


def named(written: str) -> str:
    """A name near a platform, or ''."""
    name = labelled(written)
    if len(name.lstrip("@")) < MIN_NAME or _DATE.fullmatch(name) or _ARTICLE.fullmatch(name):
        return ""
    return "" if name.isdigit() and len(name) < MIN_NUMBER else name.strip("-")


def quoted(written: str) -> str:
    """A single word in quotation marks that is no word: a file and a reference are none either."""
    name = named(written)
    return name if any(map(str.islower, name)) and not _FILE.search(name) else ""


def number(written: str) -> str:
    """An account number in a known form."""
    return written


_SAID = rf"(?im)(?:\b|^|\s)(?:{_LABELS})(?:\s?\([^()\n]{{1,30}}\))?(?:\s(?:is|est|es|é|è|ist|este))?\s?[:#=：]\s?"
"""A label, what qualifies it, and the sign behind it."""

ACCOUNT_READINGS: tuple[Reading, ...] = (
    Reading("account", r"(?:^|[\s(\[\"'“«„:,;/|「])(@[A-Za-z0-9_][A-Za-z0-9_.]+)", labelled),
    Reading("account", r"\b(7656119[0-9]{10})\b", number),
    Reading("account", r"\b(UC[0-9A-Za-z_-]{22})\b", number),
    Reading("account", r"\b([0-9A-Za-z_.]{2,32}#[0-9]{4})\b", labelled),
    Reading("account", rf"{_SAID}{_QUOTED}", labelled),
    Reading("account", rf"{_SAID}([^\s,;<>|、。]*[0-9_.@-][^\s,;<>|、。]*)", labelled),
    Reading("account", rf"{_SAID}([^\s,;<>|、。0-9]+)\s*?(?:[\n,;.)、。]|$)", labelled),
    Reading("account", rf"(?i)(?:\b|^|\s)(?:{_LABELS})\s(?:\pL{{1,4}}[\s']){{0,2}}(?:{_PLATFORMS})\s?[:=：]\s?([0-9A-Za-z_.@-]{{3,40}})", labelled),
    Reading("account", r"(?i)\b(?:user|account|profile|member|customer|benutzer|gebruikers|utente)[ -]?(?:ids?|numbers?|no\.?)\s([0-9]{6,20})\b", number),
    Reading("account", r"(?i)\bid[:#\s]{1,2}([0-9]{6,20})\b", number),
    Reading("account", rf"{_OPEN}([A-Za-z][0-9A-Za-z.-]*[0-9_][0-9A-Za-z_.-]*){_CLOSE}", quoted),
    Reading("account", rf"(?i)(?:{_PLATFORMS})\pL{{0,12}}{_BETWEEN}[\s:：(#=/-]{{0,3}}{_QUOTED}", named),
    Reading("account", rf"(?i)(?:{_PLATFORMS})\pL{{0,12}}{_BETWEEN}[\s:：(#=/-]{{1,3}}{_OPEN}?({_HANDLE})", named),
    Reading("account", rf"(?i)(?:\b|^|\s)(?:{_NAMES})\s?{_QUOTED}", named),
    Reading("account", rf"(?i)(?:\b|^|\s)(?:{_NAMES})\s({_HANDLE})", named),
    Reading("account", rf"(?i)(?:^|[\s\"'“«„(])({_HANDLE})[\"'”»“)]?\s{_ON}\s(?:the\s|le\s|la\s|el\s)?(?:{_PLATFORMS})", named),
)  # fmt: skip
"""What is told by its form first, then by a label, then by a platform."""

_HOSTS = (
    "facebook.com instagram.com t.me telegram.me tiktok.com twitter.com x.com snapchat.com youtube.com twitch.tv reddit.com vk.com ok.ru "
    "linkedin.com steamcommunity.com github.com threads.net wa.me discord.gg pinterest.com medium.com onlyfans.com"
)
_PROFILE = re.compile(
    rf"(?:https?://)?(?:www\.|m\.|[a-z]{{2}}\.)?(?:{'|'.join(map(re.escape, _HOSTS.split()))})/"
    r"(?:in/|u/|user/|add/|c/|channel/|id/|profiles/|people/[^/?#]+/)?(?P<name>@?[\w.-]{2,64})/?(?:[?#].*)?",
    re.IGNORECASE,
)
_PROFILE_ID = re.compile(
    r"(?:https?://)?(?:www\.|m\.)?facebook\.com/profile\.php\?id=(?P<name>\d{5,20})(?:&.*)?", re.IGNORECASE
)
_NO_NAME = re.compile(
    r"profile\.php|watch|groups|pages|share|p|reel|status|search|login|home|hashtag|explore|joinchat|c|s|video",
    re.IGNORECASE,
)


def profiles(url: str) -> Iterator[str]:
    """The account that the address of a profile names, if it is one."""
    match = _PROFILE_ID.fullmatch(url) or _PROFILE.fullmatch(url)
    if match is not None and not _NO_NAME.fullmatch(match["name"]):
        yield match["name"]
