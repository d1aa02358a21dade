"""What the fuzzer of the readers starts from: valid files of every format, the words of each, and ways to spoil them.

Everything is a function of a `random.Random`, so that an input is known by the seed and its number.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import re
from collections.abc import Callable, Sequence

import zstandard

MAX_BYTES = 1 << 18
DEEP = (10, 200, 3_000, 30_000)  # how often a word is repeated to nest

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_OWL = "http://www.w3.org/2002/07/owl#"
_XSD = "http://www.w3.org/2001/XMLSchema#"

SEEDS: dict[str, tuple[str, ...]] = {
    "nt": (
        f"""<http://e.x/violin> <http://e.x/isA> <http://e.x/instrument> .
<http://e.x/violin> <{_RDFS}label> "Geige"@de .
_:b1 <http://e.x/p> "a \\"b\\" \\u00e9 \\U0001F3BB \\n" . # comment
# a line of its own

<http://e.x/a><http://e.x/p>"1.5"^^<{_XSD}double>.
<http://e.x/\\u00e9> <http://e.x/p> _:b1 .
""",
        "<http://e.x/s> <http://e.x/p> <<( <http://e.x/a> <http://e.x/b> \"c\"@en--ltr )>> .\n",
    ),
    "nq": (
        """<http://e.x/a> <http://e.x/p> <http://e.x/b> <http://e.x/g> .
<http://e.x/a> <http://e.x/p> "x"@en-GB _:g .
_:a <http://e.x/p> _:b .
""",
    ),
    "ttl": (
        f"""@prefix e: <http://e.x/> . @base <http://e.x/> .
PREFIX rdfs: <{_RDFS}>
e:violin a e:Instrument ; rdfs:label "violin"@en, 'Geige'@de ; e:strings 4 , 4.0, 4e0 ; e:old true .
<rel> e:made [ e:by _:x ; e:in "1690"^^<{_XSD}gYear> ] . # comment
e:list e:of ( 1 ( 2 3 ) [] "a" ) . e:text e:is \"\"\"two
lines "quoted" \"\"\" . e:a\\,b e:p%20q <\\u00e9> .
""",
        f"""@prefix : <http://e.x/> . @prefix owl: <{_OWL}> . @prefix rdfs: <{_RDFS}> .
:wing rdfs:subClassOf [ a owl:Restriction ; owl:onProperty :partOf ; owl:someValuesFrom :bird ] .
:x owl:equivalentClass [ owl:intersectionOf ( :y [ a owl:Restriction ; owl:onProperty :p ; owl:hasValue :v ] ) ] .
:a owl:sameAs :b . :old owl:deprecated true . << :s :p :o >> :since "2020" . :s :p :o {{| :q :r |}} .
""",
    ),
    "trig": (
        """@prefix e: <http://e.x/> .
