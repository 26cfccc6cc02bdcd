"""Letters of other scripts that look like Latin ones, as a translation table.

`glyphs` folds with it. Derived from Unicode's confusables.txt (UTS #39, Unicode
licence v3), letters only, without those that NFKC already folds; small capitals, letters with
strokes and a few looser pairs in common use for disguise (Cyrillic and Greek) are added.
"""

_LOOKALIKES = {
    "A": "ΑАᎪᗅꓮ𐊠𖽀",
    "B": "ΒВᏴᗷꓐꞴ𐊂𐊡𐌁",
    "C": "СᏟⲤꓚ𐊢𐌂𐐕𐔜",
    "D": "Ꭰᗞᗪꓓ",
    "E": "ΕЕᎬⴹꓰ𐊆𑢦𑢮",
    "F": "ϜᖴꓝꞘ𐊇𐊥𐔥𑢢𑣂",
    "G": "ԌᏀᏳꓖ",
    "H": "ΗНᎻᕼⲎꓧ𐋏",
    "J": "ͿЈᎫᒍꓙꞲ",
    "K": "ΚКᏦᛕⲔꓗ𐔘",
    "L": "ᏞᒪⳐꓡ𐐛𐔦𑢣𑢲𖼖",
    "M": "ΜϺМᎷᗰᛖⲘꓟ𐊰𐌑",
    "N": "ΝⲚꓠ𐔓",
    "O": "ΟОՕⲞⵔꓳ𐊒𐊫𐐄𐓂𐔖𑢵",
    "P": "ΡРᏢᑭⲢꓑ𐊕",
    "Q": "ⵕ",
    "R": "ƦᎡᏒᖇꓣ𐒴𖼵",
    "S": "ЅՏᏕᏚꓢ𐊖𐐠𖼺",
    "T": "ΤТᎢⲦꓔ𐊗𐊱𐌕𑢼𖼊",
    "U": "Սᑌꓴ𐓎𑢸𖽂",
    "V": "ѴᏙᐯⴸꓦꛟ𐔝𑢠𖼈",
    "W": "ԜᎳᏔꓪ",
    "X": "ΧХᚷⲬⵝꓫꞳ𐊐𐊴𐌗𐔧",
    "Y": "ΥУҮᎩᎽⲨꓬ𐊲𑢤𖽃",
    "Z": "ΖᏃꓜ𑢩",
    "a": "Ʌɑʌαаᴀⱥ",
    "b": "ƀƃƄʙβЬвᏏᑲᖯ",
    "c": "ȼсᴄⲥꮯ𐐽",
    "d": "đɖԁᏧᑯᴅꓒ",
    "e": "ɇεеєҽәᴇꬲ",
    "f": "ƒքẝꜰꞙꬵ",
    "g": "ƍǥɠɡɢցᶃ",
    "h": "ħɦʜнһհᏂ",
    "i": "ıɨɩɪιіӏᎥꙇꭵ𑣃",
    "j": "ɉϳјᴊ",
    "k": "ƙκкᴋ",
    "l": "łƖƚʟΙІӀᛁⲒⵏꓲ𐊊𐌉𖼨",
    "m": "ɱмᴍ",
    "n": "ŋɲɴηпոռ",
    "o": "øɵθοσоօᴏᴑⲟꬽ𐐬𐓪𑣈𑣗",
    "p": "þƥρрᴘⲣ",
    "q": "ԛգզꞯ",
    "r": "ɍʀгяᴦⲅꭇꭈꮁ",
    "s": "ƽʂѕꜱꮪ𐑈𑣁",
    "t": "ŧƭτтᴛ",
    "u": "ʉʋυцսᴜꞟꭎꭒ𐓶𑣘",
    "v": "νѵᴠꮩ𑣀",
    "w": "ɯωшщѡԝաᴡꮃ",
    "x": "χхᕁᕽ",
    "y": "ɏɣʏγуүᶌỿꭚ𑣜",
    "z": "ƶʐᴢꮓ𑣄",
}
# Latin letter -> itself in a black circle, in a black square, as a regional indicator.
_ENCLOSED_STARTS = (0x1F150, 0x1F170, 0x1F1E6)

# Upside-down letters, as text flippers write them; the text then runs backwards as well.
_UPRIGHT = dict(
    zip("ɐqɔpǝɟƃɓɥᴉıɾʞlןɯuodbɹsʇnʌʍxʎz¡¿˙", "abcdefgghiijkllmnopqrstuvwxyz!?.", strict=True)
)

TO_LATIN: dict[int, str] = {
    ord(other): latin for latin, others in _LOOKALIKES.items() for other in others
} | {start + i: chr(ord("a") + i) for start in _ENCLOSED_STARTS for i in range(26)}

TO_UPRIGHT: dict[int, str] = {ord(flipped): upright for flipped, upright in _UPRIGHT.items()}
