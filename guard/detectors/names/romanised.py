"""Names in other scripts: romanised, and by the consonants that every script keeps.

Cyrillic and Devanagari give a name back nearly letter by letter ('Варнхольт', Varnkholt). Arabic
drops vowels, Hangul, kana and Chinese write a syllable for every consonant ('瓦恩霍尔特',
waenhuoerte): there only the order of the consonants stays, in classes that no script tells apart.
Consonants are compared only where foreign names are written: in other scripts than Latin, from a
word's beginning, in kana and in Chinese characters that transliterate, and for names with enough
of them.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

FEWEST_CONSONANTS = 7
"""Of a whole name."""
ALIKE = 0.75
"""The share of a name's vowels that must be said too, where they are written."""
WITHOUT_VOWELS = 8
"""Consonants of a name that is found where vowels are not written."""
FORGIVING = 10
"""From so many on, one consonant may be missing."""
MOST_BEHIND = 3
"""Consonants of an ending or a particle behind a name."""
MOST_WORDS = 16
"""Words, or characters of a script without words, over which a name is written."""

# Characters that stand for the syllables of foreign names; no ordinary text has many in a row.
_SYLLABLES = (
    "阿埃艾爱安昂奥巴白班邦保鲍贝本比彼宾波勃伯博布查达戴丹德登邓狄迪蒂丁东杜敦多恩尔法范菲费芬"
    "丰冯佛夫弗福富盖甘高戈哥格葛根贡古瓜圭哈海汉翰豪赫亨洪胡华怀惠霍基吉加佳贾杰金津卡凯坎康考"
    "柯科可克肯库奎昆拉莱赖兰朗劳勒雷蕾黎里理利丽莉莲廉良列林琳龙卢鲁路露伦罗洛吕马玛迈麦曼芒"
    "毛梅门蒙孟米密蜜明摩莫墨默姆木穆拿纳娜乃奈南瑙内嫩尼妮年涅宁纽农努诺欧帕潘庞佩彭皮平珀"
    "普奇齐契钱强乔钦琴丘屈让热仁日荣茹瑞若撒萨塞赛桑瑟森沙莎山尚绍舍申生圣施什石史寿舒朔"
    "斯丝思司苏素孙索所塔泰坦汤唐陶特腾提甜廷通图托瓦旺万威韦维魏温文翁沃乌伍武西希锡夏香肖"
    "谢欣辛兴雄休逊雅亚扬耶叶伊因英尤于约宰赞泽曾扎詹张哲者珍芝治中朱卓兹孜宗祖佐沙"
)
_SCRIPTS = (
    "\u0370-\u03ff\u1f00-\u1fff",  # Greek
    "\u0590-\u05ff",  # Hebrew
    "\u0600-\u06ff\u0750-\u077f",  # Arabic
    "\u0e00-\u0e7f",  # Thai
    "\uac00-\ud7af",  # Hangul
    "\u30a1-\u30fa\u30fc",  # katakana
)
_SPACED = "|".join(f"[{script}]{{2,60}}" for script in _SCRIPTS)
# Chinese marks no words: each of its characters may be a name's first.
_FOREIGN = re.compile(f"{_SPACED}|[{_SYLLABLES}]")
_OTHER_LETTERS = re.compile("[\u0370-\u1cff\u1f00-\u1fff\u3040-\u9fff\uac00-\ud7af]")
_LATIN_EXTRAS = re.compile("[\u00c0-\u024f]")

_DIGRAPHS = (
    *(("shch", "s"), ("dzh", "s"), ("tch", "s"), ("sch", "s"), ("kh", ""), ("gh", "")),
    *(("ph", "f"), ("ch", "s"), ("sh", "s"), ("zh", "s"), ("th", "t"), ("ck", "k"), ("qu", "k")),
    *(("ng", "n"), ("mp", "b"), ("nt", "d"), ("nd", "d"), ("x", "ks")),
    *(("ce", "se"), ("ci", "si"), ("cy", "si")),
)
"""What is one sound, or written as one somewhere (Greek has no b of its own), in this order."""
_CLASSES = str.maketrans(
    {
        **dict.fromkeys("bpfv", "P"),
        **dict.fromkeys("dt", "T"),
        **dict.fromkeys("kgqc", "K"),
        **dict.fromkeys("szj", "S"),
        **dict.fromkeys("lr", "L"),
        **{"m": "M", "n": "N"},
        **{"a": "a", "h": None, "'": None, "-": None},
        **dict.fromkeys("eiy", "i"),  # Arabic writes one sign for both
        **dict.fromkeys("ouw", "o"),
    }
)
_SOUND = re.compile("([PTKSLMN])([aio]?)")
_DOUBLES = re.compile(r"([PTKSLMN])\1+")