e:g { e:a e:p e:b ; e:q "x" } GRAPH <http://e.x/h> { [] e:p ( e:c ) . }
{ e:d e:p e:e . } e:f e:p 1 .
""",
    ),
    "rdfxml": (
        f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE rdf:RDF [ <!ENTITY e "http://e.x/"> <!ENTITY owl "{_OWL}"> ]>
<rdf:RDF xmlns:rdf="{_RDF}" xmlns:rdfs="{_RDFS}" xmlns:owl="{_OWL}" xmlns:e="http://e.x/" xml:base="http://e.x/">
<owl:Class rdf:about="&e;violin"><rdfs:label xml:lang="en">violin &amp; bow</rdfs:label>
<rdfs:subClassOf><owl:Restriction><owl:onProperty rdf:resource="&e;has"/><owl:someValuesFrom rdf:resource="#s"/>
</owl:Restriction></rdfs:subClassOf></owl:Class>
<rdf:Description rdf:ID="x" e:p="1"><e:q rdf:parseType="Resource"><e:r rdf:nodeID="n">t</e:r></e:q>
<e:l rdf:parseType="Collection"><rdf:Description rdf:about="a"/><e:T/></e:l>
<e:x rdf:parseType="Literal"><b xmlns="u:">t</b><![CDATA[<]]></e:x><rdf:li>1</rdf:li></rdf:Description>
</rdf:RDF>
""".replace('rdf:nodeID="n">t<', 'rdf:nodeID="n"><'),
    ),
    "jsonld": (
        """{"@context": {"@vocab": "http://e.x/", "label": {"@id": "http://e.x/l", "@language": "en"},
 "p": {"@type": "@id"}, "list": {"@container": "@list"}, "m": {"@container": "@language"},
 "r": {"@reverse": "http://e.x/r", "@type": "@id"}},
"@graph": [{"@id": "http://e.x/a", "@type": "T", "label": "violin", "p": ["b", {"@id": "_:c", "q": 1.5e0}], "r": "x:y"},
{"@id": "d", "list": [1, true, null, {"@value": "t", "@type": "http://e.x/t"}, [2]], "m": {"de": ["a"], "fr": "b"}}]}
""",
    ),
    "obo": (
        r"""format-version: 1.4
ontology: moz
idspace: LAB http://lab.example/terms/ "our own"
remark: a test ! comment

[Term]
id: MOZ:0000001
name: wing disorder ! the usual name
namespace: animal_disorders
def: "A disorder of a wing\; \"any\" wing." [LAB:note, "A Book, p. 3"]
synonym: "wing rot" EXACT layperson [LAB:a]
synonym: "rot" BROAD [] {source="LAB:b", other=1}
xref: LAB:77 "Lab 77"
is_a: MOZ:0000002 {source="LAB:c"} ! disorder
intersection_of: MOZ:0000002
intersection_of: located_in MOZ:0000010 ! wing
relationship: part_of MOZ:0000020 {all_only="true"}
relationship: located_in MOZ:0000011 {cardinality="0"}
property_value: LAB:seen "1999" xsd:gYear
property_value: http://e.x/p LAB:x
disjoint_from: MOZ:0000003
is_obsolete: true
replaced_by: MOZ:0000004
comment: goes on \
on this line

[Typedef]
id: located_in
xref: RO:0001025
is_transitive: true
domain: MOZ:0000002
inverse_of: location_of

[Instance]
id: LAB:i
instance_of: MOZ:0000002
""",
    ),
    "tsv": (
        "violin\tis a\tinstrument\nbow\tpart of\tviolin\n\n _:x \tis a\t\"quoted\"\r\nvioli\u0301n\tlabel\tGeige\n",
        "head\trelation\ttail\tweight\trank\tlanguage\tpos\tvalid_from\tvalid_until\n"
        "v\tis a\ti\t0.5\t\t\t\t2020-01-01\t\nv\tlabel\tGeige\t1e-3\t2\tde-AT\tn\t2020\t2026-06\n"
        "v\tp\tw\t\t1\t\ts\t\t\n",
        "a\tb\tc\t0.5\nd\te\tf\t1\n",
    ),
    "csv": (
        'head,relation,tail,weight,valid_from,valid_until\n"violin","is a","string ""instrument""",1,2020-01-01,\n'
        '"two\nlines",label,"a, b",.5,,2021-03\n',
        "violin,is a,instrument\nbow , part of, violin\n\n",
    ),
    "conceptnet": (
        "/a/[/r/IsA/,/c/en/violin/n/,/c/en/instrument/]\t/r/IsA\t/c/en/violin/n/wn/artifact\t/c/en/instrument\t"
        '{"dataset": "/d/wordnet", "weight": 2.0}\n'
        "/a/x\t/r/RelatedTo\t/c/de/gro\u00dfe_geige\t/c/en/a_b/v\t{\"weight\": 0.5}\n"
        "/a/y\t/r/ExternalURL\t/c/fr/violon\thttp://dbpedia.org/resource/Violon\t{}\n",
    ),
    "phrases": (
        "head\trelation\ttail\nPersonX plays ___\txIntent\tto be heard\nPersonX goes\txEffect\tnone\n"
        "a b\tAtLocation\tc\n",
    ),
    "taxonomy": (
        "# Taxonomy_Version: 1\n1 - Music\n2 - Music > Strings\n3 - Music > Strings > Violins\n4 - Toys > 2 Wheelers\n",
        "Music > Strings\nMusic > Strings > Violins\n\nMusic\n",
        "a1\tMusic\na2\tMusic > Winds\n",
    ),
    "graphml": (
        """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
<key id="d0" for="node" attr.name="label" attr.type="string"><default>none</default></key>
<key id="d1" for="edge" attr.name="weight" attr.type="double"/><key id="d2" for="all" attr.name="n" attr.type="int"/>
<key id="d3" for="edge" attr.name="valid_from" attr.type="string"/><key id="d4" for="node" yfiles.type="nodegraphics"/>
<graph edgedefault="directed"><node id="v"><data key="d0">violin</data><data key="d2">4</data></node>
<node id="n1"><data key="d4"><y:ShapeNode><y:NodeLabel>bow</y:NodeLabel></y:ShapeNode></data>
<graph id="g"><node id="n1::n0"/></graph></node>
<edge source="v" target="n1"><data key="d1">0.5</data><data key="d3">2020</data></edge>
</graph></graphml>
""",
    ),
    "node-link": (
        """{"directed": true, "multigraph": true, "graph": {"name": "g"},
"nodes": [{"id": "v", "label": "violin", "strings": 4, "odd": [1, null, "x", {"a": 1}]}, {"id": 1, "name": null},
 {"id": [1, "a"], "tall": true, "y": 1.5e3}],
"links": [{"source": "v", "target": 1, "key": 0, "relation": "is a", "weight": 0.5, "valid_from": "2020-01-01"},
 {"source": {"id": "v"}, "target": [1, "a"], "type": ["KNOWS"], "valid_until": 2020}]}
""",
    ),
    "neo4j": (
        'personId:ID(Person),name,born:int,tall:boolean,tags:string[],:LABEL\n1,"Ann ""A""",1980,true,a;b,Person\n'
        "2,Bob,,FALSE,,MusicGroup\n",
        ":START_ID(Person),:END_ID(Person),:TYPE,weight:double,valid_from:date\n1,2,KNOWS,0.5,2020-01-01\n2,1,LIKES,,\n",
        '"_id","_labels","name","_start","_end","_type","since"\n"0",":Person","Ann",,,,\n,,,"0","0","SELF","2020"\n',
    ),
    "examples-jsonl": (
        '{"premise": "A man plays.", "hypothesis": "A man rests.", "label": "contradiction", "id": "1"}\n'
        '{"premise": "A", "hypothesis": "B", "label": "entailment", "category": "x", "domain": null}\n',
    ),
    "examples-csv": ('premise,hypothesis,label\n"A man, tall","B ""q""",entailment\nA,B,neutral\n',),
    "examples-tsv": ("premise\thypothesis\tlabel\nA man\tB\tentailment\nA\tB\tneutral\n",),
    "edits": (),  # a log that a graph has written
}  # fmt: skip

