"""Words that are no names, or belong to any name: what parts of names are told from."""

PARTICLES = frozenset(
    (
        *("van", "von", "vom", "zu", "zur", "der", "den", "ter", "ten", "de", "da", "di", "do"),
        *("du", "del", "dell", "della", "dos", "das", "la", "le", "el", "al", "bin", "ben", "ibn"),
        *("bint", "abu", "mac", "mc", "o", "st", "san", "santa", "y", "e", "af", "av", "ap"),
    )
)
"""Small words inside names."""

GENERATIONS = frozenset(("jr", "sr", "jr.", "sr.", "ii", "iii", "iv", "junior", "senior", "esq"))
"""What stands behind a name, and makes nobody else of its bearer."""

TITLES = frozenset(
    (
        *("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "madam", "lady", "lord"),
        *("herr", "frau", "señor", "senor", "senora", "doctor", "president", "judge", "captain"),
        *("author", "writer", "novelist", "poet", "saint", "fr", "rev", "hon", "monsieur"),
    )
)

FUNCTION_WORDS = frozenset(
    (
        *("the", "a", "an", "this", "that", "these", "those", "my", "your", "his", "her", "its"),
        *("our", "their", "he", "she", "it", "they", "we", "you", "me", "him", "them", "us"),
        *("who", "whom", "whose", "what", "when", "where", "why", "how", "which", "and", "or"),
        *("but", "nor", "if", "so", "as", "than", "then", "of", "by", "from", "for", "with", "to"),
        *("in", "on", "at", "about", "into", "over", "under", "like", "via", "per", "between"),
        *("is", "are", "was", "were", "be", "been", "am", "do", "does", "did", "has", "have"),
        *("had", "can", "could", "will", "would", "should", "shall", "may", "might", "must"),
        *("not", "no", "yes", "only", "also", "because", "while", "after", "before", "there"),
        *("tell", "describe", "explain", "name", "list", "give", "write", "say", "said", "says"),
        *("met", "married", "knew", "knows", "asked", "called", "named", "born", "lived"),
        *("und", "oder", "ist", "war", "mit", "et", "est", "avec", "con", "es", "era", "и", "не"),
    )
)
"""Words between two names that make them names of two."""

FAMILY_STEMS = frozenset(
    (
        *("abel", "adam", "adams", "albert", "allen", "ander", "anders", "andrew", "andrews"),
        *("antoni", "barn", "bell", "berg", "berger", "bern", "bernard", "black", "bloom", "blum"),
        *("bond", "brand", "bren", "brook", "brooks", "brown", "burg", "burk", "camp", "carl"),
        *("carls", "cart", "chan", "chang", "chap", "chen", "cheng", "christian", "christians"),
        *("clark", "cole", "cook", "coop", "daniel", "daniels", "david", "davids", "davis"),
        *("dean", "dick", "dixon", "domin", "edward", "edwards", "ellis", "evan", "evans", "eric"),
        *("erik", "feld", "fern", "ferr", "fisch", "fish", "ford", "fran", "franc", "frank"),
        *("fred", "frederick", "free", "fried", "garc", "gard", "georg", "george", "gibb", "gold"),
        *("good", "gran", "grant", "gray", "green", "greg", "griff", "gross", "gust", "hage"),
        *("hall", "hamm", "hans", "harr", "harris", "hart", "hend", "henri", "henry", "hern"),
        *("herm", "hern", "hill", "hoff", "holl", "holm", "holt", "horn", "horo", "hugh", "hunt"),
        *("isaac", "isaacs", "ivan", "jack", "jacks", "jacob", "jacobs", "james", "jame", "jans"),
        *("jens", "john", "johns", "jones", "jord", "joseph", "kauf", "kell", "kelly", "kirk"),
        *("klein", "kram", "land", "lang", "lars", "laur", "lawr", "lee", "leon", "lewi", "lind"),
        *("lope", "lore", "mart", "marti", "martin", "mary", "mass", "math", "matt", "maur"),
        *("mend", "mich", "michael", "michel", "mill", "mitch", "moor", "moore", "more", "morg"),
        *("morr", "morris", "neil", "nels", "newman", "nich", "nicho", "nichol", "nichols"),
        *("niel", "niels", "nort", "north", "olive", "oliver", "olse", "park", "parke", "parks"),
        *("pasc", "patt", "paul", "peders", "pete", "peter", "peters", "petr", "petro", "phil"),
        *("philip", "philips", "pier", "pric", "quin", "quinn", "rams", "reed", "reyn", "rich"),
        *("richard", "richards", "rivera", "robert", "roberts", "robin", "robins", "rodri"),
        *("roger", "rogers", "roma", "roman", "rose", "rosen", "ross", "roth", "russ", "russel"),
        *("russell", "ruth", "sach", "samuel", "samuels", "sand", "sanders", "sand", "santo"),
        *("schm", "schmid", "schmit", "schneid", "scho", "schwar", "schul", "scot", "scott"),
        *("shan", "shar", "shaw", "shep", "sher", "silver", "simm", "simon", "simons", "sims"),
        *("smit", "spence", "stan", "stein", "steiner", "step", "stephen", "stephens", "stev"),
        *("steven", "stevens", "stew", "ston", "stone", "sull", "swan", "swans", "thom", "thoma"),
        *("thomas", "thor", "torr", "town", "turn", "vald", "vale", "varg", "vasq", "vincent"),
        *("wagn", "wain", "walk", "wall", "walt", "walter", "walters", "ward", "warr", "wats"),
        *("watt", "weav", "webb", "webe", "wein", "well", "wells", "west", "white", "will"),
        *("william", "williams", "wils", "wint", "wolf", "wolff", "wong", "wood", "woods"),
        *("wright", "yang", "youn", "young", "zimmer"),
    )
)
"""Last names, and beginnings of many, with which other people's last names begin: 'Martin' is no
'Martinez' cut short."""
