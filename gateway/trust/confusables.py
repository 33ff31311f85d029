"""Skeletons of names: what two words have in common that a human's eye takes for one (UTS #39 section 4).

Never used for anything that is shown, stored or answered to. The table holds the letters and digits of confusables.txt
(Unicode 15.1, Unicode License v3) whose prototype is ASCII, with marks taken off and rare scripts of the supplementary planes
left out, and small Cyrillic and Greek letters that differ from Latin ones only in height.
"""

import unicodedata

_PROTOTYPES = {
    "a": "ɑαаᎪᗅꓮ", "aa": "ꜳ", "ae": "æӕ", "ao": "ꜵ", "au": "ꜷ", "av": "ꜹꜻ", "ay": "ꜽ",
    "b": "ᏏᑲᖯᏴᗷꓐɓᑳƃƀҍѣвʙ", "c": "ᴄⲥсᏟꓚȼҫ", "d": "ԁᏧᑯꓒᎠᗞᗪꓓɗɖƌđ", "dz": "ʣ",
    "e": "ꬲеҽⴹᎬꓰɇҿ", "f": "ꬵꞙẝքᖴꓝƒᵮ", "g": "ɡᶃƍցᏀᏳꓖɠǥ",
    "h": "һհᏂᎻᕼꓧɦꚕᏲħћнʜ", "i": "ıɪɩιіꙇᎥɨᵻᵼ", "j": "ϳјᎫᒍꓙɉ", "k": "Ꮶᛕꓗƙκк",
    "l": "1ӏǀⵏᛁꓲᏞᒪꓡłɭƚɫᣳ", "ll": "ǁ", "ls": "ʪ", "lz": "ʫ",
    "rn": "mᎷᗰᛖꓟꭑмᴍɱᵯ", "n": "ոռꓠɳƞηᵰɲ",
    "o": "0०੦૦௦౦೦൦๐໐၀ᴏᴑꬽοσⲟоჿօഠဝ০୦〇ⵔዐଠꓳøꬾⵁɵꝋөѳθⴱᎾᏫတ", "oe": "œ", "oo": "ꝏꚙ",
    "p": "ρⲣрᏢᑭꓑƥᵽ", "q": "ԛգզⵕʠ", "r": "ꭇꭈᴦⲅгᎡᏒᖇꓣɽɼɍғᵲᣴ",
    "s": "ꜱƽѕᏕᏚꓢʂᵴᣵ", "t": "Ꭲꓔƭŧᵵƫтτᴛ", "tf": "ꝷ", "ts": "ʦ",
    "u": "ꞟᴜꭎꭒʋυսሀᑌꓴᵾᏌ", "ue": "ᵫ", "uo": "ꭣ", "v": "ᴠνѵⴸᏙᐯꛟꓦ",
    "w": "ɯᴡѡԝաᎳᏔꓪѽꝡω", "x": "хᕁᕽⵝᚷꓫ", "y": "ɣᶌʏỿꭚγуүყᎩᎽꓬƴɏұ", "z": "ᴢᏃꓜʐƶȥᵶᙆ",
    "2": "ᒿꛯƻ", "4": "Ꮞ", "6": "бᏮ", "8": "৪੪ȣ", "9": "੧୨৭൭",
}  # fmt: skip

_TABLE = {ord(one): prototype for prototype, many in _PROTOTYPES.items() for one in many}


def skeleton(text: str) -> str:
    """The text as the eye takes it: without case, marks and invisible characters, each letter as its prototype.

    Two texts with one skeleton look alike; what differs in it need not look different. A skeleton's skeleton is itself.
    """
    caseless = unicodedata.normalize("NFKC", text).casefold()
    visible = (one for one in unicodedata.normalize("NFKD", caseless) if unicodedata.category(one) not in _UNSEEN)
    return "".join(visible).translate(_TABLE).replace("vv", "w")


_UNSEEN = frozenset({"Mn", "Me", "Cf"})