WORDS: dict[str, tuple[str, ...]] = {
    "nt": ("<<(", ")>>", "<", ">", '"', "_:", "^^", "@", ".", "\\u0000", "\\uD800", "\\U0010FFFF", "\\UFFFFFFFF", "#"),
    "ttl": ("[", "]", "(", ")", "<<", ">>", "{|", "|}", '"""', "'", "@prefix ", "a ", ";", ",", "e:", "\\u", "1e400"),
    "trig": ("{", "}", "GRAPH ", "[", "(", "<<", '"""'),
    "rdfxml": (
        "<e:a>", "</e:a>", "<!ENTITY a '&e;&e;&e;'>", "&a;", "&e;", "<![CDATA[", "]]>", "<!--", "-->", "rdf:parseType=",
        "<!ENTITY % p SYSTEM 'file:///dev/null'>", "%p;", "&#0;", "&#xD800;", "<?xml ", "rdf:nodeID='1 2'",
    ),
    "jsonld": (
        "[", "]", "{", "}", '{"@context":', '"@id":', '"@graph":', '"@list":', '"@reverse":', '"@context": "http://x/c",',
        '"\\uD800"', "1e400", "-0", "null", '"@nest":', '"@included":', '"@base": "\\u0000"',
    ),
    "obo": (
        "[Term]", "[Typedef]", "[", "id: ", "is_a: ", "relationship: ", "synonym: ", '"', "\\", "{", "}", "!", "\\n",
        'property_value: x "', "intersection_of: ", "idspace: MOZ urn:x ", "union_of: ", "xsd:", "id:", "name:",
    ),
    "tsv": ("\t", "\t\t", "\r", "_:", '"', "-1", "nan", "99999999999", "2020-13-77", "1_0"),
    "csv": (",", '"', '""', '"\n', ",,", "\r", ";", "\\"),
    "conceptnet": ("/c/", "/r/", "\t", "{", "[", '"weight":', "NaN", "1e400", "/c/en/", "/c//x", "//", "/r/ "),
    "phrases": ("\t", "none", "xIntent", "relation"),
    "taxonomy": (" > ", ">", "\t", " - ", " : ", "#", "7 "),
    "graphml": (
        "<node id='x'>", "</node>", "<data key='d0'>", "</data>", "<default>", "<edge source='v'>", "<graphml>",
        "<!DOCTYPE g [<!ENTITY a 'b'>]>", "&a;", "&#0;", "<key id='d0' attr.type='int'>", "<hyperedge/>", "NaN",
        "&lt;", "1e400", "<!DOCTYPE g SYSTEM 'file:///dev/null'>", "<y:NodeLabel>", "</y:NodeLabel>",
        "encoding='UTF-16'", '"\\UFFFFFFFF"',
    ),
    "node-link": ("[", "]", "{", "}", '{"a":', '"nodes":', '"links":', '"id":', "NaN", "1e400", '"\\ud800"', '"_:b"',
                  '"\\"\\\\UFFFFFFFF\\""', "Infinity", ":", ","),
    "neo4j": (":ID", ":START_ID", ":END_ID", ":TYPE", ":LABEL", ":int", "[]", "(G)", ",", '"', ";", "\n", ":IGNORE"),
    "examples-jsonl": ("{", "[", '"premise":', '"label":', "null", "1e400", '"\\ud800"', "-1"),
    "edits": ("{", "[", '"op":', '"remove"', '"undo"', "null", "1e400", '"\\ud800"', "-1"),
}  # fmt: skip
SAME_WORDS = {"nq": "nt", "examples-csv": "csv", "examples-tsv": "tsv"}
FORMATS = tuple(SEEDS)

