"""The forms of words in the configuration, and how they are said to people."""

NAME = r"^[a-z][a-z0-9_-]{0,62}$"
VARIABLE = r"^[A-Z][A-Z0-9_]*$"
URL = r"^https?://[^/?#@]+(/[^?#]*)?$"
SHA256 = r"^[0-9a-f]{64}$"
COUNTRY = r"^[A-Z]{2}$"
FUNCTION = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"
# A password in a URL would be a secret in the file: these leave no place for one.
REDIS_URL = r"^(rediss?://[^@/?#]+(/\d+)?|unix:///[^@?#]+)$"
STORE_URL = r"^(sqlite:///[^?#]+|postgresql://([^/?#@:]+@)?[^/?#@]*/[^/?#]+(\?[^#]*)?)$"

IN_WORDS = {
    NAME: "must be a name: small letters, digits, - and _, beginning with a letter",
    VARIABLE: "must be the name of an environment variable: capital letters, digits and _",
    URL: "must be an address like http://HOST:PORT, without a password and without ? or #",
    SHA256: "must be the SHA-256 of the key: 64 digits of 0-9 and a-f",
    COUNTRY: "must be a country's two capital letters, like US",
    FUNCTION: "must name a function as MODULE:FUNCTION",
    REDIS_URL: "must be redis://HOST:PORT/NUMBER, rediss://… or unix:///FILE, without a password",
    STORE_URL: "must be sqlite:///FILE or postgresql://USER@HOST/NAME, without a password",
}