def romanised(text: str) -> str | None:
    """The text in Latin letters, if it has others."""
    if text.isascii() or not (_OTHER_LETTERS.search(text) or _LATIN_EXTRAS.search(text)):
        return None
    from anyascii import anyascii

    return anyascii(text)


class Sound(NamedTuple):
    """The classes of a word's consonants, and behind each the class of its vowel, "-" for none."""

    consonants: str
    vowels: str

    def without(self, at: int) -> "Sound":
        """The sound with one consonant less."""
        return Sound(*(part[:at] + part[at + 1 :] for part in self))


SILENCE = Sound("", "")


def joined(sounds: Iterable[Sound]) -> Sound:
    """One after the other."""
    consonants, vowels = zip(SILENCE, *sounds, strict=True)
    return Sound("".join(consonants), "".join(vowels))


def sound_of(word: str) -> Sound:
    """'varnholt' is PLNLT, with a behind the P and o behind the N."""
    word = word.lower()
    if word[:1] == "w":
        word = "v" + word[1:]
    for written, sound in _DIGRAPHS:
        word = word.replace(written, sound)
    kept = _DOUBLES.sub(r"\1", word.translate(_CLASSES))
    found = _SOUND.findall(kept)
    return Sound("".join(one for one, _ in found), "".join(vowel or "-" for _, vowel in found))


class ForeignNames:
    """Finds names by their consonants where a text is in a script that keeps little else."""

    def __init__(self, owners: Mapping[str, set[int]]) -> None:
        """`owners` has those of each folded name of a person."""
        self._owners: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for name, own in owners.items():
            whole = joined(map(sound_of, name.split()))
            length = len(whole.consonants)
            if length >= FEWEST_CONSONANTS and name.isascii():
                self._add(whole, own)
            for at in range(1, length) if length >= FORGIVING else ():
                self._add(whole.without(at), own)
        self._lengths = sorted({len(known) for known in self._owners})

    def _add(self, sound: Sound, owners: set[int]) -> None:
        self._owners[sound.consonants][sound.vowels] |= owners

    def owners(self, text: str) -> set[int]:
        """The owners of the names in a text, as it was written."""
        found: set[int] = set()
        if not self._lengths or text.isascii():
            return found
        for run in _foreign_runs(text):
            for at in range(len(run)):
                found.update(*self._beginning(run[at : at + MOST_WORDS]))
        return found

    def _beginning(self, words: Sequence[Sound]) -> Iterator[set[int]]:
        """The owners of the names with which the words begin; they end near a word's end."""
        said = SILENCE
        for word in words:
            before, said = len(said.consonants), joined((said, word))
            for length in self._lengths:
                if before < length <= len(said.consonants) <= length + MOST_BEHIND:
                    known = self._owners.get(said.consonants[:length], {})
                    for vowels, owners in known.items():
                        if _sounds_alike(vowels, said.vowels):
                            yield owners


def _sounds_alike(known: str, said: str) -> bool:
    """Whether most vowels of a name are said, as far as the script writes any."""
    pairs = [(one, other) for one, other in zip(known, said, strict=False) if one != "-"]
    written = [(one, other) for one, other in pairs if other != "-"]
    if 2 * len(written) < len(pairs):  # Arabic, say
        return len(known) >= WITHOUT_VOWELS
    return sum(one == other for one, other in written) >= ALIKE * len(written)


def _foreign_runs(text: str) -> Iterator[list[Sound]]:
    """The consonants of foreign words, in runs of those that stand beside each other."""
    from anyascii import anyascii

    run: list[Sound] = []
    end = 0
    for match in _FOREIGN.finditer(text):
        if run and len(text[end : match.start()].strip()) > 1:
            yield run
            run = []
        run.append(sound_of(anyascii(match[0])))
        end = match.end()
    if run:
        yield run