_EVERYWHERE = (
    b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\n", b"\r", b"\r\n",
    b"\xe2\x80\xae", b"\xcc\x81", b"\xe2\x80\x8b", b"\x1b[31m", b"\xc2\x85", b"\xe2\x80\xa8", b" ", b"\x0b",
    b"\x1f\x8b",
)  # fmt: skip
_NUMBERS = (
    b"0", b"-1", b"1e400", b"-1e-400", b"NaN", b"Infinity", b"2147483648", b"9223372036854775808", b"0x10", b"1_000",
    b"9" * 400, b"9" * 5000, b"\xd9\xa3", b"2020-02-30",
)  # fmt: skip
_NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?")
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda data: gzip.compress(data, 1, mtime=0),
    ".bz2": lambda data: bz2.compress(data, 1),
    ".xz": lambda data: lzma.compress(data, preset=0),
    ".zst": lambda data: zstandard.ZstdCompressor(level=1).compress(data),
}


def make_input(file_format: str, seeds: Sequence[bytes], draw: random.Random) -> tuple[bytes, str]:
    """Return the bytes of one spoiled file, and the suffix of its compression or nothing."""
    data = draw.choice(seeds)
    for _ in range(1 + int(draw.expovariate(1.0))):
        data = mutate(data, file_format, draw)[:MAX_BYTES]
    if draw.random() > 0.02 or file_format.startswith(("examples", "edits")):
        return data, ""
    suffix = draw.choice(tuple(COMPRESSORS))
    packed = COMPRESSORS[suffix](data)
    return (mutate(packed, file_format, draw) if draw.random() < 0.5 else packed), suffix


def mutate(data: bytes, file_format: str, draw: random.Random) -> bytes:
    """Return the bytes with one fault of a drawn kind."""
    place, other = sorted((draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)))
    near = min(other, place + draw.choice((1, 2, 8, 40)))
    kind = draw.randrange(11)
    if kind == 0 and data:
        place = min(place, len(data) - 1)
        return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]
    if kind == 1:
        return data[:place] + data[near:]
    if kind == 2:
        return data[:other] + data[place:other] + data[other:]
    if kind == 3:
        return data[:place] + draw.choice(_EVERYWHERE) + data[place:]
    if kind == 4:
        return data[:other]
    if kind == 5:
        donor = draw.choice(SEEDS[draw.choice((file_format, draw.choice(FORMATS)))] or SEEDS["nt"]).encode()
        start = draw.randrange(len(donor))
        return data[:place] + donor[start : start + draw.choice((10, 100, 1000))] + data[other:]
    if kind == 6 and (numbers := list(_NUMBER.finditer(data))):
        found = draw.choice(numbers)
        return data[: found.start()] + draw.choice(_NUMBERS) + data[found.end() :]
    if kind == 7 and draw.random() < 0.1:
        return data[:place] + _word(file_format, draw) * draw.choice(DEEP) + data[place:]
    if kind == 8:
        lines = data.splitlines(keepends=True)
        draw.shuffle(lines)
        return b"".join(lines)
    return data[:place] + _word(file_format, draw) + data[near if kind == 9 else place :]


def _word(file_format: str, draw: random.Random) -> bytes:
    return draw.choice(WORDS[SAME_WORDS.get(file_format, file_format)]).encode()
